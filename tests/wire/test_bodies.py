"""What no engine should ever see is answered with a 4xx and a code."""

import asyncio
import json
from typing import Any

import pytest

from tests.wire.conftest import Start
from tests.wire.service import Service, code_of

RESPONSE = "application/graphql-response+json"

MALFORMED = {
    "nothing": b"",
    "no JSON": b'{ "not a JSON',
    "null": b"null",
    "a string": b'"{ __typename }"',
    "a number": b"1",
    "an array": b'[{"query":"{ __typename }"}]',
    "an empty array": b"[]",
    "two documents": b'{"query":"{ __typename }"}{}',
    "bad UTF-8": b'{"query":"\xff\xfe"}',
    "half a UTF-8 sequence": b'{"query":"\xc3"}',
    "half a surrogate pair": b'{"query":"{ __typename }","variables":{"a":"\\ud800"}}',
    "UTF-16": '{"query":"{ __typename }"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"query":"{ __typename }"}',
    "5,000 levels": b'{"query":"{ __typename }","variables":{"a":' + b"[" * 5000 + b"]" * 5000 + b"}}",
    "100 levels": b'{"query":"{ __typename }","variables":{"a":' + b'{"a":' * 100 + b"1" + b"}" * 100 + b"}}",
    "a 5,000-digit integer": b'{"query":"{ __typename }","variables":{"a":' + b"1" * 5000 + b"}}",
    "a negative 5,000-digit integer": b'{"query":"{ __typename }","variables":{"a":-' + b"1" * 5000 + b"}}",
    "an overflowing float": b'{"query":"{ __typename }","variables":{"a":1e999}}',
    "NaN": b'{"query":"{ __typename }","variables":{"a":NaN}}',
    "Infinity": b'{"query":"{ __typename }","variables":{"a":-Infinity}}',
    "a query twice": b'{"query":"{ __typename }","query":"{ me }"}',
    "a variable twice": b'{"query":"{ __typename }","variables":{"a":1, "a" :2}}',
    "a variable twice, hidden by a string": b'{"query":"{ __typename }","variables":{"a\\\\":1,"b":"\\":","b":2}}',
    "a raw line end in a string": b'{"query":"{\n__typename }"}',
    "a comment": b'{"query":"{ __typename }" /* hello */}',
    "no query": b"{}",
    "an empty query": b'{"query":""}',
    "a null query": b'{"query":null}',
    "a misspelt query": b'{"qeury":"{ __typename }"}',
    "only unknown extensions": b'{"extensions":{"some":"value"}}',
    **{
        f"{member} as {json.dumps(value)}": json.dumps({"query": "{ __typename }", member: value}).encode()
        for member, values in {
            "query": ({"a": 1}, 0, 1, False, True, ["a"]),
            "operationName": ({"a": 1}, 0, False, ["a"]),
            "variables": ("a", 0, False, ["a"], []),
            "extensions": ("a", 0, False, ["a"], []),
        }.items()
        for value in values
    },
}


@pytest.mark.parametrize("accept", [RESPONSE, "application/json", "*/*"])
@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_body_is_a_400_with_a_code(service: Service, name: str, accept: str) -> None:
    response = await service.post(MALFORMED[name], accept=accept)
    assert response.status_code == 400
    assert code_of(response) in ("VALIDATION_ERROR", "QUERY_TOO_COMPLEX")


async def test_a_wrong_member_is_named(service: Service) -> None:
    response = await service.post({"query": "{ __typename }", "variables": [1], "operationName": 1})
    assert response.json()["errors"][0]["extensions"]["fields"].keys() == {"variables", "operationName"}


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ __typename }", "variables": None, "operationName": None, "extensions": None},
        {"query": "{ __typename }", "unknown": 1},
        {"query": 'query A { __typename } # "quotes": in a comment', "operationName": "A"},
        {"query": "{ __typename }", "variables": {'a"': 1, '"a":': 2, "ä 🏃": [{"a": 1}, {"a": 1}]}},
        {"query": "{ __typename }", "extensions": {"some": "value"}},
    ],
)
async def test_a_sane_body_is_answered(service: Service, body: Any) -> None:
    for content in (json.dumps(body), json.dumps(body, ensure_ascii=False), json.dumps(body, indent=1)):
        response = await service.post(content.encode(), accept=RESPONSE)
        assert (response.status_code, response.json()) == (200, {"data": {"__typename": "Query"}})


async def test_nesting_just_below_the_limit_is_fine(service: Service) -> None:
    nested: Any = 1
    for _ in range(60):
        nested = [nested]
    assert (await service.post({"query": service.query, "variables": {"a": nested}})).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "Application/JSON ; charset=us-ascii",
        "application/json; charset=utf-8; profile=x",
    ],
)
async def test_parameters_of_the_content_type_do_not_matter(service: Service, content_type: str) -> None:
    assert (await service.post({"query": service.query}, content_type=content_type)).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/jsonp",
        "x/y; application/json",
    ],
)
async def test_other_content_types_are_unsupported(service: Service, content_type: str) -> None:
    response = await service.post({"query": service.query}, content_type=content_type)
    assert (response.status_code, code_of(response)) == (415, "VALIDATION_ERROR")


async def test_a_packed_body_is_unsupported(service: Service) -> None:
    response = await service.post({"query": service.query}, content_encoding="gzip")
    assert (response.status_code, response.headers["accept-encoding"]) == (415, "identity")


async def test_a_body_over_the_limit_is_refused_before_it_is_read(start: Start) -> None:
    service = await start(request_bytes=2000)
    fits = json.dumps({"query": service.query, "variables": {"a": ""}})
    fits = fits.replace('""', json.dumps("x" * (2000 - len(fits))))
    assert (await service.post(fits.encode())).status_code == 200
    response = await service.post(fits.encode() + b" ")
    assert (response.status_code, code_of(response)) == (413, "QUERY_TOO_COMPLEX")
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n")
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


async def test_a_body_without_a_length_is_bounded_too(start: Start) -> None:
    service = await start(request_bytes=2000)

    async def chunks(count: int) -> Any:
        yield b'{"query":"{ __typename }","variables":{"a":"'
        for _ in range(count):
            yield b"x" * 500
        yield b'"}}'

    headers = {"content-type": "application/json"}
    assert (await service.client.post(service.url, content=chunks(2), headers=headers)).status_code == 200
    assert (await service.client.post(service.url, content=chunks(20), headers=headers)).status_code == 413


async def test_a_body_that_never_ends_is_given_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.transport.http.BODY_SECONDS", 0.1)
    service = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{")
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


async def test_a_client_that_leaves_in_the_middle_is_forgotten(start: Start, caplog: Any) -> None:
    service = await start()
    _, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{")
    await writer.drain()
    writer.close()
    assert (await service.post({"query": service.query})).status_code == 200
    await service.stop()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
