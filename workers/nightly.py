"""Nightly: weak candidates that nobody touched are dismissed, and what no repository owns any more is removed."""

from datetime import timedelta

import structlog

from app.domain import jobs
from app.domain.pattern import UNTOUCHED
from app.domain.source import SourceFailed
from app.reads import deciding, repos
from app.runtime import Runtime
from app.services import sweeping
from workers.ingest.step import sources_of, storage_of
from workers.sweep import sweep

LEFT_BEHIND = timedelta(days=1)

log = structlog.get_logger(__name__)


async def nightly(runtime: Runtime, _: jobs.Nightly) -> None:
    """Do what a night is good for; whatever a night misses, the next one finds."""
    await sweep(runtime, jobs.Sweep())
    log.info("night is over", dismissed=await _dismiss(runtime), orphans=await _remove_orphans(runtime))


async def _dismiss(runtime: Runtime) -> int:
    now, dismissed = runtime.clock(), 0
    async with runtime.read() as session:
        neglecting = await deciding.neglecting(session, now - UNTOUCHED)
    for repo_id in neglecting:
        count = sweeping.BATCH
        while count == sweeping.BATCH:
            async with runtime.write() as tx:
                count = await sweeping.dismiss(tx, repo_id, now)
            dismissed += count
    return dismissed


async def _remove_orphans(runtime: Runtime) -> int:
    """Remove caches and objects of repositories that are gone: the job that should have may have been lost."""
    sources, storage = sources_of(runtime), storage_of(runtime.settings)
    # What is there is listed before the rows are: nothing is kept of a repository before its row is committed.
    caches, objects = await sources.stored(), await storage.stored()
    async with runtime.read() as session:
        known = await repos.known(session, {*caches, *(repo_id for _, repo_id in objects)})
    removed = await storage.tidy(LEFT_BEHIND.total_seconds())
    for owner_id, repo_id in objects:
        if repo_id not in known:
            await storage.remove(owner_id, repo_id)
            removed += 1
    for repo_id in caches:
        if repo_id not in known:
            try:
                await sources.remove(repo_id)
                removed += 1
            except SourceFailed:
                log.warning("an orphaned cache is in use", repo_id=repo_id.hex)
    return removed
