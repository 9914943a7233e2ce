"""FETCH: get the git objects."""

import asyncio

from app.domain.source import SourceFailed, SourceProblem
from app.gateways import git
from workers.ingest.step import Attempt, sources_of

BUSY_SECONDS = 0.5


async def fetch(attempt: Attempt) -> None:
    """Bring the bare cache up to date, and say which commit the run is about."""
    progress, patience = attempt.progress, attempt.runtime.settings.fetch_seconds
    while True:
        try:
            fetched = await _fetched(attempt)
            break
        except SourceFailed as failed:
            if failed.code is not SourceProblem.BUSY or patience <= 0:
                raise
        # The worker that had this run before does not know yet that it is not its any more.
        progress.note("Waits for an earlier attempt to let go of the cache.")
        await asyncio.sleep(BUSY_SECONDS)
        patience -= BUSY_SECONDS
    attempt.found.commit, attempt.found.branch = fetched.commit, fetched.branch
    progress.note(f"{fetched.branch} at {fetched.commit[:12]}")


async def _fetched(attempt: Attempt) -> git.Fetched:
    settings, held = attempt.runtime.settings, attempt.progress.held
    return await sources_of(attempt.runtime).fetch(
        held.repo_id,
        held.url,
        held.branch,
        git.FetchLimits(settings.repo_megabytes << 20, settings.fetch_seconds),
        lambda told: attempt.progress.move(round(100 * told.fraction)),
    )
