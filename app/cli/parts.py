"""`tenet serve`, `tenet worker` and `tenet migrate`: the parts of an installation, each by itself."""

import asyncio
import socket
from pathlib import Path

from app import observe
from app.cli.ground import grounded, settle, url_of
from app.cli.ports import bind
from app.config import Settings
from app.db.migrating import migrate, newer, standing
from app.db.reaching import reach
from app.domain.errors import Fault
from app.gateways.redis import reach_redis

DATABASE = 5


async def serve_api(*, host: str | None, port: int | None, fd: int | None, debug: bool) -> None:
    """Run the API until it is told to stop."""
    settings = settle(debug=debug, host=host, port=port)
    # The address first: whether it is free is known at once, what follows takes a second.
    listening = bind(settings.host, settings.port) if fd is None else socket.socket(fileno=fd)
    from app.main import serve

    async with grounded(settings) as settings:
        await _check(settings)
        observe.start_traces("tenet-api")
        try:
            await serve(settings, listening)
        finally:
            observe.stop_traces()


async def run_worker(*, debug: bool) -> None:
    """Do jobs until told to stop."""
    settings = settle(debug=debug)
    listening = None
    if settings.worker_port is not None:
        listening = bind(settings.worker_host, settings.worker_port, chosen_by="TENET_WORKER_PORT")
    from workers.process import work

    async with grounded(settings) as settings:
        await _check(settings)
        observe.start_traces("tenet-worker")
        try:
            await work(settings, listening=listening)
        finally:
            observe.stop_traces()


async def migrate_database(data_dir: Path | None) -> tuple[str | None, str]:
    """Bring the database to the last revision."""
    settings = settle(quiet=True, data_dir=data_dir)
    async with grounded(settings, redis=False) as settings:
        return await migrate(url_of(settings.database_url))


async def _check(settings: Settings) -> None:
    """Refuse to begin where nothing could work: a sentence now says more than refusals later."""
    await asyncio.gather(_check_database(url_of(settings.database_url)), reach_redis(url_of(settings.redis_url)))


async def _check_database(url: str) -> None:
    async with reach(url) as connection:
        found = await standing(connection)
    if found.ahead:
        raise newer(found)
    if found.behind:
        raise Fault(
            f"The database is at revision {found.revision or 'none'}, but this Tenet needs {found.head}.",
            remedy="Run: tenet migrate",
            exit_code=DATABASE,
        )
