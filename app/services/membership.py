"""Membership: who belongs to an organization, and as what."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from app.credentials import secrets
from app.credentials.secrets import Prefix
from app.db import models
from app.db.tx import Tx
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.ids import Kind, new_id
from app.domain.viewer import GRANTS, Permission, Role, Viewer
from app.reads import organizations

INVITATION_LASTS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was just made; its token is shown once, to the inviter."""

    invitation_id: UUID
    token: str = field(repr=False)


async def invite(tx: Tx, viewer: Viewer, organization_id: UUID, email: str, role: Role, now: datetime) -> Invited:
    """Offer a role to whoever will hold the token; who has an account here is neither asked nor told."""
    _, viewer = await organizations.lock(tx.session, viewer, organization_id)
    _require(viewer, organization_id, role)
    token = secrets.new(Prefix.INVITATION)
    invitation = models.Invitation(
        id=new_id(),
        organization_id=organization_id,
        email=email,
        role=role,
        token_hash=secrets.digest(token),
        invited_by_id=viewer.user_id,
        expires_at=now + INVITATION_LASTS,
    )
    tx.session.add(invitation)
    tx.audit(viewer, "inviteMember", Kind.INVITATION, invitation.id, organization_id)
    return Invited(invitation.id, token)


async def accept(tx: Tx, viewer: Viewer, token: str, now: datetime) -> models.Membership:
    """Take the role that a token offers; holding it is what counts, whoever it was meant for."""
    viewer.require_person()
    theirs = select(models.Invitation).where(models.Invitation.token_hash == secrets.digest(token))
    invitation: models.Invitation | None = await tx.session.scalar(theirs)
    if invitation is None:
        raise NotFound("No such invitation.")
    organization_id = invitation.organization_id
    organization = await organizations.locked(tx.session, organization_id)
    await tx.session.refresh(invitation)
    if invitation.accepted_at or invitation.revoked_at or invitation.expires_at <= now:
        raise Conflict("This invitation was used or revoked, or it has expired.")
    await _require_inviter(tx, invitation)
    if await organizations.find_member(tx.session, organization_id, viewer.user_id) is not None:
        raise Conflict("You are a member of this organization already.")
    invitation.accepted_at = now
    membership = models.Membership(
        id=new_id(), organization_id=organization.id, user_id=viewer.user_id, role=invitation.role
    )
    tx.session.add(membership)
    tx.revoke(viewer.user_id)
    tx.audit(viewer, "acceptInvitation", Kind.MEMBERSHIP, membership.id, organization_id)
    return membership


async def revoke_invitation(tx: Tx, viewer: Viewer, invitation_id: UUID, now: datetime) -> UUID:
    """Take an invitation back that nobody has accepted; gives its organization."""
    invitation = await tx.session.get(models.Invitation, invitation_id)
    if invitation is None or not viewer.sees(invitation.organization_id, Permission.MANAGE_MEMBERS):
        raise NotFound("No such invitation.")
    organization_id = invitation.organization_id
    _, viewer = await organizations.lock(tx.session, viewer, organization_id)
    viewer.require(Permission.MANAGE_MEMBERS, organization_id)
    await tx.session.refresh(invitation)
    if invitation.accepted_at is not None:
        raise Conflict("This invitation was accepted already.")
    if invitation.revoked_at is None:
        invitation.revoked_at = now
        tx.audit(viewer, "revokeInvitation", Kind.INVITATION, invitation_id, organization_id)
    return organization_id


async def change_role(tx: Tx, viewer: Viewer, organization_id: UUID, user_id: UUID, role: Role) -> models.Membership:
    """Give a member another role; only owners make and unmake owners, and the last one stays one."""
    _, viewer = await organizations.lock(tx.session, viewer, organization_id)
    viewer.require(Permission.MANAGE_MEMBERS, organization_id)
    membership = await organizations.get_member(tx.session, organization_id, user_id)
    _require(viewer, organization_id, membership.role)
    _require(viewer, organization_id, role)
    if membership.role is not role:
        await _keep_an_owner(tx, membership)
        membership.role = role
        tx.revoke(user_id)
        tx.audit(viewer, "changeMemberRole", Kind.MEMBERSHIP, membership.id, organization_id)
    return membership


async def remove(tx: Tx, viewer: Viewer, organization_id: UUID, user_id: UUID, now: datetime) -> None:
    """Take a member out, with their keys to the organization and the invitations they made."""
    _, viewer = await organizations.lock(tx.session, viewer, organization_id)
    viewer.require(Permission.MANAGE_MEMBERS, organization_id)
    membership = await organizations.get_member(tx.session, organization_id, user_id)
    if user_id == viewer.user_id:
        raise Invalid("Leave the organization instead.", fields={"userId": "is yourself"})
    _require(viewer, organization_id, membership.role)
    await _take_out(tx, viewer, "removeMember", membership, now)


async def leave(tx: Tx, viewer: Viewer, organization_id: UUID, now: datetime) -> None:
    """Take oneself out of an organization; its last owner stays."""
    viewer.require_person()
    _, viewer = await organizations.lock(tx.session, viewer, organization_id)
    membership = await organizations.get_member(tx.session, organization_id, viewer.user_id)
    await _take_out(tx, viewer, "leaveOrganization", membership, now)


def _require(viewer: Viewer, organization_id: UUID, role: Role) -> None:
    permission = Permission.CHANGE_OWNERS if role is Role.OWNER else Permission.MANAGE_MEMBERS
    viewer.require(permission, organization_id)


async def _require_inviter(tx: Tx, invitation: models.Invitation) -> None:
    """An invitation is worth what its maker may do now: one who was thrown out must not come back by an old one."""
    permission = Permission.CHANGE_OWNERS if invitation.role is Role.OWNER else Permission.MANAGE_MEMBERS
    inviter = invitation.invited_by_id
    role = None if inviter is None else await organizations.find_role(tx.session, invitation.organization_id, inviter)
    if role is None or permission not in GRANTS[role]:
        raise Conflict("Whoever made this invitation may not any more; ask for a new one.")


async def _keep_an_owner(tx: Tx, membership: models.Membership) -> None:
    if membership.role is Role.OWNER and await organizations.count_owners(tx.session, membership.organization_id) < 2:
        raise Conflict("An organization keeps at least one owner; make somebody else an owner first.")


async def _take_out(tx: Tx, viewer: Viewer, action: str, membership: models.Membership, now: datetime) -> None:
    await _keep_an_owner(tx, membership)
    organization_id, user_id = membership.organization_id, membership.user_id
    # A key dies with the membership, and does not come to life again with a new one.
    keys = update(models.ApiKey).where(
        models.ApiKey.organization_id == organization_id,
        models.ApiKey.user_id == user_id,
        models.ApiKey.revoked_at.is_(None),
    )
    offers = update(models.Invitation).where(
        models.Invitation.organization_id == organization_id,
        models.Invitation.invited_by_id == user_id,
        models.Invitation.accepted_at.is_(None),
        models.Invitation.revoked_at.is_(None),
    )
    for made in (keys, offers):
        await tx.session.execute(made.values(revoked_at=now))
    await tx.session.delete(membership)
    tx.revoke(user_id)
    tx.audit(viewer, action, Kind.MEMBERSHIP, membership.id, organization_id)
