"""Two hundred clients of two API processes, of every transport, some coming and going, while Redis dies and returns."""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncSession
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from app.children import Child, Launch, Supervisor
from app.cli.ports import get
from app.credentials import tokens
from app.db.models import RunEvent
from app.domain.ids import Kind, public
from app.domain.viewer import Role
from app.embedded import serving
from tests import factories as make
from tests.bench.contestants import free_port
from tests.installed import runtime_for
from tests.live.telling import begin

SECRET = "what two processes sign tokens with"
SUBSCRIBERS = 200
EVENTS = 120
SELECTIONS = (
    "sequence skipped kind",
    "at kind sequence run { id status fraction stages { stage done } } skipped",
    # This one is executed for each of its viewers.
    "skipped sequence kind run { repo { fullName } }",
)
DOCUMENT = "subscription($r: ID!, $after: Int) {{ ingestionStatus(runId: $r, after: $after) {{ {} }} }}"


class Away(Exception):
    """The service cannot answer just now."""


@dataclass
class Client:
    """One client that follows a run to its end, in one breath or in several."""

    number: int
    ports: tuple[int, int]
    token: str
    run_id: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    breaths: int = 0

    async def follow(self, http: httpx.AsyncClient) -> None:
        """Follow until the run has ended; every third client loses its connection again and again."""
        luck = random.Random(self.number)
        while not self.heard or self.heard[-1]["kind"] != "FINISHED":
            most = luck.randrange(5, 60) if self.number % 3 == 0 else sys.maxsize
            self.breaths += 1
            port = self.ports[(self.number + self.breaths) % 2]
            stream = self._socket(port) if self.number % 10 < 7 else self._events(http, port)
            with suppress(Away):
                await self._listen(stream, most)

    async def _listen(self, stream: AsyncGenerator[dict[str, Any], None], most: int) -> None:
        async with aclosing(stream):
            async for event in stream:
                if event["kind"] == "SNAPSHOT":
                    self.snapshots.append(event)
                    self.up.set()
                    continue
                self.heard.append(event)
                most -= 1
                if not most:
                    return

    @property
    def start(self) -> int:
        """The number of the first snapshot."""
        return int(self.snapshots[0]["sequence"])

    def _payload(self) -> dict[str, Any]:
        after = self.heard[-1]["sequence"] if self.heard else self.start if self.snapshots else None
        query = DOCUMENT.format(SELECTIONS[2 if self.number % 11 == 0 else self.number % 2])
        return {"query": query, "variables": {"r": self.run_id, "after": after}}

    async def _socket(self, port: int) -> AsyncGenerator[dict[str, Any], None]:
        url, protocol = f"ws://127.0.0.1:{port}/graphql", Subprotocol("graphql-transport-ws")
        async with connect(url, subprotocols=[protocol], compression=None, max_queue=None, close_timeout=1) as socket:
            init = {"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}}
            await socket.send(json.dumps(init))
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": self._payload()}))
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "next":
                    yield self._event(message["payload"])
                elif message["type"] == "complete":
                    return
                else:
                    assert message["type"] in ("connection_ack", "ping"), message

    async def _events(self, http: httpx.AsyncClient, port: int) -> AsyncGenerator[dict[str, Any], None]:
        headers = {"authorization": f"Bearer {self.token}", "accept": "text/event-stream"}
        url = f"http://127.0.0.1:{port}/graphql"
        async with http.stream("POST", url, json=self._payload(), headers=headers) as response:
            assert response.status_code == 200
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    yield self._event(json.loads(line.removeprefix("data: ")))

    def _event(self, payload: dict[str, Any]) -> dict[str, Any]:
        if "errors" in payload:
            # A service that is out of breath says so; whoever comes back goes on where they were.
            assert [error["extensions"]["code"] for error in payload["errors"]] == ["UNAVAILABLE"], payload
            raise Away
        event: dict[str, Any] = payload["data"]["ingestionStatus"]
        return event


async def test_every_client_hears_the_log(session: AsyncSession, database_url: str, tmp_path: Path) -> None:
    repo = await make.repo(session)
    person = await make.user(session)
    await make.member(session, None, person, organization_id=repo.organization_id, role=Role.VIEWER)
    opened = await make.sign_in(session, person)
    now = datetime.now(UTC)
    token = tokens.sign(SECRET, person.id, opened.id, now=now, expires_at=now + timedelta(minutes=10))
    async with (
        serving(tmp_path / "redis", postgres=False, redis=True, own=True) as servers,
        httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=None), timeout=None) as http,
    ):
        assert servers.redis_url is not None
        async with (
            two_processes(database_url, servers.redis_url, tmp_path) as ports,
            runtime_for(database_url, servers.redis_url) as runtime,
        ):
            story = await begin(runtime, repo.id)
            run_id = public(Kind.INGESTION_RUN, story.run_id)
            clients = [Client(number, ports, token, run_id) for number in range(SUBSCRIBERS)]
            async with asyncio.timeout(120), asyncio.TaskGroup() as following:
                for client in clients:
                    following.create_task(client.follow(http))
                for client in clients:
                    await client.up.wait()
                for number in range(EVENTS):
                    await (story.line(f"line {number}") if number % 5 == 4 else story.reading())
                    if number == EVENTS // 3:
                        os.kill(servers.pids["redis"], signal.SIGKILL)
                await story.end()
            log = await story.log()
    for client in clients:
        check(client, log)
    assert sum(client.breaths > 1 for client in clients) >= SUBSCRIBERS // 4


def check(client: Client, log: list[RunEvent]) -> None:
    """Hold what one client heard against the log."""
    kinds = {event.sequence: event.kind.value for event in log}
    assert list(kinds) == list(range(1, len(log) + 1))
    told = [event["sequence"] for event in client.heard]
    assert len(set(told)) == len(told), f"client {client.number} heard something twice"
    last = client.start
    for event in client.heard:
        assert event["sequence"] == last + 1 + event["skipped"], f"client {client.number} behind {last}"
        assert event["kind"] == kinds[event["sequence"]]
        left_out = {kinds[number] for number in range(last + 1, event["sequence"])}
        assert left_out <= {"PROGRESS"}, f"client {client.number} misses {left_out}"
        last = event["sequence"]
    assert last == len(log)


@asynccontextmanager
async def two_processes(database_url: str, redis_url: str, folder: Path) -> AsyncIterator[tuple[int, int]]:
    """Have two API processes on the same servers."""
    ports = (free_port(), free_port())
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TENET_")}
    environment = {
        **ours,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "TENET_SECRET": SECRET,
        "TENET_DATA_DIR": str(folder / "data"),
        "TENET_DRAIN_SECONDS": "0",
        "TENET_CONNECTIONS_PER_VIEWER": "1000",
        "TENET_CONNECTIONS_PER_MINUTE": "0",
    }
    async with Supervisor() as supervisor:
        for port in ports:
            await supervisor.start(_process(port, environment, folder))
        yield ports


def _process(port: int, environment: dict[str, str], folder: Path) -> Child:
    command = [sys.executable, "-m", "app.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]

    async def launch() -> Launch:
        return Launch(command, environment=environment)

    async def ready() -> bool:
        return (await get(f"127.0.0.1:{port}", "/health/live"))[0] == 200

    return Child(f"api {port}", launch, ready, log=folder / f"{port}.log", grace=5)
