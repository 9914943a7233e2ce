"""`tenet run`: everything at once, kept alive, and ended in order."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console

from app.cli.ground import settle, url_of
from app.cli.installation import Installation, standing
from app.cli.ports import bind, bind_near
from app.cli.service import Service, published
from app.cli.welcome import Welcome, say
from app.config import Settings
from app.db.address import plain_url
from app.domain.errors import Fault
from app.embedded.directory import write_atomically

USAGE = 2
LOOK_SECONDS = 0.2

Tell = Callable[[dict[str, Any]], None]
Reading = Callable[[Service, Console], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line said."""

    port: int | None
    data_dir: Path | None
    ready_file: Path | None
    workers: int
    repo: str | None
    branch: str | None
    debug: bool


async def run_all(wishes: Wishes) -> None:
    """Run everything until a signal says to stop."""
    began = perf_counter()
    console = Console()
    # In a terminal the welcome says what the first lines of the log would.
    settings = settle(debug=wishes.debug, quiet=console.is_terminal, port=wishes.port, data_dir=wishes.data_dir)
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
    reading = None if wishes.repo is None else _reading(wishes.repo, wishes.branch, settings)
    _cancel_on_signals()
    with _ready_file(wishes.ready_file) as tell, _listening(settings) as listening, suppress(asyncio.CancelledError):
        async with standing(settings, listening, workers=wishes.workers, debug=wishes.debug) as installation:
            service = installation.service
            with published(settings.data_dir, service):
                try:
                    seconds = perf_counter() - began
                    Welcome(installation.address, service.token, str(settings.data_dir), seconds).show(console)
                    async with asyncio.TaskGroup() as group:
                        group.create_task(_keep_told(tell, installation))
                        if reading is not None:
                            group.create_task(reading(service, console))
                except BaseExceptionGroup as failures:
                    raise failures.exceptions[0] from None
                finally:
                    if console.is_terminal:
                        say(console, "Stopping ... (Ctrl-C again to hurry)")


def _reading(place: str, branch: str | None, settings: Settings) -> Reading:
    """Prepare to read a repository once everything runs; what is wrong with its name is said before."""
    # Imported here because it loads clients that nothing else needs.
    from app.cli.ingest import Wanted, look_at, read_first

    wanted = Wanted.read(place, branch=branch)
    look_at(wanted, settings)
    return partial(read_first, wanted)


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


def _facts(installation: Installation) -> dict[str, Any]:
    """Gather what scripts and tests of front ends need to begin."""
    service, settings = installation.service, installation.settings
    return {
        "graphql": service.url,
        "ws": service.socket_url,
        "token": service.token,
        "organizationId": service.organization_id,
        "databaseUrl": plain_url(url_of(settings.database_url)),
        "redisUrl": url_of(settings.redis_url),
    }


async def _keep_told(tell: Tell, installation: Installation) -> None:
    """Tell who lives, and again whenever a restart has changed it."""
    facts = _facts(installation)
    told: dict[str, int | None] = {}
    while True:
        pids = installation.living()
        if pids != told and all(name in pids for name in installation.names):
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
