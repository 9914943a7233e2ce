"""What crates of Rust settle among themselves: how builders give back, what docs show, how tests stand, what logs say.

Says, for instance: "Rust builder methods take and give back `self`, not `&mut self`" and "Rust unit tests stand in the
file of what they test".
"""

from app.domain.pattern import PatternCategory
from app.miners.idioms.rust_docs import IDIOMS as DOCS
from app.miners.idioms.shapes import SOURCES, Idiom
from app.miners.idioms.tables import family

_API, _ACTING, _TESTING = PatternCategory.API, PatternCategory.BEHAVIORAL, PatternCategory.TESTING
_PUBLIC = {"has": {"kind": "visibility_modifier", "regex": "^pub$"}}
_OWN = r"^[*&(]*self(\.0)?\)?$"
_LEVELS = "trace|debug|info|warn|error"
_LOG = rf"^((log|tracing)::)?({_LEVELS})$"
_CORE = (
    "any|borrow|cell|cmp|convert|default|fmt|future|hash|iter|marker|mem|num|ops|option|pin|ptr|result|slice|str|string|"
    "task|vec"
)
_FIRST = r'^[\w:]+!\s*[({]\s*([^"{}]*,\s*)?'
_FAILED = r"^((anyhow|eyre|color_eyre)::)?(anyhow|bail|format_err|eyre)$"


def _parameters(shape: str) -> dict[str, object]:
    return {"has": {"field": "parameters", "regex": shape}}


def _returning(shape: str) -> dict[str, object]:
    return {"has": {"field": "return_type", "regex": shape}}


def _macro(names: str, *, said: str) -> dict[str, object]:
    return {"kind": "macro_invocation", "has": {"field": "macro", "regex": names}, "regex": said}


