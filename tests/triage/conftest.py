"""A repository to triage, and the people around it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.viewer import Role
from tests import factories as make
from tests.identity.installation import Installation, installed
from tests.triage.desk import Desk


@pytest.fixture(scope="session")
async def shared_home(database_url: str, redis_url: str) -> AsyncIterator[Installation]:
    """One installation for all tests that change nothing about it."""
    async with installed(database_url, redis_url) as made:
        yield made


@pytest.fixture
async def desk(
    shared_home: Installation, database_url: str, redis_url: str, session: AsyncSession
) -> AsyncIterator[Desk]:
    """A repository, a person of each role, and somebody from elsewhere; all is swept away afterwards."""
    organization = await make.organization(session)
    repo = await make.repo(session, organization)
    people = {role.value.lower(): await shared_home.member(session, organization, role) for role in Role}
    people["stranger"] = await shared_home.member(session, await make.organization(session), Role.OWNER)
    yield Desk(shared_home, session, organization, repo, people)
    shared_home.engine.callers.forget()
