"""Pages by key: a cursor is the address of a row in one order, so that inserts and deletions never shift a page."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Float,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    or_,
)
from sqlalchemy import types as sql

from app.domain.errors import Invalid
from app.reads.shape import Key, Order, Rows

MOST = 100
# 64 bits tell a tampered cursor from a true one; a forged one would show nothing that the viewer may not see anyway.
SEAL = 16

_TIME = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


def plain(word: str) -> ColumnElement[str]:
    """Spell a word of our own, never of a client's, into a statement: PostgreSQL sees a constant, nothing is bound."""
    return literal_column(f"'{word}'", Text)


@dataclass(frozen=True, slots=True)
class Slice:
    """Which rows of a list are asked for; what is structure makes the statement, the cursors' values are bound."""

    size: int
    backward: bool
    after: tuple[Any, ...] | None
    before: tuple[Any, ...] | None


class Cursors:
    """Makes and reads cursors; they are sealed, so that one from elsewhere or a tampered one is refused."""

    def __init__(self, secret: str) -> None:
        self.seal_key = hashlib.sha256(b"cursor:" + secret.encode()).hexdigest()

    def expression(self, values: Sequence[ColumnElement[Any]], order: Order, list_name: str) -> ColumnElement[str]:
        """Spell in SQL, for both executors alike, the cursor of the row that has these values in an order's keys."""
        texts = [_as_text(value) for value in values]
        payload = cast(func.json_build_array(plain(_tag(list_name, order)), *texts), Text)
        seal_key = bindparam("seal_key", type_=Text)
        sealed = func.encode(func.sha256(func.convert_to(payload.concat(seal_key), plain("UTF8"))), plain("hex"))
        seal: ColumnElement[str] = func.left(sealed, literal_column(str(SEAL)))
        return seal.concat(func.encode(func.convert_to(payload, plain("UTF8")), plain("hex")))

    @staticmethod
    def form(cursor: str) -> tuple[bool, ...] | None:
        """Tell which values of a cursor are null, unproved; None for what is no cursor at all."""
        try:
            return tuple(value is None for value in json.loads(bytes.fromhex(cursor[SEAL:])))
        except (ValueError, TypeError):
            return None

    def read(self, cursor: str, rows: Rows, order: Order, list_name: str, argument: str) -> tuple[Any, ...]:
        """Give the values of a cursor that belongs to this list in this order, or refuse it."""
        refusal = Invalid("This cursor does not belong to this list.", fields={argument: "not a cursor of this list"})
        try:
            seal, payload = cursor[:SEAL], bytes.fromhex(cursor[SEAL:])
            expected = hashlib.sha256(payload + self.seal_key.encode()).hexdigest()[:SEAL]
            # fromhex skips spaces and takes capitals: only the one true spelling passes.
            if not hmac.compare_digest(seal.encode(), expected.encode()) or payload.hex() != cursor[SEAL:]:
                raise refusal
            tag, *values = json.loads(payload)
        except ValueError:
            raise refusal from None
        if tag != _tag(list_name, order):
            raise refusal
        return tuple(_from_text(rows.c[key.column].type, value) for key, value in zip(order.keys, values, strict=True))


def slice_of(
    arguments: Mapping[str, Any], cursors: Cursors, rows: Rows, order: Order, list_name: str, default: int
) -> Slice:
    """Validate the four arguments of a page."""
    first, last = arguments.get("first"), arguments.get("last")
    fields = {
        name: f"must be from 1 to {MOST}"
        for name, value in (("first", first), ("last", last))
        if value is not None and not 1 <= value <= MOST
    }
    if fields:
        raise Invalid(f"A page has from 1 to {MOST} rows.", fields=fields)
    if first is not None and last is not None:
        raise Invalid("Ask for the first rows or for the last ones, not for both.", fields={"last": "given with first"})
    ends = {
        name: None if (cursor := arguments.get(name)) is None else cursors.read(cursor, rows, order, list_name, name)
        for name in ("after", "before")
    }
    return Slice(first or last or default, last is not None, ends["after"], ends["before"])


def sliced(
    statement: Select[Any],
    rows: Rows,
    order: Order,
    cut: Slice,
    names: tuple[Sequence[str], Sequence[str]],
    *,
    more: bool = True,
) -> Select[Any]:
    """Cut a slice out of a list, and with `more` one row beyond it, which tells whether the list goes on."""
    after, before = names
    if cut.after is not None:
        statement = statement.where(_beyond(rows, order, cut.after, after))
    if cut.before is not None:
        statement = statement.where(_beyond(rows, _reversed(order), cut.before, before))
    wanted = _reversed(order) if cut.backward else order
    return statement.order_by(*in_order(rows.c, wanted)).limit(literal_column(str(cut.size + more)))


def in_order(columns: Any, order: Order) -> list[ColumnElement[Any]]:
    """Spell an order for the columns that it goes by."""
    return [_ordered(columns[key.column], key) for key in order.keys]


@dataclass(frozen=True, slots=True)
class _Backward(Key):
    """A key walked from the end: its nulls, last in the list, come first."""


def _reversed(order: Order) -> Order:
    return Order(tuple(_Backward(key.column, not key.descending, key.nullable) for key in order.keys))


def _ordered(column: ColumnElement[Any], key: Key) -> ColumnElement[Any]:
    directed: ColumnElement[Any] = column.desc() if key.descending else column.asc()
    if not key.nullable:
        return directed
    return directed.nulls_first() if isinstance(key, _Backward) else directed.nulls_last()


def _beyond(rows: Rows, order: Order, values: tuple[Any, ...], names: Sequence[str]) -> ColumnElement[bool]:
    """Say that a row stands strictly behind an address, key by key."""
    alternatives: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for key, value, name in zip(order.keys, values, names, strict=True):
        column = rows.c[key.column]
        place: BindParameter[Any] = bindparam(name, type_=column.type)
        nulls_first = isinstance(key, _Backward)
        if value is None:
            behind: ColumnElement[bool] = column.is_not(None) if nulls_first else false()
            same: ColumnElement[bool] = column.is_(None)
        else:
            behind = column < place if key.descending else column > place
            if key.nullable and not nulls_first:
                behind = or_(behind, column.is_(None))
            same = column == place
        alternatives.append(and_(*equal, behind))
        equal.append(same)
    if len(order.keys) == 2 and not order.keys[0].nullable and order.keys[0].descending == order.keys[1].descending:
        # The same said once more as one comparison of rows: that is what an index can start from.
        columns = func.row(*(rows.c[key.column] for key in order.keys))
        places = func.row(*(bindparam(n, type_=rows.c[k.column].type) for k, n in zip(order.keys, names, strict=True)))
        return columns < places if order.keys[0].descending else columns > places
    return or_(*alternatives)


def _tag(list_name: str, order: Order) -> str:
    return f"{list_name}:" + ",".join(f"{'-' if key.descending else ''}{key.column}" for key in order.keys)


def moment_as_text(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Spell a moment in SQL exactly as Python spells it."""
    return func.to_char(func.timezone(plain("UTC"), column), plain(_TIME))


def _as_text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, sql.DateTime):
        return moment_as_text(column)
    return cast(column, Text)


def _from_text(type_: Any, value: str | None) -> Any:
    if value is None:
        return None
    if isinstance(type_, sql.DateTime):
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    if isinstance(type_, sql.Uuid):
        return UUID(value)
    if isinstance(type_, Integer):
        return int(value)
    if isinstance(type_, Float):
        return float(value)
    return value
