"""Compare: what is decided says something about all that waits beside it."""

from app.domain import jobs
from app.reads import deciding
from app.runtime import Runtime
from app.services import comparing

# So many repositories at a look: after an upgrade it may be all of them.
MOST_AT_ONCE = 100


async def compare(runtime: Runtime, _: jobs.Compare) -> None:
    """Compare what waits with what is decided, wherever anything was changed; what one look misses, the next finds."""
    async with runtime.read() as session:
        changed = await deciding.uncompared(session, MOST_AT_ONCE)
    for repo_id, sequence in changed.items():
        async with runtime.write() as tx:
            await comparing.compare(tx, repo_id)
        # Apart: decisions hold the repository before its patterns, and would wait for whoever does it the other way.
        async with runtime.write() as tx:
            await comparing.note(tx, repo_id, sequence)
