"""Members: inviting, joining, changing roles, removing and leaving."""

from typing import Annotated

import strawberry
from strawberry.types import Info

from app.domain import names
from app.domain.ids import Kind, parse_as
from app.domain.viewer import Role
from app.services import membership
from resolvers.context import Context
from resolvers.lists import shown
from resolvers.people.types import Invitation, Membership, Organization, User, confidential

field = strawberry.field


@strawberry.input(description="Whom to invite, and as what.")
class InviteMemberInput:
    """An offer of a role."""

    organization_id: strawberry.ID = field(description="The organization's id.")
    email: str = field(description="Whom the offer is meant for; whoever holds its token accepts it.")
    role: Role = field(description="The role that is offered; only owners offer OWNER.")


@strawberry.input(description="The token of an invitation.")
class AcceptInvitationInput:
    """The token of an invitation."""

    token: str = confidential("What the inviter passed on.")


@strawberry.input(description="An invitation to be taken back.")
class RevokeInvitationInput:
    """An invitation."""

    id: strawberry.ID = field(description="The invitation's id.")


@strawberry.input(description="A member and their new role.")
class ChangeMemberRoleInput:
    """A member and their new role."""

    organization_id: strawberry.ID = field(description="The organization's id.")
    user_id: strawberry.ID = field(description="The member's user id.")
    role: Role = field(description="What they are from now on; only owners make and unmake owners.")


@strawberry.input(description="A member to be removed.")
class RemoveMemberInput:
    """A member."""

    organization_id: strawberry.ID = field(description="The organization's id.")
    user_id: strawberry.ID = field(description="The member's user id.")


@strawberry.input(description="An organization to be left.")
class LeaveOrganizationInput:
    """An organization."""

    id: strawberry.ID = field(description="The organization's id.")


@strawberry.type(description="An invitation that was made.")
class InviteMemberPayload:
    """An invitation that was made."""

    invitation: Invitation = field(description="The invitation.")
    token: str = confidential("Shown once, here: pass it on to whom the invitation is for.")


@strawberry.type(description="Somebody who joined.")
class AcceptInvitationPayload:
    """Somebody who joined."""

    membership: Membership = field(description="What they are now, and where.")


@strawberry.type(description="An organization without an invitation that it had.")
class RevokeInvitationPayload:
    """An organization without an invitation that it had."""

    organization: Organization = field(description="The organization.")


@strawberry.type(description="A member with another role.")
class ChangeMemberRolePayload:
    """A member with another role."""

    membership: Membership = field(description="What they are now.")


@strawberry.type(description="An organization without a member that it had.")
class RemoveMemberPayload:
    """An organization without a member that it had."""

    organization: Organization = field(description="The organization.")


@strawberry.type(description="Somebody who left.")
class LeaveOrganizationPayload:
    """Somebody who left."""

    viewer: User = field(description="Who left.")


