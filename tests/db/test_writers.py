"""The writers: connections for statements that commit as they end, which are never sent twice."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.writers import Writers
from app.domain.errors import Unavailable
from tests.ground import administration

PROCESS = "SELECT pg_backend_pid()"
NOTE = "INSERT INTO repo_notes VALUES ($1) RETURNING pg_sleep($2)"


@pytest.fixture
async def writers(database_url: str, engine: AsyncEngine) -> AsyncIterator[Writers]:
    """Two connections, and a table that they may write."""
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE repo_notes (note text)"))
    made = Writers(database_url, size=2, statement_seconds=5)
    yield made
    await made.close()
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE repo_notes"))


async def notes(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list(await connection.scalars(text("SELECT note FROM repo_notes ORDER BY note")))


async def end(database_url: str, process: int) -> None:
    async with administration(database_url) as connection:
        assert await connection.fetchval("SELECT pg_terminate_backend($1, 5000)", process)


async def test_a_statement_is_a_transaction(writers: Writers, engine: AsyncEngine) -> None:
    await writers.row(NOTE, ["kept", 0.0])
    assert await notes(engine) == ["kept"]


async def test_a_server_that_went_meanwhile_is_no_matter(
    writers: Writers, engine: AsyncEngine, database_url: str
) -> None:
    row = await writers.row(PROCESS, [])
    assert row is not None
    await end(database_url, row[0])
    # As in a process that serves: a turn of the loop hears of the end.
    await asyncio.sleep(0)
    await writers.row(NOTE, ["kept", 0.0])
    assert await notes(engine) == ["kept"]


async def test_what_was_under_way_when_the_server_went_is_not_sent_again(
    writers: Writers, engine: AsyncEngine, database_url: str
) -> None:
    row = await writers.row(PROCESS, [])
    assert row is not None
    writing = asyncio.create_task(writers.row(NOTE, ["lost", 60.0]))
    await asyncio.sleep(0)
    await end(database_url, row[0])
    with pytest.raises(Unavailable):
        await writing
    assert await notes(engine) == []
    assert writers.size == 2
