"""Shapes of ingestion runs and their events."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import IngestionRun, Pattern, Repo, RunEvent, RunShard
from app.domain.ids import Kind
from app.domain.run import LIVE, IngestionStage, RunStatus
from app.domain.viewer import Permission
from app.reads.shape import Many, One, Shape, in_organization, ordered

_MOST_ASKED_FOR = 20

# What an event keeps of its run: how the run stood when it happened.
SNAPSHOT = (
    "status",
    "trigger",
    "stage",
    "stages",
    "commit_sha",
    "attempt",
    "sequence",
    "queued_at",
    "started_at",
    "finished_at",
    "error_code",
    "error_message",
    "patterns_found",
    "patterns_dropped",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "fraction",
    "eta_seconds",
)

INGESTION_RUN = Shape(
    "IngestionRun",
    IngestionRun,
    in_organization(Permission.READ_REPOS),
    Kind.INGESTION_RUN,
    relations={
        "repo": One("Repo", by="repo_id"),
        "events": Many("IngestionEvent", by="run_id", order=ordered(unique="sequence")),
    },
)

INGESTION_EVENT = Shape(
    "IngestionEvent",
    RunEvent,
    in_organization(Permission.READ_REPOS),
    relations={
        "run": One("IngestionRun", by="run_id", as_of="run"),
        "pattern": One("Pattern", by="pattern_id"),
    },
    # In the log nothing is left out; only a live subscriber who cannot keep up skips.
    computed={"skipped": lambda rows, sight: literal_column("0", Integer)},  # noqa: ARG005
)


async def events_after(
    session: AsyncSession, run_id: UUID, sequence: int | None, most: int
) -> Sequence[Mapping[str, Any]]:
    """Read a run's events behind a number, or its newest ones; who may see them was asked before."""
    events, found = RunEvent.__table__, Pattern.__table__
    query = (
        select(events, found.c.name.label("pattern_name"), found.c.tier.label("pattern_tier"))
        .select_from(events.outerjoin(found, found.c.id == events.c.pattern_id))
        .where(events.c.run_id == run_id)
    )
    if sequence is None:
        newest = (await session.execute(query.order_by(events.c.sequence.desc()).limit(most))).mappings().all()
        return [dict(row) for row in reversed(newest)]
    ordered_ = query.where(events.c.sequence > sequence).order_by(events.c.sequence).limit(most)
    return [dict(row) for row in (await session.execute(ordered_)).mappings()]


async def tails(session: AsyncSession, run_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Tell how far the logs of runs reach; those that are gone are not named."""
    runs = IngestionRun.__table__
    rows = await session.execute(select(runs.c.id, runs.c.sequence).where(runs.c.id.in_(run_ids)))
    return {row.id: row.sequence for row in rows}


async def newest(session: AsyncSession, repo_id: UUID) -> UUID | None:
    """Find the newest run of a repository; a live one is always the newest."""
    runs = IngestionRun.__table__
    return await session.scalar(select(runs.c.id).where(runs.c.repo_id == repo_id).order_by(runs.c.id.desc()).limit(1))


async def runs_after(
    session: AsyncSession, repo_id: UUID, sequence: int | None, most: int
) -> Sequence[Mapping[str, Any]]:
    """Read which runs of a repository came after another one, or its newest ones; as a number an id is a sequence."""
    runs = IngestionRun.__table__
    query = select(runs.c.id).where(runs.c.repo_id == repo_id).limit(most)
    if sequence is None:
        ids = [*(await session.scalars(query.order_by(runs.c.id.desc())))][::-1]
    else:
        ids = [*(await session.scalars(query.where(runs.c.id > UUID(int=sequence)).order_by(runs.c.id)))]
    return [{"id": run_id, "sequence": run_id.int} for run_id in ids]


async def newest_of(session: AsyncSession, repo_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Tell the newest run of each repository, as a number; 0 where there is none yet."""
    repos, runs = Repo.__table__, IngestionRun.__table__
    newest_ = select(runs.c.id).where(runs.c.repo_id == repos.c.id).order_by(runs.c.id.desc()).limit(1)
    rows = await session.execute(select(repos.c.id, newest_.scalar_subquery()).where(repos.c.id.in_(repo_ids)))
    return {repo_id: run_id.int if run_id else 0 for repo_id, run_id in rows}


async def standing(session: AsyncSession, run_id: UUID, stage: IngestionStage) -> tuple[int, int]:
    """Tell of the shards of a stage how many items are done, and how many shards are not."""
    shards = RunShard.__table__.c
    left = func.count().filter(shards.finished_at.is_(None))
    rows = await session.execute(
        select(func.coalesce(func.sum(shards.done), 0), left).where(shards.run_id == run_id, shards.stage == stage)
    )
    done, unfinished = rows.one()
    return int(done), unfinished


async def results(session: AsyncSession, run_id: UUID, stage: IngestionStage) -> list[dict[str, Any]]:
    """Give what the shards of a stage came to, in their order."""
    shards = RunShard.__table__.c
    found = await session.scalars(
        select(shards.result).where(shards.run_id == run_id, shards.stage == stage).order_by(shards.number)
    )
    return list(found)


async def next_in_turn(session: AsyncSession, asked_for: UUID | None, share: int) -> UUID | None:
    """Find the run that a free place is for: of the organization that has the fewest at work, and fewer than a share.

    A run whose worker died comes first, for it had its turn; among equals the one that was asked for, then the oldest.
    """
    runs = IngestionRun.__table__.c
    works = (runs.status == RunStatus.RUNNING) & (runs.leased_until > func.now())
    at_work = select(runs.organization_id, func.count().label("count")).where(works).group_by(runs.organization_id)
    busy = at_work.subquery("busy")
    count = func.coalesce(busy.c.count, 0)
    left = (runs.status == RunStatus.RUNNING) & (runs.leased_until.is_(None) | (runs.leased_until <= func.now()))
    query = (
        select(runs.id)
        .outerjoin(busy, busy.c.organization_id == runs.organization_id)
        .where(left | ((runs.status == RunStatus.QUEUED) & (count < share)))
        .order_by(left.desc(), count, (runs.id == asked_for).desc(), runs.queued_at, runs.id)
        .limit(1)
    )
    return await session.scalar(query)


async def stranded(session: AsyncSession, silence: timedelta) -> list[UUID]:
    """List the oldest live runs that no worker seems to have: what a crash of Redis or of a worker left behind."""
    now = datetime.now(UTC)
    runs = IngestionRun.__table__
    rows = await session.scalars(
        select(runs.c.id)
        .where(
            runs.c.status.in_(LIVE),
            or_(runs.c.leased_until < now, runs.c.leased_until.is_(None)),
            runs.c.queued_at < now - silence,
        )
        .order_by(runs.c.status == RunStatus.QUEUED, runs.c.queued_at)
        # A job carries out whichever run's turn it is, so a few do for any number of runs that wait.
        .limit(_MOST_ASKED_FOR)
    )
    return list(rows)
