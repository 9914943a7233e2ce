"""Indexing: what a run writes of a repository's files and merged changes; only while its claim holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from app.db import models
from app.db.tx import Tx
from app.domain.history import Landing
from app.domain.ids import new_id
from app.domain.snapshot import FileFacts

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Owner:
    """The repository that the rows belong to."""

    repo_id: UUID
    organization_id: UUID


async def write_files(tx: Tx, owner: Owner, files: Sequence[FileFacts]) -> None:
    """Add or correct a batch of files."""
    if not files:
        return
    rows = [
        {
            "repo_id": owner.repo_id,
            "organization_id": owner.organization_id,
            "path": file.path,
            "blob_id": file.blob_id,
            "language": file.language,
            "size_bytes": file.size,
            "token_estimate": file.tokens,
        }
        for file in files
    ]
    fresh = insert(models.RepoFile)
    corrected = {name: fresh.excluded[name] for name in ("blob_id", "language", "size_bytes", "token_estimate")}
    await tx.session.execute(fresh.on_conflict_do_update(index_elements=["repo_id", "path"], set_=corrected), rows)


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


async def known_files(tx: Tx, repo_id: UUID) -> dict[str, str]:
    """Give the blob of each path as the last run left it."""
    rows = await tx.session.execute(
        select(models.RepoFile.path, models.RepoFile.blob_id).where(models.RepoFile.repo_id == repo_id)
    )
    return {row.path: row.blob_id for row in rows}
