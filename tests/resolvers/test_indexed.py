"""What plans ask for a page of any list at the root is read from an index, in its order."""

import json
import re
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
from app.reads.visible import View
from resolvers.plans.compiler import compile_plan
from resolvers.schema import schema
from tests.ground import Ground, administration, beside

ONE = UUID(int=1)
REPO = f'repoId: "{public(Kind.REPO, ONE)}"'
ORGANIZATION = f'organizationId: "{public(Kind.ORGANIZATION, ONE)}"'

PATTERNS = ("CREATED_AT", "UPDATED_AT", "NAME", "ADOPTION", "TIER")
REPOS = ("CREATED_AT", "NAME", "LAST_INGESTED_AT")
LISTS = {
    "queue": f"triageQueue({REPO})",
    "deferred": f"triageQueue({REPO}, deferred: true)",
    **{
        f"patterns, {where or 'all'}, {field} {direction}": (
            f"patterns(orderBy: {{field: {field}, direction: {direction}}}, filter: {{{asked}}})"
        )
        for where, asked in (("", ""), ("repo", REPO), ("organization", ORGANIZATION))
        for field in PATTERNS
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


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_of_any_list_is_read_from_an_index_in_its_order(
    name: str, untouched: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    document = parse(f"{{ {LISTS[name]} {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}")
    assert validate(schema.core, document) == []
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    viewer = Viewer(ONE, {ONE: Role.OWNER}, Credential(CredentialKind.ACCESS_TOKEN))
    plan = compile_plan(schema.core, operation, {}, {}, View.of(viewer).sight, Cursors("secret"))
    await untouched.execute(f"PREPARE page AS {plan.statement}")
    try:
        values = ", ".join(["NULL"] * len(plan.names))
        explained = json.loads(await untouched.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE page({values})"))
    finally:
        await untouched.execute("DEALLOCATE page")
    steps = list(steps_of(explained[0]["Plan"]))
    indexes = [index for _, index in steps if index is not None]
    # A list of one object stands beside the look at that object.
    assert len(indexes) == 1 + LISTS[name].startswith("triageQueue"), steps
    assert "one status" not in name or indexes[0].endswith("_status"), steps
    # Names of repositories have no ties to be put in order, which PostgreSQL does not see.
    detours = "Seq|Bitmap|^Sort" if name.startswith("repos, NAME") else "Seq|Bitmap|Sort"
    assert not [step for step, _ in steps if re.search(detours, step)], steps


def steps_of(node: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    yield node["Node Type"], node.get("Index Name")
    for below in node.get("Plans", ()):
        yield from steps_of(below)
