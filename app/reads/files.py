"""Reading what is stored of a repository's files, in pages: a repository may have a million."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import PullRequest, Repo, RepoFile
from app.domain.snapshot import FileFacts


@dataclass(frozen=True, slots=True)
class Totals:
    """What all files of a repository come to; languages the largest first."""

    files: int
    tokens: int
    languages: list[dict[str, str | int]]


class Stored(NamedTuple):
    """What tells whether a file has to be looked at again."""

    path: str
    blob_id: str
    symlink: bool
    version: int


async def stored(session: AsyncSession, repo_id: UUID, after: str, most: int) -> Sequence[Stored]:
    """Give the files behind a path, in byte order."""
    files = RepoFile.__table__.c
    page = (
        select(files.path, files.blob_id, files.is_symlink, files.facts_version)
        .where(files.repo_id == repo_id, files.path > after)
        .order_by(files.path)
        .limit(most)
    )
    return [Stored(*row) for row in await session.execute(page)]


async def named(session: AsyncSession, repo_id: UUID, name: str) -> dict[str, str]:
    """Give the blobs of all files of a name, by the folders that they are in; the top is the empty text."""
    files = RepoFile.__table__.c
    rows = await session.execute(
        select(files.path, files.blob_id).where(
            files.repo_id == repo_id, or_(files.path == name, files.path.like(f"%/{name}"))
        )
    )
    return {path.removesuffix(name).rstrip("/"): blob_id for path, blob_id in rows}


async def commit_of(session: AsyncSession, repo_id: UUID) -> str | None:
    """Tell which commit a repository's files stand for; none while a run changes them."""
    return await session.scalar(select(Repo.files_commit).where(Repo.id == repo_id))


async def landings(session: AsyncSession, repo_id: UUID) -> frozenset[str]:
    """Name the commits whose diffs are kept."""
    merged = PullRequest.__table__.c
    return frozenset(
        await session.scalars(select(merged.reference).where(merged.repo_id == repo_id, merged.diff_key.is_not(None)))
    )


async def snapshot(session: AsyncSession, repo_id: UUID, *, path: str | None = None) -> list[FileFacts]:
    """Give all that is known of a repository's files, or of the one at a path, by path."""
    files = RepoFile.__table__.c
    kinds = (files.is_binary, files.is_generated, files.is_vendored, files.is_symlink)
    what = (files.path, files.blob_id, files.size_bytes, files.language, files.role, files.token_estimate)
    query = select(*what, *kinds, files.is_detectable, files.is_quotable).where(files.repo_id == repo_id)
    if path is not None:
        query = query.where(files.path == path)
    rows = await session.stream(query.order_by(files.path), execution_options={"yield_per": 5_000})
    # By parts: a row at a time costs a change of stacks each.
    return [FileFacts(*tuple(row)) async for part in rows.partitions() for row in part]


async def totals(session: AsyncSession, repo_id: UUID) -> Totals:
    """Add up a repository's files, and those among them that count for its languages."""
    files = RepoFile.__table__.c
    counted, tokens = (
        await session.execute(
            select(func.count(), func.coalesce(func.sum(files.token_estimate), 0)).where(files.repo_id == repo_id)
        )
    ).one()
    size = func.sum(files.size_bytes)
    shares = await session.execute(
        select(files.language, func.count(), size)
        .where(files.repo_id == repo_id, files.is_detectable, files.language.is_not(None))
        .group_by(files.language)
        .order_by(size.desc(), files.language)
    )
    languages: list[dict[str, str | int]] = [
        {"language": language, "files": count, "bytes": int(weight)} for language, count, weight in shares
    ]
    return Totals(counted, int(tokens), languages)
