"""GraphQL over HTTP: forms of answers, statuses, methods, who may ask from where, and what goes with an answer."""

import asyncio
import json
from typing import Any

import pytest

from app.domain.errors import RateLimited
from tests.wire.conftest import Start
from tests.wire.service import Service, code_of

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"
APOLLO = f"{RESPONSE},{JSON};q=0.9"
URQL = f"{RESPONSE}, application/graphql+json, {JSON}, {EVENTS}, multipart/mixed"

NEGOTIATED = {
    RESPONSE: RESPONSE,
    JSON: JSON,
    "*/*": JSON,
    "": JSON,
    "application/*": JSON,
    f"{RESPONSE}; charset=utf-8": RESPONSE,
    f"{JSON}; charset=utf-8": JSON,
    "APPLICATION/JSON": JSON,
    APOLLO: RESPONSE,
    URQL: RESPONSE,
    f"{JSON};q=0.9, {RESPONSE}": RESPONSE,
    f"{JSON}, {RESPONSE}": JSON,
    f"{RESPONSE};q=0.5, */*;q=0.1": RESPONSE,
    f"{RESPONSE};q=0, */*": JSON,
    f"{JSON};q=0, */*": RESPONSE,
    f"text/html, {JSON};q=0.5": JSON,
    f"text/html,{EVENTS};q=0.1,*/*": JSON,
    f"{JSON}, {EVENTS}": JSON,
    f"{EVENTS};q=0.5, {JSON}": JSON,
    EVENTS: EVENTS,
    f"{EVENTS}, {JSON};q=0.9": EVENTS,
    f"multipart/mixed, {EVENTS}": EVENTS,
    "text/plain;q=1" * 100 + f",{RESPONSE}": RESPONSE,
}
UNACCEPTABLE = ["text/html", "text/plain", "multipart/mixed", f"{JSON};q=0", "*/*;q=0", f"{JSON};q=x", "nonsense", ","]


@pytest.mark.parametrize("accept", NEGOTIATED)
async def test_the_form_is_negotiated(service: Service, accept: str) -> None:
    for response in (
        await service.post({"query": service.query}, accept=accept),
        await service.get(service.query, accept=accept),
    ):
        assert response.status_code == 200
        assert response.headers["content-type"] == f"{NEGOTIATED[accept]}; charset=utf-8"
        assert "accept" in response.headers["vary"]


async def test_without_accept_it_is_plain_json(service: Service) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"content-type: application/json; charset=utf-8" in answer


@pytest.mark.parametrize("accept", UNACCEPTABLE)
async def test_what_fits_nothing_is_not_acceptable(service: Service, accept: str) -> None:
    response = await service.post({"query": service.query}, accept=accept)
    assert (response.status_code, code_of(response)) == (406, "VALIDATION_ERROR")


@pytest.mark.parametrize("kind", ["parse", "validation", "variables", "operation name"])
async def test_a_request_error_has_no_data_and_is_a_400_in_the_new_form(service: Service, kind: str) -> None:
    body = {
        "parse": {"query": "{"},
        "validation": {"query": service.wrong},
        "variables": {"query": service.needs_variable, "variables": {"name": None}},
        "operation name": {"query": "query A { __typename }", "operationName": "B"},
    }[kind]
    for accept, status in ((RESPONSE, 400), (JSON, 200), (URQL, 400)):
        response = await service.post(body, accept=accept)
        assert response.status_code == status
        assert code_of(response)


