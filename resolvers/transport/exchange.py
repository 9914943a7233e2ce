"""One request on a connection and its answer: the ASGI side of HTTP/1."""

import asyncio
import logging
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Scope

if TYPE_CHECKING:
    from resolvers.transport.connection import Connection

log = logging.getLogger(__name__)

# More of a body is not read before somebody asks for it.
MOST_UNREAD = 65_536

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLOSE = b"connection: close\r\n"
_PLAIN = b"content-type: text/plain; charset=utf-8\r\n"
_BROKEN = b"Internal Server Error"
_HEADER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\x00-\x08\x0a-\x1f\x7f]*\r\n")
_STATUS_LINES = {status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode()) for status in HTTPStatus}


def spelt(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Spell headers as they go over the wire; what would be more than one line is no header."""
    lines = [b"%b: %b\r\n" % header for header in headers]
    for line in lines:
        if _HEADER.fullmatch(line) is None:
            raise ValueError(f"{line[:100]!r} is no header.")
    return b"".join(lines)


class Exchange:
    """A request that is read, waits for its turn, and is answered."""

    __slots__ = (
        "_bodiless",
        "_chunked",
        "_connection",
        "_expects",
        "_is_old",
        "_left",
        "_pieces",
        "_scope",
        "_task",
        "_told",
        "_unread",
        "_waiting",
        "begun",
        "done",
        "gone",
        "keeps",
        "whole",
    )

    def __init__(self, connection: "Connection", scope: Scope, *, keeps: bool, expects: bool) -> None:
        self._connection = connection
        self._scope: Scope | None = scope
        # A client of old knows nothing of it.
        self._expects = expects and scope["http_version"] != "1.0"
        self._pieces: list[bytes] = []
        self._unread = 0
        # Whether the request has come, and its end was told.
        self.whole = self._told = False
        # Whether the connection goes on after the answer, the answer has begun and ended, and nobody is there for it.
        self.keeps, self.begun, self.done, self.gone = keeps, False, False, False
        # How the answer's body goes out: not at all, in chunks, up to a length (what is left of it), or to the end of
        # the connection, where a client of old knows nothing else.
        self._bodiless, self._is_old = scope["method"] == "HEAD", scope["http_version"] == "1.0"
        self._chunked = False
        self._left: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: asyncio.Future[None] | None = None

    def start(self, app: ASGIApp) -> None:
        """Have the application answer."""
        # Kept no longer: it holds methods of this exchange, and a circle of objects is left to the garbage collector.
        scope, self._scope = self._scope, None
        assert scope is not None
        connection = self._connection
        self._task = connection.loop.create_task(self._run(app, scope), context=connection.context.copy())
        self._connection.state.tasks.add(self._task)

    def feed(self, piece: bytes) -> None:
        """Take a piece of the request's body."""
        if self.done:
            return
        self._pieces.append(piece)
        self._unread += len(piece)
        if self._unread > MOST_UNREAD:
            self._connection.hold()
        self._wake()

    def end(self) -> None:
        """Know that the request has come."""
        self.whole = True
        self._wake()

    def leave(self) -> None:
        """Know that nobody is there any more."""
        self.gone = True
        self._wake()

    async def receive(self) -> Message:
        """Give what has come of the request's body, and after that tell when the answer was sent or nobody is there."""
        if self._expects and not self.begun and not self.gone:
            self._connection.transport.write(_CONTINUE)
        self._expects = False
        if not (self._pieces or (self.whole and not self._told) or self.done or self.gone):
            # Before anything is read: what has come already is told at once.
            waiting = self._waiting = self._connection.loop.create_future()
            self._connection.go_on()
            await waiting
        if self.done or self.gone:
            return {"type": "http.disconnect"}
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._unread = [], 0
        self._told = self.whole
        return {"type": "http.request", "body": body, "more_body": not self.whole}

    def answer(self, status: int, lines: bytes, body: bytes) -> bool:
        """Send a whole answer, whose headers are spelt already but for its length; tell whether that was possible."""
        connection = self._connection
        if self.begun or self.gone or connection.full:
            return False
        self._open()
        head = b"%b%b%bcontent-length: %d\r\n%b\r\n" % (
            _status_line(status),
            connection.usual,
            lines,
            len(body),
            b"" if self.keeps else _CLOSE,
        )
        connection.transport.writelines((head,) if self._bodiless else (head, body))
        self._finish()
        return True

    async def send(self, message: Message) -> None:
        """Send the beginning of an answer, or a piece of its body."""
        if self._connection.full and not self.gone:
            await self._connection.drained()
        if self.gone:
            return
        if not self.begun:
            _expect(message, "http.response.start")
            self._begin(message["status"], message.get("headers", ()))
        elif not self.done:
            _expect(message, "http.response.body")
            self._go_on(message.get("body", b""), more=message.get("more_body", False))
        else:
            raise RuntimeError("The answer was complete already.")

    def _begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        lines: list[tuple[bytes, bytes]] = []
        for given, value in headers:
            name = given.lower()
            if name == b"connection":
                # Said below, by the one who knows.
                self.keeps = self.keeps and b"close" not in value.lower()
                continue
            if name == b"content-length":
                self._left = int(value)
            elif name == b"transfer-encoding":
                self._chunked = value.lower() == b"chunked"
            lines.append((name, value))
        if self._bodiless or status in (204, 304):
            self._bodiless, self._chunked, self._left = True, False, None
        elif self._left is None and not self._chunked and not self._is_old:
            self._chunked = True
            lines.append((b"transfer-encoding", b"chunked"))
        told = spelt(lines)
        self._open()
        head = (_status_line(status), self._connection.usual, told, b"" if self.keeps else _CLOSE, b"\r\n")
        self._connection.transport.write(b"".join(head))

    def _open(self) -> None:
        self.begun = True
        if self._expects and not self.whole:
            # Not told to send its body, the client may leave it out or send it: what comes next could be either.
            self.keeps = False

    def _go_on(self, piece: bytes, *, more: bool) -> None:
        if self._left is not None:
            self._left -= len(piece)
            if self._left < 0 or (self._left and not more):
                raise RuntimeError("The answer has another length than was declared.")
        write = self._connection.transport.write
        if self._bodiless:
            pass
        elif self._chunked:
            # A chunk without bytes would be the last one.
            chunk = b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
            write(chunk if more else chunk + b"0\r\n\r\n")
        elif piece:
            write(piece)
        if not more:
            self._finish()

    def _finish(self) -> None:
        self.done = True
        self._wake()
        self._connection.finished(self)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def _run(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self.receive, self.send)
        except Exception:
            log.exception("the application failed")
        finally:
            self._connection.state.tasks.discard(self._task)
            self._task = None
            if not (self.done or self.gone):
                self._fail()

    def _fail(self) -> None:
        """Tell the client of an application that left its request without an answer, or in the middle of one."""
        self.keeps = False
        if not self.answer(500, _PLAIN, _BROKEN):
            self._connection.close()


def _status_line(status: int) -> bytes:
    return _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status


def _expect(message: Message, kind: str) -> None:
    if message["type"] != kind:
        raise RuntimeError(f"An answer goes on with {kind}, not with {message['type']}.")
