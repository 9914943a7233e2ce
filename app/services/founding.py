"""Founding: the first person and organization of a development installation."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.db import models
from app.db.tx import Tx
from app.domain.ids import new_id
from app.domain.names import DEVELOPER
from app.domain.viewer import Role

ORGANIZATION_NAME, ORGANIZATION_SLUG = "Development", "dev"


@dataclass(frozen=True, slots=True)
class Founded:
    """Who may begin, and where."""

    user_id: UUID
    organization_id: UUID


async def found(tx: Tx, email: str = DEVELOPER) -> Founded:
    """Make a superadmin who owns an organization, or find those of the last time."""
    user_id = await _user(tx, email)
    organization_id = await _organization(tx)
    membership = insert(models.Membership).values(
        id=new_id(), organization_id=organization_id, user_id=user_id, role=Role.OWNER
    )
    await tx.session.execute(
        membership.on_conflict_do_update(index_elements=["organization_id", "user_id"], set_={"role": Role.OWNER})
    )
    return Founded(user_id, organization_id)


async def _user(tx: Tx, email: str) -> UUID:
    # Somebody else may have taken the login; then this one gets a longer one.
    login = email.partition("@")[0][:50]
    for candidate in (login, f"{login}-{new_id().hex[-12:]}"):
        person = insert(models.User).values(id=new_id(), login=candidate, email=email, is_superadmin=True)
        await tx.session.execute(person.on_conflict_do_nothing())
        known = update(models.User).where(models.User.email == email).values(is_superadmin=True)
        user_id: UUID | None = await tx.session.scalar(known.returning(models.User.id))
        if user_id is not None:
            return user_id
    raise AssertionError("a random login was taken")


async def _organization(tx: Tx) -> UUID:
    fresh = insert(models.Organization).values(id=new_id(), slug=ORGANIZATION_SLUG, name=ORGANIZATION_NAME)
    await tx.session.execute(fresh.on_conflict_do_nothing())
    query = select(models.Organization.id).where(models.Organization.slug == ORGANIZATION_SLUG)
    organization_id: UUID | None = await tx.session.scalar(query)
    assert organization_id is not None, "it was inserted a moment ago"
    return organization_id
