"""How values become JSON inside PostgreSQL, to the letter as the reference executor spells them."""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from sqlalchemy import ColumnElement, Text, case, cast, column, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB

from app.domain.ids import Kind
from app.reads.page import moment_as_text, plain
from resolvers.plans.selection import NoPlan, Selections, snake

# PostgreSQL takes at most 100 arguments to a function, and each field needs two.
WIDEST_OBJECT = 50

EMPTY: ColumnElement[Any] = literal_column("'[]'::json")

Part = Callable[[str, list[FieldNode]], ColumnElement[Any]]


def object_of(
    selections: Selections, type_: GraphQLObjectType, nodes: list[FieldNode], part: Part
) -> ColumnElement[Any]:
    """Make an object of what is selected of a type; `part` gives the value of a field."""
    fields = selections.of(type_, nodes)
    if len(fields) > WIDEST_OBJECT:
        raise NoPlan("an object too wide")
    pairs: list[ColumnElement[Any]] = []
    for key, theirs in fields.items():
        name = theirs[0].name.value
        pairs += [plain(key), plain(type_.name) if name == "__typename" else part(name, theirs)]
    return func.json_build_object(*pairs)


def public_id(kind: Kind, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Spell an id as clients see it."""
    return plain(f"{kind.value}_").concat(func.replace(cast(column, Text), plain("-"), plain("")))


def leaf(
    selections: Selections, value: ColumnElement[Any], type_: GraphQLOutputType, nodes: list[FieldNode]
) -> ColumnElement[Any]:
    """Spell a column as its GraphQL type wants it; a column of objects is kept as JSON."""
    named = get_named_type(type_)
    if is_leaf_type(named):
        return moment_as_text(value) if named.name == "DateTime" else value
    assert isinstance(named, GraphQLObjectType)
    if isinstance(get_nullable_type(type_), GraphQLList):
        return _list(selections, value, named, nodes)
    is_object = func.jsonb_typeof(value) == plain("object")
    return case((is_object, _kept(selections, value, named, nodes)))


def document(
    selections: Selections, columns: Mapping[str, ColumnElement[Any]], type_: GraphQLObjectType, nodes: list[FieldNode]
) -> ColumnElement[Any]:
    """Make an object of columns."""
    return object_of(
        selections,
        type_,
        nodes,
        lambda name, theirs: leaf(selections, columns[snake(name)], type_.fields[name].type, theirs),
    )


def _kept(
    selections: Selections, value: ColumnElement[Any], type_: GraphQLObjectType, nodes: list[FieldNode]
) -> ColumnElement[Any]:
    """Make an object of one that is kept as JSON, where moments are spelt already."""

    def part(name: str, theirs: list[FieldNode]) -> ColumnElement[Any]:
        inner = value.op("->", return_type=JSONB())(plain(snake(name)))
        of = type_.fields[name].type
        return inner if is_leaf_type(get_named_type(of)) else leaf(selections, inner, of, theirs)

    return object_of(selections, type_, nodes, part)


def _list(
    selections: Selections, value: ColumnElement[Any], type_: GraphQLObjectType, nodes: list[FieldNode]
) -> ColumnElement[Any]:
    elements = (
        func.jsonb_array_elements(value).table_valued(column("value", JSONB), with_ordinality="at").render_derived()
    )
    built = _kept(selections, elements.c.value, type_, nodes)
    return select(func.coalesce(func.json_agg(built.op("ORDER BY")(elements.c.at)), EMPTY)).scalar_subquery()
