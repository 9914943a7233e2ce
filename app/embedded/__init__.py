"""PostgreSQL and Redis of our own: real servers under our supervision, used when no URL names others."""

# What lies in the data directory: `postgres` and `redis` with the data and the socket of each, `logs`, `VERSION` with
# the number of this layout, `lock` and `guests` for those who share it, and `servers.json` as long as somebody serves.

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.children import Supervisor
from app.domain.errors import Fault
from app.embedded.directory import DataDirectory, Record
from app.embedded.faults import Exit, file_faults
from app.embedded.postgres import Postgres, database_answers
from app.embedded.redis import Redis, redis_answers

__all__ = ["Exit", "Servers", "serving"]

log = structlog.get_logger()

HOST_PATIENCE = 60.0
"""So many seconds an instance that is just starting may take to make its database before it can have guests."""


@dataclass(frozen=True)
class Servers:
    """Where the servers are; a URL is None when the server was not asked for."""

    database_url: str | None
    redis_url: str | None
    _current_pids: Callable[[], Mapping[str, int]]

    @property
    def pids(self) -> Mapping[str, int]:
        """The process of each server as of now."""
        return self._current_pids()


@asynccontextmanager
async def serving(data_dir: Path, *, postgres: bool, redis: bool, own: bool) -> AsyncIterator[Servers]:
    """Have servers for the time of the block: our own, or, unless they must be, those of the instance that runs."""
    if not (postgres or redis or own):
        yield Servers(None, None, dict)
        return
    with DataDirectory.open(data_dir) as directory:
        host = await _claim_or_visit(directory, own=own)
        if host is not None:
            yield _servers_of(host, directory, postgres=postgres, redis=redis)
            return
        async with _hosting(directory, postgres=postgres, redis=redis) as servers:
            yield servers
            if not own:
                await _guests_leave(directory)


async def _claim_or_visit(directory: DataDirectory, *, own: bool) -> Record | None:
    """Claim the directory, or else become a guest of the instance that has it and return what that one published."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + HOST_PATIENCE
    while not directory.claim():
        if own:
            raise Fault(
                f"Another Tenet instance uses {directory.path} ({directory.holder()}).",
                remedy="Stop that one, or set TENET_DATA_DIR to another folder.",
                exit_code=Exit.ALREADY_RUNNING,
            )
        if directory.visit():
            record = directory.published()
            if record and await _answers(record):
                return record
            directory.say_goodbye()
        if clock() > deadline:
            raise Fault(
                f"Another Tenet instance uses {directory.path} ({directory.holder()}), but its servers do not answer.",
                remedy="Stop that one and try again.",
                exit_code=Exit.ALREADY_RUNNING,
            )
        await asyncio.sleep(0.05)
    return None


async def _answers(record: Record) -> bool:
    return (record.database_url is None or await database_answers(record.database_url)) and (
        record.redis_url is None or await redis_answers(record.redis_url)
    )


def _servers_of(host: Record, directory: DataDirectory, *, postgres: bool, redis: bool) -> Servers:
    """Pick what was asked for from what the running instance has."""
    for name, wanted, url in (("DATABASE_URL", postgres, host.database_url), ("REDIS_URL", redis, host.redis_url)):
        if wanted and url is None:
            raise Fault(
                f"The Tenet instance that uses {directory.path} (process {host.pid}) runs with a {name} of its own.",
                remedy=f"Set {name} as it is set there.",
                exit_code=Exit.USAGE,
            )
    return Servers(
        host.database_url if postgres else None,
        host.redis_url if redis else None,
        lambda: (directory.published() or host).pids,
    )


@asynccontextmanager
async def _hosting(directory: DataDirectory, *, postgres: bool, redis: bool) -> AsyncIterator[Servers]:
    """Run the servers ourselves."""
    with directory.near() as near:
        with file_faults(directory.path):
            database = Postgres(directory.path, near) if postgres else None
            queue = Redis(directory.path, near) if redis else None
        async with Supervisor() as supervisor:
            servers = Servers(
                database.url if database else None,
                queue.url if queue else None,
                lambda: supervisor.pids,
            )

            def publish() -> None:
                record = Record(
                    pid=os.getpid(),
                    database_url=servers.database_url,
                    redis_url=servers.redis_url,
                    pids=supervisor.pids,
                    shortcut=None if near == directory.path else str(near),
                )
                directory.publish(record)

            with file_faults(directory.path):
                await _start_together(supervisor, [server for server in (database, queue) if server])
                publish()
            supervisor.changed = publish
            yield servers


async def _start_together(supervisor: Supervisor, servers: list[Postgres | Redis]) -> None:
    async def start(server: Postgres | Redis) -> None:
        await supervisor.start(await server.prepare())

    try:
        async with asyncio.TaskGroup() as group:
            for server in servers:
                group.create_task(start(server))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _guests_leave(directory: DataDirectory) -> None:
    """Keep serving until those who joined a short-lived command are done as well."""
    waiting = False
    while not directory.close_to_guests():
        if not waiting:
            log.info("serving until other commands are done", data_dir=str(directory.path))
            waiting = True
        await asyncio.sleep(0.05)
