"""The runtime: what a transaction tells the world and when, and reads that survive what databases do to connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from asyncpg import Record
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import readers as readers_module
from app.db.models import Organization
from app.domain.errors import Unavailable
from app.domain.events import CredentialRevoked, Event, RunAdvanced
from app.domain.ids import new_id
from app.domain.jobs import Job, Sweep
from app.runtime import Runtime
from tests.factories import organization
from tests.installed import runtime_for

GONE = "unix:///nowhere/redis.sock"


@pytest.fixture
async def runtime(database_url: str, redis_url: str) -> AsyncIterator[Runtime]:
    """A runtime with a pool so small that a lost place shows."""
    async with runtime_for(database_url, redis_url, database_connections=2) as runtime:
        yield runtime


async def queued(redis_url: str) -> list[bytes]:
    """List the jobs that wait."""
    async with Redis.from_url(redis_url) as redis:
        waiting: list[bytes] = await redis.zrange("tenet:queue:bulk", 0, -1)
        return waiting


def made(slug: str) -> Organization:
    """Make a row to write."""
    return Organization(slug=slug, name="Written")


async def test_a_commit_is_followed_by_its_jobs_and_events(runtime: Runtime, redis_url: str) -> None:
    event = RunAdvanced(uuid4(), 7)
    async with runtime.bus.listen(event.channel) as bell:
        async with runtime.write() as tx:
            tx.session.add(made("kept"))
            tx.enqueue(Sweep())
            tx.publish(event)
            assert await queued(redis_url) == []
            assert not await bell.wait(0.05)
        assert await bell.wait(2)
        assert bell.latest == 7
    assert await queued(redis_url) == [b"sweep"]
    async with runtime.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM organizations WHERE slug = 'kept'")) == 1


async def test_a_rollback_tells_nobody(runtime: Runtime, redis_url: str) -> None:
    event = RunAdvanced(uuid4(), 7)

    async def break_off() -> None:
        async with runtime.write() as tx:
            tx.session.add(made("dropped"))
            await tx.session.flush()
            tx.enqueue(Sweep())
            tx.publish(event)
            raise ZeroDivisionError

    async with runtime.bus.listen(event.channel) as bell:
        with pytest.raises(ZeroDivisionError):
            await break_off()
        assert not await bell.wait(0.05)
    assert await queued(redis_url) == []
    async with runtime.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM organizations WHERE slug = 'dropped'")) == 0


async def test_a_commit_that_the_database_refuses_tells_nobody(runtime: Runtime, redis_url: str) -> None:
    async def write_wrongly() -> None:
        async with runtime.write() as tx:
            tx.enqueue(Sweep())
            tx.session.add(made("NOT A SLUG"))

    with pytest.raises(DBAPIError):
        await write_wrongly()
    assert await queued(redis_url) == []


async def test_without_redis_a_commit_still_holds(database_url: str, session: AsyncSession) -> None:
    async with runtime_for(database_url, GONE) as runtime, runtime.write() as tx:
        tx.session.add(made("held"))
        tx.enqueue(Sweep())
        tx.publish(CredentialRevoked(uuid4(), 1))
    assert await session.scalar(text("SELECT count(*) FROM organizations WHERE slug = 'held'")) == 1


async def test_one_process_hears_what_another_tells(runtime: Runtime, database_url: str, redis_url: str) -> None:
    event: Event = RunAdvanced(uuid4(), 3)
    other: Event = RunAdvanced(uuid4(), 9)
    async with runtime_for(database_url, redis_url) as teller, runtime.bus.listen(event.channel) as bell:
        await teller.bus.publish(other)
        await teller.bus.publish(event)
        assert await bell.wait(2)
    assert bell.latest == 3


async def test_of_many_who_tell_at_once_everybody_is_heard(runtime: Runtime, database_url: str, redis_url: str) -> None:
    subjects = [uuid4() for _ in range(20)]
    async with AsyncExitStack() as stack:
        bells = [await stack.enter_async_context(runtime.bus.listen(RunAdvanced(each, 0).channel)) for each in subjects]
        teller = await stack.enter_async_context(runtime_for(database_url, redis_url))
        events = [RunAdvanced(each, number) for number in (3, 9, 5) for each in subjects]
        # Each has been heard of by Redis once its own call returns, also where those beside it are given up.
        telling = [asyncio.create_task(teller.bus.publish(each)) for each in events]
        await asyncio.sleep(0)
        telling[0].cancel()
        assert len(await asyncio.gather(*telling, return_exceptions=True)) == len(events)
        assert all([await bell.wait(2) for bell in bells])
        await teller.bus.publish(*(RunAdvanced(each, 10) for each in subjects))
        while any(bell.latest < 10 for bell in bells):
            assert all([await bell.wait(2) for bell in bells if bell.latest < 10])


async def test_equal_jobs_are_one(runtime: Runtime) -> None:
    assert await runtime.queue.put(Sweep())
    assert not await runtime.queue.put(Sweep())
    depth = await runtime.queue.depth()
    # A job put a moment ago may still count as one for later.
    assert depth.queued + depth.deferred == 1


def test_a_job_comes_back_from_the_queue_as_it_went() -> None:
    assert Sweep.read(Sweep().arguments()) == Sweep()
    assert Job.read({}) == Job()


async def test_readers_read_json_as_bytes(runtime: Runtime, session: AsyncSession) -> None:
    await organization(session, slug="read-me", name="Büro")
    row = await runtime.readers.row(
        "SELECT json_build_object('name', name)::text::bpchar FROM organizations WHERE slug = $1", ["read-me"]
    )
    assert row is not None
    assert row[0] == '{"name" : "Büro"}'.encode()


async def test_readers_cannot_write(runtime: Runtime) -> None:
    with pytest.raises(Exception, match="read-only transaction"):
        await runtime.readers.row("DELETE FROM organizations RETURNING id", [])
    assert runtime.readers.size == 2


async def test_a_lost_connection_is_replaced(runtime: Runtime, session: AsyncSession) -> None:
    readers = runtime.readers
    backend = "SELECT pg_backend_pid()"
    pids = {
        row[0]
        for row in await asyncio.gather(*(readers.row(f"{backend}, pg_sleep(0.05)", []) for _ in range(2)))
        if row
    }
    assert len(pids) == 2
    for pid in pids:
        await session.execute(text("SELECT pg_terminate_backend(:pid, 2000)"), {"pid": pid})
    row = await readers.row(backend, [])
    assert row is not None
    assert row[0] not in pids
    assert readers.size == 2


async def test_a_process_that_stands_still_in_a_write_does_not_keep_its_locks(runtime: Runtime) -> None:
    async with runtime.write() as tx:
        shown = await tx.session.scalar(text("SHOW idle_in_transaction_session_timeout"))
    assert shown == "10s", "less than a worker's heir is given to end a run"


async def test_sessions_survive_a_restart_of_the_database(runtime: Runtime, session: AsyncSession) -> None:
    mine = text("SELECT pg_backend_pid()")
    async with runtime.read() as reading, runtime.write() as tx:
        pids = [await reading.scalar(mine), await tx.session.scalar(mine)]
    for pid in pids:
        await session.execute(text("SELECT pg_terminate_backend(:pid, 2000)"), {"pid": pid})
    async with runtime.read() as reading:
        assert await reading.scalar(text("SELECT 1")) == 1
    async with runtime.write() as tx:
        tx.session.add(made("after"))


async def test_reads_are_bounded_and_wait_their_turn(runtime: Runtime) -> None:
    at_once = await asyncio.gather(
        *(
            runtime.readers.row("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%$1%' OR $1", [True])
            for _ in range(20)
        )
    )
    assert len(at_once) == 20
    assert runtime.readers.size == 2


async def test_whoever_waits_too_long_is_refused(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers_module, "WAIT_SECONDS", 0.1)
    busy = [asyncio.create_task(runtime.readers.row("SELECT pg_sleep(0.4)", [])) for _ in range(2)]
    with pytest.raises(Unavailable, match="Too many reads"):
        await asyncio.gather(*(runtime.readers.row("SELECT 1", []) for _ in range(3)))
    await asyncio.gather(*busy)
    assert await runtime.readers.row("SELECT 1", []) is not None


async def test_a_read_that_takes_too_long_is_refused(database_url: str, redis_url: str) -> None:
    async with runtime_for(database_url, redis_url, statement_seconds=0.1) as runtime:
        with pytest.raises(Unavailable, match="too long"):
            await runtime.readers.row("SELECT pg_sleep(5)", [])
        assert await runtime.readers.row("SELECT 1", []) is not None


async def test_a_cancelled_read_leaves_the_pool_usable(runtime: Runtime) -> None:
    for _ in range(5):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(runtime.readers.row("SELECT pg_sleep(5)", []), 0.05)
    answers = await asyncio.gather(*(runtime.readers.row("SELECT 42", []) for _ in range(10)))
    assert [row[0] for row in answers if row] == [42] * 10
    assert runtime.readers.size == 2


async def test_a_cancelled_wait_passes_its_turn_on(runtime: Runtime) -> None:
    busy = [asyncio.create_task(runtime.readers.row("SELECT pg_sleep(0.2)", [])) for _ in range(2)]
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(runtime.readers.row("SELECT 1", [])) for _ in range(6)]
    await asyncio.sleep(0)
    for task in waiting[:3]:
        task.cancel()
    done = await asyncio.gather(*busy, *waiting, return_exceptions=True)
    assert [type(result) for result in done[2:5]] == [asyncio.CancelledError] * 3
    assert [result[0] for result in done[5:] if isinstance(result, Record)] == [1] * 3
    assert runtime.readers.size == 2


async def test_the_condition_names_what_is_missing(database_url: str, redis_url: str) -> None:
    async with runtime_for(database_url, redis_url) as runtime:
        alone = await runtime.condition()
        await runtime.queue.live("a worker")
        complete = await runtime.condition()
        await runtime.queue.leave("a worker")
    assert alone == {"database": None, "migrations": None, "redis": None, "worker": "No worker gives a sign of life."}
    assert set(complete.values()) == {None}


async def test_the_condition_tells_strangers_nothing_of_addresses(database_url: str) -> None:
    nowhere = database_url.replace("/worker_", f"/none_{new_id().hex}_")
    async with runtime_for(nowhere, GONE) as runtime:
        assert await runtime.condition() == dict.fromkeys(("database", "migrations", "redis", "worker"), "No answer.")
        assert await runtime.work() is None


async def test_a_turn_that_comes_with_a_cancellation_is_passed_on(runtime: Runtime) -> None:
    readers = runtime.readers
    busy = [asyncio.create_task(readers.row("SELECT pg_sleep(0.1)", [])) for _ in range(2)]
    await asyncio.sleep(0)
    unlucky = [asyncio.create_task(readers.row("SELECT 1", [])) for _ in range(2)]
    waiting = [asyncio.create_task(readers.row("SELECT 2", [])) for _ in range(2)]
    await asyncio.sleep(0)
    # A lost connection frees a place, an answer frees a reader: both turns come while their owners are cancelled.
    for task in busy:
        task.add_done_callback(lambda _: [one.cancel() for one in unlucky])
    busy[0].cancel()
    async with asyncio.timeout(readers_module.WAIT_SECONDS / 2):
        done = await asyncio.gather(*busy, *unlucky, *waiting, return_exceptions=True)
    assert [result[0] for result in done[-2:] if isinstance(result, Record)] == [2, 2]
    assert readers.size == 2


async def test_a_listener_that_is_cancelled_as_the_bell_rings_ends(runtime: Runtime) -> None:
    event = RunAdvanced(uuid4(), 1)

    async def follow() -> None:
        async with runtime.bus.listen(event.channel) as bell:
            while True:
                await bell.wait(60)

    for pause in range(30):
        listener = asyncio.create_task(follow())
        for _ in range(pause):
            await asyncio.sleep(0)
        listener.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(listener, 2)
