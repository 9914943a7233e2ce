"""Rates: how much anybody may ask in a minute, and how soon a password may be tried again.

Budgets are fixed windows, for each viewer and for each stranger's address. Reads draw on slices that a process leases
from a window, so that most of them need no round trip; writes, new connections and sign-ins are counted one by one.
"""

import asyncio
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from app.config import Settings
from app.domain.errors import RateLimited
from app.gateways.windows import Standing, Windows

MINUTE = 60
HOUR = 3600
MONTH = 30 * 24 * HOUR
# A process leases at most the twentieth part of a budget at a time.
SLICE = 20
MOST_LEASES = 20_000
# So many refused credentials a minute one place may send before it is told to wait: nobody guesses one, but a program
# that goes on with a key that ended would ask the database each time.
REFUSED_PER_MINUTE = 600


@dataclass(frozen=True, slots=True)
class Charge:
    """What an operation was charged, and what is left of the budget it came from."""

    limit: int
    cost: int
    remaining: int
    resets_at: float

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Spell the standing for clients that know no GraphQL; the reset in seconds since 1970, as GitHub has it."""
        return (
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % math.ceil(self.resets_at)),
        )


class OverLimit(RateLimited):
    """A budget is used up; its standing goes into the headers of the refusal."""

    def __init__(self, what: str, charge: Charge, seconds: float) -> None:
        super().__init__(f"Too many {what}; {charge.limit} in one window are allowed.", retry_after=_whole(seconds))
        self.charge = charge


@dataclass(frozen=True, slots=True)
class Delay:
    """How attempts are slowed: some are free, then each waits twice as long as the one before it."""

    free: int
    longest: float

    def after(self, attempts: int) -> float:
        """Tell for how many seconds nothing more is tried after so many attempts."""
        excess = attempts - self.free
        return 0.0 if excess <= 0 else min(self.longest, 2.0 ** min(excess - 1, 30))


# Whom may wrong passwords slow down? One account from one place: whoever tries there. One place, whatever the account:
# whoever tries many. One account from anywhere: everybody, for seconds at a time. An attacker can keep all of these
# going. So where a person has signed in before only the first holds, and in a browser in which they have nothing counts
# but what was typed there: nobody else can lock them out, not even a neighbour behind the same address.
PAIR = Delay(free=5, longest=60.0)
PLACE = Delay(free=30, longest=60.0)
ACCOUNT = Delay(free=20, longest=5.0)


@dataclass(slots=True)
class _Lease:
    """What this process may still give away of one window."""

    left: int = 0
    total: int = 0
    until: float = 0.0
    exhausted: bool = False
    drawing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Rates:
    """All limits of one process."""

    def __init__(self, settings: Settings, windows: Windows, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._windows = windows
        self._ticks = ticks
        self._reads = settings.allowance(settings.reads_per_minute)
        self._writes = settings.allowance(settings.writes_per_minute)
        self._connections = settings.allowance(settings.connections_per_minute)
        self._sign_ups = settings.allowance(settings.sign_ups_per_hour)
        self._refused = settings.allowance(REFUSED_PER_MINUTE)
        self._leases: OrderedDict[str, _Lease] = OrderedDict()

    async def read(self, who: str, cost: int) -> Charge | None:
        """Charge a read; None where reads have no limit."""
        limit = self._reads
        if not limit:
            return None
        lease = self._lease(who)
        # The usual case, and the reason for leases: nothing to wait for.
        if lease.left < cost or lease.until <= self._ticks():
            async with lease.drawing:
                await self._draw(who, lease, cost, limit)
        seconds = max(lease.until - self._ticks(), 0.0)
        if lease.left < cost:
            raise OverLimit("reads", self._charge(limit, cost, lease.left, seconds), seconds)
        lease.left -= cost
        return self._charge(limit, cost, max(limit - lease.total, 0) + lease.left, seconds)

    async def write(self, who: str, count: int) -> Charge | None:
        """Charge the mutations of an operation."""
        return await self._counted("write", "writes", who, count, self._writes, MINUTE)

    async def connect(self, who: str) -> None:
        """Charge a live connection."""
        await self._counted("live", "live connections", who, 1, self._connections, MINUTE)

    async def refused(self, address: str) -> None:
        """Charge a token or key that does not hold, to the place it came from; who else is there notices nothing."""
        await self._counted("refused", "credentials that do not hold", place_of(address), 1, self._refused, MINUTE)

    async def sign_up(self, address: str) -> None:
        """Charge a new account, to the place it is made from."""
        await self._counted("sign-up", "new accounts", place_of(address), 1, self._sign_ups, HOUR)

    @asynccontextmanager
    async def attempt(self, account: str, address: str, *, browser: str | None = None) -> AsyncIterator[None]:
        """Try a password: refused while a delay lasts; leaving the block without an error means that it was right.

        A browser is named where it is known to be the account's.
        """
        name, place = _short(account), place_of(address)
        delays = [(f"pair:{name}:{place if browser is None else _short(browser)}", PAIR)]
        if browser is None and not await self._windows.is_held(f"known:{name}:{place}"):
            delays += [(f"place:{place}", PLACE), (f"account:{name}", ACCOUNT)]
        # Counted before it is tried, or a hundred at once would all be the first.
        for key, delay in delays:
            standing = await self._windows.add(key, 1, HOUR)
            if (pause := delay.after(standing.total)) and (left := await self._windows.hold(f"{key}:pause", pause)):
                raise RateLimited("Too many attempts to sign in; wait a little.", retry_after=_whole(left))
        yield
        for key, _ in delays:
            if key == f"place:{place}":
                # One good password says nothing of the others that were tried from there.
                await self._windows.add(key, -1, HOUR)
            else:
                await self._windows.clear(key, f"{key}:pause")
        await self.remember(account, address)

    async def remember(self, account: str, address: str) -> None:
        """Know for a month that a person has signed in from a place."""
        await self._windows.hold(f"known:{_short(account)}:{place_of(address)}", MONTH)

    async def _counted(self, key: str, what: str, who: str, count: int, limit: int, window: int) -> Charge | None:
        if not limit:
            return None
        standing = await self._windows.add(f"{key}:{who}", count, window)
        charge = self._charge(limit, count, max(limit - standing.total, 0), standing.seconds_left)
        if standing.total > limit:
            raise OverLimit(what, charge, standing.seconds_left)
        return charge

    async def _draw(self, who: str, lease: _Lease, cost: int, limit: int) -> None:
        """Lease what a read needs, and up to a slice more; whoever waited may find that another has brought it."""
        now = self._ticks()
        if lease.until > now and (lease.left >= cost or lease.exhausted):
            return
        if lease.until <= now:
            lease.left, lease.exhausted = 0, False
        wanted = max(cost - lease.left, limit // SLICE, 1)
        standing: Standing = await self._windows.add(f"read:{who}", wanted, MINUTE)
        over = max(standing.total - limit, 0)
        lease.left += max(wanted - over, 0)
        lease.exhausted = over > 0
        lease.total, lease.until = standing.total, now + standing.seconds_left

    def _lease(self, who: str) -> _Lease:
        lease = self._leases.get(who)
        if lease is None:
            lease = self._leases[who] = _Lease()
            if len(self._leases) > MOST_LEASES:
                self._leases.popitem(last=False)
        else:
            self._leases.move_to_end(who)
        return lease

    @staticmethod
    def _charge(limit: int, cost: int, remaining: int, seconds: float) -> Charge:
        return Charge(limit, cost, remaining, time.time() + seconds)


def place_of(address: str) -> str:
    """Name the place behind an address: of IPv6 the network, since whoever has one has 2^64 addresses in it."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _short(name: str) -> str:
    """Tell names apart without keeping them: what counts attempts needs no addresses of people."""
    return sha256(name.encode()).hexdigest()[:32]


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))
