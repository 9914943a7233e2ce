"""What Rust leaves open."""

from typing import Any

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import SOURCES, Idiom

_EMPTY_VECTOR = {"kind": "macro_invocation", "regex": r"^vec!\s*\[\s*\]$"}
_FORMATTED = r"^(e?println|e?print|format|write|writeln|panic|bail|anyhow|format_err|warn|info|error|debug|trace)$"
# The word stands on the first of some lines.
_SAFETY = {
    "kind": "line_comment",
    "regex": r"(?i)^//\s*safety\b",
    "stopBy": {"not": {"kind": "line_comment"}},
}
_ANYHOW = {"kind": "use_declaration", "regex": r"^(pub )?use anyhow::(Result\b|\{[^}]*\bResult\b)"}
# What stands above an item: its docs and its attributes.
_ABOVE = {"any": [{"kind": "line_comment"}, {"kind": "attribute_item"}]}


def _documented(shape: str) -> dict[str, Any]:
    return {"follows": {"kind": "line_comment", "regex": shape, "stopBy": {"not": _ABOVE}}}


def _literal(method: str) -> dict[str, Any]:
    return {
        "kind": "call_expression",
        "has": {"field": "function", "kind": "field_expression", "regex": rf'^"[^"]*"\s*\.\s*{method}$'},
    }


