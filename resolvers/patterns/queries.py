"""Queries about patterns."""

from typing import Annotated, Any, cast

import strawberry
from strawberry.types import Info

from app.domain.confidence import ConfidenceTier
from app.domain.pattern import PatternCategory, PatternStatus, PatternType
from app.reads.listing import ListArguments
from app.reads.patterns import PATTERNS, PatternOrderField
from app.reads.roots import ById
from app.reads.shape import Record
from resolvers import lists
from resolvers.context import Context
from resolvers.lists import Connection, all_of, given, listed, one, spelled
from resolvers.patterns.types import Pattern
from resolvers.words import OrderDirection

field = strawberry.field


@strawberry.input(description="Which patterns are wanted; all conditions must hold.")
class PatternFilter:
    """Conditions on patterns."""

    repo_id: strawberry.ID | None = field(default=strawberry.UNSET, description="Of this repository.")
    organization_id: strawberry.ID | None = field(default=strawberry.UNSET, description="Of this organization.")
    status: list[PatternStatus] | None = field(default=strawberry.UNSET, description="In one of these statuses.")
    type: PatternType | None = field(default=strawberry.UNSET, description="Of this type.")
    category: list[PatternCategory] | None = field(default=strawberry.UNSET, description="In one of these categories.")
    tier: list[ConfidenceTier] | None = field(default=strawberry.UNSET, description="In one of these tiers.")
    language: str | None = field(default=strawberry.UNSET, description="Of this language.")
    search: str | None = field(
        default=strawberry.UNSET,
        description="Whose name, description or rationale has all of these words, or words that begin so; unless an "
        "order is asked for, the best matches come first.",
    )
    owner_id: strawberry.ID | None = field(default=strawberry.UNSET, description="Maintained by this person.")
    similar_only: bool | None = field(
        default=strawberry.UNSET, description="If true: that say what another pattern says."
    )
    path: str | None = field(default=strawberry.UNSET, description="Whose scope covers this path.")


@strawberry.input(description="The order of patterns.")
class PatternOrder:
    """An order of patterns."""

    field: PatternOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.DESC, description="Which way; nulls last in both."
    )


PatternFilterArgument = Annotated[PatternFilter | None, strawberry.argument(description="Which are wanted.")]
PatternOrderArgument = Annotated[
    PatternOrder | None,
    strawberry.argument(description="Their order; if not said, newest first, or best match first of a search."),
]


async def _patterns(
    self: Record,
    info: Info[Context, None],
    first: lists.First = strawberry.UNSET,
    after: lists.After = strawberry.UNSET,
    last: lists.Last = strawberry.UNSET,
    before: lists.Before = strawberry.UNSET,
    filter: PatternFilterArgument = strawberry.UNSET,  # noqa: A002 - the contract's word
    order_by: PatternOrderArgument = strawberry.UNSET,
) -> Any:
    arguments = spelled(first, after, last, before, filter, order_by)
    return await listed(info.context, self, info.python_name, "Repo.patterns", arguments)


def pages_of_patterns(description: str) -> Any:
    """Declare a connection of patterns."""
    return strawberry.field(resolver=_patterns, description=description)


Deferred = Annotated[bool | None, strawberry.argument(description="The deferred ones instead, oldest deferral first.")]


@strawberry.type
class PatternQueries:
    """Where queries about patterns begin."""

    @field(description="The pattern with an id. Refuses: NOT_FOUND, VALIDATION_ERROR.")
    async def pattern(self, info: Info[Context, None], id: lists.Id) -> Pattern | None:  # noqa: A002
        """Read one pattern."""
        return cast("Pattern", await one(info.context, ById("Pattern"), id, "pattern"))

    @field(description="Patterns of all repositories that the viewer sees.")
    async def patterns(
        self,
        info: Info[Context, None],
        first: lists.First = strawberry.UNSET,
        after: lists.After = strawberry.UNSET,
        last: lists.Last = strawberry.UNSET,
        before: lists.Before = strawberry.UNSET,
        filter: PatternFilterArgument = strawberry.UNSET,  # noqa: A002
        order_by: PatternOrderArgument = strawberry.UNSET,
    ) -> Connection[Pattern] | None:
        """Read a page of patterns."""
        arguments = spelled(first, after, last, before, filter, order_by)
        return cast("Connection[Pattern]", await all_of(info.context, PATTERNS, "Query.patterns", arguments))

    @field(
        description="What waits for a person: candidates by tier, then by what they would have caught, then by age. "
        "Refuses: NOT_FOUND, VALIDATION_ERROR."
    )
    async def triage_queue(
        self,
        info: Info[Context, None],
        repo_id: Annotated[strawberry.ID, strawberry.argument(description="The repository.")],
        first: lists.First = 20,
        after: lists.After = strawberry.UNSET,
        deferred: Deferred = False,
    ) -> Connection[Pattern] | None:
        """Read a page of the queue."""
        repo = await one(info.context, ById("Repo", "repo_id"), repo_id, "repository")
        relation = "deferred_queue" if deferred else "triage_queue"
        arguments = ListArguments(page=given(first=first, after=after))
        queue = await listed(info.context, repo, relation, f"Query.{relation}", arguments)
        return cast("Connection[Pattern]", queue)
