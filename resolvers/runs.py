"""Ingestion runs and the events that tell of them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, cast

import strawberry
from strawberry.types import Info

from app.domain.run import IngestionEventKind, IngestionStage, RunStatus, RunTrigger, StageState
from app.reads.roots import ById
from resolvers import lists
from resolvers.context import Context
from resolvers.lists import Connection, Node, forward, one, or_none, related
from resolvers.live.following import event_of, follow_runs

if TYPE_CHECKING:
    from resolvers.patterns import Pattern
    from resolvers.repos import Repo

field = strawberry.field


@strawberry.type(description="How one stage of a run stands.")
class StageProgress:
    """One stage."""

    stage: IngestionStage = field(description="The stage.")
    state: StageState = field(description="How it stands.")
    done: int = field(description="How much is done.")
    total: int | None = field(description="How much there is, once that is known.")
    unit: str | None = field(description="What is counted.")
    started_at: datetime | None = field(description="When it began.")
    finished_at: datetime | None = field(description="When it ended.")
    note: str | None = field(description="Why it was skipped, or what it came to.")


@strawberry.type(description="How often something happened, with examples.")
class ReasonCount:
    """A reason and its count."""

    reason: str = field(description="The reason.")
    count: int = field(description="How often.")
    examples: list[str] = field(description="A few of the places or names.")


@strawberry.type(description="Something declared in a document or configuration that the code does not do.")
class Contradiction:
    """A declaration that does not hold."""

    statement: str = field(description="What was declared.")
    path: str = field(description="Where.")
    line: int | None = field(description="On which line.")
    followed: int = field(description="In how many places the code follows it.")
    total: int = field(description="Of how many.")


@strawberry.type(description="What a run left out, and why.")
class RunReport:
    """The account of a run."""

    dropped: list[ReasonCount] = field(description="Evidence that did not stand up.")
    suppressed: list[ReasonCount] = field(description="Candidates that were not worth a person's time.")
    skipped_files: list[ReasonCount] = field(description="Files that were not read.")
    contradictions: list[Contradiction] = field(description="Declarations that the code contradicts.")


@strawberry.type(description="One pass over a repository at one commit.")
class IngestionRun(Node):
    """One pass over a repository."""

    repo: Annotated["Repo", strawberry.lazy("resolvers.repos")] = related("The repository.")
    status: RunStatus = field(description="Where it stands.")
    trigger: RunTrigger = field(description="What started it.")
    stage: IngestionStage = field(
        description="Where it is: FETCH while queued, DONE after success, else where it stopped."
    )
    stages: list[StageProgress] = field(description="All stages, in order.")
    commit_sha: str | None = field(description="The commit it reads, once that is known.")
    attempt: int = field(description="Which try this is.")
    sequence: int = field(description="The number of its newest event.")
    queued_at: datetime = field(description="When it was asked for.")
    started_at: datetime | None = field(description="When a worker took it up.")
    finished_at: datetime | None = field(description="When it ended.")
    error_code: str | None = field(description="Why it failed, for programs.")
    error_message: str | None = field(description="Why it failed, for people.")
    patterns_found: int = field(description="How many patterns it found.")
    patterns_dropped: int = field(description="How many had evidence that did not stand up.")
    input_tokens: int = field(description="Tokens sent to models.")
    output_tokens: int = field(description="Tokens that models wrote.")
    cost_usd: float = field(description="What the models cost, in US dollars.")
    fraction: float = field(description="How much of the whole run is done, from 0 to 1; never falls.")
    eta_seconds: float | None = field(description="About how long it will still take; null where nobody can tell.")
    report: RunReport | None = field(description="What it left out, and why; once it ended.")
    events: Connection["IngestionEvent"] = forward("The log of its events, oldest first.")


@strawberry.type(description="Something that happened in a run.")
class IngestionEvent:
    """One event of a run."""

    sequence: int = field(description="Its number in the run.")
    skipped: int = field(description="How many PROGRESS events were left out since the last one delivered.")
    kind: IngestionEventKind = field(description="What it tells.")
    at: datetime = field(description="When it happened.")
    run: IngestionRun = related("The run.")
    stage: IngestionStage = field(description="The stage it speaks of.")
    progress: StageProgress | None = field(description="How that stage stood.")
    message: str | None = field(description="A line for people.")
    pattern: Annotated["Pattern", strawberry.lazy("resolvers.patterns")] | None = related("The pattern that was found.")


@strawberry.type
class RunQueries:
    """Where queries about runs begin."""

    @field(description="The run with an id. Refuses: NOT_FOUND, VALIDATION_ERROR.")
    async def ingestion_run(self, info: Info[Context, None], id: lists.Id) -> IngestionRun | None:  # noqa: A002
        """Read one run."""
        return cast("IngestionRun", await one(info.context, ById("IngestionRun"), id, "run"))


RepoId = Annotated[strawberry.ID | None, strawberry.argument(description="Follow a repository's newest run.")]
RunId = Annotated[strawberry.ID | None, strawberry.argument(description="Follow this run.")]
AfterEvent = Annotated[
    int | None,
    strawberry.argument(description="The last sequence seen; needs runId. Every later event in the log is told."),
]
Follow = Annotated[
    bool | None, strawberry.argument(description="Go on with later runs of the same repository, each from a SNAPSHOT.")
]


@strawberry.type
class RunSubscriptions:
    """What can be followed of runs."""

    @strawberry.subscription(
        description="A SNAPSHOT of a run, then each later event once, in order, until it has FINISHED. "
        "Name a repoId or a runId, not both. Refuses: NOT_FOUND, VALIDATION_ERROR."
    )
    async def ingestion_status(
        self,
        info: Info[Context, None],
        repo_id: RepoId = strawberry.UNSET,
        run_id: RunId = strawberry.UNSET,
        after: AfterEvent = strawberry.UNSET,
        follow: Follow = False,
    ) -> AsyncGenerator[IngestionEvent, None]:
        """Follow a run, or a repository's runs."""
        seen = or_none(after)
        events = follow_runs(info.context, repo_id or None, run_id or None, seen, follow=bool(follow))
        async with aclosing(events):
            async for delivery in events:
                yield cast("IngestionEvent", event_of(delivery))
