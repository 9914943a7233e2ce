"""A turnstile before git: a test sees each git of a worker come, and lets it pass or keeps it waiting.

So a run stands still in the very stage a test is about, without any sleeping and without a hook in the product.
"""

import asyncio
import os
import shutil
import socket
import struct
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

# Whoever comes says what it is about to do, and waits for a byte. That it is killed meanwhile the other side sees.
_GIT = """#!{python} -IS
import os, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect({place!r})
line.sendall(repr(sys.argv[1:]).encode() + b"\\n")
if line.recv(1):
    os.execv({git!r}, ["git", *sys.argv[1:]])
os._exit(1)
"""


@dataclass
class Waiting:
    """A git that is kept waiting."""

    pid: int
    arguments: str
    passes: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once its process has ended, or has become the git that it wanted to be."""


@dataclass
class Turnstile:
    """Whom it keeps waiting is the test's word, asked for each git anew."""

    folder: Path
    keeps: Callable[[], Awaitable[bool]]
    waiting: "asyncio.Queue[Waiting]" = field(default_factory=asyncio.Queue)
    here: list[Waiting] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The PATH of those who shall meet it."""
        return f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    def open(self) -> None:
        """Keep nobody waiting any more."""
        self.keeps = nobody
        for one in self.here:
            one.passes.set()

    async def meet(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Let one git pass, or keep it waiting."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            arguments = (await reader.readuntil(b"\n")).decode()
            if await self.keeps():
                credentials = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
                one = Waiting(struct.unpack("3i", credentials)[0], arguments)
                self.here.append(one)
                self.waiting.put_nowait(one)
                await _either(one.passes.wait(), reader.read())
                if one.passes.is_set():
                    writer.write(b"!")
                    await writer.drain()
                    await reader.read()
                one.gone.set()
            else:
                writer.write(b"!")
                await writer.drain()
        writer.close()


async def nobody() -> bool:
    """Keep nobody waiting."""
    return False


@asynccontextmanager
async def turnstile() -> AsyncIterator[Turnstile]:
    """Have a turnstile for the time of a block."""
    git = shutil.which("git")
    assert git is not None
    # Short, whatever pytest calls its folders: the address of a socket has at most some hundred letters.
    with TemporaryDirectory(prefix="tenet-turnstile-") as folder:
        place = Path(folder, "socket")
        made = Turnstile(Path(folder), nobody)
        clients: set[asyncio.Task[None]] = set()

        def welcome(reader: StreamReader, writer: StreamWriter) -> None:
            client = asyncio.create_task(made.meet(reader, writer))
            clients.add(client)
            client.add_done_callback(clients.discard)

        server = await asyncio.start_unix_server(welcome, place)
        _write(Path(folder, "git"), _GIT.format(python=sys.executable, place=str(place), git=git))
        try:
            yield made
        finally:
            server.close()
            for client in clients:
                client.cancel()
            await asyncio.gather(*clients, return_exceptions=True)


def _write(program: Path, text: str) -> None:
    program.write_text(text)
    program.chmod(0o755)


async def _either(*work: Awaitable[object]) -> None:
    tasks = [asyncio.ensure_future(each) for each in work]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
