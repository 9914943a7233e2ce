"""What plans ask for a page of any list at the root is read from an index, in its order."""

import json
import re
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from graphql import OperationDefinitionNode, parse, validate

from app.db.address import plain_url
from app.domain.ids import Kind, public
from app.domain.viewer import Credential, CredentialKind, Role, Viewer
from app.reads.page import Cursors
from app.reads.patterns import PATTERNS
from app.reads.visible import View
from resolvers.plans.compiler import compile_plan
from resolvers.schema import schema
from tests.ground import Ground, administration, beside

ONE = UUID(int=1)
REPO = f'repoId: "{public(Kind.REPO, ONE)}"'
ORGANIZATION = f'organizationId: "{public(Kind.ORGANIZATION, ONE)}"'

ORDERED = ("CREATED_AT", "UPDATED_AT", "NAME", "ADOPTION", "TIER")
REPOS = ("CREATED_AT", "NAME", "LAST_INGESTED_AT")
LISTS = {
    "queue": f"triageQueue({REPO})",
    "deferred": f"triageQueue({REPO}, deferred: true)",
    **{
        f"patterns, {where or 'all'}, {field} {direction}": (
            f"patterns(orderBy: {{field: {field}, direction: {direction}}}, filter: {{{asked}}})"
        )
        for where, asked in (("", ""), ("repo", REPO), ("organization", ORGANIZATION))
        for field in ORDERED
        for direction in ("ASC", "DESC")
    },
    **{
        f"patterns, {where} and one status": f"patterns(filter: {{{asked}, status: [CANDIDATE]}})"
        for where, asked in (("repo", REPO), ("organization", ORGANIZATION))
    },
    **{
        f"repos, {field} {direction}": f"repos(orderBy: {{field: {field}, direction: {direction}}})"
        for field in REPOS
        for direction in ("ASC", "DESC")
    },
}


SEVERAL = {
    name: document
    for name, document in LISTS.items()
    if name.startswith(("patterns, all", "repos")) and ("CREATED_AT" not in name)
}


@pytest.fixture(scope="module")
async def untouched(ground: Ground, worker_number: int) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """A database that never had rows: what PostgreSQL learned of those of other tests would decide about plans."""
    async with database(ground, f"untouched_{worker_number}") as connection:
        # An empty table would else be read as a whole.
        for detour in ("seqscan", "bitmapscan", "sort"):
            await connection.execute(f"SET enable_{detour} = off")
        yield connection


@pytest.fixture(scope="module")
async def crowded(ground: Ground, worker_number: int) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """A database of many organizations, of which PostgreSQL knows what is in it: one has ten times what others have."""
    async with database(ground, f"crowded_{worker_number}") as connection:
        for table in ("organizations", "repos", "patterns"):
            await connection.execute(CROWD[table])
            await connection.execute(f"VACUUM (ANALYZE) {table}")
        yield connection


CROWD = {
    "organizations": """
        INSERT INTO organizations (id, slug, name)
        SELECT lpad(n::text, 32, '0')::uuid, 'organization-' || n, 'One of many' FROM generate_series(1, 60) n
    """,
    "repos": """
        INSERT INTO repos (id, organization_id, full_name, source, url, default_branch, private)
        SELECT lpad(to_hex(n), 32, '0')::uuid, lpad(greatest(1, n - 9)::text, 32, '0')::uuid, 'repo-' || n, 'GIT',
            'https://git.example.com/one.git', 'main', false
        FROM generate_series(1, 69) n
    """,
    "patterns": """
        INSERT INTO patterns (
            id, repo_id, organization_id, name, description, type, category, severity, deferred_at, extracted_by,
            rule_kind, rule_definition, rule_text, rule_exportable, defer_count, scope_languages, scope_include,
            scope_exclude, author_names, locations, health_signals, insight_actions, status
        )
        SELECT gen_random_uuid(), repos.id, repos.organization_id, 'A pattern ' || n, repeat('of some length ', 60),
            'CODE', 'NAMING', 'WARNING', now(), 'naming 1', 'AST', '{}', 'class $NAME', false, 0, '{}', '{}', '{}',
            '{}', '[]', '[]', '{}', (ARRAY['CANDIDATE', 'AUTHORITATIVE', 'REJECTED', 'DEFERRED'])[1 + n % 4]
        FROM generate_series(1, 600) n, repos
        WHERE n <= 40 OR repos.organization_id = lpad('1', 32, '0')::uuid
    """,
}


