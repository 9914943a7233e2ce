"""FETCH: get the git objects."""

from app.gateways import git
from workers.ingest.step import Attempt, sources_of


async def fetch(attempt: Attempt) -> None:
    """Bring the bare cache up to date, and say which commit the run is about."""
    settings, progress, held = attempt.runtime.settings, attempt.progress, attempt.progress.held
    fetched = await sources_of(settings).fetch(
        held.repo_id,
        held.url,
        held.branch,
        git.FetchLimits(settings.repo_megabytes << 20, settings.fetch_seconds),
        lambda told: progress.move(round(100 * told.fraction)),
    )
    attempt.found.commit, attempt.found.branch = fetched.commit, fetched.branch
    progress.note(f"{fetched.branch} at {fetched.commit[:12]}")
