"""Helping: do a part of a run that another worker leads."""

from contextlib import suppress
from datetime import timedelta

from app.domain import jobs
from app.domain.run import IngestionStage
from app.runtime import Runtime
from app.services import sharing
from app.services.ingesting import Superseded
from workers.ingest.index import FILES
from workers.ingest.sharing import Shared, Withdrawn, carry_out

SHARED: dict[str, Shared] = {shared.name: shared for shared in (FILES,)}
"""All work that can be shared out."""


async def share(runtime: Runtime, job: jobs.Share) -> None:
    """Take up a shard if nobody has it, and do it."""
    lease = timedelta(seconds=runtime.settings.worker_lease_seconds)
    async with runtime.write() as tx:
        shard = await sharing.take(tx, job.run_id, job.attempt, IngestionStage[job.stage], lease, number=job.number)
    if shard is not None:
        # What was taken from us is in better hands, or nobody's business any more.
        with suppress(Withdrawn, Superseded):
            await carry_out(runtime, shard, SHARED)
