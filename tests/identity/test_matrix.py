"""Every root field, as everybody: what leaks fails, and so does a root field without a row."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials import passwords
from app.db.models import AuditEntry, Table
from app.domain.ids import Kind, new_id, public
from resolvers.engine.execution import GraphQLEngine
from resolvers.schema import schema
from resolvers.transport.endpoint import Endpoint
from tests import factories as make
from tests.conftest import TABLES
from tests.identity.conftest import Install
from tests.identity.installation import PASSWORD, Installation, Reply
from tests.identity.matrix import (
    BOSS,
    CALLERS,
    FOREIGN,
    FOREIGN_KEY,
    KEYS,
    MEMBERS,
    NO_ENTRY,
    NOTHING,
    OK,
    OWNER,
    Row,
    Side,
    make_world,
)
from tests.identity.rows import ROWS

CELLS = [(kind, name) for kind, rows in ROWS.items() for name in rows]


@dataclass
class Houses:
    """The same servers behind both executors."""

    plans: Installation
    reference: Installation

    def of(self, kind: str) -> dict[str, Installation]:
        """Give the executors that differ for a kind of operation: plans are of queries."""
        return {"plans": self.plans} | ({"reference": self.reference} if kind == "Query" else {})


@pytest.fixture
async def houses(install: Install) -> AsyncIterator[Houses]:
    async with install() as plans, install() as reference:
        runtime = reference.runtime
        ordinary = GraphQLEngine(runtime, use_plans=False)
        reference.service.engine = ordinary
        reference.application.endpoint = Endpoint(ordinary, reference.settings)
        yield Houses(plans, reference)
        await ordinary.callers.settle()


def root(kind: str, name: str) -> Any:
    type_ = schema.core.type_map[kind]
    assert isinstance(type_, GraphQLObjectType)
    return type_.fields[name]


def document(kind: str, name: str, row: Row, arguments: dict[str, Any]) -> str:
    field = root(kind, name)
    declared = ",".join(f"${argument}:{field.args[argument].type}" for argument in arguments)
    passed = ",".join(f"{argument}:${argument}" for argument in arguments)
    return (
        f"{kind.lower()}{f'({declared})' if declared else ''}"
        f"{{{name}{f'({passed})' if passed else ''}{{{row.selection}}}}}"
    )


async def ask(home: Installation, way: dict[str, Any], kind: str, name: str, arguments: dict[str, Any]) -> Reply:
    row = ROWS[kind][name]
    asked = document(kind, name, row, arguments)
    if kind != "Subscription":
        return await home.ask(asked, arguments, **way)
    return await first_event(home, way, asked, arguments)


async def first_event(home: Installation, way: dict[str, str], query: str, variables: dict[str, Any]) -> Reply:
    """Ask for a stream, and leave after its first word."""
    headers = {"accept": "text/event-stream", "x-tenet-csrf": "1"}
    if "token" in way:
        headers["authorization"] = f"Bearer {way['token']}"
    if "cookie" in way:
        headers["cookie"] = f"tenet_session={way['cookie']}"
    home.service.client.cookies.clear()
    body = {"query": query, "variables": variables}
    async with home.service.client.stream("POST", home.service.url, json=body, headers=headers) as response:
        if not response.headers["content-type"].startswith("text/event-stream"):
            await response.aread()
            return Reply(response)
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                response._content = line.removeprefix("data:").encode()
                return Reply(response)
    raise AssertionError("a stream without a word")


def outcome(reply: Reply, name: str) -> str:
    """Name what came back as the matrix does."""
    if reply.response.status_code == 401 and "data" not in reply.body:
        return NO_ENTRY
    if reply.codes:
        assert not _told((reply.body.get("data") or {}).get(name)), reply.body
        (code,) = set(reply.codes)
        return code
    # Of many decisions each is refused by itself.
    if name == "triagePatterns":
        (result,) = reply.body["data"][name]["results"]
        return str(result["errorCode"]) if result["errorCode"] else OK
    return OK if _told(reply.body["data"][name]) else NOTHING


def _told(value: Any) -> bool:
    """Tell whether there is anything in an answer: an empty page, or a list of nulls, has nothing."""
    if isinstance(value, dict):
        return any(map(_told, value.values())) or value == {"signedOut": False}
    if isinstance(value, list):
        return any(map(_told, value))
    return value is not None


def leaks(reply: Reply, side: Side) -> list[str]:
    return [canary for canary in side.canaries if canary and canary in reply.response.text]


Broom = Any  # asyncpg.Connection[asyncpg.Record], whose stubs make it generic where it is none


@asynccontextmanager
async def kept(broom: Broom) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Remember all rows, and give a way to put them back."""
    stored = {
        name: ", ".join(column.name for column in Table.metadata.tables[name].columns if column.computed is None)
        for name in TABLES
    }
    await broom.execute(";".join(f"CREATE TEMP TABLE saved_{name} AS TABLE {name}" for name in TABLES))

    async def put_back() -> None:
        statements = (
            f"DELETE FROM {name}; INSERT INTO {name} ({columns}) SELECT {columns} FROM saved_{name}"
            for name, columns in stored.items()
        )
        await broom.execute(";".join(statements))

    try:
        yield put_back
    finally:
        await broom.execute(";".join(f"DROP TABLE saved_{name}" for name in TABLES))


