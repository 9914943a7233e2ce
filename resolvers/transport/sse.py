"""GraphQL over server-sent events: one connection for each operation (graphql-sse's distinct connections mode)."""

import asyncio
from contextlib import aclosing, suppress
from typing import Any

from starlette.types import Receive, Scope, Send

from app.config import Settings
from app.domain.errors import Refusal, Unauthenticated, Unavailable
from resolvers.transport.protocol import Caller, Engine, GraphQLRequest, broken, holds, refused
from resolvers.transport.seats import Seats

# The empty data matters: a browser's EventSource drops an event that has none.
COMPLETE = b"event: complete\ndata: \n\n"
# Exactly this is what graphql-sse's parser knows as a sign of life.
HEARTBEAT = b":\n\n"

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"accept"),
    (b"x-accel-buffering", b"no"),  # nginx would keep small events to itself
]
# How long a stream may take to end, and all of them when the service stops.
CLOSE_SECONDS = 5


def event(body: bytes) -> bytes:
    """Frame one execution result."""
    # PostgreSQL writes line ends between the elements of json_agg; inside of strings JSON allows none.
    if b"\n" in body or b"\r" in body:
        body = body.replace(b"\r", b" ").replace(b"\n", b" ")
    return b"event: next\ndata: %b\n\n" % body


def whole(body: bytes) -> bytes:
    """Frame the one result of a query or mutation together with its end."""
    return event(body) + COMPLETE


class EventStreams:
    """Subscriptions as server-sent events."""

    def __init__(self, engine: Engine[Any], settings: Settings, seats: Seats) -> None:
        self._engine = engine
        self._settings = settings
        self._seats = seats
        self._open: dict[_EventStream, asyncio.Task[Any] | None] = {}
        self._closing = False

    async def serve(self, scope: Scope, receive: Receive, send: Send, caller: Any, request: GraphQLRequest) -> None:
        """Stream one subscription until it ends, the client leaves or the service stops."""
        if self._closing:
            raise Unavailable("The service is stopping; connect again.", retryAfter=1)
        with self._seats.taken(caller.key):
            stream = _EventStream(self._engine, self._settings, caller, send)
            self._open[stream] = asyncio.current_task()
            try:
                await stream.run(receive, request)
            finally:
                del self._open[stream]
            if stream.stuck and (cut := scope.get("extensions", {}).get("tenet.cut")):
                cut()
                await _until_gone(receive)

    async def close(self) -> None:
        """End all streams without `complete`, so that their clients connect again elsewhere."""
        self._closing = True
        for stream in self._open:
            stream.stop()
        if running := [task for task in self._open.values() if task is not None]:
            await asyncio.wait(running, timeout=CLOSE_SECONDS)


class _EventStream:
    """One response that goes on."""

    def __init__(self, engine: Engine[Any], settings: Settings, caller: Caller, send: Send) -> None:
        self.stuck = False
        self._engine = engine
        self._caller = caller
        self._send = send
        self._send_seconds = settings.send_seconds
        self._pause = min(settings.heartbeat_seconds, settings.recheck_seconds)
        self._stopped = asyncio.get_running_loop().create_future()

    async def run(self, receive: Receive, request: GraphQLRequest) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS]})
        left = asyncio.create_task(_until_gone(receive))
        talking = [asyncio.create_task(self._results(request)), asyncio.create_task(self._signs_of_life())]
        try:
            await asyncio.wait([left, self._stopped, *talking], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (left, *talking):
                task.cancel()
            # Nothing of this stream, its generator above all, outlives the response.
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await asyncio.gather(left, *talking, return_exceptions=True)
        if not self.stuck:
            with suppress(TimeoutError):
                await self._write(b"", more=False)

    def stop(self) -> None:
        if not self._stopped.done():
            self._stopped.set_result(None)

    async def _results(self, request: GraphQLRequest) -> None:
        try:
            async with aclosing(self._engine.stream(self._caller, request)) as answers:
                async for answer in answers:
                    await self._write(event(answer.body))
            last = COMPLETE
        except Refusal as refusal:
            last = whole(refused(refusal).body)
        except Exception as error:  # a stream that broke tells its client so
            if self.stuck:
                return
            last = whole(broken(error).body)
        await self._write(last)

    async def _signs_of_life(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            if not await holds(self._caller):
                await self._write(whole(refused(Unauthenticated("The credential does not hold any more.")).body))
                return
            await self._write(HEARTBEAT)

    async def _write(self, data: bytes, *, more: bool = True) -> None:
        try:
            async with asyncio.timeout(self._send_seconds):
                await self._send({"type": "http.response.body", "body": data, "more_body": more})
        except TimeoutError:
            self.stuck = True
            raise


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
