"""Request ids: taken from the caller or made here, in every log line and in the answer."""

import logging
import re
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from random import Random
from time import perf_counter
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.observe.traces import span, tracing

REQUEST_ID_HEADER = "x-request-id"
SLOW_SECONDS = 1.0

_HEADER = REQUEST_ID_HEADER.encode()
_SANE = re.compile(rb"[A-Za-z0-9._:-]{6,64}")
_STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")
# Ids tell requests apart and guard nothing; the kernel's random numbers cost a call to it each time.
_random = Random()  # noqa: S311
_current: ContextVar[str | None] = ContextVar("request_id", default=None)

log = structlog.get_logger(__name__)
# Asked first: what structlog does before it finds that nobody wants a line is felt on each request.
_wants = logging.getLogger(__name__).isEnabledFor


def headers_of(scope: Scope) -> Mapping[bytes, bytes]:
    """Look a request's headers up by name; those that came in several lines are one list, as RFC 9110 has it."""
    found: dict[bytes, bytes] | None = scope.get("tenet.headers")
    if found is None:
        headers = scope["headers"]
        # Worked out once: whoever stands in the way of a request wants to know something of them.
        found = scope["tenet.headers"] = dict(headers)
        if len(found) != len(headers):
            found.clear()
            for name, value in headers:
                between = b"; " if name == b"cookie" else b", "
                found[name] = found[name] + between + value if name in found else value
    return found


def request_id() -> str | None:
    """Name the request that this code runs for."""
    return _current.get()


def add_request_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the id of the request into a log event."""
    if (current := _current.get()) is not None:
        event["request_id"] = current
    return event


class RequestIds:
    """Gives each request and each WebSocket its id, and tells of slow and of failed ones."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        # The caller's word, if it is one: what stands here goes into log lines and headers.
        identifier = headers_of(scope).get(_HEADER)
        if identifier is None or not _SANE.fullmatch(identifier):
            identifier = b"%020x" % _random.getrandbits(80)
        started, status = perf_counter(), 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] in _STARTS:
                status = message.get("status", 101)
                message["headers"] = [*message.get("headers", ()), (_HEADER, identifier)]
            await send(message)

        extensions = scope.get("extensions", {})
        if whole := extensions.get("tenet.answer"):
            line = b"%b: %b\r\n" % (_HEADER, identifier)

            def answer_named(code: int, lines: bytes, body: bytes) -> bool:
                nonlocal status
                status = code
                sent: bool = whole(code, lines + line, body)
                return sent

            extensions["tenet.answer"] = answer_named

        marker = _current.set(identifier.decode())
        try:
            if tracing():
                with span(f"{scope.get('method', 'WEBSOCKET')} {scope['path']}", headers=scope["headers"]):
                    await self.app(scope, receive, send_named)
            else:
                await self.app(scope, receive, send_named)
        finally:
            seconds = perf_counter() - started
            # A probe that is told "not ready" was answered well, and it asks every few moments.
            failed = status >= 500 and not (status == 503 and scope["path"] == "/health/ready")
            if failed or (seconds > SLOW_SECONDS and scope["type"] == "http"):
                log.warning("slow or failed request", path=scope["path"], status=status, seconds=round(seconds, 3))
            elif _wants(logging.DEBUG):
                log.debug("request", path=scope["path"], status=status, seconds=round(seconds, 3))
            _current.reset(marker)
