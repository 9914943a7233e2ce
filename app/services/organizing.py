"""Organizing: how organizations begin, what they are called, and how they end."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.db import models
from app.db.tx import Tx
from app.domain.errors import Conflict, Invalid
from app.domain.ids import Kind, new_id
from app.domain.jobs import Forget
from app.domain.run import LIVE
from app.domain.viewer import Permission, Role, Viewer
from app.reads import organizations


async def create(tx: Tx, viewer: Viewer, slug: str, name: str) -> UUID:
    """Make an organization; its maker is its first owner."""
    viewer.require_person()
    fresh = insert(models.Organization).values(id=new_id(), slug=slug, name=name).on_conflict_do_nothing()
    organization_id: UUID | None = await tx.session.scalar(fresh.returning(models.Organization.id))
    if organization_id is None:
        raise _taken(slug)
    tx.session.add(models.Membership(organization_id=organization_id, user_id=viewer.user_id, role=Role.OWNER))
    tx.revoke(viewer.user_id)
    tx.audit(viewer, "createOrganization", Kind.ORGANIZATION, organization_id, organization_id)
    return organization_id


async def update(
    tx: Tx, viewer: Viewer, organization_id: UUID, *, slug: str | None = None, name: str | None = None
) -> None:
    """Call an organization something else; what is None stays."""
    organization, viewer = await organizations.lock(tx.session, viewer, organization_id)
    viewer.require(Permission.MANAGE_ORGANIZATION, organization_id)
    organization.name = organization.name if name is None else name
    if slug is not None:
        organization.slug = slug
        try:
            await tx.session.flush()
        except IntegrityError:
            raise _taken(slug) from None
    tx.audit(viewer, "updateOrganization", Kind.ORGANIZATION, organization_id, organization_id)


async def remove(tx: Tx, viewer: Viewer, organization_id: UUID, confirmed_slug: str) -> str:
    """Delete an organization with everything in it; only an owner does, who has typed its slug again."""
    organization, viewer = await organizations.lock(tx.session, viewer, organization_id)
    viewer.require(Permission.DELETE_ORGANIZATION, organization_id)
    slug = organization.slug
    if confirmed_slug != slug:
        raise Invalid("This is not the slug of the organization.", fields={"confirmSlug": "is another slug"})
    for repo_id in await tx.session.scalars(
        select(models.Repo.id).where(models.Repo.organization_id == organization_id)
    ):
        tx.enqueue(Forget(organization_id, repo_id))
    # Workers lock a run before its repository; in the other order each would wait for the other.
    live = (models.IngestionRun.organization_id == organization_id) & models.IngestionRun.status.in_(LIVE)
    await tx.session.execute(select(models.IngestionRun.id).where(live).with_for_update())
    # One statement, and the database cascades.
    await tx.session.execute(delete(models.Organization).where(models.Organization.id == organization_id))
    tx.revoke(viewer.user_id)
    tx.audit(viewer, "deleteOrganization", Kind.ORGANIZATION, organization_id, organization_id)
    return slug


def _taken(slug: str) -> Conflict:
    return Conflict("Another organization has this slug; choose another one.", slug=slug)
