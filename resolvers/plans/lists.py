"""Lists in plans: a page with its edges, cursors and counts, or all rows."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from graphql import FieldNode, GraphQLObjectType, get_named_type
from sqlalchemy import ARRAY, ColumnElement, Integer, Select, case, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSON, aggregate_order_by

from app.reads.page import in_order
from app.reads.reading import Listing
from app.reads.shape import Rows
from resolvers.plans.json import EMPTY, object_of

if TYPE_CHECKING:
    from resolvers.plans.compiler import Compiler

_TRUE: ColumnElement[bool] = literal_column("true")
_FALSE: ColumnElement[bool] = literal_column("false")
_ONE = literal_column("1", Integer)


def connection(
    compiler: "Compiler",
    listing: Listing,
    type_: GraphQLObjectType,
    nodes: list[FieldNode],
    owner: ColumnElement[UUID] | None = None,
    outer: Rows | None = None,
) -> ColumnElement[Any]:
    """Compile a list; `owner` is the id of its rows' parent, `outer` are that parent's rows."""
    listed = _Listed(compiler, listing, owner, outer)
    if listing.cut is not None:
        return _Page(listed, type_, nodes).built()
    row = listed.column(compiler.object(listing.shape, type_, nodes, listing.rows), JSON())
    return select(func.coalesce(func.json_agg(row), EMPTY)).select_from(listed.subquery()).scalar_subquery()


class _Listed:
    """The inner statement of a list: what is worked out for each of its rows, in its order."""

    def __init__(
        self, compiler: "Compiler", listing: Listing, owner: ColumnElement[UUID] | None, outer: Rows | None
    ) -> None:
        self.compiler, self.listing = compiler, listing
        self.owner, self.outer = owner, outer
        self.columns: list[ColumnElement[Any]] = []

    def column(self, value: ColumnElement[Any], type_: Any) -> ColumnElement[Any]:
        """Add a value to each row, and name it for the outer statement."""
        label = f"column_{len(self.columns)}"
        self.columns.append(value.label(label))
        return literal_column(f"listed.{label}", type_)

    def statement(self, rows: Rows, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select from the list as a whole."""
        statement = select(*columns).select_from(rows).where(*self.listing.conditions(rows, self.owner))
        return statement if self.outer is None else statement.correlate(self.outer)

    def subquery(self, *, more: bool = False) -> Any:
        """Give the rows of the slice, and with `more` one beyond it."""
        # One level for rows and what is made of them: a page of whole rows below it costs half as much again.
        statement = self.statement(self.listing.rows, *(self.columns or (_ONE,)))
        return self.listing.arranged(statement, more=more).subquery("listed")


