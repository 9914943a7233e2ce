"""Names for what the text of a row comes from: the row's own version, and those of the rows that are told with it.

The id and the `xmin` of a row, the transaction that wrote it, name one committed version of it exactly. Of all that a
transaction makes of a row others see only the last; what it took back, by itself or to a savepoint, nobody ever sees;
to lock, vacuum, freeze or move a row writes no other `xmin`, and to delete it and insert it again does. So if a text
comes from columns of these rows and from nothing else, then the same name means the same text, whoever asks: which rows
they are, who may see them and how they stand in order is told by the statement that names them.

What comes from anything else has no name. That is decided by what is known to be harmless, not by what is not: no
statement in between, no value that a request binds, no clock.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from sqlalchemy import (
    BinaryExpression,
    BindParameter,
    Case,
    Cast,
    ColumnClause,
    ColumnElement,
    Label,
    LargeBinary,
    Null,
    ScalarSelect,
    Select,
    Table,
    UnaryExpression,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import ClauseList, ExpressionClauseList, FunctionFilter, Grouping
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Alias

from app.reads.shape import Rows
from resolvers.plans.json import MadeOf

Name = ColumnElement[bytes]

# Functions whose result depends on their arguments alone, and on settings that all readers begin with.
_FUNCTION = re.compile(
    "coalesce|convert_to|encode|jsonb_typeof|octet_length|sha256|substr|timezone|to_char|to_hex|to_json"
    "|(float8|int2|int4|timestamptz|uuid)_?send"
    # These go over the rows of a list, which are named in their order.
    "|array_agg|count|least|string_agg"
)
_OPERATORS = frozenset(
    (
        *(operators.add, operators.comma_op, operators.concat_op, operators.desc_op, operators.eq, operators.getitem),
        *(operators.gt, operators.inv, operators.is_, operators.is_false, operators.is_not, operators.is_true),
        operators.le,
    )
)
_OWN_OPERATORS = frozenset(("||", "->"))
_CONSTANT = re.compile(r"'[^']*'(::bytea)?|\d+|\*")
_OF_A_LIST = re.compile(r"listed\.\w+")

_ABSENT = literal_column(r"'\x00'::bytea", LargeBinary)
_PRESENT = literal_column(r"'\x01'::bytea", LargeBinary)
EMPTY = literal_column("''::bytea", LargeBinary)


class _NoName(Exception):
    """This comes from something that has no name."""


@dataclass(slots=True)
class Versions:
    """Names, in one compilation, what texts come from."""

    # The keys that cursors are sealed with, which a statement binds though no request of its plan changes them.
    seals: set[str] = field(default_factory=set)
    _nested: dict[ScalarSelect[Any], Name] = field(default_factory=dict)

    def name(self, rows: Rows, *texts: ColumnElement[Any], around: ColumnElement[Any] | None = None) -> Name | None:
        """Name what values of a row come from; `around` is what a list makes of the values of all its rows.

        Two names that are equal have equal parts, too: each has a length that is known, or ends in a way that is.
        """
        if not (isinstance(rows, Alias) and isinstance(rows.element, Table) and "id" in rows.c):
            return None
        nested: list[Name] = []
        try:
            for text in texts:
                self._walk(text, nested, rows)
            if around is not None:
                self._walk(around, nested, None)
        except _NoName:
            return None
        written_by: ColumnClause[Any] = column("xmin")
        written_by.table = rows
        own = func.uuid_send(rows.c.id, type_=LargeBinary).concat(func.xidsend(written_by, type_=LargeBinary))
        return reduce(ColumnElement[bytes].concat, nested, own)

    def nest_one(
        self, told: ScalarSelect[Any], name: Name | None, selected: Callable[[Name], ColumnElement[Any]]
    ) -> None:
        """Have the text of one other row, or of none, come from that row; `selected` selects of the same row."""
        if name is not None:
            self._nested[told] = func.coalesce(selected(_PRESENT.concat(name)), _ABSENT, type_=LargeBinary)

    def nest_all(self, told: ScalarSelect[Any], name: Name | None, listed: Callable[[Name], Select[Any]]) -> None:
        """Have the text of a list come from its rows in their order; `listed` selects of the same rows."""
        if name is not None:
            rows = listed(_PRESENT.concat(name).label("name")).subquery("named")
            names = select(func.string_agg(rows.c.name, EMPTY, type_=LargeBinary)).scalar_subquery()
            ended: Name = func.coalesce(names, EMPTY, type_=LargeBinary)
            self._nested[told] = ended.concat(_ABSENT)

    def _walk(self, element: Any, nested: list[Name], rows: Rows | None) -> None:
        match element:
            case MadeOf(value=value):
                self._walk(value, nested, rows)
                return
            case ScalarSelect():
                if element not in self._nested:
                    raise _NoName
                nested.append(self._nested[element])
                return
            case ColumnClause() if element.is_literal:
                known = (_CONSTANT if rows is not None else _OF_A_LIST).fullmatch(element.name)
                if not known and not _CONSTANT.fullmatch(element.name):
                    raise _NoName
                return
            case ColumnClause() if rows is not None and element.table is rows:
                return
            case BindParameter(key=key) if key in self.seals:
                return
            case Null():
                return
            case Cast():
                self._walk(element.clause, nested, rows)
                return
            case BinaryExpression() | UnaryExpression() | ExpressionClauseList() | ClauseList():
                self._known(element.operator or getattr(element, "modifier", None))
            case FunctionElement():
                if not _FUNCTION.fullmatch(element.name):
                    raise _NoName
            case Label() | Grouping() | Case() | FunctionFilter() | aggregate_order_by():
                pass
            case _:
                raise _NoName
        for child in element.get_children():
            self._walk(child, nested, rows)

    @staticmethod
    def _known(operator: Any) -> None:
        own = isinstance(operator, operators.custom_op) and operator.opstring in _OWN_OPERATORS
        if not own and operator not in _OPERATORS:
            raise _NoName
