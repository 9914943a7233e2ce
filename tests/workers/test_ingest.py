"""Ingestion: a run ends in a true state, tells of itself without gaps, and writes only while it holds its claim."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.db.models import IngestionRun, PullRequest, Repo, RepoFile, RunEvent
from app.domain.jobs import Forget, Ingest, Revive
from app.domain.repo import IngestionStatus
from app.domain.run import IngestionEventKind, IngestionStage, RunStatus, RunTrigger, StageProgress
from app.domain.viewer import Credential, CredentialKind, Role, Viewer
from app.runtime import Runtime, open_runtime
from app.services import ingesting
from app.services.ingesting import Advance, Superseded
from tests import factories as make
from tests.gateways.making import Made
from tests.workers.conftest import Lend
from workers.ingest import forget, ingest, revive
from workers.progress import Cancelled, Progress

LEASE = timedelta(seconds=5)


@pytest.fixture
async def runtime(database_url: str, redis_url: str, tmp_path: Path, lend: Lend) -> AsyncIterator[Runtime]:
    settings = Settings(data_dir=tmp_path / "data").model_copy(
        update={"database_url": SecretStr(database_url), "redis_url": SecretStr(redis_url)}
    )
    async with open_runtime(settings) as runtime:
        with lend(runtime):
            yield runtime


@pytest.fixture
def source(tmp_path: Path) -> Made:
    made = Made(tmp_path / "source")
    made.commit({"app.py": "import os\n", "docs/guide.md": "# Guide\n"}, "The first")
    made.commit({"lib/one.ts": "export const one = 1\n"}, "One more (#7)")
    return made


async def connected(session: AsyncSession, source: Made) -> Repo:
    return await make.repo(session, url=str(source.folder), branch=None)


async def asked(runtime: Runtime, repo_id: UUID, *, force: bool = False) -> UUID:
    async with runtime.write() as tx:
        run, already = await ingesting.start(tx, None, repo_id, RunTrigger.MANUAL, force=force)
    assert not already
    return run.id


async def carried_out(runtime: Runtime, repo_id: UUID, *, force: bool = False) -> IngestionRun:
    run_id = await asked(runtime, repo_id, force=force)
    await ingest(runtime, Ingest(run_id))
    async with runtime.read() as session:
        return await session.get_one(IngestionRun, run_id)


async def events_of(runtime: Runtime, run_id: UUID) -> list[RunEvent]:
    async with runtime.read() as session:
        found = await session.scalars(select(RunEvent).where(RunEvent.run_id == run_id).order_by(RunEvent.sequence))
        return list(found)


async def test_a_run_indexes_a_repository_and_its_log_has_no_gap(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    repo = await connected(session, source)
    run = await carried_out(runtime, repo.id)
    assert (run.status, run.stage, run.fraction, run.commit_sha) == (
        RunStatus.SUCCEEDED,
        IngestionStage.DONE,
        1.0,
        source.head(),
    )
    events = await events_of(runtime, run.id)
    assert [event.sequence for event in events] == list(range(1, run.sequence + 1))
    assert events[-1].kind is IngestionEventKind.FINISHED
    fractions = [event.run["fraction"] for event in events]
    assert fractions == sorted(fractions)
    async with runtime.read() as reading:
        files = {file.path: file for file in await reading.scalars(select(RepoFile))}
        known = await reading.get_one(Repo, repo.id)
        merged = list(await reading.scalars(select(PullRequest)))
    assert files.keys() == {"app.py", "docs/guide.md", "lib/one.ts"}
    assert files["app.py"].language == "Python"
    assert (known.ingestion_status, known.file_count, known.last_ingested_commit) == (
        IngestionStatus.INGESTED,
        3,
        source.head(),
    )
    assert {share["language"] for share in known.languages} == {"Python", "TypeScript"}
    assert {pull.title for pull in merged} == {"The first", "One more"}


async def test_a_second_run_at_the_same_commit_says_that_nothing_changed(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    repo = await connected(session, source)
    await carried_out(runtime, repo.id)
    again = await carried_out(runtime, repo.id)
    assert again.status is RunStatus.SUCCEEDED
    assert {stage["state"] for stage in again.stages[1:]} == {"SKIPPED"}
    forced = await carried_out(runtime, repo.id, force=True)
    assert forced.stages[1]["state"] == "SUCCEEDED"


async def test_files_that_are_no_more_are_gone_from_the_index(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    repo = await connected(session, source)
    await carried_out(runtime, repo.id)
    source.commit({"docs/guide.md": None}, "No guide")
    await carried_out(runtime, repo.id)
    async with runtime.read() as reading:
        paths = set(await reading.scalars(select(RepoFile.path)))
        titles = sorted(await reading.scalars(select(PullRequest.title)))
    assert paths == {"app.py", "lib/one.ts"}
    # What was merged before is kept, and not compared again.
    assert titles == ["No guide", "One more", "The first"]


async def test_a_source_that_is_not_there_fails_at_once_and_says_why(
    runtime: Runtime, session: AsyncSession, tmp_path: Path
) -> None:
    repo = await make.repo(session, url=str(tmp_path / "nowhere"), branch=None)
    run = await carried_out(runtime, repo.id)
    assert (run.status, run.error_code, run.attempt) == (RunStatus.FAILED, "NOT_FOUND", 1)
    async with runtime.read() as reading:
        known = await reading.get_one(Repo, repo.id)
    assert known.ingestion_status is IngestionStatus.FAILED
    assert known.last_error == run.error_message


async def test_asking_again_gives_the_run_that_lives(runtime: Runtime, session: AsyncSession, source: Made) -> None:
    repo = await connected(session, source)
    run_id = await asked(runtime, repo.id)
    async with runtime.write() as tx:
        again, already = await ingesting.start(tx, None, repo.id, RunTrigger.MANUAL)
    assert (again.id, already) == (run_id, True)


async def test_a_queued_run_is_cancelled_at_once_and_the_repository_is_as_before(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    repo = await connected(session, source)
    run_id = await asked(runtime, repo.id)
    reviewer = Viewer(
        (await make.user(session)).id, {repo.organization_id: Role.REVIEWER}, Credential(CredentialKind.SESSION)
    )
    async with runtime.write() as tx:
        await ingesting.cancel(tx, reviewer, run_id)
    await ingest(runtime, Ingest(run_id))
    async with runtime.read() as reading:
        run, known = await reading.get_one(IngestionRun, run_id), await reading.get_one(Repo, repo.id)
    assert (run.status, known.ingestion_status) == (RunStatus.CANCELLED, IngestionStatus.PENDING)


async def test_a_running_run_stops_soon_after_it_was_cancelled(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    repo = await connected(session, source)
    run_id = await asked(runtime, repo.id)
    async with runtime.write() as tx:
        held = await ingesting.claim(tx, run_id, LEASE)
    assert held is not None
    working = asyncio.Event()

    async def work() -> None:
        working.set()
        await asyncio.Event().wait()

    watched = asyncio.create_task(Progress(runtime, held, LEASE).watched(work()))
    await working.wait()
    async with runtime.write() as tx:
        await tx.session.execute(
            update(IngestionRun).where(IngestionRun.id == run_id).values(cancel_requested_at=IngestionRun.started_at)
        )
    with pytest.raises(Cancelled):
        await asyncio.wait_for(watched, 2)


async def test_a_worker_whose_claim_is_another_s_writes_nothing(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    repo = await connected(session, source)
    run_id = await asked(runtime, repo.id)
    async with runtime.write() as tx:
        zombie = await ingesting.claim(tx, run_id, timedelta(0))
    async with runtime.write() as tx:
        heir = await ingesting.claim(tx, run_id, LEASE)
    assert zombie is not None
    assert heir is not None
    assert heir.attempt == zombie.attempt + 1
    step = Advance((StageProgress(IngestionStage.FETCH),), IngestionStage.FETCH, IngestionEventKind.PROGRESS)
    with pytest.raises(Superseded):
        async with runtime.write() as tx:
            await ingesting.advance(tx, zombie, step, LEASE)
    kinds = [event.kind for event in await events_of(runtime, run_id)]
    assert kinds == [IngestionEventKind.LOG, IngestionEventKind.RETRY]


async def test_only_one_worker_takes_a_run_up(runtime: Runtime, session: AsyncSession, source: Made) -> None:
    repo = await connected(session, source)
    run_id = await asked(runtime, repo.id)

    async def claim() -> bool:
        async with runtime.write() as tx:
            return await ingesting.claim(tx, run_id, LEASE) is not None

    assert sorted(await asyncio.gather(*(claim() for _ in range(5)))) == [False] * 4 + [True]


async def test_a_run_that_kills_its_workers_ends(runtime: Runtime, session: AsyncSession, source: Made) -> None:
    repo = await connected(session, source)
    run_id = await asked(runtime, repo.id)
    for _ in range(ingesting.MOST_ATTEMPTS + 1):
        async with runtime.write() as tx:
            await ingesting.claim(tx, run_id, timedelta(0))
    async with runtime.read() as reading:
        run = await reading.get_one(IngestionRun, run_id)
    assert (run.status, run.error_code) == (RunStatus.FAILED, "WORKER_DIED")


async def test_a_run_that_redis_lost_is_asked_for_again(runtime: Runtime, session: AsyncSession, source: Made) -> None:
    repo = await connected(session, source)
    await asked(runtime, repo.id)
    await runtime.redis.flushdb()
    async with runtime.write() as tx:
        await tx.session.execute(update(IngestionRun).values(queued_at=IngestionRun.queued_at - timedelta(minutes=5)))
    await revive(runtime, Revive())
    depth = await runtime.queue.depth()
    # One that was asked for within this millisecond counts as put off until the next.
    assert depth.queued + depth.deferred == 1


async def test_a_disconnected_repository_leaves_nothing_on_the_disk(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    repo = await connected(session, source)
    await carried_out(runtime, repo.id)
    places = [
        runtime.settings.data_dir / "git" / repo.id.hex,
        runtime.settings.data_dir / "objects" / repo.organization_id.hex / repo.id.hex,
    ]
    assert all(place.exists() for place in places)
    await forget(runtime, Forget(repo.organization_id, repo.id))
    assert not any(place.exists() for place in places)
