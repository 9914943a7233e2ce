"""Lists in plans: a page with its edges, cursors and counts, or all rows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic
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
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.functions import Function

from app.db.readers import Bytes
from app.reads.listing import Listing
from app.reads.page import plain
from app.reads.shape import Rows
from resolvers.plans.json import COMMA, NOTHING, NULL, Other, Pieces, gathered, joined, object_of, quoted
from resolvers.plans.plan import PagePiece, RowByRow, Teller, Told, merged

if TYPE_CHECKING:
    from resolvers.plans.compiler import Compiler

_ONE = literal_column("1", Integer)


def below(
    compiler: "Compiler",
    listing: Listing,
    type_: GraphQLObjectType,
    nodes: list[FieldNode],
    owner: ColumnElement[UUID],
    outer: Rows,
) -> ColumnElement[str]:
    """Compile a list of an object; `owner` is the id of its rows' parent, `outer` are that parent's rows."""
    listed = _Listed(compiler, listing, owner, outer)
    if listing.cut is not None:
        return _InOneText(listed, type_, nodes).built()
    row = listed.named(joined(compiler.object(listing.shape, type_, nodes, listing.rows)))
    return listed.told(joined(gathered(func.string_agg(row, COMMA))))


def at_the_root(
    compiler: "Compiler",
    listing: Listing,
    type_: GraphQLObjectType,
    nodes: list[FieldNode],
    owner: "Owner | None" = None,
) -> Teller:
    """Compile a list of the query: all rows, or those of an owner that an argument names."""
    return _InRows(_Listed(compiler, listing, None if owner is None else owner.id), type_, nodes).teller(owner)


@dataclass(frozen=True, slots=True)
class Owner:
    """The object whose rows a list of the query gives."""

    id: ColumnElement[UUID]
    rows: Rows
    is_seen: ColumnElement[bool]

    def before(self, listed: Select[Any]) -> Select[Any]:
        """Have rows only where the owner is seen; one of nulls where its list is empty."""
        below = listed.subquery("listed")
        statement = select(*below.c).select_from(self.rows.outerjoin(below, true()))
        return statement.where(self.rows.c.id == self.id, self.is_seen)


class _Listed:
    """The inner statement of a list: what is worked out for each of its rows, in its order."""

    def __init__(
        self,
        compiler: "Compiler",
        listing: Listing,
        owner: ColumnElement[UUID] | None = None,
        outer: Rows | None = None,
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
            for key, chosen in self.listing.filters.items()
            if key in self.listing.rows.c and isinstance(chosen.type, Uuid)
        }
        if many.by is not None and isinstance(self.owner, BindParameter):
            held[many.by] = self.owner
        return held

    def column(self, value: ColumnElement[Any]) -> int:
        """Add a value to each row, and tell its place."""
        at = len(self.columns)
        self.columns.append(value.label(f"column_{at}"))
        return at

    def named(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """Add a value to each row, and name it for the outer statement."""
        return literal_column(f"listed.column_{self.column(value)}", value.type)

    def whole(self, rows: Rows, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select from the list as a whole."""
        statement = select(*columns).select_from(rows).where(*self.listing.conditions(rows, self.owner))
        return statement if self.outer is None else statement.correlate(self.outer)

    def counted(self) -> Select[Any]:
        """Count the list as a whole."""
        return self.whole(self.listing.shape.rows, cast(func.count(), Bytes()))

    def statement(self, columns: Sequence[ColumnElement[Any]], *, more: bool = False) -> Select[Any]:
        """Give columns of the rows of the slice, and with `more` of one beyond it."""
        # One level for rows and what is made of them: a page of whole rows below it costs half as much again.
        statement = self.listing.sliced(columns or [NOTHING.label("nothing")], self.owner, more=more)
        return statement if self.outer is None else statement.correlate(self.outer)

    def told(self, built: ColumnElement[str], *, more: bool = False, numbered: bool = False) -> ColumnElement[str]:
        """Make a text of all rows of the slice."""
        rows = self.statement(self.columns, more=more).subquery("listed")
        if numbered:
            # Numbered above: below the limit that could be done before the rows are in order.
            rows = select(*rows.c, func.row_number().over().label("number")).subquery("listed")
        told = select(built).select_from(rows).scalar_subquery()
        if (versions := self.compiler.versions) is not None:
            name = versions.name(self.listing.rows, *self.columns, around=built)
            versions.nest_all(told, name, lambda name: self.statement([name], more=more))
        return told


