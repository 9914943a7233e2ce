"""What plans ask for a page of any list at the root is read from an index, in its order."""

import json
import re
import struct
from collections.abc import AsyncIterator, Iterator
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


@pytest.fixture(scope="module")
async def untouched(ground: Ground, worker_number: int) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """A database that never had rows: what PostgreSQL learned of those of other tests would decide about plans."""
    name = f"untouched_{worker_number}"
    async with administration(ground.database_url) as server:
        await server.execute(f"CREATE DATABASE {name} TEMPLATE tenet")
    connection = await asyncpg.connect(plain_url(beside(ground.database_url, name)))
    # As the readers plan it; an empty table would else be read as a whole.
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    for detour in ("seqscan", "bitmapscan", "sort"):
        await connection.execute(f"SET enable_{detour} = off")
    yield connection
    await connection.close()


SEVERAL = {
    name: document
    for name, document in LISTS.items()
    if name.startswith(("patterns, all", "repos")) and ("CREATED_AT" not in name)
}


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


async def planned(connection: "asyncpg.Connection[asyncpg.Record]", viewer: Viewer, list_: str) -> dict[str, Any]:
    """Tell how PostgreSQL reads a page of a list."""
    document = parse(f"{{ {list_} {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}")
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
