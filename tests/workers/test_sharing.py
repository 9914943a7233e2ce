"""Sharing out: large runs are done by all workers, by one with a single place too, and nothing is done to twice."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import DataError
from redis.asyncio import Redis
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import IngestionRun, RepoFile, RunEvent, RunShard
from app.domain.jobs import Share
from app.domain.run import IngestionStage, RunStatus, RunTrigger
from app.gateways.queue import queue_of
from app.runtime import Runtime
from app.services import ingesting, sharing
from app.services.sharing import Shard
from tests import factories as make
from tests.gateways.making import Made
from tests.installed import PATIENCE, eventually, runtime_for
from tests.workers.crew import working
from tests.workers.sharing import NOTE
from workers.ingest import helping
from workers.ingest.sharing import Withdrawn, carry_out, share_out
from workers.ingest.step import Attempt
from workers.progress import Cancelled, Progress
from workers.registry import WORKS

LEASE = timedelta(seconds=1)
HELPING = tuple(work for work in WORKS if work.job is Share)
STAGE = IngestionStage.INDEX


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let helpers know the work of these tests."""
    monkeypatch.setitem(helping.SHARED, "note", NOTE)


@pytest.fixture
async def runtime(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with runtime_for(database_url, redis_url, data_dir=tmp_path / "data", shard_files=10, port=1) as runtime:
        yield runtime


@asynccontextmanager
async def another_worker(runtime: Runtime, **over: Any) -> AsyncIterator[Runtime]:
    """Have another worker of the installation help for the time of a block."""
    settings = runtime.settings
    assert settings.database_url is not None
    assert settings.redis_url is not None
    async with (
        runtime_for(
            settings.database_url.get_secret_value().replace("+asyncpg", ""),
            settings.redis_url.get_secret_value(),
            **{"data_dir": settings.data_dir, "shard_files": 10, "port": 2, **over},
        ) as other,
        working(other, *HELPING),
    ):
        yield other


async def begun(runtime: Runtime, session: AsyncSession) -> Attempt:
    """Begin an attempt at a run."""
    repo = await make.repo(session)
    async with runtime.write() as tx:
        run, _ = await ingesting.start(tx, None, repo.id, RunTrigger.MANUAL)
        held = await ingesting.claim(tx, run.id, timedelta(seconds=60))
    assert held is not None
    return Attempt(runtime, Progress(runtime, held, timedelta(seconds=60)))


async def shared_out(attempt: Attempt, count: int, **context: Any) -> int:
    """Share out so many numbers, and give the sum of what came back."""

    async def numbers() -> AsyncIterator[Sequence[int]]:
        for number in range(count):
            yield (number,)

    found: list[int] = []
    async with attempt.progress.stage(STAGE, total=count):

        async def work() -> None:
            told = attempt.progress.move
            found.extend(
                result["sum"] for result in await share_out(attempt, STAGE, NOTE, context, numbers(), told=told)
            )

        await attempt.progress.watched(work())
    return sum(found)


async def noted(runtime: Runtime) -> set[int]:
    return {int(item) for item in await runtime.redis.hkeys("noted")}  # type: ignore[misc]


async def laid_out(runtime: Runtime, attempt: Attempt) -> Shard:
    """Wait until there is a shard, and take it."""

    async def take() -> Shard | None:
        held = attempt.progress.held
        async with runtime.write() as tx:
            return await sharing.take(tx, held.run_id, held.attempt, STAGE, LEASE)

    shard = await eventually(take)
    assert shard is not None
    return shard


@pytest.mark.parametrize("count", [0, 1, 10, 11, 95])
async def test_everything_is_done_once_by_a_worker_alone(runtime: Runtime, session: AsyncSession, count: int) -> None:
    attempt = await begun(runtime, session)
    assert await shared_out(attempt, count) == sum(range(count)) if count else True
    assert await noted(runtime) == set(range(count))
    async with runtime.read() as reading:
        assert not list(await reading.scalars(select(RunShard)))
    folder = runtime.settings.data_dir / "objects" / attempt.owner.organization_id.hex / attempt.owner.repo_id.hex
    assert not (folder / "shards").exists()


async def test_two_workers_share(runtime: Runtime, session: AsyncSession) -> None:
    attempt = await begun(runtime, session)
    async with another_worker(runtime):
        working_through = asyncio.create_task(shared_out(attempt, 95, waits=True))
        # Both have begun before either may end.
        for _ in range(2):
            await runtime.redis.blpop(["begun"])  # type: ignore[misc]
        await runtime.redis.rpush("go", "on")  # type: ignore[misc]
        assert await working_through == sum(range(95))
    assert await noted(runtime) == set(range(95))
    assert await runtime.redis.smembers("workers") == {b"1", b"2"}  # type: ignore[misc]


async def test_progress_adds_up_and_never_goes_back(runtime: Runtime, session: AsyncSession) -> None:
    attempt = await begun(runtime, session)
    async with another_worker(runtime):
        await shared_out(attempt, 95)
    async with runtime.read() as reading:
        events = await reading.scalars(select(RunEvent).order_by(RunEvent.sequence))
        done = [event.progress["done"] for event in events if event.progress is not None]
    assert done == sorted(done)
    assert done[-1] == 95


async def test_a_shard_of_a_killed_worker_is_taken_up_by_another(
    runtime: Runtime, session: AsyncSession, database_url: str, redis_url: str
) -> None:
    attempt = await begun(runtime, session)
    command = (sys.executable, "-m", "tests.workers.sharing", database_url, redis_url)
    worker = await asyncio.create_subprocess_exec(*command, env={"TENET_DATA_DIR": str(runtime.settings.data_dir)})
    try:
        working_through = asyncio.create_task(shared_out(attempt, 45, waits=True))
        async with asyncio.timeout(PATIENCE), Redis.from_url(redis_url) as redis:
            await redis.blpop(["doomed"])
        worker.kill()
        await runtime.redis.rpush("go", "on")  # type: ignore[misc]
        assert await working_through == sum(range(45))
    finally:
        if worker.returncode is None:
            worker.kill()
        await worker.wait()
    assert await noted(runtime) == set(range(45))


async def test_whoever_lost_a_shard_changes_nothing(runtime: Runtime, session: AsyncSession) -> None:
    attempt = await begun(runtime, session)
    working_through = asyncio.create_task(shared_out(attempt, 35, waits=True))
    shard = await laid_out(runtime, attempt)
    async with runtime.write() as tx:
        await tx.session.execute(update(RunShard).values(leased_until=RunShard.leased_until - timedelta(minutes=1)))
        heir = await sharing.take(tx, shard.run_id, shard.attempt, STAGE, LEASE, number=shard.number)
    assert heir is not None
    with pytest.raises(Withdrawn):
        await carry_out(runtime, shard, {NOTE.name: NOTE})
    async with runtime.write() as tx:
        await sharing.finish(tx, shard, {"sum": -1})
        await sharing.release(tx, shard)
        row = await tx.session.get_one(RunShard, (shard.run_id, STAGE, shard.number))
        assert (row.holder, row.finished_at) == (heir.token, None)
    await runtime.redis.rpush("go", "on")  # type: ignore[misc]
    await carry_out(runtime, heir, {NOTE.name: NOTE})
    assert await working_through == sum(range(35))


async def test_a_shard_that_is_asked_for_twice_is_done_once(runtime: Runtime, session: AsyncSession) -> None:
    attempt = await begun(runtime, session)
    working_through = asyncio.create_task(shared_out(attempt, 35, waits=True))
    shard = await laid_out(runtime, attempt)
    job = Share(shard.run_id, STAGE.value, shard.number, shard.attempt)
    await helping.share(runtime, job)
    async with runtime.write() as tx:
        await sharing.release(tx, shard)
    await runtime.redis.rpush("go", "on")  # type: ignore[misc]
    assert await working_through == sum(range(35))
    await helping.share(runtime, job)


async def test_a_cancelled_run_ends_its_shards_soon(runtime: Runtime, session: AsyncSession) -> None:
    attempt = await begun(runtime, session)
    async with another_worker(runtime):
        working_through = asyncio.create_task(shared_out(attempt, 95, waits=True))
        for _ in range(3):
            await runtime.redis.blpop(["begun"])  # type: ignore[misc]
        async with runtime.write() as tx:
            await tx.session.execute(update(IngestionRun).values(cancel_requested_at=IngestionRun.started_at))
        with pytest.raises(Cancelled):
            await working_through

        async def idle() -> bool:
            return not await runtime.redis.zcard(queue_of(Share.line))

        await eventually(idle)
    assert not await noted(runtime)


async def test_shards_of_an_attempt_that_is_over_are_not_taken(runtime: Runtime, session: AsyncSession) -> None:
    attempt = await begun(runtime, session)
    held = attempt.progress.held
    async with runtime.write() as tx:
        await sharing.lay_out(tx, held.run_id, held.organization_id, held.attempt, STAGE, [10, 10])
        shard = await sharing.take(tx, held.run_id, held.attempt, STAGE, LEASE)
        assert shard is not None
    await attempt.progress.again("Once more.")
    async with runtime.write() as tx:
        assert await sharing.take(tx, held.run_id, held.attempt, STAGE, LEASE) is None
        assert not await sharing.keep(tx, shard, 5, LEASE)


async def test_what_fails_in_a_shard_fails_the_run_with_its_own_words(runtime: Runtime, session: AsyncSession) -> None:
    attempt = await begun(runtime, session)
    with pytest.raises(DataError):
        await shared_out(attempt, 95, word={"no": "text"})


@pytest.mark.parametrize("places", [1, 3])
async def test_a_large_repository_is_indexed_by_shards(
    database_url: str, redis_url: str, session: AsyncSession, tmp_path: Path, places: int
) -> None:
    made = Made(tmp_path / "source")
    made.commit({f"src/mod{number}.py": f"x = {number}\n" for number in range(60)}, "The first")
    repo = await make.repo(session, url=str(made.folder), branch=None)
    over = {"data_dir": tmp_path / "data", "shard_files": 10, "worker_jobs": places}
    async with runtime_for(database_url, redis_url, **over) as runtime, working(runtime, *WORKS):
        async with runtime.write() as tx:
            run, _ = await ingesting.start(tx, None, repo.id, RunTrigger.MANUAL)

        async def ended() -> IngestionRun | None:
            async with runtime.read() as reading:
                found = await reading.get_one(IngestionRun, run.id)
                return found if found.finished_at is not None else None

        seen = await eventually(ended, patience=3 * PATIENCE)
        assert seen is not None
        assert (seen.status, seen.error_message, seen.attempt) == (RunStatus.SUCCEEDED, None, 1)
        async with runtime.read() as reading:
            stored = list(await reading.scalars(select(RepoFile)))
    assert {(file.language, file.role.value) for file in stored} == {("Python", "SOURCE")}
    assert len(stored) == 60
