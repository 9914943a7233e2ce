"""Variables of plain types are read at once; all others, and whatever is odd, are left to graphql-core."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLSchema,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    Undefined,
    type_from_ast,
    value_from_ast,
)

_CLASSES: Mapping[str, type] = {"ID": str, "String": str, "Int": int, "Boolean": bool}


@dataclass(frozen=True, slots=True)
class PlainVariable:
    """A variable whose value is taken as it came."""

    name: str
    expected: type
    required: bool
    default: Any

    @classmethod
    def all_of(cls, schema: GraphQLSchema, operation: OperationDefinitionNode) -> "tuple[PlainVariable, ...] | None":
        """Give the variables of an operation, or None if any is of another type."""
        found: list[PlainVariable] = []
        for definition in operation.variable_definitions or ():
            node = definition.type
            required = isinstance(node, NonNullTypeNode)
            named = node.type if isinstance(node, NonNullTypeNode) else node
            expected = _CLASSES.get(named.name.value) if isinstance(named, NamedTypeNode) else None
            if expected is None:
                return None
            default = Undefined
            if definition.default_value is not None:
                type_: Any = type_from_ast(schema, node)
                default = value_from_ast(definition.default_value, type_)
            found.append(cls(definition.variable.name.value, expected, required, default))
        return tuple(found)


def read_at_once(variables: Sequence[PlainVariable], given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give the values that an operation runs with; None where anything is not as it should be."""
    values: dict[str, Any] = {}
    for variable in variables:
        value = given.get(variable.name, Undefined)
        if value is Undefined:
            value = variable.default
            if value is not Undefined:
                values[variable.name] = value
            elif variable.required:
                return None
            continue
        if value is None:
            if variable.required:
                return None
        # A boolean is an integer to Python, but not to GraphQL.
        elif type(value) is not variable.expected or not _fits(value):
            return None
        values[variable.name] = value
    return values


def _fits(value: object) -> bool:
    return not isinstance(value, int) or GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT
