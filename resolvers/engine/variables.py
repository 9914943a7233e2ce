"""Variables that are as they should be are read at once; whatever is odd is left to graphql-core and its errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    get_nullable_type,
    type_from_ast,
    value_from_ast,
)

from resolvers.engine.limits import NUL


class Odd(Exception):
    """A value that graphql-core must look at."""


Read = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Variable:
    """One variable: how its value is read, and what stands there where none is given."""

    name: str
    read: Read
    default: Any


@dataclass(frozen=True, slots=True)
class PlainVariables:
    """The variables of one operation."""

    known: tuple[_Variable, ...]

    @classmethod
    def of(cls, schema: GraphQLSchema, operation: OperationDefinitionNode, *, longest_list: int) -> "PlainVariables":
        """Find out how the variables of an operation are read."""
        known: list[_Variable] = []
        for definition in operation.variable_definitions or ():
            type_: Any = type_from_ast(schema, definition.type)
            default = Undefined
            if definition.default_value is not None:
                default = value_from_ast(definition.default_value, type_)
            read = _reader(type_, longest_list)
            known.append(_Variable(definition.variable.name.value, read, default))
        return cls(tuple(known))

    def read(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the values that an operation runs with; None where anything is not as it should be."""
        values: dict[str, Any] = {}
        used = 0
        try:
            for variable in self.known:
                name = variable.name
                if name in given:
                    values[name] = variable.read(given[name])
                    used += 1
                elif variable.default is not Undefined:
                    values[name] = variable.default
                else:
                    # Where the variable is required, a null is odd.
                    variable.read(None)
        except Odd:
            return None
        # What nobody declared is looked at as well, though nobody reads it.
        return values if used == len(given) else None


def _reader(type_: Any, longest_list: int) -> Read:
    """Make the function that reads values of a type."""
    required, named = isinstance(type_, GraphQLNonNull), get_nullable_type(type_)
    read = _present(named, longest_list)

    def value(given: Any) -> Any:
        if given is None:
            if required:
                raise Odd
            return None
        return read(given)

    return value


def _present(named: Any, longest_list: int) -> Read:
    match named:
        case GraphQLScalarType(name=name):
            return _SCALARS.get(name, _odd)
        case GraphQLEnumType():
            return _word(named)
        case GraphQLList(of_type=of_type):
            return _list(_reader(of_type, longest_list), longest_list)
        # What makes something else of its fields knows more about them than is known here.
        case GraphQLInputObjectType() if named.out_type is GraphQLInputObjectType.out_type:
            return _input(named, longest_list)
    return _odd


def _odd(_: Any) -> Any:
    raise Odd


def _text(given: Any) -> str:
    if type(given) is not str or NUL in given:
        raise Odd
    return given


def _number(given: Any) -> int:
    # A boolean is an integer to Python, but not to GraphQL.
    if type(given) is not int or not GRAPHQL_MIN_INT <= given <= GRAPHQL_MAX_INT:
        raise Odd
    return given


def _flag(given: Any) -> bool:
    if type(given) is not bool:
        raise Odd
    return given


_SCALARS: Mapping[str, Read] = {"ID": _text, "String": _text, "Int": _number, "Boolean": _flag}


def _word(enum: GraphQLEnumType) -> Read:
    words = {name: enum.parse_value(name) for name in enum.values}

    def word(given: Any) -> Any:
        if type(given) is not str or given not in words:
            raise Odd
        return words[given]

    return word


def _list(read: Read, longest: int) -> Read:
    def values(given: Any) -> list[Any]:
        if type(given) is not list or len(given) > longest:
            raise Odd
        return [read(value) for value in given]

    return values


def _input(type_: GraphQLInputObjectType, longest_list: int) -> Read:
    # Made when it is first needed: an input type may hold itself.
    fields: dict[str, tuple[Read, Any]] = {}

    def values(given: Any) -> dict[str, Any]:
        if type(given) is not dict:
            raise Odd
        if not fields:
            for name, field in type_.fields.items():
                fields[name] = _reader(field.type, longest_list), field.default_value
        if not given.keys() <= fields.keys():
            raise Odd
        found: dict[str, Any] = {}
        for name, (read, default) in fields.items():
            if name in given:
                found[name] = read(given[name])
            elif default is not Undefined:
                found[name] = default
            else:
                read(None)
        return found

    return values
