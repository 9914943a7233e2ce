"""Founding: the first person and organization, made once however often and by however many they are asked for."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Membership, Organization, User
from app.domain.names import DEVELOPER
from app.domain.viewer import Role
from app.runtime import Runtime
from app.services import founding
from app.services.founding import Founded
from tests import factories
from tests.installed import runtime_for


@pytest.fixture
async def runtime(database_url: str, redis_url: str) -> AsyncIterator[Runtime]:
    """The runtime of a command."""
    async with runtime_for(database_url, redis_url) as runtime:
        yield runtime


async def found(runtime: Runtime) -> Founded:
    """Found in a transaction of its own."""
    async with runtime.write() as tx:
        return await founding.found(tx)


async def test_the_first_person_owns_the_first_organization(runtime: Runtime, session: AsyncSession) -> None:
    founded = await found(runtime)
    user = await session.get_one(User, founded.user_id)
    organization = await session.get_one(Organization, founded.organization_id)
    assert (user.email, user.login, user.is_superadmin) == (DEVELOPER, "developer", True)
    assert (organization.name, organization.slug) == ("Development", "dev")
    role = await session.scalar(select(Membership.role).where(Membership.user_id == user.id))
    assert role is Role.OWNER


async def test_many_at_once_found_the_same(runtime: Runtime, session: AsyncSession) -> None:
    everybody = await asyncio.gather(*(found(runtime) for _ in range(6)))
    assert len(set(everybody)) == 1
    for table in (User, Organization, Membership):
        assert await session.scalar(select(func.count()).select_from(table)) == 1


async def test_what_was_taken_away_is_given_back(runtime: Runtime, session: AsyncSession) -> None:
    founded = await found(runtime)
    user = await session.get_one(User, founded.user_id)
    membership = (await session.scalars(select(Membership))).one()
    user.is_superadmin, membership.role = False, Role.VIEWER
    await session.commit()
    assert await found(runtime) == founded
    await session.refresh(user)
    await session.refresh(membership)
    assert (user.is_superadmin, membership.role) == (True, Role.OWNER)


async def test_a_login_that_somebody_has_is_no_obstacle(runtime: Runtime, session: AsyncSession) -> None:
    other = await factories.user(session, login="developer")
    founded = await found(runtime)
    assert founded.user_id != other.id
    assert (await session.get_one(User, founded.user_id)).login.startswith("developer-")
