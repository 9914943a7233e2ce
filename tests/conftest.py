"""What every test stands on: real servers, and a clean database and Redis for each worker."""

import os
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import asyncpg
import pytest
from hypothesis import settings
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app.db.address import plain_url
from app.db.models import Table
from app.db.readers import SESSION
from tests.ground import Ground, administration, beside, standing_ground
from tests.network import stay_here
from tests.wire.browser import NO_BROWSER

GROUND = pytest.StashKey[Ground]()
TABLES = sorted(Table.metadata.tables)
HOLDS_ROWS = ", ".join(f"CASE WHEN EXISTS (SELECT FROM {table}) THEN '{table}' END" for table in TABLES)

stay_here()
# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
# All workers share one database server, and each holds several runtimes open.
os.environ["TENET_DATABASE_CONNECTIONS"] = "4"
MOST_WORKERS = 8


def ground_of(config: pytest.Config) -> Ground:
    """Start the servers when they are first asked for, once for all workers; they end with the run."""
    if (worker := getattr(config, "workerinput", None)) is not None:
        return Ground(**worker["ground"])
    if GROUND not in config.stash:
        run = ExitStack()
        config.add_cleanup(run.close)
        config.stash[GROUND] = run.enter_context(standing_ground())
    return config.stash[GROUND]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a test often waits for other processes, and the server has its bounds."""
    return min((os.cpu_count() or 1) + 1, MOST_WORKERS)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the servers are."""
    node.workerinput["ground"] = asdict(ground_of(node.config))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say loudly, in the last line of a run, what a missing browser left untried."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    if any(NO_BROWSER in str(report.longrepr) for report in reporter.stats.get("skipped", [])):
        reporter.write_sep("!", NO_BROWSER, yellow=True)


@pytest.fixture(scope="session")
def ground(pytestconfig: pytest.Config) -> Ground:
    """The servers of this run."""
    return ground_of(pytestconfig)


@pytest.fixture(scope="session")
def worker_number(pytestconfig: pytest.Config) -> int:
    """The place of this process among the workers of pytest-xdist; 0 when there are none."""
    worker: str = getattr(pytestconfig, "workerinput", {}).get("workerid", "gw0")
    return int(worker.removeprefix("gw"))


@pytest.fixture(scope="session")
async def database_url(ground: Ground, worker_number: int) -> str:
    """A migrated database; what a test leaves in it is gone before the next."""
    name = f"worker_{worker_number}"
    async with administration(ground.database_url) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE tenet")
    return beside(ground.database_url, name)


@pytest.fixture(scope="session")
def redis_url(ground: Ground, worker_number: int) -> str:
    """A Redis database; what a test leaves in it is gone before the next. Channels are shared between workers."""
    return f"{ground.redis_url}?db={worker_number}"


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections to the database, as the service makes them."""
    session = {**SESSION, "default_transaction_read_only": "off"}
    engine = create_async_engine(database_url, connect_args={"server_settings": session})
    yield engine
    await engine.dispose()


@pytest.fixture
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """A session to make rows and look at them; what it committed is really there for everybody else."""
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest) -> None:
    """Sweep after each test that could write, and after no other."""
    for asked, swept in (("database_url", "swept_database"), ("redis_url", "swept_redis")):
        if asked in request.fixturenames:
            request.getfixturevalue(swept)


@pytest.fixture(scope="session")
async def broom(database_url: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """A connection past all triggers: those of append-only tables, and those that would cascade row by row."""
    settings = {"session_replication_role": "replica", "lock_timeout": "5s"}
    connection = await asyncpg.connect(plain_url(database_url), server_settings=settings)
    yield connection
    await connection.close()


@pytest.fixture
async def swept_database(broom: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[None]:
    """Empty the tables that hold rows."""
    yield
    if written := await broom.fetchval(f"SELECT array_remove(ARRAY[{HOLDS_ROWS}], NULL)"):
        await broom.execute(";".join(f"DELETE FROM {table}" for table in written))


@pytest.fixture
async def swept_redis(redis_url: str) -> AsyncIterator[None]:
    """Empty the Redis database."""
    yield
    async with Redis.from_url(redis_url) as redis:
        await redis.flushdb()
