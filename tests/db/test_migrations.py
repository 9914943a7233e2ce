"""The schema is reached step by step, from nothing or from an earlier step with data, and left the same way."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from socket import gaierror
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.db import reaching
from app.db.migrating import MIGRATIONS, migrate, revisions, standing
from app.db.models import Table
from app.db.reaching import reach
from app.domain.errors import Fault
from tests.db.catalog import schema_of, tables_of
from tests.db.conftest import NewDatabase
from tests.ground import administration, beside

HEAD = revisions()[-1]
ROWS = Path(__file__).parent / "rows"
SECRET = "correct-horse"


def config(connection: Connection | None = None) -> Config:
    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(MIGRATIONS))
    return made


async def step(url: str, direction: Callable[[Config, str], None], revision: str) -> dict[str, str]:
    """Go to a revision and tell what the database holds there."""
    async with reach(url) as connection:
        await connection.run_sync(lambda sync: direction(config(sync), revision))
        return await schema_of(connection)


async def fill(url: str, revision: str) -> None:
    """Insert rows that stand for an installation at a revision: those of the last one that needed others."""
    rows = max(file for file in ROWS.glob("*.sql") if file.stem <= revision)
    async with reach(url) as connection:
        raw = await connection.get_raw_connection()
        assert raw.driver_connection is not None
        await raw.driver_connection.execute(rows.read_text())


async def counts(url: str) -> dict[str, int]:
    async with reach(url) as connection:
        names = await connection.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        )
        return {name: await connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in names.all()}


async def test_the_steps_lead_up_from_nothing_down_to_nothing_and_up_again(new_database: NewDatabase) -> None:
    url = await new_database()
    there = [await step(url, command.upgrade, revision) for revision in revisions()]
    back = [await step(url, command.downgrade, "-1") for _ in revisions()]
    assert [*reversed(back)] == [{}, *there[:-1]]
    assert [await step(url, command.upgrade, revision) for revision in revisions()] == there


@pytest.mark.parametrize("revision", revisions())
async def test_each_step_carries_the_data_of_the_one_before(revision: str, new_database: NewDatabase) -> None:
    url = await new_database()
    await step(url, command.upgrade, revision)
    await fill(url, revision)
    filled = await counts(url)
    assert 0 not in filled.values(), "tests/db/rows has a row of each table"
    for later in (later for later in revisions() if later > revision):
        await step(url, command.upgrade, later)
    kept = await counts(url)
    assert {name: kept[name] for name in kept.keys() & filled.keys()} == {
        name: filled[name] for name in kept.keys() & filled.keys()
    }
    await step(url, command.downgrade, revision)
    await step(url, command.downgrade, "-1")
    await step(url, command.upgrade, "head")


async def test_the_migrated_database_is_the_one_of_the_models(new_database: NewDatabase) -> None:
    async with reach(await new_database(template="tenet")) as connection:
        assert await connection.run_sync(differences) == []
        migrated = await tables_of(connection)
    async with reach(await new_database()) as connection:
        await connection.run_sync(Table.metadata.create_all)
        assert await tables_of(connection) == migrated


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    found: list[Any] = compare_metadata(context, Table.metadata)
    return found


def test_the_names_of_the_files_tell_the_order_of_the_steps() -> None:
    walk = ScriptDirectory.from_config(config()).walk_revisions()
    assert [script.revision for script in walk] == [*reversed(revisions())]
    assert list(revisions()) == [f"{number:04}" for number in range(1, len(revisions()) + 1)]


async def test_a_new_step_takes_the_next_number(new_database: NewDatabase, tmp_path: Path) -> None:
    async with reach(await new_database(template="tenet")) as connection:

        def write(sync: Connection) -> Any:
            made = config(sync)
            made.set_main_option("version_locations", f"{tmp_path}\n{MIGRATIONS / 'versions'}")
            made.set_main_option("path_separator", "newline")
            return command.revision(made, "a colour", autogenerate=True, version_path=str(tmp_path))

        script = await connection.run_sync(write)
    assert script.revision == f"{len(revisions()) + 1:04}"
    assert script.down_revision == HEAD


async def test_migrating_tells_from_where_to_where(new_database: NewDatabase) -> None:
    url = await new_database()
    assert await migrate(url) == (None, HEAD)
    assert await migrate(url) == (HEAD, HEAD)


async def test_of_several_processes_that_migrate_at_once_one_works_and_the_others_wait(
    new_database: NewDatabase,
) -> None:
    url = await new_database()
    answers = await asyncio.gather(*(migrate(url) for _ in range(4)))
    assert sorted(answers, key=str) == [(HEAD, HEAD), (HEAD, HEAD), (HEAD, HEAD), (None, HEAD)]


async def test_two_databases_can_be_migrated_at_once(new_database: NewDatabase) -> None:
    urls = [await new_database(), await new_database()]
    assert await asyncio.gather(*map(migrate, urls)) == [(None, HEAD), (None, HEAD)]


async def test_a_migration_that_fails_leaves_nothing(new_database: NewDatabase) -> None:
    url = await new_database()
    async with reach(url) as connection:
        await connection.execute(text("CREATE FUNCTION audit_entries_stay() RETURNS int RETURN 1"))
        before = await schema_of(connection)
    with pytest.raises(Fault):
        await migrate(url)
    async with reach(url) as connection:
        assert await schema_of(connection) == before


async def test_a_database_is_behind_at_head_or_ahead(new_database: NewDatabase) -> None:
    url = await new_database()
    async with reach(url) as connection:
        empty = await standing(connection)
        assert (empty.revision, empty.behind, empty.at_head, empty.ahead) == (None, True, False, False)
    await migrate(url)
    async with reach(url) as connection:
        ready = await standing(connection)
        assert (ready.revision, ready.behind, ready.at_head, ready.ahead) == (HEAD, False, True, False)
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        newer = await standing(connection)
        assert (newer.revision, newer.behind, newer.at_head, newer.ahead) == ("9999", False, False, True)


def test_what_the_service_imports_does_not_import_alembic() -> None:
    question = "import sys, app.db.migrating; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", question], cwd=MIGRATIONS.parent, check=False).returncode == 0


# What keeps a database from being used is one sentence with its remedy, and never a password.


async def refusal(url: str) -> str:
    with pytest.raises(Fault) as caught:
        await migrate(url)
    fault = caught.value
    assert fault.exit_code == 5
    for sentence in (fault.message, fault.remedy):
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert SECRET not in sentence
        assert SECRET[-6:] not in sentence
    return fault.message


async def test_a_database_of_a_newer_version_is_left_alone(new_database: NewDatabase) -> None:
    url = await new_database(template="tenet")
    async with reach(url) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert await refusal(url) == f"The database is at revision 9999, but this Tenet knows none after {HEAD}."


async def test_an_unknown_database(database_url: str) -> None:
    assert (await refusal(beside(database_url, "nowhere"))).endswith(" has no database nowhere.")


async def test_an_unknown_host(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    url = f"postgresql+asyncpg://tenet:{SECRET}@database.example.com/tenet"
    assert await refusal(url) == "The host database.example.com of the database is unknown."


async def test_a_port_where_nothing_listens(unused_tcp_port: int) -> None:
    url = f"postgresql+asyncpg://tenet:{SECRET}@127.0.0.1:{unused_tcp_port}/tenet"
    assert await refusal(url) == f"PostgreSQL does not answer at 127.0.0.1:{unused_tcp_port}: Connection refused."


async def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    url = f"postgresql+asyncpg://tenet:{SECRET}@/tenet?host={tmp_path}"
    assert await refusal(url) == f"PostgreSQL does not answer at {tmp_path}: No such file or directory."


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("28P01", "PostgreSQL at {place} refuses the password of the user tenet."),
        ("28000", "PostgreSQL at {place} does not let the user tenet in: it says why."),
        ("57P03", "PostgreSQL at {place} takes no connection: it says why."),
        ("53300", "PostgreSQL at {place} takes no connection: it says why."),
    ],
)
async def test_a_server_that_refuses(code: str, sentence: str) -> None:
    fields = f"SFATAL\0C{code}\0Mit says why\0\0".encode()
    async with server(b"E" + (len(fields) + 4).to_bytes(4) + fields) as place:
        url = f"postgresql+asyncpg://tenet:{SECRET}@{place}/tenet?sslmode=disable"
        assert await refusal(url) == sentence.format(place=place)


async def test_a_server_that_is_no_postgresql() -> None:
    async with server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as place:
        assert place in await refusal(f"postgresql+asyncpg://tenet:{SECRET}@{place}/tenet")


async def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "PATIENCE_SECONDS", 0.01)
    async with server(b"") as place:
        url = f"postgresql+asyncpg://tenet:{SECRET}@{place}/tenet"
        assert f"PostgreSQL at {place} does not answer within" in await refusal(url)


@asynccontextmanager
async def server(answer: bytes) -> AsyncIterator[str]:
    """Stand in for servers that cannot be had here: answer the first message, and nothing else."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(answer)
        await over.wait()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        over.set()


