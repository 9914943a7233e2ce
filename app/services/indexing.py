"""Indexing: what a run writes of a repository's files and merged changes; only while its claim holds."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, Integer, Text, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db import models
from app.db.tx import Tx
from app.domain.history import Landing
from app.domain.ids import new_id
from app.domain.repo import Owner
from app.domain.snapshot import FACTS_VERSION

BATCH = 2_000
COLUMNS = (
    *("path", "blob_id", "size_bytes", "language", "role", "token_estimate"),
    *("is_binary", "is_generated", "is_vendored", "is_symlink", "is_detectable", "is_quotable"),
)
_KINDS = (Text, Text, BigInteger, Text, Text, Integer, *6 * (Boolean,))

files = models.RepoFile.__table__.c


Row = Sequence[Any]
"""One file: a value for each of `COLUMNS`."""


async def write_files(tx: Tx, owner: Owner, rows: Sequence[Row], *, version: int = FACTS_VERSION) -> None:
    """Add or correct a batch of files in one statement; a row that says the same already is not written."""
    if not rows:
        return
    columns: list[Any] = [
        literal(list(values), ARRAY(kind)) for kind, values in zip(_KINDS, zip(*rows, strict=True), strict=True)
    ]
    given = func.unnest(*columns).table_valued(*COLUMNS, name="given").render_derived()
    everything = select(
        literal(owner.repo_id), literal(owner.organization_id), literal(version), *(given.c[name] for name in COLUMNS)
    )
    fresh = insert(models.RepoFile).from_select(("repo_id", "organization_id", "facts_version", *COLUMNS), everything)
    changing = ("facts_version", *COLUMNS[1:])
    differs = or_(*(files[name].is_distinct_from(fresh.excluded[name]) for name in changing))
    await tx.session.execute(
        fresh.on_conflict_do_update(
            index_elements=["repo_id", "path"],
            set_={name: fresh.excluded[name] for name in changing},
            where=differs,
        )
    )


async def begin_files(tx: Tx, owner: Owner) -> None:
    """Note that the files stand for no one commit until `end_files`."""
    await tx.session.execute(update(models.Repo).where(models.Repo.id == owner.repo_id).values(files_commit=None))


async def end_files(tx: Tx, owner: Owner, commit: str) -> None:
    """Note which commit the files stand for."""
    await tx.session.execute(update(models.Repo).where(models.Repo.id == owner.repo_id).values(files_commit=commit))


async def remove_files(tx: Tx, owner: Owner, paths: Sequence[str]) -> None:
    """Remove files that are no more."""
    if paths:
        await tx.session.execute(
            delete(models.RepoFile).where(
                models.RepoFile.repo_id == owner.repo_id, models.RepoFile.path == func.any(list(paths))
            )
        )


async def write_landing(tx: Tx, owner: Owner, landing: Landing, diff_key: str) -> None:
    """Keep a merged change; one that was kept before stays as it is."""
    row = insert(models.PullRequest).values(
        id=new_id(),
        repo_id=owner.repo_id,
        organization_id=owner.organization_id,
        reference=landing.id,
        title=landing.title.replace("\x00", "")[:500],
        author=landing.author.replace("\x00", "")[:200],
        merged_at=landing.committed_at,
        diff_key=diff_key,
    )
    await tx.session.execute(row.on_conflict_do_nothing(index_elements=["repo_id", "reference"]))
