"""Many WebSockets that only listen, from a process of their own, and do little with what they hear."""

import asyncio
import base64
import multiprocessing
import os
import signal
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import cast

import orjson
import uvloop

from tests.bench.load import Failed

PATIENCE = 60
# Sockets that shake hands at the same time.
AT_ONCE = 50

_SEQUENCE = b'"sequence":'
_NEXT = b'"type":"next"'


@dataclass(frozen=True, slots=True)
class Listening:
    """Whom to listen to: a socket for each token, all with one subscription."""

    port: int
    tokens: list[str]
    query: str
    variables: dict[str, str]
    # Of events up to this one nobody counts anything: everybody is still arriving.
    until: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard: the numbers of events and the moments of their arrival, over all sockets."""

    sequences: "array[int]" = field(default_factory=lambda: array("I"))
    moments: "array[float]" = field(default_factory=lambda: array("d"))
    cpu: float = 0.0


class Socket(asyncio.Protocol):
    """One socket: shakes hands, subscribes, and notes when which event came."""

    def __init__(self, asked: Listening, token: str, heard: Heard) -> None:
        self.asked, self.token, self.heard = asked, token, heard
        self.buffer = b""
        self.upgraded = False
        self.up: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1:{self.asked.port}\r\nupgrade: websocket\r\n"
            f"connection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n"
            "sec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        buffer = self.buffer + data if self.buffer else data
        if not self.upgraded:
            head, found, buffer = buffer.partition(b"\r\n\r\n")
            if not found:
                self.buffer = head
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.fail(f"A socket was refused: {head[:200]!r}")
                return
            self.upgraded = True
            self.say({"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}})
        at = 0
        while (frame := _frame(buffer, at)) is not None:
            opcode, start, end = frame
            if opcode == 1:
                self.take(buffer[start:end], now)
            elif opcode == 9:
                self.send(0x8A, buffer[start:end])
            else:
                self.fail(f"A socket was closed: {buffer[start:end]!r}")
            at = end
        self.buffer = buffer[at:]

    def take(self, text: bytes, now: float) -> None:
        """Note an event, or answer what is said before the first."""
        if _NEXT in text[:80] or _NEXT in text[-80:]:
            found = text.find(_SEQUENCE) + len(_SEQUENCE)
            sequence = int(text[found : found + 10].partition(b",")[0])
            if not self.up.done():
                self.up.set_result(None)
            if sequence > self.asked.until:
                self.heard.sequences.append(sequence)
                self.heard.moments.append(now)
            return
        message = orjson.loads(text)
        if message["type"] == "connection_ack":
            payload = {"query": self.asked.query, "variables": self.asked.variables}
            # Clients of this protocol choose ids of their own, mostly random ones.
            self.say({"id": base64.b64encode(os.urandom(16)).decode(), "type": "subscribe", "payload": payload})
        elif message["type"] == "ping":
            self.say({"type": "pong"})
        else:
            self.fail(f"A subscription failed: {text[:500]!r}")

    def say(self, message: object) -> None:
        self.send(0x81, orjson.dumps(message))

    def send(self, opcode: int, payload: bytes) -> None:
        """Frame what is sent; a mask of zeros leaves it readable."""
        length = len(payload)
        head = bytes((opcode, 0x80 | length)) if length < 126 else bytes((opcode, 0xFE)) + length.to_bytes(2, "big")
        self.transport.write(head + b"\0\0\0\0" + payload)

    def fail(self, why: str) -> None:
        if not self.up.done():
            self.up.set_exception(Failed(why))

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail("A connection was closed.")


def _frame(buffer: bytes, at: int) -> tuple[int, int, int] | None:
    """Find a whole frame: its opcode, and where its payload begins and ends."""
    if len(buffer) < at + 2:
        return None
    length, start = buffer[at + 1] & 0x7F, at + 2
    if length >= 126:
        width = 2 if length == 126 else 8
        if len(buffer) < start + width:
            return None
        length, start = int.from_bytes(buffer[start : start + width], "big"), start + width
    return (buffer[at] & 0x0F, start, start + length) if len(buffer) >= start + length else None


class Listeners:
    """The other process, as this one sees it."""

    def __init__(self, pipe: "Connection[Listening | str, Heard | Exception | str]") -> None:
        self._pipe = pipe

    async def gather(self, asked: Listening) -> None:
        """Have everybody connected and subscribed."""
        self._pipe.send(asked)
        await self._answer()

    async def heard(self) -> Heard:
        """Have everybody leave, and give what they heard."""
        self._pipe.send("leave")
        found = await self._answer()
        assert isinstance(found, Heard)
        return found

    async def _answer(self) -> Heard | str:
        found = await asyncio.to_thread(self._pipe.recv)
        if isinstance(found, Exception):
            raise found
        return found


@contextmanager
def listeners() -> Iterator[Listeners]:
    """Have a process that listens."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Listeners(ours)
    finally:
        ours.close()
        process.join(PATIENCE)


def _serve(pipe: "Connection[Heard | Exception | str, Listening | str]") -> None:
    # Ctrl-C reaches this process too, but who is to end here is the other one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with pipe:
        while True:
            try:
                asked = pipe.recv()
            except EOFError:
                return
            assert isinstance(asked, Listening)
            try:
                pipe.send(uvloop.run(_listen(asked, pipe)))
            except Exception as error:
                pipe.send(error)


def _same(socket: Socket) -> Socket:
    return socket


async def _listen(asked: Listening, pipe: "Connection[Heard | Exception | str, Listening | str]") -> Heard:
    loop = asyncio.get_running_loop()
    heard = Heard()
    sockets: list[Socket] = []
    for start in range(0, len(asked.tokens), AT_ONCE):
        arriving = [Socket(asked, token, heard) for token in asked.tokens[start : start + AT_ONCE]]
        for socket in arriving:
            await loop.create_connection(partial(_same, socket), "127.0.0.1", asked.port)
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(socket.up for socket in arriving))
        sockets += arriving
    pipe.send("gathered")
    cpu = time.process_time()
    await asyncio.to_thread(pipe.recv)
    cpu = time.process_time() - cpu
    for socket in sockets:
        socket.transport.abort()
    return Heard(heard.sequences, heard.moments, cpu)
