"""HISTORY: who wrote each file, and when; a run reads only the commits that the last one has not seen."""

from contextlib import aclosing

import orjson

from app.domain.authorship import Authorship
from app.domain.errors import NotFound
from app.domain.source import SourceFailed, SourceProblem
from app.gateways.git.log import mailmap
from app.gateways.git.tracing import MOST_COMMITS
from app.gateways.storage import TooLarge
from app.hands.pool import HandFailed, Lost
from workers.crafts.tracing import Past, commits_since, tracing
from workers.ingest.step import Attempt

# What listing all commits, and what one commit, may take of a processor's time.
LISTING_SECONDS, COMMIT_SECONDS = 120.0, 20.0
KEPT = "history/latest"
_BATCH = 250


async def history(attempt: Attempt) -> None:
    """Bring the sum of all commits up to this one, and keep it for MINE and for the next run."""
    progress, found, owner = attempt.progress, attempt.found, attempt.owner
    names = await mailmap(attempt.cache, found.commit)
    known = await _kept(attempt)
    if known is None or known.mailmap != names.get("mailmap.blob"):
        known = Authorship(mailmap=names.get("mailmap.blob"))
    commits = await _listed(attempt, known.commit)
    if commits is None:
        # The branch was pushed anew, or came here by a way on which its commits are not in one order.
        known = Authorship(mailmap=known.mailmap)
        commits = await _listed(attempt, None) or []
    before = known.commits + known.missed
    progress.move(0, len(commits))
    traced = attempt.runtime.hands.each(
        tracing,
        Past(str(attempt.cache), names),
        commits,
        seconds=COMMIT_SECONDS,
        batch=_BATCH,
        party=owner.organization_id,
    )
    async with aclosing(traced):
        async for _, answer in traced:
            if isinstance(answer, Lost):
                known.missed += 1
            else:
                known.add(*answer)
            progress.move(known.commits + known.missed - before)
    known.commit = found.commit
    found.past = known
    note = f"{known.commits} commits, {len(commits)} of them new"
    try:
        await attempt.storage.put(owner.organization_id, owner.repo_id, KEPT, orjson.dumps(known.plain()))
    except TooLarge:
        note += "; too many files to keep what is known of them"
    progress.note(note)


async def _listed(attempt: Attempt, since: str | None) -> list[str] | None:
    if since == attempt.found.commit:
        return []
    try:
        return await attempt.runtime.hands.do(
            commits_since,
            *(str(attempt.cache), attempt.found.commit, since, MOST_COMMITS),
            seconds=LISTING_SECONDS,
            party=attempt.owner.organization_id,
        )
    except HandFailed as failed:
        raise SourceFailed(
            SourceProblem.BROKEN, "The history of the repository cannot be read.", detail=str(failed)
        ) from failed


async def _kept(attempt: Attempt) -> Authorship | None:
    """Read what the last run kept."""
    owner = attempt.owner
    try:
        told = await attempt.storage.get(f"{owner.organization_id.hex}/{owner.repo_id.hex}/{KEPT}")
        return Authorship.read(orjson.loads(told))
    except (NotFound, orjson.JSONDecodeError, KeyError, ValueError, TypeError):
        return None
