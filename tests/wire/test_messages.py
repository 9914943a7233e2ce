"""What a WebSocket client may send, and what ends the conversation."""

import json
from typing import Any

import pytest

from tests.wire.conftest import Start
from tests.wire.service import Service, Talk

MALFORMED: dict[str, str | bytes | dict[str, Any]] = {
    "binary": b'{"type":"ping"}',
    "empty": "",
    "no JSON": "hello",
    "half": '{"type":',
    "an array": "[1]",
    "a string": '"ping"',
    "null": "null",
    "a number": "1" * 5000,
    "deep": "[" * 5000 + "]" * 5000,
    "a key twice": '{"type":"ping","type":"pong"}',
    "no type": {},
    "an unknown type": {"type": "start", "id": "1", "payload": {"query": "{ me }"}},
    "a type of another kind": {"type": 1},
    "a type of the server's": {"type": "next", "id": "1", "payload": {}},
    "a ping with text": {"type": "ping", "payload": "x"},
    "a pong with a list": {"type": "pong", "payload": []},
    "no id": {"type": "subscribe", "payload": {"query": "{ me }"}},
    "an empty id": {"type": "subscribe", "id": "", "payload": {"query": "{ me }"}},
    "a number as id": {"type": "subscribe", "id": 1, "payload": {"query": "{ me }"}},
    "a long id": {"type": "subscribe", "id": "a" * 257, "payload": {"query": "{ me }"}},
    "no payload": {"type": "subscribe", "id": "1"},
    "a payload of another kind": {"type": "subscribe", "id": "1", "payload": "{ me }"},
    "no query": {"type": "subscribe", "id": "1", "payload": {}},
    "a query of another kind": {"type": "subscribe", "id": "1", "payload": {"query": 1}},
    "variables of another kind": {"type": "subscribe", "id": "1", "payload": {"query": "{ me }", "variables": [1]}},
    "a name of another kind": {"type": "subscribe", "id": "1", "payload": {"query": "{ me }", "operationName": 1}},
    "extensions of another kind": {"type": "subscribe", "id": "1", "payload": {"query": "{ me }", "extensions": 1}},
    "complete without an id": {"type": "complete"},
    "a hello with a list": {"type": "connection_init", "payload": []},
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_message_ends_it(service: Service, name: str) -> None:
    message = MALFORMED[name]
    sent = json.dumps(message) if isinstance(message, dict) else message
    for open_socket in (service.connect, service.talk):
        talk: Talk = await open_socket()
        await talk.socket.send(sent)
        code, reason = await talk.closed()
        assert (code, reason.partition(":")[0]) == (4400, "Invalid message")


async def test_a_frame_over_the_limit_ends_it(start: Start) -> None:
    service = await start(frame_bytes=2000)
    talk = await service.talk()
    opening = json.dumps({"type": "ping", "payload": {"a": ""}})
    await talk.socket.send(opening.replace('""', json.dumps("x" * (2000 - len(opening)))))
    assert await talk.hear() == {"type": "pong"}
    await talk.socket.send(opening.replace('""', json.dumps("x" * (2001 - len(opening)))))
    assert (await talk.closed())[0] == 1009


async def test_a_fragmented_message_is_one(service: Service) -> None:
    talk = await service.talk()
    message = json.dumps({"type": "subscribe", "id": "1", "payload": {"query": "{ me }"}})
    await talk.socket.send(iter(message))
    assert await talk.result("1") == {"me": "viewer"}
