"""Trying again: what may pass is given three tries, further and further apart; what will not pass fails at once."""

import asyncio
import errno
from asyncio import StreamWriter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import FailedJob, IngestionRun, Repo, RunEvent
from app.domain.errors import Invalid, Unavailable
from app.domain.ids import Kind, public
from app.domain.jobs import Forget, Ingest
from app.domain.run import IngestionEventKind, RunStatus, RunTrigger
from app.domain.source import SourceFailed, SourceProblem
from app.domain.viewer import Credential, CredentialKind, Role, Viewer
from app.runtime import Runtime
from app.services import ingesting
from tests import factories as make
from tests.gateways.making import Made
from tests.gateways.serving import BACKEND, Answer, Request, Server, serving, told
from tests.identity.installation import installed
from tests.installed import eventually, runtime_for
from tests.workers.crew import working
from workers import trying
from workers.ingest import carrying, ingest
from workers.ingest.fetch import fetch
from workers.ingest.step import Attempt
from workers.registry import WORKS
from workers.trying import LONGEST_PAUSE, TRIES, pause_after

PERMANENT = [problem for problem in SourceProblem if not SourceFailed(problem, "x").passing]
PASSING = [problem for problem in SourceProblem if SourceFailed(problem, "x").passing]
needs_backend = pytest.mark.skipif(not BACKEND.exists(), reason="this git has no http-backend")


@given(some.sampled_from(PASSING), some.integers(1, TRIES - 1))
def test_pauses_grow_from_a_second_and_scatter(problem: SourceProblem, attempt: int) -> None:
    pause = pause_after(SourceFailed(problem, "x"), attempt)
    assert pause is not None
    assert 0.8 * 2 ** (attempt - 1) <= pause <= min(1.2 * 2 ** (attempt - 1), 1.2 * LONGEST_PAUSE)


def test_pauses_end_at_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "TRIES", 20)
    pauses = [pause_after(Unavailable("Not now."), attempt) for attempt in range(1, 15)]
    assert all(pause is not None and pause <= 36 for pause in pauses)
    assert len(set(pauses)) == len(pauses), "those whom one fault struck do not come back together"


@pytest.mark.parametrize("problem", PERMANENT, ids=str)
def test_what_will_not_pass_is_not_tried_again(problem: SourceProblem) -> None:
    assert pause_after(SourceFailed(problem, "x"), 1) is None


def test_nor_is_what_nobody_knows_or_what_failed_three_times() -> None:
    assert pause_after(ValueError("a bug"), 1) is None
    assert pause_after(Invalid("wrong"), 1) is None
    assert pause_after(OSError("no space left"), 1) is None
    assert pause_after(Unavailable("Not now."), TRIES) is None


def test_a_host_that_names_its_time_is_waited_for_within_reason() -> None:
    limited = SourceFailed(SourceProblem.RATE_LIMITED, "x", retry_after=42)
    assert pause_after(limited, 1) == 42
    assert pause_after(SourceFailed(SourceProblem.RATE_LIMITED, "x", retry_after=3600), 1) is None


@pytest.fixture
async def runtime(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Runtime]:
    monkeypatch.setattr(trying, "FIRST_PAUSE", 0.01)
    async with runtime_for(database_url, redis_url, data_dir=tmp_path / "data", private_addresses=True) as runtime:
        yield runtime


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    Made(tmp_path / "source").commit({"a.py": "1\n"})
    async with serving(tmp_path) as server:
        yield server


def failing(server: Server, *answers: Answer) -> str:
    """Give the address of a repository that answers wrongly some times first; each look at it asks once."""
    left = list(answers)

    async def answer(request: Request, writer: StreamWriter) -> None:
        if left:
            await left.pop(0)(request, writer)
        else:
            writer.write(await server.backend(request, "failing"))

    server.answers["failing"] = answer
    return server.url("failing/source")


async def carried_out(runtime: Runtime, session: AsyncSession, url: str) -> tuple[IngestionRun, list[RunEvent]]:
    repo = await make.repo(session, url=url, branch=None)
    async with runtime.write() as tx:
        run, _ = await ingesting.start(tx, None, repo.id, RunTrigger.MANUAL)
    await ingest(runtime, Ingest(run.id))
    return await told_of(runtime, run.id)


async def told_of(runtime: Runtime, run_id: UUID) -> tuple[IngestionRun, list[RunEvent]]:
    async with runtime.read() as session:
        retries = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.kind == IngestionEventKind.RETRY)
        return await session.get_one(IngestionRun, run_id), list(
            await session.scalars(retries.order_by(RunEvent.sequence))
        )


