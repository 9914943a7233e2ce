"""Following runs: which run, from where, and for how long the viewer may."""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from uuid import UUID

from app.domain.errors import Forbidden, Invalid, NotFound
from app.domain.events import PatternsChanged, RunQueued
from app.domain.ids import Kind, parse_as
from app.domain.run import IngestionEventKind, RunStatus
from app.domain.viewer import Permission
from app.reads import patterns, runs
from app.reads.reading import by_ids
from app.reads.repos import REPO
from app.reads.runs import INGESTION_RUN
from app.reads.shape import Record
from resolvers.context import Context
from resolvers.feeds import BATCH, LOOK_SECONDS, FellBehind, deliveries

Event = Mapping[str, Any]


async def follow_runs(
    context: Context, repo_id: str | None, run_id: str | None, after: int | None, *, follow: bool
) -> AsyncGenerator[Event, None]:
    """Tell of a run as the subscription promises."""
    if (repo_id is None) == (run_id is None):
        raise Invalid("Name a repository or a run, not both.", fields={"runId": "give exactly one of repoId and runId"})
    if after is not None and (run_id is None or after < 0):
        raise Invalid("Going on after an event needs its run.", fields={"after": "needs runId, and at least 0"})
    if run_id is not None:
        run = await _visible(context, INGESTION_RUN, parse_as(Kind.INGESTION_RUN, run_id, field="runId"), "run")
        repo, chosen = run["repo_id"], run["id"]
    else:
        assert repo_id is not None
        repo = (await _visible(context, REPO, parse_as(Kind.REPO, repo_id, field="repoId"), "repository"))["id"]
        chosen = await _first_run(context, repo)
    while True:
        events = _one_run(context, chosen, after)
        async with aclosing(events):
            async for event in events:
                yield event
        if not follow:
            return
        after = None
        chosen = await _next_run(context, repo, chosen)


async def follow_patterns(context: Context, repo_id: str, after: int | None) -> AsyncGenerator[Record, None]:
    """Tell each change of a repository's patterns once, in commit order; without `after`, those from now on."""
    if after is not None and after < 0:
        raise Invalid("A sequence is at least 0.", fields={"after": "at least 0"})
    identifier = parse_as(Kind.REPO, repo_id, field="repoId")
    async with context.runtime.bus.listen(PatternsChanged(identifier, 0).channel) as bell:
        repo = await _visible(context, REPO, identifier, "repository")
        if not context.viewer.sees(repo["organization_id"], Permission.READ_PATTERNS):
            raise Forbidden("You may not read patterns in this organization.")
        last = repo["change_sequence"] if after is None else after
        while True:
            async with context.read() as session:
                changes = await patterns.changes_after(session, context.view, identifier, last, BATCH)
            for change in changes:
                yield change
                last = change["sequence"]
            if len(changes) < BATCH:
                await bell.wait(LOOK_SECONDS)
            await _still_there(context, identifier)


async def _one_run(context: Context, run_id: UUID, after: int | None) -> AsyncGenerator[Event, None]:
    checked = time.monotonic()

    async def permitted() -> None:
        """Ask again whether the viewer may see this: at most once a second, a revocation need not be faster."""
        nonlocal checked
        if time.monotonic() - checked >= LOOK_SECONDS:
            await context.renew()
            await _visible(context, INGESTION_RUN, run_id, "run")
            checked = time.monotonic()

    async with context.feeds.of(run_id) as feed:
        while True:
            run = await _visible(context, INGESTION_RUN, run_id, "run")
            present = run["sequence"]
            start = present
            if after is not None and after <= present and await _reaches_back(context, run_id, after, present):
                start = after
            yield _snapshot(run, start)
            if run["status"] not in (RunStatus.QUEUED, RunStatus.RUNNING) and start >= present:
                return
            told = deliveries(feed, start, permitted, complete=start < present)
            try:
                async with aclosing(told):
                    async for delivery in told:
                        yield {**delivery.entry.row, "skipped": delivery.skipped}
                return
            except FellBehind:
                # As for one who comes back too late: the present state is what can still be told.
                after = None


def _snapshot(run: Record, sequence: int) -> Event:
    return {
        "run_id": run["id"],
        "organization_id": run["organization_id"],
        "sequence": sequence,
        "skipped": 0,
        "kind": IngestionEventKind.SNAPSHOT,
        "at": runs.moment(),
        "stage": run["stage"],
        "progress": next((stage for stage in run["stages"] if stage["stage"] == run["stage"]), None),
        "message": None,
        "pattern_id": None,
        "run": {name: run[name] for name in runs.SNAPSHOT},
    }


async def _visible(context: Context, shape: Any, identifier: UUID, noun: str) -> Record:
    async with context.read() as session:
        found = (await by_ids(session, context.view, shape, [identifier]))[identifier]
    if found is None:
        raise NotFound(f"No such {noun}.")
    return found


async def _reaches_back(context: Context, run_id: UUID, after: int, present: int) -> bool:
    if after == present:
        return True
    async with context.read() as session:
        following = await runs.events_after(session, run_id, after, 1)
    return bool(following) and following[0]["sequence"] == after + 1


async def _first_run(context: Context, repo_id: UUID) -> UUID:
    """Find the run to follow, or wait for the first."""
    async with context.runtime.bus.listen(RunQueued(repo_id, 0).channel) as bell:
        while True:
            async with context.read() as session:
                chosen = await runs.newest(session, repo_id)
            if chosen is not None:
                return chosen
            await bell.wait(LOOK_SECONDS)
            await _still_there(context, repo_id)


async def _next_run(context: Context, repo_id: UUID, run_id: UUID) -> UUID:
    async with context.runtime.bus.listen(RunQueued(repo_id, 0).channel) as bell:
        while True:
            async with context.read() as session:
                chosen = await runs.next_after(session, repo_id, run_id)
            if chosen is not None:
                return chosen
            await bell.wait(LOOK_SECONDS)
            await _still_there(context, repo_id)


async def _still_there(context: Context, repo_id: UUID) -> None:
    await context.renew()
    await _visible(context, REPO, repo_id, "repository")
