"""Carrying out a run: its stages in order, its tries, and its end."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from app import observe
from app.domain import jobs
from app.domain.run import STAGES, IngestionStage
from app.domain.source import SourceFailed
from app.runtime import Runtime
from app.services import ingesting
from app.services.ingesting import Claim, Superseded
from workers.ingest.fetch import fetch
from workers.ingest.history import history
from workers.ingest.index import index
from workers.ingest.pulls import pulls
from workers.ingest.step import Attempt, Findings
from workers.progress import Cancelled, Progress

# Faults that may pass are given so many tries, from 1 s to 30 s apart.
TRIES = 3
PAUSE_SECONDS, LONGEST_PAUSE = 1.0, 30.0

NOT_YET = "Comes with a later version of Tenet."
UNCHANGED = "Nothing changed since the last run."

# What each stage does after FETCH, and the unit it counts in; the others are passed by.
WORKS: dict[IngestionStage, tuple[Callable[[Attempt], Awaitable[None]], str]] = {
    IngestionStage.INDEX: (index, "files"),
    IngestionStage.HISTORY: (history, "commits"),
    IngestionStage.PULLS: (pulls, "changes"),
}

log = structlog.get_logger(__name__)


async def ingest(runtime: Runtime, job: jobs.Ingest) -> None:
    """Carry out a run to a true end, whatever happens to it."""
    lease = timedelta(seconds=runtime.settings.worker_lease_seconds)
    async with runtime.write() as tx:
        held = await ingesting.claim(tx, job.run_id, lease)
    if held is None:
        return
    progress = Progress(runtime, held, lease)
    with structlog.contextvars.bound_contextvars(run_id=held.run_id.hex):
        try:
            await _attempts(runtime, progress)
        except Superseded:
            log.info("run belongs to somebody else now")
        except asyncio.CancelledError:
            # The worker stops: whoever takes the job up next need not wait for the lease to end.
            with suppress(Superseded):
                async with runtime.write() as tx:
                    await ingesting.release(tx, progress.held)
            raise


async def _attempts(runtime: Runtime, progress: Progress) -> None:
    for attempt in range(1, TRIES + 1):
        one = Attempt(runtime, progress)
        try:
            await progress.watched(_stages(one))
            await _succeed(runtime, progress.held, one.found)
            return
        except Cancelled:
            async with runtime.write() as tx:
                await ingesting.stop(tx, progress.held)
            return
        except SourceFailed as failed:
            if not failed.passing or attempt == TRIES:
                await _fail(runtime, progress.held, failed.code.value, failed.sentence)
                return
            pause = min(PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311
            await progress.again(f"{failed.sentence} Trying again in {pause:.0f} s.")
            await asyncio.sleep(pause)
        except Superseded:
            raise
        except Exception as error:
            word = observe.reference(error, "ingestion failed")
            await _fail(
                runtime, progress.held, "INTERNAL_ERROR", f"Something went wrong on our side; reference {word}."
            )
            raise


async def _stages(attempt: Attempt) -> None:
    progress, found, held = attempt.progress, attempt.found, attempt.progress.held
    async with progress.stage(IngestionStage.FETCH, unit="percent", total=100):
        await fetch(attempt)
    await progress.log(f"{found.branch} is at {found.commit}.", commit_sha=found.commit)
    found.unchanged = found.commit == held.last_commit and not held.forced
    for stage in STAGES[1:]:
        if found.unchanged:
            await progress.skip(stage, UNCHANGED)
        elif stage not in WORKS:
            await progress.skip(stage, NOT_YET)
        else:
            work, unit = WORKS[stage]
            async with progress.stage(stage, unit=unit):
                await work(attempt)


async def _succeed(runtime: Runtime, held: Claim, found: Findings) -> None:
    changes: dict[str, Any] = {"default_branch": found.branch}
    message = UNCHANGED
    if not found.unchanged:
        changes |= {"file_count": found.files, "token_count": found.tokens, "languages": found.languages}
        message = f"{found.files} files indexed."
    report = {
        "dropped": [],
        "suppressed": [],
        "skipped_files": [
            {"reason": reason, "count": count, "examples": []} for reason, count in found.skipped.most_common()
        ],
        "contradictions": [],
    }
    async with runtime.write() as tx:
        await ingesting.succeed(tx, held, changes, message, report)


async def _fail(runtime: Runtime, held: Claim, code: str, sentence: str) -> None:
    async with runtime.write() as tx:
        await ingesting.fail(tx, held, code, sentence)
