"""Superadmins: appointed on the command line, seeing everything, and seen doing so."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import AuditEntry, FailedJob, User
from app.domain import jobs
from app.domain.ids import Kind, new_id, public
from app.domain.viewer import Role
from app.services import administering
from resolvers.engine.looks import HIGHER
from resolvers.schema import schema
from tests import factories as make
from tests.identity.conftest import Install
from tests.identity.installation import Installation, Person

ADMIN = """{admin{organizations{totalCount nodes{slug}} users(first:2){totalCount nodes{email}}
queue{queued running deferred failed workers} failedJobs{totalCount nodes{id function error attempts failedAt}}}}"""
RETRY = "mutation($i:FailedJobInput!){retryFailedJob(input:$i){failedJob{id function error}}}"
DISMISS = "mutation($i:FailedJobInput!){dismissFailedJob(input:$i){failedJob{id}}}"


async def boss_of(home: Installation, session: AsyncSession) -> Person:
    return await home.person(session, await make.user(session, is_superadmin=True))


async def test_a_superadmin_sees_the_whole_installation(home: Installation, session: AsyncSession) -> None:
    boss = await boss_of(home, session)
    await make.member(session)
    job = await make.failed_job(session)
    told = (await home.ask(ADMIN, token=boss.token)).data["admin"]
    assert told["organizations"]["totalCount"] == 1
    assert (told["users"]["totalCount"], told["queue"]["failed"]) == (2, 1)
    assert told["failedJobs"]["nodes"][0]["id"] == public(Kind.FAILED_JOB, job.id)
    assert {user["email"] for user in told["users"]["nodes"]} > {boss.user.email}


async def test_nobody_else_does(home: Installation, session: AsyncSession) -> None:
    owner = await home.member(session, await make.organization(session), Role.OWNER)
    job = public(Kind.FAILED_JOB, (await make.failed_job(session)).id)
    assert (await home.ask(ADMIN)).code == "UNAUTHENTICATED"
    assert (await home.ask(ADMIN, token=owner.token)).code == "FORBIDDEN"
    for document in (RETRY, DISMISS):
        assert (await home.ask(document, {"i": {"id": job}}, token=owner.token)).code == "FORBIDDEN"
        assert (await home.ask(document, {"i": {"id": job}})).code == "UNAUTHENTICATED"
    assert (await home.ask('{node(id:"%s"){id}}' % job, token=owner.token)).code == "NOT_FOUND"  # noqa: UP031
    assert await session.scalar(select(func.count()).select_from(FailedJob)) == 1


async def test_deciding_inside_an_organization_still_needs_a_role_there(
    home: Installation, session: AsyncSession
) -> None:
    boss = await boss_of(home, session)
    organization = await make.organization(session)
    seen = await home.ask(
        f'{{organization(slug:"{organization.slug}"){{slug auditLog{{totalCount}}}}}}', token=boss.token
    )
    assert seen.data["organization"] == {"slug": organization.slug, "auditLog": {"totalCount": 0}}
    rename = "mutation($i:UpdateOrganizationInput!){updateOrganization(input:$i){organization{name}}}"
    wanted = {"i": {"id": public(Kind.ORGANIZATION, organization.id), "name": "Mine"}}
    assert (await home.ask(rename, wanted, token=boss.token)).code == "FORBIDDEN"
    await session.refresh(organization)
    assert organization.name == "An Organization"


async def test_a_failed_job_is_tried_again(home: Installation, session: AsyncSession) -> None:
    boss = await boss_of(home, session)
    spelt = jobs.Forget(new_id(), new_id())
    job = await make.failed_job(session, function=spelt.name, arguments=spelt.arguments())
    before = (await home.runtime.queue.depth()).queued
    wanted = {"i": {"id": public(Kind.FAILED_JOB, job.id)}}
    told = (await home.ask(RETRY, wanted, token=boss.token)).data["retryFailedJob"]["failedJob"]
    assert (told["function"], told["error"]) == ("forget", "The network is unreachable.")
    assert (await home.runtime.queue.depth()).queued == before + 1
    assert await session.scalar(select(func.count()).select_from(FailedJob)) == 0
    assert (await home.ask(RETRY, wanted, token=boss.token)).code == "NOT_FOUND"


async def test_a_job_that_nobody_knows_any_more_can_only_be_dismissed(
    home: Installation, session: AsyncSession
) -> None:
    boss = await boss_of(home, session)
    for function, arguments in (("no such job", {}), ("forget", {}), ("forget", {"organization_id": "no id"})):
        job = await make.failed_job(session, function=function, arguments=arguments)
        wanted = {"i": {"id": public(Kind.FAILED_JOB, job.id)}}
        assert (await home.ask(RETRY, wanted, token=boss.token)).code == "CONFLICT"
        assert (await home.ask(DISMISS, wanted, token=boss.token)).codes == []
    assert await session.scalar(select(func.count()).select_from(FailedJob)) == 0


async def test_every_use_is_in_the_audit_log(home: Installation, session: AsyncSession) -> None:
    boss = await boss_of(home, session)
    repo = await make.repo(session)
    job = public(Kind.FAILED_JOB, (await make.failed_job(session)).id)
    for document in (
        # These show nothing that others would not see of themselves.
        "{viewer{login memberships{role organization{slug members{totalCount}}}} rateLimit{cost}}",
        "{admin{queue{failed}}}",
        "{admin{queue{failed}}}",
        "query Look{repos{totalCount}}",
        "query Look{repos{totalCount}}",  # the same look a moment later
        '{node(id:"%s"){id}}' % public(Kind.REPO, repo.id),  # noqa: UP031
    ):
        assert (await home.ask(document, token=boss.token)).codes == []
    await home.ask(DISMISS, {"i": {"id": job}}, token=boss.token)
    entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    actions = [entry.action for entry in entries]
    assert [action.rpartition(" ")[0] or action for action in actions] == [
        "admin",
        "admin",
        "readAsSuperadmin Look",
        "readAsSuperadmin unnamed",
        "dismissFailedJob",
    ]
    assert {entry.actor_id for entry in entries} == {boss.user.id}


async def test_a_look_is_another_one_for_other_words_and_other_objects(
    home: Installation, session: AsyncSession
) -> None:
    boss = await boss_of(home, session)
    repos = [public(Kind.REPO, (await make.repo(session)).id) for _ in range(2)]
    look = "query Look($id:ID!){node(id:$id){id}}"
    # The name alone, which the client chooses, would let all of these pass as one.
    for document, variables in (
        (look, {"id": repos[0]}),
        (look, {"id": repos[1]}),
        (look, {"id": repos[0]}),
        ("query Look{repos{totalCount}}", {}),
    ):
        assert (await home.ask(document, variables, token=boss.token)).codes == []
    assert await session.scalar(select(func.count()).select_from(AuditEntry)) == 3


OWN = "memberships{organization{members{nodes{user{login %s}}}}}"


@pytest.mark.parametrize(
    "document",
    [
        "{viewer{%s}}" % (OWN % "memberships{organization{slug}}"),
        "{viewer{...V}} fragment V on User{%s} fragment M on User{memberships{organization{slug}}}" % (OWN % "...M"),
        "{viewer{%s}}" % (OWN % "...on User{hidden:memberships{organization{slug}}}"),
        "mutation{createAccessToken{viewer{%s}}}" % (OWN % "memberships{organization{slug}}"),
    ],
)
async def test_no_way_around_leads_to_other_organizations_unnoticed(
    home: Installation, session: AsyncSession, document: str
) -> None:
    mine, theirs = await make.organization(session), await make.organization(session)
    boss = await boss_of(home, session)
    await make.member(session, mine, boss.user)
    fellow = await home.member(session, mine, Role.VIEWER)
    await make.member(session, theirs, fellow.user)
    seen = await home.ask(document, token=boss.token)
    assert theirs.slug in seen.response.text
    looked = [entry async for entry in await session.stream_scalars(select(AuditEntry.action))]
    assert [action for action in looked if action.startswith("readAsSuperadmin")] != []
    # Whoever is no superadmin is shown nothing of it on the same way.
    other = await home.member(session, mine, Role.OWNER)
    assert theirs.slug not in (await home.ask(document, token=other.token)).response.text


async def test_what_takes_a_higher_role_is_a_look_in_ones_own_organization_too(
    home: Installation, session: AsyncSession
) -> None:
    told = [
        name
        for type_ in schema.core.type_map.values()
        for name, field in getattr(type_, "fields", {}).items()
        if "else null and FORBIDDEN" in (field.description or "")
    ]
    assert sorted(told) == sorted(HIGHER)
    organization = await make.organization(session)
    boss = await boss_of(home, session)
    await make.member(session, organization, boss.user, role=Role.VIEWER)
    for number, asked in enumerate(("apiKeys{name}", "invitations{totalCount}", "auditLog{totalCount}"), 1):
        document = "{viewer{memberships{organization{%s}}}}" % asked  # noqa: UP031
        assert (await home.ask(document, token=boss.token)).codes == []
        assert await session.scalar(select(func.count()).select_from(AuditEntry)) == number


async def test_an_ordinary_person_is_not_written_down_for_reading(home: Installation, session: AsyncSession) -> None:
    owner = await home.member(session, await make.organization(session), Role.OWNER)
    assert (await home.ask("{repos{totalCount}}", token=owner.token)).codes == []
    assert await session.scalar(select(func.count()).select_from(AuditEntry)) == 0


async def test_appointing_and_dismissing(home: Installation, session: AsyncSession) -> None:
    person = await home.person(session)
    for superadmin, codes in ((True, []), (True, []), (False, ["FORBIDDEN"])):
        async with home.runtime.write() as tx:
            await administering.appoint(tx, person.user.id, superadmin=superadmin)
        home.engine.callers.forget()
        assert (await home.ask("{admin{queue{failed}}}", token=person.token)).codes == codes
    entries = (await session.scalars(select(AuditEntry).where(AuditEntry.actor_id.is_(None)))).all()
    assert sorted(entry.action for entry in entries) == ["appointSuperadmin", "dismissSuperadmin"]


async def test_the_queue_may_be_away(install: Install, session: AsyncSession, monkeypatch: pytest.MonkeyPatch) -> None:
    async with install() as home:
        boss = await boss_of(home, session)

        async def away() -> None:
            return None

        monkeypatch.setattr(type(home.runtime), "work", lambda _: away())
        assert (await home.ask("{admin{queue{failed}}}", token=boss.token)).code == "UNAVAILABLE"


async def test_the_command_line_appoints_and_says_whom(
    database_url: str, redis_url: str, session: AsyncSession, tmp_path: Path
) -> None:
    person = await make.user(session, email="ada@example.com", login="ada")
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "TENET_DATA_DIR": str(tmp_path)}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TENET_")} | servers

    async def superadmin(*arguments: str) -> str:
        command = (sys.executable, "-m", "app.cli", "superadmin", *arguments)
        pipe = asyncio.subprocess.PIPE
        run = await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe, stderr=pipe)
        told, complaint = await run.communicate()
        return (told + complaint).decode()

    identifier = public(Kind.USER, person.id)
    assert f"ada ({identifier}, here since" in (said := await superadmin("ADA@example.com"))
    assert "is a superadmin now" in said
    await session.refresh(person)
    assert person.is_superadmin
    assert "was a superadmin already" in await superadmin("ada@example.com")
    assert "is no longer a superadmin" in await superadmin("--dismiss", "ada@example.com")
    # Somebody without an address, as all who came by an outside issuer, is not whoever is meant by nonsense.
    await make.user(session, email=None)
    for nobody in ("nobody@example.com", "no address", ""):
        assert "There is no user" in await superadmin(nobody)
    await session.refresh(person)
    assert await session.scalar(select(func.count()).select_from(User).where(User.is_superadmin)) == 0
