"""What is imported only for types: names that stand in type positions alone.

`import type` would do for them in TypeScript, and in Python an import under `if TYPE_CHECKING:`.
"""

from collections.abc import Callable, Mapping, Sequence

from tree_sitter import Node

from app.syntax.source import Source, line_of, text_of

ALL, SOME, NONE = "all", "some", "none"
_TYPED = frozenset(("TypeScript", "TSX"))
_WHOLE = ("nested_type_identifier", "type_query")
_PARTS = ("nested_identifier", "member_expression")
# Nodes that spell the name of something else, or no name at all.
_OTHERS = frozenset(
    (
        "property_identifier",
        "private_property_identifier",
        "shorthand_property_identifier_pattern",
        "statement_identifier",
        "comment",
        "html_comment",
        "string",
        "string_fragment",
        "template_string",
        "regex_pattern",
        "jsx_text",
    )
)

_BLOCKS = frozenset(("block", "module", "argument_list"))
_LETTERS = frozenset(bytes((letter,)) for letter in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$")


# Who asks for annotations at run time needs what stands in them.
_ASKING = ("pydantic", "fastapi", "typer", "attrs", "cattrs", "msgspec", "sqlmodel", "get_type_hints")
_TYPING = frozenset(("typing", "typing_extensions"))
_DEFERRED = "from __future__ import annotations"


def type_uses(source: Source) -> Mapping[int, str]:
    """Tell of each import that names what it brings, by its first line, how many of the names are only types.

    Where decorators may ask for classes at run time, nobody can tell, and nothing is said.
    """
    if source.language == "Python":
        return _of_python(source)
    if source.language not in _TYPED or source.nodes("decorator"):
        return {}
    brought = {node: _names(node) for node in source.nodes("import_statement")}
    asked = {name for names in brought.values() for name, typed in names.items() if not typed}
    ends = [(node.start_byte, node.end_byte) for node in brought]
    types = {name for name in asked if _is_type_alone(source, name.encode(), ends)}
    found = {}
    for node, names in brought.items():
        count = sum(typed or name in types for name, typed in names.items())
        if names:
            found[line_of(node)] = ALL if count == len(names) else SOME if count else NONE
    return found


def _of_python(source: Source) -> Mapping[int, str]:
    """Ask the files that do not evaluate annotations, and of them the imports of names."""
    if _DEFERRED not in source.text or any(word in source.text for word in _ASKING):
        return {}
    brought = {node: _local(node) for node in source.nodes("import_from_statement")}
    ends = [(node.start_byte, node.end_byte) for node in source.nodes("import_statement", "import_from_statement")]
    uses: dict[Node, str] = {}
    for node, names in brought.items():
        count = sum(_is_type_alone(source, name.encode(), ends, _is_annotation) for name in names)
        if names:
            uses[node] = ALL if count == len(names) else SOME if count else NONE
    # Of a module that is needed at run time anyway, nobody gains by having a name later.
    needed = {_module(node) for node, use in uses.items() if use != ALL} | _TYPING
    return {line_of(node): use for node, use in uses.items() if use != ALL or _module(node) not in needed}


def _module(node: Node) -> str:
    return text_of(node.child_by_field_name("module_name"))


def _local(node: Node) -> list[str]:
    """Give the names that an import brings, as they are known below it."""
    return [
        text_of(name.child_by_field_name("alias") if name.type == "aliased_import" else name)
        for name in node.children_by_field_name("name")
    ]


def _is_annotation(node: Node) -> bool | None:
    """Tell whether a name stands in an annotation; None where it is the name of something else."""
    above = node.parent
    if node.type != "identifier" or above is None:
        return None
    if (above.type == "attribute" and above.child_by_field_name("attribute") == node) or (
        above.type == "keyword_argument" and above.child_by_field_name("name") == node
    ):
        return None
    while above is not None and above.type != "type":
        if above.type in _BLOCKS:
            return False
        above = above.parent
    return above is not None


def _names(node: Node) -> dict[str, bool]:
    """Give the local names of an import, and whether it says itself that they are types."""
    clause = next((child for child in node.named_children if child.type == "import_clause"), None)
    typed = any(child.type == "type" for child in node.children[:2])
    names: dict[str, bool] = {}
    for part in () if clause is None else clause.named_children:
        if part.type == "identifier":
            names[text_of(part)] = typed
        elif part.type == "named_imports":
            for each in part.named_children:
                if each.type == "import_specifier":
                    local = each.child_by_field_name("alias") or each.child_by_field_name("name")
                    names[text_of(local)] = typed or any(child.type == "type" for child in each.children)
        else:
            return {}
    return names


def _is_type_alone(
    source: Source,
    name: bytes,
    imports: Sequence[tuple[int, int]],
    asked: Callable[[Node], bool | None] | None = None,
) -> bool:
    """Tell whether a name stands somewhere, and only where types do; at the first other place nothing more is asked."""
    assert source.root is not None
    content = source.content
    seen, below = False, imports[-1][1]
    start = content.find(name, imports[0][0])
    while start >= 0:
        end = start + len(name)
        # A part of a longer name, and the name of a member, are something else.
        whole = content[start - 1 : start] not in _LETTERS and content[end : end + 1] not in _LETTERS
        if whole and (start >= below or not any(first <= start < last for first, last in imports)):
            node = source.root.descendant_for_byte_range(start, end)
            said = None if node is None or node.type in _OTHERS else (asked or _is_type)(node)
            if said is False:
                return False
            seen = seen or said is True
        start = content.find(name, end)
    return seen


def _is_type(node: Node) -> bool:
    if node.type == "type_identifier":
        return True
    above = node.parent
    while above is not None and above.type in _PARTS:
        above = above.parent
    return above is not None and above.type in _WHOLE
