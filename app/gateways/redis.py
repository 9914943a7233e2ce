"""How this service connects to Redis."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from redis import exceptions
from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from app.domain.errors import Fault

OLDEST = (6, 2)
EXIT_CODE = 6

PASSING = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.BusyLoadingError, OSError)


def _options(tries: int, patience: float | None) -> dict[str, Any]:
    return {
        "retry": Retry(ExponentialBackoff(cap=1.0, base=0.05), tries),
        "retry_on_error": list(PASSING),
        "retry_on_timeout": True,
        "socket_connect_timeout": patience or 2.0,
        "socket_timeout": patience or 5.0,
        "health_check_interval": 15,
    }


class _Sound(AbstractConnection):
    """A connection on which no cancellation gets lost, and which is opened once, however many find it closed.

    redis-py sends inside asyncio.wait_for, which before Python 3.12 forgets a cancellation that comes in the moment in
    which it is done: a task that was told to end would go on for ever. And of two tasks that find a connection closed,
    as one that listens and one that subscribes, each would open a socket, and one of these would be nobody's.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._opening = asyncio.Lock()
        self._opener: asyncio.Task[Any] | None = None

    async def connect(self) -> None:
        """Open the connection, or wait for the task that does."""
        task = asyncio.current_task()
        # What is said first on a new connection may find that it is lost again.
        if self.is_connected or self._opener is task:
            await super().connect()  # type: ignore[no-untyped-call]
            return
        async with self._opening:
            self._opener = task
            try:
                await super().connect()  # type: ignore[no-untyped-call]
            finally:
                self._opener = None

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send a command, unless somebody wanted the task to end meanwhile."""
        task = asyncio.current_task()
        wishes = task.cancelling() if task else 0
        await super().send_packed_command(command, check_health)
        if task and task.cancelling() > wishes:
            # Nobody will read the answer.
            await self.disconnect(nowait=True)
            raise asyncio.CancelledError


class _Tcp(_Sound, Connection):
    pass


class _Tls(_Sound, SSLConnection):
    pass


class _Unix(_Sound, UnixDomainSocketConnection):
    pass


_SOUND: dict[type[AbstractConnection], type[_Sound]] = {
    Connection: _Tcp,
    SSLConnection: _Tls,
    UnixDomainSocketConnection: _Unix,
}


def open_pool(url: str, *, tries: int, patience: float | None = None) -> ConnectionPool:
    """Make a pool of connections; none is opened before the first command.

    It rides out a short restart by `tries` more attempts, from 0.05 s to 1 s apart, and waits for each answer for
    `patience` seconds where somebody waits for it.
    """
    pool = ConnectionPool.from_url(url, **_options(tries, patience))
    pool.connection_class = _SOUND[pool.connection_class]
    return pool


def open_redis(url: str, *, tries: int = 4, patience: float | None = None) -> Redis:
    """Open a client; nothing is sent before its first command."""
    client: Redis = Redis.from_pool(open_pool(url, tries=tries, patience=patience))
    return client


async def reach_redis(url: str) -> dict[str, Any]:
    """Ask a Redis what it is, or say in one sentence what stands in the way."""
    place = _place(url)
    for pause in (0.1, 0.3, 0.6, None):
        # Without redis-py's own retries: to it a missing password is a lost connection, to be tried again and again.
        client = Redis.from_url(url, socket_connect_timeout=2.0, socket_timeout=5.0)
        try:
            told: dict[str, Any] = await client.info()
            break
        except (exceptions.ResponseError, *PASSING) as error:
            if (refusal := _refusal(str(error), place)) is not None:
                raise refusal from error
            if pause is None:
                raise _fault(f"Redis at {place} does not answer: {error}", "Start it, or correct REDIS_URL.") from error
            await asyncio.sleep(pause)
        finally:
            await client.aclose(close_connection_pool=True)
    version = str(told.get("redis_version", "0.0"))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise _fault(f"Redis at {place} is version {version}.", "Tenet needs Redis 6.2 or newer, or Valkey.")
    return told


def _refusal(words: str, place: str) -> Fault | None:
    """Tell a Redis that does not want us from one that does not answer."""
    remedy = "Write them into REDIS_URL: redis://user:password@host:6379/0, percent-encoded."
    if "Authentication required" in words or "NOAUTH" in words:
        return _fault(f"Redis at {place} wants a password.", remedy)
    if "username-password" in words or "AUTH" in words:
        return _fault(f"Redis at {place} refuses this user or password.", remedy)
    if "permissions" in words:
        return _fault(
            f"Redis at {place} does not let this user do what Tenet needs: {words}", "Allow it by ACL SETUSER."
        )
    return None


def _place(url: str) -> str:
    """Say of a URL what may be said."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or 6379}"


def _fault(message: str, remedy: str) -> Fault:
    return Fault(message, remedy=remedy, exit_code=EXIT_CODE)