async def test_an_old_postgresql(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "OLDEST", 99)
    assert "; Tenet needs 99 or newer." in await refusal(database_url)


async def test_another_encoding(new_database: NewDatabase) -> None:
    url = await new_database(options="ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    assert "is encoded in LATIN1; Tenet needs UTF8." in await refusal(url)


async def test_a_database_of_another_program(new_database: NewDatabase) -> None:
    url = await new_database()
    async with reach(url) as connection:
        await connection.execute(text("CREATE TABLE users (id int)"))
    assert await refusal(url) == "The database already holds tables of another program."


async def test_a_user_without_rights(new_database: NewDatabase) -> None:
    url = await new_database()
    stranger = f"stranger_{url.partition('?')[0].rpartition('/')[2]}"
    async with administration(url) as connection:
        await connection.execute(f"CREATE ROLE {stranger} LOGIN")
    async with reach(url) as owner:
        await owner.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    try:
        theirs = url.replace("tenet@", f"{stranger}:{SECRET}@")
        assert await refusal(theirs) == "The user of the database may not create tables there."
    finally:
        async with administration(url) as connection:
            await connection.execute(f"DROP ROLE {stranger}")


async def test_a_standby(new_database: NewDatabase) -> None:
    url = await new_database()
    name = url.partition("?")[0].rpartition("/")[2]
    async with administration(url) as connection:
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert await refusal(url) == "The database takes no writes; it is a standby, or set to read only."


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+asyncpg://tenet:12/{SECRET}@127.0.0.1/tenet",
        f"postgresql+asyncpg://tenet:12?{SECRET}@127.0.0.1/tenet",
        f"postgresql+asyncpg://tenet:12#{SECRET}@127.0.0.1/tenet",
        f"postgresql+asyncpg://tenet:12@{SECRET}@127.0.0.1/tenet",
        f"postgresql+asyncpg://tenet:[{SECRET}@127.0.0.1/tenet",
        f"postgresql+asyncpg://tenet:{SECRET}@127.0.0.1:port/tenet",
        f"postgresql+asyncpg://tenet:{SECRET}@127.0.0.1:70000/tenet",
    ],
)
async def test_a_password_that_breaks_the_url_is_not_told(url: str) -> None:
    assert await refusal(url) == "The URL of the database cannot be read."


async def test_a_wrong_option() -> None:
    url = f"postgresql+asyncpg://tenet:{SECRET}@127.0.0.1/tenet?sslmode=perhaps"
    assert (await refusal(url)).startswith("The URL of the database has a wrong option: ")
