"""One HTTP/1 connection: what stands on the wire before and after the GraphQL."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from app.config import Settings
from tests.wire.conftest import Start
from tests.wire.service import PATIENCE, Service, listen
from tests.wire.test_slow_clients import masked

ME = "{ me }"
SLOWLY = "mutation { slowly }"
TEAPOT = 418
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@dataclass(frozen=True)
class Told:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]


class Wire:
    """A client that says exactly what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, *words: bytes) -> None:
        self.writer.write(b"".join(words))
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        async with asyncio.timeout(PATIENCE):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in lines[1:] if line)
        return int(lines[0].split()[1]), dict(pairs)

    async def hear(self, *, bodiless: bool = False) -> Told:
        status, headers = await self.head()
        async with asyncio.timeout(PATIENCE):
            if bodiless:
                body = b""
            elif headers.get("transfer-encoding") == "chunked":
                body = b""
                while size := int(await self.reader.readline(), 16):
                    body += (await self.reader.readexactly(size + 2))[:-2]
                await self.reader.readline()
            elif "content-length" in headers:
                body = await self.reader.readexactly(int(headers["content-length"]))
            else:
                body = await self.reader.read()
        return Told(status, headers, body)

    async def closed(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read() == b""


def post(query: str, *lines: str, version: str = "1.1", chunked: bool = False, trailer: str = "") -> bytes:
    body = json.dumps({"query": query}).encode()
    if chunked:
        framing = "transfer-encoding: chunked"
        half = len(body) // 2
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:]))
        body += b"0\r\n" + (f"{trailer}\r\n".encode() if trailer else b"") + b"\r\n"
    else:
        framing = f"content-length: {len(body)}"
    head = [f"POST /graphql HTTP/{version}", "Host: x", "Content-Type: application/json", framing, *lines, "", ""]
    return "\r\n".join(head).encode() + body


@asynccontextmanager
async def wire(service: Service, **options: Any) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1 << 24, **options)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[Service]:
    """Serve an application of a test's own."""

    async def closing() -> None:
        pass

    service = await listen(app, Settings(_env_file=None), closing)
    try:
        yield service
    finally:
        await service.stop()


async def test_one_connection_serves_request_after_request(service: Service) -> None:
    async with wire(service) as talk:
        for number in range(3):
            await talk.say(post(f'{{ echo(text: "{number}") }}'))
            told = await talk.hear()
            assert told.data == {"echo": str(number)}
            assert "connection" not in told.headers
            assert told.headers["date"].endswith(" GMT")


async def test_what_was_asked_in_one_breath_is_answered_in_turn(start: Start) -> None:
    service = await start()
    async with wire(service) as talk:
        await talk.say(post(SLOWLY), post(ME), post("{ big(kilobytes: 3) }"), post("{ missing }"))
        await service.engine.until(produced=1)
        service.engine.mutation_may_end.set()
        assert (await talk.hear()).data == {"slowly": 1}
        assert (await talk.hear()).data == {"me": "stranger"}
        assert len((await talk.hear()).data["big"]) == 3072
        assert (await talk.hear()).data == {"missing": None}
        await talk.say(post(ME))
        assert (await talk.hear()).data == {"me": "stranger"}


async def test_a_request_may_come_byte_by_byte(service: Service) -> None:
    async with wire(service) as talk:
        for byte in post(ME, chunked=True):
            await talk.say(bytes([byte]))
            await asyncio.sleep(0)
        assert (await talk.hear()).data == {"me": "stranger"}


async def test_large_answers_wait_for_a_slow_reader_whole_and_in_order(start: Start) -> None:
    service = await start()
    sizes = [900, 2000, 700, 1, 3000]
    async with wire(service) as talk:
        await talk.say(*(post(f"{{ big(kilobytes: {size}) }}") for size in sizes))
        # What the client does not read stays undone: the later ones are not even begun while the earlier ones wait.
        await asyncio.sleep(0)
        for size in sizes:
            assert (await talk.hear()).data == {"big": "x" * 1024 * size}


