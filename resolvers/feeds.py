"""Live feeds: everybody who follows a run in this process shares one reader, one bell and, per selection, one encoding.

A subscriber walks the log of events by sequence: what others in this process read already it takes from the ring, the
rest from PostgreSQL. The bell only says that it is time to look, so nothing depends on hearing it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.domain.events import RunAdvanced
from app.domain.run import IngestionEventKind
from app.reads import runs
from app.runtime import Runtime

RING = 512
BATCH = 500
# How long a lost ring can go unnoticed.
LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a run, and how it was spelt already for whom."""

    row: Mapping[str, Any]
    spelt: dict[Any, bytes] = field(default_factory=dict)

    @property
    def sequence(self) -> int:
        """Give its number in the run."""
        return int(self.row["sequence"])

    @property
    def kind(self) -> str:
        """Tell what it tells."""
        return str(self.row["kind"])


@dataclass(slots=True)
class RunFeed:
    """What this process knows of one run's log."""

    runtime: Runtime
    run_id: UUID
    ring: deque[Entry] = field(default_factory=lambda: deque(maxlen=RING))
    tail: int = -1
    followers: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        """Keep up with the log until nobody follows any more."""
        async with self.runtime.bus.listen(RunAdvanced(self.run_id, 0).channel) as bell:
            while True:
                rows = await self._rows(self.tail if self.tail >= 0 else None)
                for row in rows:
                    self.ring.append(Entry(row))
                    self.tail = row["sequence"]
                self.tail = max(self.tail, 0)
                if rows:
                    # Those who wait hold the old event; whoever comes now waits for the next.
                    news, self._news = self._news, asyncio.Event()
                    news.set()
                self.ready.set()
                if len(rows) < BATCH:
                    await bell.wait(LOOK_SECONDS)

    async def after(self, sequence: int) -> Sequence[Entry]:
        """Give the events behind a number, oldest first; at most a batch."""
        if self.tail <= sequence:
            return ()
        if self.ring and self.ring[0].sequence <= sequence + 1:
            skipped = sequence + 1 - self.ring[0].sequence
            return [self.ring[index] for index in range(skipped, len(self.ring))]
        return [Entry(row) for row in await self._rows(sequence)]

    async def beyond(self, sequence: int) -> None:
        """Wait until the log goes on behind a number."""
        while self.tail <= sequence:
            await self._news.wait()

    async def _rows(self, after: int | None) -> Sequence[Mapping[str, Any]]:
        async with self.runtime.read() as session:
            # A feed begins with the newest stretch of the log: most followers come to see what happens now.
            return await runs.events_after(session, self.run_id, after, BATCH if after is not None else RING // 2)


class Feeds:
    """The feeds that somebody follows."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._open: dict[UUID, tuple[RunFeed, asyncio.Task[None]]] = {}

    @asynccontextmanager
    async def of(self, run_id: UUID) -> AsyncIterator[RunFeed]:
        """Follow a run; inside the block every later event will come."""
        known = self._open.get(run_id)
        if known is None or known[1].done():
            feed = RunFeed(self._runtime, run_id)
            known = self._open[run_id] = (feed, asyncio.create_task(feed.read(), name=f"feed of run {run_id.hex}"))
        feed, reader = known
        feed.followers += 1
        try:
            ready = asyncio.create_task(feed.ready.wait())
            await asyncio.wait({ready, reader}, return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            if reader.done():
                await reader
            yield feed
        finally:
            feed.followers -= 1
            if not feed.followers:
                reader.cancel()
                if self._open.get(run_id) is known:
                    del self._open[run_id]


class FellBehind(Exception):
    """The log, which is bounded, does not reach back any more to what this subscriber would be told next."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one subscriber is told next."""

    entry: Entry
    skipped: int


async def deliveries(
    feed: RunFeed, start: int, permitted: Callable[[], Awaitable[None]], *, complete: bool
) -> AsyncGenerator[Delivery, None]:
    """Tell every event behind `start` once, in order; readings that are old already make way for the newest.

    Raises `FellBehind` where the log has been shortened meanwhile.
    With `complete` nothing of what the log holds now is left out: that is what a client asked for who comes back.
    """
    last = start
    settled = feed.tail if complete else start
    while True:
        entries = await feed.after(last)
        if entries[0].sequence != last + 1 if entries else feed.tail > last:
            raise FellBehind
        for delivery in _coalesced(entries, last, settled):
            await permitted()
            yield delivery
            last = delivery.entry.sequence
            if delivery.entry.kind == IngestionEventKind.FINISHED:
                return
        await feed.beyond(last)


def _coalesced(entries: Sequence[Entry], last: int, settled: int) -> list[Delivery]:
    """Leave out each reading that a newer one of the same batch follows at once."""
    told: list[Delivery] = []
    for index, entry in enumerate(entries):
        following = entries[index + 1] if index + 1 < len(entries) else None
        stale = entry.kind == IngestionEventKind.PROGRESS and following is not None and following.kind == entry.kind
        if stale and entry.sequence > settled:
            continue
        told.append(Delivery(entry, entry.sequence - last - 1))
        last = entry.sequence
    return told
