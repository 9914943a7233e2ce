"""From what the roots of a document read, each by a statement, to one statement for all."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Integer, Select, cast, literal_column, null, select, union_all

from app.db.prepared import DIALECT
from resolvers.plans.plan import Remembering, Statement
from resolvers.plans.versions import Versions

Selecting = Callable[[Sequence[ColumnElement[Any]]], Select[Any]]
"""Gives a statement that selects values of certain rows."""


@dataclass(frozen=True, slots=True)
class Named:
    """A branch whose rows have names: what is made of each, that with its name behind it, and names alone."""

    values: Sequence[ColumnElement[Any]]
    whole: Select[Any]
    names: Select[Any]


def statement_of(branches: Sequence[Select[Any]], constants: Mapping[str, Any]) -> Statement:
    """Compile branches; the constants are the plan's."""
    compiled = _united(branches).compile(dialect=DIALECT)
    widths = tuple(len(branch.selected_columns) for branch in branches)
    # What shapes wrote as plain values, under names that mean something in this statement only.
    own = {name: value for name, value in compiled.params.items() if value is not None and name not in constants}
    return Statement(str(compiled), tuple(compiled.positiontup or ()), widths, own)


def remembering_of(
    branches: Sequence[Select[Any]], named: Mapping[int, Named], versions: Versions, constants: Mapping[str, Any]
) -> Remembering | None:
    """Compile how the rows of some branches are remembered; in those, the name of each row comes last, or alone."""
    if not named:
        return None
    all_ = list(enumerate(branches))
    with_names = statement_of([named[at].whole if at in named else branch for at, branch in all_], constants)
    names = statement_of([named[at].names if at in named else branch for at, branch in all_], constants)
    return Remembering(with_names, names, {at: _text(of.values, versions) for at, of in named.items()})


def _text(values: Sequence[ColumnElement[Any]], versions: Versions) -> str:
    """Spell what is made of each row of a branch, however the rows are found."""
    compiled = select(*values).compile(dialect=DIALECT)
    seals = [versions.seals.get(name, b"") for name in compiled.positiontup or ()]
    return sys.intern("\n".join([str(compiled), *(seal.hex() for seal in seals)]))


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
