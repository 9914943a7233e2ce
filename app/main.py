"""The roof: the ASGI application, its addresses, and the life of the process that serves it."""

import asyncio
import gc
import math
import signal
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.config import Settings, load
from app.domain.errors import Fault
from app.observe import RequestIds, headers_of
from app.observe.lean import structlog
from app.runtime import open_runtime
from app.web import answers
from app.web.auth import GithubPages
from app.web.graphiql import GraphiQL
from app.web.headers import BrowserHeaders
from app.web.health import Health
from resolvers.engine.execution import GraphQLEngine
from resolvers.transport.endpoint import Endpoint
from resolvers.transport.server import Server, options

_START_LOOK_SECONDS = 0.01

log = structlog.get_logger(__name__)


class Application:
    """Everything this service answers over HTTP and WebSocket."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine: GraphQLEngine | None = None
        self.endpoint: Endpoint | None = None
        self.page = GraphiQL()
        self.health = Health()
        self.github = GithubPages()
        self.plain = Router(
            [
                Route("/", answers.root),
                Route("/health/live", self.health.live),
                Route("/health/ready", self.health.ready),
                Route("/metrics", self.health.metrics),
                Route("/graphql/static/{file:path}", self.page),
                Route("/auth/github", self.github.start),
                Route("/auth/github/callback", self.github.finish),
            ],
            redirect_slashes=False,
            lifespan=self._lifespan,
        )
        self._masked = answers.Masked(self._dispatch)
        self._served = RequestIds(_behind_proxies(BrowserHeaders(self._answer, settings.origins), settings.proxies))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or the life of the process."""
        await (self.plain if scope["type"] == "lifespan" else self._served)(scope, receive, send)

    async def drain(self) -> None:
        """Let load balancers see that this process is leaving."""
        self.health.draining = True
        await asyncio.sleep(self.settings.drain_seconds)

    def _answer(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and scope["path"] == "/graphql" and self.endpoint is not None:
            # The hot path passes by Starlette's routing, and masks by itself what nobody foresaw.
            return self.endpoint.http(scope, receive, send)
        return self._masked(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/graphql" and self.endpoint is not None:
            await self.endpoint(scope, receive, send)
        else:
            # With an application in the scope the router raises what it refuses, and does not word it itself.
            await self.plain({**scope, "app": self}, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncIterator[None]:
        async with open_runtime(self.settings) as runtime, GraphQLEngine(runtime) as engine:
            self.health.runtime = self.github.runtime = runtime
            self.engine = engine
            self.endpoint = Endpoint(engine, self.settings, page=self.page)
            # The schema and all modules stay for good: no collection need look through them again.
            gc.freeze()
            yield
            gc.unfreeze()


def _behind_proxies(app: ASGIApp, proxies: str) -> ASGIApp:
    """Believe known proxies about who is calling; without their headers there is nothing to believe or to do."""
    believing: Any = ProxyHeadersMiddleware(app, proxies)  # type: ignore[arg-type]

    def served(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        told = headers_of(scope)
        is_told = b"x-forwarded-for" in told or b"x-forwarded-proto" in told
        return (believing if is_told else app)(scope, receive, send)

    return served


def create_app(settings: Settings | None = None) -> Application:
    """Build the application; without settings it reads them, so that any ASGI server can be pointed here."""
    return Application(settings or load())


async def serve(settings: Settings, listening: socket.socket) -> None:
    """Answer until SIGTERM or SIGINT; then turn away, say goodbye and let requests finish, in this order."""
    server = _server(settings)
    # uvicorn raises the signal again when it has finished; for us that is a good end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    log.info("api begins", address=listening.getsockname()[:2])
    try:
        await server.serve(sockets=[listening])
    finally:
        log.info("api ended")


@asynccontextmanager
async def answering(settings: Settings, listening: socket.socket) -> AsyncIterator[None]:
    """Answer for the time of a block, in a process that hears of signals by itself; then end as `serve` does."""
    server = _server(settings, hears=False)
    life = asyncio.create_task(server.serve(sockets=[listening]), name="api")
    try:
        while not server.started:
            await asyncio.wait({life}, timeout=_START_LOOK_SECONDS)
            if life.done():
                await life
                raise Fault("The API did not start.", remedy="Run the command again as: tenet --debug ...")
        yield
    finally:
        server.should_exit = True
        await life


def _server(settings: Settings, *, hears: bool = True) -> Server:
    application = create_app(settings)
    config = uvicorn.Config(
        application,
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_seconds),
        **options(settings),
    )

    async def close() -> None:
        await application.drain()
        for listener in server.servers:
            listener.close()
        if application.endpoint is not None:
            await application.endpoint.close()

    server = Server(config, close, hears=hears)
    return server


def _end(_: int, __: FrameType | None) -> NoReturn:
    raise SystemExit(0)
