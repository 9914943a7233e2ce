"""The limit on an operation's time holds for each of many at once, and for nothing else."""

import asyncio

import pytest

from resolvers.engine.deadlines import Deadlines


async def for_ever(deadlines: Deadlines, began: asyncio.Event | None = None) -> None:
    with deadlines:
        if began is not None:
            began.set()
        await asyncio.Event().wait()


async def test_what_takes_too_long_is_ended() -> None:
    deadlines = Deadlines(0.02)
    loop = asyncio.get_running_loop()
    began = loop.time()
    found = await asyncio.gather(*(for_ever(deadlines) for _ in range(50)), return_exceptions=True)
    assert {type(one) for one in found} == {TimeoutError}
    assert loop.time() - began >= 0.02
    # And again, with the clock that had stopped.
    with pytest.raises(TimeoutError):
        await for_ever(deadlines)


async def test_what_ends_in_time_hears_of_no_limit() -> None:
    deadlines = Deadlines(0.02)
    for _ in range(3):
        with deadlines:
            await asyncio.sleep(0)
    slow = asyncio.create_task(for_ever(deadlines))
    with pytest.raises(TimeoutError):
        await slow
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_an_error_stays_the_error_that_it_is() -> None:
    with pytest.raises(LookupError), Deadlines(5):
        raise LookupError


async def test_who_is_cancelled_by_others_is_cancelled() -> None:
    began = asyncio.Event()
    task = asyncio.create_task(for_ever(Deadlines(5), began))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_is_cancelled_and_late_is_cancelled() -> None:
    began, left = asyncio.Event(), asyncio.Event()

    async def lingering() -> None:
        with Deadlines(0.01):
            try:
                began.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                left.set()
                await asyncio.Event().wait()

    task = asyncio.create_task(lingering())
    await left.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
