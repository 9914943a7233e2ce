"""A crew for the time of a block, and jobs that only tests know."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from app.domain.jobs import Job, Line
from app.runtime import Runtime
from workers.registry import Work
from workers.settings import LeaseWorker, crew_of


@dataclass(frozen=True, slots=True)
class Dig(Job):
    """A job about something, in the line of those that nobody waits for."""

    name = "dig"

    place_id: UUID

    @property
    def id(self) -> str:
        """One at a place is enough."""
        return f"dig:{self.place_id.hex}"


@dataclass(frozen=True, slots=True)
class Greet(Job):
    """A job that somebody waits for."""

    name = "greet"
    line = Line.INTERACTIVE


@asynccontextmanager
async def working(runtime: Runtime, *works: Work, farewell: float = 0) -> AsyncIterator[list[LeaseWorker]]:
    """Have workers for the time of a block."""
    crew = crew_of(runtime, works)
    polls = [asyncio.create_task(worker.async_run()) for worker in crew]
    try:
        yield crew
    finally:
        for worker in crew:
            worker.stop_picking()
        await asyncio.gather(*(worker.leave(farewell) for worker in crew))
        await asyncio.gather(*polls, return_exceptions=True)
