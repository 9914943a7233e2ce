"""GraphQL over WebSocket: the sub-protocol graphql-transport-ws, and no other."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from starlette.types import Receive, Scope, Send

from app.config import Settings
from app.domain.errors import ErrorCode, Refusal
from app.observe import headers_of
from resolvers.transport import guard
from resolvers.transport.operations import Operations
from resolvers.transport.origins import Origins
from resolvers.transport.outbox import Outbox
from resolvers.transport.protocol import Engine, holds
from resolvers.transport.seats import Seats

SUBPROTOCOL = "graphql-transport-ws"

ACK = b'{"type":"connection_ack"}'
PING = b'{"type":"ping"}'
PONG = b'{"type":"pong"}'

LONGEST_ID = 256
# How long the close frame of one socket, and the ends of all when the service stops, may take.
FAREWELL_SECONDS = 1
CLOSE_SECONDS = 5

log = logging.getLogger(__name__)


class Closing(Exception):
    """Why a socket ends: the code and the reason of its close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:123].decode(errors="ignore")


TRY_AGAIN_LATER = 1013
# What passes. At 4429, the protocol's word for a second connection_init, graphql-ws would give up for good.
_PASSING = frozenset((ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE, ErrorCode.UPSTREAM_ERROR))


class SocketTransport:
    """Accepts sockets, watches over them once a second, and closes them all when the service stops."""

    def __init__(self, engine: Engine[Any], settings: Settings, seats: Seats) -> None:
        self._engine = engine
        self._settings = settings
        self._seats = seats
        self._origins = Origins(settings)
        self._open: dict[Socket, asyncio.Task[Any] | None] = {}
        self._watch: asyncio.Task[None] | None = None
        self._closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        await receive()
        if self._closing or not self._origins.welcome(headers_of(scope)):
            await send({"type": "websocket.close", "code": 1001 if self._closing else 4403})
            return
        if SUBPROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": "Subprotocol not acceptable"})
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        socket = Socket(scope, receive, send, self._engine, self._settings, self._seats)
        self._open[socket] = asyncio.current_task()
        if self._watch is None:
            self._watch = asyncio.create_task(self._watched())
        try:
            await socket.run()
        finally:
            del self._open[socket]

    async def close(self) -> None:
        """Close every socket with 1001, so that its client connects again elsewhere."""
        self._closing = True
        for socket in self._open:
            socket.end(Closing(1001, "Going away"))
        if running := [task for task in self._open.values() if task is not None]:
            await asyncio.wait(running, timeout=CLOSE_SECONDS)

    async def _watched(self) -> None:
        # One task for all sockets: a thousand timers that mostly find nothing to do cost more than this loop.
        settings = self._settings
        pause = min(1.0, settings.send_seconds, settings.heartbeat_seconds, settings.recheck_seconds)
        try:
            while self._open:
                await asyncio.sleep(pause)
                now = asyncio.get_running_loop().time()
                for socket in list(self._open):
                    socket.watch(now)
        finally:
            self._watch = None


