"""The bell: Redis pub/sub tells that something is new; what is new stands in PostgreSQL.

One connection a process carries every subscription. Pub/sub may lose messages (a restart of Redis loses about two
seconds of them, silently), so nobody may rely on hearing every ring: a listener that hears nothing looks for itself.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial

import structlog
from redis.asyncio.client import PubSub
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from app.domain.events import Event
from app.gateways.redis import PASSING, open_redis

ACKNOWLEDGE_SECONDS = 2.0
CANCEL_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Bell:
    """Hears the rings of one channel; several rings before a look are one."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.latest = -1

    def ring(self, sequence: int) -> None:
        """Wake whoever waits; -1 says only that it is time to look."""
        self.latest = max(self.latest, sequence)
        self._rung.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a ring, or give up after `seconds`."""
        # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the ring.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        heard = self._rung.is_set()
        self._rung.clear()
        return heard


class Bus:
    """Publishes events and lets listeners hear those of a channel."""

    def __init__(self, url: str) -> None:
        self._redis = open_redis(url)
        self._line: AbstractConnection = self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        self._unrung: dict[str, int] = {}
        self._ringing: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._bells: dict[str, set[Bell]] = {}
        self._acknowledged: dict[str, asyncio.Event] = {}
        self._reader: asyncio.Task[None] | None = None
        self._subscriber: PubSub | None = None

    async def publish(self, *events: Event) -> None:
        """Ring the bells of events; those of many who publish at once go out together."""
        for event in events:
            self._unrung[event.channel] = max(event.sequence, self._unrung.get(event.channel, event.sequence))
        if self._ringing is None:
            self._ringing = asyncio.create_task(self._ring(), name="bus ringing")
        # Whoever is told to end must not take the others' rings along.
        await asyncio.shield(self._ringing)

    async def _ring(self) -> None:
        async with self._turn:
            # Whoever publishes from here on begins the next round, which waits until this one is out.
            rings, self._unrung, self._ringing = self._unrung, {}, None
            if not self._line.is_connected:
                await self._line.connect()  # type: ignore[no-untyped-call]
            await self._line.retry.call_with_retry(partial(self._pull, rings), self._hang_up)

    async def _pull(self, rings: Mapping[str, int]) -> None:
        """Ring on a line of our own: to take one from the pool and to give it back would cost as much again."""
        line = self._line
        try:
            commands = [("PUBLISH", channel, sequence) for channel, sequence in rings.items()]
            await line.send_packed_command(line.pack_commands(commands), check_health=False)
            for _ in rings:
                await line.read_response()
        except ResponseError as error:
            # Else what was not heard yet would be taken for the answer to the next.
            await self._hang_up(error)
            raise

    async def _hang_up(self, _: Exception) -> None:
        await self._line.disconnect(nowait=True)

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[Bell]:
        """Hear a channel; inside the block every later ring is heard, unless Redis is down."""
        bell = Bell()
        bells = self._bells.setdefault(channel, set())
        bells.add(bell)
        try:
            await self._subscribed(channel)
            yield bell
        finally:
            bells.discard(bell)
            if not bells and self._bells.get(channel) is bells:
                del self._bells[channel]
                self._acknowledged.pop(channel, None)
                with suppress(*PASSING):
                    await self._pubsub().unsubscribe(channel)

    async def close(self) -> None:
        """Stop hearing and close the connections."""
        # A cancellation that meets a lost connection is swallowed in redis-py's retries, so that one may not be enough.
        while self._reader is not None and not self._reader.done():
            self._reader.cancel()
            await asyncio.wait({self._reader}, timeout=CANCEL_SECONDS)
        if self._subscriber is not None:
            await self._subscriber.aclose()  # type: ignore[no-untyped-call]
        await self._line.disconnect()
        await self._redis.aclose(close_connection_pool=True)

    def _pubsub(self) -> PubSub:
        if self._subscriber is None:
            self._subscriber = self._redis.pubsub()
        return self._subscriber

    async def _subscribed(self, channel: str) -> None:
        """Wait until Redis says that it will ring for us, within bounds: a dead Redis must not stop a stream."""
        known = self._acknowledged.get(channel)
        if known is None:
            known = self._acknowledged[channel] = asyncio.Event()
            with suppress(*PASSING):
                await self._pubsub().subscribe(channel)
            if self._reader is None:
                self._reader = asyncio.create_task(self._read(), name="bus reader")
        with suppress(TimeoutError):
            async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
                await known.wait()

    async def _read(self) -> None:
        while True:
            try:
                message = await self._pubsub().get_message(timeout=5.0)
            except PASSING as error:
                log.warning("the bus lost Redis", error=str(error))
                await asyncio.sleep(0.5)
                await self._return()
                continue
            if message is None:
                continue
            channel = message["channel"].decode()
            if message["type"] == "subscribe":
                self._heard(channel)
            elif message["type"] == "message":
                for bell in self._bells.get(channel, ()):
                    bell.ring(int(message["data"]))

    def _heard(self, channel: str) -> None:
        """An acknowledgement after the first means that the connection was lost: what rang meanwhile was missed."""
        known = self._acknowledged.get(channel)
        if known is not None:
            if known.is_set():
                for bell in self._bells.get(channel, ()):
                    bell.ring(-1)
            known.set()

    async def _return(self) -> None:
        # redis-py subscribes again by itself once it reconnects; channels whose first try failed it does not know.
        missing = [channel for channel, known in self._acknowledged.items() if not known.is_set()]
        if missing:
            with suppress(*PASSING):
                await self._pubsub().subscribe(*missing)
