"""The pool of hands: work is dealt out in batches, by turns among parties; an item that kills its hand costs itself."""

import asyncio
import json
import os
import pickle
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import OrderedDict, deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Callable,
    Hashable,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import AbstractContextManager, aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any, TypeVar

from app.hands.child import HEAD, Request
from app.hands.plain import read_plain

Context = TypeVar("Context")
Item = TypeVar("Item")
Answer = TypeVar("Answer")

Craft = Callable[[Context], AbstractContextManager[Callable[[Sequence[Item]], Iterable[Answer]]]]
"""A function of a module: given a context, which each hand gets once, it prepares what answers items one by one.

The function, the context and the items go to a child process, the answers come back from it; so all of them are plain
data, and dataclasses and enumerations of it. It may be asked about an item again, so it changes nothing.
"""

BATCH = 200
_STREAMS_KEPT = 4
# A further process costs half a second of a processor's time and 50 MB: it comes when work has waited twice as long.
_PATIENCE = 1.0
_STILLBORN = 3
# What children need of our environment; none of the secrets that it holds.
_PASSED = ("PATH", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
_CODE = """
import sys
sys.path[:] = __import__("json").loads(sys.argv[3])
from app.hands.child import main
main(int(sys.argv[1]), int(sys.argv[2]))
"""


class Fate(StrEnum):
    """Why an item has no answer."""

    TOO_LONG = "took too long"
    TOO_MUCH_MEMORY = "needed too much memory"
    DIED = "ended its process"
    RAISED = "cannot be worked on"


@dataclass(frozen=True, slots=True)
class Lost:
    """An item that has no answer, and why."""

    fate: Fate
    story: str


class HandFailed(Exception):
    """What was asked of a hand has no answer, and nobody asked for less than an answer."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(f"{lost.fate.value}: {lost.story}")
        self.lost = lost


class Hands:
    """So many child processes at most: one when the first is needed, and twice as many whenever work keeps waiting."""

    def __init__(self, most: int, megabytes: int, *, patience: float = _PATIENCE) -> None:
        self.most = most
        self._room = 1
        self._patience = patience
        self._widening: asyncio.TimerHandle | None = None
        self._memory = megabytes << 20
        self._streams = count()
        self._idle: list[_Hand] = []
        self._alive: set[_Hand] = set()
        self._busy = 0
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def pids(self) -> set[int]:
        """The processes that live."""
        return {hand.process.pid for hand in self._alive}

    async def do(self, function: Callable[..., Answer], *data: Any, seconds: float, party: Hashable = None) -> Answer:
        """Call one function in a child process; raises `HandFailed` where that gives no answer."""
        craft: Craft[Any, Any, Answer] = _calling
        async with aclosing(self.each(craft, function, [data], seconds=seconds, party=party)) as calls:
            _, answer = await anext(calls)
        if isinstance(answer, Lost):
            raise HandFailed(answer)
        return answer

    async def each(
        self,
        craft: Craft[Context, Item, Answer],
        context: Context,
        items: Iterable[Item] | AsyncIterable[Item],
        *,
        seconds: float,
        batch: int = BATCH,
        party: Hashable = None,
    ) -> AsyncGenerator[tuple[Item, Answer | Lost], None]:
        """Work on items in as many processes as there are, and give each with its answer, in order.

        `seconds` is what one item may take of a processor's time. Parties, say organizations, have turns by batches.
        Items are taken as they are needed, so neither they nor the answers are all held at once; a generator of them
        is closed at the end, whatever it came to.
        """
        stream = _Stream(next(self._streams), pickle.dumps((craft, context), protocol=5), seconds, party)
        under_way: deque[asyncio.Task[list[tuple[Item, Answer | Lost]]]] = deque()
        batches = _batches(items, batch)
        try:
            while True:
                while len(under_way) < 2 * self.most and (piece := await anext(batches, None)) is not None:
                    under_way.append(asyncio.create_task(self._batch(stream, piece)))
                if not under_way:
                    return
                for pair in await under_way.popleft():
                    yield pair
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            await batches.aclose()
            for hand in self._alive:
                hand.forget(stream.number)

    def expect(self, hands: int) -> None:
        """Make places for work that is sure to come, so that it need not wait for them."""
        self._room = max(self._room, min(hands, self.most))

    async def close(self) -> None:
        """End all children."""
        if self._widening is not None:
            self._widening.cancel()
        await asyncio.gather(*(self._discard(hand) for hand in list(self._alive)))

    async def _batch(self, stream: "_Stream", items: list[Any]) -> list[tuple[Any, Any]]:
        answers: list[Any] = []
        careful = False
        while len(answers) < len(items):
            rest = items[len(answers) :]
            found, lost, ready = await self._try(stream, rest, careful=careful)
            answers += found
            if not ready:
                stream.stillborn += 1
                if stream.stillborn == _STILLBORN:
                    raise HandFailed(lost or _fate(0))
            elif lost is None:
                if len(found) != len(rest):
                    raise RuntimeError(f"a craft gave {len(found)} answers for {len(rest)} items")
            # Unless answers came one by one, nobody knows at which item the hand died; and one may have died of
            # something that was not its fault.
            elif (
                careful
                or lost.fate in (Fate.RAISED, Fate.TOO_MUCH_MEMORY)
                or (len(rest) == 1 and lost.fate is Fate.TOO_LONG)
            ):
                answers.append(lost)
            else:
                careful = True
        return list(zip(items, answers, strict=True))

    async def _try(self, stream: "_Stream", items: list[Any], *, careful: bool) -> tuple[list[Any], Lost | None, bool]:
        await self._turn(stream.party)
        hand = None
        try:
            hand = self._idle.pop() if self._idle else await self._start()
            found, lost, ready = await hand.work(stream, items, careful=careful)
            if lost is None or lost.fate is Fate.RAISED:
                self._idle.append(hand)
                hand = None
            return found, lost, ready
        finally:
            # One that died is seen off; one that is cut short cannot be stopped in any other way.
            if hand is not None:
                await asyncio.shield(self._discard(hand))
            self._pass_on()

    async def _turn(self, party: Hashable) -> None:
        """Wait for a place among those there are by now."""
        if self._busy < self._room:
            self._busy += 1
            return
        self._widen_soon()
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(party, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give up a place, to whoever has waited longest for one."""
        if not self._give():
            self._busy -= 1

    def _give(self) -> bool:
        """Give a place to the party that has waited longest for one; whoever gets it goes to the end."""
        while self._waiting:
            party, places = self._waiting.popitem(last=False)
            place = places.popleft()
            if places:
                self._waiting[party] = places
            if not place.done():
                place.set_result(None)
                return True
        return False

    def _widen_soon(self) -> None:
        if self._room < self.most and self._widening is None:
            self._widening = asyncio.get_running_loop().call_later(self._patience, self._widen)

    def _widen(self) -> None:
        """Make more places if work waits still."""
        self._widening = None
        before = self._room
        while self._room < min(2 * before, self.most) and self._give():
            self._room += 1
            self._busy += 1
        if self._waiting:
            self._widen_soon()

    async def _start(self) -> "_Hand":
        starting = asyncio.create_task(_Hand.start(self._memory))
        try:
            hand = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Half a start cannot be undone without leaving something behind.
            await asyncio.wait({starting})
            await asyncio.shield(starting.result().end())
            raise
        self._alive.add(hand)
        return hand

    async def _discard(self, hand: "_Hand") -> None:
        self._alive.discard(hand)
        with suppress(ValueError):
            self._idle.remove(hand)
        await hand.end()


@dataclass(slots=True)
class _Stream:
    """What all items of one call have in common."""

    number: int
    opening: bytes
    seconds: float
    party: Hashable
    stillborn: int = 0
    """So many hands did not come to the first item."""


@dataclass(slots=True, eq=False)
class _Hand:
    """One child process."""

    process: Process
    streams: list[int] = field(default_factory=list)
    """Those it is prepared for, the one that it worked for last at the end."""

    @classmethod
    async def start(cls, memory: int) -> "_Hand":
        """Start one, with nothing of ours but pipes."""
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _CODE, str(os.getpid()), str(memory), json.dumps(sys.path)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env={name: os.environ[name] for name in _PASSED if name in os.environ},
                start_new_session=True,
            )
        )

    async def work(self, stream: _Stream, items: list[Any], *, careful: bool) -> tuple[list[Any], Lost | None, bool]:
        """Let it work on items; gives the answers, what became of the item after the last, and if it came so far."""
        fresh = stream.number not in self.streams
        if not fresh:
            self.streams.remove(stream.number)
        self.streams.append(stream.number)
        while len(self.streams) > _STREAMS_KEPT:
            self.forget(self.streams[0])
        self._ask(Request(stream.number, stream.opening if fresh else None, items, stream.seconds, careful))
        found: list[Any] = []
        ready = False
        try:
            while isinstance(message := await self._hear(), list):
                ready = True
                found += map(read_plain, message)
        except (asyncio.IncompleteReadError, ConnectionError):
            return found, _fate(await self.end()), ready
        except pickle.UnpicklingError as error:
            return found, Lost(Fate.DIED, f"its process gave no proper answer: {error}"), ready
        if message is None:
            return found, None, ready
        where, kind, words = message
        fate = Fate.TOO_MUCH_MEMORY if kind == MemoryError.__name__ else Fate.RAISED
        lost = Lost(fate, f"{kind}: {words}" if words else kind)
        if where == "craft":
            raise HandFailed(lost)
        return found, lost, ready

    def forget(self, stream: int) -> None:
        """Have what was prepared for a stream put away; one that works does so when it is done."""
        if stream in self.streams:
            self.streams.remove(stream)
            self._ask(Request(stream, None, (), 0, careful=False))

    async def end(self) -> int:
        """End it and all that it started, and give its exit status."""
        # Some systems answer for a group of zombies that it may not be killed.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        # A pipe whose end nobody reads keeps asyncio from noticing that the process is gone.
        while await self.process.stdout.read(1 << 20):
            pass
        return await self.process.wait()

    def _ask(self, request: Request) -> None:
        # Not drained: the child reads all of a request before it answers, and one that died is told by its silence.
        assert self.process.stdin is not None
        body = pickle.dumps(request, protocol=5)
        self.process.stdin.write(len(body).to_bytes(HEAD) + body)

    async def _hear(self) -> Any:
        assert self.process.stdout is not None
        head = await self.process.stdout.readexactly(HEAD)
        return read_plain(await self.process.stdout.readexactly(int.from_bytes(head)))


def cores() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _fate(status: int) -> Lost:
    if -status in (signal.SIGPROF, signal.SIGALRM):
        return Lost(Fate.TOO_LONG, "its time was over")
    with suppress(ValueError):
        return Lost(Fate.DIED, f"its process ended by {signal.Signals(-status).name}")
    return Lost(Fate.DIED, f"its process ended with exit status {status}")


async def _batches(items: Iterable[Item] | AsyncIterable[Item], size: int) -> AsyncGenerator[list[Item], None]:
    batch: list[Item] = []
    async with aclosing(_each_of(items)) as each:
        async for item in each:
            batch.append(item)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch


async def _each_of(items: Iterable[Item] | AsyncIterable[Item]) -> AsyncGenerator[Item, None]:
    if isinstance(items, AsyncGenerator):
        # It may hold a child process of its own, which is not to wait for the collector of garbage.
        async with aclosing(items):
            async for item in items:
                yield item
    elif isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


@contextmanager
def _calling(function: Callable[..., Answer]) -> Iterator[Callable[[Sequence[Sequence[Any]]], Iterable[Answer]]]:
    yield lambda calls: (function(*data) for data in calls)
