"""The worker process: one worker for each line, in one loop, until a signal says to stop."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import structlog

from app.config import Settings
from app.domain.errors import Fault
from app.gateways.redis import PASSING
from app.observe.port import showing
from app.runtime import open_runtime
from workers.registry import WORKS, Work
from workers.settings import LeaseWorker, crew_of
from workers.shown import looks_at

EXIT_CODE = 6

log = structlog.get_logger(__name__)


async def work(settings: Settings, works: tuple[Work, ...] = WORKS, *, listening: socket.socket | None = None) -> None:
    """Do jobs until a signal says to stop; then finish within the limit, or after a second signal at once.

    With a socket it shows there how it is.
    """
    stop, hurry = asyncio.Event(), asyncio.Event()

    def signalled() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled)
    async with at_work(settings, hurry, works, listening=listening) as polls:
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([stopping, *polls], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
    for poll in polls:
        if not poll.cancelled() and (error := poll.exception()) is not None:
            if isinstance(error, PASSING):
                raise Fault(
                    f"Redis does not answer: {error}", remedy="Start it, or correct REDIS_URL.", exit_code=EXIT_CODE
                ) from error
            raise error


@asynccontextmanager
async def at_work(
    settings: Settings,
    hurry: asyncio.Event,
    works: tuple[Work, ...] = WORKS,
    *,
    listening: socket.socket | None = None,
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Do jobs for the time of a block; then finish within the limit, or at once when `hurry` is set."""
    async with open_runtime(settings) as runtime, AsyncExitStack() as stack:
        crew = crew_of(runtime, works)
        if listening is not None:
            await stack.enter_async_context(showing(listening, looks_at(runtime, crew)))
        polls = [asyncio.create_task(worker.async_run(), name=worker.queue_name) for worker in crew]
        log.info("worker started", name=crew[0].name, lines=[worker.queue_name for worker in crew])
        try:
            yield polls
        finally:
            for worker in crew:
                worker.stop_picking()
            with suppress(*PASSING):
                await runtime.queue.leave(crew[0].name)
            await _leave(crew, settings.shutdown_seconds, hurry)
            log.info("worker stopped", name=crew[0].name)


async def _leave(crew: list[LeaseWorker], seconds: float, hurry: asyncio.Event) -> None:
    leaving = [asyncio.create_task(worker.leave(seconds)) for worker in crew]
    hurried = asyncio.create_task(_cancel_after(hurry, leaving))
    done = await asyncio.gather(*leaving, return_exceptions=True)
    hurried.cancel()
    for worker, result in zip(crew, done, strict=True):
        if isinstance(result, asyncio.CancelledError):
            await worker.leave(0)
        elif isinstance(result, BaseException) and not isinstance(result, PASSING):
            raise result


async def _cancel_after(hurry: asyncio.Event, leaving: list[asyncio.Task[None]]) -> None:
    await hurry.wait()
    for task in leaving:
        task.cancel()
