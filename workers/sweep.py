"""Sweep: remove what has expired, in short transactions that hold nobody up."""

import structlog

from app.domain import jobs
from app.runtime import Runtime
from app.services import sweeping

# What is left after so many batches waits for the next hour.
MOST_BATCHES = 200

REMOVALS = {
    "sessions": sweeping.sweep_sessions,
    "invitations": sweeping.sweep_invitations,
    "run_events": sweeping.sweep_events,
}

log = structlog.get_logger(__name__)


async def sweep(runtime: Runtime, _: jobs.Sweep) -> None:
    """Remove batch by batch until nothing expired is left."""
    removed = {}
    for name, remove in REMOVALS.items():
        removed[name] = 0
        for _batch in range(MOST_BATCHES):
            async with runtime.write() as tx:
                count = await remove(tx)
            removed[name] += count
            if count < sweeping.BATCH:
                break
    log.info("swept", **removed)
