"""How items of Rust are written: what they derive, whom they are for, which bounds they have, what their errors say."""

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import Idiom

_API = PatternCategory.API
_BOUNDS = {"has": {"field": "type_parameters", "regex": r"\b[A-Z]\w*\s*:"}}
_GIVEN = r"\b(Into|IntoIterator|AsRef)\b"
_LEFT = r"(None|Err\(_\w*\)|_)\s*=>\s*\{?\s*(return|continue|break)\b[^{}]*\}?"
_TAKEN = r"(Some|Ok)\((\w+)\)\s*=>\s*\w+"
_EITHER = rf"^match\b[^{{]*\{{\s*({_TAKEN}\s*,\s*{_LEFT}|{_LEFT}\s*,?\s*{_TAKEN})\s*[,;]?\s*\}}$"
IDIOMS = (
    Idiom(
        "messages of errors",
        {"kind": "attribute_item", "regex": r"""^#\[error\(\s*"[A-Za-z][a-z' ]"""},
        {"regex": r'^#\[error\(\s*"[a-z]'},
        "Messages of errors",
        'begin in lower case: `#[error("…")]`',
        0.6,
        PatternCategory.BEHAVIORAL,
        alternative="a capital",
        against='begin with a capital: `#[error("…")]`',
        usually_against=0.35,
        instead="a small letter",
        words=("#[error(",),
    ),
    Idiom(
        "ends of messages",
        {"kind": "attribute_item", "regex": r'^#\[error\(\s*"'},
        {"not": {"regex": r'\.\s*"\s*(,|\)\])'}},
        "Messages of errors",
        'end without a full stop: `#[error("…")]`',
        0.85,
        PatternCategory.BEHAVIORAL,
        alternative="a full stop",
        against='end in a full stop: `#[error("…")]`',
        usually_against=0.1,
        instead="no full stop",
        weight=0.8,
        words=("#[error(",),
    ),
    Idiom(
        "derived errors",
        {"kind": "attribute_item", "regex": r"^#\[derive\(([^)]*[\s,])?(thiserror::)?Error\s*[,)]"},
        {"regex": "thiserror::Error"},
        "Errors",
        "derive `thiserror::Error` by its whole name",
        0.4,
        _API,
        alternative="`Error`, which is imported",
        against="derive `Error`, which they import",
        usually_against=0.5,
        instead="`thiserror::Error`",
        weight=0.8,
        words=("thiserror",),
    ),
    Idiom(
        "order of derives",
        {"kind": "attribute_item", "regex": r"^#\[derive\([^)]*\b(Debug\b[^)]*\bClone|Clone\b[^)]*\bDebug)\b"},
        {"regex": r"\bDebug\b[^)]*\bClone\b"},
        "Derived traits",
        "begin with `Debug`, then `Clone`",
        0.5,
        alternative="`Clone` before `Debug`",
        against="begin with `Clone`, then `Debug`",
        usually_against=0.2,
        instead="`Debug` before `Clone`",
        weight=0.7,
        words=("Debug",),
    ),
    Idiom(
        "let else",
        {
            "kind": "let_declaration",
            "any": [
                {"has": {"field": "alternative", "regex": "."}},
                {
                    "has": {
                        "field": "value",
                        "regex": _EITHER,
                    }
                },
            ],
        },
        {"has": {"field": "alternative", "regex": "."}},
        "Values without which a function leaves",
        "are taken by `let … else`, not by `match`",
        0.7,
        alternative="`match`",
        words=("else", "match"),
    ),
    Idiom(
        "bounds",
        {
            "kind": "function_item",
            "any": [{"has": {"kind": "where_clause"}}, _BOUNDS],
        },
        {"not": _BOUNDS},
        "Functions with bounds",
        "write them after `where`",
        0.4,
        _API,
        alternative="`fn f<T: Trait>`",
        against="write them where parameters are named: `fn f<T: Trait>`",
        usually_against=0.3,
        instead="`where`",
        words=("where", "fn "),
    ),
    Idiom(
        "accepted values",
        {
            "kind": "function_item",
            "any": [
                {"has": {"field": "parameters", "regex": rf"\bimpl\s+{_GIVEN}"}},
                {"has": {"field": "type_parameters", "regex": rf":\s*{_GIVEN}"}},
                {"has": {"kind": "where_clause", "regex": rf"\b[A-Z]\w*\s*:\s*{_GIVEN}"}},
            ],
        },
        {"has": {"field": "parameters", "regex": rf"\bimpl\s+{_GIVEN}"}},
        "Functions that convert what they are given",
        "take `impl Into<…>` and the like, not a type parameter",
        0.6,
        _API,
        alternative="`<T: Into<…>>`",
        against="have a type parameter for it (`<T: Into<…>>`), not `impl Into<…>`",
        usually_against=0.3,
        instead="`impl Into<…>`",
        words=("Into", "AsRef"),
    ),
    Idiom(
        "shared within",
        {"kind": "visibility_modifier", "regex": r"^pub\s*\("},
        {"regex": r"^pub\s*\(\s*(in\s+)?crate\s*\)$"},
        "Items shared within their crate",
        "are `pub(crate)`, not `pub(super)` or `pub(in …)`",
        0.75,
        _API,
        alternative="`pub(super)` or `pub(in …)`",
        against="are `pub(super)` or `pub(in …)`, not `pub(crate)`",
        usually_against=0.1,
        instead="`pub(crate)`",
        weight=0.8,
        words=("pub(", "pub ("),
    ),
    Idiom(
        "collected",
        {
            "kind": "let_declaration",
            "any": [
                {
                    "all": [
                        {"has": {"field": "type", "regex": r"^[A-Z]\w*\b"}},
                        {"has": {"field": "value", "regex": r"\.collect\(\)\??$"}},
                    ]
                },
                {"has": {"field": "value", "regex": r"\.collect::<[^()]*>\(\)\??$"}},
            ],
        },
        {"has": {"field": "value", "regex": r"\.collect::<[^()]*>\(\)\??$"}},
        "Variables that are collected",
        "say into what at the call: `.collect::<Vec<_>>()`",
        0.5,
        alternative="`let x: Vec<_> = ….collect()`",
        against="say into what by their type: `let x: Vec<_> = ….collect()`",
        usually_against=0.35,
        instead="`.collect::<Vec<_>>()`",
        weight=0.8,
        words=(".collect",),
    ),
)
