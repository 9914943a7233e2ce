"""Superadmins: appointed on the command line, seeing everything, and seen doing so."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import AuditEntry, FailedJob
from app.domain import jobs
from app.domain.ids import Kind, new_id, public
from app.domain.viewer import Role
from app.services import administering
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
        "{viewer{login} rateLimit{cost}}",  # shows nothing that others would not see of themselves
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
    assert actions[:3] == ["admin", "admin", "readAsSuperadmin Look"]
    assert actions[3].startswith("readAsSuperadmin ")
    assert actions[4:] == ["dismissFailedJob"]
    assert {entry.actor_id for entry in entries} == {boss.user.id}


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
    assert "There is no user" in await superadmin("nobody@example.com")
    await session.refresh(person)
    assert not person.is_superadmin
