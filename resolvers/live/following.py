"""Following runs and patterns: which log, from where, and for how long the viewer may."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.errors import Forbidden, Invalid, NotFound
from app.domain.events import PatternsChanged, RunAdvanced, RunQueued
from app.domain.ids import Kind, parse_as
from app.domain.run import IngestionEventKind, RunStatus
from app.domain.viewer import Permission, Viewer
from app.reads import patterns, runs
from app.reads.patterns import PATTERN_EVENT
from app.reads.reading import by_ids
from app.reads.repos import REPO
from app.reads.runs import INGESTION_EVENT, INGESTION_RUN
from app.reads.shape import Record
from resolvers.context import Context
from resolvers.live.feeds import FellBehind, Log, deliveries
from resolvers.live.followers import Delivery, Entry, Follower, Push, Rights

RUN_EVENTS = Log("run", RunAdvanced, runs.events_after, runs.tails)
RUNS = Log("repository", RunQueued, runs.runs_after, runs.newest_of, is_dense=False)
PATTERN_CHANGES = Log("repository", PatternsChanged, patterns.changes_after, patterns.change_tails)


async def follow_runs(
    context: Context,
    repo_id: str | None,
    run_id: str | None,
    after: int | None,
    *,
    follow: bool,
    push: Push | None = None,
    needs: Sequence[Permission] = (),
) -> AsyncGenerator[Delivery, None]:
    """Tell of a run as the subscription promises; what `push` takes is not told here."""
    if (repo_id is None) == (run_id is None):
        raise Invalid("Name a repository or a run, not both.", fields={"runId": "give exactly one of repoId and runId"})
    if after is not None and (run_id is None or after < 0):
        raise Invalid("Going on after an event needs its run.", fields={"after": "needs runId, and at least 0"})
    if run_id is not None:
        run = await _visible(context, INGESTION_RUN, parse_as(Kind.INGESTION_RUN, run_id, field="runId"), "run")
        repo, chosen = run["repo_id"], run["id"]
        organization = run["organization_id"]
    else:
        assert repo_id is not None
        found = await _visible(context, REPO, parse_as(Kind.REPO, repo_id, field="repoId"), "repository")
        repo, organization = found["id"], found["organization_id"]
        chosen = await _first_run(context, found)
    while True:
        events = _one_run(context, chosen, after, push, needs)
        async with aclosing(events):
            async for event in events:
                yield event
        if not follow:
            return
        after = None
        chosen = await _next_run(context, repo, organization, chosen)


async def follow_patterns(
    context: Context, repo_id: str, after: int | None, *, push: Push | None = None
) -> AsyncGenerator[Delivery, None]:
    """Tell each change of a repository's patterns once, in commit order; without `after`, those from now on."""
    if after is not None and after < 0:
        raise Invalid("A sequence is at least 0.", fields={"after": "at least 0"})
    identifier = parse_as(Kind.REPO, repo_id, field="repoId")
    # Asked before anything is read, and again inside: between the two there may have been changes.
    await _visible(context, REPO, identifier, "repository")
    async with context.feeds.of(PATTERN_CHANGES, identifier) as feed:
        repo = await _visible(context, REPO, identifier, "repository")
        rights = _rights(context, repo["organization_id"], "repository", (Permission.READ_PATTERNS,))
        _require(context.viewer, repo["organization_id"], "repository", (Permission.READ_PATTERNS,))
        last = repo["change_sequence"]
        if after is not None and after > last:
            # Whoever waited for it would miss all that comes before.
            raise Invalid("There was no such change yet.", fields={"after": f"at most {last}"})
        follower = Follower(last if after is None else after, rights, push)
        told = deliveries(feed, follower, complete=True)
        async with aclosing(told):
            async for delivery in told:
                context.forget()
                yield delivery


async def _one_run(
    context: Context, run_id: UUID, after: int | None, push: Push | None, needs: Sequence[Permission]
) -> AsyncGenerator[Delivery, None]:
    async with context.feeds.of(RUN_EVENTS, run_id) as feed:
        while True:
            run = await _visible(context, INGESTION_RUN, run_id, "run")
            present = run["sequence"]
            start = present
            if after is not None and after <= present and await _reaches_back(context, run_id, after, present):
                start = after
            yield _snapshot(run, start, context.now)
            if run["status"] not in (RunStatus.QUEUED, RunStatus.RUNNING) and start >= present:
                return
            follower = Follower(start, _rights(context, run["organization_id"], "run", needs), push)
            told = deliveries(feed, follower, complete=start < present)
            try:
                async with aclosing(told):
                    async for delivery in told:
                        context.forget()
                        yield delivery
                return
            except FellBehind:
                # As for one who comes back too late: the present state is what can still be told.
                after = None


def event_of(delivery: Delivery) -> Record:
    """Show a delivery as an event of a run that its viewer can look further from."""
    return Record(INGESTION_EVENT, delivery.event)


def change_of(delivery: Delivery) -> dict[str, Any]:
    """Show a delivery as a change of a pattern that its viewer can look further from."""
    event = Record(PATTERN_EVENT, delivery.event)
    return {"sequence": event["sequence"], "event": event}


def _snapshot(run: Record, sequence: int, now: datetime) -> Delivery:
    row = {
        "run_id": run["id"],
        "organization_id": run["organization_id"],
        "sequence": sequence,
        "kind": IngestionEventKind.SNAPSHOT,
        "at": now,
        "stage": run["stage"],
        "progress": next((stage for stage in run["stages"] if stage["stage"] == run["stage"]), None),
        "message": None,
        "pattern_id": None,
        "run": {name: run[name] for name in runs.SNAPSHOT},
    }
    return Delivery(Entry(row), 0, sequence)


def _rights(context: Context, organization_id: UUID, noun: str, needs: Sequence[Permission]) -> Rights:
    """Look at the viewer again: what they follow never changes hands, so that is all there is to ask."""

    async def ask() -> None:
        await context.renew()
        _require(context.viewer, organization_id, noun, needs)

    return ask


def _require(viewer: Viewer, organization_id: UUID, noun: str, needs: Sequence[Permission]) -> None:
    if not viewer.sees(organization_id, Permission.READ_REPOS):
        raise NotFound(f"No such {noun}.")
    for permission in needs:
        if not viewer.sees(organization_id, permission):
            raise Forbidden(f"You may not {permission.value} in this organization.")


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


async def _first_run(context: Context, repo: Record) -> UUID:
    """Find the run to follow, or wait for the first."""
    async with context.read() as session:
        chosen = await runs.newest(session, repo["id"])
    return chosen or await _next_run(context, repo["id"], repo["organization_id"], UUID(int=0))


async def _next_run(context: Context, repo_id: UUID, organization_id: UUID, run_id: UUID) -> UUID:
    """Wait for the run that comes after another one of the same repository."""
    async with context.feeds.of(RUNS, repo_id) as feed:
        follower = Follower(run_id.int, _rights(context, organization_id, "repository", ()), None)
        told = deliveries(feed, follower, complete=False)
        async with aclosing(told):
            async for delivery in told:
                found: UUID = delivery.entry.row["id"]
                return found
    raise AssertionError("a repository's runs have no end")
