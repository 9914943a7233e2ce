"""Members and invitations: who comes in, as what, and who goes."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials import secrets
from app.db.models import ApiKey, AuditEntry, Invitation, Membership, Organization
from app.domain.ids import Kind, public
from app.domain.viewer import Role
from tests import factories as make
from tests.identity.installation import Installation, Person, Reply

INVITE = "mutation($i:InviteMemberInput!){inviteMember(input:$i){token invitation{id email role expiresAt}}}"
ACCEPT = "mutation($i:AcceptInvitationInput!){acceptInvitation(input:$i){membership{role organization{slug}}}}"
REVOKE = "mutation($i:RevokeInvitationInput!){revokeInvitation(input:$i){organization{slug}}}"
CHANGE = "mutation($i:ChangeMemberRoleInput!){changeMemberRole(input:$i){membership{role user{id}}}}"
REMOVE = "mutation($i:RemoveMemberInput!){removeMember(input:$i){organization{slug}}}"
LEAVE = "mutation($i:LeaveOrganizationInput!){leaveOrganization(input:$i){viewer{id memberships{id}}}}"


class Team:
    """An organization and the ways to ask things of it."""

    def __init__(self, home: Installation, session: AsyncSession, organization: Organization) -> None:
        self.home, self.session, self.organization = home, session, organization
        self.id = public(Kind.ORGANIZATION, organization.id)

    async def joined(self, role: Role) -> Person:
        return await self.home.member(self.session, self.organization, role)

    async def invite(self, who: Person, role: str = "REVIEWER", email: str = "eve@example.com") -> Reply:
        wanted = {"organizationId": self.id, "email": email, "role": role}
        return await self.home.ask(INVITE, {"i": wanted}, token=who.token)

    async def token(self, who: Person, role: str = "REVIEWER") -> str:
        return str((await self.invite(who, role)).data["inviteMember"]["token"])

    async def accept(self, who: Person, token: str) -> Reply:
        return await self.home.ask(ACCEPT, {"i": {"token": token}}, token=who.token)

    async def change(self, who: Person, whom: Person, role: str) -> Reply:
        wanted = {"organizationId": self.id, "userId": whom.id, "role": role}
        return await self.home.ask(CHANGE, {"i": wanted}, token=who.token)

    async def remove(self, who: Person, whom: Person) -> Reply:
        return await self.home.ask(REMOVE, {"i": {"organizationId": self.id, "userId": whom.id}}, token=who.token)

    async def leave(self, who: Person) -> Reply:
        return await self.home.ask(LEAVE, {"i": {"id": self.id}}, token=who.token)

    async def roles(self) -> list[str]:
        theirs = select(Membership.role).where(Membership.organization_id == self.organization.id)
        await self.session.commit()
        return sorted(role.value for role in await self.session.scalars(theirs))


@pytest.fixture
async def team(home: Installation, session: AsyncSession) -> Team:
    """An organization without anybody in it."""
    return Team(home, session, await make.organization(session))


async def test_holding_the_token_is_what_counts(team: Team) -> None:
    admin, guest = await team.joined(Role.ADMIN), await team.home.person(team.session)
    invited = (await team.invite(admin, email="Somebody.Else@Example.com")).data["inviteMember"]
    assert invited["invitation"]["email"] == "somebody.else@example.com"
    assert invited["token"].startswith("tni_")
    joined = (await team.accept(guest, invited["token"])).data["acceptInvitation"]["membership"]
    assert joined == {"role": "REVIEWER", "organization": {"slug": team.organization.slug}}
    assert await team.roles() == ["ADMIN", "REVIEWER"]


async def test_the_answer_is_the_same_for_known_and_unknown_addresses(team: Team) -> None:
    admin, member = await team.joined(Role.ADMIN), await team.joined(Role.VIEWER)
    answers = []
    for email in (member.user.email, (await make.user(team.session)).email, "nobody@example.com"):
        assert email is not None
        told = (await team.invite(admin, email=email)).data["inviteMember"]
        assert told["invitation"].pop("email") == email
        for name in ("id", "expiresAt"):
            assert told["invitation"].pop(name)
        assert len(told.pop("token")) == 55
        answers.append(told)
    assert answers == [{"invitation": {"role": "REVIEWER"}}] * 3


async def test_only_the_digest_of_a_token_is_kept(team: Team) -> None:
    token = await team.token(await team.joined(Role.ADMIN))
    invitation = (await team.session.scalars(select(Invitation))).one()
    assert invitation.token_hash == secrets.digest(token)
    assert token not in repr(vars(invitation))


async def test_an_invitation_works_once(team: Team) -> None:
    admin, guests = await team.joined(Role.ADMIN), [await team.home.person(team.session) for _ in range(4)]
    token = await team.token(admin)
    replies = await asyncio.gather(*(team.accept(guest, token) for guest in guests))
    assert sorted(reply.codes for reply in replies) == [[], *[["CONFLICT"]] * 3]
    assert await team.roles() == ["ADMIN", "REVIEWER"]


async def test_of_two_invitations_accepted_at_once_one_is_left(team: Team) -> None:
    admin, guest = await team.joined(Role.ADMIN), await team.home.person(team.session)
    tokens = [await team.token(admin, role) for role in ("VIEWER", "REVIEWER")]
    replies = await asyncio.gather(*(team.accept(guest, token) for token in tokens))
    assert sorted(reply.codes for reply in replies) == [[], ["CONFLICT"]]
    open_ones = select(func.count()).select_from(Invitation).where(Invitation.accepted_at.is_(None))
    assert await team.session.scalar(open_ones) == 1
    assert len(await team.roles()) == 2


@pytest.mark.parametrize("token", ["", "x", "tni_" + "0" * 51, "x" * 100_000, "tns_" + "0" * 51])
async def test_a_token_of_nonsense_is_none(team: Team, token: str) -> None:
    assert (await team.accept(await team.home.person(team.session), token)).code == "NOT_FOUND"


async def test_it_ends_after_seven_days(team: Team) -> None:
    admin, guest = await team.joined(Role.ADMIN), await team.home.person(team.session)
    token = await team.token(admin)
    team.home.clock.passed = timedelta(days=7, seconds=1)
    try:
        fresh = team.home.token_of(
            guest.user, await make.sign_in(team.session, guest.user, expires_at=team.home.clock() + timedelta(days=1))
        )
        late = await team.home.ask(ACCEPT, {"i": {"token": token}}, token=fresh)
    finally:
        team.home.clock.passed = timedelta()
    assert late.code == "CONFLICT"


async def test_it_can_be_taken_back_until_it_is_accepted(team: Team) -> None:
    admin, other = await team.joined(Role.ADMIN), await team.joined(Role.OWNER)
    guest = await team.home.person(team.session)
    first, second = [(await team.invite(admin)).data["inviteMember"] for _ in range(2)]
    for _ in range(2):
        taken = await team.home.ask(REVOKE, {"i": {"id": first["invitation"]["id"]}}, token=other.token)
        assert taken.data == {"revokeInvitation": {"organization": {"slug": team.organization.slug}}}
    assert (await team.accept(guest, first["token"])).code == "CONFLICT"
    assert (await team.accept(guest, second["token"])).codes == []
    late = await team.home.ask(REVOKE, {"i": {"id": second["invitation"]["id"]}}, token=other.token)
    assert late.code == "CONFLICT"
    listed = '{organization(slug:"%s"){invitations{totalCount}}}' % team.organization.slug  # noqa: UP031
    assert (await team.home.ask(listed, token=admin.token)).data["organization"]["invitations"]["totalCount"] == 0


async def test_it_is_worth_what_its_maker_may_do_now(team: Team) -> None:
    owner, admin = await team.joined(Role.OWNER), await team.joined(Role.ADMIN)
    guest = await team.home.person(team.session)
    demoted = await team.token(admin)
    assert (await team.change(owner, admin, "VIEWER")).codes == []
    assert (await team.accept(guest, demoted)).code == "CONFLICT"
    assert (await team.change(owner, admin, "ADMIN")).codes == []
    own_way_back = await team.token(admin, "ADMIN")
    assert (await team.remove(owner, admin)).codes == []
    assert (await team.accept(admin, own_way_back)).code == "CONFLICT"
    assert await team.roles() == ["OWNER"]


async def test_only_owners_make_owners(team: Team) -> None:
    owner, admin, guest = [await team.joined(role) for role in (Role.OWNER, Role.ADMIN, Role.VIEWER)]
    assert (await team.invite(admin, "OWNER")).code == "FORBIDDEN"
    assert (await team.change(admin, guest, "OWNER")).code == "FORBIDDEN"
    assert (await team.change(admin, admin, "OWNER")).code == "FORBIDDEN"
    assert (await team.change(admin, owner, "VIEWER")).code == "FORBIDDEN"
    assert (await team.remove(admin, owner)).code == "FORBIDDEN"
    token = await team.token(owner, "OWNER")
    # Whoever is no owner any more has no owners to give away.
    assert (await team.change(owner, guest, "OWNER")).codes == []
    assert (await team.change(guest, owner, "ADMIN")).codes == []
    assert (await team.accept(await team.home.person(team.session), token)).code == "CONFLICT"
    assert await team.roles() == ["ADMIN", "ADMIN", "OWNER"]


async def test_the_last_owner_neither_leaves_nor_is_demoted(team: Team) -> None:
    owner, admin = await team.joined(Role.OWNER), await team.joined(Role.ADMIN)
    assert (await team.leave(owner)).code == "CONFLICT"
    assert (await team.change(owner, owner, "ADMIN")).code == "CONFLICT"
    assert (await team.remove(owner, owner)).code == "VALIDATION_ERROR"
    assert (await team.change(owner, admin, "OWNER")).codes == []
    left = (await team.leave(owner)).data["leaveOrganization"]["viewer"]
    assert left == {"id": owner.id, "memberships": []}
    assert await team.roles() == ["OWNER"]


@pytest.mark.parametrize("way", ["leave", "demote themselves", "demote each other", "remove each other"])
async def test_of_two_owners_who_go_at_once_one_stays(team: Team, way: str) -> None:
    for _ in range(3):
        ada, bob = await team.joined(Role.OWNER), await team.joined(Role.OWNER)
        asked: Any = {
            "leave": lambda who, _whom: team.leave(who),
            "demote themselves": lambda who, _whom: team.change(who, who, "VIEWER"),
            "demote each other": lambda who, whom: team.change(who, whom, "VIEWER"),
            "remove each other": team.remove,
        }[way]
        replies = await asyncio.gather(asked(ada, bob), asked(bob, ada))
        assert sorted(len(reply.codes) for reply in replies) == [0, 1]
        assert (await team.roles()).count("OWNER") == 1
        for membership in await team.session.scalars(select(Membership)):
            await team.session.delete(membership)
        await team.session.commit()


async def test_whoever_goes_leaves_no_key_and_no_invitation_behind(team: Team) -> None:
    owner = await team.joined(Role.OWNER)
    for way in ("leaves", "is removed"):
        admin = await team.joined(Role.ADMIN)
        await make.api_key(team.session, team.organization, admin.user)
        await team.invite(admin)
        await (team.leave(admin) if way == "leaves" else team.remove(owner, admin))
    for model in (ApiKey, Invitation):
        assert None not in (await team.session.scalars(select(model.revoked_at))).all()


async def test_who_is_no_member_is_not_found(team: Team) -> None:
    owner, stranger = await team.joined(Role.OWNER), await team.home.person(team.session)
    for reply in (await team.remove(owner, stranger), await team.change(owner, stranger, "VIEWER")):
        assert reply.code == "NOT_FOUND"
    for reply in (await team.remove(stranger, owner), await team.leave(stranger), await team.invite(stranger)):
        assert reply.code == "NOT_FOUND"


async def test_members_do_not_join_again(team: Team) -> None:
    admin, viewer = await team.joined(Role.ADMIN), await team.joined(Role.VIEWER)
    token = await team.token(admin, "ADMIN")
    assert (await team.accept(viewer, token)).code == "CONFLICT"
    assert await team.roles() == ["ADMIN", "VIEWER"]
    # It is not used up by that.
    assert (await team.accept(await team.home.person(team.session), token)).codes == []


async def test_everything_is_audited_and_admins_read_it(team: Team) -> None:
    owner, admin = await team.joined(Role.OWNER), await team.joined(Role.ADMIN)
    guest = await team.home.person(team.session)
    await team.accept(guest, await team.token(admin))
    await team.change(owner, guest, "VIEWER")
    await team.change(owner, guest, "VIEWER")  # changes nothing
    await team.leave(guest)
    log = "auditLog{nodes{action object actor{login} address credential at}}"
    query = f'{{organization(slug:"{team.organization.slug}"){{{log}}}}}'
    told = (await team.home.ask(query, token=admin.token)).data["organization"]["auditLog"]["nodes"]
    assert [(entry["action"], entry["actor"]["login"]) for entry in told] == [
        ("leaveOrganization", guest.user.login),
        ("changeMemberRole", owner.user.login),
        ("acceptInvitation", guest.user.login),
        ("inviteMember", admin.user.login),
    ]
    assert {(entry["address"], entry["credential"]) for entry in told} == {("127.0.0.1", "access token")}
    assert [entry["object"][:3] for entry in told] == ["mem", "mem", "mem", "inv"]
    refused = await team.home.ask(query, token=(await team.joined(Role.REVIEWER)).token)
    assert (refused.code, refused.body["data"]["organization"]["auditLog"]) == ("FORBIDDEN", None)
    assert await team.session.scalar(select(func.count()).select_from(AuditEntry)) == 4
