"""How alembic reaches the database: by the connection it is handed, or by the settings of this installation."""

import asyncio
from collections.abc import Iterable

from alembic import context
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from app.config import load
from app.db.migrating import revisions
from app.db.models import Table
from app.db.reaching import reach
from app.embedded import serving


def in_turn(
    _: MigrationContext, __: str | Iterable[str | None] | Iterable[str], scripts: list[MigrationScript]
) -> None:
    """Number a new revision after the last: the names of the files are the order of the steps."""
    for script in scripts:
        script.rev_id = f"{len(revisions()) + 1:04}"


def run(connection: Connection) -> None:
    """Run the asked-for steps, all in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        compare_type=True,
        compare_server_default=True,
        process_revision_directives=in_turn,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_by_settings() -> None:
    """Serve the developer's `alembic revision`, which brings no connection."""
    settings = load()
    given = settings.database_url
    async with serving(settings.data_dir, postgres=given is None, redis=False, own=False) as servers:
        url = servers.database_url if given is None else given.get_secret_value()
        assert url is not None
        async with reach(url) as connection:
            await connection.run_sync(run)


if (connection := context.config.attributes.get("connection")) is not None:
    run(connection)
else:
    asyncio.run(run_by_settings())
