"""The one address of GraphQL: requests, event streams and sockets over one engine."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from app.config import Settings
from resolvers.transport.http import HttpTransport
from resolvers.transport.protocol import Engine
from resolvers.transport.seats import Seats
from resolvers.transport.sse import EventStreams
from resolvers.transport.websocket import SocketTransport


class Endpoint:
    """An ASGI application for /graphql; `page` is what a browser gets that asks for HTML."""

    def __init__(self, engine: Engine[Any], settings: Settings, *, page: ASGIApp | None = None) -> None:
        seats = Seats(settings.connections_per_viewer)
        self._streams = EventStreams(engine, settings, seats)
        self._sockets = SocketTransport(engine, settings, seats)
        self.http = HttpTransport(engine, settings, self._streams, page=page)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
        if scope["type"] == "http":
            await self.http(scope, receive, send)
        else:
            await self._sockets(scope, receive, send)

    async def close(self) -> None:
        """End what would go on for ever; before the server waits for its connections, or it waits in vain."""
        await asyncio.gather(self._streams.close(), self._sockets.close())
