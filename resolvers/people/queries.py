"""Where queries about people and organizations begin."""

from typing import Annotated, cast

import strawberry
from strawberry.types import Info

from app.reads.people import ORGANIZATION, USER
from app.reads.reading import by_column, by_ids
from resolvers.context import Context
from resolvers.lists import found_or_refused
from resolvers.people.types import Organization, User

field = strawberry.field


@strawberry.type
class PeopleQueries:
    """Where queries about people begin."""

    @field(description="Who is signed in; null for nobody.")
    async def viewer(self, info: Info[Context, None]) -> User | None:
        """Read the viewer."""
        context = info.context
        if context.someone is None:
            return None
        async with context.read() as session:
            found = await by_ids(session, context.view, USER, [context.viewer.user_id])
        return cast("User | None", found[context.viewer.user_id])

    @field(description="The organization with a slug. Refuses: NOT_FOUND.")
    async def organization(
        self,
        info: Info[Context, None],
        slug: Annotated[str, strawberry.argument(description="Its name in addresses.")],
    ) -> Organization | None:
        """Read one organization."""
        context = info.context
        async with context.read() as session:
            found = await by_column(session, context.view, ORGANIZATION, "slug", slug)
        return cast("Organization", found_or_refused(found, "organization"))
