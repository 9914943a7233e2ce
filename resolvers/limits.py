"""What one document may ask for: bounds that need no execution, and the cost of an operation before it runs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
)

from app.config import Settings
from app.domain.errors import Invalid, TooComplex
from app.reads.page import MOST
from app.reads.shape import DEFAULT_PAGE

# The same field again and again in one selection costs the validation its square.
MOST_REPEATED = 20
NUL = "\0"


def bound_document(document: DocumentNode, settings: Settings) -> None:
    """Refuse a document that is larger than documents need to be, before the costly validation sees it."""
    aliases = directives = widest = repeated = 0
    for node in _walk(document):
        match node:
            case FieldNode():
                aliases += node.alias is not None
                directives += len(node.directives or ())
            case ListValueNode():
                widest = max(widest, len(node.values))
            case StringValueNode() if NUL in node.value:
                raise Invalid("A text holds the character NUL, which the database cannot.")
            case SelectionSetNode():
                names = Counter(_key(child) for child in node.selections if isinstance(child, FieldNode))
                repeated = max(repeated, *names.values(), 0)
            case _:
                directives += len(getattr(node, "directives", None) or ())
    _bound("aliases", aliases, settings.limit_aliases)
    _bound("directives", directives, settings.limit_directives)
    _bound("values in one list", widest, settings.limit_list)
    _bound("repetitions of one field", repeated, MOST_REPEATED)
    fragments = fragments_of(document)
    depths: dict[str, int] = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            _bound("levels", _depth(definition.selection_set, fragments, depths, ()), settings.limit_depth)
            roots = sum(1 for _ in _fields(definition.selection_set, fragments))
            _bound("root fields", roots, settings.limit_root_fields)


def bound_variables(variables: Mapping[str, Any] | None, settings: Settings) -> None:
    """Refuse lists in variables that are longer than any argument needs, and texts that the database cannot hold."""
    rest: list[Any] = [variables or {}]
    while rest:
        value = rest.pop()
        if isinstance(value, str):
            if NUL in value:
                raise Invalid(
                    "A text holds the character NUL, which the database cannot.",
                    fields={"variables": "has the character NUL"},
                )
        elif isinstance(value, dict):
            rest += value.keys()
            rest += value.values()
        elif isinstance(value, list):
            if len(value) > settings.limit_list:
                raise Invalid(
                    f"A list has {len(value)} values; at most {settings.limit_list} are allowed.",
                    fields={"variables": "has too long a list"},
                )
            rest += value


def root_fields(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> list[str]:
    """List the fields that an operation begins with."""
    return [node.name.value for node in _fields(operation.selection_set, fragments)]


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Give the fragments of a document by name."""
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


class Cost:
    """What an operation costs: one for each object that its lists and relations can come to."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments

    def of(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
        """Count from the page sizes asked for; what the data hold does not matter."""
        root = self._schema.get_root_type(operation.operation)
        assert root is not None
        return 1 + self._selected(root, operation.selection_set, variables)

    def _selected(self, type_: Any, selections: SelectionSetNode, variables: Mapping[str, Any]) -> int:
        total = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                total += self._field(type_, node, variables)
                continue
            fragment: Any = self._fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            condition = fragment.type_condition
            total += self._selected(
                self._schema.type_map[condition.name.value] if condition else type_, fragment.selection_set, variables
            )
        return total

    def _field(self, type_: Any, node: FieldNode, variables: Mapping[str, Any]) -> int:
        name = node.name.value
        if node.selection_set is None or not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            return 0
        field = type_.fields.get(name)
        if field is None:
            return 0
        inner = self._selected(get_named_type(field.type), node.selection_set, variables)
        if "first" in field.args:
            return 1 + _page_size(node, field.args["first"].default_value, variables) * max(inner, 1)
        if name in ("edges", "nodes", "pageInfo") and get_named_type(type_).name.endswith("Connection"):
            # The page was counted where its size is known; `nodes` and `edges` are ways to say it.
            return inner if name == "edges" else inner + 1
        if isinstance(get_nullable_type(field.type), GraphQLList):
            return DEFAULT_PAGE // 2 * max(inner, 1)
        return inner + 1


def _page_size(node: FieldNode, default: Any, variables: Mapping[str, Any]) -> int:
    sizes = {argument.name.value: argument.value for argument in node.arguments or ()}
    for name in ("first", "last"):
        value = sizes.get(name)
        size: Any = None
        if isinstance(value, IntValueNode):
            size = int(value.value)
        elif isinstance(value, VariableNode):
            size = variables.get(value.name.value)
        if isinstance(size, int):
            return min(max(size, 1), MOST)
    return default if isinstance(default, int) else DEFAULT_PAGE


def _bound(what: str, count: int, most: int) -> None:
    if count > most:
        raise TooComplex(f"The document has {count} {what}; at most {most} are allowed.")


def _walk(node: Node) -> Iterator[Node]:
    rest: list[Any] = [node]
    while rest:
        current = rest.pop()
        yield current
        for key in current.keys:
            value = getattr(current, key, None)
            if isinstance(value, Node):
                rest.append(value)
            elif isinstance(value, tuple | list):
                rest += [child for child in value if isinstance(child, Node)]


def _depth(
    selections: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    known: dict[str, int],
    path: tuple[str, ...],
) -> int:
    deepest = 0
    for node in selections.selections:
        if isinstance(node, FieldNode):
            inner = 1 + (_depth(node.selection_set, fragments, known, path) if node.selection_set else 0)
        elif isinstance(node, FragmentSpreadNode):
            name = node.name.value
            # A cycle is an error that validation tells; here it must only end.
            if name in path or name not in fragments:
                continue
            if name not in known:
                known[name] = _depth(fragments[name].selection_set, fragments, known, (*path, name))
            inner = known[name]
        else:
            assert isinstance(node, InlineFragmentNode)
            inner = _depth(node.selection_set, fragments, known, path)
        deepest = max(deepest, inner)
    return deepest


def _fields(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], path: tuple[str, ...] = ()
) -> Iterator[FieldNode]:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name in fragments and name not in path:
                yield from _fields(fragments[name].selection_set, fragments, (*path, name))
        else:
            assert isinstance(node, InlineFragmentNode)
            yield from _fields(node.selection_set, fragments, path)


def _key(node: FieldNode) -> str:
    return (node.alias or node.name).value
