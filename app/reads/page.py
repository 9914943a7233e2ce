"""Pages by key: a cursor is the address of a row in one order, so that inserts and deletions never shift a page."""

import hashlib
import hmac
import operator
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Select,
    SmallInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    false,
    func,
    literal_column,
    or_,
    true,
)
from sqlalchemy.types import TypeEngine

from app.domain.errors import Invalid
from app.reads.shape import Key, Order, Rows

MOST = 100
# 64 bits tell a tampered cursor from a true one; a forged one would show nothing that the viewer may not see anyway.
SEAL_BYTES = 8

_TIME = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
# What PostgreSQL counts microseconds from.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


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
    """Makes and reads cursors; they are sealed, so that one from elsewhere or a tampered one is refused.

    A cursor is a digit that says which keys are null, then, in hexadecimal, the seal and the other keys as PostgreSQL
    itself sends them. Each list has a key of its own to seal with, so that its cursors need not name it.
    """

    def __init__(self, secret: str) -> None:
        self._secret = hashlib.sha256(b"cursor:" + secret.encode()).digest()

    def seal_key(self, list_name: str, order: Order) -> bytes:
        """Give the key that the cursors of a list in an order are sealed with."""
        spelt = ",".join(f"{'-' if key.descending else ''}{key.column}" for key in order.keys)
        return hashlib.sha256(self._secret + f"{list_name}:{spelt}".encode()).digest()

    @staticmethod
    def pieces(
        values: Sequence[ColumnElement[Any]], order: Order, seal_key: ColumnElement[bytes]
    ) -> tuple[str | ColumnElement[str], ColumnElement[str]]:
        """Spell in SQL, for both executors alike, the cursor of the row that has these values in an order's keys."""
        keys = _keys(values, order)
        seal = func.substr(
            func.sha256(seal_key.concat(keys)), literal_column("1"), literal_column(str(SEAL_BYTES)), type_=LargeBinary
        )
        return _nulls(values, order), func.encode(seal.concat(keys), plain("hex"), type_=Text)

    @staticmethod
    def sent(values: Sequence[ColumnElement[Any]], order: Order) -> list[ColumnElement[bytes]]:
        """Give in SQL what a cursor of these values is made of: most rows of a page are asked for none."""
        return [_sent(value) for value, _ in zip(values, order.keys, strict=True)]

    @staticmethod
    def sealed(sent: Sequence[bytes | None], seal_key: bytes) -> bytes:
        """Make a cursor of what was sent of its row."""
        nulls = sum(1 << place for place, part in enumerate(sent) if part is None) if None in sent else 0
        # Nothing that is sent is empty: a text comes behind its length.
        keys = b"".join(filter(None, sent))
        return f"{nulls:x}{(_seal(seal_key, keys) + keys).hex()}".encode()

    @staticmethod
    def form(cursor: str) -> str:
        """Tell which values of a cursor are null, unproved."""
        return cursor[:1]

    def read(self, cursor: str, rows: Rows, order: Order, list_name: str, argument: str) -> tuple[Any, ...]:
        """Give the values of a cursor that belongs to this list in this order, or refuse it."""
        try:
            nulls, told = int(cursor[:1], 16), bytes.fromhex(cursor[1:])
            seal, keys = told[:SEAL_BYTES], told[SEAL_BYTES:]
            expected = _seal(self.seal_key(list_name, order), keys)
            # fromhex skips spaces and takes capitals: only the one true spelling passes.
            if not hmac.compare_digest(seal, expected) or f"{nulls:x}{told.hex()}" != cursor:
                raise ValueError
            return _received(keys, nulls, [(rows.c[key.column].type, key.nullable) for key in order.keys])
        except (ValueError, struct.error):
            refusal = "This cursor does not belong to this list."
            raise Invalid(refusal, fields={argument: "not a cursor of this list"}) from None


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
    start: ColumnElement[bool] | None = None,
) -> Select[Any]:
    """Cut a slice out of a list, and with `more` one row beyond it, which tells whether the list goes on.

    `start` is one of the `starts` of the slice, where those are read apart.
    """
    for is_start, ranges in _ends(rows, order, cut, names):
        statement = statement.where(start if is_start and start is not None else or_(*ranges))
    return headed(statement, rows.c, order, cut, more=more)


def starts(
    rows: Rows, order: Order, cut: Slice, names: tuple[Sequence[str], Sequence[str]]
) -> list[ColumnElement[bool]]:
    """Give the ranges of an index in which the rows of a slice stand, seen from where its walk begins."""
    return next((ranges for is_start, ranges in _ends(rows, order, cut, names) if is_start), [true()])


def _ends(
    rows: Rows, order: Order, cut: Slice, names: tuple[Sequence[str], Sequence[str]]
) -> Iterator[tuple[bool, list[ColumnElement[bool]]]]:
    """Tell for each end that was given whether the walk begins there, and the ranges beyond it."""
    if cut.after is not None:
        yield not cut.backward, _beyond(rows, order, cut.after, names[0])
    if cut.before is not None:
        yield cut.backward, _beyond(rows, _reversed(order), cut.before, names[1])


