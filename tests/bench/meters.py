"""What a contestant costs, as the kernel counts it."""

import os
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from app.db.address import plain_url

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of CPU; None for a database that runs elsewhere."""

    server: float
    database: float | None

    def since(self, earlier: "Spent") -> "Spent":
        """Tell what was spent since then."""
        if self.database is None or earlier.database is None:
            return Spent(self.server - earlier.server, None)
        return Spent(self.server - earlier.server, self.database - earlier.database)


@dataclass(frozen=True, slots=True)
class Meter:
    """Reads the clocks of the database's processes and of one server."""

    postmaster: int | None

    @classmethod
    async def of(cls, database_url: str) -> "Meter":
        """Find the processes of the database, if they run on this machine."""
        connection = await asyncpg.connect(plain_url(database_url))
        try:
            backend: int = await connection.fetchval("SELECT pg_backend_pid()")
            told = _stat(backend)
            ours = told is not None and told.name == "postgres"
            return cls(told.parent if told is not None and ours else None)
        finally:
            await connection.close()

    def spent(self, pid: int) -> Spent:
        """Read the clocks."""
        server = _stat(pid)
        assert server is not None, "the server is gone"
        return Spent(server.seconds, self._database())

    def _database(self) -> float | None:
        """Add up the whole cluster: the contestants take turns, so whoever is on caused it."""
        if self.postmaster is None:
            return None
        total = 0.0
        for entry in _PROC.iterdir():
            if entry.name.isdigit() and (found := _stat(int(entry.name))) is not None:
                if found.pid == self.postmaster:
                    # Backends that ended count there.
                    total += found.seconds + found.seconds_of_children
                elif found.parent == self.postmaster:
                    total += found.seconds
        return total


@dataclass(frozen=True, slots=True)
class _Stat:
    pid: int
    name: str
    parent: int
    seconds: float
    seconds_of_children: float


def _stat(pid: int) -> _Stat | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in brackets and may hold spaces; what follows are numbers.
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    user, system, waited_user, waited_system = (int(ticks) / _TICKS for ticks in fields[11:15])
    return _Stat(pid, name, int(fields[1]), user + system, waited_user + waited_system)


def resident_megabytes(pid: int) -> float:
    """Tell how much memory a process holds."""
    pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
