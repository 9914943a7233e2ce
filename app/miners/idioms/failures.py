"""How errors are made and met, where a language leaves it open: classes of one's own, variables, nothing swallowed.

Says, for instance: "Java handlers of `InterruptedException` interrupt the thread again", "Go errors made by
`errors.New` are variables of their package" and "TypeScript classes of errors set their `name`".
"""

from typing import Any

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import SOURCES, Idiom
from app.miners.idioms.tables import family

_ACTING, _API = PatternCategory.BEHAVIORAL, PatternCategory.API
_ERROR_CLASS: Any = {
    "kind": "class_declaration",
    "has": {"kind": "class_heritage", "regex": r"^extends\s+([\w$]+\.)*[\w$]*(Error|Exception)\b"},
}
_EXCEPTION: Any = {
    "kind": "class_declaration",
    "has": {"field": "superclass", "regex": r"^extends\s+(\w+\.)*\w*Exception\b"},
}
_ERROR_ENUM: Any = {
    "kind": "enum_item",
    "all": [{"has": {"field": "name", "regex": "Error(Kind)?$"}}, {"has": {"kind": "visibility_modifier"}}],
}


def _follows(shape: str) -> dict[str, Any]:
    marked: Any = {"kind": "attribute_item", "regex": shape}
    return {"any": [{"follows": marked}, {"follows": {"kind": "attribute_item", "follows": marked}}]}


PYTHON = (
    Idiom(
        "suppressed",
        {
            "any": [
                {"kind": "with_item", "regex": r"^(contextlib\.)?suppress\("},
                {"kind": "except_clause", "regex": r"^except\b[^\n]*:\s*(#[^\n]*\s*)*pass\s*$"},
            ]
        },
        {"kind": "with_item"},
        "Exceptions that do not matter",
        "are left out by `suppress(…)`, not by `except …: pass`",
        0.2,
        _ACTING,
        alternative="`except …: pass`",
        words=("suppress(", "pass"),
    ),
)
SCRIPTS = (
    Idiom(
        "own errors",
        _ERROR_CLASS,
        {"not": {"has": {"kind": "class_heritage", "regex": r"^extends\s+Error\b"}}},
        "Classes of errors",
        "extend an error of the project's own, not `Error`",
        0.4,
        _API,
        alternative="`extends Error`",
        roles=SOURCES,
        words=("extends",),
    ),
    Idiom(
        "named errors",
        _ERROR_CLASS,
        {
            "has": {
                "field": "body",
                "regex": r"\bthis\.name\s*=|\n\s*((public|readonly|override|static) )*name\b\s*[:=]",
            }
        },
        "Classes of errors",
        "set their `name`",
        0.35,
        _API,
        alternative="no `name`",
        roles=SOURCES,
        words=("extends",),
    ),
)
GO = (
    Idiom(
        "variables",
        {"kind": "call_expression", "regex": r'^errors\.New\("'},
        {"not": {"inside": {"kind": "block", "stopBy": "end"}}},
        "Errors made by `errors.New`",
        "are variables of their package",
        0.35,
        _ACTING,
        alternative="errors made in place",
        roles=SOURCES,
        words=("errors.New",),
    ),
    Idiom(
        "typed errors",
        {
            "any": [
                {"kind": "call_expression", "regex": r"^errors\.As\("},
                {"kind": "type_assertion_expression", "regex": r"^\w*[eE]rr\.\("},
            ]
        },
        {"kind": "call_expression"},
        "Types of errors",
        "are asked for by `errors.As`, not by `err.(…)`",
        0.6,
        _ACTING,
        alternative="`err.(…)`",
        words=("errors.As", ".("),
    ),
)
JAVA = (
    Idiom(
        "unchecked",
        {
            "kind": "class_declaration",
            "has": {"field": "superclass", "regex": r"^extends\s+(Runtime|IO)?Exception\b"},
        },
        {"has": {"field": "superclass", "regex": "Runtime"}},
        "Exceptions",
        "are unchecked: they extend `RuntimeException`",
        0.55,
        _API,
        alternative="a checked exception",
        roles=SOURCES,
        words=("Exception",),
    ),
    Idiom(
        "serial numbers",
        _EXCEPTION,
        {"has": {"field": "body", "regex": r"\bserialVersionUID\b"}},
        "Exceptions",
        "have a `serialVersionUID`",
        0.4,
        _API,
        roles=SOURCES,
        weight=0.8,
        words=("Exception",),
    ),
    Idiom(
        "interrupted",
        {
            "kind": "catch_clause",
            "has": {"kind": "catch_formal_parameter", "regex": r"\bInterruptedException\b"},
        },
        {"has": {"field": "body", "regex": r"\.interrupt\(\)"}},
        "Handlers of `InterruptedException`",
        "interrupt the thread again",
        0.5,
        _ACTING,
        alternative="no `interrupt()`",
        roles=SOURCES,
        words=("InterruptedException",),
    ),
    Idiom(
        "declared",
        {"kind": "throws"},
        {"not": {"regex": r"^throws\s+(Exception|Throwable)\b"}},
        "Methods",
        "declare what they throw; none `throws Exception`",
        0.85,
        _API,
        alternative="`throws Exception`",
        roles=SOURCES,
    ),
)
RUST = (
    Idiom(
        "derived",
        _ERROR_ENUM,
        _follows(r"derive\([^)]*\bError\b"),
        "Enums of errors",
        "derive `Error` by thiserror",
        0.5,
        _API,
        alternative="`Error` by hand",
        roles=SOURCES,
        words=("Error",),
    ),
    Idiom(
        "open",
        _ERROR_ENUM,
        _follows("non_exhaustive"),
        "Public enums of errors",
        "are `#[non_exhaustive]`",
        0.25,
        _API,
        roles=SOURCES,
        words=("Error",),
    ),
    Idiom(
        "mapped",
        {"kind": "call_expression", "has": {"field": "function", "regex": r"\.map_err$"}},
        {"not": {"has": {"field": "arguments", "regex": r"^\(\|\s*_\w*\s*\|"}}},
        "Errors that are mapped",
        "keep what they come from; there is no `map_err(|_| …)`",
        0.75,
        _ACTING,
        alternative="`map_err(|_| …)`",
        roles=SOURCES,
        words=("map_err",),
    ),
    Idiom(
        "context",
        {"kind": "call_expression", "has": {"field": "function", "regex": r"\.(with_)?context$"}},
        {"has": {"field": "function", "regex": r"\.with_context$"}},
        "Contexts of errors",
        "are given by `.with_context(|| …)`, not by `.context(…)`",
        0.35,
        _ACTING,
        alternative="`.context(…)`",
        against="are given by `.context(…)`, not by `.with_context(|| …)`",
        usually_against=0.45,
        instead="`.with_context(|| …)`",
        roles=SOURCES,
        words=("context(",),
    ),
)
TABLES = {"Python": PYTHON, "JavaScript": SCRIPTS, "TypeScript": SCRIPTS, "Go": GO, "Java": JAVA, "Rust": RUST}

FAMILY = family("error-idioms", TABLES, most=6)
