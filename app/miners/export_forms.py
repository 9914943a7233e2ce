"""How JavaScript and TypeScript modules export: by name or by default, functions or arrows, `export *` or names.

Says, for instance: "TypeScript modules in `src/` export by name; there is no `export default`".
"""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.miners.core.family import Finding
from app.miners.core.questions import Meaning, family
from app.syntax import Node, Source, text_of

_API = PatternCategory.API
_DEFAULT = r"^export\s+default\b"
_STAR = r"^export\s+(type\s+)?\*"
_COMMON = r"^module\.exports$|^exports\.\w+$"
_FUNCTIONS = ("function_declaration", "generator_function_declaration")
_VALUES = ("arrow_function", "function_expression")


def _read(source: Source) -> Iterator[tuple[str, str]]:
    exports = source.nodes("export_statement")
    if exports:
        yield "default", "default" if any(re.match(_DEFAULT, text_of(each)[:40]) for each in exports) else "named"
    for node in exports:
        if node.child_by_field_name("source") is not None:
            yield "again", "star" if re.match(_STAR, text_of(node)[:40]) else "names"
        if re.match(_DEFAULT, text_of(node)[:40]):
            yield "made", _maker(node)
        declared = node.child_by_field_name("declaration")
        if declared is None or re.match(_DEFAULT, text_of(node)[:40]):
            continue
        if declared.type in _FUNCTIONS:
            yield "function", "function"
        elif declared.type == "lexical_declaration":
            value = declared.named_children[0].child_by_field_name("value")
            if value is not None and value.type in _VALUES:
                yield "function", "const"
    for node in source.nodes("assignment_expression"):
        left = text_of(node.child_by_field_name("left"))
        if re.match(_COMMON, left):
            yield "common", "whole" if left == "module.exports" else "each"


def _maker(node: Node) -> str:
    """Name the function whose call gives what a module exports by default."""
    value = node.child_by_field_name("value")
    called = value.child_by_field_name("function") if value is not None and value.type == "call_expression" else None
    return text_of(called) if called is not None and called.type == "identifier" else ""


_MODULES: Any = {"kind": "program", "has": {"kind": "export_statement"}}
_HAS_DEFAULT: Any = {"has": {"kind": "export_statement", "regex": _DEFAULT}}
_AGAIN: Any = {"kind": "export_statement", "has": {"field": "source", "regex": "."}}
_DECLARED: Any = {"has": {"field": "declaration", "any": [{"kind": each} for each in _FUNCTIONS]}}
_ASSIGNED: Any = {
    "has": {
        "field": "declaration",
        "kind": "lexical_declaration",
        "has": {"nthChild": 1, "has": {"field": "value", "any": [{"kind": each} for each in _VALUES]}},
    }
}
_EXPORTED: Any = {"kind": "export_statement", "any": [_DECLARED, _ASSIGNED], "not": {"regex": _DEFAULT}}
_COMMONLY: Any = {"kind": "assignment_expression", "has": {"field": "left", "regex": _COMMON}}


def _meaning(finding: Finding) -> Meaning | None:
    match finding.topic, finding.form:
        case "made", maker:
            value = {"kind": "call_expression", "has": {"field": "function", "regex": f"^{re.escape(maker)}$"}}
            words = f"are made by `{maker}(…)`"
            sites: Any = {"kind": "export_statement", "regex": _DEFAULT}
            return Meaning("Default exports", words, sites, {"has": {"field": "value", **value}}, 0.08, _API)
        case "default", "named":
            words, fits = "export by name; there is no `export default`", {"not": _HAS_DEFAULT}
            return Meaning("Modules", words, _MODULES, fits, 0.6, _API, alternative="`export default`")
        case "default", "default":
            return Meaning("Modules", "have an `export default`", _MODULES, _HAS_DEFAULT, 0.25, _API)
        case "again", "star":
            words = "pass on all of a module: `export * from`"
            return Meaning("Re-exports", words, _AGAIN, {"regex": _STAR}, 0.45, _API, alternative="names")
        case "again", "names":
            words, fits = "name what they pass on; there is no `export *`", {"not": {"regex": _STAR}}
            return Meaning("Re-exports", words, _AGAIN, fits, 0.5, _API, alternative="`export *`")
        case "function", "function":
            words = "are written `export function`, not `export const … =`"
            return Meaning("Exported functions", words, _EXPORTED, _DECLARED, 0.6, _API, alternative="`const`")
        case "function", "const":
            words = "are written `export const … =`, not `export function`"
            return Meaning("Exported functions", words, _EXPORTED, _ASSIGNED, 0.3, _API, alternative="`function`")
        case "common", "whole":
            words, fits = "assign `module.exports`, not its parts", {"has": {"field": "left", "regex": r"^module"}}
            return Meaning("Modules", words, _COMMONLY, fits, 0.93, _API, alternative="`exports.name`")
        case "common", "each":
            words, fits = "export by `exports.name =`", {"has": {"field": "left", "regex": r"^exports"}}
            return Meaning("Modules", words, _COMMONLY, fits, 0.25, _API, alternative="`module.exports`")
    return None


FAMILY = family(
    "export-forms",
    dict.fromkeys(("JavaScript", "TypeScript", "TSX"), _read),
    _meaning,
    roles=frozenset((FileRole.SOURCE,)),
    version=2,
    endless=True,
)
