"""API keys: what they may, how they are shown once, and how they end."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials import secrets
from app.db.models import ApiKey, AuditEntry, Organization
from app.domain.ids import Kind, public
from app.domain.viewer import Role, Scope
from app.services import keying
from tests import factories as make
from tests.identity.conftest import Install
from tests.identity.installation import Installation, Person, key_of

CREATE = "mutation($i:CreateApiKeyInput!){createApiKey(input:$i){secret apiKey{id name prefix scopes expiresAt}}}"
REVOKE = "mutation($i:RevokeApiKeyInput!){revokeApiKey(input:$i){apiKey{id revokedAt}}}"
ME = "{viewer{login memberships{role organization{slug}}}}"
EVERY = [scope.value for scope in Scope]


def asked(of: Organization, **over: Any) -> dict[str, Any]:
    wanted = {"organizationId": public(Kind.ORGANIZATION, of.id), "name": "deploy", "scopes": EVERY, **over}
    return {"i": wanted}


async def owned(home: Installation, session: AsyncSession, role: Role = Role.OWNER) -> tuple[Organization, Person]:
    organization = await make.organization(session)
    return organization, await home.member(session, organization, role)


async def test_a_key_acts_as_its_maker_inside_one_organization(home: Installation, session: AsyncSession) -> None:
    organization, owner = await owned(home, session)
    elsewhere = await make.organization(session)
    await make.member(session, elsewhere, owner.user)
    made = (await home.ask(CREATE, asked(organization, scopes=["repos:read"]), token=owner.token)).data["createApiKey"]
    assert made["secret"].startswith(made["apiKey"]["prefix"])
    assert made["apiKey"]["prefix"].startswith("tnt_")
    assert made["apiKey"]["scopes"] == ["repos:read"]
    told = (await home.ask(ME, token=made["secret"])).data["viewer"]
    assert told == {
        "login": owner.user.login,
        "memberships": [{"role": "OWNER", "organization": {"slug": organization.slug}}],
    }


async def test_only_its_digest_is_kept(home: Installation, session: AsyncSession) -> None:
    organization, owner = await owned(home, session)
    secret = (await home.ask(CREATE, asked(organization), token=owner.token)).data["createApiKey"]["secret"]
    key = await session.scalar(select(ApiKey))
    assert key is not None
    assert key.secret_hash == secrets.digest(secret)
    assert secret not in repr(vars(key))
    assert secret not in str((await session.execute(select(*AuditEntry.__table__.columns))).all())


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["repos:read", "everything"]}, "scopes"),
        ({"scopes": ["REPOS_READ"]}, "scopes"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a‮b"}, "name"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"organizationId": "org_1"}, "organizationId"),
        ({"organizationId": f"usr_{'0' * 32}"}, "organizationId"),
    ],
)
async def test_what_is_no_key_is_refused(
    home: Installation, session: AsyncSession, wrong: dict[str, Any], field: str
) -> None:
    organization, owner = await owned(home, session)
    refused = await home.ask(CREATE, asked(organization, **wrong), token=owner.token)
    assert (refused.code, list(refused.extensions["fields"])) == ("VALIDATION_ERROR", [field])
    assert await session.scalar(select(func.count()).select_from(ApiKey)) == 0


async def test_an_organization_has_only_so_many(
    home: Installation, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keying, "MOST_KEYS", 2)
    organization, owner = await owned(home, session)
    replies = await asyncio.gather(
        *(home.ask(CREATE, asked(organization, name=f"key {n}"), token=owner.token) for n in range(5))
    )
    assert sorted(reply.codes for reply in replies) == [[], [], ["CONFLICT"], ["CONFLICT"], ["CONFLICT"]]


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_key_makes_no_keys_and_changes_no_members(
    home: Installation, session: AsyncSession, scope: Scope
) -> None:
    organization, owner = await owned(home, session)
    other = await home.member(session, organization, Role.VIEWER)
    secret = await key_of(session, organization, owner.user, [scope])
    here = public(Kind.ORGANIZATION, organization.id)
    for document, variables in (
        (CREATE, asked(organization)),
        (
            "mutation($i:InviteMemberInput!){inviteMember(input:$i){token}}",
            {"i": {"organizationId": here, "email": "eve@example.com", "role": "ADMIN"}},
        ),
        (
            "mutation($i:ChangeMemberRoleInput!){changeMemberRole(input:$i){membership{id}}}",
            {"i": {"organizationId": here, "userId": other.id, "role": "ADMIN"}},
        ),
        (
            "mutation($i:RemoveMemberInput!){removeMember(input:$i){organization{id}}}",
            {"i": {"organizationId": here, "userId": other.id}},
        ),
        ("mutation($i:LeaveOrganizationInput!){leaveOrganization(input:$i){viewer{id}}}", {"i": {"id": here}}),
        (
            "mutation($i:DeleteOrganizationInput!){deleteOrganization(input:$i){slug}}",
            {"i": {"id": here, "confirmSlug": organization.slug}},
        ),
        (
            "mutation($i:CreateOrganizationInput!){createOrganization(input:$i){organization{id}}}",
            {"i": {"slug": "another", "name": "Another"}},
        ),
        ("mutation{createAccessToken{accessToken}}", {}),
        (
            "mutation($i:ChangePasswordInput!){changePassword(input:$i){viewer{id}}}",
            {"i": {"current": "x", "new": "another long enough password"}},
        ),
        ("mutation($i:AcceptInvitationInput!){acceptInvitation(input:$i){membership{id}}}", {"i": {"token": "x"}}),
    ):
        assert (await home.ask(document, variables, token=secret)).code == "FORBIDDEN", document
    before = await session.scalar(select(func.count()).select_from(AuditEntry))
    assert before == 0


async def test_a_key_of_a_superadmin_is_none(home: Installation, session: AsyncSession) -> None:
    organization = await make.organization(session)
    boss = await make.user(session, is_superadmin=True)
    await make.member(session, organization, boss)
    secret = await key_of(session, organization, boss, list(Scope))
    foreign = await make.organization(session)
    assert (await home.ask("{admin{queue{failed}}}", token=secret)).code == "FORBIDDEN"
    seen = await home.ask("query($s:String!){organization(slug:$s){id}}", {"s": foreign.slug}, token=secret)
    assert seen.code == "NOT_FOUND"


async def test_a_revoked_key_is_refused_by_every_process_within_a_second(
    install: Install, session: AsyncSession
) -> None:
    async with install() as here, install() as there:
        organization, owner = await owned(here, session)
        told = (await here.ask(CREATE, asked(organization), token=owner.token)).data["createApiKey"]
        for process in (here, there):
            assert (await process.ask(ME, token=told["secret"])).codes == []
        revoked = await here.ask(REVOKE, {"i": {"id": told["apiKey"]["id"]}}, token=owner.token)
        assert revoked.data["revokeApiKey"]["apiKey"]["revokedAt"] is not None
        async with asyncio.timeout(1):
            for process in (here, there):
                while (await process.ask(ME, token=told["secret"])).codes != ["UNAUTHENTICATED"]:
                    pass
        # Once more is no error, and nothing more is written.
        again = await here.ask(REVOKE, {"i": {"id": told["apiKey"]["id"]}}, token=owner.token)
        assert again.data == revoked.data
        actions = (await session.scalars(select(AuditEntry.action))).all()
        assert actions == ["createApiKey", "revokeApiKey"]


async def test_who_was_demoted_a_moment_ago_ends_no_key(install: Install, session: AsyncSession) -> None:
    # The other process has not heard of it yet.
    async with install() as here, install() as there:
        organization, owner = await owned(here, session)
        admin = await here.member(session, organization, Role.ADMIN)
        key = public(Kind.API_KEY, (await make.api_key(session, organization, owner.user)).id)
        deaf = there.engine.callers
        deaf._ticks = lambda: 0.0
        assert (await there.ask(ME, token=admin.token)).codes == []
        membership = admin.membership
        assert membership is not None
        membership.role = Role.REVIEWER
        await session.commit()
        assert (await there.ask(REVOKE, {"i": {"id": key}}, token=admin.token)).code == "FORBIDDEN"
        assert (await session.scalars(select(ApiKey.revoked_at))).all() == [None]


async def test_a_key_expires(home: Installation, session: AsyncSession) -> None:
    organization, owner = await owned(home, session)
    secret = await key_of(session, organization, owner.user, list(Scope), expires_at=datetime.now(UTC) + timedelta(1))
    assert (await home.ask(ME, token=secret)).codes == []
    home.clock.passed = timedelta(days=1, seconds=11)
    expired = await home.ask(ME, token=secret)
    home.clock.passed = timedelta()
    assert (expired.response.status_code, expired.code) == (401, "UNAUTHENTICATED")


async def test_a_key_is_what_its_maker_is_now(home: Installation, session: AsyncSession) -> None:
    organization, owner = await owned(home, session)
    admin = await home.member(session, organization, Role.ADMIN)
    secret = await key_of(session, organization, admin.user, list(Scope))
    rename = "mutation($i:UpdateOrganizationInput!){updateOrganization(input:$i){organization{name}}}"
    here = public(Kind.ORGANIZATION, organization.id)
    assert (await home.ask(rename, {"i": {"id": here, "name": "By key"}}, token=secret)).codes == []
    change = "mutation($i:ChangeMemberRoleInput!){changeMemberRole(input:$i){membership{role}}}"
    demote = {"i": {"organizationId": here, "userId": admin.id, "role": "VIEWER"}}
    assert (await home.ask(change, demote, token=owner.token)).codes == []
    # The decision itself looks again, whatever a process still believes.
    assert (await home.ask(rename, {"i": {"id": here, "name": "Again"}}, token=secret)).code == "FORBIDDEN"
    entry = await session.scalar(select(AuditEntry).where(AuditEntry.action == "updateOrganization"))
    assert entry is not None
    assert (entry.actor_id, entry.credential) == (admin.user.id, f"API key A key ({secret[:12]})")


async def test_what_a_key_decides_its_maker_has_decided_and_the_audit_log_names_the_key(
    home: Installation, session: AsyncSession
) -> None:
    organization, owner = await owned(home, session)
    pattern = await make.pattern(session, await make.repo(session, organization))
    secret = await key_of(session, organization, owner.user, [Scope.PATTERNS_WRITE])
    promote = """mutation($i:PromotePatternInput!){promotePattern(input:$i){pattern{
        status validatedBy{login} owner{login} history{nodes{actor{login}}}}}}"""
    wanted = {"i": {"patternId": public(Kind.PATTERN, pattern.id)}}
    told = (await home.ask(promote, wanted, token=secret)).data["promotePattern"]["pattern"]
    maker = {"login": owner.user.login}
    assert (told["status"], told["validatedBy"], told["owner"]) == ("AUTHORITATIVE", maker, maker)
    assert told["history"]["nodes"] == [{"actor": maker}]
    entry = await session.scalar(select(AuditEntry).where(AuditEntry.action == "promotePattern"))
    assert entry is not None
    assert (entry.actor_id, entry.credential) == (owner.user.id, f"API key A key ({secret[:12]})")
    assert entry.object == public(Kind.PATTERN, pattern.id)


async def test_a_key_dies_with_the_membership_and_stays_dead(home: Installation, session: AsyncSession) -> None:
    organization, owner = await owned(home, session)
    admin = await home.member(session, organization, Role.ADMIN)
    secret = await key_of(session, organization, admin.user, list(Scope))
    assert (await home.ask(ME, token=secret)).codes == []
    remove = "mutation($i:RemoveMemberInput!){removeMember(input:$i){organization{slug}}}"
    here = public(Kind.ORGANIZATION, organization.id)
    assert (await home.ask(remove, {"i": {"organizationId": here, "userId": admin.id}}, token=owner.token)).codes == []
    await make.member(session, organization, admin.user, role=Role.ADMIN)
    home.engine.callers.forget()
    assert (await home.ask(ME, token=secret)).code == "UNAUTHENTICATED"


async def test_its_last_use_is_written_down_once_a_minute_over_all_processes(
    install: Install, session: AsyncSession
) -> None:
    async with install() as here, install() as there:
        organization, owner = await owned(here, session)
        secret = await key_of(session, organization, owner.user, list(Scope))
        seen = set()
        for seconds in (0, 30, 59, 62, 100):
            for process in (here, there):
                process.clock.passed = timedelta(seconds=seconds)
                process.engine.callers.forget()
                assert (await process.ask(ME, token=secret)).codes == []
                await process.engine.callers.settle()
                seen.add(await session.scalar(select(ApiKey.last_used_at)))
                await session.commit()
        assert len(seen) == 2
        assert None not in seen


async def test_of_processes_that_notice_a_use_at_once_one_writes_it_down(
    home: Installation, session: AsyncSession
) -> None:
    organization, owner = await owned(home, session)
    key = await make.api_key(session, organization, owner.user)
    began = datetime.now(UTC)
    written = []
    for seconds in (0, 0.001, 59, 61):
        async with home.runtime.write() as tx:
            await keying.used(tx, key.id, began + timedelta(seconds=seconds))
        await session.refresh(key)
        written.append(key.last_used_at)
        await session.commit()
    assert written == [began, began, began, began + timedelta(seconds=61)]
