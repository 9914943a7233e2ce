"""What every resolver can ask for: who is there, and the doors to reads and decisions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from app.db.tx import Stroke, Tx
from app.domain.errors import Unauthenticated
from app.domain.viewer import Credential, Viewer
from app.rates import Charge
from app.reads import viewers
from app.reads.page import Cursors
from app.reads.visible import View
from app.runtime import Runtime
from resolvers.callers import Callers
from resolvers.live.feeds import Feeds

Batch = Callable[[AsyncSession, View, Sequence[Any]], Awaitable[dict[Any, Any]]]


@dataclass(slots=True)
class Context:
    """One operation: its viewer, and what was already loaded for it."""

    runtime: Runtime
    cursors: Cursors
    someone: Viewer | None
    feeds: Feeds
    look_again: Callable[[], Awaitable[Viewer | None]]
    callers: Callers
    address: str
    cookies: bytes | None = field(default=None, repr=False)
    charge: Charge | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    _view: View | None = None
    _loaders: dict[Hashable, DataLoader[Any, Any]] = field(default_factory=dict)

    @property
    def viewer(self) -> Viewer:
        """Give who is there; asking is the check."""
        if self.someone is None:
            raise Unauthenticated("Sign in, or send an API key.")
        return self.someone

    @property
    def view(self) -> View:
        """Give what the viewer sees."""
        if self._view is None:
            self._view = View.of(self.viewer)
        return self._view

    @property
    def now(self) -> datetime:
        """Give the present moment."""
        return self.runtime.clock()

    def forget(self) -> None:
        """Forget what was loaded: an event of a live operation tells how things are when it is delivered."""
        self._loaders.clear()

    async def renew(self) -> None:
        """Look at the viewer again and forget what was loaded: a live operation outlasts both."""
        self._become(await self.look_again())

    async def stand_as(self, user_id: UUID, credential: Credential) -> None:
        """Go on as somebody, with the rights that a decision a moment ago has left them."""
        async with self.read() as session:
            viewer = await viewers.find(session, user_id, credential)
        self._become(viewer and replace(viewer, address=self.address))

    def stand_as_nobody(self) -> None:
        """Go on as a stranger."""
        self._become(None)

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a short session to read."""
        return self.runtime.look()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """Open a transaction to decide in; what was loaded before it is forgotten after it."""
        async with self.runtime.write() as tx:
            yield tx
        self._loaders.clear()

    @asynccontextmanager
    async def strike(self) -> AsyncIterator[Stroke]:
        """Decide with one statement; what was loaded before it is forgotten after it."""
        async with self.runtime.strike() as stroke:
            yield stroke
        self._loaders.clear()

    async def load(self, name: Hashable, read: Batch, key: Hashable) -> Any:
        """Read one of many: all keys asked for in the same breath go into one call of `read`."""
        if name not in self._loaders:

            async def batch(keys: list[Any]) -> list[Any]:
                async with self.read() as session:
                    found = await read(session, self.view, keys)
                return [found[key] for key in keys]

            self._loaders[name] = DataLoader(batch)
        # Others may wait for the same row: when a refused sibling ends one of them, they still want it.
        return await asyncio.shield(self._loaders[name].load(key))

    def _become(self, someone: Viewer | None) -> None:
        self.someone = someone
        self._view = None
        self._loaders.clear()