async def test_an_error_in_execution_is_a_200_with_data(service: Service) -> None:
    for accept in (RESPONSE, JSON):
        response = await service.post({"query": "{ me missing }"}, accept=accept)
        assert response.status_code == 200
        assert response.json()["data"] == {"me": "stranger", "missing": None}
        assert response.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_a_get_reads_with_variables(service: Service) -> None:
    parameters = {
        "query": "query A { me } query B($text: String!) { echo(text: $text) }",
        "operationName": "B",
        "variables": json.dumps({"text": "ä 🏃&=+"}),
        "extensions": "{}",
        "unknown": "x",
    }
    response = await service.client.get(service.url, params=parameters)
    assert response.json() == {"data": {"echo": "ä 🏃&=+"}}
    empty = {"query": "{ me }", "operationName": "", "variables": "", "extensions": ""}
    assert (await service.client.get(service.url, params=empty)).json() == {"data": {"me": "stranger"}}


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=",
        "variables={}",
        "query=%ff",
        "query={__typename}&variables=[1]",
        "query={__typename}&variables=x",
        "query={__typename}&variables={%22a%22:1,%22a%22:2}",
        "query={__typename}&extensions=1",
        "query={__typename}&query={me}",
        "&".join(f"a{number}=1" for number in range(200)),
    ],
)
async def test_a_malformed_query_string_is_a_400(service: Service, query_string: str) -> None:
    response = await service.client.get(f"{service.url}?{query_string}", headers={"accept": JSON})
    assert (response.status_code, code_of(response)) == (400, "VALIDATION_ERROR")


async def test_a_query_string_over_the_limit_is_refused(start: Start) -> None:
    service = await start(request_bytes=2000)
    response = await service.get("{ __typename }" + " " * 2000)
    assert (response.status_code, code_of(response)) == (414, "QUERY_TOO_COMPLEX")


async def test_a_mutation_needs_a_post(start: Start) -> None:
    service = await start()
    for accept in (RESPONSE, JSON, EVENTS):
        response = await service.get("mutation { add }", accept=accept)
        assert (response.status_code, response.headers["allow"]) == (405, "POST")
        assert code_of(response) == "VALIDATION_ERROR"
    assert service.engine.total == 0
    assert (await service.post({"query": "mutation { add }"})).json() == {"data": {"add": 1}}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_other_methods_are_not_allowed(service: Service, method: str) -> None:
    response = await service.client.request(method, service.url)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


async def test_head_is_a_get_without_a_body(service: Service) -> None:
    response = await service.client.head(service.url, params={"query": service.query})
    assert (response.status_code, response.content) == (200, b"")


async def test_a_subscription_needs_a_stream(service: Service) -> None:
    response = await service.post({"query": "subscription { ticks }"}, accept=RESPONSE)
    assert (response.status_code, code_of(response)) == (400, "VALIDATION_ERROR")


async def test_a_hash_alone_reaches_the_engine(service: Service) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    response = await service.post({"extensions": extensions}, accept=RESPONSE)
    assert code_of(response) == "NOT_FOUND"
    parameters = {"extensions": json.dumps(extensions)}
    assert code_of(await service.client.get(service.url, params=parameters)) == "NOT_FOUND"


async def test_a_refused_credential_is_a_401(service: Service) -> None:
    for accept in (RESPONSE, JSON, EVENTS):
        response = await service.post({"query": "{ me }"}, accept=accept, authorization="Bearer wrong")
        assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == "Bearer"


async def test_what_is_down_says_when_to_come_back(start: Start) -> None:
    service = await start()
    service.engine.down = True
    response = await service.post({"query": "{ me }"}, accept=JSON)
    assert (response.status_code, code_of(response)) == (503, "UNAVAILABLE")
    assert response.headers["retry-after"] == "2"


