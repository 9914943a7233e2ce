"""What one document may ask for: bounds that need no execution, and the cost of an operation before it runs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    ArgumentNode,
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
# Selections within each other, fragments' own as well: whoever walks a document later may do so by recursion.
MOST_NESTED = 100
MOST_COSTS = 1_000
MOST_TOLD = 1_000_000_000
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
    known: dict[str, tuple[int, int]] = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            levels, _ = _depth(definition.selection_set, fragments, known)
            _bound("levels", levels, settings.limit_depth)
        if isinstance(definition, OperationDefinitionNode):
            _bound("root fields", len(root_fields(definition, fragments)), settings.limit_root_fields)


def bound_variables(variables: Mapping[str, Any] | None, settings: Settings) -> None:
    """Refuse lists in variables that are longer than any argument needs, and texts that the database cannot hold."""
    # Each value with its place, spelt as graphql-core spells the places of wrong values.
    rest: list[tuple[str, Any]] = [*(variables or {}).items()]
    while rest:
        place, value = rest.pop()
        if NUL in place or (isinstance(value, str) and NUL in value):
            raise Invalid(
                "A text holds the character NUL, which the database cannot.",
                fields={place.partition(NUL)[0]: "has the character NUL"},
            )
        if isinstance(value, dict):
            rest += ((f"{place}.{name}", inner) for name, inner in value.items())
        elif isinstance(value, list):
            if len(value) > settings.limit_list:
                raise Invalid(
                    f"A list has {len(value)} values; at most {settings.limit_list} are allowed.",
                    fields={place: f"has more than {settings.limit_list} values"},
                )
            rest += ((f"{place}[{number}]", inner) for number, inner in enumerate(value))


def root_fields(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> list[str]:
    """List the fields that an operation begins with."""
    return [node.name.value for node in _fields(operation.selection_set, fragments, set())]


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Give the fragments of a document by name."""
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


class Cost:
    """What an operation costs: one for each object that its lists and relations can come to."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = fragments_of(document)
        arguments = (node for node in _walk(document) if isinstance(node, ArgumentNode) and node.name.value in _SIZES)
        # Only the sizes of pages make a difference, so what they come to is worked out once.
        self._decisive = tuple(
            sorted({node.value.name.value for node in arguments if isinstance(node.value, VariableNode)})
        )
        self._known: dict[Any, int] = {}

    def of(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
        """Count from the page sizes asked for; what the data hold does not matter."""
        sizes = {name: _size(variables.get(name)) for name in self._decisive}
        key = (operation.name and operation.name.value, *sizes.values())
        found = self._known.get(key)
        if found is None:
            root = self._schema.get_root_type(operation.operation)
            assert root is not None
            count = _Count(self._schema, self._fragments, sizes)
            found = min(1 + count.selected(root, operation.selection_set, set()), MOST_TOLD)
            if len(self._known) >= MOST_COSTS:
                self._known.clear()
            self._known[key] = found
        return found


class _Count:
    """One count; a field is counted once for all the ways that lead to it through fragments."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], sizes: Mapping[str, int | None]
    ) -> None:
        self._schema, self._fragments, self._sizes = schema, fragments, sizes
        self._known: dict[int, int] = {}

    def selected(self, type_: Any, selections: SelectionSetNode, seen: set[str]) -> int:
        total = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                if id(node) not in self._known:
                    self._known[id(node)] = self._field(type_, node)
                total += self._known[id(node)]
                continue
            fragment: Any = node
            if isinstance(node, FragmentSpreadNode):
                if node.name.value in seen:
                    continue
                seen.add(node.name.value)
                fragment = self._fragments[node.name.value]
            condition = fragment.type_condition
            total += self.selected(
                self._schema.type_map[condition.name.value] if condition else type_, fragment.selection_set, seen
            )
        return total

    def _field(self, type_: Any, node: FieldNode) -> int:
        name = node.name.value
        if node.selection_set is None or not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            return 0
        field = type_.fields.get(name)
        if field is None:
            return 0
        inner = self.selected(get_named_type(field.type), node.selection_set, set())
        if "first" in field.args:
            return 1 + self._page_size(node, field.args["first"].default_value) * max(inner, 1)
        if name in ("edges", "nodes", "pageInfo") and get_named_type(type_).name.endswith("Connection"):
            # The page was counted where its size is known; `nodes` and `edges` are ways to say it.
            return inner if name == "edges" else inner + 1
        if isinstance(get_nullable_type(field.type), GraphQLList):
            return self._page_size(node, DEFAULT_PAGE // 2) * max(inner, 1)
        return inner + 1

    def _page_size(self, node: FieldNode, default: Any) -> int:
        said = {argument.name.value: argument.value for argument in node.arguments or ()}
        for name in _SIZES:
            match said.get(name):
                case IntValueNode(value=digits):
                    size = _size(int(digits))
                case ListValueNode(values=values):
                    size = len(values)
                case VariableNode(name=variable):
                    size = self._sizes[variable.value]
                case _:
                    size = None
            if size is not None:
                return size
        return default if isinstance(default, int) else DEFAULT_PAGE


# The arguments that say how many objects there may be.
_SIZES = ("first", "last", "ids")


def _size(value: Any) -> int | None:
    if isinstance(value, list):
        return len(value)
    return min(max(value, 1), MOST) if isinstance(value, int) else None


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
    known: dict[str, tuple[int, int]],
    path: tuple[str, ...] = (),
    above: int = 0,
) -> tuple[int, int]:
    """Tell how many fields stand within each other, and how many selections."""
    levels = nested = 0
    for node in selections.selections:
        below = (0, 0)
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            # A cycle is an error that validation tells; here it must only end.
            if name in path or name not in fragments:
                continue
            if name not in known:
                _not_too_deep(above)
                known[name] = _depth(fragments[name].selection_set, fragments, known, (*path, name), above + 1)
            below = known[name]
        elif node.selection_set is not None:  # type: ignore[attr-defined]
            _not_too_deep(above)
            below = _depth(node.selection_set, fragments, known, path, above + 1)  # type: ignore[attr-defined]
        levels = max(levels, below[0] + isinstance(node, FieldNode))
        nested = max(nested, below[1] + 1)
    _not_too_deep(above + nested)
    return levels, nested


def _not_too_deep(nested: int) -> None:
    if nested > MOST_NESTED:
        raise TooComplex("The document is nested too deeply.")


def _fields(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], seen: set[str]
) -> Iterator[FieldNode]:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name in fragments and name not in seen:
                seen.add(name)
                yield from _fields(fragments[name].selection_set, fragments, seen)
        else:
            assert isinstance(node, InlineFragmentNode)
            yield from _fields(node.selection_set, fragments, seen)


def _key(node: FieldNode) -> str:
    return (node.alias or node.name).value
