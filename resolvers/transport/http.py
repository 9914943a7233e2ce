"""GraphQL over HTTP, to the letter of its specification, on bare ASGI: this is the hot path."""

import asyncio
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import Settings
from app.domain.errors import Forbidden, Invalid, Refusal, TooComplex
from app.observe import headers_of
from resolvers.transport import guard, sse
from resolvers.transport.exchange import spelt
from resolvers.transport.negotiation import Media, accepts_gzip, negotiate
from resolvers.transport.origins import Origins
from resolvers.transport.protocol import Answer, Engine, GraphQLRequest, Headers, broken, refused

BODY_SECONDS = 30

# Below, the saving is less than a packet; level 1 packs JSON nearly as small as level 6 at a third of the time.
PACK_FROM = 1024
PACK_LEVEL = 1
# A longer one would hold up everybody else, so it is packed in a thread (zlib lets go of the interpreter's lock).
PACK_ASIDE_FROM = 65_536

_POST_OFFERS = (Media.RESPONSE, Media.JSON, Media.EVENTS)
_GET_OFFERS = (*_POST_OFFERS, Media.HTML)
_HEADERS = {
    media: [
        (b"content-type", f"{media.value}; charset=utf-8".encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept, accept-encoding"),
    ]
    for media in Media
}
_COOKIE = b"set-cookie"
_LINES = {media: spelt(headers) for media, headers in _HEADERS.items()}


class Rejected(Exception):
    """A request that HTTP itself has a status for."""

    def __init__(self, status: int, refusal: Refusal, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(refusal.message)
        self.answer = replace(refused(refusal), status=status, headers=headers)


class Gone(Exception):
    """The client left before its request was complete."""


class HttpTransport:
    """Answers POST and, for reads, GET."""

    def __init__(
        self,
        engine: Engine[Any],
        settings: Settings,
        streams: sse.EventStreams,
        *,
        page: ASGIApp | None = None,
    ) -> None:
        self._engine = engine
        self._streams = streams
        self._page = page
        self._origins = Origins(settings)
        self._largest = settings.request_bytes
        self._batch = settings.batch_operations
        self._get_offers = _GET_OFFERS if page else _POST_OFFERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = headers_of(scope)
        media = Media.JSON
        # A request that is wrong as HTTP or as JSON is a 400 for every client; one that is wrong as GraphQL is a 200
        # for those that know only application/json.
        otherwise: int | None = 400
        try:
            by_get = _by_get(scope["method"])
            wanted = negotiate(headers.get(b"accept"), self._get_offers if by_get else _POST_OFFERS)
            if wanted is None:
                raise Rejected(406, Invalid(f"Accept must allow one of: {', '.join(m.value for m in _POST_OFFERS)}."))
            if wanted is Media.HTML and self._page is not None:
                await self._page(scope, receive, send)
                return
            if wanted is not Media.EVENTS:
                media = wanted
            asked = self._asked(scope["query_string"]) if by_get else await self._sent(headers, receive)
            caller = await self._engine.caller(scope, None)
            if caller.by_cookie and not self._origins.deliberate(headers, by_get=by_get):
                raise Rejected(403, Forbidden("This comes from another site, or lacks a header such as x-tenet-csrf."))
            if isinstance(asked, list):
                answer, media = await self._batched(caller, asked), Media.JSON
            else:
                kind = self._engine.operation_kind(asked) if by_get or wanted is Media.EVENTS else None
                if by_get and kind == "mutation":
                    raise Rejected(405, Invalid("A mutation is sent by POST."), (b"allow", b"POST"))
                if kind == "subscription" and wanted is Media.EVENTS:
                    await self._streams.serve(scope, receive, send, caller, asked)
                    return
                answer = await self._engine.answer(caller, asked, reads_only=by_get)
                if wanted is Media.EVENTS and answer.status is None:
                    answer, media = replace(answer, body=sse.whole(answer.body)), Media.EVENTS
            otherwise = None
        except Gone:
            return
        except Rejected as rejected:
            answer = rejected.answer
        except Refusal as refusal:
            answer = refused(refusal)
        except Exception as error:  # the last door: nothing unforeseen reaches a client as it is
            answer = broken(error)
        await _reply(scope, send, headers, media, answer, answer.status or otherwise)

    async def _sent(self, headers: Mapping[bytes, bytes], receive: Receive) -> GraphQLRequest | list[GraphQLRequest]:
        """Take the operations from a body."""
        kind = headers.get(b"content-type", b"")
        # Anything but JSON could be sent by a form on a foreign page without asking.
        if kind != b"application/json" and kind.partition(b";")[0].strip().lower() != b"application/json":
            raise Rejected(415, Invalid("The body must be sent as content-type: application/json."))
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise Rejected(
                415, Invalid("The body must be sent without content-encoding."), (b"accept-encoding", b"identity")
            )
        declared = headers.get(b"content-length", b"0")
        if len(declared) > 18 or not declared.isdigit() or int(declared) > self._largest:
            raise self._too_large(413)
        value = guard.parse(await self._read(receive))
        if type(value) is list and self._batch > 1:
            if not 1 <= len(value) <= self._batch:
                raise Invalid(f"A batch has 1 to {self._batch} operations.")
            return [guard.request(member) for member in value]
        return guard.request(value)

    async def _read(self, receive: Receive) -> bytes:
        body, more = self._chunk(await receive())
        if not more:
            return body
        # Timed only from here on: most bodies are there at once, and a timer would cost them half of all this work.
        chunks = [body]
        size = len(body)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while more:
                    chunk, more = self._chunk(await receive())
                    chunks.append(chunk)
                    size += len(chunk)
                    if size > self._largest:
                        raise self._too_large(413)
        except TimeoutError:
            raise Rejected(408, Invalid("The body took too long to arrive.")) from None
        return b"".join(chunks)

    def _chunk(self, message: Message) -> tuple[bytes, bool]:
        if message["type"] == "http.disconnect":
            raise Gone
        chunk: bytes = message.get("body", b"")
        if len(chunk) > self._largest:
            raise self._too_large(413)
        return chunk, message.get("more_body", False)

    def _asked(self, query_string: bytes) -> GraphQLRequest:
        """Take the operation from a query string."""
        if len(query_string) > self._largest:
            raise self._too_large(414)
        try:
            pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
        except ValueError:
            raise Invalid("The query string is not valid.") from None
        asked: dict[str, Any] = {}
        for name, text in pairs:
            if name in asked:
                raise Invalid("The query string is not valid.", fields={name[:100]: "Must be given once."})
            asked[name] = text
        for name in ("variables", "extensions"):
            if name in asked:
                asked[name] = guard.parse(asked[name].encode(), f"The parameter {name}") if asked[name] else None
        return guard.request(asked)

    async def _batched(self, caller: Any, requests: list[GraphQLRequest]) -> Answer:
        async def one(request: GraphQLRequest) -> Answer:
            try:
                return await self._engine.answer(caller, request, reads_only=False)
            except Refusal as refusal:
                return refused(refusal)
            except Exception as error:  # one that broke must not take its neighbours along
                return broken(error)

        answers = await asyncio.gather(*(one(request) for request in requests))
        said = [header for answer in answers for header in answer.headers]
        # What several say is said once, in the last one's words; each may set cookies.
        once = {name: (name, value) for name, value in said if name != _COOKIE}
        headers = (*once.values(), *(header for header in said if header[0] == _COOKIE))
        return Answer(b"[%b]" % b",".join(answer.body for answer in answers), True, headers=headers)

    def _too_large(self, status: int) -> Rejected:
        return Rejected(status, TooComplex(f"The request is larger than {self._largest} bytes.", limit=self._largest))


def _by_get(method: str) -> bool:
    if method == "POST":
        return False
    if method in ("GET", "HEAD"):
        return True
    raise Rejected(405, Invalid("GraphQL is asked by POST or GET."), (b"allow", b"GET, POST"))


async def _reply(
    scope: Scope, send: Send, headers: Mapping[bytes, bytes], media: Media, answer: Answer, status: int | None
) -> None:
    body = answer.body
    extra: Headers = answer.headers
    if len(body) >= PACK_FROM and media is not Media.EVENTS and accepts_gzip(headers.get(b"accept-encoding")):
        body = _packed(body) if len(body) < PACK_ASIDE_FROM else await asyncio.to_thread(_packed, body)
        extra = (*extra, (b"content-encoding", b"gzip"))
    if status is None:
        status = 200 if answer.executed or media is not Media.RESPONSE else 400
    # Our own server writes it at once; any other one, or a client that has not read the answer before, takes longer.
    at_once = scope.get("extensions", {}).get("tenet.answer")
    if at_once is not None and at_once(status, _LINES[media] + spelt(extra) if extra else _LINES[media], body):
        return
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*_HEADERS[media], *extra, (b"content-length", b"%d" % len(body))],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _packed(body: bytes) -> bytes:
    return zlib.compress(body, PACK_LEVEL, wbits=31)
