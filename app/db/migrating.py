"""The steps of the schema: where a database stands among them, and the way to the last."""

import asyncio
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.reaching import fault, reach
from app.domain.errors import Fault

# Beside this package in a checkout and in an installed wheel alike.
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

_LOCK = 0x74656E6574
_alembic = asyncio.Lock()


@cache
def revisions() -> tuple[str, ...]:
    """List all revisions, first to last; the names of the files say it without importing alembic."""
    return tuple(sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py")))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands, and where this version of Tenet wants it."""

    revision: str | None
    head: str

    @property
    def at_head(self) -> bool:
        """Tell whether this version can serve the database."""
        return self.revision == self.head

    @property
    def ahead(self) -> bool:
        """Tell whether something newer has migrated the database."""
        return self.revision is not None and self.revision not in revisions()

    @property
    def behind(self) -> bool:
        """Tell whether the database waits for a migration."""
        return not self.at_head and not self.ahead


async def standing(connection: AsyncConnection) -> Standing:
    """Tell where a database stands."""
    exists = await connection.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
    revision = await connection.scalar(text("SELECT version_num FROM alembic_version")) if exists else None
    return Standing(revision, head=revisions()[-1])


async def migrate(url: str) -> tuple[str | None, str]:
    """Bring a database to the last revision, and tell where it came from; of many processes at once, one works."""
    try:
        async with reach(url) as connection:
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            found = await standing(connection)
            if found.ahead:
                raise newer(found)
            if found.behind:
                # Alembic keeps in globals what it works on.
                async with _alembic:
                    await connection.run_sync(_climb)
    except DBAPIError as error:
        if (known := _explained(error)) is None:
            raise
        raise known from error
    return found.revision, found.head


def newer(found: Standing) -> Fault:
    """Say that a database is not for this version of Tenet."""
    return fault(
        f"The database is at revision {found.revision}, but this Tenet knows none after {found.head}.",
        "Install the version of Tenet that migrated it, or restore a backup from before.",
    )


def _climb(connection: Connection) -> None:
    # Imported here because it takes 80 ms, which each process would pay at its start and only this step uses.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")


def _explained(error: DBAPIError) -> Fault | None:
    match getattr(error.orig, "sqlstate", None):
        case "42501":
            return fault(
                "The user of the database may not create tables there.",
                "Make that user the owner of the database, or: GRANT CREATE ON SCHEMA public TO the user.",
            )
        case "42P07" | "42723":
            return fault(
                "The database already holds tables of another program.", "Give Tenet an empty database of its own."
            )
        case "25006":
            return fault(
                "The database takes no writes; it is a standby, or set to read only.",
                "Name the primary server in DATABASE_URL.",
            )
    return None