async def test_the_end_of_a_connection_can_be_asked_for(service: Service) -> None:
    async with wire(service) as talk:
        await talk.say(post(ME, "connection: close"), post(ME))
        told = await talk.hear()
        assert told.data == {"me": "stranger"}
        assert told.headers["connection"] == "close"
        assert await talk.closed()


async def test_a_client_of_old_is_answered_and_left(service: Service) -> None:
    async with wire(service) as talk:
        await talk.say(post(ME, version="1.0"))
        told = await talk.hear()
        assert told.data == {"me": "stranger"}
        assert told.headers["connection"] == "close"
        assert await talk.closed()


async def test_a_stream_needs_no_chunks_for_a_client_of_old(service: Service) -> None:
    async with wire(service) as talk:
        await talk.say(post("subscription { count(to: 2) }", "accept: text/event-stream", version="1.0"))
        told = await talk.hear()
        assert "transfer-encoding" not in told.headers
        assert told.body.count(b"event: next") == 2
        assert told.body.endswith(b"event: complete\ndata: \n\n")


async def test_a_stream_goes_in_chunks_and_the_connection_goes_on(service: Service) -> None:
    async with wire(service) as talk:
        await talk.say(post("subscription { count(to: 2) }", "accept: text/event-stream"), post(ME))
        told = await talk.hear()
        assert told.headers["transfer-encoding"] == "chunked"
        assert told.body.count(b"event: next") == 2
        assert (await talk.hear()).data == {"me": "stranger"}


async def test_head_tells_the_length_and_sends_nothing(service: Service) -> None:
    async with wire(service) as talk:
        await talk.say(b"HEAD /graphql?query=%7Bme%7D HTTP/1.1\r\nhost: x\r\n\r\n", post(ME))
        assert (await talk.hear(bodiless=True)).headers["content-length"] == "26"
        assert (await talk.hear()).data == {"me": "stranger"}


async def test_who_asks_first_whether_to_send_is_told_to_go_on(service: Service) -> None:
    head, _, body = post(ME, "expect: 100-continue").partition(b"\r\n\r\n")
    async with wire(service) as talk:
        await talk.say(head, b"\r\n\r\n")
        assert (await talk.head())[0] == 100
        await talk.say(body)
        assert (await talk.hear()).data == {"me": "stranger"}


async def test_who_asks_first_whether_to_send_may_be_refused_before(service: Service) -> None:
    head = post(ME, "expect: 100-continue").partition(b"\r\n\r\n")[0].replace(b"application/json", b"text/plain")
    async with wire(service) as talk:
        await talk.say(head, b"\r\n\r\n")
        assert (await talk.hear()).status == 415


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
async def test_who_would_rather_speak_http_2_is_answered_all_the_same(service: Service, chunked: bool) -> None:
    lines = "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAABk"
    async with wire(service) as talk:
        await talk.say(post(ME, *lines, chunked=chunked), post('{ echo(text: "next") }', *lines))
        assert (await talk.hear()).data == {"me": "stranger"}
        assert (await talk.hear()).data == {"echo": "next"}


async def test_a_socket_may_say_its_first_words_with_its_handshake(service: Service) -> None:
    async with wire(service) as talk:
        await talk.say(post(ME))
        await talk.hear()
        await talk.say(handshake(), masked({"type": "connection_init"}))
        assert (await talk.head())[0] == 101
        async with asyncio.timeout(PATIENCE):
            assert b"connection_ack" in await talk.reader.readuntil(b"}")


async def test_a_socket_cannot_be_opened_over_an_answer(start: Start) -> None:
    service = await start()
    async with wire(service) as talk:
        await talk.say(post(SLOWLY), handshake())
        await service.engine.until(produced=1)
        service.engine.mutation_may_end.set()
        assert (await talk.hear()).data == {"slowly": 1}
        assert await talk.closed()