_CHANGED = {"kind": "function_item", "all": [_PUBLIC, _parameters(r"^\(\s*mut self\b"), _returning("^Self$")]}
RUST = (
    *DOCS,
    Idiom(
        "builders",
        {
            "kind": "function_item",
            "all": [
                _PUBLIC,
                {
                    "any": [
                        {"all": [_parameters(r"^\(\s*mut self\s*,"), _returning("^Self$")]},
                        {"all": [_parameters(r"^\(\s*&mut self\s*,"), _returning("^&mut Self$")]},
                    ]
                },
            ],
        },
        _returning("^Self$"),
        "Builder methods",
        "take and give back `self`, not `&mut self`",
        0.6,
        _API,
        alternative="`&mut self`",
        against="take and give back `&mut self`, not `self`",
        usually_against=0.3,
        instead="`self`",
        words=("mut self",),
    ),
    Idiom(
        "named builders",
        _CHANGED,
        {"has": {"field": "name", "regex": "^with_"}},
        "Methods that change and give back `self`",
        "are named `with_…`",
        0.25,
        PatternCategory.NAMING,
        words=("mut self",),
    ),
    Idiom(
        "built selves",
        {
            "kind": "struct_expression",
            "has": {"field": "name", "regex": r"^[A-Z]\w*$"},
            "inside": {"kind": "block", "inside": {"kind": "function_item", **_returning("^Self$")}},
        },
        {"has": {"field": "name", "regex": "^Self$"}},
        "Functions that return `Self`",
        "make it by `Self { … }`, not by the type's name",
        0.8,
        alternative="the name of the type",
        against="make it by the type's name, not by `Self { … }`",
        usually_against=0.12,
        instead="`Self { … }`",
        words=("Self",),
    ),
    Idiom(
        "own variants",
        {
            "kind": "match_arm",
            "has": {"field": "pattern", "regex": r"^&?(Self|[A-Z]\w*)::"},
            "inside": {
                "kind": "match_block",
                "inside": {"kind": "match_expression", "has": {"field": "value", "regex": _OWN}},
            },
        },
        {"has": {"field": "pattern", "regex": "^&?Self::"}},
        "Arms of `match self`",
        "begin with `Self::`, not with the type's name",
        0.5,
        alternative="the name of the type",
        against="begin with the type's name, not with `Self::`",
        usually_against=0.4,
        instead="`Self::`",
        words=("match self", "match *self", "match &self"),
    ),
    Idiom(
        "iterators",
        {"kind": "function_item", **_returning(r"^(impl|Box<\s*dyn)\s+(\w+::)*(Double|Exact)?\w*Iterator\b")},
        _returning("^impl"),
        "Functions that give an iterator",
        "return `impl Iterator`, not `Box<dyn Iterator>`",
        0.82,
        _API,
        alternative="`Box<dyn Iterator>`",
        against="return `Box<dyn Iterator>`, not `impl Iterator`",
        usually_against=0.1,
        instead="`impl Iterator`",
        words=("Iterator",),
    ),
    Idiom(
        "given functions",
        {
            "kind": "function_item",
            "any": [
                _parameters(r"\bimpl\s+(Fn|FnMut|FnOnce)\b"),
                {"has": {"field": "type_parameters", "regex": r":\s*(Fn|FnMut|FnOnce)\b"}},
                {"has": {"kind": "where_clause", "regex": r"\b[A-Z]\w*\s*:\s*(Fn|FnMut|FnOnce)\b"}},
            ],
        },
        _parameters(r"\bimpl\s+(Fn|FnMut|FnOnce)\b"),
        "Functions that are given a function",
        "take `impl Fn…`, not a type parameter",
        0.4,
        _API,
        alternative="`<F: Fn…>`",
        against="have a type parameter for it (`F: Fn…`), not `impl Fn…`",
        usually_against=0.45,
        instead="`impl Fn…`",
        words=("Fn",),
        weight=0.8,
    ),
    Idiom(
        "written lifetimes",
        {"kind": "parameter", "has": {"field": "type", "regex": r"^&mut\s+(std::|core::)?(fmt::)?Formatter(<'_>)?$"}},
        {"has": {"field": "type", "regex": "<'_>$"}},
        "Parameters of `fmt`",
        "name the lifetime: `&mut fmt::Formatter<'_>`",
        0.6,
        alternative="`&mut fmt::Formatter`",
        against="leave the lifetime out: `&mut fmt::Formatter`",
        usually_against=0.35,
        instead="`Formatter<'_>`",
        words=("Formatter",),
        weight=0.8,
    ),
    Idiom(
        "long numbers",
        {"kind": "integer_literal", "regex": r"^(\d{5,}|\d{1,3}(_\d{3})+)([iu](\d+|size))?$"},
        {"regex": r"^\d+_\d"},
        "Long numbers",
        "are written in groups: `10_000`",
        0.5,
        alternative="`10000`",
        against="are written without `_`: `10000`",
        usually_against=0.2,
        instead="`10_000`",
        weight=0.7,
    ),
    Idiom(
        "texts by from",
        {
            "kind": "call_expression",
            "has": {"field": "function", "regex": r'^(String::from|"[^"]*"\s*\.\s*(to_string|to_owned))$'},
            "regex": r'^(String::from\(\s*"|")',
        },
        {"has": {"field": "function", "regex": "^String"}},
        "Texts of the program",
        "become a `String` by `String::from(…)`",
        0.15,
        alternative='`"…".to_string()`',
        words=("String::from", '".to_'),
    ),
    Idiom(
        "modules of std",
        {
            "kind": "use_declaration",
            "any": [
                {"regex": r"^use std::\{"},
                {
                    "regex": "^use std::",
                    "follows": {"kind": "use_declaration", "regex": "^use std::"},
                },
            ],
        },
        {"regex": r"^use std::\{", "not": {"follows": {"kind": "use_declaration", "regex": "^use std::"}}},
        "Imports of the standard library",
        "are one `use std::{…}`",
        0.35,
        alternative="several `use std::…`",
        against="stand in a `use` for each module, not in one `use std::{…}`",
        usually_against=0.5,
        instead="`use std::{…}`",
        words=("use std::",),
        weight=0.8,
    ),
    Idiom(
        "core of std",
        {"kind": "use_declaration", "regex": rf"^(pub )?use (std|core|alloc)::({_CORE})\b"},
        {"not": {"regex": "^(pub )?use std::"}},
        "Imports of what needs no operating system",
        "name `core` and `alloc`, not `std`",
        0.08,
        _API,
        alternative="`std`",
        roles=SOURCES,
        words=("use std::", "use core::", "use alloc::"),
    ),
    Idiom(
        "private modules",
        {
            "kind": "mod_item",
            "not": {
                "any": [
                    {"has": {"field": "body", "kind": "declaration_list"}},
                    {"has": {"field": "name", "regex": "^tests?$"}},
                    {"follows": {"kind": "attribute_item", "regex": r"^#\[cfg\(test\)\]"}},
                ]
            },
        },
        {"not": {"has": {"kind": "visibility_modifier"}}},
        "Modules",
        "are private (`mod x;`); what they share is passed on by `pub use`",
        0.5,
        _API,
        alternative="`pub mod x;`",
        roles=SOURCES,
        weight=0.8,
    ),
    Idiom(
        "commas of arms",
        {"kind": "match_arm", "has": {"field": "value", "kind": "block", "regex": r"\n"}},
        {"regex": r",$"},
        "Arms of `match` that are blocks",
        "end in a comma",
        0.04,
        words=("},",),
    ),
    Idiom(
        "failing at once",
        {
            "any": [
                {"kind": "return_expression", "regex": r"^return Err\(\s*((anyhow|eyre)::)?(anyhow|format_err|eyre)!"},
                {"kind": "macro_invocation", "has": {"field": "macro", "regex": r"^(\w+::)?bail$"}},
            ]
        },
        {"kind": "macro_invocation"},
        "Functions that fail",
        "leave by `bail!(…)`, not by `return Err(anyhow!(…))`",
        0.7,
        _ACTING,
        alternative="`return Err(anyhow!(…))`",
        against="leave by `return Err(anyhow!(…))`, not by `bail!(…)`",
        usually_against=0.15,
        instead="`bail!(…)`",
        words=("bail!", "return Err("),
    ),
    Idiom(
        "failing texts",
        _macro(_FAILED, said=r'^[\w:]+!\s*[({]\s*"[A-Za-z][a-z\']*[ ,]'),
        {"regex": r'^[\w:]+!\s*[({]\s*"[a-z]'},
        "Errors of `anyhow!` and `bail!`",
        "begin with a small letter",
        0.5,
        _ACTING,
        alternative="a capital letter",
        against="begin with a capital letter",
        usually_against=0.4,
        instead="a small letter",
        roles=SOURCES,
        words=("anyhow!", "bail!", "format_err!", "eyre!"),
    ),
    Idiom(
        "caught errors",
        {"kind": "tuple_struct_pattern", "regex": r"^Err\((mut )?(e|err|error)\)$"},
        {"regex": r"\berr\)$"},
        "Errors that are matched",
        "are named `err`: `Err(err)`",
        0.4,
        PatternCategory.NAMING,
        alternative="`Err(e)`",
        against="are named `e`: `Err(e)`",
        usually_against=0.5,
        instead="`Err(err)`",
        words=("Err(",),
    ),
    Idiom(
        "logged texts",
        _macro(_LOG, said=_FIRST + r'"[A-Za-z][a-z\']*[ ,]'),
        {"regex": _FIRST + r'"[a-z]'},
        "Messages of logs",
        "begin with a small letter",
        0.5,
        _ACTING,
        alternative="a capital letter",
        against="begin with a capital letter",
        usually_against=0.45,
        instead="a small letter",
        roles=SOURCES,
        words=("error!", "warn!", "info!", "debug!", "trace!"),
        weight=0.8,
    ),
    Idiom(
        "crates of logs",
        {
            "any": [
                {"kind": "macro_invocation", "has": {"field": "macro", "regex": rf"^(log|tracing)::({_LEVELS})$"}},
                {"kind": "use_declaration", "regex": rf"^(pub )?use (log|tracing)::.*\b({_LEVELS})\b"},
            ]
        },
        {"regex": r"^((pub )?use )?tracing::"},
        "Logs",
        "are written by macros of `tracing`, not of `log`",
        0.5,
        PatternCategory.DEPENDENCY,
        alternative="`log`",
        against="are written by macros of `log`, not of `tracing`",
        usually_against=0.45,
        instead="`tracing`",
        words=("log::", "tracing::"),
        weight=0.8,
    ),
    Idiom(
        "logged fields",
        _macro(
            r"^(tracing::)?(trace|debug|info|warn|error)$",
            said=r'(^|[(,{]\s*)[?%]?\w[\w.]*\s*(=|,\s*"|,\s*\w)|"[^"]*\{',
        ),
        {"not": {"regex": r'"[^"]*\{[^"]*"'}},
        "Values that are logged",
        "are fields of their own (`info!(%name, …)`), not part of the text",
        0.12,
        _ACTING,
        alternative="`{name}` in the text",
        roles=SOURCES,
        words=("tracing",),
    ),
    Idiom(
        "matched values",
        {
            "kind": "macro_invocation",
            "any": [
                {"has": {"field": "macro", "regex": r"^(\w+::)*(debug_)?assert_matches$"}},
                {"regex": r"^(debug_)?assert!\s*\(\s*matches!"},
            ],
        },
        {"has": {"field": "macro", "regex": "_matches$"}},
        "Values of which only the shape counts",
        "are asserted by `assert_matches!`, not by `assert!(matches!(…))`",
        0.2,
        _TESTING,
        alternative="`assert!(matches!(…))`",
        against="are asserted by `assert!(matches!(…))`, not by `assert_matches!`",
        usually_against=0.65,
        instead="`assert_matches!`",
        words=("matches!",),
        weight=0.8,
    ),
    Idiom(
        "unit tests",
        {"kind": "mod_item", "follows": {"kind": "attribute_item", "regex": r"^#\[cfg\((all\()?test\b"}},
        {"has": {"field": "body", "kind": "declaration_list"}},
        "Unit tests",
        "stand in the file of what they test: `#[cfg(test)] mod tests { … }`",
        0.7,
        _TESTING,
        alternative="`mod tests;`",
        words=("cfg(test)", "cfg(all(test"),
    ),
)

TABLES = {"Rust": RUST}

# Crates are small, and one file may have all the builders.
FAMILY = family("rust-style", TABLES, most=14, version=6, files=3)