class _Page(ABC, Generic[Other]):
    """One page: what its fields come to, in text and in other pieces, which its rows give."""

    def __init__(self, listed: _Listed, type_: GraphQLObjectType, nodes: list[FieldNode]) -> None:
        assert listed.listing.cut is not None
        self.listed, self.compiler, self.listing = listed, listed.compiler, listed.listing
        self.cut = listed.listing.cut
        self.type, self.nodes = type_, nodes
        self.more = self._asks_for_more()
        # Whether anything that was asked for depends on the rows of the page.
        self.walked = self.more

    @abstractmethod
    def _gathered(self, element: ColumnElement[str]) -> Other:
        """Gather what is made of each row, in the list's order and without the row beyond."""

    @abstractmethod
    def _goes_on(self) -> Other:
        """Tell whether there is a row beyond."""

    @abstractmethod
    def _cursor(self, *, first: bool) -> Other:
        """Spell the cursor of the first or the last row; there is none on an empty page."""

    @abstractmethod
    def _total_count(self) -> Other:
        """Count the list as a whole."""

    def _pieces(self) -> list[str | Other]:
        parts: dict[str, Callable[[list[FieldNode]], list[str | Other]]] = {
            "edges": self._edges,
            "nodes": lambda nodes: self._array(self._row(self.type, "nodes", nodes)),
            "pageInfo": self._page_info,
            "totalCount": lambda _: [self._total_count()],
        }
        return object_of(self.compiler.selections, self.type, self.nodes, lambda name, of: parts[name](of))

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

    def _edges(self, nodes: list[FieldNode]) -> list[str | Other]:
        edge = self._under("edges")

        def part(name: str, theirs: list[FieldNode]) -> Pieces:
            return quoted(*self.listing.cursor()) if name == "cursor" else self._row(edge, "node", theirs)

        return self._array(object_of(self.compiler.selections, edge, nodes, part))

    def _row(self, type_: GraphQLObjectType, name: str, nodes: list[FieldNode]) -> Pieces:
        named = get_named_type(type_.fields[name].type)
        assert isinstance(named, GraphQLObjectType)
        return self.compiler.object(self.listing.shape, named, nodes, self.listing.rows)

    def _array(self, element: Pieces) -> list[str | Other]:
        self.walked = True
        return ["[", self._gathered(joined(element)), "]"]

    def _page_info(self, nodes: list[FieldNode]) -> list[str | Other]:
        return object_of(self.compiler.selections, self._under("pageInfo"), nodes, lambda name, _: [self._fact(name)])

    def _fact(self, name: str) -> str | Other:
        match name, self.cut.backward:
            case ("hasNextPage", False) | ("hasPreviousPage", True):
                return self._goes_on()
            case "hasNextPage", True:
                return "false" if self.cut.before is None else "true"
            case "hasPreviousPage", False:
                return "false" if self.cut.after is None else "true"
            case _:
                self.walked = True
                return self._cursor(first=name == "startCursor")


class _InRows(_Page[PagePiece]):
    """A page that leaves PostgreSQL row by row, each with what its cursor is made of."""

    # Where that stands in the rows, once it was asked for.
    sent: slice | None = None

    def teller(self, owner: Owner | None) -> Teller:
        """Add the branches that the page is told from, and say how."""
        pieces = merged(self._pieces())
        listed = None
        if self.walked or owner is not None:

            def selected(values: Sequence[ColumnElement[Any]]) -> Select[Any]:
                statement = self.listed.statement(values, more=self.more)
                return statement if owner is None else owner.before(statement)

            listed = self.compiler.branch_of(self.listing.rows, self.listed.columns, selected)
        return RowByRow(pieces, self.cut.size, self.cut.backward, listed, owned=owner is not None)

    def _gathered(self, element: ColumnElement[str]) -> PagePiece:
        at = self.listed.column(cast(element, Bytes()))
        return lambda told: b",".join([row[at] for row in told.rows])

    def _goes_on(self) -> PagePiece:
        return lambda told: b"true" if told.more else b"false"

    def _cursor(self, *, first: bool) -> PagePiece:
        if self.sent is None:
            places = [self.listed.column(sent) for sent in self.listing.sent]
            self.sent = slice(places[0], places[-1] + 1)
        sent, end = self.sent, 0 if first else -1
        seal_key, sealed = self.listing.seal_name, self.listing.cursors.sealed

        def cursor(told: Told) -> bytes:
            return b'"%b"' % sealed(told.rows[end][sent], told.values[seal_key]) if told.rows else b"null"

        return cursor

    def _total_count(self) -> PagePiece:
        branch = self.compiler.branch(self.listed.counted())
        return lambda told: told.branches[branch][0][0]


class _InOneText(_Page[ColumnElement[str]]):
    """A page as a value of its parent's row: its own statement has a row for each, one around it makes one text."""

    number = literal_column("listed.number", Integer)

    def __init__(self, listed: _Listed, type_: GraphQLObjectType, nodes: list[FieldNode]) -> None:
        super().__init__(listed, type_, nodes)
        self.size = literal_column(str(self.cut.size), Integer)
        self.keys: list[ColumnElement[Any]] | None = None

    def built(self) -> ColumnElement[str]:
        """Put the page together."""
        built = joined(self._pieces())
        if not self.walked:
            return built
        return self.listed.told(built, more=self.more, numbered=self.more or self.cut.backward)

    def _gathered(self, element: ColumnElement[str]) -> ColumnElement[str]:
        elements = func.string_agg(self.listed.named(element), self._in_order(COMMA))
        return func.coalesce(self._kept(elements), NOTHING)

    def _goes_on(self) -> ColumnElement[str]:
        return case((func.count() > self.size, plain("true")), else_=plain("false"))

    def _in_order(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """Have an aggregate see the rows in the list's order; a page walked from its end comes the other way round."""
        return aggregate_order_by(value, self.number.desc()) if self.cut.backward else value

    def _kept(self, aggregate: Function[Any]) -> ColumnElement[Any]:
        """Have an aggregate leave out the row beyond the page."""
        return aggregate.filter(self.number <= self.size) if self.more else aggregate

    def _cursor(self, *, first: bool) -> ColumnElement[str]:
        if self.keys is None:
            self.keys = [self.listed.named(key) for key in self.listing.keys]
        gather = [func.array_agg(self._in_order(key), type_=ARRAY(key.type)) for key in self.keys]
        # A page walked from its end would begin with the row beyond it.
        arrays = [self._kept(array) if self.cut.backward else array for array in gather]
        place = _ONE if first else func.least(func.count(), self.size)
        cursor = joined(quoted(*self.listing.cursor([array[place] for array in arrays])))
        return case((func.count() > literal_column("0"), cursor), else_=NULL)

    def _total_count(self) -> ColumnElement[str]:
        return cast(self.listed.counted().scalar_subquery(), Text)
