"""The embedded Redis of one data directory."""

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import structlog

from app.children import Child, Launch, through_door
from app.domain.errors import Fault
from app.embedded.faults import Exit, file_faults, server_fault
from app.embedded.leftovers import end_leftovers
from app.embedded.programs import REDIS_PROGRAMS, SERVER_ENVIRONMENT, account_for, find_redis

log = structlog.get_logger()

SOCKET = "redis.sock"

OPTIONS = {
    "port": "0",
    "unixsocket": SOCKET,
    "unixsocketperm": "700",
    "daemonize": "no",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "aof-load-truncated": "yes",
    "save": "",
    "maxmemory-policy": "noeviction",
}

# The Redis inside the wheel is older than the fixes of its script engine, so nobody gets near that, nor to what writes
# files, loads code or connects elsewhere. Nothing of ours, arq included, uses any of these.
FORBIDDEN = ("EVAL", "EVALSHA", "SCRIPT", "DEBUG", "MODULE", "CONFIG", "SLAVEOF", "REPLICAOF", "MIGRATE")

BROKEN_JOURNAL = "Bad file format reading the append only file"


async def redis_answers(redis_url: str) -> bool:
    """Tell whether Redis is there and has loaded its data."""
    with suppress(OSError):
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_unix_connection(redis_url.removeprefix("unix://"))
            try:
                writer.write(b"PING\r\n")
                return await reader.readline() == b"+PONG\r\n"
            finally:
                writer.close()
    return False


class Redis:
    """A Redis that keeps its data in the data directory; `near` is the name of that directory for clients."""

    name = "redis"

    def __init__(self, data_dir: Path, near: Path) -> None:
        self._data_dir = data_dir
        self._folder = data_dir / self.name
        self._log = data_dir / "logs" / f"{self.name}.log"
        self.url = f"unix://{near / self.name / SOCKET}"
        # Root could run Redis as itself, but the less an old server may do, the better: it runs as PostgreSQL does.
        self._account = account_for(self._folder)
        self._program = find_redis(self._account)

    async def prepare(self) -> Child:
        """Make the folder."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if self._account:
            os.chown(self._folder, self._account.uid, self._account.gid)
        return Child(self.name, self._launch, self._ready, log=self._log, explain=self._explain)

    async def _launch(self) -> Launch:
        with file_faults(self._data_dir):
            await self._settle()
            self._set_broken_journal_aside()
        options = {"dir": through_door(self._folder, self._account)} | OPTIONS
        return Launch(
            [
                self._program,
                *(word for name, value in options.items() for word in (f"--{name}", value)),
                *(word for name in FORBIDDEN for word in ("--rename-command", name, "")),
            ],
            environment=SERVER_ENVIRONMENT,
            account=self._account,
            door=self._folder,
        )

    async def _settle(self) -> None:
        """Leave no server of a killed instance running: it would write into the same journal and unlink our socket."""
        if (self._folder / SOCKET).exists():
            for program in REDIS_PROGRAMS:
                await end_leftovers(self._folder, program, signal.SIGTERM)

    def _set_broken_journal_aside(self) -> None:
        """Begin with an empty Redis when the last one could not read its data."""
        # A torn end, as kill -9 leaves it, Redis mends by itself; this is for the garbage of a power cut. What is lost
        # are wake-ups for jobs, and the sweep sends those again from the rows of their runs.
        if BROKEN_JOURNAL not in _end_of(self._log):
            return
        for journal in (self._folder / "appendonly.aof", self._folder / "appendonlydir"):
            if journal.exists():
                aside = journal.with_name(f"{journal.name}.broken")
                shutil.rmtree(aside, ignore_errors=True)
                journal.replace(aside)
                log.warning("unreadable Redis data set aside", path=str(aside))

    async def _ready(self) -> bool:
        return await redis_answers(self.url)

    def _explain(self, story: str) -> Fault:
        remedy = (
            f"Read {self._log} and mend what it tells; {self._folder} may be moved away, it holds only waiting jobs, "
            "which are sent again."
        )
        return server_fault(story, self._data_dir, remedy=remedy, exit_code=Exit.REDIS)


def _end_of(log_file: Path) -> str:
    """Read the last three lines: what follows the complaint of a Redis that gave up."""
    try:
        with log_file.open("rb") as lines:
            lines.seek(max(0, lines.seek(0, os.SEEK_END) - 1000))
            return "\n".join(lines.read().decode(errors="replace").splitlines()[-3:])
    except FileNotFoundError:
        return ""
