"""The command line: errors are sentences, exit codes mean something, and nothing is loaded that is not needed."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import NoReturn

import pytest
from rich.console import Console
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

import app.cli
from app import __version__
from app.cli import printed
from app.cli.ports import address_of, bind, bind_near, get
from app.cli.welcome import Welcome
from app.config import SettingsError
from app.credentials import tokens
from app.db.migrating import revisions
from app.domain.errors import Fault
from tests import factories
from tests.ground import Ground, administration, beside
from tests.installed import settings_for
from tests.running import tenet

COMMANDS = ("run", "ingest", "serve", "worker", "migrate", "schema", "token", "doctor")


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Call the command line in this process."""
    monkeypatch.setattr(sys, "argv", ["tenet", *arguments])
    with pytest.raises(SystemExit) as ended:
        app.cli.main()
    assert isinstance(ended.value.code, int | None)
    return ended.value.code or 0


def test_help_is_there_for_every_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "--help") == 0
    overview = capsys.readouterr().out
    for command in COMMANDS:
        assert command in overview
        assert call(monkeypatch, command, "--help") == 0
        assert "Usage: tenet" in capsys.readouterr().out


def test_the_version_is_the_one_of_the_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize("arguments", [("fly",), ("run", "--prot", "1"), ("token", "--days", "0"), ()])
def test_a_wrong_usage_is_exit_code_2(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    assert call(monkeypatch, *arguments) == 2


@pytest.mark.parametrize(
    ("error", "exit_code", "lines"),
    [
        (Fault("The moon is full.", remedy="Wait.", exit_code=5), 5, ["The moon is full.", "Wait."]),
        (
            SettingsError(["TENET_PORT: is wrong", "TENET_ENV: is wrong"]),
            2,
            ["TENET_PORT: is wrong", "TENET_ENV: is wrong"],
        ),
        (
            ZeroDivisionError("by zero"),
            1,
            [
                "Something unforeseen went wrong (ZeroDivisionError: by zero).",
                "Run the command again as: tenet --debug ...",
            ],
        ),
        (KeyboardInterrupt(), 130, []),
    ],
)
def test_an_error_is_a_sentence_and_with_debug_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    exit_code: int,
    lines: list[str],
) -> None:
    def fail() -> NoReturn:
        raise error

    monkeypatch.setattr(printed, "print_schema", fail)
    assert call(monkeypatch, "schema") == exit_code
    assert capsys.readouterr().err.splitlines() == lines
    assert call(monkeypatch, "--debug", "schema") == exit_code
    assert ("Traceback" in capsys.readouterr().err) is (exit_code != 130)


def test_the_command_line_loads_nothing_before_it_knows_what_for() -> None:
    script = (
        "import time, sys; began = time.process_time(); import app.cli; spent = time.process_time() - began;"
        "import json; print(json.dumps([spent, [name.partition('.')[0] for name in sys.modules]]))"
    )
    told = [subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, check=True) for _ in range(2)]
    spent, modules = json.loads(told[1].stdout)
    assert set(modules).isdisjoint({"sqlalchemy", "asyncpg", "redis", "pydantic", "strawberry", "structlog", "arq"})
    assert spent < 0.4


def test_the_schema_is_printed_and_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = tmp_path / "schema.graphql"
    monkeypatch.setattr(printed, "PLACE", place)
    assert call(monkeypatch, "schema") == 0
    sdl = capsys.readouterr().out
    assert "type Query" in sdl

    assert call(monkeypatch, "schema", "--check") == 1
    assert "no schema.graphql to compare with" in capsys.readouterr().err

    place.write_text(sdl)
    assert call(monkeypatch, "schema", "--check") == 0
    assert capsys.readouterr().out == "schema.graphql is what the code says.\n"

    place.write_text(sdl.replace("type Query", "type Question"))
    assert call(monkeypatch, "schema", "--check") == 1
    told = capsys.readouterr().err
    assert "-type Question" in told
    assert "+type Query" in told
    assert "tenet schema > schema.graphql" in told


@pytest.fixture
async def empty_database(ground: Ground, worker_number: int) -> AsyncIterator[str]:
    """A database that nobody has migrated."""
    name = f"empty_{worker_number}"
    async with administration(ground.database_url) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING UTF8 LOCALE 'C'")
        yield beside(ground.database_url, name)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


APOLLO = {"format": "apollo-persisted-query-manifest", "version": 1}
BODY = "query Who { viewer { login } }"


