"""A whole service in this very process, for the time of a command: what three processes would hold is held once."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app import observe
from app.cli.installation import founded
from app.cli.ports import address_of
from app.cli.service import Service
from app.config import Settings
from app.main import answering
from workers.process import at_work


@asynccontextmanager
async def alone(settings: Settings, listening: socket.socket) -> AsyncIterator[Service]:
    """Serve, and do jobs; the servers of an instance that runs already will do."""
    # Nobody else is turned away, so nobody need be told before.
    settings = settings.model_copy(update={"drain_seconds": 0})
    async with founded(settings, own=False) as ground:
        observe.start_traces("tenet")
        try:
            async with at_work(ground.settings, asyncio.Event()), answering(ground.settings, listening):
                yield ground.service(address_of(listening))
        finally:
            observe.stop_traces()
