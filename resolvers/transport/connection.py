"""HTTP/1 as this service needs it.

uvicorn's own connection checks each header of an answer by itself, arms a timer for each request and writes head and
body apart: twice the work of reading the request and writing the answer at once, which is what happens here.
"""

import asyncio
import socket
import struct
from collections import deque
from contextvars import copy_context
from functools import lru_cache
from typing import Any, NamedTuple, cast
from urllib.parse import unquote

import uvicorn
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from resolvers.transport.exchange import Exchange, spelt

# How long a client may read nothing of what waits for it.
LINGER_SECONDS = 60
# How long the headers of a request may take to come.
HEAD_SECONDS = 30
# All headers of a request together, and whatever else frames its body; the parser itself would keep whatever comes.
MOST_HEADER_BYTES = 65_536
MOST_HEADERS = 256
# The parser reads all that it is given, however many requests that is: what is to be stopped is fed in pieces.
PIECE_BYTES = 16_384
# Frames of chunks count no more than this part of what is in them: those of small chunks cost more than they bring.
CHUNK_PART = 8
# A longer address is not kept for the next one who asks for it.
LONGEST_KEPT = 256

_REFUSED = b"HTTP/1.1 %b\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
MALFORMED = _REFUSED % b"400 Bad Request"
_TOO_LARGE = _REFUSED % b"431 Request Header Fields Too Large"


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


