"""Carrying out a run: its stages in order, its tries, and its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from app import observe
from app.domain import jobs
from app.domain.errors import Unavailable
from app.domain.run import STAGES, IngestionStage
from app.domain.source import SourceFailed
from app.hands.pool import Fate, HandFailed
from app.reads import repos, runs
from app.runtime import Runtime
from app.services import ingesting
from app.services.ingesting import Claim, Superseded
from workers.ingest.fetch import fetch
from workers.ingest.history import history
from workers.ingest.index import index
from workers.ingest.mine import mine
from workers.ingest.pulls import pulls
from workers.ingest.score import score
from workers.ingest.step import Attempt, Findings
from workers.ingest.verify import verify
from workers.mining.discovering import make_ready
from workers.progress import Cancelled, Progress
from workers.trying import full_disk_told, pause_after

# Runs that a job looks at before it leaves them to others.
CLAIMS = 10

NOT_YET = "Comes with a later version of Tenet."
UNCHANGED = "Nothing changed since the last run."

# What each stage does after FETCH, and the unit it counts in; the others are passed by.
WORKS: dict[IngestionStage, tuple[Callable[[Attempt], Awaitable[None]], str]] = {
    IngestionStage.INDEX: (index, "files"),
    IngestionStage.HISTORY: (history, "commits"),
    IngestionStage.PULLS: (pulls, "changes"),
    IngestionStage.MINE: (mine, "files"),
    IngestionStage.VERIFY: (verify, "places"),
    IngestionStage.SCORE: (score, "places"),
}

_BROKEN = "INTERNAL_ERROR", "Something went wrong on our side."
# One file that ends its child process costs only itself; this is what looks at a whole repository at once.
_ENDED = {
    Fate.TOO_LONG: ("WORK_TOO_LONG", "A part of the work took longer than it may."),
    Fate.TOO_MUCH_MEMORY: (
        "WORK_TOO_LARGE",
        "A part of the work needed more memory than a child process may have (TENET_CHILD_MEGABYTES).",
    ),
    Fate.DIED: ("WORK_CUT_SHORT", "A child process ended in the middle of a part of the work, more than once."),
}

log = structlog.get_logger(__name__)


async def ingest(runtime: Runtime, job: jobs.Ingest) -> None:
    """Carry out a run to a true end, whatever happens to it."""
    if job.afresh:
        async with runtime.write() as tx:
            await ingesting.begin_anew(tx, job.run_id)
    lease = timedelta(seconds=runtime.settings.worker_lease_seconds)
    held = await _claimed(runtime, job.run_id, lease)
    if held is None:
        return
    progress = Progress(runtime, held, lease)
    with structlog.contextvars.bound_contextvars(run_id=held.run_id.hex):
        try:
            await _carry(runtime, progress)
        except Superseded:
            log.info("run belongs to somebody else now")
            await _clear_away(runtime, held)
        except asyncio.CancelledError:
            # The worker stops: whoever takes the job up next need not wait for the lease to end.
            with suppress(Superseded, Unavailable):
                async with runtime.write() as tx:
                    await ingesting.release(tx, progress.held)
            raise
        # Its job was spent on the run whose turn it was; one that was passed over then comes now.
        async with runtime.read() as session:
            waiting = await runs.next_in_turn(session, None, await _share(runtime))
        if waiting is not None:
            await runtime.queue.put(jobs.Ingest(waiting))


async def _claimed(runtime: Runtime, asked_for: UUID, lease: timedelta) -> Claim | None:
    """Take up the run whose turn it is, which need not be the one that the job names."""
    share = await _share(runtime)
    for _ in range(CLAIMS):
        async with runtime.write() as tx:
            run_id = await runs.next_in_turn(tx.session, asked_for, share)
            if run_id is None:
                return None
            # None if another worker was faster, or if the run came to its end instead.
            if (held := await ingesting.claim(tx, run_id, lease)) is not None:
                return held
    return None


async def _share(runtime: Runtime) -> int:
    """Tell how many runs of one organization may be at work: half of the places, so that others find one at once."""
    return max(runtime.settings.worker_jobs * max(await runtime.queue.workers(), 1) // 2, 1)


async def _clear_away(runtime: Runtime, held: Claim) -> None:
    """Remove what this attempt may have written after its repository was disconnected, and cleared away, meanwhile."""
    async with runtime.read() as session:
        known = await repos.known(session, [held.repo_id])
    if not known:
        await runtime.queue.put(jobs.Forget(held.organization_id, held.repo_id))


async def _carry(runtime: Runtime, progress: Progress) -> None:
    try:
        await _attempts(runtime, progress)
    except Cancelled:
        async with runtime.write() as tx:
            await ingesting.stop(tx, progress.held)
    except (Superseded, Unavailable):
        # A database that is still away cannot be told how the run ends: the job is put back, and a later try claims it.
        raise
    except SourceFailed as failed:
        log.info("ingestion failed", code=failed.code.value, detail=observe.redact_text(failed.detail))
        await _fail(runtime, progress.held, failed.code.value, failed.sentence)
    except HandFailed as failed:
        word = observe.reference(failed, "ingestion failed")
        code, sentence = _ENDED.get(failed.lost.fate, _BROKEN)
        await _fail(runtime, progress.held, code, f"{sentence} What was found before stays; reference {word}.")
    except Exception as error:
        word = observe.reference(error, "ingestion failed")
        code, sentence = _BROKEN
        await _fail(runtime, progress.held, code, f"{sentence[:-1]}; reference {word}.")
        raise


async def _attempts(runtime: Runtime, progress: Progress) -> None:
    attempt, untold = 1, None
    while True:
        one = Attempt(runtime, progress)
        try:
            if untold is not None:
                await progress.again(untold)
                untold = None
            with full_disk_told():
                await progress.watched(_stages(one))
                await _succeed(runtime, progress.held, one.found)
            return
        except (Superseded, Cancelled):
            raise
        except Exception as error:
            pause = pause_after(error, attempt)
            if pause is None:
                raise
            log.warning("ingestion will be tried again", attempt=attempt, error=str(error), seconds=round(pause, 1))
            sentence = error.sentence if isinstance(error, SourceFailed) else "Something of ours was away."
            untold = await _told(progress, f"{sentence} Trying again in {pause:.0f} s.")
            attempt += 1
        await _pause(progress, pause)


async def _told(progress: Progress, message: str) -> str | None:
    """Begin the next attempt; gives the message back where the database cannot be told of it yet."""
    try:
        await progress.again(message)
    except Unavailable:
        return message
    return None


async def _pause(progress: Progress, seconds: float) -> None:
    """Wait, with signs of life, and hear of a cancellation."""
    until = asyncio.get_running_loop().time() + seconds
    try:
        await progress.watched(asyncio.sleep(seconds))
    except Unavailable:
        await asyncio.sleep(max(until - asyncio.get_running_loop().time(), 0))


async def _stages(attempt: Attempt) -> None:
    progress, found, held = attempt.progress, attempt.found, attempt.progress.held
    async with progress.stage(IngestionStage.FETCH, unit="percent", total=100):
        await fetch(attempt)
    await progress.log(f"{found.branch} is at {found.commit}.", commit_sha=found.commit)
    found.unchanged = found.commit == held.last_commit and not held.forced
    if found.unchanged:
        for stage in STAGES[1:]:
            await progress.skip(stage, UNCHANGED)
        return
    async with _beside(make_ready(attempt)):
        for stage in STAGES[1:]:
            if stage not in WORKS:
                await progress.skip(stage, NOT_YET)
                continue
            work, unit = WORKS[stage]
            async with progress.stage(stage, unit=unit):
                await work(attempt)


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do something meanwhile that need not come to its end."""
    working = asyncio.create_task(work)
    try:
        yield
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _succeed(runtime: Runtime, held: Claim, found: Findings) -> None:
    changes: dict[str, Any] = {"default_branch": found.branch}
    message = UNCHANGED
    if not found.unchanged:
        changes |= {"file_count": found.files, "token_count": found.tokens, "languages": found.languages}
        count = found.report.patterns_found
        message = f"{found.files} files indexed, {count} convention{'' if count == 1 else 's'} found."
    for reason, count in found.skipped.items():
        found.report.counts["skipped", reason] = found.report.counts.get(("skipped", reason), 0) + count
        found.report.skipped.setdefault(reason, [])
    report = {
        "dropped": found.report.spelled("dropped"),
        "suppressed": found.report.spelled("suppressed"),
        "skipped_files": found.report.spelled("skipped"),
        "contradictions": found.report.contradictions,
    }
    async with runtime.write() as tx:
        await ingesting.succeed(tx, held, changes, message, report)


async def _fail(runtime: Runtime, held: Claim, code: str, sentence: str) -> None:
    async with runtime.write() as tx:
        await ingesting.fail(tx, held, code, sentence)
