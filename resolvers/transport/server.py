"""uvicorn as this service needs it: what ASGI has no word for, and an end that clients understand."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any, cast

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from app.config import Settings

# How long a client may take over the last answer of a connection.
LINGER_SECONDS = 60
# All headers of a request together; the parser itself would keep whatever comes.
MOST_HEADER_BYTES = 65_536

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Cuttable(asyncio.Protocol):
    """A connection that can be cut: merely closing one waits for its client to read what it was sent."""

    transport: asyncio.Transport
    lost = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        super().connection_lost(exc)

    def cut(self) -> None:
        """End the connection now, with whatever is under way."""
        if self.lost:
            return
        connected = self.transport.get_extra_info("socket")
        if connected is not None:
            # Without this the kernel would go on offering the client what it has not read.
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Connection(Cuttable, HttpToolsProtocol):
    """An HTTP connection that a client can neither hold open by not reading nor fill with headers."""

    heading = False
    header_bytes = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.heading and not self.transport.is_closing():
            self.header_bytes += len(data)
            if self.header_bytes > MOST_HEADER_BYTES:
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_headers_complete(self) -> None:
        self.heading = False
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        self.heading, self.header_bytes = True, 0
        super().on_message_begin()
        cast("Scope", self.scope)["extensions"] = {"tenet.cut": self.cut}

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self.loop.call_later(LINGER_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.transport.is_closing():
            self.cut()


class SocketConnection(Cuttable, WebSocketsSansIOProtocol):
    """A WebSocket that takes frames made once for many."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # not after a handshake that failed
            extensions = cast("Scope", self.scope)["extensions"]
            extensions["tenet.cut"] = self.cut
            extensions["tenet.write"] = self.write

    def write(self, text: bytes) -> bool:
        """Write a text frame, or nothing where that is not possible at once."""
        if not self.writable.is_set() or self.close_sent or self.lost or self.transport.is_closing():
            return False
        self.transport.write(_head(len(text)) + text)
        return True


class Server(uvicorn.Server):
    """A server that lets the application end its live connections before it waits for them."""

    def __init__(self, config: uvicorn.Config, closing: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._closing = closing

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
        "forwarded_allow_ips": settings.proxies,
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
