"""From what the roots of a document read, each by a statement, to one statement for all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    LargeBinary,
    Select,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)

from app.db.prepared import DIALECT
from resolvers.plans.plan import Remembering, Statement
from resolvers.plans.versions import EMPTY, Name

Selecting = Callable[[Sequence[ColumnElement[Any]]], Select[Any]]
"""Gives a statement that selects values of certain rows."""


@dataclass(frozen=True, slots=True)
class Named:
    """A branch whose rows have names: with the name of each behind what is made of it, and all names in one value."""

    whole: Select[Any]
    names: Select[Any]


def named(selected: Selecting, values: Sequence[ColumnElement[Any]], name: Name) -> Named:
    """Have the rows of a branch named; that an object has none is not as if it were absent."""
    version = name.label("version")
    rows = selected([version]).subquery("named")
    names = select(func.string_agg(func.coalesce(rows.c.version, EMPTY), EMPTY, type_=LargeBinary))
    return Named(selected([*values, version]), names)


def statement_of(branches: Sequence[Select[Any]], constants: Mapping[str, Any]) -> Statement:
    """Compile branches; the constants are the plan's."""
    compiled = _united(branches).compile(dialect=DIALECT)
    widths = tuple(len(branch.selected_columns) for branch in branches)
    # What shapes wrote as plain values, under names that mean something in this statement only.
    own = {name: value for name, value in compiled.params.items() if value is not None and name not in constants}
    return Statement(str(compiled), tuple(compiled.positiontup or ()), widths, own)


def remembering_of(
    branches: Sequence[Select[Any]], named: Mapping[int, Named], constants: Mapping[str, Any]
) -> Remembering | None:
    """Compile how answers are remembered; a branch whose rows have no names stands for itself."""
    if not named:
        return None
    every = list(enumerate(branches))
    with_names = statement_of([named[at].whole if at in named else branch for at, branch in every], constants)
    names = statement_of([named[at].names if at in named else branch for at, branch in every], constants)
    return Remembering(with_names, names, tuple(at in named for at, _ in every))


def _united(branches: Sequence[Select[Any]]) -> Select[Any] | CompoundSelect[Any]:
    """Make one statement of all branches.

    If there are several, each has columns of its own, in which the rows of all others are null, and each row tells last
    which branch it is of.
    """
    if len(branches) == 1:
        return branches[0]
    rows = [branch.subquery(f"branch_{number}") for number, branch in enumerate(branches)]
    return union_all(
        *(
            select(
                *(column if of is own else cast(null(), column.type) for of in rows for column in of.c),
                literal_column(str(number), Integer),
            )
            for number, own in enumerate(rows)
        )
    )
