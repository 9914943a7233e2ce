"""A plan: one statement, and how the rows that it gives become the answer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, count
from typing import Any, TypeVar

from app.db.readers import Read
from resolvers.plans.arguments import Binder, Variables

Row = Read | tuple[Any, ...]
Values = Mapping[str, Any]
# The rows of a statement by the branch that gave them.
Branches = Sequence[Sequence[Row]]

Teller = Callable[[Branches, Values], list[bytes] | None]
"""Gives the JSON of the answer, or of a part of it, in pieces; None where an object is absent or not visible."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement to prepare, the names of its values in their order, and what its rows are made of."""

    text: str
    names: tuple[str, ...]
    # How many columns each branch of the statement has; if there are several, each row tells last which one it is of.
    widths: tuple[int, ...]
    # Values that belong to the statement itself.
    own: Values = field(default_factory=dict)

    def arguments(self, values: Values) -> list[Any]:
        """Give the statement's arguments."""
        if self.own:
            values = {**values, **self.own}
        return [values[name] for name in self.names]

    def sorted(self, rows: Sequence[Row]) -> Branches:
        """Give each branch its rows."""
        if len(self.widths) == 1:
            return (rows,)
        ends = list(accumulate(self.widths))
        own = [slice(end - width, end) for end, width in zip(ends, self.widths, strict=True)]
        branches: list[list[Row]] = [[] for _ in own]
        for row in rows:
            branches[row[-1]].append(row[own[row[-1]]])
        return branches


@dataclass(frozen=True, slots=True)
class Remembering:
    """How answers of a plan are remembered: its statement with names of the rows besides, and one of names alone."""

    with_names: Statement
    names: Statement
    # Of each branch, whether its rows have names.
    named: tuple[bool, ...]
    # Which plan this is, of all that there ever were.
    mark: int = field(default_factory=count().__next__)


@dataclass(frozen=True, slots=True)
class Plan:
    """One prepared statement whose rows hold the JSON of the root fields, and how to bind it."""

    full: Statement
    constants: Values
    binders: tuple[Binder, ...]
    # What tells the members of the answer.
    tell: Teller
    # How its rows are remembered, if they can be.
    remembering: Callable[[], Remembering | None]

    def values(self, variables: Variables, bound: Values) -> Values:
        """Give what a request binds; what the variables make wrong is refused."""
        values = {**self.constants, **bound}
        for bind in self.binders:
            bind(variables, values)
        return values

    def told(self, rows: Sequence[Row], values: Values) -> list[bytes] | None:
        """Put the members of the answer together; None where the reference way has to say what is absent."""
        return self.tell(self.full.sorted(rows), values)


Other = TypeVar("Other")


def merged(pieces: Iterable[str | Other]) -> list[bytes | Other]:
    """Spell what stands in the document already as few pieces as there can be."""
    parts: list[bytes | Other] = []
    for piece in pieces:
        if not isinstance(piece, str):
            parts.append(piece)
        elif parts and isinstance(parts[-1], bytes):
            parts[-1] += piece.encode()
        else:
            parts.append(piece.encode())
    return parts


def composed(pieces: Iterable[str | Teller]) -> Teller:
    """Tell what stands in the document already, and between that what others tell."""
    parts = merged(pieces)

    def tell(branches: Branches, values: Values) -> list[bytes] | None:
        told: list[bytes] = []
        for part in parts:
            if isinstance(part, bytes):
                told.append(part)
            elif (more := part(branches, values)) is None:
                return None
            else:
                told += more
        return told

    return tell


def only_row(branch: int) -> Teller:
    """Tell the one row of a branch."""
    return lambda branches, _: [branches[branch][0][0]] if branches[branch] else None


@dataclass(frozen=True, slots=True)
class Told:
    """A page while it is told: its rows in the list's order, whether there are more, and all else that was read."""

    rows: Sequence[Row]
    more: bool
    branches: Branches
    values: Values


PagePiece = Callable[[Told], bytes]
"""Gives a part of a page's JSON that depends on its rows."""


@dataclass(frozen=True, slots=True)
class RowByRow:
    """Tells a page from its rows, of which there may be one beyond it.

    PostgreSQL could put it together as well; but to number, gather and copy a page of rows costs it as much again as
    all that stands in them.
    """

    pieces: Sequence[bytes | PagePiece]
    size: int
    backward: bool
    # The branch that gives the rows, unless nobody asked for any.
    listed: int | None
    # Whether they are an object's: no row at all tells that it is absent, one of nulls that it has none.
    owned: bool

    def __call__(self, branches: Branches, values: Values) -> list[bytes] | None:
        """Tell the page, unless its owner is absent."""
        rows = () if self.listed is None else branches[self.listed]
        if self.owned:
            if not rows:
                return None
            if all(value is None for value in rows[0]):
                rows = ()
        kept = rows[: self.size]
        told = Told(kept[::-1] if self.backward else kept, len(rows) > self.size, branches, values)
        return [piece if isinstance(piece, bytes) else piece(told) for piece in self.pieces]