async def fingerprint(session: AsyncSession) -> str:
    """Sum up everything that is stored."""
    rows = " UNION ALL ".join(f"SELECT '{table}' || t::text AS row FROM {table} t" for table in TABLES)
    found = await session.scalar(text(f"SELECT md5(string_agg(row, '' ORDER BY row)) FROM ({rows}) AS everything"))
    await session.commit()
    return str(found)


def test_every_root_field_has_a_row_and_every_row_every_caller() -> None:
    for kind, rows in ROWS.items():
        type_ = schema.core.type_map[kind]
        assert isinstance(type_, GraphQLObjectType)
        assert set(rows) == set(type_.fields), f"{kind}: a new root field needs a row in tests/identity/rows.py"
        for name, row in rows.items():
            assert set(row.expect) == set(CALLERS), name


@pytest.mark.parametrize(("kind", "name"), CELLS)
async def test_everybody_gets_what_is_theirs(
    kind: str, name: str, houses: Houses, session: AsyncSession, broom: Broom
) -> None:
    row = ROWS[kind][name]
    world = await make_world(houses.plans, session)
    await make.user(session, email="known@example.com", password_hash=await passwords.hashed(PASSWORD))
    before = await fingerprint(session)
    async with kept(broom) as put_back:
        for executor, home in houses.of(kind).items():
            for caller in CALLERS:
                expected = row.expect[caller]
                reply = await ask(home, world.ways[caller], kind, name, row.arguments(world.home))
                assert outcome(reply, name) == expected, f"{name} as {caller} by {executor}: {reply.response.text}"
                if caller not in (FOREIGN, FOREIGN_KEY, BOSS):
                    assert leaks(reply, world.foreign) == [], f"{name} as {caller}: {reply.response.text}"
                if expected != OK and caller not in INSIDERS:
                    assert leaks(reply, world.home) == [], f"{name} as {caller}: {reply.response.text}"
                if kind != "Mutation":
                    continue
                if expected != OK:
                    assert await fingerprint(session) == before, f"{name} as {caller} was refused and changed something"
                    continue
                if row.audited:
                    newest = select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(1)
                    assert await session.scalar(newest) == name, f"{name} is not audited"
                    await session.commit()
                await put_back()
                home.engine.callers.forget()


@pytest.mark.parametrize(("kind", "name"), CELLS)
async def test_every_id_is_checked(kind: str, name: str, houses: Houses, session: AsyncSession) -> None:
    row = ROWS[kind][name]
    world = await make_world(houses.plans, session)
    arguments, away = row.arguments(world.home), row.arguments(world.foreign)
    paths = set(id_paths(kind, name))
    given = {path for path in paths if _at(arguments, path) is not None}
    assert given == paths - OPTIONAL.get((kind, name), set()), f"{name}: its row leaves ids out"
    before = await fingerprint(session)
    for executor, home in houses.of(kind).items():
        for path in sorted(given):
            mine = _at(arguments, path)
            identifier = mine[0] if isinstance(mine, list) else mine
            absent = public(Kind(identifier.partition("_")[0]), new_id())
            other = public(Kind.REPO if identifier.startswith("usr") else Kind.USER, new_id())
            cases = [
                (_at(away, path), row.foreign),
                (_like(mine, absent), row.foreign),
                (_like(mine, other), "NOT_FOUND" if (kind, name) in ANY_KIND else "VALIDATION_ERROR"),
                *((_like(mine, nonsense), "VALIDATION_ERROR") for nonsense in NONSENSE),
            ]
            for value, expected in cases:
                reply = await ask(home, world.ways[OWNER], kind, name, _with(arguments, path, value))
                found = outcome(reply, name)
                # Whoever may not do this at all is told so, whatever they name.
                assert found == expected or row.expect[OWNER] == found == "FORBIDDEN", f"{name} {path}={value}: {found}"
                assert leaks(reply, world.foreign) == [], f"{name} {path}={value} by {executor}"
    assert await fingerprint(session) == before


# Arguments that stand beside another one of the same meaning.
OPTIONAL = {("Subscription", "ingestionStatus"): {("repoId",)}}
ANY_KIND = {("Query", "node"), ("Query", "nodes")}
NONSENSE = ("", "x' OR 1=1--", f"usr_{'g' * 32}", "x" * 5000, "repo_0")
# Whoever belongs here may be told its name in a refusal.
INSIDERS = (*MEMBERS, *KEYS, BOSS)


def id_paths(kind: str, name: str) -> Iterator[tuple[str, ...]]:
    """Find every place of a field's arguments where an id is taken."""
    for argument, declared in root(kind, name).args.items():
        yield from _ids(get_named_type(declared.type), (argument,))


def _ids(type_: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if type_.name == "ID":
        yield path
    elif isinstance(type_, GraphQLInputObjectType):
        for name, field in type_.fields.items():
            yield from _ids(get_named_type(field.type), (*path, name))


def _at(arguments: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = arguments
    for name in path:
        # Of many decisions the first one stands for all.
        value = value[0] if isinstance(value, list) else value
        value = (value or {}).get(name)
    return value


def _with(arguments: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(arguments))
    parent = _at(changed, path[:-1])
    (parent[0] if isinstance(parent, list) else parent)[path[-1]] = value
    return changed


def _like(mine: Any, value: str) -> Any:
    return [value] if isinstance(mine, list) else value
