"""Which fields a selection comes to for one object type, after fragments and directives."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
)

Fields = dict[str, list[FieldNode]]


class NoPlan(Exception):
    """This document, or a part of it, goes the reference way."""


class Selections:
    """Collects fields as the GraphQL specification says."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]) -> None:
        self._fragments = fragments
        self._variables = variables

    def of(self, type_: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Fields:
        """Collect what several nodes of one field select together."""
        fields: Fields = {}
        seen: set[str] = set()
        for node in nodes:
            if node.selection_set is not None:
                self.collect(type_, node.selection_set, fields, seen)
        return fields

    def collect(self, type_: GraphQLObjectType, selections: SelectionSetNode, fields: Fields, seen: set[str]) -> None:
        """Add what a selection set selects, in the order of the answer, each fragment once."""
        for node in selections.selections:
            # Each is asked, whatever the others say: one that is wrong is an error by itself.
            answers = [self._wanted(directive) for directive in node.directives or ()]
            if not all(answers):
                continue
            match node:
                case FieldNode():
                    fields.setdefault((node.alias or node.name).value, []).append(node)
                case FragmentSpreadNode(name=name) if name.value not in seen:
                    seen.add(name.value)
                    fragment = self._fragments[name.value]
                    if applies(fragment, type_):
                        self.collect(type_, fragment.selection_set, fields, seen)
                case InlineFragmentNode():
                    if applies(node, type_):
                        self.collect(type_, node.selection_set, fields, seen)

    def _wanted(self, directive: DirectiveNode) -> bool:
        if directive.name.value not in ("skip", "include"):
            raise NoPlan("a directive")
        match directive.arguments[0].value if directive.arguments else None:
            case VariableNode(name=name):
                condition = self._variables.get(name.value)
            case BooleanValueNode(value=condition):
                pass
            case _:
                condition = None
        if not isinstance(condition, bool):
            raise NoPlan("a condition")
        return condition is (directive.name.value == "include")


def applies(fragment: FragmentDefinitionNode | InlineFragmentNode, type_: GraphQLObjectType) -> bool:
    """Tell whether a fragment speaks of a type, by its name or by an interface of it."""
    if fragment.type_condition is None:
        return True
    name = fragment.type_condition.name.value
    return name == type_.name or any(name == interface.name for interface in type_.interfaces)


@lru_cache(maxsize=4096)
def snake(name: str) -> str:
    """Spell a GraphQL name as Python does."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
