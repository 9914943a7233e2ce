"""Objects of any type, told by their ids."""

from typing import Annotated, cast

import strawberry
from strawberry.types import Info

from app.domain.errors import Invalid, NotFound
from app.domain.ids import parse
from app.reads.roots import BY_KIND, ById
from resolvers import lists
from resolvers.context import Context
from resolvers.lists import Node, one

MOST = 100


@strawberry.type
class NodeQueries:
    """Where queries by id begin."""

    @strawberry.field(description="The object with an id, of whatever type. Refuses: NOT_FOUND, VALIDATION_ERROR.")
    async def node(self, info: Info[Context, None], id: lists.Id) -> Node | None:  # noqa: A002 - the contract's word
        """Read one object."""
        return await _any(info.context, id)

    @strawberry.field(
        description="The objects with these ids, at most 100, in this order; null with an error where there is none. "
        "Refuses: VALIDATION_ERROR."
    )
    async def nodes(
        self,
        info: Info[Context, None],
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Their ids.")],
    ) -> list[Node | None]:
        """Read several objects."""
        if len(ids) > MOST:
            raise Invalid(f"Ask for at most {MOST} objects at once.", fields={"ids": f"has more than {MOST}"})
        # An awaitable for each index, so that one that is absent is an error at its own place.
        return [cast("Node", _any(info.context, text)) for text in ids]


async def _any(context: Context, text: str) -> Node:
    kind, _ = parse(text)
    shape = BY_KIND.get(kind)
    if shape is None:
        raise NotFound("No such object.")
    return cast("Node", await one(context, ById(shape.name), text, "object"))
