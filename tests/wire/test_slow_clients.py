"""A client that does not read is dropped in bounded time, holds no memory, and delays nobody."""

import asyncio
import base64
import json
import os
import select
import socket
from typing import Any

import pytest

from tests.wire.conftest import Start
from tests.wire.service import Service

# What the two kernels take before a writer notices, generously; an unbounded queue takes far more in the same time.
IN_KERNELS = 32 * 1024 * 1024

FLOOD = "subscription { flood(kilobytes: 64) }"


@pytest.mark.parametrize("transport", ["websocket", "events"])
async def test_who_does_not_read_is_dropped(start: Start, transport: str, caplog: Any) -> None:
    service = await start(send_seconds=0.3)
    reader = await service.talk()
    await reader.subscribe("1", "subscription { ticks }")
    await reader.result("1")
    with deaf_socket(service) as deaf:
        await (_flooded_socket if transport == "websocket" else _flooded_events)(service, deaf)
        await service.engine.until(open_streams=2)
        # Others are served while it hangs.
        assert [(await reader.result("1")).keys() for _ in range(5)]
        await service.engine.until(open_streams=1)
        assert service.engine.produced * 65_536 < IN_KERNELS
        # Cut, not merely closed: a close would wait for the client, with all that it has not read.
        assert await is_cut(deaf)
        assert len(service.server.server_state.connections) == 1
    assert await reader.result("1")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("asked", ["last", "kept", "many"])
async def test_who_does_not_read_answers_is_dropped(start: Start, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setattr("resolvers.transport.connection.LINGER_SECONDS", 0.3)
    service = await start()
    with deaf_socket(service) as deaf:
        body = json.dumps({"query": "{ big(kilobytes: 8000) }"})
        request = (
            f"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            f"connection: {'close' if asked == 'last' else 'keep-alive'}\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        )
        await asyncio.get_running_loop().sock_sendall(deaf, request.encode() * (3 if asked == "many" else 1))
        assert await is_cut(deaf)


async def test_many_operations_of_a_deaf_client_wait_in_turn(start: Start) -> None:
    service = await start(send_seconds=0.5)
    with deaf_socket(service) as deaf:
        await _flooded_socket(service, deaf, operations=20)
        await service.engine.until(open_streams=20)
        await service.engine.until(open_streams=0)
    assert service.engine.produced * 65_536 < IN_KERNELS


async def test_without_help_of_the_server_it_is_dropped_as_well(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.transport.server.SocketConnection.handle_connect", _plain_handle_connect)
    service = await start(send_seconds=0.3)
    reader = await service.talk()
    await reader.subscribe("1", "{ big(kilobytes: 500) }")
    assert len((await reader.result("1"))["big"]) == 512_000
    with deaf_socket(service) as deaf:
        await _flooded_socket(service, deaf)
        await service.engine.until(open_streams=1)
        await service.engine.until(open_streams=0)
    assert service.engine.produced * 65_536 < IN_KERNELS


def _plain_handle_connect(self: Any, event: Any) -> None:
    super(type(self), self).handle_connect(event)


async def is_cut(deaf: socket.socket) -> bool:
    """Wait until the connection is reset, without reading from it."""
    poller = select.poll()
    poller.register(deaf, 0)
    events = await asyncio.to_thread(poller.poll, 5000)
    return bool(events) and bool(events[0][1] & select.POLLERR)


def deaf_socket(service: Service) -> socket.socket:
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", service.port))
    deaf.setblocking(False)
    return deaf


async def _flooded_socket(service: Service, deaf: socket.socket, *, operations: int = 1) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    handshake = (
        f"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1:{service.port}\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        f"sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    )
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(deaf, handshake.encode())
    assert b" 101 " in await loop.sock_recv(deaf, 1000)
    await loop.sock_sendall(deaf, masked({"type": "connection_init"}))
    for number in range(operations):
        await loop.sock_sendall(deaf, masked({"type": "subscribe", "id": str(number), "payload": {"query": FLOOD}}))


async def _flooded_events(service: Service, deaf: socket.socket) -> None:
    body = json.dumps({"query": FLOOD})
    request = (
        f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:{service.port}\r\naccept: text/event-stream\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
    )
    await asyncio.get_running_loop().sock_sendall(deaf, request.encode())


def masked(message: dict[str, Any]) -> bytes:
    """Frame a text message as a client does; a mask of zeros leaves it readable."""
    text = json.dumps(message).encode()
    assert len(text) < 65_536
    length = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + text
