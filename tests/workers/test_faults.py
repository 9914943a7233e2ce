"""Faults: whatever dies, stops or comes back in the middle of a run, the run ends in a true state and doubles nothing.

Workers are processes as the product starts them, with leases of a second; a turnstile before git keeps them in the
stage that a test is about.
"""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from uuid import UUID

import pytest
from sqlalchemy import DateTime, Uuid, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import IngestionRun, Repo, RepoFile, RunEvent, Table
from app.domain.repo import IngestionStatus
from app.domain.run import STAGES, IngestionEventKind, IngestionStage, RunStatus, RunTrigger
from app.domain.viewer import Credential, CredentialKind, Role, Viewer
from app.runtime import Runtime
from app.services import connecting, ingesting
from tests import factories as make
from tests.gateways.making import Made
from tests.installed import PATIENCE, eventually, runtime_for
from tests.workers.crew import working
from tests.workers.turnstile import Turnstile, Waiting, turnstile
from workers.registry import WORKS

# What the product promises, whatever the lease; the tests' own second makes it far less.
PROMISED = 30.0
NOT_FOUND_AGAIN = {"ingestion_runs", "run_events"}

SKIPPED: dict[str, str] = {}
"""The stages that an undisturbed run passes by, once there was one, and why."""

Found = dict[str, list[tuple[str, ...]]]

UNDISTURBED: dict[Path, Found] = {}
"""What such a run finds in a source: the same whenever it is asked."""

# A worker is killed in each stage. What else may come to pass is tried in two of them, unless all are asked for.
SOME_STAGES = STAGES if os.environ.get("TENET_FAULTS") == "all" else (IngestionStage.INDEX, IngestionStage.MINE)


@pytest.fixture
async def gate() -> AsyncIterator[Turnstile]:
    async with turnstile() as gate:
        yield gate


@pytest.fixture
async def runtime(
    database_url: str, redis_url: str, tmp_path: Path, gate: Turnstile, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Runtime]:
    monkeypatch.setenv("PATH", gate.path)
    async with runtime_for(database_url, redis_url, data_dir=tmp_path / "data", private_addresses=True) as runtime:
        yield runtime


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A repository with something for every stage; its header is a convention, with one module that breaks it."""
    made = Made(tmp_path_factory.mktemp("made") / "source")
    for number in range(12):
        header = "# Copyright Example Ltd, all rights reserved.\n" if number != 5 else ""
        module = f"{header}import os\n\n\ndef function_{number}():\n    return os.getcwd()\n"
        files = {f"src/module_{number}.py": module, f"tests/test_module_{number}.py": "def test_it():\n    pass\n"}
        # Merged changes are those of the last 90 days.
        at = datetime.now(UTC) - timedelta(days=12 - number)
        made.commit(files, f"Change {number} (#{number})", author=f"Dev {number % 3} <dev@example.com>", at=at)
    return made


@asynccontextmanager
async def worker(runtime: Runtime, gate: Turnstile) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker process on the same servers and the same folder."""
    settings = runtime.settings
    assert settings.database_url is not None
    assert settings.redis_url is not None
    urls = (settings.database_url.get_secret_value(), settings.redis_url.get_secret_value())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.workers.hand", *urls, str(settings.data_dir)),
        env={**os.environ, "PATH": gate.path},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def connected(session: AsyncSession, source: Made) -> Repo:
    return await make.repo(session, url=str(source.folder), branch=None)


async def asked(runtime: Runtime, repo: Repo) -> UUID:
    async with runtime.write() as tx:
        run, _ = await ingesting.start(tx, None, repo.id, RunTrigger.MANUAL, force=True)
    return run.id


async def run_of(runtime: Runtime, run_id: UUID) -> IngestionRun | None:
    async with runtime.read() as session:
        return await session.get(IngestionRun, run_id)


async def ended(runtime: Runtime, run_id: UUID, patience: float = PROMISED) -> IngestionRun:
    """Wait for the end of a run."""

    async def look() -> IngestionRun | None:
        run = await run_of(runtime, run_id)
        return run if run is not None and run.finished_at is not None else None

    run = await eventually(look, patience=patience)
    assert run is not None
    return run


