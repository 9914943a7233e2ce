"""Counts in fixed windows: in Redis for all processes together, and in this one alone while Redis is away.

No Lua, which the embedded server forbids: `MULTI { SET k 0 EX w NX, INCRBY k n, PTTL k }` is one round trip, and a
window that nobody draws on goes by itself.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from redis import exceptions

from app.gateways.redis import PASSING, open_redis

T = TypeVar("T")

PREFIX = "tenet:rate:"
# Whoever waits for a count is a person or a program in the middle of a request.
PATIENCE_SECONDS = 0.25
# After a failure nobody tries again for so long: a request must not pay for what the one before it found out.
PAUSE_SECONDS = 1.0
MOST_KEPT = 100_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a window stands: what was drawn from it, and how long it lasts."""

    total: int
    seconds_left: float


class Windows(Protocol):
    """Where counts are kept."""

    async def add(self, key: str, amount: int, seconds: int) -> Standing:
        """Draw on a window, which opens with the first draw."""

    async def hold(self, key: str, seconds: float) -> float:
        """Hold a key for a while and give 0, or tell for how many seconds it is still held."""

    async def is_held(self, key: str) -> bool:
        """Tell whether a key is held."""

    async def clear(self, *keys: str) -> None:
        """Forget windows and holds."""


class LocalWindows:
    """Counts of this process, a bounded number of them."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._kept: OrderedDict[str, tuple[int, float]] = OrderedDict()

    async def add(self, key: str, amount: int, seconds: int) -> Standing:
        """Draw on a window, which opens with the first draw."""
        total, left = self._standing(key)
        left = left or seconds
        self._keep(key, total + amount, left)
        return Standing(total + amount, left)

    async def hold(self, key: str, seconds: float) -> float:
        """Hold a key for a while and give 0, or tell for how many seconds it is still held."""
        _, left = self._standing(key)
        if not left:
            self._keep(key, 0, seconds)
        return left

    async def is_held(self, key: str) -> bool:
        """Tell whether a key is held."""
        return self._standing(key)[1] > 0

    async def clear(self, *keys: str) -> None:
        """Forget windows and holds."""
        for key in keys:
            self._kept.pop(key, None)

    def _standing(self, key: str) -> tuple[int, float]:
        total, until = self._kept.get(key, (0, 0.0))
        left = until - self._ticks()
        return (total, left) if left > 0 else (0, 0.0)

    def _keep(self, key: str, total: int, seconds: float) -> None:
        self._kept[key] = (total, self._ticks() + seconds)
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


class RedisWindows:
    """Counts of the whole installation."""

    def __init__(self, url: str) -> None:
        self._redis = open_redis(url, tries=0, patience=PATIENCE_SECONDS)

    async def add(self, key: str, amount: int, seconds: int) -> Standing:
        """Draw on a window, which opens with the first draw."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(PREFIX + key, 0, ex=seconds, nx=True)
            pipe.incrby(PREFIX + key, amount)
            pipe.pttl(PREFIX + key)
            _, total, left = await pipe.execute()
        return Standing(total, max(left, 1) / 1000)

    async def hold(self, key: str, seconds: float) -> float:
        """Hold a key for a while and give 0, or tell for how many seconds it is still held."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(PREFIX + key, 1, px=int(seconds * 1000), nx=True)
            pipe.pttl(PREFIX + key)
            held, left = await pipe.execute()
        return 0.0 if held else max(left, 1) / 1000

    async def is_held(self, key: str) -> bool:
        """Tell whether a key is held."""
        return bool(await self._redis.exists(PREFIX + key))

    async def clear(self, *keys: str) -> None:
        """Forget windows and holds."""
        await self._redis.delete(*(PREFIX + key for key in keys))

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose(close_connection_pool=True)


class SteadyWindows:
    """Counts in Redis, and goes on by itself while Redis is away: limits hold in each process then."""

    def __init__(self, shared: RedisWindows, alone: LocalWindows, ticks: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._alone = alone
        self._ticks = ticks
        self._away_until = 0.0

    async def add(self, key: str, amount: int, seconds: int) -> Standing:
        """Draw on a window, which opens with the first draw."""
        return await self._first(lambda windows: windows.add(key, amount, seconds))

    async def hold(self, key: str, seconds: float) -> float:
        """Hold a key for a while and give 0, or tell for how many seconds it is still held."""
        return await self._first(lambda windows: windows.hold(key, seconds))

    async def is_held(self, key: str) -> bool:
        """Tell whether a key is held."""
        return await self._first(lambda windows: windows.is_held(key))

    async def clear(self, *keys: str) -> None:
        """Forget windows and holds."""
        await self._first(lambda windows: windows.clear(*keys))

    async def _first(self, ask: Callable[[Windows], Awaitable[T]]) -> T:
        if self._ticks() >= self._away_until:
            try:
                return await ask(self._shared)
            except (exceptions.RedisError, *PASSING) as error:
                self._away_until = self._ticks() + PAUSE_SECONDS
                log.warning("Redis does not count; limits hold in this process alone", error=str(error))
        return await ask(self._alone)
