"""graphql-transport-ws: the conversation, every close code, and operations that leave each other alone."""

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.wire.conftest import Start
from tests.wire.service import Service


async def test_queries_mutations_and_subscriptions_go_over_one_socket(start: Start) -> None:
    service = await start()
    talk = await service.talk()
    assert talk.socket.subprotocol == "graphql-transport-ws"
    await talk.subscribe("q", "query Q($text: String!) { me echo(text: $text) }", variables={"text": 'ä"🏃%s'})
    assert await talk.result("q") == {"me": "viewer", "echo": 'ä"🏃%s'}
    assert await talk.hear() == {"id": "q", "type": "complete"}
    await talk.subscribe("m", "query A { me } mutation B { add }", operationName="B")
    assert await talk.result("m") == {"add": 1}
    assert await talk.hear() == {"id": "m", "type": "complete"}
    await talk.subscribe("s", "subscription { count(to: 3) }")
    assert [await talk.result("s") for _ in range(3)] == [{"count": 1}, {"count": 2}, {"count": 3}]
    assert await talk.hear() == {"id": "s", "type": "complete"}
    await service.engine.until(open_streams=0)


async def test_an_id_is_free_again_after_its_last_frame(service: Service) -> None:
    talk = await service.talk()
    for operation_id in ("%", "a" * 256, 'ä🏃"\\'):
        for query in ("{ me }", "{", "subscription { count(to: 1) }", "{ me }"):
            await talk.subscribe(operation_id, query)
            while (message := await talk.hear())["type"] == "next":
                assert message["id"] == operation_id
            assert message["id"] == operation_id
            assert message["type"] in ("complete", "error")


