"""The way to a PostgreSQL that can carry this service, or one sentence about what stands in it."""

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from socket import gaierror
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.db.address import plain_url
from app.domain.errors import Fault

OLDEST = 14
PATIENCE_SECONDS = 10.0


def fault(message: str, remedy: str) -> Fault:
    """Say what is wrong with the database."""
    return Fault(message, remedy=remedy, exit_code=5)


@asynccontextmanager
async def reach(url: str) -> AsyncIterator[AsyncConnection]:
    """Open one connection apart from the pools, in a transaction that holds if the block does."""
    raw = await _connect(url)

    async def opened() -> "asyncpg.Connection[asyncpg.Record]":
        return raw

    engine = create_async_engine("postgresql+asyncpg://", async_creator=opened, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()
        # Whatever kept SQLAlchemy from taking it over also keeps SQLAlchemy from closing it.
        raw.terminate()


async def _connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    place = _Place.of(url)
    # asyncpg reads the URL itself, as it does for the pool of readers: sslmode and sockets are spelt alike for all.
    dsn = plain_url(url)
    try:
        connection = await asyncpg.connect(dsn, timeout=PATIENCE_SECONDS, server_settings={"application_name": "tenet"})
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise _explained(error, place) from error
    version, encoding = connection.get_server_version(), connection.get_settings().server_encoding
    if version.major < OLDEST:
        connection.terminate()
        raise fault(
            f"PostgreSQL at {place} is version {version.major}; Tenet needs {OLDEST} or newer.",
            "Upgrade that server, or name another one in DATABASE_URL.",
        )
    if encoding != "UTF8":
        connection.terminate()
        raise fault(
            f"The database {place.database} is encoded in {encoding}; Tenet needs UTF8.",
            f"Create another one, with: createdb --encoding=UTF8 --template=template0 {place.database}_utf8.",
        )
    return connection


@dataclass(frozen=True, slots=True)
class _Place:
    """What may be said of a database's URL: everything but the password."""

    host: str
    port: int
    user: str
    database: str

    @classmethod
    def of(cls, url: str) -> "_Place":
        try:
            parts = urlsplit(url)
            options = parse_qs(parts.query)
            # An unescaped character in the password moves what follows it into the host, the port or the name, where
            # a message would show it. The @ that ends the password then stands where none belongs.
            if parts.netloc.count("@") > 1 or "@" in parts.path + parts.query + parts.fragment:
                raise ValueError
            place = cls(
                host=options.get("host", [parts.hostname or "localhost"])[0],
                port=int(options.get("port", [parts.port or 5432])[0]),
                user=unquote(parts.username or "") or options.get("user", [""])[0],
                database=unquote(parts.path.lstrip("/")) or options.get("database", [""])[0],
            )
        except ValueError:
            raise fault(
                "The URL of the database cannot be read.",
                "Write DATABASE_URL as postgresql://user:password@host:port/name, with the characters @ : / ? # % of "
                "user and password percent-encoded.",
            ) from None
        return place

    def __str__(self) -> str:
        return self.host if self.host.startswith("/") else f"{self.host}:{self.port}"


def _explained(error: Exception, place: _Place) -> Fault:
    correct = "correct DATABASE_URL"
    match error:
        case asyncpg.InvalidPasswordError():
            return fault(f"PostgreSQL at {place} refuses the password of the user {place.user}.", f"Please {correct}.")
        case asyncpg.InvalidAuthorizationSpecificationError():
            return fault(
                f"PostgreSQL at {place} does not let the user {place.user} in: {error}.",
                f"Create that user or allow it in pg_hba.conf, or {correct}.",
            )
        case asyncpg.InvalidCatalogNameError():
            return fault(
                f"PostgreSQL at {place} has no database {place.database}.",
                f"Create it with: createdb {place.database}, or {correct}.",
            )
        case asyncpg.PostgresError():
            return fault(f"PostgreSQL at {place} takes no connection: {error}.", "Try again, or look at its log.")
        case gaierror():
            return fault(f"The host {place.host} of the database is unknown.", f"Check its name, or {correct}.")
        case TimeoutError():
            return fault(
                f"PostgreSQL at {place} does not answer within {PATIENCE_SECONDS:.0f} seconds.",
                f"Check that the server runs and that no firewall is in between, or {correct}.",
            )
        case ssl.SSLError():
            return fault(
                f"PostgreSQL at {place} and Tenet do not agree on TLS: {error.reason}.",
                "Set sslmode and sslrootcert in DATABASE_URL as that server needs them.",
            )
        case OSError():
            reason = os.strerror(error.errno) if error.errno else error
            return fault(
                f"PostgreSQL does not answer at {place}: {reason}.",
                f"Start it there, or {correct}.",
            )
        case asyncpg.InterfaceError():
            return fault(f"The URL of the database has a wrong option: {error}.", f"Please {correct}.")
        case _:
            return fault("The URL of the database cannot be read.", f"Please {correct}.")
