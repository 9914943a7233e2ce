"""PULLS: what was merged lately, with diffs, for backtests."""

from contextlib import aclosing

from app.gateways import git
from app.reads import files
from app.services import indexing, ingesting
from workers.ingest.step import Attempt

DAYS = 90
MOST = 100


async def pulls(attempt: Attempt) -> None:
    """Keep what landed on the branch, newest first; what is kept already is not compared again."""
    progress, owner = attempt.progress, attempt.owner
    async with attempt.runtime.read() as session:
        known = await files.landings(session, owner.repo_id)
    count = 0
    async with aclosing(
        git.first_parent_changes(attempt.cache, attempt.found.commit, days=DAYS, most=MOST, known=known)
    ) as landings:
        async for landing in landings:
            key = await attempt.storage.put(owner.organization_id, owner.repo_id, f"diffs/{landing.id}", landing.diff)
            async with attempt.runtime.write() as tx:
                await ingesting.hold(tx, progress.held)
                await indexing.write_landing(tx, owner, landing, key)
            count += 1
            progress.move(count)
    more = "more " if known else ""
    progress.note(f"{count} {more}merged changes of the last {DAYS} days")
