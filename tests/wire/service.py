"""A running service as its clients see it."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from app.cli.ports import bind
from app.config import Settings
from resolvers.transport.server import Server, options

PATIENCE = 10


@dataclass
class Service:
    """Where it listens, what a test may ask of any such service, and how to end it."""

    port: int
    server: "QuietServer"
    stopped: "asyncio.Task[None]"
    engine: Any = None
    token: str = "good-token"
    cookie: str = "session=good-cookie"
    query: str = "{ __typename }"
    mutation: str = "mutation { __typename }"
    wrong: str = "{ thisFieldDoesNotExist }"
    needs_variable: str = "query Q($name: String!) { __type(name: $name) { name } }"
    # Reading whom the system trusts takes longer than most tests, and all of them stay on this machine.
    client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(trust_env=False, verify=False))
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    async def post(self, body: Any, **headers: str) -> httpx.Response:
        """POST JSON, or bytes as they are."""
        sent = {"content-type": "application/json"} | _named(headers)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(self.url, content=content, headers=sent)

    async def get(self, query: str | None = None, **headers: str) -> httpx.Response:
        parameters = {"query": query} if query else None
        return await self.client.get(self.url, params=parameters, headers=_named(headers))

    async def connect(self, *, subprotocols: tuple[str, ...] = ("graphql-transport-ws",), **options: Any) -> "Talk":
        """Open a socket and say nothing on it."""
        # Without a bound on what waits to be heard, a test need not listen all the time.
        options = {"compression": None, "max_queue": None, "close_timeout": 1} | options
        if "origin" in options:
            options["origin"] = Origin(options["origin"])
        names = [Subprotocol(name) for name in subprotocols] or None
        opening = connect(f"ws://127.0.0.1:{self.port}/graphql", subprotocols=names, **options)
        return Talk(await self.stack.enter_async_context(opening))

    async def talk(self, **options: Any) -> "Talk":
        """Open a socket and be let in."""
        talk = await self.connect(**options)
        await talk.say(type="connection_init", payload={"authorization": f"Bearer {self.token}"})
        assert await talk.hear() == {"type": "connection_ack"}
        return talk

    async def stop(self) -> None:
        """End the service, while its clients still listen."""
        self.server.should_exit = True
        await self.stopped
        await self.stack.aclose()
        await self.client.aclose()


class Talk:
    """One client's side of a socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def subscribe(self, operation_id: str, query: str, **payload: Any) -> None:
        await self.say(type="subscribe", id=operation_id, payload={"query": query, **payload})

    async def hear(self) -> dict[str, Any]:
        """Receive the next message that is not a sign of life."""
        async with asyncio.timeout(PATIENCE):
            while True:
                received = await self.socket.recv()
                assert isinstance(received, str), "clients of this protocol refuse binary frames"
                message: dict[str, Any] = json.loads(received)
                if message["type"] != "ping":
                    return message

    async def result(self, operation_id: str) -> Any:
        """Receive the data of the next result, which must be of this operation."""
        message = await self.hear()
        assert (message["type"], message["id"]) == ("next", operation_id), message
        return message["payload"]["data"]

    async def closed(self) -> tuple[int, str]:
        """Wait until the server has closed, and tell how."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
        frame = self.socket.protocol.close_rcvd
        assert frame is not None, "the connection broke without a close frame"
        return frame.code, frame.reason


class QuietServer(Server):
    """A server that leaves the signals to pytest, and says when it listens."""

    def __init__(self, config: uvicorn.Config, closing: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config, closing)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


async def listen(app: ASGIApp, settings: Settings, closing: Callable[[], Awaitable[None]]) -> Service:
    """Serve an application on a free port of the loopback address."""
    listener = bind("127.0.0.1", 0)
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=5, **options(settings))
    server = QuietServer(config, closing)
    stopped = asyncio.create_task(server.serve([listener]))
    await asyncio.wait_for(server.up.wait(), PATIENCE)
    return Service(listener.getsockname()[1], server, stopped)


def code_of(response: httpx.Response) -> str:
    """Check the shape of a refusal, and read its code."""
    body = response.json()
    assert "data" not in body
    code: str = body["errors"][0]["extensions"]["code"]
    assert body["errors"][0]["message"]
    return code


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
