"""A real uvicorn in front of the transports; to point these tests at another application, swap `_started`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from app.config import Settings
from app.web.headers import BrowserHeaders
from resolvers.transport.endpoint import Endpoint
from tests.wire.service import Service, listen
from tests.wire.toy import Toy

Start = Callable[..., Awaitable[Service]]


@pytest.fixture(scope="session")
async def service() -> AsyncIterator[Service]:
    """The service under test with its ordinary settings, shared by tests that change nothing."""
    shared = await _started()
    yield shared
    await shared.stop()


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start services with settings of a test's own; all of them stop at its end."""
    running: list[Service] = []

    async def start(page: ASGIApp | None = None, **settings: Any) -> Service:
        running.append(await _started(page, **settings))
        return running[-1]

    yield start
    for service in running:
        await service.stop()


async def _started(page: ASGIApp | None = None, **settings: Any) -> Service:
    values = Settings(_env_file=None, **settings)
    engine = Toy()
    endpoint = Endpoint(engine, values, page=page)
    service = await listen(BrowserHeaders(_routed(endpoint, page), values.origins), values, endpoint.close)
    service.engine = engine
    return service


def _routed(endpoint: Endpoint, page: ASGIApp | None) -> ASGIApp:
    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        if page is not None and scope["path"].startswith("/graphql/static/"):
            await page(scope, receive, send)
        else:
            await endpoint(scope, receive, send)

    return routed
