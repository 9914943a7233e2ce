"""Followers of a log: what they are told, in which order and at which pace, and how long they may go on."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from app.domain.errors import Forbidden, NotFound, Unauthenticated
from app.domain.run import IngestionEventKind

# For how long a lost ring of the bell can go unnoticed.
LOOK_SECONDS = 1.0
# A change of rights is told to every process and looked at on the spot; this is for a word that got lost.
RIGHTS_SECONDS = 5.0
# Readings reach a client about ten times a second, whoever writes them how often; a second's worth may come at once.
READING_SECONDS = 0.095
BURST = 10

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a log, and how it was spelt already."""

    row: Mapping[str, Any]
    spelt: dict[Any, bytes | None] = field(default_factory=dict)

    @property
    def sequence(self) -> int:
        """Give its number in the log."""
        return int(self.row["sequence"])

    @property
    def passes(self) -> bool:
        """Tell whether it is a mere reading, which a newer one makes worthless."""
        return bool(self.row.get("kind") == IngestionEventKind.PROGRESS)

    @property
    def is_last(self) -> bool:
        """Tell whether nothing can follow it."""
        return bool(self.row.get("kind") == IngestionEventKind.FINISHED)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one subscriber is told next, and how many readings were left out before it."""

    entry: Entry
    skipped: int
    sequence: int

    @classmethod
    def behind(cls, last: int, entry: Entry) -> "Delivery":
        """Tell an event to those who heard another one last."""
        return cls(entry, entry.sequence - last - 1, entry.sequence)

    @property
    def event(self) -> Mapping[str, Any]:
        """Give the event as resolvers read it."""
        return {**self.entry.row, "skipped": self.skipped}


# Takes a delivery at once, or tells that its follower is not ready: then it must be woken to come for it.
Push = Callable[[Delivery], bool]
# Raises where the follower may not go on.
Rights = Callable[[], Awaitable[None]]


class Follower:
    """One subscriber, as far as a feed must know."""

    __slots__ = ("_asked", "_push", "_rights", "_woken", "ended", "last")

    def __init__(self, last: int, rights: Rights, push: Push | None) -> None:
        self.last = last
        self.ended = False
        self._rights = rights
        self._push = push
        self._asked = time.monotonic()
        self._woken: asyncio.Future[None] | None = None

    async def permitted(self) -> None:
        """Ask again whether this viewer may go on, unless that was asked just now."""
        if time.monotonic() - self._asked >= LOOK_SECONDS:
            await self._rights()
            self._asked = time.monotonic()

    async def look(self) -> None:
        """End the wait of a follower who may not go on; where nobody can tell, they may until somebody can."""
        try:
            await self._rights()
        except (Unauthenticated, NotFound, Forbidden) as refusal:
            self.fail(refusal)
        except Exception:  # the database is away, above all
            log.warning("could not check a follower's rights again", exc_info=True)
        self._asked = time.monotonic()

    async def wait(self) -> None:
        """Wait until something must be fetched, or there is nothing more to come."""
        self._woken = asyncio.get_running_loop().create_future()
        await self._woken

    def hear(self, told: Sequence[Delivery], before: int, *, ends: bool) -> None:
        """Be pushed what is new behind `before`; whoever cannot take it wakes up, and everybody at the end."""
        woken = self._woken
        if woken is None or woken.done():
            return
        if self._push is not None and self.last == before:
            try:
                for delivery in told:
                    if not self._push(delivery):
                        break
                    self.last = delivery.sequence
                else:
                    self.ended = ends
                    if not ends:
                        return
            except Exception as error:  # what breaks one must not break the others
                self.fail(error)
                return
        woken.set_result(None)

    def fail(self, error: Exception) -> None:
        """End the wait with an error."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_exception(error)


class Pace:
    """Lets readings through at a steady rate, a few of them close together."""

    def __init__(self) -> None:
        self._due = 0.0

    def pause(self, now: float) -> float:
        """Tell for how long the next reading must be held back."""
        return max(self._due - now, 0.0)

    def free(self, now: float) -> int:
        """Count the readings that may pass at this moment; one always may, for the newest must not wait for ever."""
        # Not a hair less: what a rounding takes away would be a whole reading.
        return max(int((now - self._since(now)) / READING_SECONDS + 1e-6) + 1, 1)

    def take(self, count: int, now: float) -> None:
        """Let so many pass."""
        self._due = self._since(now) + count * READING_SECONDS

    def _since(self, now: float) -> float:
        return max(self._due, now - (BURST - 1) * READING_SECONDS)


def paced(entries: Sequence[Entry], last: int, pace: Pace) -> list[Delivery]:
    """Tell those who have kept up as much as the pace allows: only what goes beyond it is left out."""
    now = time.monotonic()
    passing = [entry.sequence for entry in entries if entry.passes]
    free = pace.free(now)
    if len(passing) > free:
        # The newest passes in any case, so that one of the free places is its.
        passing = passing[: free - 1]
    told = coalesced(entries, last, passing[-1] if passing else last)
    pace.take(sum(delivery.entry.passes for delivery in told), now)
    return told


def coalesced(entries: Sequence[Entry], last: int, settled: int) -> list[Delivery]:
    """Leave out each reading behind `settled` that a newer one of the same batch follows at once."""
    told: list[Delivery] = []
    for index, entry in enumerate(entries):
        following = entries[index + 1] if index + 1 < len(entries) else None
        if entry.passes and following is not None and following.passes and entry.sequence > settled:
            continue
        told.append(Delivery.behind(last, entry))
        last = entry.sequence
    return told
