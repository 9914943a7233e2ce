"""A small pool of read-only connections for prepared statements: the hot way to read."""

import asyncio
import sys
from collections import OrderedDict, deque
from collections.abc import Sequence
from itertools import count
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import UserDefinedType

from app.db.address import plain_url
from app.domain.errors import Unavailable

STATEMENTS_PER_CONNECTION = 200
WAIT_SECONDS = 5.0

SESSION = {"timezone": "UTC", "jit": "off", "default_transaction_read_only": "on", "application_name": "tenet"}

# What a server that ends, begins or is full says of itself; QueryCanceledError, a kind of the second, is not lost.
_AWAY = (
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
Read = asyncpg.Record
"""A row as it was read: its columns by place and by name."""

LOST = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, *_AWAY)
"""What a connection that is lost, or cannot be had, is told by."""

_PASSES = (asyncpg.QueryCanceledError, asyncpg.DeadlockDetectedError, *LOST)


def passes(error: DBAPIError) -> bool:
    """Tell whether an error of the database passes by itself: it was too slow, gave way to another, or is away."""
    return error.connection_invalidated or isinstance(getattr(error.orig, "__cause__", None), _PASSES)


# A server lives from its start, or from its recovery after a crash: then it begins to count what it does anew.
_LIFE = "SELECT concat_ws(' ', pg_postmaster_start_time(), stats_reset) FROM pg_stat_bgwriter"


class Bytes(UserDefinedType[bytes]):
    """Text that comes as bytes: the JSON of an answer, which PostgreSQL has made already, goes out as it is.

    A type that no column has; for PostgreSQL it is another name of text, so that the cast costs nothing.
    """

    cache_ok = True
    name = "bpchar"

    def get_col_spec(self, **_: Any) -> str:
        """Name the type in SQL."""
        return self.name


class _Reader:
    """One connection and the statements prepared on it, least recently used first."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", life: str) -> None:
        self.connection = connection
        self.life = life
        self._numbers = count()
        self.prepared: OrderedDict[str, asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record]] = OrderedDict()

    async def prepare(self, statement: str) -> "asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record]":
        # Without a name asyncpg, whose own cache is off here, would have the text parsed and planned each time.
        name = f"plan_{next(self._numbers)}"
        prepared = self.prepared[statement] = await self.connection.prepare(statement, name=name)
        if len(self.prepared) > STATEMENTS_PER_CONNECTION:
            # asyncpg closes a prepared statement when its object goes.
            self.prepared.popitem(last=False)
        return prepared


class Pool:
    """Last in, first out: the warmest connection serves next, and idle ones stay idle.

    There is no reset between two users (asyncpg's own pool sends one at each release, four times the cost of the
    statement). That is safe because nothing here can change a session: statements are our own, compiled from shapes and
    tables, run one at a time, and none of them opens a transaction.
    """

    late = "The database took too long; try again."

    def __init__(self, url: str, *, size: int, statement_seconds: float, read_only: bool = True) -> None:
        self._dsn = plain_url(url)
        # PostgreSQL would plan each statement anew for its values: that costs more than running it, and guesses wrong
        # where the newest rows of all belong to others.
        self._session = {
            **SESSION,
            "default_transaction_read_only": "on" if read_only else "off",
            "plan_cache_mode": "force_generic_plan",
            # What is read often is in memory, where one page is as near as another.
            "random_page_cost": "1.1",
            "statement_timeout": str(int(statement_seconds * 1000)),
        }
        self._room = size
        self._idle: list[_Reader] = []
        self._waiting: deque[asyncio.Future[_Reader | None]] = deque()
        self._closed = False

    @property
    def size(self) -> int:
        """Count the connections that may still be opened or are idle."""
        return self._room + len(self._idle)

    async def close(self) -> None:
        """Close all connections that are idle, and every other one when it comes back."""
        self._closed = True
        self._drop_idle()

    async def _attempt(self, statement: str, arguments: Sequence[Any]) -> tuple[list[asyncpg.Record], str]:
        reader = self._idle.pop() if self._idle else await self._take()
        try:
            prepared = reader.prepared.get(statement)
            if prepared is None:
                prepared = await reader.prepare(statement)
            else:
                reader.prepared.move_to_end(statement)
            rows = await prepared.fetch(*arguments)
        except asyncpg.QueryCanceledError as error:
            self._give(reader)
            raise Unavailable(self.late) from error
        except BaseException as error:
            # After a cancelled or broken exchange the state of the wire is unknown; an error that PostgreSQL reported
            # leaves it clean.
            if isinstance(error, asyncpg.PostgresError) and not isinstance(error, LOST):
                self._give(reader)
            else:
                reader.connection.terminate()
                self._leave()
            raise
        self._give(reader)
        return rows, reader.life

    async def _take(self) -> _Reader:
        while True:
            if self._idle:
                return self._idle.pop()
            if self._room:
                self._room -= 1
                try:
                    return await self._connect()
                except BaseException:
                    self._leave()
                    raise
            turn: asyncio.Future[_Reader | None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    reader = await turn
            except BaseException as error:
                # The turn may have come in the same moment; then it is the next one's.
                if turn.done() and not turn.cancelled():
                    if (given := turn.result()) is not None:
                        self._give(given)
                    else:
                        self._hand_on(None)
                if isinstance(error, TimeoutError):
                    raise Unavailable("Too many reads are waiting; try again.") from None
                raise
            if reader is not None:
                return reader

    def _give(self, reader: _Reader) -> None:
        if self._closed or reader.connection.is_closed():
            reader.connection.terminate()
            self._leave()
        elif not self._hand_on(reader):
            self._idle.append(reader)

    def _leave(self) -> None:
        """Make room for a new connection, and let the next in line open it."""
        self._room += 1
        self._hand_on(None)

    def _hand_on(self, reader: _Reader | None) -> bool:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(reader)
                return True
        return False

    def _forget_lost(self) -> None:
        """Make room for connections whose server went while they were idle."""
        while self._idle and self._idle[-1].connection.is_closed():
            self._idle.pop()
            self._leave()

    def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for reader in idle:
            reader.connection.terminate()
            self._leave()

    async def _connect(self) -> _Reader:
        connection = await asyncpg.connect(
            self._dsn, server_settings=self._session, statement_cache_size=0, timeout=WAIT_SECONDS
        )
        try:
            await connection.set_builtin_type_codec(
                Bytes.name, schema="pg_catalog", codec_name="bytea", format="binary"
            )
            return _Reader(connection, sys.intern(await connection.fetchval(_LIFE)))
        except BaseException:
            connection.terminate()
            raise


class Readers(Pool):
    """Connections that start read-only."""

    late = "Reading took too long; ask for less, or try again."

    async def row(self, statement: str, arguments: Sequence[Any]) -> asyncpg.Record | None:
        """Run a prepared SELECT that gives one row at most."""
        rows = await self.rows(statement, arguments)
        return rows[0] if rows else None

    async def rows(self, statement: str, arguments: Sequence[Any]) -> list[asyncpg.Record]:
        """Run a prepared SELECT and give its rows."""
        rows, _ = await self.read(statement, arguments)
        return rows

    async def read(self, statement: str, arguments: Sequence[Any]) -> tuple[list[asyncpg.Record], str]:
        """Run a prepared SELECT, and give its rows and the life of the server; a lost connection is replaced once."""
        try:
            return await self._attempt(statement, arguments)
        except LOST:
            # The server restarted, or dropped an idle connection: every other idle one is likely dead too.
            self._drop_idle()
        try:
            return await self._attempt(statement, arguments)
        except LOST as error:
            raise Unavailable("The database does not answer just now; try again.") from error
