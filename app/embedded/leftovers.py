"""Servers that an instance left behind when it was killed."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import structlog

from app.embedded.programs import told_by

log = structlog.get_logger()

PATIENCE = 60.0
"""So many seconds a server that was asked to stop may take to write its data."""

ORPHANS_PATIENCE = 1.0
"""So many seconds the sessions of a dead server may take to notice; what they do is lost in any case."""


async def end_leftovers(folder: Path, program: str, farewell: signal.Signals, *, leader: int | None = None) -> None:
    """End every process of a program that works in this folder; the leader is asked politely, or all if it has none."""
    # The caller holds the lock of the data directory, so whatever works there now belongs to nobody.
    left = set(working_in(folder, program))
    asked = left if leader is None else left & {leader}
    if left:
        log.warning("ending what a killed server left", program=program, pids=sorted(left))
    _kill(asked, farewell)
    clock = asyncio.get_running_loop().time
    deadline = clock() + (PATIENCE if asked else ORPHANS_PATIENCE)
    while left:
        if clock() > deadline:
            _kill(left, signal.SIGKILL)
        await asyncio.sleep(0.02)
        left = set(working_in(folder, program))


def _kill(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def working_in(folder: Path, program: str) -> Iterator[int]:
    """Find the processes by what they do, not by the pid in a file, which may be a stranger's by now."""
    if not Path("/proc/self/cwd").exists():
        yield from listed_as_working_in(folder, program)
        return
    here = folder.stat()
    for entry in Path("/proc").iterdir():
        # Most processes end here; those of other users and zombies have no working directory that we could see.
        with suppress(OSError):
            if entry.name.isdigit() and (entry / "comm").read_bytes() == f"{program}\n".encode():
                there = (entry / "cwd").stat()
                if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
                    yield int(entry.name)


def listed_as_working_in(folder: Path, program: str) -> Iterator[int]:
    """Ask lsof where there is no /proc; without it a server still refuses to run twice in a folder."""
    with suppress(FileNotFoundError):
        yield from map(int, told_by("lsof", "-t", "-a", "-d", "cwd", "-c", program, "--", folder).split())
