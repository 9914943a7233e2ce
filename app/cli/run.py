"""`tenet run`: everything at once, kept alive, and ended in order."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console

from app.children import Child, Launch, Supervisor
from app.cli.ground import settle, url_of, with_urls
from app.cli.people import Developer, make_developer
from app.cli.ports import address_of, bind, bind_near, get
from app.cli.welcome import Welcome, say
from app.config import Settings
from app.db.address import plain_url
from app.db.migrating import migrate
from app.domain.errors import Fault
from app.embedded import serving
from app.embedded.directory import write_atomically
from app.gateways.redis import reach_redis

USAGE = 2
READY_SECONDS = 60.0
LOOK_SECONDS = 0.2
# What a child may need beyond the time that its requests or jobs are granted.
FAREWELL_SECONDS = 5.0

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line said."""

    port: int | None
    data_dir: Path | None
    ready_file: Path | None
    workers: int
    debug: bool


async def run_all(wishes: Wishes) -> None:
    """Run everything until a signal says to stop."""
    began = perf_counter()
    console = Console()
    # In a terminal the welcome says what the first lines of the log would.
    settings = settle(debug=wishes.debug, quiet=console.is_terminal, port=wishes.port, data_dir=wishes.data_dir)
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
    _cancel_on_signals()
    postgres, redis = settings.database_url is None, settings.redis_url is None
    with _ready_file(wishes.ready_file) as tell, _listening(settings) as listening, suppress(asyncio.CancelledError):
        async with serving(settings.data_dir, postgres=postgres, redis=redis, own=True) as servers:
            settings = with_urls(settings, servers.database_url, servers.redis_url)
            await asyncio.gather(migrate(url_of(settings.database_url)), reach_redis(url_of(settings.redis_url)))
            developer = None if settings.production else await make_developer(settings)
            async with Supervisor() as supervisor:
                try:
                    await _start(supervisor, settings, listening, wishes)
                    address = address_of(listening)
                    await _answering(address)
                    token = developer.token if developer else None
                    Welcome(address, token, str(settings.data_dir), perf_counter() - began).show(console)
                    names = ["api", *_worker_names(wishes), *["postgres"] * postgres, *["redis"] * redis]
                    facts = _facts(settings, address, developer)
                    await _keep_told(tell, facts, names, lambda: {**servers.pids, **supervisor.pids})
                finally:
                    # Nobody new may come while the API says goodbye; until now a connection made during its restart
                    # just waited here.
                    listening.close()
                    if console.is_terminal:
                        say(console, "Stopping ... (Ctrl-C again to hurry)")


def _cancel_on_signals() -> None:
    """Let the first signal end things in order; a second one makes the supervisors hurry."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """Hold the address for all lives of the API: whoever starts beside us sees at once that it is taken."""
    # A port that somebody named must be that one; the default may move aside.
    take = bind if "port" in settings.model_fields_set else bind_near
    with take(settings.host, settings.port) as listening:
        yield listening


async def _start(supervisor: Supervisor, settings: Settings, listening: socket.socket, wishes: Wishes) -> None:
    """Start API and workers at once; the API last in the list, since the last goes first when all are stopped."""
    tenet = (sys.executable, "-P", "-m", "app.cli", *(["--debug"] if wishes.debug else []))
    environment = {
        "TENET_DRAIN_SECONDS": "0",
        **os.environ,
        "TENET_DATA_DIR": str(settings.data_dir),
        "TENET_LOG_LEVEL": settings.log_level,
        "DATABASE_URL": url_of(settings.database_url),
        "REDIS_URL": url_of(settings.redis_url),
    }
    grace = settings.shutdown_seconds + FAREWELL_SECONDS

    def child(name: str, *command: str, **rest: Any) -> Child:
        launch = Launch([*tenet, *command], environment=environment, keep=[listening.fileno()])

        async def launched() -> Launch:
            return launch

        return Child(name, launched, grace=grace, **rest)

    async def lives() -> bool:
        status, _ = await get(address_of(listening), "/health/live", seconds=1)
        return status == 200

    workers = [child(name, "worker") for name in _worker_names(wishes)]
    api = child("api", "serve", "--fd", str(listening.fileno()), ready=lives)
    await asyncio.gather(*(supervisor.start(one) for one in (*workers, api)))


def _worker_names(wishes: Wishes) -> list[str]:
    return ["worker", *(f"worker-{number}" for number in range(2, wishes.workers + 1))]


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


def _facts(settings: Settings, address: str, developer: Developer | None) -> dict[str, Any]:
    """Gather what scripts and tests of front ends need to begin."""
    return {
        "graphql": f"http://{address}/graphql",
        "ws": f"ws://{address}/graphql",
        "token": developer.token if developer else None,
        "organizationId": developer.organization_id if developer else None,
        "databaseUrl": plain_url(url_of(settings.database_url)),
        "redisUrl": url_of(settings.redis_url),
    }


async def _keep_told(
    tell: Callable[[dict[str, Any]], None],
    facts: dict[str, Any],
    names: list[str],
    living: Callable[[], dict[str, int]],
) -> None:
    """Tell who lives, and again whenever a restart has changed it."""
    told: dict[str, int | None] = {}
    while True:
        pids = living()
        if pids != told and all(name in pids for name in names):
            told = dict(pids)
            servers = {name: pids.get(name) for name in ("postgres", "redis")}
            workers = {name: pid for name, pid in pids.items() if name.startswith("worker")}
            tell({**facts, "pids": {"supervisor": os.getpid(), "api": pids["api"], **workers, **servers}})
        await asyncio.sleep(LOOK_SECONDS)


@contextmanager
def _ready_file(path: Path | None) -> Iterator[Tell]:
    """Give the way to write the ready file, which stands there only while everything runs."""
    if path is None:
        yield lambda _: None
        return
    path = path.absolute()
    with _writable(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A file of an earlier run must not look like ours; and a folder that takes none is better known now than later.
        path.unlink(missing_ok=True)
        trial = path.with_name(f"{path.name}.new")
        trial.touch(mode=0o600)
        trial.unlink()

    def write(told: dict[str, Any]) -> None:
        with _writable(path):
            write_atomically(path, json.dumps(told, indent=2) + "\n")

    try:
        yield write
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Fault(
            f"{path} cannot be written: {error.strerror}.",
            remedy="Name a file in a folder that this user may write.",
            exit_code=USAGE,
        ) from error