@strawberry.type
class MemberMutations:
    """What is decided about members."""

    @strawberry.mutation(
        description="Offer somebody a role for seven days; for admins. The answer is the same whether they have an "
        "account here or not. Refuses: UNAUTHENTICATED, FORBIDDEN (also: offering OWNER without being one), NOT_FOUND, "
        "VALIDATION_ERROR."
    )
    async def invite_member(
        self,
        info: Info[Context, None],
        input: Annotated[InviteMemberInput, strawberry.argument(description="The offer.")],  # noqa: A002
    ) -> InviteMemberPayload | None:
        """Invite somebody."""
        context = info.context
        viewer = context.viewer
        organization_id = parse_as(Kind.ORGANIZATION, input.organization_id, field="organizationId")
        email = names.email_address(input.email)
        async with context.write() as tx:
            invited = await membership.invite(tx, viewer, organization_id, email, input.role, context.now)
        invitation = await shown(context, "Invitation", invited.invitation_id)
        return InviteMemberPayload(invitation=invitation, token=invited.token)

    @strawberry.mutation(
        description="Take the role that a token offers. Refuses: UNAUTHENTICATED, FORBIDDEN (API keys), NOT_FOUND, "
        "CONFLICT (used, revoked or expired; its maker may not invite any more; the viewer is a member already)."
    )
    async def accept_invitation(
        self,
        info: Info[Context, None],
        input: Annotated[AcceptInvitationInput, strawberry.argument(description="The token.")],  # noqa: A002
    ) -> AcceptInvitationPayload | None:
        """Join an organization."""
        context = info.context
        viewer = context.viewer
        async with context.write() as tx:
            joined = await membership.accept(tx, viewer, input.token, context.now)
        await context.stand_as(viewer.user_id, viewer.credential)
        return AcceptInvitationPayload(membership=await shown(context, "Membership", joined.id))

    @strawberry.mutation(
        description="Take back an invitation that nobody has accepted; for admins. Refuses: UNAUTHENTICATED, "
        "FORBIDDEN, NOT_FOUND, VALIDATION_ERROR, CONFLICT (it was accepted)."
    )
    async def revoke_invitation(
        self,
        info: Info[Context, None],
        input: Annotated[RevokeInvitationInput, strawberry.argument(description="The invitation.")],  # noqa: A002
    ) -> RevokeInvitationPayload | None:
        """Revoke an invitation."""
        context = info.context
        viewer = context.viewer
        invitation_id = parse_as(Kind.INVITATION, input.id)
        async with context.write() as tx:
            organization_id = await membership.revoke_invitation(tx, viewer, invitation_id, context.now)
        return RevokeInvitationPayload(organization=await shown(context, "Organization", organization_id))

    @strawberry.mutation(
        description="Give a member another role; for admins, and to or from OWNER for owners. Refuses: "
        "UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR, CONFLICT (the last owner)."
    )
    async def change_member_role(
        self,
        info: Info[Context, None],
        input: Annotated[ChangeMemberRoleInput, strawberry.argument(description="The role.")],  # noqa: A002
    ) -> ChangeMemberRolePayload | None:
        """Change a role."""
        context = info.context
        viewer = context.viewer
        organization_id = parse_as(Kind.ORGANIZATION, input.organization_id, field="organizationId")
        user_id = parse_as(Kind.USER, input.user_id, field="userId")
        async with context.write() as tx:
            changed = await membership.change_role(tx, viewer, organization_id, user_id, input.role)
        await context.stand_as(viewer.user_id, viewer.credential)
        return ChangeMemberRolePayload(membership=await shown(context, "Membership", changed.id))

    @strawberry.mutation(
        description="Take a member out, with their API keys and the invitations they made; for admins, and of owners "
        "for owners. Refuses: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR (oneself: leave instead), "
        "CONFLICT (the last owner)."
    )
    async def remove_member(
        self,
        info: Info[Context, None],
        input: Annotated[RemoveMemberInput, strawberry.argument(description="The member.")],  # noqa: A002
    ) -> RemoveMemberPayload | None:
        """Remove a member."""
        context = info.context
        viewer = context.viewer
        organization_id = parse_as(Kind.ORGANIZATION, input.organization_id, field="organizationId")
        user_id = parse_as(Kind.USER, input.user_id, field="userId")
        async with context.write() as tx:
            await membership.remove(tx, viewer, organization_id, user_id, context.now)
        return RemoveMemberPayload(organization=await shown(context, "Organization", organization_id))

    @strawberry.mutation(
        description="Leave an organization, with one's API keys to it. Refuses: UNAUTHENTICATED, FORBIDDEN (API keys), "
        "NOT_FOUND, VALIDATION_ERROR, CONFLICT (the last owner)."
    )
    async def leave_organization(
        self,
        info: Info[Context, None],
        input: Annotated[LeaveOrganizationInput, strawberry.argument(description="The organization.")],  # noqa: A002
    ) -> LeaveOrganizationPayload | None:
        """Leave an organization."""
        context = info.context
        viewer = context.viewer
        organization_id = parse_as(Kind.ORGANIZATION, input.id)
        async with context.write() as tx:
            await membership.leave(tx, viewer, organization_id, context.now)
        await context.stand_as(viewer.user_id, viewer.credential)
        return LeaveOrganizationPayload(viewer=await shown(context, "User", viewer.user_id))