async def events_of(runtime: Runtime, run_id: UUID) -> list[RunEvent]:
    async with runtime.read() as session:
        found = await session.scalars(select(RunEvent).where(RunEvent.run_id == run_id).order_by(RunEvent.sequence))
        return list(found)


def keep_in(gate: Turnstile, runtime: Runtime, run_id: UUID, stage: IngestionStage, *attempts: int) -> None:
    """Keep the gits of a run waiting once it is in a stage, in its first attempt or in others."""

    async def keeps() -> bool:
        run = await run_of(runtime, run_id)
        return run is not None and run.stage is stage and run.attempt in (attempts or (1,))

    gate.keeps = keeps


async def kept(gate: Turnstile, runtime: Runtime, run_id: UUID) -> Waiting:
    """Wait until a git is kept waiting; a run that ends before that has no such stage."""
    waiting, finishing = asyncio.create_task(gate.waiting.get()), asyncio.create_task(ended(runtime, run_id))
    await asyncio.wait({waiting, finishing}, return_when=asyncio.FIRST_COMPLETED)
    finishing.cancel()
    await asyncio.wait({finishing})
    if not waiting.done():
        waiting.cancel()
        pytest.skip("this stage asks no git")
    return waiting.result()


async def found_in(runtime: Runtime, repo: Repo) -> Found:
    """Spell all that runs found of a repository: rows of every table, stored objects; without ids and times."""
    spelt: Found = {}
    async with runtime.read() as session:
        for table in Table.metadata.sorted_tables:
            if "repo_id" not in table.c or table.name in NOT_FOUND_AGAIN:
                continue
            told = [column for column in table.c if not isinstance(column.type, Uuid | DateTime)]
            rows = await session.execute(select(*told).where(table.c.repo_id == repo.id))
            spelt[table.name] = sorted(tuple(str(value).replace(repo.id.hex, "repo") for value in row) for row in rows)
        known = await session.get_one(Repo, repo.id)
        spelt["repo"] = [(str(known.file_count), str(known.token_count), str(known.languages), known.ingestion_status)]
    objects = runtime.settings.data_dir / "objects" / repo.organization_id.hex / repo.id.hex
    spelt["objects"] = sorted(
        (str(place.relative_to(objects)), hashlib.sha256(place.read_bytes()).hexdigest())
        for place in objects.rglob("*")
        if place.is_file()
    )
    return {
        name: [tuple(text.replace(repo.organization_id.hex, "organization") for text in row) for row in rows]
        for name, rows in spelt.items()
    }


async def undisturbed(runtime: Runtime, session: AsyncSession, source: Made) -> Found:
    """Carry out a run that nothing happens to, once; give what it finds, and note which stages it skips."""
    if source.path in UNDISTURBED:
        return UNDISTURBED[source.path]
    repo = await connected(session, source)
    run_id = await asked(runtime, repo)
    async with working(runtime, *WORKS):
        run = await ended(runtime, run_id)
    assert run.status is RunStatus.SUCCEEDED, run.error_message
    SKIPPED.update({told["stage"]: told["note"] for told in run.stages if told["state"] == "SKIPPED"})
    found = await found_in(runtime, repo)
    assert found["patterns"], "there is something to double"
    return UNDISTURBED.setdefault(source.path, found)


async def done(runtime: Runtime) -> int:
    """Count the jobs of runs that workers have done."""
    tallies = await runtime.queue.tallies()
    return sum(each.buckets[float("inf")] for each in tallies if (each.name, each.state) == ("ingest", "done"))


def skip_if_skipped(stage: IngestionStage) -> None:
    if stage in SKIPPED:
        pytest.skip(f"{stage.value} is skipped: {SKIPPED[stage]}")


async def none_of_its_processes(process_ids: set[int]) -> None:
    """Wait until processes are gone."""

    async def look() -> bool:
        return not any(os.path.exists(f"/proc/{pid}") for pid in process_ids)  # noqa: PTH110, ASYNC240 - a look

    await eventually(look)


