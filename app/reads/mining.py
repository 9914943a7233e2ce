"""What a run must know of the patterns that stand already, before it measures and before it writes."""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import models
from app.domain.pattern import EvidenceSource, PatternEventKind, PatternStatus, PatternType
from app.domain.rule import RuleKind


@dataclass(frozen=True, slots=True)
class Known:
    """The patterns of a repository, held until the transaction ends."""

    by_id: dict[UUID, models.Pattern]
    by_fingerprint: dict[str, models.Pattern]
    by_jobs: dict[UUID, PatternEventKind]
    """Those that a job rejected, and how."""


async def known_patterns(session: AsyncSession, repo_id: UUID) -> Known:
    """Hold all patterns of a repository, with what runs recognize them by."""
    # In the order that all decisions take: the repository first.
    await session.execute(select(models.Repo.id).where(models.Repo.id == repo_id).with_for_update(key_share=True))
    rows = await session.scalars(
        select(models.Pattern)
        .where(models.Pattern.repo_id == repo_id)
        .order_by(models.Pattern.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    by_id = {row.id: row for row in rows}
    names = await session.execute(
        select(models.Fingerprint.fingerprint, models.Fingerprint.pattern_id).where(
            models.Fingerprint.repo_id == repo_id
        )
    )
    return Known(
        by_id,
        {name: by_id[pattern_id] for name, pattern_id in names if pattern_id in by_id},
        await _rejected_by_jobs(session, repo_id),
    )


async def _rejected_by_jobs(session: AsyncSession, repo_id: UUID) -> dict[UUID, PatternEventKind]:
    """Find whose last rejection was nobody's: a person's name may be gone, that there was one stays written."""
    last = (
        select(models.PatternEvent.pattern_id, func.max(models.PatternEvent.sequence).label("sequence"))
        .where(models.PatternEvent.repo_id == repo_id, models.PatternEvent.to_status == PatternStatus.REJECTED)
        .group_by(models.PatternEvent.pattern_id)
        .subquery()
    )
    rows = await session.execute(
        select(models.PatternEvent.pattern_id, models.PatternEvent.kind)
        .join(
            last,
            (models.PatternEvent.pattern_id == last.c.pattern_id) & (models.PatternEvent.sequence == last.c.sequence),
        )
        .where(models.PatternEvent.repo_id == repo_id, models.PatternEvent.actor_id.is_(None))
    )
    return {row.pattern_id: row.kind for row in rows}


@dataclass(frozen=True, slots=True)
class StandingPattern:
    """A pattern whose rule is measured as it is stored."""

    id: UUID
    name: str
    type: PatternType
    rule_kind: RuleKind
    rule_definition: dict[str, Any]
    rule_text: str
    rule_alternative: str | None
    scope_languages: list[str]
    scope_include: list[str]
    scope_exclude: list[str]

    def same_rule(self, later: "StandingPattern") -> bool:
        """Tell whether the pattern still has this rule, whatever else was edited of it."""
        return replace(self, name=later.name) == later


class WrittenLine(NamedTuple):
    """A line of a file as it was at some commit, and who wrote it."""

    path: str
    blob_id: str
    commit: str
    line: int
    author: str
    authored_at: datetime


@dataclass(frozen=True, slots=True)
class KeptPlace:
    """A place that runs leave with its pattern, and look for when the code changes."""

    id: UUID
    pattern_id: UUID
    path: str
    start_line: int | None
    end_line: int | None
    snippet: str | None
    blob_id: str | None


async def standing_patterns(session: AsyncSession, repo_id: UUID) -> list[StandingPattern]:
    """Give the patterns whose rules are measured as they are stored: in force, edited, or written by a person."""
    edited = select(models.PatternEvent.pattern_id).where(
        models.PatternEvent.repo_id == repo_id, models.PatternEvent.kind == PatternEventKind.UPDATED
    )
    named = select(models.Fingerprint.pattern_id).where(models.Fingerprint.repo_id == repo_id)
    alive = models.Pattern.status.in_((PatternStatus.CANDIDATE, PatternStatus.DEFERRED))
    rows = await session.scalars(
        select(models.Pattern)
        .where(
            models.Pattern.repo_id == repo_id,
            (models.Pattern.status == PatternStatus.AUTHORITATIVE)
            | (alive & (models.Pattern.id.in_(edited) | models.Pattern.id.not_in(named))),
        )
        .order_by(models.Pattern.id)
    )
    return [StandingPattern(**{each.name: getattr(row, each.name) for each in fields(StandingPattern)}) for row in rows]


async def known_authors(session: AsyncSession, repo_id: UUID) -> list[WrittenLine]:
    """Give who wrote which lines, as runs found out before."""
    place = models.Evidence
    rows = await session.execute(
        select(place.path, place.blob_id, place.commit_sha, place.start_line, place.author, place.authored_at)
        .join(models.Pattern, models.Pattern.id == place.pattern_id)
        .where(
            models.Pattern.repo_id == repo_id,
            place.blob_id.is_not(None),
            place.commit_sha.is_not(None),
            place.author.is_not(None),
            place.authored_at.is_not(None),
        )
    )
    return [
        WrittenLine(path, blob_id, commit, line or 1, author, at)
        for path, blob_id, commit, line, author, at in rows
        if blob_id and commit and author and at
    ]


async def kept_places(session: AsyncSession, pattern_ids: list[UUID]) -> list[KeptPlace]:
    """Give the places that runs leave in place: those of people, and canonical ones."""
    rows = await session.scalars(
        select(models.Evidence)
        .where(
            models.Evidence.pattern_id.in_(pattern_ids),
            (models.Evidence.added_by == EvidenceSource.PERSON) | models.Evidence.is_canonical,
        )
        .order_by(models.Evidence.id)
    )
    return [KeptPlace(**{each.name: getattr(row, each.name) for each in fields(KeptPlace)}) for row in rows]


async def places_by_pattern(session: AsyncSession, pattern_ids: Collection[UUID]) -> dict[UUID, list[models.Evidence]]:
    """Give all places of patterns, in the order in which they are shown."""
    rows = await session.scalars(
        select(models.Evidence)
        .where(models.Evidence.pattern_id.in_(pattern_ids))
        .order_by(models.Evidence.pattern_id, models.Evidence.rank)
    )
    return {pattern_id: list(places) for pattern_id, places in groupby(rows, key=lambda row: row.pattern_id)}
