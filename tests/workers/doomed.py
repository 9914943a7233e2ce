"""A worker process that takes a job and never finishes it: `python -m tests.workers.doomed URL URL SECONDS`."""

import asyncio
import sys

from app.runtime import Runtime
from tests.installed import settings_for
from tests.workers.crew import Dig
from workers.process import work
from workers.registry import Work


async def never(runtime: Runtime, _: Dig) -> None:
    """Tell that the job has begun, and wait for the end."""
    await runtime.redis.rpush("begun", "yes")  # type: ignore[misc]
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(
        work(settings_for(*sys.argv[1:3], shutdown_seconds=float(sys.argv[3])), (Work(Dig, never, seconds=600),))
    )
