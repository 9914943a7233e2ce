"""Following the patterns of a repository."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.types import Info

from app.reads.patterns import PATTERN
from app.reads.reading import by_ids
from app.reads.visible import View
from resolvers.context import Context
from resolvers.lists import or_none
from resolvers.live.following import change_of, follow_patterns
from resolvers.patterns.types import Pattern, PatternEvent

field = strawberry.field


async def _changed(self: Mapping[str, Any], info: Info[Context, None]) -> Any:
    async def read(session: AsyncSession, view: View, keys: Sequence[UUID]) -> dict[UUID, Any]:
        return await by_ids(session, view, PATTERN, keys)

    return await info.context.load(("changed",), read, self["event"]["pattern_id"])


@strawberry.type(description="A change of a pattern, and the pattern as it is now.")
class PatternChange:
    """A change of a pattern."""

    sequence: int = field(description="Its number among the changes of the repository, in commit order.")
    pattern: Pattern = strawberry.field(resolver=_changed, description="The pattern as it is now.")
    event: PatternEvent = field(description="What happened.")


@strawberry.type
class PatternSubscriptions:
    """What can be followed of patterns."""

    @strawberry.subscription(
        description="Each change of a repository's patterns once, in commit order; without `after`, those from now on. "
        "Refuses: NOT_FOUND, VALIDATION_ERROR."
    )
    async def pattern_changes(
        self,
        info: Info[Context, None],
        repo_id: Annotated[strawberry.ID, strawberry.argument(description="The repository.")],
        after: Annotated[int | None, strawberry.argument(description="The last sequence seen.")] = strawberry.UNSET,
    ) -> AsyncGenerator[PatternChange, None]:
        """Follow the patterns of a repository."""
        changes = follow_patterns(info.context, repo_id, or_none(after))
        async with aclosing(changes):
            async for delivery in changes:
                yield cast("PatternChange", change_of(delivery))
