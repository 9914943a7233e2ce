"""Databases beside the worker's own, for tests that change the schema."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.ground import Ground, administration, beside

NewDatabase = Callable[..., Awaitable[str]]


@pytest.fixture
async def new_database(ground: Ground, worker_number: int) -> AsyncIterator[NewDatabase]:
    """Make databases that end with the test: empty ones, or copies of the migrated one."""
    names: list[str] = []
    async with administration(ground.database_url) as connection:

        async def make(*, template: str = "template0", options: str = "") -> str:
            names.append(f"scratch_{worker_number}_{len(names)}")
            await connection.execute(f"CREATE DATABASE {names[-1]} TEMPLATE {template} {options}")
            return beside(ground.database_url, names[-1])

        yield make
        for name in names:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
