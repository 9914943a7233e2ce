"""Reads of organizations and their members that decisions need."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import models
from app.domain.errors import NotFound
from app.domain.viewer import Role, Viewer

# Against others who would change the row; those who refer to it need not wait.
_LOCK = {"key_share": True}


async def lock(session: AsyncSession, viewer: Viewer, organization_id: UUID) -> tuple[models.Organization, Viewer]:
    """Hold an organization against every other decision about its members, and look again what the viewer is in it.

    Who two owners are who leave at once, or an admin who was demoted a moment ago, is only true under this lock.
    """
    if not viewer.sees(organization_id):
        raise NotFound("No such organization.")
    organization = await locked(session, organization_id)
    role = await find_role(session, organization_id, viewer.user_id)
    others = {known: held for known, held in viewer.roles.items() if known != organization_id}
    return organization, replace(viewer, roles=others if role is None else {**others, organization_id: role})


async def locked(session: AsyncSession, organization_id: UUID) -> models.Organization:
    """Hold an organization for whoever need not see it yet."""
    organization = await session.get(models.Organization, organization_id, with_for_update=_LOCK)
    if organization is None:
        raise NotFound("No such organization.")
    return organization


async def find_role(session: AsyncSession, organization_id: UUID, user_id: UUID) -> Role | None:
    """Tell what a person is in an organization."""
    membership = await find_member(session, organization_id, user_id)
    return None if membership is None else membership.role


async def find_member(session: AsyncSession, organization_id: UUID, user_id: UUID) -> models.Membership | None:
    """Find a person's membership."""
    theirs = select(models.Membership).where(
        models.Membership.organization_id == organization_id, models.Membership.user_id == user_id
    )
    membership: models.Membership | None = await session.scalar(theirs)
    return membership


async def get_member(session: AsyncSession, organization_id: UUID, user_id: UUID) -> models.Membership:
    """Give a person's membership, or refuse."""
    membership = await find_member(session, organization_id, user_id)
    if membership is None:
        raise NotFound("This person is no member of the organization.")
    return membership


async def count_owners(session: AsyncSession, organization_id: UUID) -> int:
    """Count the owners."""
    owners = (
        select(func.count())
        .select_from(models.Membership)
        .where(models.Membership.organization_id == organization_id, models.Membership.role == Role.OWNER)
    )
    return int((await session.execute(owners)).scalar_one())
