"""What tests of limits count with."""

import asyncio

from app.config import Environment, Settings
from app.domain.errors import RateLimited
from app.gateways.windows import Standing, Windows
from app.rates import Rates

HOST = "192.0.2.7"


class Ticks:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Counted:
    """Counts the round trips to what keeps the counts."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        self.trips = 0

    async def add(self, key: str, amount: int, seconds: int) -> Standing:
        self.trips += 1
        await asyncio.sleep(0)
        return await self.windows.add(key, amount, seconds)

    async def hold(self, key: str, seconds: float) -> float:
        return await self.windows.hold(key, seconds)

    async def is_held(self, key: str) -> bool:
        return await self.windows.is_held(key)

    async def clear(self, *keys: str) -> None:
        await self.windows.clear(*keys)


def limited(**limits: int) -> Settings:
    """Give settings of a production, where limits are what they say."""
    return Settings(_env_file=None).model_copy(update={"env": Environment.PRODUCTION, **limits})


async def attempts(
    rates: Rates, account: str, address: str, *, right: bool = False, browser: str | None = None
) -> float:
    """Try a password once, and give how long is to be waited."""
    try:
        async with rates.attempt(account, address, browser=browser):
            if not right:
                raise LookupError
    except LookupError:
        pass
    except RateLimited as refused:
        wait: float = refused.extensions["retryAfter"]
        return wait
    return 0
