"""The contract that front ends rely on, as a schema, and where another schema falls short of it."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_required_argument,
    is_required_input_field,
    print_ast,
)

PLACE = Path(__file__).parent.parent / "contract.graphql"


def read_contract() -> GraphQLSchema:
    """Build the contract, with the connections that its last lines describe."""
    text = PLACE.read_text()
    listed = re.search(r"for X in ([\w,\s#]+)\.", text)
    assert listed is not None
    for name in re.findall(r"\w+", listed[1]):
        text += f"""
            type {name}Connection {{ edges: [{name}Edge!]! nodes: [{name}!]! pageInfo: PageInfo! totalCount: Int! }}
            type {name}Edge {{ cursor: String! node: {name}! }}
        """
    return build_schema(text)


def wanted_types(contract: GraphQLSchema, to_come: Collection[str]) -> set[str]:
    """Name the types of the contract that can be reached without what is to come."""
    rest = [root.name for root in (contract.query_type, contract.mutation_type, contract.subscription_type) if root]
    found: set[str] = set()
    while rest:
        name = rest.pop()
        if name in found:
            continue
        found.add(name)
        type_ = contract.type_map[name]
        if isinstance(type_, GraphQLInterfaceType):
            rest += [possible.name for possible in contract.get_possible_types(type_)]
        for field_name, field in getattr(type_, "fields", {}).items():
            if f"{name}.{field_name}" not in to_come:
                rest.append(get_named_type(field.type).name)
                rest += [get_named_type(argument.type).name for argument in getattr(field, "args", {}).values()]
    return found


def shortcomings(ours: GraphQLSchema, contract: GraphQLSchema, to_come: Collection[str]) -> Iterator[str]:
    """Tell where a printed schema does not hold the contract; it may contain more."""
    for name in sorted(wanted_types(contract, to_come)):
        found = ours.type_map.get(name)
        if found is None:
            yield f"{name} is missing"
        elif type(found) is not type(contract.type_map[name]):
            yield f"{name} is {type(found).__name__}"
        else:
            yield from _of_type(found, contract.type_map[name], to_come)


def _of_type(found: GraphQLNamedType, wanted: GraphQLNamedType, to_come: Collection[str]) -> Iterator[str]:
    if isinstance(wanted, GraphQLEnumType) and isinstance(found, GraphQLEnumType):
        yield from (f"{wanted.name}.{value} is missing" for value in wanted.values.keys() - found.values.keys())
    elif isinstance(wanted, GraphQLInputObjectType) and isinstance(found, GraphQLInputObjectType):
        fields = {name: value for name, value in wanted.fields.items() if f"{wanted.name}.{name}" not in to_come}
        yield from _values(wanted.name, found.fields, fields, is_required_input_field)
    elif isinstance(wanted, GraphQLObjectType | GraphQLInterfaceType):
        assert isinstance(found, GraphQLObjectType | GraphQLInterfaceType)
        interfaces = {interface.name for interface in found.interfaces}
        yield from (f"{wanted.name} is no {face.name}" for face in wanted.interfaces if face.name not in interfaces)
        for name, field in wanted.fields.items():
            place = f"{wanted.name}.{name}"
            if place in to_come:
                continue
            if name not in found.fields:
                yield f"{place} is missing"
                continue
            if str(found.fields[name].type) != str(field.type):
                yield f"{place} is {found.fields[name].type}, not {field.type}"
            yield from _values(place, found.fields[name].args, field.args, is_required_argument)


def _default(value: GraphQLArgument | GraphQLInputField) -> str | None:
    node = value.ast_node
    return None if node is None or node.default_value is None else print_ast(node.default_value)


def _values(
    place: str,
    found: Mapping[str, GraphQLArgument | GraphQLInputField],
    wanted: Mapping[str, GraphQLArgument | GraphQLInputField],
    required: Any,
) -> Iterator[str]:
    """Compare arguments, or the fields of an input object."""
    for name, value in wanted.items():
        if name not in found:
            yield f"{place}({name}) is missing"
        elif str(found[name].type) != str(value.type):
            yield f"{place}({name}) is {found[name].type}, not {value.type}"
        elif _default(found[name]) != _default(value):
            yield f"{place}({name}) is {_default(found[name])} by default, not {_default(value)}"
    yield from (
        f"{place}({name}) must not be required" for name in found.keys() - wanted.keys() if required(found[name])
    )
