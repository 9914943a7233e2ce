"""What JavaScript and TypeScript leave open."""

from typing import Any

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import SOURCES, Idiom

_ONE_NAME = {"has": {"field": "parameters", "regex": r"^\(\s*\w+\s*\)$"}}
_DECLARED: Any = [{"kind": "lexical_declaration"}, {"kind": "variable_declaration"}]
_BRACED = ("object", "object_pattern", "named_imports", "export_clause")
_OPEN_LIST = r"\n[ \t]*[\]}]$"

IDIOMS = (
    Idiom(
        "var",
        {"any": _DECLARED},
        {"kind": "lexical_declaration"},
        "Variables",
        "are declared by `const` and `let`, never by `var`",
        0.72,
        alternative="`var`",
        against="are declared by `var`, not by `const` and `let`",
        usually_against=0.06,
        instead="`const` or `let`",
    ),
    Idiom(
        "local variables",
        {"kind": "lexical_declaration", "inside": {"kind": "statement_block"}},
        {"has": {"field": "kind", "regex": "^const$"}},
        "Variables of functions",
        "are declared by `const`, hardly ever by `let`",
        0.95,
        alternative="`let`",
        against="are declared by `let`, not by `const`",
        usually_against=0.05,
        instead="`const`",
    ),
    Idiom(
        "equality",
        {
            "kind": "binary_expression",
            "has": {"field": "operator", "regex": "^[!=]==?$"},
            "not": {"has": {"field": "right", "regex": "^(null|undefined)$"}},
        },
        {"has": {"field": "operator", "regex": "^[!=]==$"}},
        "Values",
        "are compared by `===` and `!==`, not by `==`",
        0.72,
        PatternCategory.BEHAVIORAL,
        alternative="`==`",
    ),
    Idiom(
        "arrow parentheses",
        {"kind": "arrow_function", "any": [{"has": {"field": "parameter", "regex": "."}}, _ONE_NAME]},
        {"has": {"field": "parameters", "regex": "."}},
        "Single parameters of arrow functions",
        "stand in parentheses: `(x) => …`",
        0.6,
        alternative="`x => …`",
        against="stand without parentheses: `x => …`",
        usually_against=0.35,
        instead="`(x) => …`",
        weight=0.7,
    ),
    Idiom(
        "trailing comma",
        {"any": [{"kind": "object", "regex": _OPEN_LIST}, {"kind": "array", "regex": _OPEN_LIST}]},
        {"regex": rf",[ \t]*(//[^\n]*)?{_OPEN_LIST}"},
        "Objects and arrays over several lines",
        "have a comma after the last item",
        0.6,
        alternative="no comma",
        against="have no comma after the last item",
        usually_against=0.3,
        instead="a trailing comma",
        weight=0.7,
    ),
    Idiom(
        "spaced braces",
        {"any": [{"kind": kind, "regex": r"^\{[^\s}][^\n]*\}$|^\{[ \t]+[^\s}][^\n]*\}$"} for kind in _BRACED]},
        {"regex": r"^\{[ \t]"},
        "Braces of objects and imports",
        "have a space inside: `{ a }`",
        0.93,
        alternative="`{a}`",
        against="have no space inside: `{a}`",
        usually_against=0.08,
        instead="`{ a }`",
        weight=0.6,
    ),
    Idiom(
        "space before parameters",
        {"kind": "function_declaration"},
        {"regex": r"^(async\s+)?function\s*\*?\s*\w+\s+\("},
        "Names of functions",
        "are followed by a space: `function name (…)`",
        0.12,
        alternative="`function name(…)`",
        weight=0.7,
    ),
    Idiom(
        "space of nameless functions",
        {"kind": "function_expression", "not": {"has": {"field": "name", "regex": "."}}},
        {"regex": r"^(async\s+)?function\s+\("},
        "Functions without a name",
        "have a space before their parameters: `function (…)`",
        0.85,
        alternative="`function(…)`",
        against="have no space before their parameters: `function(…)`",
        usually_against=0.3,
        instead="`function (…)`",
        weight=0.7,
        words=("function",),
    ),
    Idiom(
        "nothing at all",
        {
            "kind": "binary_expression",
            "all": [
                {"has": {"field": "operator", "regex": "^[!=]==?$"}},
                {"has": {"field": "right", "regex": "^(null|undefined)$"}},
            ],
        },
        {"all": [{"has": {"field": "operator", "regex": "^[!=]=$"}}, {"has": {"field": "right", "regex": "^null$"}}]},
        "Tests for null and undefined",
        "ask for both at once: `== null`",
        0.12,
        PatternCategory.BEHAVIORAL,
        alternative="`===`",
        words=("null", "undefined"),
    ),
    Idiom(
        "own keys",
        {
            "kind": "call_expression",
            "has": {"field": "function", "regex": r"^Object\.hasOwn$|\.hasOwnProperty(\.call)?$"},
        },
        {"has": {"field": "function", "regex": r"^Object\.hasOwn$"}},
        "Own keys of objects",
        "are asked for by `Object.hasOwn`, not by `hasOwnProperty`",
        0.3,
        alternative="`hasOwnProperty`",
        words=("hasOwn",),
    ),
    Idiom(
        "braces",
        {"kind": "if_statement"},
        {"has": {"field": "consequence", "kind": "statement_block"}},
        "Bodies of `if`",
        "stand in braces",
        0.72,
        alternative="no braces",
        weight=0.8,
    ),
    Idiom(
        "promises",
        {
            "any": [
                {"kind": "await_expression"},
                {
                    "kind": "call_expression",
                    "has": {"field": "function", "kind": "member_expression", "regex": r"\.then$"},
                },
            ]
        },
        {"kind": "await_expression"},
        "Promises",
        "are waited for by `await`, not by `.then`",
        0.78,
        PatternCategory.BEHAVIORAL,
        alternative="`.then`",
        words=(".then", "await"),
    ),
    Idiom(
        "loops",
        {
            "any": [
                {"kind": "for_in_statement", "has": {"field": "operator", "regex": "^of$"}},
                {
                    "kind": "call_expression",
                    "has": {"field": "function", "kind": "member_expression", "regex": r"\.forEach$"},
                },
            ]
        },
        {"kind": "for_in_statement"},
        "Loops over lists",
        "are `for … of`, not `.forEach`",
        0.5,
        alternative="`.forEach`",
        against="are `.forEach`, not `for … of`",
        usually_against=0.35,
        instead="`for … of`",
        words=(".forEach", " of "),
    ),
    Idiom(
        "copies",
        {
            "any": [
                {"kind": "spread_element", "inside": {"kind": "object"}},
                {"kind": "call_expression", "has": {"field": "function", "regex": r"^Object\.assign$"}},
            ]
        },
        {"kind": "spread_element"},
        "Objects",
        "are copied by `{ ...object }`, not by `Object.assign`",
        0.82,
        alternative="`Object.assign`",
        words=("...", "Object.assign"),
    ),
    Idiom(
        "whole modules",
        {"kind": "import_clause"},
        {"not": {"has": {"kind": "namespace_import"}}},
        "Imports",
        "name what they take; there is no `import * as`",
        0.72,
        PatternCategory.API,
        alternative="`import * as`",
    ),
    Idiom(
        "exits",
        {"kind": "program"},
        {"kind": "call_expression", "has": {"field": "function", "regex": r"^process\.exit$"}},
        "Files",
        "never call `process.exit`",
        0.92,
        PatternCategory.BEHAVIORAL,
        absent=True,
        roles=SOURCES,
        alternative="`process.exit`",
        weight=0.8,
        words=("process.exit",),
    ),
    Idiom(
        "joined texts",
        {
            "any": [
                {"kind": "template_string", "has": {"kind": "template_substitution"}},
                {
                    "kind": "binary_expression",
                    "has": {"field": "operator", "regex": r"^\+$"},
                    "any": [
                        {"has": {"field": "left", "kind": "string"}},
                        {"has": {"field": "right", "kind": "string"}},
                    ],
                },
            ]
        },
        {"kind": "template_string"},
        "Texts",
        "are put together by template literals, not by `+`",
        0.65,
        alternative="`+`",
        against="are put together by `+`, not by template literals",
        usually_against=0.12,
        instead="a template literal",
        roles=SOURCES,
    ),
    Idiom(
        "callbacks",
        {"any": [{"kind": "arrow_function"}, {"kind": "function_expression"}], "inside": {"kind": "arguments"}},
        {"kind": "arrow_function"},
        "Callbacks",
        "are arrow functions, not `function () {…}`",
        0.93,
        alternative="`function () {…}`",
        against="are written `function () {…}`, not as arrow functions",
        usually_against=0.08,
        instead="an arrow function",
        roles=SOURCES,
    ),
)
"""In both languages."""

UNTYPED = (
    Idiom(
        "documented functions",
        {
            "any": [
                {"kind": "function_declaration", "inside": {"kind": "program"}},
                {"kind": "method_definition", "inside": {"kind": "class_body"}},
            ]
        },
        {"follows": {"kind": "comment", "regex": r"^/\*\*"}},
        "Functions and methods",
        "have JSDoc (`/** … */`)",
        0.25,
        PatternCategory.DOCUMENTATION,
        alternative="no JSDoc",
        roles=SOURCES,
    ),
    Idiom(
        "told access",
        {"kind": "comment", "regex": r"^/\*\*\s*\n"},
        {"regex": r"@(api|access|public|private|protected|internal)\b"},
        "JSDoc comments",
        "say who may use what they describe: `@api private`, `@public`",
        0.08,
        PatternCategory.DOCUMENTATION,
        roles=SOURCES,
        words=("/**",),
    ),
    Idiom(
        "strict",
        {"kind": "program"},
        {"has": {"kind": "expression_statement", "regex": r"^['\"]use strict['\"]"}},
        "Files",
        "begin with `'use strict'`",
        0.2,
        alternative="no `'use strict'`",
    ),
)
"""In JavaScript alone."""
