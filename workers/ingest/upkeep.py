"""What keeps runs and repositories in order beside the runs themselves."""

from datetime import timedelta

from app.domain import jobs
from app.reads import runs
from app.runtime import Runtime
from workers.ingest.step import sources_of, storage_of


async def forget(runtime: Runtime, job: jobs.Forget) -> None:
    """Remove the cache and the stored objects of a repository that was disconnected.

    A cache that is being fetched into is BUSY until the worker hears that its run is gone; then this is tried again.
    """
    await storage_of(runtime.settings).remove(job.organization_id, job.repo_id)
    await sources_of(runtime).remove(job.repo_id)


async def revive(runtime: Runtime, _: jobs.Revive) -> None:
    """Ask again for the runs that a crash left without a worker."""
    async with runtime.read() as session:
        stranded = await runs.stranded(session, timedelta(seconds=runtime.settings.worker_lease_seconds))
    for run_id in stranded:
        await runtime.queue.put(jobs.Ingest(run_id))
