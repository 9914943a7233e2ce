"""Turns: an organization with a hundred runs, or one huge one, does not keep the others waiting."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import IngestionRun, Organization
from app.domain.run import RunStatus, RunTrigger
from app.reads import runs
from app.runtime import Runtime
from app.services import ingesting
from tests import factories as make
from tests.installed import eventually, runtime_for
from tests.workers.crew import working
from workers.registry import WORKS


@pytest.fixture
async def runtime(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    """A worker with one place."""
    async with runtime_for(database_url, redis_url, data_dir=tmp_path / "data", worker_jobs=1) as runtime:
        yield runtime


async def asked(runtime: Runtime, session: AsyncSession, of: Organization, times: int) -> list[IngestionRun]:
    """Ask for runs of repositories that are nowhere, so that they end at once."""
    found = []
    for _ in range(times):
        repo = await make.repo(session, of, url="/nowhere/at/all", branch=None)
        async with runtime.write() as tx:
            run, _ = await ingesting.start(tx, None, repo.id, RunTrigger.MANUAL)
        found.append(run)
    return found


async def at_work(session: AsyncSession, of: Organization, *, silent: bool = False) -> IngestionRun:
    now = datetime.now(UTC)
    until = now - timedelta(seconds=1) if silent else now + timedelta(minutes=1)
    repo = await make.repo(session, of)
    return await make.run(session, repo, status=RunStatus.RUNNING, started_at=now, leased_until=until)


async def next_run(session: AsyncSession, asked_for: IngestionRun | None = None, share: int = 2) -> object:
    return await runs.next_in_turn(session, None if asked_for is None else asked_for.id, share)


async def test_many_runs_of_one_organization_let_another_s_pass(runtime: Runtime, session: AsyncSession) -> None:
    many, few = await make.organization(session), await make.organization(session)
    await asked(runtime, session, many, 12)
    (last,) = await asked(runtime, session, few, 1)
    # One of the many is at work somewhere, as one nearly always is.
    await at_work(session, many)
    async with working(runtime, *WORKS):

        async def all_ended() -> list[IngestionRun] | None:
            async with runtime.read() as reading:
                found = list(await reading.scalars(select(IngestionRun).where(IngestionRun.attempt > 0)))
            ended = [run for run in found if run.finished_at is not None]
            return ended if len(ended) >= 1 and last.id in {run.id for run in ended} else None

        ended = await eventually(all_ended)
    assert ended is not None
    assert len(ended) <= 3


async def test_every_run_is_carried_out_though_its_job_was_spent_on_another(
    runtime: Runtime, session: AsyncSession
) -> None:
    organizations = [await make.organization(session) for _ in range(3)]
    for times, organization in enumerate(organizations, 1):
        await asked(runtime, session, organization, times)
    async with working(runtime, *WORKS), working(runtime, *WORKS):

        async def all_ended() -> bool:
            async with runtime.read() as reading:
                return {run.status for run in await reading.scalars(select(IngestionRun))} == {RunStatus.FAILED}

        await eventually(all_ended)


async def test_the_turn_is_of_whoever_has_the_fewest_at_work(runtime: Runtime, session: AsyncSession) -> None:
    one, two = await make.organization(session), await make.organization(session)
    (first, second), (third,) = await asked(runtime, session, one, 2), await asked(runtime, session, two, 1)
    assert await next_run(session) == first.id
    assert await next_run(session, second) == second.id
    assert await next_run(session, third) == third.id
    await at_work(session, one)
    assert await next_run(session, second) == third.id
    await at_work(session, two)
    assert await next_run(session) == first.id


async def test_nobody_takes_more_than_a_share(runtime: Runtime, session: AsyncSession) -> None:
    one = await make.organization(session)
    (waiting,) = await asked(runtime, session, one, 1)
    await at_work(session, one)
    assert await next_run(session, waiting) == waiting.id
    await at_work(session, one)
    assert await next_run(session, waiting) is None


async def test_a_run_whose_worker_died_comes_first(runtime: Runtime, session: AsyncSession) -> None:
    one = await make.organization(session)
    (waiting,) = await asked(runtime, session, one, 1)
    for _ in range(2):
        await at_work(session, one)
    left = await at_work(session, one, silent=True)
    assert await next_run(session, waiting) == left.id
