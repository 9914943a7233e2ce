"""uvicorn as this service needs it: what ASGI has no word for, and an end that clients understand."""

import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, cast

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from app.config import Settings
from resolvers.transport.connection import MALFORMED, Connection, Cuttable


class SocketConnection(Cuttable, WebSocketsSansIOProtocol):
    """A WebSocket that takes frames made once for many."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # not after a handshake that failed
            extensions = cast("Scope", self.scope)["extensions"]
            extensions["tenet.cut"] = self.cut
            extensions["tenet.write"] = self.write

    def data_received(self, data: bytes) -> None:
        """Take frames, and refuse what is no handshake; uvicorn would leave that without an answer and wait."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.transport.is_closing():
            self._have_ended()
            self.transport.write(MALFORMED)
            self.transport.close()

    def handle_parser_exception(self) -> None:
        """Say why a socket ends, or just end it where none was opened yet."""
        if self.conn.close_sent is None:
            self._have_ended()
            self.cut()
        else:
            super().handle_parser_exception()

    def _have_ended(self) -> None:
        # Whoever stops the service would say goodbye to it otherwise, which fails where nothing can be said; and the
        # application hears that its client left.
        self.handshake_complete = self.close_sent = self.disconnected = True

    def write(self, text: bytes) -> bool:
        """Write a text frame, or nothing where that is not possible at once."""
        if not self.writable.is_set() or self.close_sent or self.lost or self.transport.is_closing():
            return False
        self.transport.write(_head(len(text)) + text)
        return True


class Server(uvicorn.Server):
    """A server that lets the application end its live connections before it waits for them."""

    def __init__(self, config: uvicorn.Config, closing: Callable[[], Awaitable[None]], *, hears: bool = True) -> None:
        super().__init__(config)
        self._closing = closing
        self._hears = hears

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear of signals, unless somebody else does and says when to end."""
        with super().capture_signals() if self._hears else nullcontext():
            yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye, then stop as uvicorn does."""
        await self._closing()
        await super().shutdown(sockets)


def options(settings: Settings) -> dict[str, Any]:
    """Give what uvicorn.Config needs for this service's connections."""
    return {
        "http": Connection,
        "ws": SocketConnection,
        "ws_max_size": settings.frame_bytes,
        # Whom to believe about who is calling is the application's to know.
        "proxy_headers": False,
        # Compression of small frames doubles their cost, and its buffers would be held for each socket.
        "ws_per_message_deflate": False,
        "server_header": False,
    }


def _head(length: int) -> bytes:
    """Open an unmasked, unfragmented text frame (RFC 6455, 5.2)."""
    if length < 126:
        return bytes((0x81, length))
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")
