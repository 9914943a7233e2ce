"""Settings and runtimes of an installation as the tests have it: real servers, short times."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from app.config import Settings
from app.runtime import Runtime, open_runtime

PATIENCE = 30.0

T = TypeVar("T")

QUICK: dict[str, Any] = {
    "_env_file": None,
    "secret": "a-secret-of-the-tests-that-is-long-enough",
    "drain_seconds": 0,
    "shutdown_seconds": 5,
    "worker_poll_seconds": 0.01,
    "worker_lease_seconds": 1,
}


def settings_for(database_url: str | None = None, redis_url: str | None = None, **over: Any) -> Settings:
    """Make settings without regard to the environment's files."""
    return Settings(**{**QUICK, "DATABASE_URL": database_url, "REDIS_URL": redis_url, **over})


@asynccontextmanager
async def runtime_for(database_url: str, redis_url: str, **over: Any) -> AsyncIterator[Runtime]:
    """Open a runtime as a process of the service does."""
    async with open_runtime(settings_for(database_url, redis_url, **over)) as runtime:
        yield runtime


async def eventually(look: Callable[[], Awaitable[T]], *, patience: float = PATIENCE) -> T:
    """Look until something true is seen, where nobody rings: in other processes, in tables."""
    async with asyncio.timeout(patience):
        while not (seen := await look()):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    return seen
