"""Lists over several organizations: the heads of each one's put together, in one order for all."""

from datetime import timedelta
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
    """A repository in each of several organizations, of which the viewer is in all but the first."""
    return [await factories.repo(session) for _ in range(ORGANIZATIONS + 1)]


@pytest.fixture(params=["member", "superadmin"])
def viewer(request: pytest.FixtureRequest, repos: list[models.Repo]) -> Viewer:
    """Somebody who sees several organizations: by membership, or because they see all."""
    of_all = request.param == "superadmin"
    roles = {} if of_all else {repo.organization_id: Role.VIEWER for repo in repos[1:]}
    return Viewer(repos[0].id, roles, Credential(CredentialKind.ACCESS_TOKEN), superadmin=of_all)


@pytest.fixture
async def patterns(session: AsyncSession, repos: list[models.Repo], viewer: Viewer) -> list[models.Pattern]:
    """Patterns that the viewer sees: an organization has rows at the head of the list, at its end, or all along it."""
    made = [await pattern(session, repos[1 + (number % 4) // 2], number) for number in range(ROWS)]
    made += [await pattern(session, repos[3], number, updated_at=A_MOMENT - timedelta(days=9)) for number in range(3)]
    strangers = [await pattern(session, repos[0], number) for number in range(7)]
    made += strangers if viewer.superadmin else []
    for row in made:
        await session.refresh(row)
    return made


def walk(ask: Ask, field: str, direction: str, *, backward: bool, asked: str = "") -> Walk:
    arguments = f"orderBy: {{field: {field}, direction: {direction}}}, filter: {{{asked}}},"
    walked = Walk(ask, "patterns", arguments, backward=backward)
    walked.query = walked.query.replace("$id: ID!, ", "")
    return walked


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("field", FIELDS)
async def test_every_order_goes_through_all_organizations(
    field: str, direction: str, backward: bool, ask: Ask, patterns: list[models.Pattern]
) -> None:
    assert await walk(ask, field, direction, backward=backward).all() == expected(patterns, field, direction)


@pytest.mark.parametrize("field", FIELDS)
async def test_a_filter_leaves_the_order_as_it_is(field: str, ask: Ask, patterns: list[models.Pattern]) -> None:
    some = [row for row in patterns if row.tier in ("EMERGING", "MODERATE")]
    assert some
    seen = await walk(ask, field, "DESC", backward=False, asked="tier: [EMERGING, MODERATE], type: CODE").all()
    assert seen == expected(some, field, "DESC")


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("field", FIELDS)
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


async def test_repositories_of_several_organizations_are_one_list(
    ask: Ask, repos: list[models.Repo], viewer: Viewer
) -> None:
    mine = repos if viewer.superadmin else repos[1:]
    query = "query($f: RepoOrderField!) { repos(first: 50, orderBy: {field: $f}) { nodes { id } totalCount } }"
    keys: dict[str, Any] = {"CREATED_AT": lambda row: row.id, "NAME": lambda row: row.full_name}
    for field, key in keys.items():
        told = (await ask(query, f=field))["data"]["repos"]
        wanted = [public(Kind.REPO, row.id) for row in sorted(mine, key=key, reverse=True)]
        assert told == {"nodes": [{"id": identifier} for identifier in wanted], "totalCount": len(mine)}