@pytest.mark.parametrize(
    ("wrong", "answer"),
    [
        (lambda: handshake("content-length: 4") + b"abcd", b"HTTP/1.1 400 "),
        (lambda: handshake("transfer-encoding: chunked") + b"0\r\n\r\n", b"HTTP/1.1 400 "),
        (lambda: handshake("x-long: " + "x" * 9000), b"HTTP/1.1 400 "),
        (lambda: handshake(version="12"), b"HTTP/1.1 400 "),
        (lambda: handshake(version="12") + GET, b"HTTP/1.1 400 "),
        (lambda: handshake() + GET, b""),
    ],
    ids=["length", "chunks", "long", "version", "version-and-more", "frames"],
)
async def test_a_handshake_that_is_none_is_refused_and_leaves_nothing(
    start: Start, wrong: Callable[[], bytes], answer: bytes, caplog: Any
) -> None:
    service = await start()
    async with wire(service) as talk:
        await talk.say(wrong())
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionResetError):
                assert (await talk.reader.read()).startswith(answer)
    await service.stop()
    assert not service.server.server_state.connections
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_what_follows_a_body_is_no_header_of_anything(service: Service) -> None:
    for words in (post(ME, chunked=True, trailer="authorization: Bearer good-token"), post(ME)):
        async with wire(service) as talk:
            await talk.say(words, post(ME))
            assert (await talk.hear()).data == {"me": "stranger"}
            assert (await talk.hear()).data == {"me": "stranger"}


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
    ids=["tls", "header", "smuggled", "tunnel", "path"],
)
async def test_nonsense_ends_a_connection_after_what_was_asked_before(start: Start, nonsense: bytes) -> None:
    service = await start()
    async with wire(service) as talk:
        await talk.say(nonsense)
        told = await talk.hear()
        assert (told.status, told.headers["connection"]) == (400, "close")
        assert await talk.closed()
    async with wire(service) as talk:
        await talk.say(post(SLOWLY), post(ME), nonsense)
        await service.engine.until(produced=1)
        service.engine.mutation_may_end.set()
        assert (await talk.hear()).data == {"slowly": 1}
        assert (await talk.hear()).data == {"me": "stranger"}
        assert await talk.closed()


@pytest.mark.parametrize(
    "lines",
    [
        "content-length: 2\r\ncontent-length: 2",
        "content-length: 2, 2",
        "content-length: +2",
        "content-length: 99999999999999999999",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: xchunked",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding : chunked",
        "content-length: 2\r\n transfer-encoding: chunked",
        "content-length: 2\na: b",
        "content-length: 2\ra: b",
        "content-length: 2\r\na: \0",
    ],
    ids=str.split("twice list sign huge not-last unknown chunked-twice space fold bare-lf bare-cr nul"),
)
async def test_what_two_could_read_differently_is_refused(service: Service, lines: str) -> None:
    async with wire(service) as talk:
        await talk.say(f"POST /graphql HTTP/1.1\r\nhost: x\r\n{lines}\r\n\r\n{{}}".encode(), post(ME))
        assert (await talk.hear()).status == 400
        assert await talk.closed()


@pytest.mark.parametrize("part", ["headers", "chunks", "trailers"])
async def test_what_stands_beside_a_body_is_bounded(service: Service, part: str) -> None:
    head = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    chunked = head + b"transfer-encoding: chunked\r\n\r\n"
    fields = b"a: b\r\n" * 12_000
    words = {
        "headers": head + fields,
        "chunks": chunked + b"1\r\n \r\n" * 15_000,
        "trailers": chunked + b"0\r\n" + fields,
    }
    async with wire(service) as talk:
        await talk.say(words[part])
        assert (await talk.hear()).status == 431
        assert await talk.closed()


