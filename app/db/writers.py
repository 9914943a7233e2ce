"""The writers: a small pool for statements that decide something by themselves, and commit as they end."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from app.db.readers import LOST, Pool
from app.domain.errors import Unavailable


class Writers(Pool):
    """Connections on which each statement is a transaction."""

    late = "Deciding took too long; try again."

    def __init__(self, url: str, *, size: int, statement_seconds: float) -> None:
        super().__init__(url, size=size, statement_seconds=statement_seconds, read_only=False)

    async def row(self, statement: str, arguments: Sequence[Any]) -> asyncpg.Record | None:
        """Run a prepared statement that gives one row at most; it is never tried again: perhaps it has committed."""
        # A server that went has been heard of by now: only what was under way just then is in doubt.
        self._forget_lost()
        try:
            rows, _ = await self._attempt(statement, arguments)
        except (*LOST, asyncpg.DeadlockDetectedError) as error:
            raise Unavailable("The database does not answer just now; try again.") from error
        return rows[0] if rows else None