async def test_a_bad_operation_is_an_error_of_its_own(start: Start) -> None:
    service = await start()
    talk = await service.talk()
    await talk.subscribe("alive", "subscription { ticks }")
    bad = {
        "syntax": {"query": "{"},
        "validation": {"query": service.wrong},
        "subscription": {"query": "subscription { wrong }"},
        "refused source": {"query": "subscription { forbidden }"},
        "name": {"query": "query A { me }", "operationName": "B"},
        "empty": {"query": " "},
        "variables": {"query": service.needs_variable, "variables": {"name": None}},
        "variable of a subscription": {"query": "subscription C($to: Int!) { count(to: $to) }"},
        "hash": {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0"}}},
    }
    codes: dict[str, str] = {}
    for operation_id, payload in bad.items():
        await talk.say(type="subscribe", id=operation_id, payload=payload)
    while len(codes) < len(bad):
        message = await talk.hear()
        if message["id"] != "alive":
            assert message["type"] == "error", message
            codes[message["id"]] = message["payload"][0]["extensions"]["code"]
            assert message["payload"][0]["message"]
    assert codes["syntax"] == "GRAPHQL_PARSE_FAILED"
    assert codes["validation"] == "GRAPHQL_VALIDATION_FAILED"
    assert codes["refused source"] == "FORBIDDEN"
    assert await talk.result("alive")


async def test_a_stream_that_breaks_is_masked_and_breaks_alone(service: Service, caplog: Any) -> None:
    talk = await service.talk()
    await talk.subscribe("b", "subscription { breaks }")
    assert await talk.result("b") == {"breaks": 1}
    broke = await talk.hear()
    assert (broke["type"], broke["id"]) == ("error", "b")
    assert broke["payload"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    assert "secret" not in json.dumps(broke)
    assert broke["payload"][0]["extensions"]["reference"] in caplog.text
    await talk.subscribe("q", "{ me }")
    assert await talk.result("q") == {"me": "viewer"}


@pytest.mark.parametrize("offered", [(), ("graphql-ws",), ("graphql-ws", "other")])
async def test_other_subprotocols_are_not_spoken(service: Service, offered: tuple[str, ...]) -> None:
    talk = await service.connect(subprotocols=offered)
    assert await talk.closed() == (4406, "Subprotocol not acceptable")


async def test_ours_is_chosen_among_several(service: Service) -> None:
    talk = await service.connect(subprotocols=("graphql-ws", "graphql-transport-ws"))
    assert talk.socket.subprotocol == "graphql-transport-ws"


async def test_a_wrong_credential_is_final(service: Service) -> None:
    talk = await service.connect()
    await talk.say(type="connection_init", payload={"authorization": "Bearer wrong"})
    assert await talk.closed() == (4403, "This token is not valid.")


@pytest.mark.parametrize("init", [{}, {"payload": None}, {"payload": {}}])
async def test_a_stranger_may_come_in(service: Service, init: dict[str, Any]) -> None:
    talk = await service.connect()
    await talk.say(type="connection_init", **init)
    assert await talk.hear() == {"type": "connection_ack"}
    await talk.subscribe("1", "{ me }")
    assert await talk.result("1") == {"me": "stranger"}


async def test_a_cookie_of_the_handshake_counts(service: Service) -> None:
    talk = await service.connect(additional_headers={"cookie": service.cookie})
    await talk.say(type="connection_init")
    assert await talk.hear() == {"type": "connection_ack"}
    await talk.subscribe("1", "{ me }")
    assert await talk.result("1") == {"me": "viewer"}


async def test_what_is_down_invites_to_come_back(start: Start) -> None:
    service = await start()
    service.engine.down = True
    talk = await service.connect()
    await talk.say(type="connection_init")
    assert (await talk.closed())[0] == 1013


async def test_what_nobody_foresaw_ends_it_visibly(start: Start, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    service = await start()

    async def caller(*_: Any) -> None:
        raise SystemError("secret detail")

    monkeypatch.setattr(service.engine, "caller", caller)
    talk = await service.connect()
    await talk.say(type="connection_init")
    assert await talk.closed() == (4500, "Internal server error")
    assert "secret detail" in caplog.text


async def test_an_operation_nobody_foresaw_breaks_alone(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    service = await start()
    talk = await service.talk()
    await talk.subscribe("alive", "subscription { ticks }")
    await talk.result("alive")

    def operation_kind(*_: Any) -> None:
        raise RecursionError

    monkeypatch.setattr(service.engine, "operation_kind", operation_kind)
    await talk.subscribe("1", "{ me }")
    while (message := await talk.hear())["id"] != "1":
        pass
    assert message["payload"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    await talk.result("alive")


async def test_silence_ends_it(start: Start) -> None:
    service = await start(init_seconds=0.1)
    talk = await service.connect()
    assert await talk.closed() == (4408, "Connection initialisation timeout")
    # A socket that is in stays in.
    talk = await service.talk()
    quiet = await service.connect()
    assert (await quiet.closed())[0] == 4408
    await talk.subscribe("1", "{ me }")
    assert await talk.result("1") == {"me": "viewer"}


@pytest.mark.parametrize(
    "message", [{"type": "subscribe", "id": "1", "payload": {"query": "{ me }"}}, {"type": "complete", "id": "1"}]
)
async def test_nobody_gets_anything_before_being_let_in(service: Service, message: dict[str, Any]) -> None:
    talk = await service.connect()
    await talk.say(**message)
    assert await talk.closed() == (4401, "Unauthorized")


async def test_a_second_hello_is_too_many(service: Service) -> None:
    talk = await service.talk()
    await talk.say(type="connection_init")
    assert await talk.closed() == (4429, "Too many initialisation requests")


async def test_an_id_in_use_is_refused(service: Service) -> None:
    talk = await service.talk()
    await talk.subscribe("twice", "subscription { ticks }")
    await talk.result("twice")
    await talk.subscribe("twice", "{ me }")
    assert await talk.closed() == (4409, "Subscriber for twice already exists")


async def test_a_long_reason_is_cut(service: Service) -> None:
    talk = await service.talk()
    for _ in range(2):
        await talk.subscribe("ä" * 200, "subscription { ticks }")
    code, reason = await talk.closed()
    assert code == 4409
    assert len(reason.encode()) <= 123


async def test_a_ping_is_answered_at_any_time(service: Service) -> None:
    talk = await service.connect()
    await talk.say(type="ping")
    assert await talk.hear() == {"type": "pong"}
    await talk.say(type="pong", payload={"a": 1})
    await talk.say(type="connection_init")
    assert await talk.hear() == {"type": "connection_ack"}
    await talk.say(type="ping", payload={"a": 1})
    assert await talk.hear() == {"type": "pong"}


async def test_the_server_pings_too(start: Start) -> None:
    service = await start(heartbeat_seconds=0.05)
    talk = await service.talk()
    async with asyncio.timeout(5):
        assert [json.loads(await talk.socket.recv()) for _ in range(3)] == [{"type": "ping"}] * 3


async def test_a_client_stops_what_it_no_longer_wants(start: Start) -> None:
    service = await start()
    talk = await service.talk()
    await talk.subscribe("1", "subscription { ticks }")
    await talk.result("1")
    await service.engine.until(open_streams=1)
    await talk.say(type="complete", id="1")
    await service.engine.until(open_streams=0)
    await talk.say(type="complete", id="1")
    await talk.say(type="complete", id="never seen")
    await talk.subscribe("2", "{ me }")
    while (message := await talk.hear())["id"] == "1":
        assert message["type"] == "next"  # it was on its way already
    assert message == {"id": "2", "type": "next", "payload": {"data": {"me": "viewer"}}}


async def test_an_id_taken_back_hears_nothing_of_its_former_operation(start: Start) -> None:
    service = await start()
    talk = await service.talk()
    await talk.subscribe("1", "mutation { slowly }")
    await service.engine.until(produced=1)
    await talk.say(type="complete", id="1")
    await talk.subscribe("1", "subscription { ticks }")
    await talk.result("1")
    service.engine.mutation_may_end.set()
    # A mutation under way is not cut in half: it ends, and nobody hears of it.
    await service.engine.until(total=1)
    assert [(await talk.result("1")).keys() for _ in range(3)] == [{"ticks"}] * 3


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_leaving_closes_every_generator(start: Start, how: str) -> None:
    service = await start()
    talk = await service.talk()
    for number in range(5):
        await talk.subscribe(str(number), "subscription { ticks }")
    await talk.subscribe("m", "mutation { slowly }")
    await service.engine.until(open_streams=5)
    if how == "close":
        await talk.socket.close()
    else:
        talk.socket.transport.abort()
    await service.engine.until(open_streams=0)
    service.engine.mutation_may_end.set()
    await service.engine.until(total=1)


async def test_operations_of_one_socket_are_bounded(start: Start) -> None:
    service = await start(operations_per_socket=2)
    talk = await service.talk()
    await talk.subscribe("1", "subscription { ticks }")
    await talk.subscribe("2", "subscription { ticks }")
    await talk.subscribe("3", "subscription { ticks }")
    while (message := await talk.hear())["id"] != "3":
        pass
    assert message["type"] == "error"
    assert message["payload"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 1, "limit": 2}
    await talk.say(type="complete", id="1")
    await service.engine.until(open_streams=1)
    await talk.subscribe("3", "{ me }")
    while (message := await talk.hear())["id"] != "3":
        pass
    assert message["type"] == "next"


async def test_connections_of_one_viewer_are_bounded(start: Start) -> None:
    service = await start(connections_per_viewer=2)
    first = await service.talk()
    await service.talk()
    third = await service.connect()
    await third.say(type="connection_init", payload={"authorization": f"Bearer {service.token}"})
    code, reason = await third.closed()
    assert (code, reason.partition(":")[0]) == (1013, "Too many live connections")
    stranger = await service.connect()
    await stranger.say(type="connection_init")
    assert await stranger.hear() == {"type": "connection_ack"}
    response = await service.post(
        {"query": "subscription { ticks }"}, accept="text/event-stream", authorization=f"Bearer {service.token}"
    )
    assert (response.status_code, response.headers["retry-after"]) == (429, "5")
    await first.subscribe("1", "subscription { ticks }")
    await service.engine.until(open_streams=1)
    await first.socket.close()
    await service.engine.until(open_streams=0)
    await service.talk()


async def test_a_credential_that_no_longer_holds_ends_it(start: Start) -> None:
    service = await start(recheck_seconds=0.05, heartbeat_seconds=0.05)
    talk = await service.talk()
    await talk.subscribe("1", "subscription { ticks }")
    await talk.result("1")
    service.engine.callers[-1].valid = False
    assert await talk.closed() == (4403, "The credential does not hold any more")
    assert service.engine.callers[-1].checks >= 1
    await service.engine.until(open_streams=0)


async def test_a_check_that_fails_is_made_again(start: Start, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    service = await start(recheck_seconds=0.05, heartbeat_seconds=0.05)
    talk = await service.talk()
    caller = service.engine.callers[-1]
    checks = asyncio.Semaphore(0)

    async def failing() -> bool:
        checks.release()
        raise OSError("the database does not answer")

    monkeypatch.setattr(caller, "still_valid", failing)
    for _ in range(2):
        await asyncio.wait_for(checks.acquire(), 5)
    await talk.subscribe("1", "{ me }")
    assert await talk.result("1") == {"me": "viewer"}


async def test_pages_from_elsewhere_do_not_get_in(start: Start) -> None:
    service = await start(origins=("https://app.example",), public_url="https://tenet.example/base")
    for origin in (f"http://127.0.0.1:{service.port}", "https://app.example", "https://tenet.example"):
        assert (await service.talk(origin=origin)).socket.subprotocol
    for origin in ("https://evil.example", "null", "https://app.example.evil", f"http://localhost:{service.port}"):
        with pytest.raises(InvalidStatus) as refused:
            await service.connect(origin=origin)
        assert refused.value.response.status_code == 403


async def test_going_away_is_said(start: Start) -> None:
    service = await start()
    talks = [await service.talk() for _ in range(3)]
    await talks[0].subscribe("1", "subscription { ticks }")
    await talks[0].result("1")
    silent = await service.connect()
    stopping = asyncio.create_task(service.stop())
    for talk in (*talks, silent):
        assert await talk.closed() == (1001, "Going away")
    await asyncio.wait_for(stopping, 5)
    assert service.engine.open_streams == 0