async def test_a_pause_ends_a_connection_but_no_answer(start: Start) -> None:
    service = await start()
    service.server.config.timeout_keep_alive = 0.2  # type: ignore[assignment]
    async with wire(service) as talk:
        await talk.say(post(ME))
        await talk.hear()
        await talk.say(post(SLOWLY))
        await service.engine.until(produced=1)
        for _ in range(2):
            async with wire(service) as other:
                await other.say(post(ME))
                await other.hear()
                assert await other.closed()
        service.engine.mutation_may_end.set()
        assert (await talk.hear()).data == {"slowly": 1}
        assert await talk.closed()


async def test_a_service_that_stops_answers_what_was_asked(start: Start) -> None:
    service = await start()
    async with wire(service) as talk, wire(service) as silent:
        await silent.say(post(ME))
        await silent.hear()
        await talk.say(post(SLOWLY), post(ME))
        await service.engine.until(produced=1)
        stopping = asyncio.create_task(service.stop())
        assert await silent.closed()
        service.engine.mutation_may_end.set()
        assert (await talk.hear()).data == {"slowly": 1}
        told = await talk.hear()
        assert (told.data, told.headers["connection"]) == ({"me": "stranger"}, "close")
        assert await talk.closed()
        await stopping


async def test_who_leaves_in_the_middle_holds_nothing(start: Start, caplog: Any) -> None:
    service = await start()
    async with wire(service) as talk:
        await talk.say(post(SLOWLY), post(ME))
        await service.engine.until(produced=1)
    service.engine.mutation_may_end.set()
    await service.engine.until(total=1)
    await service.stop()
    assert not service.server.server_state.connections
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_an_application_that_breaks_is_a_500_or_a_broken_answer() -> None:
    async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
        match scope["path"]:
            case "/late":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"some", "more_body": True})
                raise SystemError("late")
            case "/silent":
                return
            case "/teapot":
                headers = [(b"content-length", b"2"), (b"x-sort", b"oolong")]
                await send({"type": "http.response.start", "status": TEAPOT, "headers": headers})
                await send({"type": "http.response.body", "body": b"me"})
            case "/split":
                await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"a\r\nb: c")]})
            case _:
                raise SystemError("early")

    async with serving(breaking) as service:
        for path, status, body in (
            ("early", 500, b"Internal Server Error"),
            ("silent", 500, b"Internal Server Error"),
            ("split", 500, b"Internal Server Error"),
            ("teapot", TEAPOT, b"me"),
        ):
            async with wire(service) as talk:
                await talk.say(f"GET /{path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
                told = await talk.hear()
                assert (told.status, told.body) == (status, body)
        async with wire(service) as talk:
            await talk.say(b"GET /late HTTP/1.1\r\nhost: x\r\n\r\n")
            with pytest.raises(ValueError, match="invalid literal"):
                await talk.hear()


async def test_an_answer_is_never_longer_than_it_was_said_to_be() -> None:
    async def lying(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"meHTTP/1.1 200 OK\r\n\r\n"})

    async with serving(lying) as service, wire(service) as talk:
        await talk.say(GET)
        assert (await talk.head())[1]["content-length"] == "2"
        assert await talk.closed()


async def test_what_is_asked_next_knows_nothing_of_what_was_asked_before() -> None:
    seen: ContextVar[str] = ContextVar("seen", default="nothing")

    async def remembering(scope: Scope, receive: Receive, send: Send) -> None:
        before = seen.get()
        seen.set("something")
        assert scope["extensions"]["tenet.answer"](200, b"", before.encode())

    async with serving(remembering) as service, wire(service) as talk:
        await talk.say(GET * 3)
        assert [(await talk.hear()).body for _ in range(3)] == [b"nothing"] * 3


