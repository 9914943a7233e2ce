"""A client that follows and does not read costs little, holds nobody up, and is dropped."""

import asyncio
import base64
import os
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Organization, Repo
from app.domain.viewer import Role
from tests.identity.conftest import Install
from tests.identity.installation import Installation
from tests.live.telling import begin
from tests.live.test_rights import follows, hears
from tests.wire.test_slow_clients import deaf_socket, is_cut, masked

MOST_HELD = 5_000_000
# Each event comes to some hundred kilobytes, so that the kernel's buffers are full soon.
STAGES = "stage state done total unit startedAt finishedAt note"
LARGE = "".join(f" s{number}:stages{{{STAGES} {' '.join(f'a{n}:stage' for n in range(3))}}}" for number in range(6))
HUGE = f"subscription($r:ID!){{ingestionStatus(runId:$r){{sequence skipped run{{{LARGE}}}}}}}"
PLAIN = "subscription($r:ID!){ingestionStatus(runId:$r){sequence skipped kind}}"


async def test_a_client_that_stops_reading(install: Install, session: AsyncSession, repo: Repo) -> None:
    async with install(send_seconds=0.5) as home:
        organization = await session.get_one(Organization, repo.organization_id)
        reader = await home.member(session, organization, Role.VIEWER)
        story = await begin(home.runtime, repo.id)
        talk = await follows(home, reader.token, PLAIN, story.id)
        await hears(talk)
        with deaf_socket(home.service) as deaf:
            await subscribe(home, deaf, reader.token, story.id)
            most = 0
            async with asyncio.timeout(60):
                while len(sockets(home)) > 1:
                    await story.line("x" * 2000)
                    told = (await hears(talk))["data"]["ingestionStatus"]
                    assert told["skipped"] == 0
                    most = max(most, held(home))
            assert await is_cut(deaf)
        assert most < MOST_HELD
        await story.end()
        assert (await hears(talk))["data"]["ingestionStatus"]["kind"] == "FINISHED"
        assert (await talk.hear())["type"] == "complete"


def sockets(home: Installation) -> list[Any]:
    assert home.application.endpoint is not None
    return list(home.application.endpoint._sockets._open)


def held(home: Installation) -> int:
    """Count the bytes that wait in this process for clients to read."""
    return sum(
        socket.outbox._waiting + socket.outbox._write.__self__.transport.get_write_buffer_size()
        for socket in sockets(home)
    )


async def subscribe(home: Installation, deaf: Any, token: str, run_id: str) -> None:
    """Shake hands and follow, as a client does that will read no more."""
    loop = asyncio.get_running_loop()
    key = base64.b64encode(os.urandom(16)).decode()
    handshake = (
        f"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1:{home.service.port}\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        f"sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    )
    await loop.sock_sendall(deaf, handshake.encode())
    assert b" 101 " in await loop.sock_recv(deaf, 1000)
    init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
    await loop.sock_sendall(deaf, masked(init))
    payload = {"query": HUGE, "variables": {"r": run_id}}
    await loop.sock_sendall(deaf, masked({"type": "subscribe", "id": "1", "payload": payload}))
    assert len(sockets(home)) == 2
