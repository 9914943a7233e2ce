"""The embedded PostgreSQL of one data directory."""

import os
import re
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import asyncpg

from app.children import Child, Launch, run, through_door
from app.db.address import plain_url
from app.domain.errors import Fault
from app.embedded.faults import Exit, file_faults, server_fault
from app.embedded.leftovers import end_leftovers
from app.embedded.programs import SERVER_ENVIRONMENT, account_for, find_postgres

SETTINGS = {
    "listen_addresses": "",
    # Only a part of the socket's name, said here and in the URLs so that no PGPORT in an environment can differ.
    "port": "5432",
    # In the cluster itself, named relative to it, so that no path is too long for the server.
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "fsync": "on",
}

PARTIAL = "postgres.partial-"

LOCK_FILES = ("postmaster.pid", ".s.PGSQL.5432.lock")


async def database_answers(database_url: str) -> bool:
    """Tell whether the database takes connections."""
    with suppress(OSError, asyncpg.PostgresError):
        connection = await asyncpg.connect(plain_url(database_url), timeout=5)
        await connection.close()
        return True
    return False


class Postgres:
    """A cluster in the data directory; `near` is the name of that directory for clients."""

    name = "postgres"

    def __init__(self, data_dir: Path, near: Path) -> None:
        self._data_dir = data_dir
        self._folder = data_dir / self.name
        self._log = data_dir / "logs" / f"{self.name}.log"
        self._account = account_for(self._folder)
        self._programs = find_postgres(self._folder, self._account)
        self._maintenance_url = f"postgresql+asyncpg://tenet@/postgres?host={near / self.name}&port=5432"
        self.url = f"postgresql+asyncpg://tenet@/tenet?host={near / self.name}&port=5432"

    async def prepare(self) -> Child:
        """Make the cluster if there is none."""
        if not (self._folder / "PG_VERSION").exists():
            await self._create()
        # SIGINT is the fast shutdown: sessions are cut, data is written. SIGTERM would wait for the last client.
        return Child(
            self.name,
            self._launch,
            self._ready,
            log=self._log,
            stop_signal=signal.SIGINT,
            grace=60.0,
            patience=120.0,
            explain=self._explain,
        )

    async def _launch(self) -> Launch:
        with file_faults(self._data_dir):
            await self._settle()
        settings = (word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}"))
        return self._command("postgres", *settings, folder=self._folder)

    async def _settle(self) -> None:
        """Leave no server of a killed instance running, and no trace of it that keeps a new one from starting."""
        # PostgreSQL refuses to start while a process has the pid that it finds in its own lock file or in that of its
        # socket, be it a zombie or a stranger, as happens when a container restarts. That a cluster is still in use it
        # would notice without them, by the shared memory.
        traces = [trace for name in LOCK_FILES if (trace := self._folder / name).exists()]
        if traces:
            first_line = traces[0].read_text().partition("\n")[0]
            leader = int(first_line) if first_line.isdigit() else 0
            await end_leftovers(self._folder, "postgres", signal.SIGINT, leader=leader)
        for trace in traces:
            trace.unlink(missing_ok=True)

    async def _ready(self) -> bool:
        """Tell whether the server takes connections, and have it make our database if there is none."""
        with suppress(OSError, asyncpg.PostgresError):
            connection = await asyncpg.connect(plain_url(self._maintenance_url), timeout=5)
            try:
                if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = 'tenet'"):
                    await connection.execute("CREATE DATABASE tenet")
            finally:
                await connection.close()
            return True
        return False

    async def _create(self) -> None:
        """Make the cluster beside its place and move it there when it is whole, so that there is never half a one."""
        if self._folder.exists() and any(self._folder.iterdir()):
            raise Fault(
                f"The folder {self._folder} holds something that is not a PostgreSQL database.",
                remedy="Move it away, or set TENET_DATA_DIR to another folder.",
                exit_code=Exit.DATA_DIRECTORY,
            )
        self._sweep()
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=self._data_dir))
        try:
            if self._account:
                os.chown(partial, self._account.uid, self._account.gid)
            await self._initialize(partial)
            _rename_for_good(partial, self._folder)
        finally:
            # Again, because what an instance killed a moment ago was making may have grown under the first sweep.
            self._sweep()

    def _sweep(self) -> None:
        """Remove what was not completed."""
        for partial in self._data_dir.glob(f"{PARTIAL}*"):
            shutil.rmtree(partial, ignore_errors=True)

    async def _initialize(self, partial: Path) -> None:
        # Byte order is the one order that every machine sorts in; old systems know no UTF-8 variant of it.
        for locale in ("C.UTF-8", "C"):
            options = (f"--locale={locale}", "--encoding=UTF8", "--auth=trust", "--username=tenet", "--no-instructions")
            status, output = await run(self._command("initdb", *options, folder=partial))
            if status == 0:
                return
            if "locale" not in output:
                break
        complaints = [line for line in output.splitlines() if re.search("error|FATAL|HINT", line)] or [output.strip()]
        raise server_fault(
            f'The database could not be made: initdb ended with status {status}, saying "{" / ".join(complaints)}".',
            self._data_dir,
            remedy="Mend this and start again, or set DATABASE_URL to another PostgreSQL.",
            exit_code=Exit.DATABASE,
        )

    def _command(self, program: str, *options: str, folder: Path) -> Launch:
        # The folders above may be closed to the account, as root's home is. Thanks to the door the cluster stays in the
        # data directory all the same, so that to delete, copy or move the one is to delete, copy or move the other.
        return Launch(
            [self._programs / program, "-D", through_door(folder, self._account), *options],
            environment=SERVER_ENVIRONMENT,
            account=self._account,
            door=folder,
        )

    def _explain(self, story: str) -> Fault:
        remedy = f"Read {self._log}, mend what it tells, and start again; or set DATABASE_URL to another PostgreSQL."
        return server_fault(story, self._data_dir, remedy=remedy, exit_code=Exit.DATABASE)


def _rename_for_good(old: Path, new: Path) -> None:
    """Rename a folder so that it lasts through a power cut."""
    old.rename(new)
    descriptor = os.open(new.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