AWAY = told("503 Service Unavailable")


@needs_backend
async def test_a_host_that_comes_back_is_read_in_the_third_try(
    runtime: Runtime, session: AsyncSession, server: Server
) -> None:
    run, retries = await carried_out(runtime, session, failing(server, AWAY, AWAY))
    assert (run.status, run.attempt) == (RunStatus.SUCCEEDED, 3)
    assert [retry.run["attempt"] for retry in retries] == [2, 3]
    assert all((retry.message or "").startswith("The host answers with an error of its own.") for retry in retries)


@needs_backend
async def test_a_host_that_stays_away_fails_the_run_after_three_tries(
    runtime: Runtime, session: AsyncSession, server: Server
) -> None:
    run, retries = await carried_out(runtime, session, failing(server, *[AWAY] * 9))
    assert (run.status, run.attempt, run.error_code) == (RunStatus.FAILED, 3, "SERVER_FAILED")
    assert run.error_message == "The host answers with an error of its own."
    assert len(retries) == 2
    assert await session.scalar(select(FailedJob)) is None, "a source that fails is no failure of a job"


@needs_backend
async def test_a_fault_that_stays_fails_the_run_at_once(
    runtime: Runtime, session: AsyncSession, server: Server
) -> None:
    run, retries = await carried_out(runtime, session, failing(server, *[told("404 Not Found")] * 9))
    assert (run.status, run.attempt, run.error_code, retries) == (RunStatus.FAILED, 1, "NOT_FOUND", [])


@needs_backend
async def test_a_limited_host_is_waited_for_as_long_as_it_says(
    runtime: Runtime, session: AsyncSession, server: Server
) -> None:
    limited = told("429 Too Many Requests", Retry_After="1")
    run, retries = await carried_out(runtime, session, failing(server, limited, limited))
    assert (run.status, run.attempt) == (RunStatus.SUCCEEDED, 2)
    assert [retry.message for retry in retries] == [
        "The host takes no more requests for 1 s. Trying again in 1 s.",
    ]


@needs_backend
async def test_a_host_that_is_limited_for_long_is_left_to_a_later_run(
    runtime: Runtime, session: AsyncSession, server: Server
) -> None:
    run, _ = await carried_out(
        runtime, session, failing(server, *[told("429 Too Many Requests", Retry_After="3000")] * 2)
    )
    assert (run.status, run.attempt, run.error_code) == (RunStatus.FAILED, 1, "RATE_LIMITED")
    assert run.error_message == "The host takes no more requests for 3000 s."


@needs_backend
async def test_a_run_is_cancelled_while_it_waits_for_its_next_try(
    runtime: Runtime, session: AsyncSession, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "FIRST_PAUSE", 30)
    repo = await make.repo(session, url=failing(server, *[AWAY] * 9), branch=None)
    async with runtime.write() as tx:
        started, _ = await ingesting.start(tx, None, repo.id, RunTrigger.MANUAL)
    job = asyncio.create_task(ingest(runtime, Ingest(started.id)))

    async def waits() -> bool:
        return bool((await told_of(runtime, started.id))[1])

    await eventually(waits)
    person = (await make.user(session)).id
    who = Viewer(person, {repo.organization_id: Role.REVIEWER}, Credential(CredentialKind.SESSION))
    async with runtime.write() as tx:
        await ingesting.cancel(tx, who, started.id)
    async with asyncio.timeout(2):
        await job
    run, _ = await told_of(runtime, started.id)
    assert (run.status, run.leased_until) == (RunStatus.CANCELLED, None)


