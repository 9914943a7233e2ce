"""The worker: no job is lost or held by the dead, and one that ends for good is recorded, however it ends."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from arq.worker import Retry, Worker
from redis.asyncio import Redis
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import FailedJob, Invitation, RunEvent, Session
from app.domain import jobs
from app.domain.errors import Unavailable
from app.domain.jobs import Job, Sweep
from app.domain.run import RunStatus
from app.gateways.queue import queue_of
from app.runtime import Runtime
from app.services import sweeping
from tests import factories
from tests.installed import PATIENCE, eventually, runtime_for
from tests.workers.crew import Dig, Greet, working
from workers.registry import WORKS, Work
from workers.settings import crew_of

SWEEP = next(work for work in WORKS if work.job is Sweep)


@pytest.fixture
async def runtime(database_url: str, redis_url: str) -> AsyncIterator[Runtime]:
    """The runtime of a worker."""
    async with runtime_for(database_url, redis_url) as runtime:
        yield runtime


class Log:
    """What a job did, and a way to wait for it."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self._grown = asyncio.Condition()

    async def add(self, entry: Any) -> None:
        """Note something."""
        async with self._grown:
            self.entries.append(entry)
            self._grown.notify_all()

    async def reaches(self, count: int) -> list[Any]:
        """Wait until so much was noted."""
        async with asyncio.timeout(PATIENCE), self._grown:
            await self._grown.wait_for(lambda: len(self.entries) >= count)
        return self.entries


async def failed(session: AsyncSession, job_id: str) -> FailedJob:
    """Wait for the record of a failed job."""

    async def look() -> FailedJob | None:
        await session.rollback()
        found: FailedJob | None = await session.scalar(select(FailedJob).where(FailedJob.job_id == job_id))
        return found

    row = await eventually(look)
    assert row is not None
    return row


async def gone(runtime: Runtime) -> None:
    """Wait until the queue is empty."""

    async def look() -> bool:
        depth = await runtime.queue.depth()
        return not (depth.queued or depth.running)

    await eventually(look)


def digging(run: Callable[[Runtime, Dig], Awaitable[None]], **over: Any) -> Work:
    """Say how to dig."""
    return Work(Dig, run, **{"seconds": 60, **over})


def greeting(log: Log) -> Callable[[Runtime, Greet], Awaitable[None]]:
    """Say how to greet: by noting it."""

    async def greet(_: Runtime, job: Greet) -> None:
        await log.add(job)

    return greet


async def test_a_job_gets_what_it_was_asked_with(runtime: Runtime) -> None:
    log, dig = Log(), Dig(uuid4())

    async def note(_: Runtime, job: Dig) -> None:
        await log.add(job)

    async with working(runtime, digging(note)):
        await runtime.queue.put(dig)
        assert await log.reaches(1) == [dig]
        await gone(runtime)
        assert await runtime.queue.put(dig), "a job that ended may be asked for again"
        await log.reaches(2)
    (tally,) = await runtime.queue.tallies()
    assert (tally.name, tally.state, tally.buckets[60.0]) == ("dig", "done", 2)


async def test_bulk_jobs_do_not_keep_interactive_ones_waiting(database_url: str, redis_url: str) -> None:
    log, over = Log(), asyncio.Event()

    async def wait(_: Runtime, __: Dig) -> None:
        await log.add("dig")
        await over.wait()

    async def greet(_: Runtime, __: Greet) -> None:
        await log.add("greet")

    async with (
        runtime_for(database_url, redis_url, worker_jobs=1) as runtime,
        working(runtime, digging(wait), Work(Greet, greet, seconds=60)) as crew,
    ):
        assert {worker.queue_name for worker in crew} == {"tenet:queue:bulk", "tenet:queue:interactive"}
        for _ in range(3):
            await runtime.queue.put(Dig(uuid4()))
        await log.reaches(1)
        await runtime.queue.put(Greet())
        assert await log.reaches(2) == ["dig", "greet"]
        over.set()
        await log.reaches(4)


