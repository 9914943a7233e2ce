"""Schedule: start the runs whose time has come."""

import structlog

from app.domain import jobs
from app.domain.run import RunTrigger
from app.runtime import Runtime
from app.services import ingesting, scheduling

log = structlog.get_logger(__name__)


async def schedule(runtime: Runtime, _: jobs.Schedule) -> None:
    """Start a run of each repository that is due; a run that is live already will do."""
    now, started = runtime.clock(), 0
    while True:
        # One transaction for both: a due time is never spent without a run, nor does it make two.
        async with runtime.write() as tx:
            repo_id = await scheduling.take_due(tx, now)
            if repo_id is None:
                break
            await ingesting.start(tx, None, repo_id, RunTrigger.SCHEDULE)
        started += 1
    if started:
        log.info("runs started by schedule", repos=started)
