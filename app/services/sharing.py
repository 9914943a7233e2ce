"""Sharing: the shards of one stage of a run, which any worker may take up; each is fenced by the run's attempt.

A shard that nobody finished within its lease is anybody's again, so its work must bear being done twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update

from app.db import models
from app.db.tx import Tx
from app.domain.ids import new_id
from app.domain.jobs import Share
from app.domain.run import IngestionStage, RunStatus

_runs, _shards = models.IngestionRun, models.RunShard


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a stage's work in the hands of one worker."""

    run_id: UUID
    repo_id: UUID
    organization_id: UUID
    attempt: int
    stage: IngestionStage
    number: int
    items: int
    token: UUID


async def lay_out(
    tx: Tx, run_id: UUID, organization_id: UUID, attempt: int, stage: IngestionStage, sizes: Sequence[int]
) -> None:
    """Make the shards of a stage, and ask every worker for help; what an earlier attempt left is gone."""
    await clear(tx, run_id, stage)
    for number, size in enumerate(sizes):
        tx.session.add(
            models.RunShard(
                run_id=run_id,
                stage=stage,
                number=number,
                organization_id=organization_id,
                attempt=attempt,
                items=size,
            )
        )
        tx.enqueue(Share(run_id, stage.value, number, attempt))


async def take(
    tx: Tx, run_id: UUID, attempt: int, stage: IngestionStage, lease: timedelta, *, number: int | None = None
) -> Shard | None:
    """Take up a shard, a certain one or any; None if there is none that nobody works on, or the run has moved on."""
    now = datetime.now(UTC)
    free = [
        *(_shards.run_id == run_id, _shards.stage == stage, _shards.attempt == attempt, _goes_on(run_id, attempt)),
        _shards.finished_at.is_(None),
        or_(_shards.leased_until.is_(None), _shards.leased_until < now),
    ]
    if number is not None:
        free.append(_shards.number == number)
    shard = await tx.session.scalar(
        select(_shards).where(*free).order_by(_shards.number).limit(1).with_for_update(skip_locked=True)
    )
    if shard is None:
        return None
    run = await tx.session.get_one(_runs, run_id)
    shard.holder, shard.leased_until = new_id(), now + lease
    return Shard(
        run_id, run.repo_id, shard.organization_id, attempt, stage, shard.number, shard.items, token=shard.holder
    )


async def keep(tx: Tx, shard: Shard, done: int, lease: timedelta) -> bool:
    """Give a sign of life and tell how far the work is; False if it must stop."""
    kept = await tx.session.execute(
        update(_shards)
        .where(*_held(shard), _goes_on(shard.run_id, shard.attempt))
        # Whoever does it again starts at nothing; the bar waits for them instead of running back.
        .values(leased_until=datetime.now(UTC) + lease, done=func.greatest(_shards.done, done))
        .returning(_shards.number)
    )
    return kept.first() is not None


async def finish(tx: Tx, shard: Shard, result: dict[str, Any]) -> None:
    """Note what a shard came to; one that was given to somebody else, or whose run moved on, is let be."""
    await tx.session.execute(
        update(_shards).where(*_held(shard)).values(finished_at=datetime.now(UTC), done=_shards.items, result=result)
    )


async def release(tx: Tx, shard: Shard) -> None:
    """Let go of a shard: the next worker may take it up at once."""
    await tx.session.execute(update(_shards).where(*_held(shard)).values(leased_until=None, holder=None))


async def clear(tx: Tx, run_id: UUID, stage: IngestionStage) -> None:
    """Remove the shards of a stage."""
    await tx.session.execute(delete(_shards).where(_shards.run_id == run_id, _shards.stage == stage))


def _held(shard: Shard) -> tuple[ColumnElement[bool], ...]:
    return (
        *(_shards.run_id == shard.run_id, _shards.stage == shard.stage, _shards.number == shard.number),
        *(_shards.holder == shard.token, _shards.attempt == shard.attempt, _shards.finished_at.is_(None)),
    )


def _goes_on(run_id: UUID, attempt: int) -> ColumnElement[bool]:
    return exists().where(
        _runs.id == run_id,
        _runs.status == RunStatus.RUNNING,
        _runs.attempt == attempt,
        _runs.cancel_requested_at.is_(None),
    )
