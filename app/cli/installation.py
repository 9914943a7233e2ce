"""A whole installation for the time of a block: servers, migrations, API and workers, kept alive and ended in order."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from app.children import Child, Launch, Supervisor
from app.cli.ground import url_of, with_urls
from app.cli.people import Developer, make_developer
from app.cli.ports import address_of, get
from app.cli.service import Service
from app.config import Settings
from app.db.migrating import migrate
from app.domain.errors import Fault
from app.embedded import serving
from app.gateways.redis import reach_redis

READY_SECONDS = 60.0
# What a child may need beyond the time that its requests or jobs are granted.
FAREWELL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Installation:
    """What stands, and who lives in it."""

    settings: Settings
    address: str
    service: Service
    names: tuple[str, ...]
    living: Callable[[], Mapping[str, int]]
    """Gives the process of each of `names` that lives now."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What API and workers stand on: servers, the schema, and in development somebody who may begin."""

    settings: Settings
    developer: Developer | None
    pids: Callable[[], Mapping[str, int]]
    """Gives the processes of the servers that are ours."""

    def service(self, address: str) -> Service:
        """Say how a command reaches what answers at an address."""
        token, organization_id = (
            (self.developer.token, self.developer.organization_id) if self.developer else 2 * (None,)
        )
        return Service(f"http://{address}/graphql", token, organization_id, os.getpid())


@asynccontextmanager
async def founded(settings: Settings, *, own: bool) -> AsyncIterator[Ground]:
    """Have all that API and workers need; without `own` the servers of an instance that runs already will do."""
    postgres, redis = settings.database_url is None, settings.redis_url is None
    async with serving(settings.data_dir, postgres=postgres, redis=redis, own=own) as servers:
        settings = with_urls(settings, servers.database_url, servers.redis_url)
        await asyncio.gather(migrate(url_of(settings.database_url)), reach_redis(url_of(settings.redis_url)))
        developer = None if settings.production else await make_developer(settings)
        yield Ground(settings, developer, lambda: servers.pids)


@asynccontextmanager
async def standing(
    settings: Settings, listening: socket.socket, *, workers: int = 1, debug: bool = False
) -> AsyncIterator[Installation]:
    """Have everything running."""
    servers = (*["postgres"] * (settings.database_url is None), *["redis"] * (settings.redis_url is None))
    async with founded(settings, own=True) as ground, Supervisor() as supervisor:
        try:
            await _start(supervisor, ground.settings, listening, workers=workers, debug=debug)
            address = address_of(listening)
            await _answering(address)
            yield Installation(
                ground.settings,
                address,
                ground.service(address),
                names=("api", *_names(workers), *servers),
                living=lambda: {**ground.pids(), **supervisor.pids},
            )
        finally:
            # Nobody new may come while the API says goodbye; until now a connection made during its restart just
            # waited here.
            listening.close()


async def _start(
    supervisor: Supervisor, settings: Settings, listening: socket.socket, *, workers: int, debug: bool
) -> None:
    """Start API and workers at once; the API last in the list, since the last goes first when all are stopped."""
    tenet = (sys.executable, "-P", "-m", "app.cli", *(["--debug"] if debug else []))
    environment = {
        "TENET_DRAIN_SECONDS": "0",
        **os.environ,
        "TENET_DATA_DIR": str(settings.data_dir),
        "TENET_LOG_LEVEL": settings.log_level,
        "DATABASE_URL": url_of(settings.database_url),
        "REDIS_URL": url_of(settings.redis_url),
    }
    grace = settings.shutdown_seconds + FAREWELL_SECONDS

    def child(name: str, *command: str, more: Mapping[str, str] | None = None, **rest: Any) -> Child:
        launch = Launch([*tenet, *command], environment={**environment, **(more or {})}, keep=[listening.fileno()])

        async def launched() -> Launch:
            return launch

        return Child(name, launched, grace=grace, **rest)

    async def lives() -> bool:
        status, _ = await get(address_of(listening), "/health/live", seconds=1)
        return status == 200

    children = [child(name, "worker", more=_port_of(settings, place)) for place, name in enumerate(_names(workers))]
    api = child("api", "serve", "--fd", str(listening.fileno()), ready=lives)
    await asyncio.gather(*(supervisor.start(one) for one in (*children, api)))


def _names(workers: int) -> list[str]:
    return ["worker", *(f"worker-{number}" for number in range(2, workers + 1))]


def _port_of(settings: Settings, place: int) -> dict[str, str]:
    """Give each worker a port of its own, where the first was given one."""
    if not settings.worker_port:
        return {}
    return {"TENET_WORKER_PORT": str(settings.worker_port + place)}


async def _answering(address: str) -> None:
    """Wait until the whole installation is ready."""
    deadline = perf_counter() + READY_SECONDS
    while True:
        status, body = await get(address, "/health/ready")
        if status == 200:
            return
        if perf_counter() > deadline:
            raise Fault(
                f"Not everything answers after {READY_SECONDS:.0f} s: {body or 'no answer'}",
                remedy="Look at the lines above, or run: tenet doctor",
            )
        await asyncio.sleep(0.02)
