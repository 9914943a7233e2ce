"""Statements that are compiled once, and run as prepared ones on the small pools."""

from collections.abc import Mapping
from typing import Any

import asyncpg
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from app.db.readers import Readers
from app.db.writers import Writers

DIALECT = asyncpg_dialect()  # type: ignore[no-untyped-call]


class Prepared:
    """A statement, and the names of its values in their order."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled: Any = statement.compile(dialect=DIALECT)
        self._text = str(compiled)
        self._names = tuple(compiled.positiontup or ())
        self._constants: Mapping[str, Any] = compiled.params

    async def row(self, pool: Readers | Writers, **values: Any) -> asyncpg.Record | None:
        """Run it and give its first row."""
        known = {**self._constants, **values}
        return await pool.row(self._text, [known[name] for name in self._names])
