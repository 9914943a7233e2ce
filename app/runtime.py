"""The runtime: what one process holds open, and the only place where transactions begin and end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from types import MappingProxyType
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import QueuePool, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from app.config import Settings
from app.credentials.issuer import Keys, OutsideIssuer, shared_secret
from app.db.address import plain_url
from app.db.migrating import standing
from app.db.readers import LOST, SESSION, Readers, passes
from app.db.tx import Outcome, Stroke, Telling, Tx
from app.db.writers import Writers
from app.domain.errors import Unavailable
from app.domain.errors import read as read_refusal
from app.domain.events import Answered
from app.domain.jobs import JobTally, Question
from app.domain.source import Source, SourceRules, Transport
from app.gateways.addresses import Lookup, addresses_of, system_lookup
from app.gateways.bus import Bus
from app.gateways.github_sign_in import GithubSignIn
from app.gateways.issuer import fetch_keys
from app.gateways.queue import Queue, QueueDepth
from app.gateways.redis import PASSING, open_redis
from app.gateways.windows import LocalWindows, RedisWindows, SteadyWindows
from app.hands.pool import Hands, cores
from app.rates import Rates

LOOK_SECONDS = 3.0
# How long a write may be idle between two statements.
STANDSTILL = "10s"

log = structlog.get_logger(__name__)


class _Wrong(Exception):
    """What a look at a part of the installation found."""


@dataclass(slots=True)
class Runtime:
    """Sessions, readers, queue, bus, limits, child processes and outside systems of one process, and its clock."""

    settings: Settings
    engine: AsyncEngine
    reading_engine: AsyncEngine
    reading: async_sessionmaker[AsyncSession]
    looking: async_sessionmaker[AsyncSession]
    writing: async_sessionmaker[AsyncSession]
    readers: Readers
    writers: Writers
    redis: Redis
    queue: Queue
    bus: Bus
    rates: Rates
    hands: Hands
    issuer: OutsideIssuer | None = None
    github: GithubSignIn | None = None
    lookup: Lookup = system_lookup
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a session that can only read; a database that does not answer in time is away, not broken."""
        with _answering():
            async with self.reading() as session:
                yield session

    @asynccontextmanager
    async def look(self) -> AsyncIterator[AsyncSession]:
        """Open a session as `read` does, but without a transaction: each statement stands for itself."""
        with _answering():
            async with self.looking() as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """Open a transaction; the world hears of it only after it held."""
        with _answering():
            async with self.writing() as session:
                tx = Tx(session)
                async with session.begin():
                    yield tx
                    await tx.finish()
        await self._tell(tx)

    @asynccontextmanager
    async def strike(
        self, telling: Telling | None = None, values: Mapping[str, Any] = MappingProxyType({})
    ) -> AsyncIterator[Stroke]:
        """Let a decision write with one statement, which commits as it ends; the world hears of it after that.

        The pools that it goes through say by themselves that the database is away.
        """
        stroke = Stroke(self.readers, self.writers, telling, values)
        yield stroke
        await self._tell(stroke)

    async def ask(self, question: Question, seconds: float) -> Any:
        """Have a worker find something out, outside of any transaction; a refusal of its own is raised here."""
        try:
            async with self.bus.listen(Answered(question.ask_id, 0).channel) as bell:
                await self.queue.put(question)
                until = monotonic() + seconds
                while (left := until - monotonic()) > 0:
                    await bell.wait(min(left, LOOK_SECONDS))
                    told = await self.queue.take_answer(question.ask_id)
                    if told is not None and "refusal" in told:
                        raise read_refusal(told["refusal"])
                    if told is not None:
                        return told["answer"]
        except PASSING as error:
            raise Unavailable("The workers cannot be reached just now; try again.") from error
        raise Unavailable("No worker answered in time; try again.")

    async def tell(self, ask_id: UUID, answer: Any) -> None:
        """Give the answer to a question."""
        await self.queue.leave_answer(ask_id, answer)
        await self.bus.publish(Answered(ask_id, 0))

    async def condition(self) -> dict[str, str | None]:
        """Look at each part that requests and jobs need: None where it works, else what is wrong with it."""
        looks: dict[str, Callable[[], Awaitable[None]]] = {
            "database": self._look_at_database,
            "migrations": self._look_at_migrations,
            "redis": self._look_at_redis,
            "worker": self._look_at_workers,
        }
        found = await asyncio.gather(*(_problem(look) for look in looks.values()))
        return dict(zip(looks, found, strict=True))

    async def work(self) -> tuple[QueueDepth, list[JobTally]] | None:
        """Tell what the queue holds and how jobs ended, or None while Redis is away."""
        try:
            return await self.queue.depth(), await self.queue.tallies()
        except PASSING:
            return None

    @property
    def source_rules(self) -> SourceRules:
        """Tell what this installation fetches from."""
        return SourceRules(local=self.settings.allows_local_sources, private=self.settings.private_addresses)

    async def inspect(self, source: Source) -> None:
        """Look a source's host up, for a bounded time, and refuse one that leads to where nothing is fetched from.

        Whoever owns the name may point it elsewhere later: each fetch looks again, and connects to what it saw.
        """
        if source.transport is not Transport.LOCAL:
            await addresses_of(source.host, source.port, private=self.source_rules.private, lookup=self.lookup)

    def pools(self) -> dict[str, tuple[int, int]]:
        """Count for each pool of database connections how many are in use and how many there may be."""
        size = self.settings.database_connections
        return {
            "write": (_used(self.engine), size),
            "read": (_used(self.reading_engine), size),
            "prepared": (size - self.readers.size, size),
            "decide": (size - self.writers.size, size),
        }

    async def _look_at_database(self) -> None:
        async with self.reading_engine.connect():
            pass

    async def _look_at_migrations(self) -> None:
        async with self.reading_engine.connect() as connection:
            found = await standing(connection)
        if not found.at_head:
            raise _Wrong(f"The database is at revision {found.revision or 'none'}, this version needs {found.head}.")

    async def _look_at_redis(self) -> None:
        await self.redis.ping()

    async def _look_at_workers(self) -> None:
        if not await self.queue.workers():
            raise _Wrong("No worker gives a sign of life.")

    async def _tell(self, tx: Outcome) -> None:
        # The rows are committed: an answer that says otherwise would be a lie, and both losses heal by themselves. The
        # sweep finds what was never enqueued, and whoever hears no bell looks after a while.
        try:
            for job in tx.jobs:
                await self.queue.put(job)
            if tx.events:
                await self.bus.publish(*tx.events)
        except PASSING as error:
            log.warning("Redis did not hear of a commit", jobs=len(tx.jobs), events=len(tx.events), error=str(error))


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Hold everything open that a process needs; the settings must name both servers."""
    database_url, redis_url = _value(settings.database_url), _value(settings.redis_url)
    session = {**SESSION, "statement_timeout": str(int(settings.statement_seconds * 1000))}
    writing = {
        **session,
        "default_transaction_read_only": "off",
        # A process that stands still in the middle of a write must not keep others waiting for its locks.
        "idle_in_transaction_session_timeout": STANDSTILL,
    }
    engine = _engine(database_url, settings.database_connections, writing)
    reading_engine = _engine(database_url, settings.database_connections, session)
    readers = Readers(database_url, size=settings.database_connections, statement_seconds=settings.statement_seconds)
    writers = Writers(database_url, size=settings.database_connections, statement_seconds=settings.statement_seconds)
    redis, queue, bus = open_redis(redis_url), Queue(redis_url), Bus(redis_url)
    windows = RedisWindows(redis_url)
    hands = Hands(settings.child_processes or cores(), settings.child_megabytes)
    try:
        yield Runtime(
            settings=settings,
            engine=engine,
            reading_engine=reading_engine,
            reading=async_sessionmaker(reading_engine, expire_on_commit=False),
            looking=async_sessionmaker(
                reading_engine.execution_options(isolation_level="AUTOCOMMIT"), expire_on_commit=False
            ),
            writing=async_sessionmaker(engine, expire_on_commit=False),
            readers=readers,
            writers=writers,
            redis=redis,
            queue=queue,
            bus=bus,
            rates=Rates(settings, SteadyWindows(windows, LocalWindows())),
            hands=hands,
            issuer=_issuer(settings),
            github=_github(settings),
        )
    finally:
        await hands.close()
        await windows.close()
        await bus.close()
        await queue.close()
        await redis.aclose(close_connection_pool=True)
        await readers.close()
        await writers.close()
        await reading_engine.dispose()
        await engine.dispose()


def _issuer(settings: Settings) -> OutsideIssuer | None:
    if settings.issuer is None:
        return None
    assert settings.issuer_audience is not None, "the settings are validated"
    url = settings.issuer_keys_url or f"{settings.issuer.rstrip('/')}/.well-known/jwks.json"
    secret = settings.issuer_secret
    keys = Keys(partial(fetch_keys, url)) if secret is None else shared_secret(secret.get_secret_value())
    return OutsideIssuer(settings.issuer, settings.issuer_audience, keys, settings.issuer_requires_nbf)


def _github(settings: Settings) -> GithubSignIn | None:
    if settings.github_client_id is None or settings.github_client_secret is None:
        return None
    return GithubSignIn(
        settings.github_client_id, settings.github_client_secret, settings.github_url, settings.github_api_url
    )


@contextmanager
def _answering() -> Iterator[None]:
    """Say of a database that is away or too slow that it is; inside nothing else has to do with a network."""
    try:
        yield
    except (DBAPIError, PoolTimeout, *LOST) as error:
        if isinstance(error, DBAPIError) and not passes(error):
            raise
        raise Unavailable("The database does not answer just now; ask for less, or try again.") from error


async def _problem(look: Callable[[], Awaitable[None]]) -> str | None:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await look()
    except _Wrong as problem:
        return str(problem)
    except TimeoutError:
        return f"No answer within {LOOK_SECONDS:g} s."
    except (SQLAlchemyError, RedisError, OSError) as error:
        # The words of a driver may name hosts and users, and whoever asks is a stranger.
        log.warning("a part does not answer", look=look.__name__, error=str(error))
        return "No answer."
    return None


def _used(engine: AsyncEngine) -> int:
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def _engine(url: str, connections: int, session: dict[str, str]) -> AsyncEngine:
    # asyncpg reads the URL itself, as for the readers: sslmode and sockets are spelt alike for all.
    connect = partial(asyncpg.connect, plain_url(url), server_settings=session, timeout=5)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=5,
        # An error that names its statement must not name the values, which are hashes of passwords and worse.
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_lost)
    return engine


def _refuse_lost(connection: Any, _record: object, _proxy: object) -> None:
    """Have a lost connection replaced: asyncpg hears at once that a server went, so that nobody needs to ask it."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _value(secret: SecretStr | None) -> str:
    assert secret is not None, "the embedded servers were not started"
    return secret.get_secret_value()