class _Page:
    """One page: its inner statement has a row for each row of the page, its outer one puts them together."""

    def __init__(self, listed: _Listed, type_: GraphQLObjectType, nodes: list[FieldNode]) -> None:
        assert listed.listing.cut is not None
        self.listed, self.compiler, self.listing = listed, listed.compiler, listed.listing
        self.cut = listed.listing.cut
        self.size = literal_column(str(self.cut.size), Integer)
        self.type, self.nodes = type_, nodes
        self.more = self._asks_for_more()
        # Whether anything that was asked for depends on the rows of the page.
        self.walked = self.more
        self.cursor: ColumnElement[Any] | None = None
        self.keys: list[ColumnElement[Any]] | None = None

    def built(self) -> ColumnElement[Any]:
        """Put the page together."""
        parts: dict[str, Callable[[list[FieldNode]], ColumnElement[Any]]] = {
            "edges": self._edges,
            "nodes": lambda nodes: self._gathered(self._row(self.type, "nodes", nodes)),
            "pageInfo": self._page_info,
            "totalCount": lambda _: self._total_count(),
        }
        built = object_of(self.compiler.selections, self.type, self.nodes, lambda name, nodes: parts[name](nodes))
        if not self.walked:
            return built
        return select(built).select_from(self.listed.subquery(more=self.more)).scalar_subquery()

    def _asks_for_more(self) -> bool:
        """Tell whether the answer says if the list goes on; else no row beyond the page is read."""
        fact = "hasPreviousPage" if self.cut.backward else "hasNextPage"
        of = self.compiler.selections.of
        pages = (nodes for nodes in of(self.type, self.nodes).values() if nodes[0].name.value == "pageInfo")
        return any(
            theirs[0].name.value == fact for nodes in pages for theirs in of(self._under("pageInfo"), nodes).values()
        )

    def _under(self, name: str) -> GraphQLObjectType:
        named = get_named_type(self.type.fields[name].type)
        assert isinstance(named, GraphQLObjectType)
        return named

    def _edges(self, nodes: list[FieldNode]) -> ColumnElement[Any]:
        edge = self._under("edges")

        def part(name: str, theirs: list[FieldNode]) -> ColumnElement[Any]:
            return self._cursor() if name == "cursor" else self._row(edge, "node", theirs)

        return self._gathered(object_of(self.compiler.selections, edge, nodes, part))

    def _row(self, type_: GraphQLObjectType, name: str, nodes: list[FieldNode]) -> ColumnElement[Any]:
        named = get_named_type(type_.fields[name].type)
        assert isinstance(named, GraphQLObjectType)
        return self.listed.column(self.compiler.object(self.listing.shape, named, nodes, self.listing.rows), JSON())

    def _cursor(self) -> ColumnElement[Any]:
        if self.cursor is None:
            self.cursor = self.listed.column(self.listing.cursor(), None)
        return self.cursor

    def _gathered(self, element: ColumnElement[Any]) -> ColumnElement[Any]:
        """Gather elements in the list's order."""
        self.walked = True
        if not self.more:
            return func.coalesce(func.json_agg(self._in_order(element)), EMPTY)
        # A slice of an array leaves the row beyond out, at less cost than a window that numbers the rows.
        kept = self._all(element, JSON())[self._first : self._last]
        return func.coalesce(func.array_to_json(kept), EMPTY)

    def _all(self, value: ColumnElement[Any], type_: Any) -> Any:
        return func.array_agg(self._in_order(value), type_=ARRAY(type_))

    def _in_order(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """Have an aggregate see the rows in the list's order; a page walked from its end comes the other way round."""
        if not self.cut.backward:
            return value
        columns = dict(zip((key.column for key in self.listing.order.keys), self._keys(), strict=True))
        return aggregate_order_by(value, *in_order(columns, self.listing.order))

    @property
    def _first(self) -> ColumnElement[Any]:
        """The place of the page's first row among all that were read."""
        return func.greatest(func.count() - self.size, literal_column("0")) + _ONE if self.cut.backward else _ONE

    @property
    def _last(self) -> ColumnElement[Any]:
        return func.count() if self.cut.backward else func.least(func.count(), self.size)

    def _keys(self) -> list[ColumnElement[Any]]:
        if self.keys is None:
            self.keys = [self.listed.column(key, key.type) for key in self.listing.keys]
        return self.keys

    def _page_info(self, nodes: list[FieldNode]) -> ColumnElement[Any]:
        return object_of(self.compiler.selections, self._under("pageInfo"), nodes, lambda name, _: self._fact(name))

    def _fact(self, name: str) -> ColumnElement[Any]:
        more = func.count() > self.size
        match name, self.cut.backward:
            case ("hasNextPage", False) | ("hasPreviousPage", True):
                return more
            case "hasNextPage", True:
                return _FALSE if self.cut.before is None else _TRUE
            case "hasPreviousPage", False:
                return _FALSE if self.cut.after is None else _TRUE
            case "startCursor", _:
                return self._cursor_at(self._first)
            case _:
                return self._cursor_at(self._last)

    def _cursor_at(self, place: ColumnElement[Any]) -> ColumnElement[Any]:
        """Spell the cursor of the row at a place; there is none on an empty page."""
        self.walked = True
        keys = [self._all(key, key.type)[place] for key in self._keys()]
        return case((func.count() > literal_column("0"), self.listing.cursor(keys)))

    def _total_count(self) -> ColumnElement[Any]:
        return self.listed.statement(self.listing.shape.rows, func.count()).scalar_subquery()
