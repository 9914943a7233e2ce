"""Lists in plans: a page with its edges, cursors and counts, or all rows."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from graphql import FieldNode, GraphQLObjectType, get_named_type
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.functions import Function

from app.reads.page import plain
from app.reads.reading import Listing
from app.reads.shape import Rows
from resolvers.plans.json import COMMA, NULL, Pieces, gathered, joined, object_of, quoted

if TYPE_CHECKING:
    from resolvers.plans.compiler import Compiler

_ONE = literal_column("1", Integer)


def connection(
    compiler: "Compiler",
    listing: Listing,
    type_: GraphQLObjectType,
    nodes: list[FieldNode],
    owner: ColumnElement[UUID] | None = None,
    outer: Rows | None = None,
) -> ColumnElement[str]:
    """Compile a list; `owner` is the id of its rows' parent, `outer` are that parent's rows."""
    listed = _Listed(compiler, listing, owner, outer)
    if listing.cut is not None:
        return _Page(listed, type_, nodes).built()
    row = listed.column(joined(compiler.object(listing.shape, type_, nodes, listing.rows)), Text())
    elements = joined(gathered(func.string_agg(row, COMMA)))
    return select(elements).select_from(listed.subquery()).scalar_subquery()


class _Listed:
    """The inner statement of a list: what is worked out for each of its rows, in its order."""

    def __init__(
        self, compiler: "Compiler", listing: Listing, owner: ColumnElement[UUID] | None, outer: Rows | None
    ) -> None:
        self.compiler, self.listing = compiler, listing
        self.owner, self.outer = owner, outer
        self.columns: list[ColumnElement[Any]] = []
        compiler.held[listing.rows] = self._held()

    def _held(self) -> dict[str, ColumnElement[Any]]:
        """Tell which columns have one bound value in all rows of the list."""
        many = self.listing.many
        held: dict[str, ColumnElement[Any]] = {
            key: bindparam(self.listing.filter_name(key), type_=Uuid())
            for key in self.listing.filters
            if key in self.listing.rows.c and isinstance(many.filters[key].type, Uuid)
        }
        if many.by is not None and isinstance(self.owner, BindParameter):
            held[many.by] = self.owner
        return held

    def column(self, value: ColumnElement[Any], type_: Any) -> ColumnElement[Any]:
        """Add a value to each row, and name it for the outer statement."""
        label = f"column_{len(self.columns)}"
        self.columns.append(value.label(label))
        return literal_column(f"listed.{label}", type_)

    def statement(self, rows: Rows, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select from the list as a whole."""
        statement = select(*columns).select_from(rows).where(*self.listing.conditions(rows, self.owner))
        return statement if self.outer is None else statement.correlate(self.outer)

    def subquery(self, *, more: bool = False, numbered: bool = False) -> Any:
        """Give the rows of the slice, and with `more` one beyond it."""
        # One level for rows and what is made of them: a page of whole rows below it costs half as much again.
        statement = self.statement(self.listing.rows, *(self.columns or (_ONE.label("one"),)))
        rows = self.listing.arranged(statement, more=more).subquery("listed")
        if not numbered:
            return rows
        # Numbered above: below the limit that could be done before the rows are in order.
        return select(*rows.c, func.row_number().over().label("number")).subquery("listed")


class _Page:
    """One page: its inner statement has a row for each row of the page, its outer one puts them together."""

    number = literal_column("listed.number", Integer)

    def __init__(self, listed: _Listed, type_: GraphQLObjectType, nodes: list[FieldNode]) -> None:
        assert listed.listing.cut is not None
        self.listed, self.compiler, self.listing = listed, listed.compiler, listed.listing
        self.cut = listed.listing.cut
        self.size = literal_column(str(self.cut.size), Integer)
        self.type, self.nodes = type_, nodes
        self.more = self._asks_for_more()
        # Whether anything that was asked for depends on the rows of the page.
        self.walked = self.more
        self.keys: list[ColumnElement[Any]] | None = None

    def built(self) -> ColumnElement[str]:
        """Put the page together."""
        parts: dict[str, Callable[[list[FieldNode]], Pieces]] = {
            "edges": self._edges,
            "nodes": lambda nodes: self._gathered(self._row(self.type, "nodes", nodes)),
            "pageInfo": self._page_info,
            "totalCount": lambda _: [self._total_count()],
        }
        built = joined(object_of(self.compiler.selections, self.type, self.nodes, lambda name, of: parts[name](of)))
        if not self.walked:
            return built
        rows = self.listed.subquery(more=self.more, numbered=self.more or self.cut.backward)
        return select(built).select_from(rows).scalar_subquery()

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

    def _edges(self, nodes: list[FieldNode]) -> Pieces:
        edge = self._under("edges")

        def part(name: str, theirs: list[FieldNode]) -> Pieces:
            return quoted(*self.listing.cursor()) if name == "cursor" else self._row(edge, "node", theirs)

        return self._gathered(object_of(self.compiler.selections, edge, nodes, part))

    def _row(self, type_: GraphQLObjectType, name: str, nodes: list[FieldNode]) -> Pieces:
        named = get_named_type(type_.fields[name].type)
        assert isinstance(named, GraphQLObjectType)
        return self.compiler.object(self.listing.shape, named, nodes, self.listing.rows)

    def _gathered(self, element: Pieces) -> Pieces:
        """Gather what was made of each row, in the list's order and without the row beyond."""
        self.walked = True
        elements = func.string_agg(self.listed.column(joined(element), Text()), self._in_order(COMMA))
        return gathered(self._kept(elements))

    def _in_order(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """Have an aggregate see the rows in the list's order; a page walked from its end comes the other way round."""
        return aggregate_order_by(value, self.number.desc()) if self.cut.backward else value

    def _kept(self, aggregate: Function[Any]) -> ColumnElement[Any]:
        """Have an aggregate leave out the row beyond the page."""
        return aggregate.filter(self.number <= self.size) if self.more else aggregate

    def _page_info(self, nodes: list[FieldNode]) -> Pieces:
        return object_of(self.compiler.selections, self._under("pageInfo"), nodes, lambda name, _: self._fact(name))

    def _fact(self, name: str) -> Pieces:
        match name, self.cut.backward:
            case ("hasNextPage", False) | ("hasPreviousPage", True):
                return [case((func.count() > self.size, plain("true")), else_=plain("false"))]
            case "hasNextPage", True:
                return ["false" if self.cut.before is None else "true"]
            case "hasPreviousPage", False:
                return ["false" if self.cut.after is None else "true"]
            case _:
                return [self._cursor_at(_ONE if name == "startCursor" else func.least(func.count(), self.size))]

    def _cursor_at(self, place: ColumnElement[Any]) -> ColumnElement[str]:
        """Spell the cursor of the row in a place of the page; there is none on an empty one."""
        self.walked = True
        if self.keys is None:
            self.keys = [self.listed.column(key, key.type) for key in self.listing.keys]
        gather = [func.array_agg(self._in_order(key), type_=ARRAY(key.type)) for key in self.keys]
        # A page walked from its end would begin with the row beyond it.
        arrays = [self._kept(array) if self.cut.backward else array for array in gather]
        cursor = joined(quoted(*self.listing.cursor([array[place] for array in arrays])))
        return case((func.count() > literal_column("0"), cursor), else_=NULL)

    def _total_count(self) -> ColumnElement[str]:
        counted = self.listed.statement(self.listing.shape.rows, func.count())
        return cast(counted.scalar_subquery(), Text)