async def test_a_raised_refusal_has_its_own_status(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    service = await start()

    async def answer(*_: Any, **__: Any) -> Any:
        raise RateLimited("Too fast.", retry_after=7)

    monkeypatch.setattr(service.engine, "answer", answer)
    response = await service.post({"query": "{ me }"}, accept=JSON)
    assert (response.status_code, code_of(response)) == (429, "RATE_LIMITED")
    assert response.headers["retry-after"] == "7"


async def test_what_nobody_foresaw_is_masked_and_logged(start: Start, monkeypatch: Any, caplog: Any) -> None:
    service = await start()

    async def answer(*_: Any, **__: Any) -> Any:
        raise SystemError("secret detail")

    monkeypatch.setattr(service.engine, "answer", answer)
    response = await service.post({"query": "{ me }"}, accept=RESPONSE)
    assert (response.status_code, code_of(response)) == (500, "INTERNAL_ERROR")
    assert "secret" not in response.text
    assert response.json()["errors"][0]["extensions"]["reference"] in caplog.text


async def test_a_cookie_counts_only_where_a_foreign_page_cannot_use_it(start: Start) -> None:
    service = await start(origins=("https://app.example",))
    cookie = {"cookie": service.cookie}
    own = f"http://127.0.0.1:{service.port}"
    for headers in (
        {"x_tenet_csrf": "1"},
        {"apollo_require_preflight": "true"},
        {"sec_fetch_site": "same-origin"},
        {"origin": own},
        {"origin": "https://app.example"},
    ):
        assert (await service.get("{ me }", **cookie, **headers)).json() == {"data": {"me": "viewer"}}
    for headers in (
        {},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://evil.example", "x_tenet_csrf": "1"},
    ):
        for accept in (JSON, EVENTS):
            response = await service.get("{ me }", accept=accept, **cookie, **headers)
            assert (response.status_code, code_of(response)) == (403, "FORBIDDEN")
    body = {"query": "{ me }"}
    assert (await service.post(body, **cookie)).json() == {"data": {"me": "viewer"}}
    assert (await service.post(body, **cookie, origin=own)).status_code == 200
    assert (await service.post(body, **cookie, origin="https://evil.example")).status_code == 403
    # A bearer token is never sent by a browser on its own, so it may come from anywhere.
    authorized = {"authorization": f"Bearer {service.token}"}
    assert (await service.get("{ me }", **authorized)).json() == {"data": {"me": "viewer"}}


async def test_larger_answers_are_packed_for_those_who_can_unpack(service: Service) -> None:
    small = await service.post({"query": "{ __typename }"}, accept_encoding="gzip")
    assert "content-encoding" not in small.headers
    for kilobytes in (2, 200):
        query = {"query": f"{{ big(kilobytes: {kilobytes}) }}"}
        packed = await service.post(query, accept_encoding="br, gzip;q=0.5")
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) < 1000
        for refusing in ("identity", "br", "gzip;q=0", ""):
            plain = await service.post(query, accept_encoding=refusing)
            assert "content-encoding" not in plain.headers
            assert "accept-encoding" in plain.headers["vary"]
            assert plain.content == packed.content


async def test_every_answer_tells_browsers_to_be_careful(service: Service) -> None:
    for response in (
        await service.post({"query": service.query}),
        await service.post(b""),
        await service.get(),
        await service.get("subscription { count(to: 1) }", accept=EVENTS),
        await service.get("subscription { count(to: 1) }", accept=EVENTS),
        await service.client.put(service.url),
    ):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert response.headers["cache-control"] == "no-store"
        assert len(response.headers.get_list("x-frame-options")) == 1


async def test_known_front_ends_may_call_and_others_may_not(start: Start) -> None:
    service = await start(origins=("https://app.example",))
    asking = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    granted = await service.client.options(service.url, headers={"origin": "https://app.example", **asking})
    assert granted.status_code == 204
    assert granted.headers["access-control-allow-origin"] == "https://app.example"
    assert {"authorization", "content-type"} <= set(granted.headers["access-control-allow-headers"].split(", "))
    refused = await service.client.options(service.url, headers={"origin": "https://evil.example", **asking})
    assert refused.status_code == 403
    answer = await service.post({"query": service.query}, origin="https://app.example")
    assert answer.headers["access-control-allow-credentials"] == "true"
    stranger = await service.post({"query": service.query}, origin="https://evil.example")
    for response in (refused, stranger):
        assert not [name for name in response.headers if name.startswith("access-control-")]
        assert "origin" in response.headers["vary"]


async def test_batches_are_off_until_switched_on(start: Start) -> None:
    batch = [{"query": "{ me }"}, {"query": "{"}, {"query": "mutation { add(by: 2) }"}]
    off = await start()
    assert (await off.post(batch)).status_code == 400
    on = await start(batch_operations=3)
    response = await on.post(batch, accept=RESPONSE)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json; charset=utf-8")
    first, second, third = response.json()
    assert (first, third) == ({"data": {"me": "stranger"}}, {"data": {"add": 2}})
    assert second["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
    for wrong in ([], batch * 2, [{"query": "{ me }"}, 1]):
        assert (await on.post(wrong)).status_code == 400