@asynccontextmanager
async def database(ground: Ground, name: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """Have a database of our own, and read it as the readers do."""
    async with administration(ground.database_url) as server:
        await server.execute(f"CREATE DATABASE {name} TEMPLATE tenet")
    connection = await asyncpg.connect(plain_url(beside(ground.database_url, name)))
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute("SET random_page_cost = 1.1")
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_of_any_list_is_read_from_an_index_in_its_order(
    name: str, untouched: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    viewer = Viewer(ONE, {ONE: Role.OWNER}, Credential(CredentialKind.ACCESS_TOKEN))
    steps = list(steps_of(await planned(untouched, viewer, LISTS[name])))
    indexes = [index for _, index in steps if index is not None]
    # A list of one object stands beside the look at that object.
    assert len(indexes) == 1 + LISTS[name].startswith("triageQueue"), steps
    assert "one status" not in name or indexes[0].endswith("_status"), steps
    # Names of repositories have no ties to be put in order, which PostgreSQL does not see.
    detours = "Seq|Bitmap|^Sort" if name.startswith("repos, NAME") else "Seq|Bitmap|Sort"
    assert not [step for step, _ in steps if re.search(detours, step)], steps


@pytest.mark.parametrize("superadmin", [False, True], ids=["of several", "of all"])
@pytest.mark.parametrize("name", SEVERAL)
async def test_of_each_of_several_organizations_only_the_head_of_the_list_is_read(
    name: str, superadmin: bool, untouched: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    roles = {} if superadmin else {ONE: Role.OWNER, UUID(int=2): Role.VIEWER}
    viewer = Viewer(ONE, roles, Credential(CredentialKind.ACCESS_TOKEN), superadmin=superadmin)
    plan = await planned(untouched, viewer, SEVERAL[name])
    (heads,) = (
        below
        for node in nodes_of(plan)
        if node["Node Type"] == "Nested Loop"
        for below in node["Plans"]
        if below["Node Type"] == "Limit" and below["Parent Relationship"] == "Inner"
    )
    steps = list(steps_of(heads))
    # Names of repositories have no ties to be put in order, which PostgreSQL does not see.
    read = ["Incremental Sort", "Index Scan"] if name.startswith("repos, NAME") else ["Index Only Scan"]
    assert [step for step, _ in steps] == ["Limit", *read]


@pytest.mark.parametrize("several", [False, True], ids=["of one", "of several"])
@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (f"triageQueue({REPO}, first: 20)", "ix_patterns_triage"),
        (f"triageQueue({REPO}, deferred: true, first: 20)", "ix_patterns_deferred"),
        (f"patterns(first: 50, filter: {{{REPO}, status: [CANDIDATE]}})", "ix_patterns_repo_status"),
        (f"patterns(first: 50, filter: {{{REPO}}}, orderBy: {{field: TIER}})", "ix_patterns_repo_tier_down"),
        (f"patterns(first: 50, filter: {{{REPO}}}, orderBy: {{field: NAME}})", "ix_patterns_repo_name"),
    ],
    ids=["queue", "deferred", "one status", "tier", "name"],
)
async def test_a_list_of_a_repository_among_many_organizations_is_read_from_its_index(
    asked: str, index: str, several: bool, crowded: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    roles = {ONE: Role.OWNER, **({UUID(int=2): Role.VIEWER} if several else {})}
    viewer = Viewer(ONE, roles, Credential(CredentialKind.ACCESS_TOKEN))
    steps = dict(steps_of(await planned(crowded, viewer, asked, "id name description")))
    assert index in steps.values(), steps
    assert not {"Sort", "Bitmap Heap Scan"} & steps.keys(), steps


@pytest.mark.parametrize("several", [False, True], ids=["of one", "of several"])
@pytest.mark.parametrize("end", ["first, after", "last, before"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ADOPTION", struct.pack(">d", 0.5)),
        ("ADOPTION", None),
        ("TIER", b"\0\5"),
        ("TIER", None),
        ("UPDATED_AT", bytes(8)),
        ("NAME", b"\0\0\0\1x"),
    ],
    ids=["adoption", "no adoption", "tier", "no tier", "updated", "name"],
)
async def test_a_page_deep_in_a_list_begins_where_its_cursor_is(
    field: str, value: bytes | None, end: str, several: bool, untouched: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    order = PATTERNS.orders[field].turned()
    cursors = Cursors("secret")
    cursor = cursors.sealed([value, ONE.bytes], cursors.seal_key("Query.patterns", order)).decode()
    viewer = Viewer(
        ONE,
        {ONE: Role.OWNER, **({UUID(int=2): Role.VIEWER} if several else {})},
        Credential(CredentialKind.ACCESS_TOKEN),
    )
    size, place = end.split(", ")
    document = f'patterns({size}: 20, {place}: "{cursor}", orderBy: {{field: {field}}})'
    reads = [node for node in nodes_of(await planned(untouched, viewer, document)) if "Index Cond" in node]
    starts = [node for node in reads if node["Index Name"].startswith("ix_patterns_organization")]
    assert starts
    for node in starts:
        # Whatever stands in front of the cursor is passed over by the index itself.
        assert "Filter" not in node, node
        assert "ROW(" in node["Index Cond"] or "NULL" in node["Index Cond"], node


async def planned(
    connection: "asyncpg.Connection[asyncpg.Record]", viewer: Viewer, list_: str, fields: str = "id"
) -> dict[str, Any]:
    """Tell how PostgreSQL reads a page of a list."""
    document = parse(f"{{ {list_} {{ nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }} }}")
    assert validate(schema.core, document) == []
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    plan = compile_plan(schema.core, operation, {}, {}, View.of(viewer).sight, Cursors("secret"))
    await connection.execute(f"PREPARE page AS {plan.full.text}")
    try:
        values = f"({', '.join(['NULL'] * len(plan.full.names))})" if plan.full.names else ""
        explained = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE page{values}"))
    finally:
        await connection.execute("DEALLOCATE page")
    plan_of: dict[str, Any] = explained[0]["Plan"]
    return plan_of


def nodes_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from nodes_of(below)


def steps_of(node: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    return ((step["Node Type"], step.get("Index Name")) for step in nodes_of(node))
