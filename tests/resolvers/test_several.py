"""Lists without an owner, over one organization or more: what an index has in order is put together into one list."""

from datetime import timedelta
from itertools import combinations, product
from typing import Any

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import models
from app.domain.ids import Kind, public
from app.domain.viewer import Credential, CredentialKind, Role, Viewer
from tests import factories
from tests.resolvers.conftest import Ask
from tests.resolvers.test_pages import A_MOMENT, DIRECTIONS, FIELDS, Walk, expected, id_of, pattern

# The last one holds nothing, and whoever is of it sees no less of the others.
ORGANIZATIONS = 4
ROWS = 18


@pytest.fixture
async def repos(session: AsyncSession) -> list[models.Repo]:
    """A repository in each of several organizations; no member is in the first."""
    return [await factories.repo(session) for _ in range(ORGANIZATIONS + 1)]


@pytest.fixture(params=["member of one", "member of several", "superadmin"])
def viewer(request: pytest.FixtureRequest, repos: list[models.Repo]) -> Viewer:
    """Somebody who sees one organization, several by membership, or all."""
    seen = {"member of one": repos[1:2], "member of several": repos[1:], "superadmin": []}[request.param]
    roles = {repo.organization_id: Role.VIEWER for repo in seen}
    token = Credential(CredentialKind.ACCESS_TOKEN)
    return Viewer(repos[0].id, roles, token, superadmin=request.param == "superadmin")


@pytest.fixture
async def patterns(session: AsyncSession, repos: list[models.Repo], viewer: Viewer) -> list[models.Pattern]:
    """Patterns that the viewer sees: an organization has rows at the head of the list, at its end, or all along it."""
    made = [await pattern(session, repos[1 + (number % 4) // 2], number) for number in range(ROWS)]
    made += [await pattern(session, repos[3], number, updated_at=A_MOMENT - timedelta(days=9)) for number in range(3)]
    made += [await pattern(session, repos[0], number) for number in range(7)]
    for row in made:
        await session.refresh(row)
    return [row for row in made if viewer.superadmin or row.organization_id in viewer.roles]


def walk(ask: Ask, field: str, direction: str, *, backward: bool, asked: str = "") -> Walk:
    arguments = f"orderBy: {{field: {field}, direction: {direction}}}, filter: {{{asked}}},"
    walked = Walk(ask, "patterns", arguments, backward=backward)
    walked.query = walked.query.replace("$id: ID!, ", "")
    return walked


async def test_every_order_goes_through_all_organizations_both_ways(ask: Ask, patterns: list[models.Pattern]) -> None:
    for field, direction, backward in product(FIELDS, DIRECTIONS, (False, True)):
        seen = await walk(ask, field, direction, backward=backward).all()
        assert seen == expected(patterns, field, direction), (field, direction, backward)


async def test_a_filter_leaves_the_order_as_it_is(ask: Ask, patterns: list[models.Pattern]) -> None:
    some = [row for row in patterns if row.tier in ("EMERGING", "MODERATE")]
    assert some
    for field in FIELDS:
        seen = await walk(ask, field, "DESC", backward=False, asked="tier: [EMERGING, MODERATE], type: CODE").all()
        assert seen == expected(some, field, "DESC"), field


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("field", ["UPDATED_AT", "TIER"])
async def test_rows_of_any_organization_come_and_go_between_two_pages(
    field: str,
    backward: bool,
    ask: Ask,
    repos: list[models.Repo],
    patterns: list[models.Pattern],
    session: AsyncSession,
) -> None:
    staying, leaving = patterns[::2], patterns[1::2]
    turns = iter(range(100))

    async def between() -> None:
        turn = next(turns)
        await pattern(session, repos[1 + turn % ORGANIZATIONS], turn)
        if leaving:
            await session.execute(delete(models.Pattern).where(models.Pattern.id == leaving.pop().id))
            await session.commit()

    seen = await walk(ask, field, "DESC", backward=backward).all(between)
    assert len(set(seen)) == len(seen)
    stayed = {id_of(row) for row in staying}
    assert [identifier for identifier in seen if identifier in stayed] == expected(staying, field, "DESC")


@pytest.mark.parametrize("field", ["ADOPTION", "TIER"])
async def test_a_slice_between_two_cursors_is_the_same_from_either_end(
    field: str, ask: Ask, patterns: list[models.Pattern]
) -> None:
    order = f"orderBy: {{field: {field}}}"
    whole = (await ask(f"{{ patterns(first: 100, {order}) {{ edges {{ cursor node {{ id }} }} }} }}"))["data"][
        "patterns"
    ]
    edges = [(edge["cursor"], edge["node"]["id"]) for edge in whole["edges"]]
    query = f"""query($first: Int, $last: Int, $after: String, $before: String) {{
        patterns({order}, first: $first, last: $last, after: $after, before: $before) {{ nodes {{ id }} }}
    }}"""
    for begin, end in combinations(range(0, len(edges), 4), 2):
        ends = {"after": edges[begin][0], "before": edges[end][0]}
        between = [identifier for _, identifier in edges[begin + 1 : end]]
        for size, wanted in (("first", between[:3]), ("last", between[-3:])):
            told = (await ask(query, **{size: 3}, **ends))["data"]["patterns"]["nodes"]
            assert [node["id"] for node in told] == wanted, (begin, end, size)


async def test_repositories_of_several_organizations_are_one_list(
    ask: Ask, repos: list[models.Repo], viewer: Viewer
) -> None:
    mine = [repo for repo in repos if viewer.superadmin or repo.organization_id in viewer.roles]
    query = "query($f: RepoOrderField!) { repos(first: 50, orderBy: {field: $f}) { nodes { id } totalCount } }"
    keys: dict[str, Any] = {"CREATED_AT": lambda row: row.id, "NAME": lambda row: row.full_name}
    for field, key in keys.items():
        told = (await ask(query, f=field))["data"]["repos"]
        wanted = [public(Kind.REPO, row.id) for row in sorted(mine, key=key, reverse=True)]
        assert told == {"nodes": [{"id": identifier} for identifier in wanted], "totalCount": len(mine)}
