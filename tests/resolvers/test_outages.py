"""A database that is slow or away: readers are told that it is, in time, and need not notice that it came back."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.errors import Unavailable
from app.domain.viewer import Viewer
from app.runtime import Runtime, open_runtime
from tests.ground import administration
from tests.resolvers.conftest import Watched, settings_for

PATTERNS = "{ patterns { nodes { id } } }"


@pytest.fixture
async def impatient(database_url: str, redis_url: str) -> AsyncIterator[Runtime]:
    """A process that gives a statement no time."""
    async with open_runtime(settings_for(database_url, redis_url, statement_seconds=0.05)) as runtime:
        yield runtime


@pytest.fixture
async def patterns_locked(engine: AsyncEngine) -> AsyncIterator[None]:
    """Hold the table of patterns, so that whoever reads it waits."""
    async with engine.begin() as connection:
        await connection.execute(text("LOCK TABLE patterns IN ACCESS EXCLUSIVE MODE"))
        yield


async def test_a_slow_statement_of_a_plan_is_given_up(
    impatient: Runtime, viewer: Viewer, patterns_locked: None
) -> None:
    asked = Watched(impatient)
    with pytest.raises(Unavailable):
        await asked.ask(viewer, PATTERNS)
    assert "errors" not in json.loads(await asked.ask(viewer, "{ repos { nodes { id } } }"))
    assert impatient.pools()["prepared"][0] == 0, "the connection serves the next"


async def test_a_slow_statement_of_the_resolvers_is_given_up(
    impatient: Runtime, viewer: Viewer, patterns_locked: None
) -> None:
    query = "{ patterns { nodes { id } } repos { nodes { fullName } } }"
    answer = json.loads(await Watched(impatient, use_plans=False).ask(viewer, query))
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["patterns"], "UNAVAILABLE")
    ]
    assert len(answer["data"]["repos"]["nodes"]) == 1


async def end(database_url: str, process: int) -> None:
    """End a connection from the other side, as a restart of the server does, and wait until it has ended."""
    async with administration(database_url) as connection:
        assert await connection.fetchval("SELECT pg_terminate_backend($1, 5000)", process)


async def test_a_lost_connection_is_replaced_and_nobody_notices(
    runtime: Runtime, viewer: Viewer, database_url: str
) -> None:
    asked = Watched(runtime)
    before = await asked.ask(viewer, PATTERNS)
    row = await runtime.readers.row("SELECT pg_backend_pid()", [])
    assert row is not None
    await end(database_url, row[0])
    assert await asked.ask(viewer, PATTERNS) == before
    assert asked.planned


async def test_the_resolvers_replace_a_lost_connection_as_well(
    runtime: Runtime, viewer: Viewer, database_url: str
) -> None:
    asked = Watched(runtime, use_plans=False)
    before = await asked.ask(viewer, PATTERNS)
    async with runtime.read() as session:
        process = await session.scalar(text("SELECT pg_backend_pid()"))
    assert process is not None
    await end(database_url, process)
    assert await asked.ask(viewer, PATTERNS) == before


async def test_a_read_is_tried_twice_and_not_again(
    runtime: Runtime, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    async def lost(*_: Any) -> None:
        nonlocal tries
        tries += 1
        raise ConnectionResetError

    monkeypatch.setattr(runtime.readers, "_attempt", lost)
    with pytest.raises(Unavailable):
        await Watched(runtime).ask(viewer, PATTERNS)
    assert tries == 2


@pytest.mark.parametrize("use_plans", [True, False], ids=["plans", "resolvers"])
async def test_an_operation_that_takes_too_long_is_given_up(
    use_plans: bool, database_url: str, redis_url: str, viewer: Viewer, patterns_locked: None
) -> None:
    patient = settings_for(database_url, redis_url, statement_seconds=30, operation_seconds=0.05)
    async with open_runtime(patient) as runtime:
        told = json.loads(await Watched(runtime, use_plans=use_plans).ask(viewer, PATTERNS))
    assert [error["extensions"]["code"] for error in told["errors"]] == ["UNAVAILABLE"]