IDIOMS = (
    Idiom(
        "empty vectors",
        {"any": [_EMPTY_VECTOR, {"kind": "call_expression", "regex": r"^Vec::new\(\)$"}]},
        {"regex": "^Vec"},
        "Empty vectors",
        "are made by `Vec::new()`, not by `vec![]`",
        0.68,
        alternative="`vec![]`",
        against="are made by `vec![]`, not by `Vec::new()`",
        usually_against=0.25,
        instead="`Vec::new()`",
        words=("vec![]", "Vec::new()"),
    ),
    Idiom(
        "empty arms",
        {"kind": "match_arm", "has": {"field": "value", "regex": r"^(\(\)|\{\s*\})$"}},
        {"has": {"field": "value", "regex": r"^\("}},
        "Arms of `match` that do nothing",
        "are `=> ()`, not `=> {}`",
        0.35,
        alternative="`=> {}`",
        against="are `=> {}`, not `=> ()`",
        usually_against=0.6,
        instead="`=> ()`",
        weight=0.8,
    ),
    Idiom(
        "made errors",
        {"kind": "macro_invocation", "regex": r"^(anyhow::)?(anyhow|format_err)!"},
        {"regex": r"^(anyhow::)?format_err"},
        "Errors",
        "are made by `format_err!`, not by `anyhow!`",
        0.08,
        PatternCategory.BEHAVIORAL,
        alternative="`anyhow!`",
        against="are made by `anyhow!`, not by `format_err!`",
        usually_against=0.85,
        instead="`format_err!`",
        words=("anyhow!", "format_err!"),
    ),
    Idiom(
        "references",
        {"kind": "source_file"},
        {"kind": "ref_pattern"},
        "Files",
        "match without the keyword `ref`",
        0.9,
        absent=True,
        alternative="`ref`",
        weight=0.8,
        words=("ref ",),
    ),
    Idiom(
        "shown types",
        {"kind": "impl_item", "has": {"field": "trait", "regex": r"^(std::|core::)?(fmt::)?(Display|Debug)$"}},
        {"has": {"field": "trait", "regex": "^fmt::"}},
        "Implementations of `Display` and `Debug`",
        "name the module: `impl fmt::Display`",
        0.68,
        PatternCategory.API,
        alternative="`std::fmt::Display` or `Display`",
        words=("Display", "Debug"),
    ),
    Idiom(
        "inline values",
        {
            "kind": "macro_invocation",
            "has": {"field": "macro", "regex": _FORMATTED},
            "regex": r'"[^"]*\{(\w*)(:[^}"]*)?\}[^"]*"\s*(\)|,\s*\w+\s*[,)])',
        },
        {"regex": r'"[^"]*\{\w+(:[^}"]*)?\}[^"]*"'},
        "Format strings",
        "name their values inline: `{name}`",
        0.5,
        alternative="`{}` and arguments",
    ),
    Idiom(
        "owned texts",
        {"any": [_literal("to_string"), _literal("to_owned")]},
        _literal("to_owned"),
        "Texts of the program",
        "become a `String` by `.to_owned()`, not by `.to_string()`",
        0.2,
        alternative="`.to_string()`",
        against="become a `String` by `.to_string()`, not by `.to_owned()`",
        usually_against=0.7,
        instead="`.to_owned()`",
        words=('".to_',),
    ),
    Idiom(
        "unsafe",
        {"kind": "source_file"},
        {"kind": "unsafe_block"},
        "Files",
        "have no `unsafe` block",
        0.85,
        PatternCategory.BEHAVIORAL,
        absent=True,
        roles=SOURCES,
        weight=0.9,
        words=("unsafe",),
    ),
    Idiom(
        "printed",
        {"kind": "source_file"},
        {"kind": "macro_invocation", "has": {"field": "macro", "regex": "^(dbg|todo|unimplemented)$"}},
        "Files",
        "leave no `dbg!`, `todo!` or `unimplemented!` behind",
        0.82,
        PatternCategory.BEHAVIORAL,
        absent=True,
        roles=SOURCES,
        weight=0.8,
        words=("dbg!", "todo!", "unimplemented!"),
    ),
    Idiom(
        "whole modules",
        {
            "kind": "use_declaration",
            "not": {"has": {"field": "argument", "regex": r"^super::\*$|prelude::\*$"}},
        },
        {"not": {"has": {"field": "argument", "regex": r"\*$"}}},
        "Imports",
        "name what they take, but for preludes; there is no `use …::*`",
        0.85,
        PatternCategory.API,
        alternative="`use …::*`",
        weight=0.8,
    ),
    Idiom(
        "safety",
        {"kind": "unsafe_block"},
        {
            "any": [
                {"regex": r"(?i)//\s*safety\b"},
                {"follows": _SAFETY},
                {
                    "inside": {
                        "any": [{"kind": "let_declaration"}, {"kind": "expression_statement"}],
                        "follows": _SAFETY,
                        "stopBy": {"kind": "block"},
                    }
                },
            ]
        },
        "Blocks of `unsafe`",
        "tell in a comment why they are sound: `// SAFETY: …`",
        0.35,
        PatternCategory.DOCUMENTATION,
        words=("unsafe",),
    ),
    Idiom(
        "logged",
        {
            "kind": "macro_invocation",
            "has": {"field": "macro", "regex": r"^((log|tracing)::)?(error|warn|info|debug|trace)$"},
        },
        {"has": {"field": "macro", "regex": "::"}},
        "Macros of logs",
        "are called with their crate: `log::info!`, `tracing::debug!`",
        0.35,
        alternative="`info!`",
        against="are imported: `info!`, not `log::info!` or `tracing::info!`",
        usually_against=0.5,
        instead="`log::info!` or `tracing::info!`",
        weight=0.8,
        words=("error!", "warn!", "info!", "debug!", "trace!"),
    ),
    Idiom(
        "merged imports",
        {"kind": "use_declaration", "regex": r"\{[^{}]*,"},
        {"not": {"regex": r"\{[^{}]*(::|\{)"}},
        "Imports of several names",
        "take them from one module: `use a::b::{c, d}`",
        0.45,
        alternative="`use a::{b::c, d::e}`",
        weight=0.7,
    ),
    Idiom(
        "single imports",
        {"kind": "use_declaration"},
        {"not": {"regex": r"\{"}},
        "Imports",
        "take one name each",
        0.3,
        alternative="`use a::{b, c}`",
        weight=0.8,
    ),
    Idiom(
        "results of anyhow",
        {"any": [{"kind": "scoped_type_identifier", "regex": "^anyhow::Result$"}, _ANYHOW]},
        _ANYHOW,
        "Files",
        "write `anyhow::Result`; they do not import it",
        0.35,
        PatternCategory.API,
        absent=True,
        alternative="`use anyhow::Result`",
        words=("anyhow",),
        weight=0.8,
    ),
    Idiom(
        "constructors",
        {
            "kind": "function_item",
            "all": [
                {"has": {"field": "name", "regex": "^new$"}},
                {"has": {"field": "return_type", "regex": r"^[A-Z]\w*(<[^<>]*>)?$"}},
                {"not": {"has": {"field": "return_type", "regex": r"^(Arc|Box|Option|Pin|Rc|Result|[A-Z])\b"}}},
            ],
        },
        {"has": {"field": "return_type", "regex": "^Self$"}},
        "Constructors (`new`)",
        "return `Self`, not the type by its name",
        0.7,
        PatternCategory.API,
        alternative="the name of the type",
        against="return the type by its name, not `Self`",
        usually_against=0.15,
        instead="`Self`",
        weight=0.8,
        words=("fn new",),
    ),
    Idiom(
        "told safety",
        {
            "kind": "function_item",
            "all": [
                {"has": {"kind": "visibility_modifier", "regex": "^pub$"}},
                {"has": {"kind": "function_modifiers", "regex": r"\bunsafe\b"}},
            ],
        },
        _documented(r"^///\s*#+\s*Safety\b"),
        "Public functions that are `unsafe`",
        "say in their docs what they ask of whoever calls them: `# Safety`",
        0.5,
        PatternCategory.DOCUMENTATION,
        words=("unsafe",),
    ),
    Idiom(
        "told errors",
        {
            "kind": "function_item",
            "all": [
                {"has": {"kind": "visibility_modifier", "regex": "^pub$"}},
                {"has": {"field": "return_type", "regex": r"^([\w:]+::)?Result\b"}},
                _documented("^///"),
            ],
        },
        _documented(r"^///\s*#+\s*Errors\b"),
        "Documented functions that may fail",
        "say in their docs when: `# Errors`",
        0.1,
        PatternCategory.DOCUMENTATION,
        words=("Result",),
    ),
    Idiom(
        "headed examples",
        {"kind": "line_comment", "regex": r"^//[/!]\s*#+\s*Examples?\s*$"},
        {"regex": r"Examples\s*$"},
        "Examples in docs",
        "stand under `# Examples`",
        0.75,
        PatternCategory.DOCUMENTATION,
        alternative="`# Example`",
        against="stand under `# Example`",
        usually_against=0.15,
        instead="`# Examples`",
        weight=0.8,
        words=("# Example",),
    ),
    Idiom(
        "defaults",
        {
            "kind": "call_expression",
            "regex": r"^(Default|[A-Z]\w*)::default\(\)$",
            "not": {"inside": {"kind": "base_field_initializer"}},
        },
        {"not": {"regex": "^Default::"}},
        "Values by default",
        "name their type: `Type::default()`, not `Default::default()`",
        0.85,
        alternative="`Default::default()`",
        weight=0.8,
        words=("::default()",),
    ),
)
