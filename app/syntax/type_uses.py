"""What TypeScript imports only for types: names that stand in type positions alone, so that `import type` would do."""

import re
from collections.abc import Iterable, Mapping

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


def type_uses(source: Source) -> Mapping[int, str]:
    """Tell of each import that names what it brings, by its first line, how many of the names are only types.

    Where decorators may ask for classes at run time, nobody can tell, and nothing is said.
    """
    if source.language not in _TYPED or source.nodes("decorator"):
        return {}
    brought = {node: _names(node) for node in source.nodes("import_statement")}
    asked = {name for names in brought.values() for name, typed in names.items() if not typed and name.isalnum()}
    types, values = _used(source, asked, list(brought)) if asked else (frozenset[str](), frozenset[str]())
    found = {}
    for node, names in brought.items():
        count = sum(typed or (name in types and name not in values) for name, typed in names.items())
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


def _used(source: Source, names: Iterable[str], imports: list[Node]) -> tuple[frozenset[str], frozenset[str]]:
    """Look where names stand, and as what; once a name is a value, nothing more is asked of it."""
    assert source.root is not None
    types: set[str] = set()
    values: set[str] = set()
    ends = max(node.end_byte for node in imports)
    starts = [(node.start_byte, node.end_byte) for node in imports]
    for found in re.finditer(rb"\b(?:%s)\b" % b"|".join(name.encode() for name in sorted(names)), source.content):
        name = found.group().decode()
        start, end = found.span()
        if name in values or (start < ends and any(first <= start < last for first, last in starts)):
            continue
        node = source.root.descendant_for_byte_range(start, end)
        if node is None or node.type in _OTHERS:
            continue
        (types if _is_type(node) else values).add(name)
    return frozenset(types), frozenset(values)


def _is_type(node: Node) -> bool:
    if node.type == "type_identifier":
        return True
    above = node.parent
    while above is not None and above.type in _PARTS:
        above = above.parent
    return above is not None and above.type in _WHOLE
