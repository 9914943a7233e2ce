"""The servers that a run of the tests stands on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
from sqlalchemy import make_url

from app.db.address import plain_url
from app.db.migrating import migrate
from app.embedded import serving


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the servers are; nobody writes to this migrated database, it is the template of all others."""

    database_url: str
    redis_url: str


@contextmanager
def standing_ground() -> Iterator[Ground]:
    """Serve from a thread with a loop of its own: the servers outlive the loops of the tests."""
    ready: Future[Ground] = Future()
    over: Future[None] = Future()
    with ThreadPoolExecutor(1) as thread:
        life = thread.submit(asyncio.run, _serve(ready, over))
        # Servers that cannot start end that life before they are ready; then nothing else would ever be.
        life.add_done_callback(lambda _: ready.cancel())
        try:
            yield ready.result()
        finally:
            over.set_result(None)
            life.result()


async def _serve(ready: Future[Ground], over: Future[None]) -> None:
    with TemporaryDirectory(prefix="tenet-tests-") as folder:
        async with serving(Path(folder), postgres=True, redis=True, own=True) as servers:
            assert servers.database_url is not None
            assert servers.redis_url is not None
            await migrate(servers.database_url)
            async with administration(servers.database_url) as connection:
                # Nothing here must survive a crash, so no commit waits for the disk.
                await connection.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
            ready.set_result(Ground(servers.database_url, servers.redis_url))
            await asyncio.wrap_future(over)


@asynccontextmanager
async def administration(url: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """Connect to the server of a database, but not to that database."""
    connection = await asyncpg.connect(plain_url(beside(url, "postgres")))
    try:
        yield connection
    finally:
        await connection.close()


def beside(url: str, name: str) -> str:
    """Name another database on the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)