@asynccontextmanager
async def doomed(database_url: str, redis_url: str, seconds: float = 0.2) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker process that has begun a job which it will never finish, and waits so long for it in the end."""
    command = (sys.executable, "-m", "tests.workers.doomed", database_url, redis_url, str(seconds))
    process = await asyncio.create_subprocess_exec(*command)
    try:
        async with asyncio.timeout(PATIENCE), Redis.from_url(redis_url) as redis:
            assert await redis.blpop(["begun"], timeout=0)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_job_of_a_killed_worker_is_done_by_another(runtime: Runtime, database_url: str, redis_url: str) -> None:
    log, dig = Log(), Dig(uuid4())

    async def finish(_: Runtime, job: Dig) -> None:
        await log.add(job)

    await runtime.queue.put(dig)
    async with doomed(database_url, redis_url) as process, working(runtime, digging(finish)):
        with pytest.raises(TimeoutError):
            # Well beyond the lease: a worker that lives keeps its job.
            await asyncio.wait_for(asyncio.shield(log.reaches(1)), 1.5)
        process.kill()
        assert await log.reaches(1) == [dig]


async def test_a_worker_does_not_take_its_own_job_twice(runtime: Runtime) -> None:
    log, dig, over = Log(), Dig(uuid4()), asyncio.Event()

    async def stand_still(_: Runtime, job: Dig) -> None:
        await log.add(job)
        # As if the loop had been blocked for longer than the lease.
        await runtime.redis.delete(f"arq:in-progress:{job.id}")
        await over.wait()

    async with working(runtime, digging(stand_still), Work(Greet, greeting(log), seconds=60)):
        await runtime.queue.put(dig)
        await log.reaches(1)
        for _ in range(20):
            await runtime.queue.put(Greet())
        assert (await log.reaches(21)).count(dig) == 1
        over.set()
        await gone(runtime)
    assert log.entries.count(dig) == 1


async def test_a_worker_that_is_told_to_stop_puts_its_job_back(
    runtime: Runtime, database_url: str, redis_url: str
) -> None:
    dig = Dig(uuid4())
    await runtime.queue.put(dig)
    async with doomed(database_url, redis_url) as process:
        await eventually(runtime.queue.workers)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    assert await runtime.queue.workers() == 0
    assert (await runtime.queue.depth()).queued == 1
    assert await runtime.redis.exists(f"arq:in-progress:{dig.id}") == 0
    assert await runtime.redis.get(f"arq:retry:{dig.id}") == b"0", "our own leaving is not the job's fault"


async def test_a_worker_that_leaves_lets_the_end_of_a_job_be_written(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, over, honest = asyncio.Event(), asyncio.Event(), Worker.finish_job

    async def slow(self: Worker, *arguments: Any) -> None:
        begun.set()
        await over.wait()
        await honest(self, *arguments)

    async def nothing(_: Runtime, __: Dig) -> None:
        pass

    monkeypatch.setattr(Worker, "finish_job", slow)
    dig = Dig(uuid4())
    (worker,) = crew_of(runtime, (digging(nothing),))
    polling = asyncio.create_task(worker.async_run())
    await runtime.queue.put(dig)
    await begun.wait()
    leaving = asyncio.create_task(worker.leave(0))
    await asyncio.wait({polling})
    over.set()
    await leaving
    assert await runtime.redis.keys(f"arq:*{dig.id}") == [], "it is not done a second time"
    connections = worker.pool.connection_pool._available_connections
    assert not any(connection.is_connected for connection in connections), "and nothing stays open"


async def test_a_second_signal_makes_a_worker_hurry(runtime: Runtime, database_url: str, redis_url: str) -> None:
    dig = Dig(uuid4())
    await runtime.queue.put(dig)
    async with doomed(database_url, redis_url, seconds=600) as process:
        await eventually(runtime.queue.workers)
        process.send_signal(signal.SIGTERM)

        async def left() -> bool:
            return await runtime.queue.workers() == 0

        await eventually(left)
        assert await runtime.redis.exists(f"arq:in-progress:{dig.id}") == 1
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    assert await runtime.redis.exists(f"arq:in-progress:{dig.id}") == 0
    assert (await runtime.queue.depth()).queued == 1


async def test_jobs_may_finish_while_a_worker_leaves(runtime: Runtime) -> None:
    log, over = Log(), asyncio.Event()

    async def finish(_: Runtime, __: Dig) -> None:
        await log.add("begun")
        await over.wait()
        await log.add("done")

    async with working(runtime, digging(finish), farewell=PATIENCE):
        await runtime.queue.put(Dig(uuid4()))
        await log.reaches(1)
        asyncio.get_running_loop().call_later(0.05, over.set)
    assert log.entries == ["begun", "done"]
    assert (await runtime.queue.depth()).queued == 0


async def test_a_job_that_breaks_is_recorded(runtime: Runtime, session: AsyncSession) -> None:
    dig = Dig(uuid4())

    async def break_off(_: Runtime, __: Dig) -> None:
        raise ValueError("no way\x00 with password=hunter2hunter2")

    async with working(runtime, digging(break_off)):
        await runtime.queue.put(dig)
        row = await failed(session, dig.id)
        await gone(runtime)
    assert (row.function, row.arguments, row.attempts) == ("dig", {"place_id": dig.place_id.hex}, 1)
    assert row.error.startswith("ValueError: no way")
    assert "reference" in row.error
    assert "hunter2" not in row.error


async def test_a_job_that_takes_too_long_is_recorded(runtime: Runtime, session: AsyncSession) -> None:
    dig = Dig(uuid4())

    async def never(_: Runtime, __: Dig) -> None:
        await asyncio.Event().wait()

    async with working(runtime, digging(never, seconds=0.05)):
        await runtime.queue.put(dig)
        row = await failed(session, dig.id)
    assert row.error.startswith("TimeoutError")


@pytest.mark.parametrize("problem", [Retry(defer=0), Unavailable("Not now."), ConnectionResetError("gone")])
async def test_what_may_pass_is_tried_again_and_recorded_in_the_end(
    runtime: Runtime, session: AsyncSession, problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, dig = Log(), Dig(uuid4())
    monkeypatch.setattr("workers.settings.LONGEST_PAUSE", 0)

    async def fail(_: Runtime, job: Dig) -> None:
        await log.add(job)
        raise problem

    async with working(runtime, digging(fail, tries=3)):
        await runtime.queue.put(dig)
        row = await failed(session, dig.id)
        await gone(runtime)
    assert len(log.entries) == row.attempts == 3
    tallies = {tally.state: tally.buckets[float("inf")] for tally in await runtime.queue.tallies()}
    assert tallies == {"retried": 2, "failed": 1}


async def test_a_job_that_killed_every_worker_is_given_up(runtime: Runtime, session: AsyncSession) -> None:
    dig = Dig(uuid4())
    await runtime.queue.put(dig)
    await runtime.redis.set(f"arq:retry:{dig.id}", 5)

    async def never(_: Runtime, __: Dig) -> None:
        raise AssertionError("it was tried once more")

    async with working(runtime, digging(never)):
        row = await failed(session, dig.id)
        await gone(runtime)
    assert (row.function, row.arguments, row.attempts) == ("dig", {"place_id": dig.place_id.hex}, 6)
    assert "max 5 retries exceeded" in row.error


async def test_a_job_that_nobody_knows_is_given_up(runtime: Runtime, session: AsyncSession) -> None:
    await runtime.redis.rpush("unused", "x")  # type: ignore[misc]
    async with working(runtime, SWEEP):
        await runtime.queue.put(Dig(UUID(int=7)))
        row = await failed(session, Dig(UUID(int=7)).id)
        await gone(runtime)
    assert (row.function, row.attempts) == ("dig", 1)
    assert "not found" in row.error


async def test_a_job_that_waited_too_long_is_given_up(runtime: Runtime, session: AsyncSession) -> None:
    dig = Dig(uuid4())
    await runtime.queue.put(dig)
    await runtime.redis.delete(f"arq:job:{dig.id}")
    async with working(runtime, SWEEP):
        row = await failed(session, dig.id)
        await gone(runtime)
    assert (row.function, row.arguments) == ("unknown", {})
    assert "expired" in row.error


async def test_a_job_that_cannot_be_read_is_given_up(runtime: Runtime, session: AsyncSession) -> None:
    await runtime.redis.set("arq:job:strange", b"\x80not JSON")
    await runtime.redis.zadd(queue_of(Dig.line), {"strange": 1})
    async with working(runtime, SWEEP):
        row = await failed(session, "strange")
        await gone(runtime)
    assert row.function == "unknown"
    assert "not JSON" in row.arguments["raw"]


async def test_the_clock_asks_once_for_all_workers(runtime: Runtime) -> None:
    log = Log()

    async def note(_: Runtime, job: Sweep) -> None:
        await log.add(job)

    works = Work(Sweep, note, seconds=60, hourly_at_minute=17)
    async with working(runtime, works), working(runtime, works):
        await log.reaches(1)
        await gone(runtime)
    assert log.entries == [Sweep()]


def all_jobs() -> set[type[Job]]:
    """List the jobs of the product."""
    return {one for one in vars(jobs).values() if isinstance(one, type) and issubclass(one, Job) and one is not Job}


async def test_every_job_has_somebody_who_does_it(runtime: Runtime) -> None:
    assert {work.job for work in WORKS} == all_jobs()
    assert len({work.job.name for work in WORKS}) == len(WORKS)
    lines = {queue_of(work.job.line) for work in WORKS}
    assert {worker.queue_name for worker in crew_of(runtime, WORKS)} == lines


async def test_the_sweep_removes_what_has_expired_and_nothing_else(
    runtime: Runtime, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    now = datetime.now(UTC)
    past, long_ago, ages_ago = now - timedelta(seconds=1), now - timedelta(days=31), now - timedelta(days=91)
    kept = {(await factories.sign_in(session)).id, (await factories.invitation(session, expires_at=past)).id}
    for _ in range(5):
        await factories.sign_in(session, expires_at=past)
        await factories.invitation(session, expires_at=long_ago)
    ended, live = await factories.run(session), await factories.run(session, status=RunStatus.RUNNING)
    for run in (ended, live):
        for at in (ages_ago, ages_ago, ages_ago, now):
            await factories.run_event(session, run, at=at)

    async with working(runtime, SWEEP):
        for _ in range(2):
            await runtime.queue.put(Sweep())
            await gone(runtime)

    await session.rollback()
    left = {*await session.scalars(select(Session.id)), *await session.scalars(select(Invitation.id))}
    assert left == kept
    events = [(run_id, at) for run_id, at in await session.execute(select(RunEvent.run_id, RunEvent.at))]
    assert [run_id for run_id, _ in events].count(live.id) == 4
    assert [(run_id, at) for run_id, at in events if run_id == ended.id] == [(ended.id, now)]
    assert [(tally.name, tally.state) for tally in await runtime.queue.tallies()] == [("sweep", "done")]