class Socket:
    """One connection: reads messages in order, runs operations side by side."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        engine: Engine[Any],
        settings: Settings,
        seats: Seats,
    ) -> None:
        # Both are there under our own server (see server.py), and any other one does without.
        extensions = scope.get("extensions") or {}
        self._cut = extensions.get("tenet.cut")
        write = extensions.get("tenet.write")
        self._scope = scope
        self._receive = receive
        self._send = send
        self._engine = engine
        self._settings = settings
        self._seats = seats
        self._held = ExitStack()
        self._caller: Any = None
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Closing | None] = loop.create_future()
        self._patience = loop.call_later(
            settings.init_seconds, self.end, Closing(4408, "Connection initialisation timeout")
        )
        self._next_ping = loop.time() + settings.heartbeat_seconds
        self._next_check = loop.time() + settings.recheck_seconds
        self._check: asyncio.Task[None] | None = None
        self.outbox = Outbox(send, write, lambda: self.end(None))
        self._operations = Operations(engine, self.outbox, settings.operations_per_socket)

    async def run(self) -> None:
        """Serve until either side ends it, and leave nothing behind."""
        reader = asyncio.create_task(self._read())
        closing = None
        try:
            closing = await self._ended
        finally:
            self._patience.cancel()
            reader.cancel()
            if self._check is not None:
                self._check.cancel()
            await self.outbox.close()
            if closing is not None:
                await self._close(closing)
            await self._operations.close()
            self._held.close()

    def end(self, closing: Closing | None) -> None:
        """End this socket; None where there is nobody left to tell."""
        if not self._ended.done():
            self._ended.set_result(closing)

    def watch(self, now: float) -> None:
        """Drop a client that does not read, and do what falls due."""
        if self._ended.done():
            return
        if self.outbox.stuck() > self._settings.send_seconds:
            self._drop()
        if now >= self._next_ping:
            # No pong is demanded: browsers put the scripts of hidden tabs to sleep. Who is dead does not take frames
            # either, and fails the server's own pings.
            self._next_ping = now + self._settings.heartbeat_seconds
            self.outbox.offer(PING)
        if self._caller is not None and now >= self._next_check and (self._check is None or self._check.done()):
            self._next_check = now + self._settings.recheck_seconds
            self._check = asyncio.create_task(self._checked())

    def _drop(self) -> None:
        # A close frame would only wait behind what the client does not read.
        if self._cut is not None:
            self._cut()
        self.end(None)

    async def _close(self, closing: Closing) -> None:
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._send({"type": "websocket.close", "code": closing.code, "reason": closing.reason})
        except TimeoutError:
            self._drop()
        except OSError:  # it went by itself
            pass

    async def _checked(self) -> None:
        if not await holds(self._caller):
            self.end(Closing(4403, "The credential does not hold any more"))

    async def _read(self) -> None:
        try:
            while (received := await self._receive())["type"] != "websocket.disconnect":
                await self._take(self._message(received))
            self.end(None)
        except Closing as closing:
            self.end(closing)
        except Exception as error:  # a fault of ours must end the socket visibly, not leave it deaf
            log.error("a WebSocket failed", exc_info=error)
            self.end(Closing(4500, "Internal server error"))

    def _message(self, received: Mapping[str, Any]) -> dict[str, Any]:
        text = received.get("text")
        if text is None:
            raise Closing(4400, "Invalid message: binary frames are not part of the protocol")
        raw = text.encode()
        if len(raw) > self._settings.frame_bytes:
            raise Closing(1009, f"Messages are limited to {self._settings.frame_bytes} bytes")
        try:
            message = guard.parse(raw, "The message")
        except Refusal as refusal:
            raise Closing(4400, f"Invalid message: {refusal.message}") from None
        if type(message) is not dict:
            raise Closing(4400, "Invalid message: not an object")
        return message

    async def _take(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "subscribe":
                await self._subscribe(_id(message), message.get("payload"))
            case "complete":
                operation_id = _id(message)
                self._let_in()
                self._operations.complete(operation_id)
            case "ping":
                _payload(message)
                await self.outbox.put(PONG)
            case "pong":
                _payload(message)
            case "connection_init":
                await self._init(_payload(message))
            case _:
                raise Closing(4400, "Invalid message: unknown type")

    async def _init(self, payload: dict[str, Any] | None) -> None:
        if self._caller is not None:
            raise Closing(4429, "Too many initialisation requests")
        self._patience.cancel()
        try:
            caller = await self._engine.caller(self._scope, payload)
            self._held.enter_context(self._seats.taken(caller.key))
        except Refusal as refusal:
            code = TRY_AGAIN_LATER if refusal.code in _PASSING else 4403
            raise Closing(code, refusal.message) from None
        self._caller = caller
        await self.outbox.put(ACK)

    async def _subscribe(self, operation_id: str, payload: object) -> None:
        try:
            request = guard.request(payload)
        except Refusal as refusal:
            raise Closing(4400, f"Invalid message: {refusal.message}") from None
        caller = self._let_in()
        if operation_id in self._operations:
            raise Closing(4409, f"Subscriber for {operation_id} already exists")
        await self._operations.start(caller, operation_id, request)

    def _let_in(self) -> Any:
        if self._caller is None:
            raise Closing(4401, "Unauthorized")
        return self._caller


def _id(message: Mapping[str, Any]) -> str:
    found = message.get("id")
    if type(found) is not str or not 0 < len(found) <= LONGEST_ID:
        raise Closing(4400, f"Invalid message: the id must be a string of 1 to {LONGEST_ID} characters")
    return found


def _payload(message: Mapping[str, Any]) -> dict[str, Any] | None:
    payload = message.get("payload")
    if payload is not None and type(payload) is not dict:
        raise Closing(4400, "Invalid message: the payload must be an object")
    return payload
