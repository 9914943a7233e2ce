"""How values become JSON inside PostgreSQL, to the letter as the reference executor spells them.

An object is put together from pieces of text: what the document says of it is constant, and only values are worked out
for each row. PostgreSQL's own json_build_object looks up anew for every value of every row how its type is spelt, which
costs as much again as all the rest.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any, TypeVar

from graphql import (
    FieldNode,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Enum,
    Integer,
    ScalarSelect,
    SelectBase,
    Text,
    case,
    cast,
    column,
    func,
    not_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from app.domain.ids import Kind
from app.reads.page import moment_as_text, plain
from resolvers.plans.selection import NoPlan, Selections, snake

# An expression of more terms than that is slow to plan, and nobody selects so much of one object.
WIDEST_OBJECT = 100

# Text of the answer, or an expression that gives some and is never null.
Piece = str | ColumnElement[str]
Pieces = list[Piece]

# What stands between the text of an object: an expression, or whatever else gives some.
Other = TypeVar("Other")

NULL: ColumnElement[str] = plain("null")
NOTHING: ColumnElement[str] = plain("")
COMMA: ColumnElement[str] = plain(",")


class MadeOf(ScalarSelect[str]):
    """A text that is made of the elements of one value, and of nothing else."""

    inherit_cache = True

    def __init__(self, made: SelectBase, value: ColumnElement[Any]) -> None:
        """Keep the value."""
        super().__init__(made)
        self.value = value


def joined(pieces: Iterable[Piece]) -> ColumnElement[str]:
    """Make one text of pieces.

    Joined in halves, and those in halves: each piece is copied as often as there are levels. From the left to the
    right the first would be copied once for every other one.
    """
    parts: list[ColumnElement[str]] = []
    for is_constant, group in groupby(pieces, lambda piece: isinstance(piece, str)):
        if is_constant:
            parts.append(plain("".join(str(piece) for piece in group)))
        else:
            parts += (piece for piece in group if not isinstance(piece, str))

    def within(first: int, last: int) -> ColumnElement[str]:
        if last - first == 1:
            return parts[first]
        middle = (first + last) // 2
        return within(first, middle).op("||", return_type=Text())(within(middle, last))

    return within(0, len(parts))


def quoted(*pieces: Piece) -> Pieces:
    """Make a JSON text of pieces that have nothing to escape."""
    return ['"', *pieces, '"']


def gathered(elements: ColumnElement[str]) -> Pieces:
    """Make an array of the elements that an aggregate joined by commas."""
    return ["[", func.coalesce(elements, NOTHING), "]"]


def object_of(
    selections: Selections,
    type_: GraphQLObjectType,
    nodes: list[FieldNode],
    part: Callable[[str, list[FieldNode]], Iterable[str | Other]],
) -> list[str | Other]:
    """Make an object of what is selected of a type; `part` gives the value of a field."""
    fields = selections.of(type_, nodes)
    if len(fields) > WIDEST_OBJECT:
        raise NoPlan("an object too wide")
    pieces: list[str | Other] = []
    for key, theirs in fields.items():
        name = theirs[0].name.value
        pieces.append(f'{"," if pieces else ""}"{key}":')
        pieces += [f'"{type_.name}"'] if name == "__typename" else part(name, theirs)
    return ["{", *pieces, "}"]


def public_id(kind: Kind, id_column: ColumnElement[Any]) -> Pieces:
    """Spell an id as clients see it."""
    return quoted(f"{kind.value}_", func.encode(func.uuid_send(id_column), plain("hex")))


def leaf(selections: Selections, value: ColumnElement[Any], type_: GraphQLOutputType, nodes: list[FieldNode]) -> Pieces:
    """Spell a column as its GraphQL type wants it; a column of objects is kept as JSON."""
    named = get_named_type(type_)
    if is_leaf_type(named):
        return _quoted(value, moment_as_text(value)) if named.name == "DateTime" else _plain_leaf(value)
    assert isinstance(named, GraphQLObjectType)
    if isinstance(get_nullable_type(type_), GraphQLList):
        return _list(selections, value, named, nodes)
    is_object = func.jsonb_typeof(value) == plain("object")
    return [case((is_object, joined(_kept(selections, value, named, nodes))), else_=NULL)]


def document(
    selections: Selections, columns: Mapping[str, ColumnElement[Any]], type_: GraphQLObjectType, nodes: list[FieldNode]
) -> Pieces:
    """Make an object of columns."""
    return object_of(
        selections,
        type_,
        nodes,
        lambda name, theirs: leaf(selections, columns[snake(name)], type_.fields[name].type, theirs),
    )


def _plain_leaf(value: ColumnElement[Any]) -> Pieces:
    of = value.type
    if isinstance(of, Boolean):
        return [case((value, plain("true")), (not_(value), plain("false")), else_=NULL)]
    if isinstance(of, Integer | JSONB):
        return [_or_null(value, cast(value, Text))]
    if isinstance(of, Enum) and all(word.isascii() and word.isidentifier() for word in of.enums):
        # The words of a vocabulary, which a check holds the column to, have nothing that JSON would escape.
        word = cast(value, Text)
        return _quoted(value, word)
    return [_or_null(value, cast(func.to_json(value), Text))]


def _quoted(value: ColumnElement[Any], spelt: ColumnElement[str]) -> Pieces:
    return [func.coalesce(joined(quoted(spelt)), NULL)] if _nullable(value) else quoted(spelt)


def _or_null(value: ColumnElement[Any], spelt: ColumnElement[str]) -> ColumnElement[str]:
    return func.coalesce(spelt, NULL) if _nullable(value) else spelt


def _nullable(value: ColumnElement[Any]) -> bool:
    return bool(getattr(value, "nullable", True))


def _kept(
    selections: Selections, value: ColumnElement[Any], type_: GraphQLObjectType, nodes: list[FieldNode]
) -> Pieces:
    """Make an object of one that is kept as JSON, where moments are spelt already."""

    def part(name: str, theirs: list[FieldNode]) -> Pieces:
        inner = value.op("->", return_type=JSONB())(plain(snake(name)))
        of = type_.fields[name].type
        return _plain_leaf(inner) if is_leaf_type(get_named_type(of)) else leaf(selections, inner, of, theirs)

    return object_of(selections, type_, nodes, part)


def _list(
    selections: Selections, value: ColumnElement[Any], type_: GraphQLObjectType, nodes: list[FieldNode]
) -> Pieces:
    elements = (
        func.jsonb_array_elements(value).table_valued(column("value", JSONB), with_ordinality="at").render_derived()
    )
    built = joined(_kept(selections, elements.c.value, type_, nodes))
    made = select(func.string_agg(built, aggregate_order_by(COMMA, elements.c.at)))
    return gathered(MadeOf(made.scalar_subquery().element, value))
