"""A shape declares once how a GraphQL type stands in the database; both executors read from it.

Names, arguments, types and nullability come from the GraphQL schema. A field that has the name of a column needs no
word here; a field whose type is an object and that is neither a part nor a relation is kept as JSON in its column.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, literal_column, select, true
from sqlalchemy.types import TypeEngine

from app.db.types import Table
from app.domain.ids import Kind
from app.domain.viewer import Permission
from app.domain.words import Word
from app.reads.visible import Sight

Rows = FromClause

DEFAULT_PAGE = 20
Condition = Callable[[Rows], ColumnElement[bool]]


def is_one_of(column: str, *words: Word) -> Condition:
    """Say that a column holds one of some words, spelt into the statement so that partial indexes can serve it."""
    return lambda rows: rows.c[column].in_([literal_column(f"'{word.value}'") for word in words])


def tried_last(rows: Rows, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Have a condition looked at on the rows alone that all others leave, in whatever order they are wanted.

    What stands in a sub-select is tried last, no index is looked for, and half of the rows are expected to meet it.
    """
    return select(condition).correlate(rows).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Visibility:
    """Which rows of a shape a viewer sees; `permission` is what they need to be told of any."""

    permission: Permission | None
    condition: Callable[[Rows, Sight], ColumnElement[bool]]
    # The column that names the organization, where that decides.
    column: str | None = None


def in_organization(permission: Permission, column: str = "organization_id") -> Visibility:
    """Rows are seen where the viewer has a permission in the organization they carry."""
    return Visibility(permission, lambda rows, sight: sight.covers(permission, rows.c[column]), column)


# Whoever acted in an organization stays named there after they left, so a user is seen wherever a visible row names
# them; looked up by id, or asked for an e-mail address, they are seen only by those who know them.
ACTOR = Visibility(None, lambda rows, sight: true())  # noqa: ARG005 - the signature is every visibility's


@dataclass(frozen=True, slots=True)
class Part:
    """An object made of columns of its parent's own row; null as a whole where the column `given` is null."""

    columns: Mapping[str, str]
    given: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """One column that an order goes by."""

    column: str
    descending: bool = False
    nullable: bool = False

    def turned(self) -> "Key":
        """The other direction; nulls stay last."""
        return Key(self.column, not self.descending, self.nullable)


@dataclass(frozen=True, slots=True)
class Order:
    """How rows stand in a list; the last key is unique, so that every place in the list has an address."""

    keys: tuple[Key, ...]

    def turned(self) -> "Order":
        """The other direction."""
        return Order(tuple(key.turned() for key in self.keys))


def ordered(*keys: str | Key, unique: str = "id", descending: bool = False) -> Order:
    """Spell an order: columns, then the unique one."""
    named = tuple(Key(key) if isinstance(key, str) else key for key in (*keys, Key(unique)))
    return Order(tuple(Key(key.column, key.descending or descending, key.nullable) for key in named))


NEWEST_FIRST = ordered(descending=True)


RELEVANCE = "relevance"
BEST_FIRST = Order((Key(RELEVANCE, descending=True), Key("id", descending=True)))


@dataclass(frozen=True, slots=True)
class Filter:
    """One field of a filter: what it demands of rows, and how its value is bound."""

    condition: Callable[[Rows, ColumnElement[Any]], ColumnElement[bool]]
    type: TypeEngine[Any]
    convert: Callable[[Any], Any] | None = None
    # How well a row meets it; unless an order is asked for, the best come first.
    rank: Callable[[Rows, ColumnElement[Any]], ColumnElement[float]] | None = None
    # Of a list of values, what a list of one comes to. An index gives the rows of one value in the order of what stands
    # behind it, and that is the id; among the rows of several it has no order.
    of_one: "Filter | None" = None
    # Among the rows of one owner, where it does as well to look at each: the index of a filter has those of everybody.
    of_owner: "Filter | None" = None
    # Whether an index finds the few rows that meet it, so that they are best put in order when they were found.
    finds: bool = False

    def asks(self, given: Any) -> bool:
        """Tell whether a value asks for anything: null and false do not, nor do blanks in the place of words."""
        if isinstance(self.type, Text) and isinstance(given, str):
            return bool(given.strip())
        return given is not None and given is not False

    def fitting(self, given: Any, order: Order, *, owned: bool) -> "Filter":
        """Give the simplest filter for a value in an order; `owned` where the rows are those of one owner."""
        if owned and self.of_owner is not None:
            return self.of_owner
        one = self.of_one
        return one if one is not None and len(given) == 1 and order.keys[0].column == "id" else self

    def value(self, given: Any) -> Any:
        """Turn what a client said into what the condition compares with."""
        return given if self.convert is None else self.convert(given)


@dataclass(frozen=True, slots=True)
class One:
    """The row that my column names.

    `seen_by` where it is seen more widely by this way than by its own shape's; `as_of` names the column that keeps how
    that row stood when mine was written.
    """

    to: str
    by: str
    seen_by: Visibility | None = None
    as_of: str | None = None


@dataclass(frozen=True, slots=True)
class Only:
    """The one row that names me and meets a condition."""

    to: str
    by: str
    where: Condition


@dataclass(frozen=True, slots=True)
class Many:
    """The rows that name me (or, at the root, all): a page of them, or a plain list."""

    to: str
    by: str | None = None
    where: Condition | None = None
    order: Order = field(default_factory=ordered)
    # Orders by the values of an enumeration, where the caller may choose.
    orders: Mapping[str, Order] = field(default_factory=dict)
    # Filters by argument name; the fields of an input object are filters of their own.
    filters: Mapping[str, Filter] = field(default_factory=dict)
    paged: bool = True
    # How many rows a page has if nobody says.
    size: int = DEFAULT_PAGE


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of the rows that name me, by condition."""

    to: str
    by: str
    counts: Mapping[str, Condition]


Relation = One | Only | Many | Tally


@dataclass(frozen=True, slots=True)
class Shape:
    """How a GraphQL type stands in the database."""

    name: str
    model: type[Table]
    seen_by: Visibility
    kind: Kind | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    relations: Mapping[str, Relation] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, Callable[[Rows, Sight], ColumnElement[Any]]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()

    @property
    def rows(self) -> Rows:
        """Give the rows of the table under a name of their own, to be joined any number of times."""
        return self.model.__table__.alias()

    def ranked(self, rank: Callable[[Rows], ColumnElement[float]]) -> Rows:
        """Give the rows with how well each meets a filter, as one column more."""
        rows = self.rows
        # PostgreSQL looks through such a sub-select: what it costs is the function.
        return select(rows, rank(rows).label(RELEVANCE)).subquery()

    def column(self, name: str) -> str:
        """Name the column behind a field."""
        return self.renamed.get(name, name)

    @property
    def columns(self) -> Iterable[str]:
        """List the columns that reads may give away."""
        return (column.name for column in self.model.__table__.columns if column.name not in self.hidden)


class Record(dict[str, Any]):
    """One row as the reference executor hands it to resolvers; it knows its shape, so that interfaces resolve."""

    __slots__ = ("shape",)

    def __init__(self, shape: Shape, values: Mapping[Any, Any]) -> None:
        super().__init__(values)
        self.shape = shape
