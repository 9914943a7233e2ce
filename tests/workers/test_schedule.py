"""Schedules: a repository is read when it is due, once for each due time, however many workers look."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import IngestionRun, Repo
from app.domain.jobs import Schedule
from app.domain.run import RunStatus, RunTrigger
from app.runtime import Runtime
from tests import factories as make
from tests.installed import runtime_for
from workers.registry import WORKS
from workers.schedule import schedule

DUE = datetime(2026, 11, 16, 3, 0, tzinfo=UTC)
NIGHT = timedelta(days=1)


@pytest.fixture
async def runtime(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with runtime_for(database_url, redis_url, data_dir=tmp_path) as runtime:
        runtime.clock = lambda: DUE
        yield runtime


async def due(session: AsyncSession, text: str = "0 3 * * *", at: datetime = DUE) -> Repo:
    return await make.repo(session, schedule_cron=text, schedule_due_at=at)


async def runs(session: AsyncSession) -> list[IngestionRun]:
    await session.rollback()
    return list(await session.scalars(select(IngestionRun).order_by(IngestionRun.id)))


async def next_time(session: AsyncSession, repo: Repo) -> datetime | None:
    await session.refresh(repo)
    return repo.schedule_due_at


async def test_what_is_due_is_read_and_nothing_else(runtime: Runtime, session: AsyncSession) -> None:
    repo = await due(session)
    await due(session, at=DUE + timedelta(minutes=1))
    await make.repo(session)
    await schedule(runtime, Schedule())
    (run,) = await runs(session)
    assert (run.repo_id, run.trigger, run.status) == (repo.id, RunTrigger.SCHEDULE, RunStatus.QUEUED)
    assert await next_time(session, repo) == DUE + NIGHT
    depth = await runtime.queue.depth()
    assert depth.queued + depth.deferred == 1
    await schedule(runtime, Schedule())
    assert len(await runs(session)) == 1


async def test_many_workers_start_one_run_for_each(runtime: Runtime, session: AsyncSession) -> None:
    repos = [await due(session) for _ in range(12)]
    await asyncio.gather(*(schedule(runtime, Schedule()) for _ in range(4)))
    assert sorted(run.repo_id for run in await runs(session)) == sorted(repo.id for repo in repos)


async def test_what_was_missed_while_nobody_worked_is_made_up_for_once(runtime: Runtime, session: AsyncSession) -> None:
    repo = await due(session, "*/5 * * * *", at=DUE - 30 * NIGHT)
    await schedule(runtime, Schedule())
    assert len(await runs(session)) == 1
    assert await next_time(session, repo) == DUE + timedelta(minutes=5)


async def test_a_run_that_is_live_serves_the_schedule_too(runtime: Runtime, session: AsyncSession) -> None:
    repo = await due(session)
    live = await make.run(session, repo, status=RunStatus.RUNNING)
    await schedule(runtime, Schedule())
    assert [run.id for run in await runs(session)] == [live.id]
    assert await next_time(session, repo) == DUE + NIGHT


async def test_a_schedule_that_nobody_understands_any_more_holds_up_no_other(
    runtime: Runtime, session: AsyncSession
) -> None:
    broken = await due(session, "at midnight", at=DUE - NIGHT)
    repo = await due(session)
    await schedule(runtime, Schedule())
    assert {run.repo_id for run in await runs(session)} == {broken.id, repo.id}
    assert await next_time(session, broken) is None


def test_the_clock_is_looked_at_once_a_minute() -> None:
    (work,) = (work for work in WORKS if work.job is Schedule)
    assert work.every_seconds == 60