def headed(statement: Select[Any], columns: Any, order: Order, cut: Slice, *, more: bool) -> Select[Any]:
    """Give the head of what is there, walked in a slice's direction; `columns` are those that the order goes by."""
    wanted = _reversed(order) if cut.backward else order
    return statement.order_by(*in_order(columns, wanted)).limit(literal_column(str(cut.size + more)))


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


def _beyond(rows: Rows, order: Order, values: tuple[Any, ...], names: Sequence[str]) -> list[ColumnElement[bool]]:
    """Say that a row stands strictly behind an address: it is in one of some ranges, which follow each other."""
    first = order.keys[0]
    if len(order.keys) == 2 and first.descending == order.keys[1].descending:
        places = [bindparam(name, type_=rows.c[key.column].type) for key, name in zip(order.keys, names, strict=True)]
        return _ranges(rows, order, values, places)
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
    return [or_(*alternatives)]


def _ranges(
    rows: Rows, order: Order, values: tuple[Any, ...], places: Sequence[ColumnElement[Any]]
) -> list[ColumnElement[bool]]:
    """Say the same of two keys as comparisons that an index can start from; nulls compare with nothing."""
    first, last = order.keys
    column, unique = rows.c[first.column], rows.c[last.column]
    nulls_first = isinstance(first, _Backward)
    if values[0] is None:
        behind = unique < places[1] if last.descending else unique > places[1]
        return [and_(column.is_(None), behind), *([column.is_not(None)] if nulls_first else [])]
    both, address = func.row(column, unique), func.row(*places)
    behind = both < address if first.descending else both > address
    return [behind, *([column.is_(None)] if first.nullable and not nulls_first else [])]


def moment_as_text(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Spell a moment in SQL exactly as Python spells it."""
    return func.to_char(func.timezone(plain("UTC"), column), plain(_TIME))


def _seal(seal_key: bytes, keys: bytes) -> bytes:
    return hashlib.sha256(seal_key + keys).digest()[:SEAL_BYTES]


def _keys(values: Sequence[ColumnElement[Any]], order: Order) -> ColumnElement[bytes]:
    sent = (
        func.coalesce(_sent(value), literal_column("''::bytea"), type_=LargeBinary) if key.nullable else _sent(value)
        for value, key in zip(values, order.keys, strict=True)
    )
    return reduce(ColumnElement[bytes].concat, sent)


def _nulls(values: Sequence[ColumnElement[Any]], order: Order) -> str | ColumnElement[str]:
    """Say in one digit which values are null; the rest of the cursor then has the length of the others."""
    flags = [
        case((value.is_(None), literal_column(str(1 << place), Integer)), else_=literal_column("0", Integer))
        for place, (value, key) in enumerate(zip(values, order.keys, strict=True))
        if key.nullable
    ]
    if not flags:
        return "0"
    digit: ColumnElement[str] = func.to_hex(reduce(operator.add, flags), type_=Text)
    return digit


def _sent(value: ColumnElement[Any]) -> ColumnElement[bytes]:
    """Spell a value in SQL as the bytes that PostgreSQL sends."""
    if isinstance(value.type, Text):
        length = func.int4send(func.octet_length(value), type_=LargeBinary)
        return length.concat(func.convert_to(value, plain("UTF8"), type_=LargeBinary))
    sent: ColumnElement[bytes] = getattr(func, _SENT[_kind(value.type)].function)(value, type_=LargeBinary)
    return sent


def _received(sent: bytes, nulls: int, types: Sequence[tuple[TypeEngine[Any], bool]]) -> tuple[Any, ...]:
    """Read values from the bytes that PostgreSQL sends; raises what is no such thing."""
    values: list[Any] = []
    at = 0
    for place, (type_, nullable) in enumerate(types):
        if nulls >> place & 1:
            if not nullable:
                raise ValueError("a null where none may be")
            values.append(None)
            continue
        if isinstance(type_, Text):
            (size,) = struct.unpack_from(">i", sent, at)
            at += 4
            values.append(sent[at : at + size].decode())
        else:
            kind = _SENT[_kind(type_)]
            size = kind.size
            values.append(kind.read(sent[at : at + size]))
        at += size
    if at != len(sent) or nulls >> len(types):
        raise ValueError("more or less than the keys")
    return tuple(values)


@dataclass(frozen=True, slots=True)
class _Sent:
    """How values of a type are sent, and how they are read again."""

    function: str
    size: int
    read: Callable[[bytes], Any]


_SENT: Mapping[type[TypeEngine[Any]], _Sent] = {
    Uuid: _Sent("uuid_send", 16, lambda sent: UUID(bytes=sent)),
    DateTime: _Sent(
        "timestamptz_send", 8, lambda sent: _EPOCH + timedelta(microseconds=int.from_bytes(sent, signed=True))
    ),
    SmallInteger: _Sent("int2send", 2, lambda sent: int.from_bytes(sent, signed=True)),
    Integer: _Sent("int4send", 4, lambda sent: int.from_bytes(sent, signed=True)),
    Float: _Sent("float8send", 8, lambda sent: struct.unpack(">d", sent)[0]),
}


def _kind(type_: TypeEngine[Any]) -> type[TypeEngine[Any]]:
    return next(kind for kind in _SENT if isinstance(type_, kind))