class Connection(Cuttable):
    """An HTTP connection that a client can neither hold open by not reading nor fill with headers."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.loop = _loop or asyncio.get_running_loop()
        self.state = server_state
        self._config, self._app, self._app_state = config, config.loaded_app, app_state
        self._parser = HttpRequestParser(self)
        # What is asked, in this order: the first is being answered, the last perhaps still being read.
        self._exchanges: deque[Exchange] = deque()
        self._reading: Exchange | None = None
        # The request's line and headers as far as they have come, and how many bytes beside bodies.
        self._url, self._framing = b"", 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._heading, self._expects = True, False
        self._upgrading: _Head | None = None
        self._deaf = self._held = False
        self._later = b""
        self.full = False
        self._writable = asyncio.Event()
        # When nothing was under way any more, if so, and for how long that may be.
        self._quiet_since: float | None = self.loop.time()
        self._patience: float = HEAD_SECONDS
        self._clock: asyncio.TimerHandle | None = None
        self._lingering: asyncio.TimerHandle | None = None
        self._usual: tuple[object, bytes] = (None, b"")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's by type.
        self.transport = cast("asyncio.Transport", transport)
        self.state.connections.add(self)  # type: ignore[arg-type]
        # An answer may begin where another one ended, and knows nothing of it.
        self.context = copy_context()
        self._clock = self.loop.call_later(HEAD_SECONDS, self._look)
        self._base = {
            "type": "http",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.3"},
            "server": get_local_addr(self.transport),
            "client": get_remote_addr(self.transport),
            "scheme": "https" if is_ssl(self.transport) else "http",
            "root_path": self._config.root_path,
        }

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._leave()
        for exchange in self._exchanges:
            exchange.leave()
        self._exchanges.clear()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._later:
            data, self._later = self._later + data, b""
        while data and not self._deaf:
            if self._held:
                self._later = data
                return
            data = self._read(data)

    def pause_writing(self) -> None:
        self.full = True
        self._writable.clear()
        self._linger()

    def resume_writing(self) -> None:
        self.full = False
        self._writable.set()

    async def drained(self) -> None:
        """Wait until the client has read of what it was sent."""
        await self._writable.wait()

    def hold(self) -> None:
        """Read no more for now."""
        if not self._held:
            self._held = True
            self.transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        if self._held:
            self._held = False
            self.transport.resume_reading()
            self.data_received(b"")

    def close(self) -> None:
        """End when the client has read what it was sent, or reads no more."""
        self.transport.close()
        self._linger()

    def shutdown(self) -> None:
        """End when everything is answered."""
        if self._exchanges:
            self._exchanges[-1].keeps = False
        else:
            self.close()

    @property
    def usual(self) -> bytes:
        """Spell what every answer says: the date, anew each second."""
        headers = self.state.default_headers
        if self._usual[0] is not headers:
            self._usual = headers, spelt(headers)
        return self._usual[1]

    def finished(self, exchange: Exchange) -> None:
        """Go on to what was asked next; an answer ends, and the first in line is the only one that can."""
        self.state.total_requests += 1
        if self.transport.is_closing():
            return
        self._exchanges.popleft()
        if not exchange.keeps:
            self.close()
        elif self._exchanges:
            self._exchanges[0].start(self._app)
        else:
            # One clock for all pauses: a timer for each would cost more than reading the request.
            self._quiet_since = self.loop.time()
            if self._patience != self._config.timeout_keep_alive:
                self._patience = self._config.timeout_keep_alive
                self._wind(self._patience)
            self.go_on()

    # What the parser calls.

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # What follows a body is no header: whoever sends it must not slip one in behind a proxy's back.
        if self._heading:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self._expects = True
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        self._heading = False
        if len(self._headers) > MOST_HEADERS:
            raise _TooManyError
        method, version = parser.get_method(), parser.get_http_version()
        if parser.should_upgrade():
            self._upgrading = _Head(method, self._url, version, self._headers)
            return
        self._quiet_since = None
        url = self._url
        path, raw_path, query = _target(url) if len(url) <= LONGEST_KEPT else _apart(url)
        scope = {
            **self._base,
            "http_version": version,
            "method": method.decode(),
            "path": self._config.root_path + path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": self._headers,
            "state": self._app_state.copy(),
        }
        keeps = version != "1.0" and parser.should_keep_alive()
        exchange = self._reading = Exchange(self, scope, keeps=keeps, expects=self._expects)
        scope["extensions"] = {"tenet.cut": self.cut, "tenet.answer": exchange.answer}
        self._exchanges.append(exchange)
        if len(self._exchanges) == 1:
            exchange.start(self._app)
        else:
            self.hold()

    def on_body(self, body: bytes) -> None:
        self._framing -= len(body) + len(body) // CHUNK_PART
        if self._reading is not None:
            self._reading.feed(body)

    def on_message_complete(self) -> None:
        if self._reading is not None:
            self._reading.end()
            self._reading = None
        self._url, self._headers, self._framing = b"", [], 0
        self._heading, self._expects = True, False

    # What becomes of what was read.

    def _read(self, data: bytes) -> bytes:
        """Read a piece, and give what is to be read after it."""
        piece = data if len(data) <= PIECE_BYTES else data[:PIECE_BYTES]
        # What is left over of one piece's account is no credit for the next.
        self._framing = max(self._framing, 0) + len(piece)
        try:
            self._parser.feed_data(piece)
        except HttpParserUpgrade as upgrade:
            return self._upgraded(data[upgrade.args[0] :])
        except HttpParserError as error:
            self._refuse(_TOO_LARGE if isinstance(error.__context__, _TooManyError) else MALFORMED)
        else:
            if self._framing > MOST_HEADER_BYTES:
                self._refuse(_TOO_LARGE)
        return data[len(piece) :]

    def _upgraded(self, rest: bytes) -> bytes:
        """Hand a WebSocket over to its own protocol; whoever wishes for another one is answered in this."""
        head, self._upgrading = self._upgrading, None
        assert head is not None
        if head.method == b"CONNECT" or (head.wants_socket and self._exchanges):
            self._refuse(MALFORMED)
        elif head.wants_socket:
            self._leave()
            protocol: Any = self._config.ws_protocol_class
            connection = protocol(config=self._config, server_state=self.state, app_state=self._app_state)
            self.transport.set_protocol(connection)
            connection.connection_made(self.transport)
            # Apart: what follows a handshake is no reason to leave that without its answer.
            connection.data_received(head.spelt())
            if rest:
                connection.data_received(rest)
        else:
            # The parser takes the body for the first words of the other protocol.
            self._parser = HttpRequestParser(self)
            return head.spelt(without=b"upgrade") + rest
        return b""

    def _refuse(self, words: bytes) -> None:
        """Say no to what cannot be read on, after what was asked before it."""
        self._deaf = True
        unread, self._reading = self._reading, None
        if unread is not None and not unread.done:
            self._exchanges.pop()
            unread.leave()
        if self._exchanges:
            self.shutdown()
            return
        # Whoever has an answer already would take this for the next one's.
        if unread is None or not unread.begun:
            self.transport.write(words)
        self.close()

    def _leave(self) -> None:
        self._deaf = True
        self.state.connections.discard(self)
        for timer in (self._clock, self._lingering):
            if timer is not None:
                timer.cancel()

    def _wind(self, pause: float) -> None:
        if self._clock is not None:
            self._clock.cancel()
        self._clock = self.loop.call_later(pause, self._look)

    def _look(self) -> None:
        """End a connection on which nothing was asked for a while."""
        if self.transport.is_closing():
            return
        left = self._patience
        if self._quiet_since is not None:
            # Who has begun to ask gets the time to end.
            pause = HEAD_SECONDS if self._framing > 0 else self._patience
            left = self._quiet_since + pause - self.loop.time()
        if left > 0:
            self._wind(left)
        else:
            self.close()

    def _linger(self, before: int | None = None) -> None:
        """Cut a client off that reads nothing of what waits for it."""
        waiting = self.transport.get_write_buffer_size()
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        if self.lost or not waiting or not (self.full or self.transport.is_closing()):
            return
        if waiting == before:
            self.cut()
        else:
            self._lingering = self.loop.call_later(LINGER_SECONDS, self._linger, waiting)


class _TooManyError(Exception):
    """More headers than any client has to send."""


class _Head(NamedTuple):
    """A request without its body."""

    method: bytes
    url: bytes
    version: str
    headers: list[tuple[bytes, bytes]]

    @property
    def wants_socket(self) -> bool:
        """Tell whether the wish for another protocol is for WebSocket."""
        return any(name == b"upgrade" and value.lower() == b"websocket" for name, value in self.headers)

    def spelt(self, *, without: bytes = b"") -> bytes:
        """Spell it again as it came."""
        line = b"%b %b HTTP/%b\r\n" % (self.method, self.url, self.version.encode())
        return line + spelt(header for header in self.headers if header[0] != without) + b"\r\n"


def _apart(url: bytes) -> tuple[str, bytes, bytes]:
    """Take a request's address apart: its path, as it stands and decoded, and what follows it."""
    parsed = parse_url(url)
    path = parsed.path.decode("ascii")
    return unquote(path) if "%" in path else path, parsed.path, parsed.query or b""


_target = lru_cache(maxsize=256)(_apart)
