"""Live feeds: everybody who follows a log in this process shares one reader and one bell.

A follower walks the log by sequence. Whoever has kept up is pushed each event in the moment in which it is read;
whoever has not, or takes no push, comes for it: to the ring, which holds what was read last, or to PostgreSQL. The bell
only says that it is time to look, so nothing depends on hearing it.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.errors import NotFound, Unavailable
from app.domain.events import CredentialRevoked, Event
from app.domain.ids import new_id
from app.runtime import Runtime
from resolvers.live.followers import LOOK_SECONDS, RIGHTS_SECONDS, Delivery, Entry, Follower, Pace, coalesced, paced

RING = 256
BATCH = 500
# After so many followers everybody else in this process has a turn.
AT_ONCE = 250

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Log:
    """A kind of log, numbered upwards for each subject: how it is read, how far each reaches, and what rings for it."""

    noun: str
    rings: type[Event]
    after: Callable[[AsyncSession, UUID, int | None, int], Awaitable[Sequence[Mapping[str, Any]]]]
    tails: Callable[[AsyncSession, Sequence[UUID]], Awaitable[Mapping[UUID, int]]]
    # Whether each number is one more than the one before it.
    is_dense: bool = True


class FellBehind(Exception):
    """The log, which is bounded, does not reach back any more to what this subscriber would be told next."""


class Feed:
    """What this process knows of one log."""

    def __init__(self, runtime: Runtime, kind: Log, subject_id: UUID) -> None:
        self.kind = kind
        self.subject_id = subject_id
        self.tail = -1
        self.holders = 0
        self.ready = asyncio.Event()
        self._runtime = runtime
        self._ring: deque[Entry] = deque(maxlen=RING)
        self._pace = Pace()
        self._waiting: dict[Follower, None] = {}
        self._look = asyncio.Event()
        self._reach = 0
        self._fault: Exception | None = None

    async def read(self) -> None:
        """Keep up with the log until nobody follows any more."""
        async with self._runtime.bus.listen(self.kind.rings(self.subject_id, 0).channel) as bell:
            ringing = asyncio.create_task(self._hear(bell), name="bell of a feed")
            try:
                # A feed begins with the newest stretch: most come to see what happens now.
                await self._publish(await self._rows(None, RING // 2))
                self.tail = max(self.tail, 0)
                self.ready.set()
                while True:
                    await self._look.wait()
                    self._look.clear()
                    await self._catch_up()
            except Exception as error:
                self.fail(error)
                raise
            finally:
                ringing.cancel()

    def look(self, reach: int = 0) -> None:
        """Say that it is time to look, and how far the log reaches if that is known."""
        self._reach = max(self._reach, reach)
        self._look.set()

    def fail(self, error: Exception) -> None:
        """End this feed for everybody."""
        self._fault = error
        for follower in self.waiting():
            follower.fail(error)

    def waiting(self) -> Sequence[Follower]:
        """List those who wait for what comes next."""
        return tuple(self._waiting)

    async def after(self, sequence: int) -> Sequence[Entry]:
        """Give the events behind a number, oldest first; at most a batch."""
        self._whole()
        if self.tail <= sequence:
            return ()
        if self._ring and self._ring[0].sequence <= sequence + 1:
            return [entry for entry in self._ring if entry.sequence > sequence]
        # What was read but is still held back is not told here either.
        return [Entry(row) for row in await self._rows(sequence, BATCH) if row["sequence"] <= self.tail]

    async def beyond(self, follower: Follower) -> None:
        """Wait until there is something that a follower must come for; meanwhile they are pushed what they take."""
        while self.tail <= follower.last and not follower.ended:
            self._whole()
            self._waiting[follower] = None
            try:
                await follower.wait()
            finally:
                del self._waiting[follower]

    async def _hear(self, bell: Any) -> None:
        while True:
            if await bell.wait(60):
                self.look()

    async def _catch_up(self) -> None:
        try:
            more = True
            while more:
                reach = self._reach
                rows = await self._rows(self.tail, BATCH)
                more = len(rows) == BATCH
                if rows and all(Entry(row).passes for row in rows):
                    pause = self._pace.pause(time.monotonic())
                    if pause:
                        await asyncio.sleep(pause)
                        rows = [*rows, *await self._rows(rows[-1]["sequence"], BATCH)]
                await self._publish(rows)
            if self.tail < reach:
                # The log was cleared away: those who wait find out that there is a present, but no way to it.
                self.tail = reach
                for follower in self.waiting():
                    follower.hear((), -1, ends=False)
        except (Unavailable, SQLAlchemyError, OSError) as error:
            # The look-out sends us again when the database is back.
            log.warning("a live feed cannot read its log", error=str(error))

    async def _publish(self, rows: Sequence[Mapping[str, Any]]) -> None:
        entries = [Entry(row) for row in rows]
        if not entries:
            return
        before, self.tail = self.tail, entries[-1].sequence
        self._ring.extend(entries)
        told = paced(entries, before, self._pace)
        if self.kind.is_dense and entries[0].sequence != before + 1:
            before = -1
        ends = entries[-1].is_last
        for number, follower in enumerate(self.waiting(), 1):
            follower.hear(told, before, ends=ends)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _rows(self, after: int | None, most: int) -> Sequence[Mapping[str, Any]]:
        async with self._runtime.read() as session:
            return await self.kind.after(session, self.subject_id, after, most)

    def _whole(self) -> None:
        if self._fault is not None:
            raise self._fault


class Feeds:
    """The feeds that somebody follows, and the look-out for all of them."""

    def __init__(self, runtime: Runtime, forget_viewers: Callable[[], None]) -> None:
        self._runtime = runtime
        self._forget_viewers = forget_viewers
        self._open: dict[tuple[Log, UUID], tuple[Feed, asyncio.Task[None]]] = {}
        self._looking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def of(self, kind: Log, subject_id: UUID) -> AsyncIterator[Feed]:
        """Follow a log; inside the block every later event will come."""
        key = (kind, subject_id)
        known = self._open.get(key)
        if known is None or known[1].done():
            opened = Feed(self._runtime, kind, subject_id)
            reader = asyncio.create_task(opened.read(), name=f"feed of {kind.noun} {subject_id.hex}")
            reader.add_done_callback(_heard_of)
            known = self._open[key] = (opened, reader)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_out(), name="look-out of the feeds")
        feed, reader = known
        feed.holders += 1
        try:
            ready = asyncio.create_task(feed.ready.wait())
            try:
                await asyncio.wait({ready, reader}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                # Whoever leaves before a feed is ready would leave it waiting for ever.
                ready.cancel()
            if reader.done():
                await reader
            yield feed
        finally:
            feed.holders -= 1
            if not feed.holders:
                reader.cancel()
                if self._open.get(key) is known:
                    del self._open[key]

    async def close(self) -> None:
        """Look out no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look_out(self) -> None:
        """See what no bell told: of new events, of logs that are gone, and of rights that were lost."""
        async with self._runtime.bus.listen(CredentialRevoked(new_id(), 0).channel) as bell:
            try:
                asked = time.monotonic()
                while self._open:
                    heard = await bell.wait(LOOK_SECONDS)
                    if heard:
                        self._forget_viewers()
                    feeds = [feed for feed, _ in self._open.values() if feed.ready.is_set()]
                    try:
                        await self._look_at(feeds)
                    except Exception:  # whatever it is, the next look may be better
                        log.warning("the look-out of the live feeds sees nothing", exc_info=True)
                    if heard or time.monotonic() - asked >= RIGHTS_SECONDS:
                        asked = time.monotonic()
                        for follower in [follower for feed in feeds for follower in feed.waiting()]:
                            await follower.look()
            finally:
                self._looking = None

    async def _look_at(self, feeds: Sequence[Feed]) -> None:
        for kind in {feed.kind for feed in feeds}:
            theirs = [feed for feed in feeds if feed.kind is kind]
            async with self._runtime.read() as session:
                tails = await kind.tails(session, [feed.subject_id for feed in theirs])
            for feed in theirs:
                tail = tails.get(feed.subject_id)
                if tail is None:
                    feed.fail(NotFound(f"No such {kind.noun}."))
                elif tail > feed.tail:
                    feed.look(tail)


def _heard_of(reader: "asyncio.Task[None]") -> None:
    # Those who follow hear why their feed ended; where nobody follows any more there is nobody to tell.
    if not reader.cancelled():
        reader.exception()


async def deliveries(feed: Feed, follower: Follower, *, complete: bool) -> AsyncGenerator[Delivery, None]:
    """Tell what a follower is not pushed: every event once, in order; old readings make way for the newest.

    Raises `FellBehind` where the log has been shortened meanwhile.
    With `complete` nothing of what the log holds now is left out: that is what a client asked for who comes back.
    """
    settled = feed.tail if complete else follower.last
    while not follower.ended:
        entries = await feed.after(follower.last)
        if feed.kind.is_dense and (entries[0].sequence != follower.last + 1 if entries else feed.tail > follower.last):
            raise FellBehind
        for delivery in coalesced(entries, follower.last, settled):
            await follower.permitted()
            yield delivery
            follower.last = delivery.entry.sequence
            if delivery.entry.is_last:
                return
        await feed.beyond(follower)