def test_documents_of_files_and_of_front_ends_are_listed_by_their_hashes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "who.graphql").write_text(BODY)
    (tmp_path / "two.gql").write_text("{ __typename }\n")
    (tmp_path / "package.json").write_text("{}")
    assert call(monkeypatch, "documents", str(tmp_path)) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed == {sha256(text.encode()).hexdigest(): text for text in (BODY, "{ __typename }\n")}
    apollo = {**APOLLO, "operations": [{"id": "1", "name": "Who", "type": "query", "body": BODY}]}
    for manifest in ({"a hash": BODY}, apollo):
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        assert call(monkeypatch, "documents", str(tmp_path / "manifest.json")) == 0
        assert list(json.loads(capsys.readouterr().out).values()) == [BODY]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.graphql", "{ nope }", "is no document of this schema"),
        ("a.graphql", "{", "is no document of this schema"),
        ("a.json", '{"Who": "{ nope }"}', "Who in "),
        ("a.json", "[1]", "is no manifest"),
        ("a.json", '{"operations": [{"name": "Who"}]}', "is no manifest"),
        ("a.json", "no json", "is no manifest"),
        ("a.txt", None, "There are no files there"),
    ],
)
def test_what_cannot_be_listed_is_named(
    name: str,
    content: str | None,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    assert call(monkeypatch, "documents", str(tmp_path if content is None else tmp_path / name)) == 2
    assert told in capsys.readouterr().err


def test_migrate_brings_a_database_to_the_last_revision(empty_database: str, redis_url: str, tmp_path: Path) -> None:
    urls = {"DATABASE_URL": empty_database, "REDIS_URL": redis_url}
    for command in ("serve", "worker"):
        early = tenet(tmp_path, command, **urls, TENET_PORT="0")
        assert early.returncode == 5
        assert early.stderr.splitlines()[-1] == "Run: tenet migrate"
    first, second = tenet(tmp_path, "migrate", **urls), tenet(tmp_path, "migrate", **urls)
    assert first.stdout == f"Migrated: empty -> {revisions()[-1]}.\n", first.stderr
    assert second.stdout == f"The database is at {revisions()[-1]} already.\n", second.stderr


async def test_token_signs_in_a_user_and_in_production_only_when_asked(
    database_url: str, redis_url: str, session: AsyncSession, tmp_path: Path
) -> None:
    user = await factories.user(session, email="somebody@example.com")
    secret = settings_for().signing_secret()
    environment = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "TENET_SECRET": secret}
    given = tenet(tmp_path, "token", "--email", "Somebody@example.com", "--days", "2", **environment)
    assert given.returncode == 0, given.stderr
    now = datetime.now(UTC)
    claims = tokens.read(secret, given.stdout.strip(), now=now)
    assert claims.user_id == user.id
    assert timedelta(days=2) - (claims.expires_at - now) < timedelta(minutes=1)

    nobody = tenet(tmp_path, "token", "--email", "nobody@example.com", **environment)
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "no user with the e-mail nobody@example.com" in nobody.stderr

    production = {**environment, "TENET_ENV": "production", "TENET_ORIGINS": "https://app.example.com"}
    refused = tenet(tmp_path, "token", "--email", "somebody@example.com", **production)
    assert (refused.returncode, refused.stdout) == (2, "")
    allowed = tenet(tmp_path, "token", "--email", "somebody@example.com", "--production", **production)
    assert tokens.read(secret, allowed.stdout.strip(), now=datetime.now(UTC)).user_id == user.id


def test_doctor_of_a_bare_place_finds_nothing_wrong_and_makes_nothing(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    result = tenet(data_dir, "doctor", "--json", TENET_PORT="1")
    found = {finding["part"]: finding for finding in json.loads(result.stdout)}
    assert result.returncode == 0
    assert found["PostgreSQL"]["state"] == found["Redis"]["state"] == found["API"]["state"] == "idle"
    assert not data_dir.exists()


def test_doctor_names_each_problem_with_its_remedy(database_url: str, tmp_path: Path) -> None:
    password = "hunter2hunter2"
    result = tenet(
        tmp_path,
        "doctor",
        "--json",
        DATABASE_URL=f"postgresql://tenet:{password}@127.0.0.1:9/tenet",
        REDIS_URL=f"redis://:{password}@127.0.0.1:9/0",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
    )
    found = {finding["part"]: finding for finding in json.loads(result.stdout)}
    assert result.returncode == 1
    for part in ("PostgreSQL", "Redis"):
        assert found[part]["state"] == "problem"
        assert "127.0.0.1:9" in found[part]["told"]
        assert found[part]["remedy"]
    assert password not in result.stdout + result.stderr
    misspelt = tenet(tmp_path, "doctor", TENET_PROT="1")
    assert misspelt.returncode == 1
    assert re.search(r"TENET_PROT: is no setting; did you mean\s+TENET_PORT\?", misspelt.stdout)


async def test_doctor_sees_a_database_that_waits_for_a_migration(
    database_url: str, redis_url: str, session: AsyncSession, tmp_path: Path
) -> None:
    known = await session.scalar(text("SELECT version_num FROM alembic_version"))
    await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await session.commit()
    try:
        result = tenet(tmp_path, "doctor", "--json", DATABASE_URL=database_url, REDIS_URL=redis_url)
    finally:
        await session.execute(text("UPDATE alembic_version SET version_num = :known"), {"known": known})
        await session.commit()
    found = {finding["part"]: finding for finding in json.loads(result.stdout)}
    assert found["migrations"]["state"] == "problem"
    assert "9999" in found["migrations"]["told"]
    assert (found["Redis"]["state"], found["workers"]["state"]) == ("ok", "warning")


async def test_a_default_port_moves_aside_and_a_named_one_does_not() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Fault, match=f"Port {port} of 127.0.0.1 is in use") as refused:
            bind("127.0.0.1", port)
        assert refused.value.exit_code == 7
        with bind_near("127.0.0.1", port) as near:
            assert 0 < near.getsockname()[1] - port < 50
            assert address_of(near) == f"127.0.0.1:{near.getsockname()[1]}"
    assert await get(f"127.0.0.1:{port}", "/") == (0, "")


def test_the_token_can_be_copied_from_any_terminal() -> None:
    token = "eyJ" + "x" * 300
    for width, terminal in ((40, True), (200, True), (80, False)):
        screen = StringIO()
        console = Console(file=screen, width=width, force_terminal=terminal, color_system=None)
        Welcome("127.0.0.1:8000", token, "/data", 1.0).show(console)
        assert f"\nToken: {token}\n" in screen.getvalue()
        assert "http://127.0.0.1:8000/graphql" in screen.getvalue().replace("\n", "") or width == 40
    screen = StringIO()
    Welcome("127.0.0.1:8000", None, "/data", 1.0).show(Console(file=screen, width=80))
    assert "oken" not in screen.getvalue()
