"""Where a plan's values come from: what is literal in the document stays, what is a variable is read each time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_nullable_type,
    value_from_ast,
)

from app.domain.ids import Kind
from app.domain.words import Word
from resolvers.plans.selection import NoPlan, snake

Variables = Mapping[str, Any]
Binder = Callable[[Mapping[str, Any], dict[str, Any]], None]
_KINDS = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True)
class Source:
    """A value of the document: `now` as the present request has it, `read` for every later one of the same form."""

    now: Any
    read: Callable[[Variables], Any] | None = None

    def __call__(self, variables: Variables) -> Any:
        """Give the value for a request."""
        return self.now if self.read is None else self.read(variables)


def sources(field: GraphQLField, node: FieldNode, variables: Variables) -> dict[str, Source]:
    """Give the sources of a field's arguments by their Python names; what is not said and has no default is absent."""
    said = {argument.name.value: argument.value for argument in node.arguments or ()}
    found: dict[str, Source] = {}
    for name, definition in field.args.items():
        source = _source(said.get(name), definition.type, variables)
        if source is None and definition.default_value is not Undefined:
            source = Source(definition.default_value)
        if source is not None:
            found[snake(name)] = source
    return found


def _source(node: ValueNode | None, type_: GraphQLInputType, variables: Variables) -> Source | None:
    if node is None:
        return None
    if isinstance(node, VariableNode):
        name = node.name.value
        if name not in variables:
            return None
        if variables[name] is None and isinstance(type_, GraphQLNonNull):
            raise NoPlan("a null where none may be")
        return Source(variables[name], lambda given: given[name])
    named = get_nullable_type(type_)
    if isinstance(node, ObjectValueNode) and isinstance(named, GraphQLInputObjectType):
        return _object(node, named, variables)
    if isinstance(node, ListValueNode) and any(isinstance(value, VariableNode) for value in node.values):
        assert isinstance(named, GraphQLList)
        parts = [_source(value, named.of_type, variables) or Source(None) for value in node.values]
        return Source([part.now for part in parts], lambda given: [part(given) for part in parts])
    value = value_from_ast(node, type_, None)
    if value is Undefined:
        raise NoPlan("a literal")
    return Source(value)


def _object(node: ObjectValueNode, type_: GraphQLInputObjectType, variables: Variables) -> Source:
    said = {field.name.value: field.value for field in node.fields}
    parts: dict[str, Source] = {}
    for name, definition in type_.fields.items():
        source = _source(said.get(name), definition.type, variables)
        if source is None and definition.default_value is not Undefined:
            source = Source(definition.default_value)
        if source is not None:
            parts[name] = source
    now = {name: part.now for name, part in parts.items()}
    if all(part.read is None for part in parts.values()):
        return Source(now)
    return Source(now, lambda given: {name: part(given) for name, part in parts.items()})


def form_of(value: Any) -> Any:
    """Tell what of a variable's value is structure: requests of equal form share a plan, whatever else they bind."""
    if type(value) is str:
        prefix, separator, _ = value[:5].partition("_")
        if separator and prefix in _KINDS:
            return prefix
        return str if value.strip() else ""
    match value:
        case None | bool() | int() | Word():
            return value
        case dict():
            return tuple((name, form_of(part)) for name, part in value.items())
        case list():
            return list, len(value) == 1
        case _:
            return type(value)
