"""What browsers may do with our answers: CORS for known front ends, no sniffing, no frames, no referrer."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.observe import headers_of

Headers = list[tuple[bytes, bytes]]

POLICY = b"content-security-policy"

_GUARDED: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"vary", b"origin"),
]
_CLOSED: Headers = [(POLICY, b"default-src 'none'; frame-ancestors 'none'")]
_ALLOWED: Headers = [
    (b"access-control-allow-methods", b"GET, POST"),
    (
        b"access-control-allow-headers",
        b"authorization, content-type, x-request-id, x-tenet-csrf, apollo-require-preflight, traceparent, tracestate",
    ),
    (b"access-control-max-age", b"7200"),
    (b"content-length", b"0"),
]
_EXPOSED = (
    b"access-control-expose-headers",
    b"x-request-id, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, retry-after",
)


def _spelt(header: tuple[bytes, bytes]) -> bytes:
    return b"%b: %b\r\n" % header


# What a whole answer of our own server gets: pages are never sent that way.
_SPELT = b"".join(map(_spelt, _GUARDED + _CLOSED))


class BrowserHeaders:
    """Stands in front of everything.

    Starlette's CORSMiddleware does the half of it, at several times the cost on requests that name no origin.
    """

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        self._app = app
        self._friends: dict[bytes, Headers] = {
            origin.encode(): [
                (b"access-control-allow-origin", origin.encode()),
                (b"access-control-allow-credentials", b"true"),
                _EXPOSED,
            ]
            for origin in origins
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to an answer; answer a browser that asks first."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = headers_of(scope)
        origin = asked.get(b"origin")
        granted = [] if origin is None else self._friends.get(origin, [])
        extensions = scope.get("extensions", {})
        if whole := extensions.get("tenet.answer"):
            lines = _SPELT + b"".join(map(_spelt, granted)) if granted else _SPELT
            extensions["tenet.answer"] = lambda status, head, body: whole(status, head + lines, body)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *_GUARDED, *granted]
                for name, _ in headers:
                    # A page brings its own policy; whatever else this service sends is nothing to be shown or run.
                    if name == POLICY:
                        break
                else:
                    headers += _CLOSED
                message = {**message, "headers": headers}
            await send(message)

        if scope["method"] == "OPTIONS" and origin is not None and b"access-control-request-method" in asked:
            allowed = _ALLOWED if granted else [(b"content-length", b"0")]
            await send_guarded({"type": "http.response.start", "status": 204 if granted else 403, "headers": allowed})
            await send_guarded({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send_guarded)
