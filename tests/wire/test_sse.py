"""Server-sent events: framing, who gets a stream and who does not, and how a stream ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.wire.conftest import Start
from tests.wire.service import PATIENCE, Service

EVENTS = "text/event-stream"
URQL = f"application/graphql-response+json, application/graphql+json, application/json, {EVENTS}, multipart/mixed"
COMPLETE = b"event: complete\ndata: \n\n"


@asynccontextmanager
async def streamed(service: Service, query: str, **headers: str) -> AsyncIterator[tuple[httpx.Response, Any]]:
    """Open a stream; the second part reads it frame by frame."""
    sent = {"accept": EVENTS, "content-type": "application/json", "authorization": f"Bearer {service.token}", **headers}
    body = json.dumps({"query": query}).encode()
    async with (
        asyncio.timeout(PATIENCE),
        service.client.stream("POST", service.url, content=body, headers=sent) as response,
    ):
        yield response, _frames(response)


async def _frames(response: httpx.Response) -> AsyncIterator[bytes]:
    waiting = b""
    async for chunk in response.aiter_bytes():
        *frames, waiting = (waiting + chunk).split(b"\n\n")
        for frame in frames:
            yield frame + b"\n\n"
    assert not waiting


async def test_a_subscription_is_a_stream_of_events(service: Service) -> None:
    async with streamed(service, "subscription { count(to: 3) }") as (response, frames):
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        received = [frame async for frame in frames]
    results = [b'event: next\ndata: {"data":{"count":%d}}\n\n' % number for number in (1, 2, 3)]
    assert received == [*results, COMPLETE]


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_queries_mutations_and_their_errors_go_over_it_too(service: Service, encoding: str) -> None:
    for query, expected in (
        ("{ me }", {"data": {"me": "viewer"}}),
        ("mutation { __typename }", {"data": {"__typename": "Mutation"}}),
        ("{ big(kilobytes: 2) }", {"data": {"big": "x" * 2048}}),
    ):
        async with streamed(service, query, **{"accept-encoding": encoding}) as (response, frames):
            assert (response.status_code, response.headers.get("content-encoding")) == (200, None)
            only, end = [frame async for frame in frames]
        assert only == b"event: next\ndata: " + json.dumps(expected, separators=(",", ":")).encode() + b"\n\n"
        assert end == COMPLETE
    for query in ("{", service.wrong, "subscription { wrong }", "subscription { forbidden }"):
        async with streamed(service, query) as (response, frames):
            assert response.status_code == 200
            only, end = [frame async for frame in frames]
        assert json.loads(only.removeprefix(b"event: next\ndata: "))["errors"][0]["extensions"]["code"]
        assert end == COMPLETE


async def test_line_ends_between_tokens_stay_inside_of_the_event(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    service = await start()
    executed = type(await service.engine.answer(None, _request("{ me }"), reads_only=True))

    async def answer(*_: Any, **__: Any) -> Any:
        return executed(b'{"data":{"list":[1,\r\n 2]}}', True)

    monkeypatch.setattr(service.engine, "answer", answer)
    async with streamed(service, "{ me }") as (_, frames):
        assert [frame async for frame in frames] == [b'event: next\ndata: {"data":{"list":[1,   2]}}\n\n', COMPLETE]


async def test_a_get_streams_as_well(service: Service) -> None:
    response = await service.get("subscription { count(to: 1) }", accept=EVENTS)
    assert response.content == b'event: next\ndata: {"data":{"count":1}}\n\n' + COMPLETE


@pytest.mark.parametrize("accept", [URQL, f"application/json, {EVENTS}", f"*/*, {EVENTS};q=0.9"])
async def test_who_names_json_first_gets_json(service: Service, accept: str) -> None:
    response = await service.post({"query": "{ me }"}, accept=accept)
    assert response.json() == {"data": {"me": "stranger"}}
    subscribed = await service.post({"query": "subscription { ticks }"}, accept=accept)
    assert subscribed.headers["content-type"] != EVENTS
    assert subscribed.json()["errors"]


async def test_silence_is_filled_with_signs_of_life(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    service = await start(heartbeat_seconds=0.05)

    async def never(*_: Any) -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield

    monkeypatch.setattr(service.engine, "stream", never)
    async with streamed(service, "subscription { ticks }") as (_, frames):
        assert [await anext(frames) for _ in range(3)] == [b":\n\n"] * 3


async def test_a_client_that_leaves_ends_its_generator(start: Start) -> None:
    service = await start()
    async with streamed(service, "subscription { ticks }") as (_, frames):
        await anext(frames)
        await service.engine.until(open_streams=1)
    async with asyncio.timeout(1):
        await service.engine.until(open_streams=0)


async def test_a_stream_that_breaks_is_masked(service: Service, caplog: Any) -> None:
    async with streamed(service, "subscription { breaks }") as (_, frames):
        first, second, end = [frame async for frame in frames]
    assert first == b'event: next\ndata: {"data":{"breaks":1}}\n\n'
    assert b"INTERNAL_ERROR" in second
    assert b"secret" not in second
    assert "secret" in caplog.text
    assert end == COMPLETE


async def test_a_credential_that_no_longer_holds_ends_it(start: Start) -> None:
    service = await start(recheck_seconds=0.05)
    async with streamed(service, "subscription { ticks }") as (_, frames):
        await anext(frames)
        service.engine.callers[-1].valid = False
        *_, last, end = [frame async for frame in frames]
    assert b"UNAUTHENTICATED" in last
    assert end == COMPLETE
    await service.engine.until(open_streams=0)


async def test_a_stopping_service_leaves_without_complete(start: Start) -> None:
    service = await start()
    async with streamed(service, "subscription { ticks }") as (_, frames):
        await anext(frames)
        stopping = asyncio.create_task(service.stop())
        assert COMPLETE not in [frame async for frame in frames]
    await asyncio.wait_for(stopping, 5)
    assert service.engine.open_streams == 0


def _request(query: str) -> Any:
    from resolvers.transport.protocol import GraphQLRequest

    return GraphQLRequest(query, None, None, None)
