"""The load: sixteen connections that ask again as soon as they are answered, from a process of their own."""

import asyncio
import multiprocessing
import signal
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from multiprocessing.connection import Connection
from typing import cast

import uvloop

CONNECTIONS = 16
PATIENCE = 60
_HEAD_END = b"\r\n\r\n"


class Failed(Exception):
    """A contestant did not answer as it should."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to ask of whom: over and over for a while, or each request once."""

    port: int
    requests: list[bytes]
    seconds: float
    once: bool = False
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task."""

    requests: int
    seconds: float
    p50: float
    p99: float
    cpu: float
    bodies: list[bytes]


class Lane(asyncio.BufferedProtocol):
    """One connection; it reads into one buffer and looks at no more of an answer than says where it ends."""

    def __init__(self, run: "Run") -> None:
        self.run = run
        self.buffer = bytearray(1 << 18)
        self.filled = self.head = self.end = 0
        self.number: int | None = None
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's by type.
        self.transport = cast("asyncio.Transport", transport)

    def ask(self) -> None:
        """Ask the next thing, if there is one."""
        self.number = self.run.next_number()
        if self.number is not None:
            self.filled = self.end = 0
            self.sent_at = time.perf_counter()
            self.transport.write(self.run.task.requests[self.number])

    def get_buffer(self, sizehint: int) -> memoryview:
        if self.filled == len(self.buffer):
            self.buffer = self.buffer + bytes(len(self.buffer))
        return memoryview(self.buffer)[self.filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self.filled += nbytes
        if self.end == 0:
            self._measure()
        if self.filled == self.end and self.number is not None:
            seconds = time.perf_counter() - self.sent_at
            self.run.answered(self.number, seconds, self.buffer, self.head, self.end)
            self.ask()
            self.run.settle()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.number is not None:
            self.run.fail("A connection was closed before its answer came.")

    def _measure(self) -> None:
        """Find out how long the answer is, once its head is there."""
        found = self.buffer.find(_HEAD_END, 0, self.filled)
        if found < 0:
            return
        head = bytes(self.buffer[:found]).lower()
        length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        if not head.startswith(b"http/1.1 200") or not length:
            self.run.fail(f"An answer began with {bytes(self.buffer[: self.filled])[:500]!r}.")
            return
        self.head = found + len(_HEAD_END)
        self.end = self.head + int(length)


class Run:
    """One task under way."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.latencies = array("d")
        self.bodies: dict[int, bytes] = {}
        self.outstanding = 0
        self.deadline = 0.0
        numbers = range(len(task.requests))
        self._numbers: Iterator[int] = iter(numbers) if task.once else cycle(numbers)

    async def outcome(self) -> Outcome:
        """Do the task; what was asked within its time is waited for, so that all that was spent is counted."""
        loop = asyncio.get_running_loop()
        lanes = [Lane(self) for _ in range(CONNECTIONS)]
        for lane in lanes:
            await loop.create_connection(partial(_same, lane), "127.0.0.1", self.task.port)
        try:
            began, cpu = time.perf_counter(), time.process_time()
            self.deadline = began + self.task.seconds
            for lane in lanes:
                lane.ask()
            async with asyncio.timeout(self.task.seconds + PATIENCE):
                await self.over
            ended, cpu = time.perf_counter(), time.process_time() - cpu
        finally:
            for lane in lanes:
                lane.number = None
                lane.transport.abort()
        ordered = sorted(self.latencies)
        p50, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
        bodies = [self.bodies[number] for number in sorted(self.bodies)]
        return Outcome(len(ordered), ended - began, p50, p99, cpu, bodies)

    def next_number(self) -> int | None:
        """Choose what is to be asked next."""
        number = next(self._numbers, None) if time.perf_counter() < self.deadline else None
        self.outstanding += number is not None
        return number

    def answered(self, number: int, seconds: float, buffer: bytearray, start: int, end: int) -> None:
        """Count an answer."""
        self.latencies.append(seconds)
        self.outstanding -= 1
        if self.task.keep:
            self.bodies[number] = bytes(buffer[start:end])

    def settle(self) -> None:
        """End when every answer has come and nothing more was asked."""
        if self.outstanding == 0 and not self.over.done():
            self.over.set_result(None)

    def fail(self, why: str) -> None:
        """Give up."""
        if not self.over.done():
            self.over.set_exception(Failed(why))


def _same(lane: Lane) -> Lane:
    return lane


class Load:
    """The other process, as this one sees it."""

    def __init__(self, pipe: "Connection[Task | None, Outcome | Exception]") -> None:
        self._pipe = pipe

    async def outcome(self, task: Task) -> Outcome:
        """Have a task done."""
        self._pipe.send(task)
        found = await asyncio.to_thread(self._pipe.recv)
        if isinstance(found, Exception):
            raise found
        return found


@contextmanager
def load() -> Iterator[Load]:
    """Have a process that makes load."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Load(ours)
    finally:
        # It ends when nobody is left to give it a task.
        ours.close()
        process.join(PATIENCE)


def _serve(pipe: "Connection[Outcome | Exception, Task | None]") -> None:
    # Ctrl-C reaches this process too, but who is to end here is the other one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with pipe:
        while True:
            try:
                task = pipe.recv()
            except EOFError:
                return
            assert task is not None
            try:
                pipe.send(uvloop.run(_outcome(task)))
            except Exception as error:
                pipe.send(error)


async def _outcome(task: Task) -> Outcome:
    return await Run(task).outcome()
