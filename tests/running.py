"""`tenet run` as a process of its own, and what became of it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli.ports import get
from tests.installed import eventually

START = 60.0
TENET = (sys.executable, "-P", "-m", "app.cli")


@dataclass
class Running:
    """One life of an installation."""

    process: asyncio.subprocess.Process
    data_dir: Path
    ready_file: Path

    @property
    def told(self) -> dict[str, Any]:
        """What the ready file says now."""
        told: dict[str, Any] = json.loads(self.ready_file.read_text())
        return told

    @property
    def pids(self) -> dict[str, int]:
        """The processes that the ready file names."""
        pids: dict[str, int] = self.told["pids"]
        return pids

    @property
    def address(self) -> str:
        """Where the API listens."""
        graphql: str = self.told["graphql"]
        return graphql.removeprefix("http://").removesuffix("/graphql")

    async def ready(self) -> None:
        """Wait until the ready file stands there and everything answers."""

        async def look() -> bool:
            if self.process.returncode is not None:
                raise AssertionError(f"tenet run ended with {self.process.returncode}: {await self.last_words()}")
            return self.ready_file.exists() and (await get(self.address, "/health/ready"))[0] == 200

        await eventually(look, patience=START)

    async def last_words(self) -> str:
        """What it said, once it has ended."""
        _, told = await self.process.communicate()
        return told.decode()

    async def ended(self) -> int:
        """Wait for the end, and for the end of everything it had started."""
        async with asyncio.timeout(START):
            await self.process.communicate()

        async def look() -> bool:
            return not left_of(self.data_dir)

        await eventually(look, patience=START)
        assert self.process.returncode is not None
        return self.process.returncode


def tenet(data_dir: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run another command on a data directory, to its end."""
    command = [*TENET, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=_environment(data_dir, environment))


@asynccontextmanager
async def running(
    data_dir: Path, *arguments: str, output: int = subprocess.DEVNULL, **environment: str
) -> AsyncIterator[Running]:
    """Start an installation; whatever happens, nothing of it outlives the block."""
    ready_file = data_dir.with_suffix(".ready.json")
    process = await asyncio.create_subprocess_exec(
        *(*TENET, "run", "--port", "0", "--ready-file", str(ready_file), *arguments),
        env=_environment(data_dir, environment),
        stdout=output,
        stderr=subprocess.PIPE,
    )
    life = Running(process, data_dir, ready_file)
    try:
        yield life
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await life.ended()


@asynccontextmanager
async def begun(data_dir: Path, *arguments: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Begin another command on a data directory; it does not outlive the block."""
    process = await asyncio.create_subprocess_exec(
        *TENET,
        *arguments,
        env=_environment(data_dir, environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(stream: asyncio.StreamReader | None, words: str) -> str:
    """Read what a process says up to the line that has some words in it."""
    assert stream is not None
    said = ""
    async with asyncio.timeout(START):
        while words not in said:
            line = await stream.readline()
            assert line, f"it ended without {words!r}: {said}"
            said += line.decode()
    return said


def left_of(data_dir: Path) -> list[int]:
    """List the processes that stand in a data directory or were started for it."""
    marks = (str(data_dir).encode(), f"TENET_DATA_DIR={data_dir}\0".encode())
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _belongs(entry, marks)]


def _belongs(process: Path, marks: tuple[bytes, bytes]) -> bool:
    folder, variable = marks
    try:
        return (
            os.fsencode((process / "cwd").readlink()).startswith(folder)
            or folder in (process / "cmdline").read_bytes()
            or variable in (process / "environ").read_bytes() + b"\0"
        )
    except OSError:
        return False


def _environment(data_dir: Path, more: Mapping[str, str]) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TENET_")}
    for name in ("DATABASE_URL", "REDIS_URL"):
        ours.pop(name, None)
    return {**ours, "TENET_DATA_DIR": str(data_dir), **more}