async def test_a_database_that_goes_away_in_the_middle_costs_a_try(
    runtime: Runtime, session: AsyncSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections are ended from the other side, as a restart of the server does."""
    made = Made(tmp_path / "local")
    made.commit({"a.py": "1\n"})
    lost = False

    async def losing(attempt: Attempt) -> None:
        nonlocal lost
        await fetch(attempt)
        if not lost:
            lost = True
            async with runtime.write() as tx:
                await tx.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    monkeypatch.setattr(carrying, "fetch", losing)
    run, retries = await carried_out(runtime, session, str(made.folder))
    assert (run.status, run.attempt) == (RunStatus.SUCCEEDED, 2)
    assert [(retry.message or "").partition(" Trying")[0] for retry in retries] == ["Something of ours was away."]


@pytest.mark.parametrize("place", ["here", "database"])
async def test_a_full_disk_is_told_as_one_and_not_tried_again(
    runtime: Runtime, session: AsyncSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    made = Made(tmp_path / "local")
    made.commit({"a.py": "1\n"})

    async def full(attempt: Attempt) -> None:
        await fetch(attempt)
        if place == "here":
            raise OSError(errno.ENOSPC, "No space left on device")
        async with runtime.write() as tx:
            await tx.session.execute(
                text("DO $$ BEGIN RAISE disk_full USING MESSAGE = 'could not extend file'; END $$")
            )

    monkeypatch.setattr(carrying, "fetch", full)
    run, retries = await carried_out(runtime, session, str(made.folder))
    assert (run.status, run.attempt, run.error_code, retries) == (RunStatus.FAILED, 1, "DISK_FULL", [])
    assert run.error_message == "The disk of this installation is full."


RETRY = "mutation($i:FailedJobInput!){retryFailedJob(input:$i){failedJob{function error attempts}}}"
FAILED = "{admin{failedJobs{totalCount nodes{id function error attempts}}}}"


async def test_a_dead_job_that_is_tried_again_over_the_wire_succeeds(
    database_url: str, redis_url: str, session: AsyncSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug fails a run and its job; it is mended, a superadmin asks again, and the repository is read."""
    made = Made(tmp_path / "local")
    made.commit({"a.py": "1\n"})
    repo = await make.repo(session, url=str(made.folder), branch=None)
    repo_id = repo.id
    async with installed(database_url, redis_url, data_dir=tmp_path / "data", worker_poll_seconds=0.01) as home:
        boss = await home.person(session, await make.user(session, is_superadmin=True))
        runtime = home.runtime

        async def broken(attempt: Attempt) -> None:
            raise ValueError("a bug")

        monkeypatch.setattr(carrying, "fetch", broken)
        async with runtime.write() as tx:
            first, _ = await ingesting.start(tx, None, repo_id, RunTrigger.PUSH, force=True)
        async with working(runtime, *WORKS):

            async def dead() -> list[dict[str, Any]]:
                told = (await home.ask(FAILED, token=boss.token)).data["admin"]["failedJobs"]["nodes"]
                found: list[dict[str, Any]] = told
                return found

            (job,) = await eventually(dead)
            run, _ = await told_of(runtime, first.id)
            assert (run.status, run.error_code, run.attempt) == (RunStatus.FAILED, "INTERNAL_ERROR", 1)
            assert (job["function"], job["attempts"], job["error"][:18]) == ("ingest", 1, "ValueError: a bug ")
            monkeypatch.undo()
            told = (await home.ask(RETRY, {"i": {"id": job["id"]}}, token=boss.token)).data["retryFailedJob"]
            assert told["failedJob"]["function"] == "ingest"

            async def read() -> list[IngestionRun]:
                await session.rollback()
                done = select(IngestionRun).where(IngestionRun.status == RunStatus.SUCCEEDED)
                return list(await session.scalars(done))

            (second,) = await eventually(read)
            assert (second.repo_id, second.trigger, second.forced) == (repo_id, RunTrigger.PUSH, True)
            assert await dead() == []
        await session.refresh(repo)
        assert (repo.file_count, repo.last_error) == (1, None)


async def test_a_dead_job_that_clears_away_does_so_when_it_is_tried_again(
    database_url: str, redis_url: str, session: AsyncSession, tmp_path: Path
) -> None:
    async with installed(database_url, redis_url, data_dir=tmp_path, worker_poll_seconds=0.01) as home:
        boss = await home.person(session, await make.user(session, is_superadmin=True))
        known = await make.repo(session)
        gone = Forget(known.organization_id, known.id)
        left = tmp_path / "objects" / known.organization_id.hex / known.id.hex / "diffs"
        left.mkdir(parents=True)
        job = await make.failed_job(session, function=gone.name, arguments=gone.arguments())
        wanted = {"i": {"id": public(Kind.FAILED_JOB, job.id)}}
        assert (await home.ask(RETRY, wanted, token=boss.token)).codes == []
        async with working(home.runtime, *WORKS):

            async def cleared() -> bool:
                return not await asyncio.to_thread(left.exists)

            await eventually(cleared)
        assert (await home.ask(FAILED, token=boss.token)).data["admin"]["failedJobs"]["totalCount"] == 0


async def test_asking_again_for_a_run_that_did_not_fail_begins_no_other(
    runtime: Runtime, session: AsyncSession
) -> None:
    for status in (RunStatus.SUCCEEDED, RunStatus.CANCELLED):
        ended = await make.run(session, status=status)
        await ingest(runtime, Ingest(ended.id).again())
    assert len(list(await session.scalars(select(IngestionRun)))) == 2
    assert (await session.scalars(select(Repo))).first() is not None