@pytest.mark.parametrize("size", [64, 100, 4096])
async def test_a_body_may_come_in_small_chunks(size: int) -> None:
    async def measuring(scope: Scope, receive: Receive, send: Send) -> None:
        length, more = 0, True
        while more:
            message = await receive()
            length, more = length + len(message["body"]), message["more_body"]
        scope["extensions"]["tenet.answer"](200, b"", str(length).encode())

    chunks = 1024 * 1024 // size
    head = b"POST / HTTP/1.1\r\nhost: x\r\ncookie: %b\r\ntransfer-encoding: chunked\r\n\r\n" % (b"x" * 8000)
    async with serving(measuring) as service, wire(service) as talk:
        for _ in range(2):
            await talk.say(head, (b"%x\r\n%b\r\n" % (size, b"x" * size)) * chunks, b"0\r\n\r\n")
            assert (await talk.hear()).body == str(chunks * size).encode()


async def test_thousands_of_requests_in_one_breath_are_read_as_they_are_answered() -> None:
    may_end, most = asyncio.Event(), 0

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal most
        await may_end.wait()
        (connection,) = service.server.server_state.connections
        most = max(most, len(cast("Any", connection)._exchanges))
        scope["extensions"]["tenet.answer"](200, b"", scope["query_string"])

    async with serving(counting) as service, wire(service) as talk:
        await talk.say(*(b"GET /?%d HTTP/1.1\r\n\r\n" % number for number in range(5000)))
        may_end.set()
        assert [(await talk.hear()).body for _ in range(5000)] == [b"%d" % number for number in range(5000)]
        assert most < 2000


@pytest.mark.parametrize("line", [b"a:\r\n", b"cookie: " + b"x" * 400 + b"\r\n"], ids=["many", "long"])
async def test_headers_that_come_at_once_are_bounded_as_well(service: Service, line: bytes) -> None:
    async with wire(service) as talk:
        await talk.say(b"GET /graphql HTTP/1.1\r\n", line * (100_000 // len(line)), b"\r\n")
        assert (await talk.hear()).status == 431
        assert await talk.closed()


async def test_who_was_answered_is_told_nothing_more(service: Service) -> None:
    head = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
    async with wire(service) as talk:
        await talk.say(head)
        assert (await talk.hear()).status == 415
        await talk.say(b"no chunk\r\n")
        assert await talk.closed()


async def test_what_was_never_called_for_is_not_taken_for_a_request(service: Service) -> None:
    head = post(ME, "expect: 100-continue").partition(b"\r\n\r\n")[0].replace(b"application/json", b"text/plain")
    async with wire(service) as talk:
        await talk.say(head, b"\r\n\r\n")
        assert (await talk.hear()).headers["connection"] == "close"
        assert await talk.closed()


async def test_a_client_of_old_is_not_told_to_go_on(service: Service) -> None:
    async with wire(service) as talk:
        await talk.say(post(ME, "expect: 100-continue", version="1.0"))
        assert (await talk.hear()).data == {"me": "stranger"}


@pytest.mark.parametrize("begun", [b"", b"POST /graphql HTTP/1.1\r\nhost"], ids=["nothing", "half"])
@pytest.mark.parametrize("before", [b"", GET], ids=["first", "next"])
async def test_who_never_ends_to_ask_is_left(
    start: Start, monkeypatch: pytest.MonkeyPatch, before: bytes, begun: bytes
) -> None:
    monkeypatch.setattr("resolvers.transport.connection.HEAD_SECONDS", 0.3)
    service = await start()
    service.server.config.timeout_keep_alive = 0.2  # type: ignore[assignment]
    async with wire(service) as talk:
        if before:
            await talk.say(before)
            await talk.hear()
        await talk.say(begun)
        assert await talk.closed()


def handshake(*more: str, version: str = "13") -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        *(
            "GET /graphql HTTP/1.1",
            "host: x",
            "connection: upgrade",
            "upgrade: websocket",
            f"sec-websocket-version: {version}",
        ),
        *(f"sec-websocket-key: {key}", "sec-websocket-protocol: graphql-transport-ws", *more, "", ""),
    )
    return "\r\n".join(lines).encode()