def descendants(pid: int) -> set[int]:
    """List the processes that a process has started, and those that these have started."""
    children: dict[int, set[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, set()).add(int(entry.name))
    found: set[int] = set()
    rest = {pid}
    while rest:
        rest = {child for parent in rest for child in children.get(parent, ())} - found
        found |= rest
    return found


@pytest.mark.parametrize("stage", STAGES)
async def test_a_worker_killed_in_a_stage_is_replaced_and_nothing_is_doubled(
    stage: IngestionStage,
    runtime: Runtime,
    session: AsyncSession,
    source: Made,
    gate: Turnstile,
    record_property: Callable[[str, object], None],
) -> None:
    skip_if_skipped(stage)
    wanted = await undisturbed(runtime, session, source)
    skip_if_skipped(stage)
    repo = await connected(session, source)
    run_id = await asked(runtime, repo)
    keep_in(gate, runtime, run_id, stage)
    async with worker(runtime, gate) as victim:
        held = await kept(gate, runtime, run_id)
        left = descendants(victim.pid)
        assert held.pid in left
        async with working(runtime, *WORKS):
            victim.kill()
            killed = monotonic()
            run = await ended(runtime, run_id)
            record_property("seconds", round(monotonic() - killed, 2))
        async with asyncio.timeout(PATIENCE):
            await held.gone.wait()
        await none_of_its_processes(left)
    assert (run.status, run.attempt) == (RunStatus.SUCCEEDED, 2)
    events = await events_of(runtime, run_id)
    assert [event.sequence for event in events] == list(range(1, run.sequence + 1))
    (retry,) = (event for event in events if event.kind is IngestionEventKind.RETRY)
    assert (retry.stage, retry.message) == (stage, "Attempt 2 begins; the worker before it stopped.")
    assert [event.kind for event in events].count(IngestionEventKind.FINISHED) == 1
    fractions = [event.run["fraction"] for event in events]
    assert fractions == sorted(fractions), "the bar never runs back"
    assert await found_in(runtime, repo) == wanted


@pytest.mark.parametrize("stage", SOME_STAGES)
async def test_a_zombie_writes_nothing_into_what_another_has_taken_over(
    stage: IngestionStage, runtime: Runtime, session: AsyncSession, source: Made, gate: Turnstile
) -> None:
    skip_if_skipped(stage)
    wanted = await undisturbed(runtime, session, source)
    skip_if_skipped(stage)
    before = await done(runtime)
    repo = await connected(session, source)
    run_id = await asked(runtime, repo)
    keep_in(gate, runtime, run_id, stage)
    async with AsyncExitStack() as stack:
        zombie = await stack.enter_async_context(worker(runtime, gate))
        held = await kept(gate, runtime, run_id)
        zombie.send_signal(signal.SIGSTOP)
        await stack.enter_async_context(working(runtime, *WORKS))

        async def taken_over() -> bool:
            run = await run_of(runtime, run_id)
            # While the zombie holds the cache, its heir can only wait for it.
            return run is not None and run.attempt > 1 and (run.finished_at is not None or stage is STAGES[0])

        await eventually(taken_over, patience=PROMISED)
        zombie.send_signal(signal.SIGCONT)
        held.passes.set()
        run = await ended(runtime, run_id)
        after = run.sequence

        async def both_have_ended() -> bool:
            return await done(runtime) >= before + 2

        await eventually(both_have_ended, patience=PROMISED)
        assert zombie.returncode is None, "a worker that lost a run goes on with others"
    run = await ended(runtime, run_id)
    assert (run.status, run.sequence) == (RunStatus.SUCCEEDED, after)
    events = await events_of(runtime, run_id)
    assert [event.sequence for event in events] == list(range(1, run.sequence + 1))
    assert await found_in(runtime, repo) == wanted


@pytest.mark.parametrize("stage", SOME_STAGES)
async def test_a_run_is_cancelled_in_a_stage_within_two_seconds_and_its_processes_end(
    stage: IngestionStage,
    runtime: Runtime,
    session: AsyncSession,
    source: Made,
    gate: Turnstile,
    record_property: Callable[[str, object], None],
) -> None:
    skip_if_skipped(stage)
    await undisturbed(runtime, session, source)
    skip_if_skipped(stage)
    repo = await connected(session, source)
    run_id = await asked(runtime, repo)
    keep_in(gate, runtime, run_id, stage)
    async with working(runtime, *WORKS):
        held = await kept(gate, runtime, run_id)
        left = descendants(os.getpid())
        assert held.pid in left
        async with runtime.write() as tx:
            await ingesting.cancel(tx, await reviewer(session, repo), run_id)
        asked_at = monotonic()
        run = await ended(runtime, run_id)
        record_property("seconds", round(monotonic() - asked_at, 2))
        async with asyncio.timeout(PATIENCE):
            await held.gone.wait()
        await none_of_its_processes({pid for pid in left if pid == held.pid})
    assert (run.status, run.stage) == (RunStatus.CANCELLED, stage)
    states = {told["stage"]: told["state"] for told in run.stages}
    assert (states[stage.value], "RUNNING" in states.values()) == ("CANCELLED", False)
    async with runtime.read() as reading:
        assert (await reading.get_one(Repo, repo.id)).ingestion_status is IngestionStatus.PENDING


async def reviewer(session: AsyncSession, repo: Repo, role: Role = Role.REVIEWER) -> Viewer:
    return Viewer((await make.user(session)).id, {repo.organization_id: role}, Credential(CredentialKind.SESSION))


@pytest.mark.parametrize("stage", SOME_STAGES)
async def test_a_repository_disconnected_in_a_stage_leaves_nothing(
    stage: IngestionStage, runtime: Runtime, session: AsyncSession, source: Made, gate: Turnstile
) -> None:
    skip_if_skipped(stage)
    await undisturbed(runtime, session, source)
    skip_if_skipped(stage)
    repo = await connected(session, source)
    run_id = await asked(runtime, repo)
    keep_in(gate, runtime, run_id, stage)
    async with working(runtime, *WORKS):
        held = await kept(gate, runtime, run_id)
        async with runtime.write() as tx:
            await connecting.disconnect(tx, await reviewer(session, repo, Role.ADMIN), repo.id)
        async with asyncio.timeout(PATIENCE):
            await held.gone.wait()

        async def forgotten() -> bool:
            depth = await runtime.queue.depth()
            idle = not (depth.queued or depth.running or depth.deferred)
            return idle and not left_of(runtime, repo)

        await eventually(forgotten, patience=PROMISED)
    assert not left_of(runtime, repo)
    async with runtime.read() as reading:
        for table in Table.metadata.sorted_tables:
            if "repo_id" in table.c:
                left = select(func.count()).select_from(table).where(table.c.repo_id == repo.id)
                assert await reading.scalar(left) == 0, table.name
        gone = select(func.count()).select_from(RunEvent).where(RunEvent.run_id == run_id)
        assert await reading.scalar(gone) == 0
        assert await reading.get(IngestionRun, run_id) is None
    assert await runtime.redis.keys(f"arq:*{run_id.hex}*") == []


def left_of(runtime: Runtime, repo: Repo) -> list[Path]:
    """List what the disk holds of a repository."""
    return [place for place in runtime.settings.data_dir.rglob("*") if repo.id.hex in str(place)]


async def test_a_disconnection_and_a_worker_that_writes_do_not_wait_for_each_other(
    runtime: Runtime, session: AsyncSession
) -> None:
    """Each needs the run and its repository: in one order, or the database would have to end one of them."""
    repo = await make.repo(session)
    run_id = await asked(runtime, repo)
    admin = await reviewer(session, repo, Role.ADMIN)
    async with runtime.write() as tx:
        held = await ingesting.claim(tx, run_id, timedelta(minutes=1))
    assert held is not None

    async def disconnect() -> None:
        async with runtime.write() as tx:
            await connecting.disconnect(tx, admin, held.repo_id)

    async def waits() -> bool:
        await session.rollback()
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(await session.scalar(text(waiting)))

    async with runtime.write() as tx:
        await ingesting.hold(tx, held)
        disconnecting = asyncio.create_task(disconnect())
        await eventually(waits)
        values = {"path": "a.py", "blob_id": "0" * 40, "size_bytes": 1}
        tx.session.add(RepoFile(repo_id=held.repo_id, organization_id=held.organization_id, **values))
        await tx.session.flush()
    await disconnecting
    assert await run_of(runtime, run_id) is None
