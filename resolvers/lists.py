"""Fields that lead from one object to others, and the connections that lists come in."""

from functools import partial
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import strawberry
from strawberry.types import Info

from app.domain.errors import Forbidden, NotFound
from app.domain.ids import parse_as, public
from app.reads.listing import ListArguments, Listing
from app.reads.patterns import FEW
from app.reads.reading import (
    Page,
    by_ids,
    count,
    counts_of,
    only_of,
    page,
    pages_of,
    tally_of,
)
from app.reads.roots import SHAPES, ById
from app.reads.shape import Many, One, Only, Record, Relation, Shape, Tally
from resolvers.context import Context
from resolvers.words import OrderDirection

T = TypeVar("T")

Id = Annotated[strawberry.ID, strawberry.argument(description="The object's id.")]
First = Annotated[int | None, strawberry.argument(description="How many from the start, 1 to 100; 20 if not said.")]
FirstOfFew = Annotated[int | None, strawberry.argument(description="How many from the start, 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="The cursor behind which to begin.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the end, 1 to 100.")]
Before = Annotated[str | None, strawberry.argument(description="The cursor before which to end.")]


def _public_id(self: Record) -> strawberry.ID:
    assert self.shape.kind is not None
    return strawberry.ID(public(self.shape.kind, self["id"]))


@strawberry.interface(description="Anything with an id of its own.")
class Node:
    """Objects are records; each type knows its own by their shape."""

    id: strawberry.ID = strawberry.field(resolver=_public_id, description="Opaque, and unique over all types.")

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        """Tell whether a record is of this type."""
        return isinstance(value, Record) and value.shape.name == cls.__name__


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """The four facts of the Relay specification."""

    has_next_page: bool = strawberry.field(description="Whether rows follow.")
    has_previous_page: bool = strawberry.field(
        description="Whether rows stand before; walking forward, whether `after` was given."
    )
    start_cursor: str | None = strawberry.field(description="The cursor of the first row; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last row; null on an empty page.")


@strawberry.type(description="One row of a list, with its address in it.")
class Edge(Generic[T]):
    """A row and its cursor."""

    cursor: str = strawberry.field(description="The row's address in this list, in this order.")
    node: T = strawberry.field(description="The row.")


async def _total(self: Any) -> int:
    return int(await self["count"]())


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page as Relay wants it, and its rows without the wrapping."""

    edges: list[Edge[T]] = strawberry.field(description="The rows with their cursors.")
    nodes: list[T] = strawberry.field(description="The rows.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int = strawberry.field(
        resolver=_total, description="How many rows the whole list has; counted only when asked for."
    )


def connection(found: Page, counted: Any) -> dict[str, Any]:
    """Show a page; its rows are counted only if somebody asks."""
    edges = [{"cursor": cursor, "node": record} for cursor, record in zip(found.cursors, found.records, strict=True)]
    return {
        "edges": edges,
        "nodes": found.records,
        "page_info": {
            "has_next_page": found.has_next,
            "has_previous_page": found.has_previous,
            "start_cursor": found.cursors[0] if edges else None,
            "end_cursor": found.cursors[-1] if edges else None,
        },
        "count": counted,
    }


async def all_of(context: Context, many: Many, name: str, arguments: ListArguments) -> dict[str, Any]:
    """Answer a list that has no parent."""
    listing = Listing.of(many, name, arguments, context.cursors, context.view.sight)
    view = context.view

    async def counted() -> int:
        async with context.read() as session:
            return await count(session, view, listing)

    async with context.read() as session:
        return connection(await page(session, view, listing), counted)


async def listed(context: Context, parent: Record, relation: str, name: str, arguments: ListArguments) -> Any:
    """Answer a list of one parent, read for all its siblings at once."""
    many = parent.shape.relations[relation]
    assert isinstance(many, Many)
    _permitted(context, many, parent)
    listing = Listing.of(many, name, arguments, context.cursors, context.view.sight)
    key = (parent.shape.name, relation, repr(arguments))
    read = partial(_swap(pages_of), listing)
    found: Page = await context.load(key, read, parent["id"])
    if not many.paged:
        return found.records
    return connection(found, lambda: context.load((*key, "count"), partial(_swap(counts_of), listing), parent["id"]))


def _swap(read: Any) -> Any:
    return lambda subject, session, view, keys: read(session, view, subject, keys)


def _permitted(context: Context, relation: Relation, parent: Record) -> None:
    """Refuse a field whose rows this viewer may not see here; an empty list would be a lie."""
    permission = SHAPES[relation.to].seen_by.permission
    organization_id = parent["id"] if parent.shape.name == "Organization" else parent.get("organization_id")
    if permission is None or organization_id is None or context.view.sight.everywhere:
        return
    if not context.viewer.may(permission, organization_id):
        raise Forbidden(f"You may not {permission.value} in this organization.")


async def _related(self: Record, info: Info[Context, None]) -> Any:
    relation = self.shape.relations[info.python_name]
    context = info.context
    key = (self.shape.name, info.python_name)
    match relation:
        case One(to=to, by=by, seen_by=seen_by, as_of=as_of):
            if self[by] is None:
                return None
            if seen_by is None:
                _permitted(context, relation, self)
            read = lambda session, view, keys: by_ids(session, view, SHAPES[to], keys, seen_by)  # noqa: E731
            found = await context.load(("One", to, seen_by is None), read, self[by])
            return Record(found.shape, {**found, **self[as_of]}) if found and as_of else found
        case Only():
            _permitted(context, relation, self)
            return await context.load(key, partial(_swap(only_of), relation), self["id"])
        case Tally():
            _permitted(context, relation, self)
            return await context.load(key, partial(_swap(tally_of), relation), self["id"])
        case Many():
            return await listed(context, self, info.python_name, _name(info), ListArguments())


def _name(info: Info[Context, None]) -> str:
    raw = info._raw_info  # noqa: SLF001 - Strawberry's Info does not tell the parent's type
    return f"{raw.parent_type.name}.{raw.field_name}"


async def _page_both(
    self: Record,
    info: Info[Context, None],
    first: First = strawberry.UNSET,
    after: After = strawberry.UNSET,
    last: Last = strawberry.UNSET,
    before: Before = strawberry.UNSET,
) -> Any:
    arguments = ListArguments(page=given(first=first, after=after, last=last, before=before))
    return await listed(info.context, self, info.python_name, _name(info), arguments)


async def _page_forward(
    self: Record,
    info: Info[Context, None],
    first: First = strawberry.UNSET,
    after: After = strawberry.UNSET,
) -> Any:
    return await listed(
        info.context, self, info.python_name, _name(info), ListArguments(page=given(first=first, after=after))
    )


async def _page_of_few(
    self: Record, info: Info[Context, None], first: FirstOfFew = FEW, after: After = strawberry.UNSET
) -> Any:
    return await listed(
        info.context, self, info.python_name, _name(info), ListArguments(page=given(first=first, after=after))
    )


def related(description: str) -> Any:
    """Declare a field that leads to another object, to counts or to a plain list."""
    return strawberry.field(resolver=_related, description=description)


def pages(description: str) -> Any:
    """Declare a connection that is walked both ways."""
    return strawberry.field(resolver=_page_both, description=description)


def forward(description: str) -> Any:
    """Declare a connection that is walked forward."""
    return strawberry.field(resolver=_page_forward, description=description)


def few(description: str) -> Any:
    """Declare a connection of which mostly the first few matter."""
    return strawberry.field(resolver=_page_of_few, description=description)


def given(**arguments: Any) -> dict[str, Any]:
    """Keep the arguments that a caller gave."""
    return {name: value for name, value in arguments.items() if value is not strawberry.UNSET and value is not None}


def or_none(value: T) -> T | None:
    """Give what a caller said, or None where nothing was said."""
    return None if value is strawberry.UNSET else value


def spelled(first: Any, after: Any, last: Any, before: Any, filter_: Any, order_by: Any) -> ListArguments:
    """Spell the arguments of a list that can be filtered and ordered, as its shape knows them."""
    order = {"order_field": order_by.field, "descending": order_by.direction is OrderDirection.DESC} if order_by else {}
    page = given(first=first, after=after, last=last, before=before)
    return ListArguments(page=page, filters=given(**vars(filter_)) if filter_ else {}, **order)


def found_or_refused(record: Record | None, noun: str) -> Record:
    """Give a record that is there for this viewer, or say that there is none."""
    if record is None:
        raise NotFound(f"No such {noun}.")
    return record


async def one(context: Context, root: ById, text: str, noun: str) -> Record:
    """Read the object with an id, or say that there is none."""
    shape = SHAPES[root.to]
    assert shape.kind is not None
    identifier = parse_as(shape.kind, text, field=camel(root.argument))
    record = await context.load(("by id", shape.name), partial(_swap(_known), shape), identifier)
    return found_or_refused(record, noun)


async def shown(context: Context, name: str, identifier: UUID) -> Any:
    """Read an object that a decision has just touched, the way that every object is read."""
    record = await context.load(("by id", name), partial(_swap(_known), SHAPES[name]), identifier)
    return found_or_refused(record, "object")


async def _known(session: Any, view: Any, shape: Shape, ids: Any) -> dict[Any, Any]:
    return dict(await by_ids(session, view, shape, ids))


def camel(name: str) -> str:
    """Spell a name as GraphQL does."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
