"""What TypeScript imports only for types: names that stand in type positions alone, so that `import type` would do."""

from collections.abc import Mapping, Sequence

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

_LETTERS = frozenset(bytes((letter,)) for letter in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$")


def type_uses(source: Source) -> Mapping[int, str]:
    """Tell of each import that names what it brings, by its first line, how many of the names are only types.

    Where decorators may ask for classes at run time, nobody can tell, and nothing is said.
    """
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


def _is_type_alone(source: Source, name: bytes, imports: Sequence[tuple[int, int]]) -> bool:
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
            if node is not None and node.type not in _OTHERS:
                if not _is_type(node):
                    return False
                seen = True
        start = content.find(name, end)
    return seen


def _is_type(node: Node) -> bool:
    if node.type == "type_identifier":
        return True
    above = node.parent
    while above is not None and above.type in _PARTS:
        above = above.parent
    return above is not None and above.type in _WHOLE
