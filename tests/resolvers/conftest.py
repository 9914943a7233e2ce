"""Engines over real servers, and a world of their own for tests that only read."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app.config import Settings
from app.db import models
from app.domain.viewer import Credential, CredentialKind, Role, Viewer
from app.runtime import Runtime, open_runtime
from resolvers.callers import Caller
from resolvers.engine.execution import GraphQLEngine
from resolvers.schema import schema
from resolvers.transport.protocol import GraphQLRequest
from tests import factories
from tests.ground import Ground, administration, beside
from tests.resolvers.documents.harvest import harvest
from tests.resolvers.world import World
from tests.resolvers.world.making import make_world

SECRET = "cursors of the tests are sealed with this"


Ask = Callable[..., Any]


class Watched(GraphQLEngine):
    """An engine that tells whether its last answer came from a plan."""

    planned = False

    async def _planned(self, *arguments: Any) -> list[bytes] | None:
        body = await super()._planned(*arguments)
        self.planned = body is not None
        return body

    async def ask(self, viewer: Viewer | None, query: str, **request: Any) -> bytes:
        """Answer a request of a viewer."""
        self.planned = False
        caller = Caller(viewer, None, "192.0.2.1", self.callers)
        asked = GraphQLRequest(query, request.get("operation_name"), request.get("variables"), None)
        return (await self.answer(caller, asked, reads_only=False)).body


@dataclass(frozen=True, slots=True)
class House:
    """Both executors over one world."""

    world: World
    plans: Watched
    reference: Watched


def settings_for(database_url: str, redis_url: str, **over: Any) -> Settings:
    """Give settings that name the servers of the tests."""
    return Settings(
        _env_file=None,
        DATABASE_URL=SecretStr(database_url),
        REDIS_URL=SecretStr(redis_url),
        secret=SecretStr(SECRET),
        # What is left of a budget differs from one answer to the next.
        **{"reads_per_minute": 0, **over},
    )


@pytest.fixture(scope="session")
async def house(ground: Ground, worker_number: int) -> AsyncIterator[House]:
    """Both executors over a world in a database of its own, which no test may change."""
    async with open_house(ground, f"world_{worker_number}") as made:
        yield made


@asynccontextmanager
async def open_house(ground: Ground, name: str) -> AsyncIterator[House]:
    """Make a world in a new database, and both executors over it."""
    async with administration(ground.database_url) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE tenet")
    url = beside(ground.database_url, name)
    engine = create_async_engine(url)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        world = await make_world(session)
    await engine.dispose()
    async with open_runtime(settings_for(url, ground.redis_url)) as runtime:
        made = House(world, Watched(runtime), Watched(runtime, use_plans=False))

        async def ask(query: str) -> Any:
            answer = orjson.loads(await made.reference.ask(world.viewers["superadmin"], query))
            return answer["data"] or {}

        await harvest(world, schema.core, ask)
        yield made


@pytest.fixture(scope="session")
async def runtime(database_url: str, redis_url: str) -> AsyncIterator[Runtime]:
    """What one process holds open."""
    async with open_runtime(settings_for(database_url, redis_url)) as runtime:
        yield runtime


@pytest.fixture(params=["plans", "resolvers"])
def engine_of(request: pytest.FixtureRequest, runtime: Runtime) -> Watched:
    """Either executor; what pages promise, both must keep."""
    return Watched(runtime, use_plans=request.param == "plans")


@pytest.fixture
async def repo(session: AsyncSession) -> models.Repo:
    """A repository of an organization of its own."""
    return await factories.repo(session)


@pytest.fixture
def viewer(repo: models.Repo) -> Viewer:
    """Somebody who only reads, in the repository's organization."""
    return Viewer(repo.id, {repo.organization_id: Role.VIEWER}, Credential(CredentialKind.ACCESS_TOKEN))


@pytest.fixture
async def ask(engine_of: Watched, viewer: Viewer) -> Ask:
    """Ask as the viewer, and read the answer."""

    async def ask(query: str, **variables: Any) -> Any:
        return json.loads(await engine_of.ask(viewer, query, variables=variables))

    return ask
