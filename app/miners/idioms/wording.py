"""How things are worded, where a language leaves it open: messages of logs and errors, settings, silent handlers.

Says, for instance: "Go errors begin with a small letter and end without a full stop", "Python messages of logs end
without a full stop" and "Java handlers that do nothing say why in a comment".
"""

from typing import Any

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import SOURCES, Idiom, Shape
from app.miners.idioms.tables import family

_NAMING, _ACTING, _DOCUMENTING = PatternCategory.NAMING, PatternCategory.BEHAVIORAL, PatternCategory.DOCUMENTATION
_API = PatternCategory.API
# The first argument is a text that is told to its end.
_TOLD = r"""^\(\s*f?("[^"\n]{4,}"|'[^'\n]{4,}')\s*[,)]"""
_STOPPED = r"""^\(\s*f?("[^"\n]*[^".\n]\."|'[^'\n]*[^'.\n]\.')\s*[,)]"""
_LETTER, _CAPITAL = r"""^\(\s*f?["'][A-Za-z]""", r"""^\(\s*f?["'][A-Z]"""


def _given(shape: str) -> dict[str, Any]:
    return {"has": {"field": "arguments", "regex": shape}}


def _messages(
    name: str,
    subject: str,
    sites: Shape,
    *,
    capital: float,
    stop: float,
    words: tuple[str, ...],
    inner: str = "",
) -> tuple[Idiom, ...]:
    """Ask of messages how they begin and how they end; both ways are somebody's rule.

    They are given to the sites themselves, or to what stands in them, as what is raised.
    """

    def given(shape: str) -> dict[str, Any]:
        return {"has": {"kind": inner, **_given(shape)}} if inner else _given(shape)

    parts = list(sites.get("all", ()))
    rest = {key: value for key, value in sites.items() if key != "all"}
    return (
        Idiom(
            f"{name} begin",
            {**rest, "all": [*parts, given(_LETTER)]},
            given(_CAPITAL),
            subject,
            "begin with a capital letter",
            capital,
            _DOCUMENTING,
            alternative="a small letter",
            against="begin with a small letter",
            usually_against=1 - capital,
            instead="a capital letter",
            roles=SOURCES,
            words=words,
            weight=0.7,
        ),
        Idiom(
            f"{name} end",
            {**rest, "all": [*parts, given(_TOLD)]},
            {"not": given(_STOPPED)},
            subject,
            "end without a full stop",
            1 - stop,
            _DOCUMENTING,
            alternative="a full stop",
            against="end with a full stop",
            usually_against=stop,
            instead="no full stop",
            roles=SOURCES,
            words=words,
            weight=0.7,
        ),
    )


_LOGS = r"(?i)^([\w$]+\.)*_?\w*(log|logger|logging|lg)\.(trace|debug|info|warn|warning|error|exception|critical|fatal)"
_SILENT_BODY = r"^\{\s*((//[^\n]*\s*)|(/\*[^*]*\*+/\s*))*\}$"


def _logged(kind: str) -> dict[str, Any]:
    return {"kind": kind, "all": [{"has": {"field": "function", "regex": f"{_LOGS}(w|f|Context)?$"}}]}


def _silent(kind: str) -> Idiom:
    return Idiom(
        "silent handlers",
        {"kind": kind, "has": {"field": "body", "regex": _SILENT_BODY}},
        {"has": {"field": "body", "regex": r"/[/*]"}},
        "Handlers that do nothing",
        "say why in a comment",
        0.55,
        _ACTING,
        alternative="no comment",
        roles=SOURCES,
        words=("catch",),
    )


def _settings(*kinds: str) -> Idiom:
    return Idiom(
        "settings",
        {
            "any": [
                {"kind": kind, "has": {"field": "name", "regex": "[a-z](Config|Configuration|Settings|Conf|Cfg)$"}}
                for kind in kinds
            ]
        },
        {"has": {"field": "name", "regex": "Config$"}},
        "Types of settings",
        "are named `…Config`, not `…Configuration` or `…Settings`",
        0.78,
        _NAMING,
        alternative="another word",
        weight=0.7,
        roles=SOURCES,
        words=("Conf", "Cfg", "Settings"),
    )


PYTHON = (
    *_messages("logs", "Messages of logs", _logged("call"), capital=0.8, stop=0.15, words=("log", "LOG")),
    *_messages(
        "raised",
        "Messages of exceptions",
        {"kind": "raise_statement"},
        inner="call",
        capital=0.7,
        stop=0.3,
        words=("raise",),
    ),
    Idiom(
        "model settings",
        {
            "any": [
                {"kind": "assignment", "has": {"field": "left", "regex": "^model_config$"}},
                {
                    "kind": "class_definition",
                    "has": {"field": "name", "regex": "^Config$"},
                    "inside": {"kind": "class_definition", "stopBy": "end"},
                },
            ]
        },
        {"kind": "assignment"},
        "Models of pydantic",
        "are configured by `model_config`, not by `class Config`",
        0.5,
        _API,
        alternative="`class Config`",
        against="are configured by `class Config`, not by `model_config`",
        usually_against=0.35,
        instead="`model_config`",
        roles=SOURCES,
        words=("model_config", "class Config"),
    ),
    _settings("class_definition"),
)
SCRIPTS = (
    *_messages(
        "thrown",
        "Messages of errors",
        {"kind": "throw_statement"},
        inner="new_expression",
        capital=0.75,
        stop=0.12,
        words=("throw",),
    ),
    *_messages("logs", "Messages of logs", _logged("call_expression"), capital=0.5, stop=0.06, words=("log", "Log")),
    _silent("catch_clause"),
)
TYPED = (*SCRIPTS, _settings("interface_declaration", "type_alias_declaration", "class_declaration"))
_FAILING = r'"(failed to|failure to|could not|couldn\'t|cannot|can\'t|unable to|error)\b'
GO = (
    *_messages("logs", "Messages of logs", _logged("call_expression"), capital=0.5, stop=0.08, words=("og",)),
    Idiom(
        "error texts",
        {
            "kind": "call_expression",
            "all": [
                {"has": {"field": "function", "regex": r"^(errors\.(New|Errorf|Wrapf?)|fmt\.Errorf)$"}},
                _given(r'^\(\s*(err,\s*)?"[A-Za-z]'),
            ],
        },
        {"not": _given(r'^\(\s*(err,\s*)?"([A-Z][a-z]+ |[^"\n]*([^.][.]|!|\\n)"\s*[,)])')},
        "Errors",
        "begin with a small letter and end without a full stop",
        0.85,
        _DOCUMENTING,
        roles=SOURCES,
        words=("errors.", "fmt.Errorf"),
        weight=0.8,
    ),
    Idiom(
        "failures",
        {
            "kind": "call_expression",
            "all": [
                {"has": {"field": "function", "regex": r"^(errors\.(New|Errorf|Wrapf?)|fmt\.Errorf)$"}},
                _given(rf"^\(\s*(err,\s*)?{_FAILING}"),
            ],
        },
        _given(r'^\(\s*(err,\s*)?"failed to\b'),
        "Errors that tell of a failure",
        "say `failed to …`, not `could not …`, `unable to …` or `error …`",
        0.45,
        _DOCUMENTING,
        alternative="other words",
        roles=SOURCES,
        words=("errors.", "fmt.Errorf"),
    ),
    _settings("type_spec"),
)
_NULL_CHECK: Any = {"has": {"field": "name", "regex": "^(requireNonNull|checkNotNull|notNull|nonNull)$"}}
_THROWN_NULL: Any = {
    "kind": "object_creation_expression",
    "all": [{"has": {"field": "type", "regex": "^NullPointerException$"}}, _given(r'^\(\s*"')],
}
# How a value that must be there is spoken of, and what asks for it: each is some team's way.
_MISSED = {"cannot be null": 0.15, "must not be null": 0.3, "may not be null": 0.1, "is null": 0.1, "== null": 0.05}
_ASKED_BY = {"Assert": 0.25, "Preconditions": 0.25, "Validate": 0.15, "Objects": 0.75}


def _null_checks() -> tuple[Idiom, ...]:
    """Ask of checks for null what they say, and what they are called by."""
    words = ("NonNull(", "otNull(", "nonNull(")
    says = tuple(
        Idiom(
            f"null said {said}",
            {"any": [{"kind": "method_invocation", "all": [_NULL_CHECK, _given('"')]}, _THROWN_NULL]},
            _given(rf'{said}\.?"'),
            "Checks for null",
            f"say that something `{said}`",
            usual,
            _DOCUMENTING,
            alternative="other words",
            roles=SOURCES,
            words=(*words, "new NullPointerException("),
            weight=0.8,
        )
        for said, usual in _MISSED.items()
    )
    asked = tuple(
        Idiom(
            f"null asked by {name}",
            {"kind": "method_invocation", "all": [_NULL_CHECK, {"has": {"field": "object", "regex": "^[A-Z]"}}]},
            {"has": {"field": "object", "regex": f"^{name}$"}},
            "Checks for null",
            f"are made by `{name}`, not by `{'Objects' if name != 'Objects' else 'Preconditions'}` and the like",
            usual,
            _API,
            alternative="another class",
            roles=SOURCES,
            words=words,
        )
        for name, usual in _ASKED_BY.items()
    )
    return says + asked


JAVA = (
    *_null_checks(),
    *_messages(
        "logs",
        "Messages of logs",
        {
            "kind": "method_invocation",
            "all": [
                {"has": {"field": "object", "regex": "(?i)^_?(log|logger)$"}},
                {"has": {"field": "name", "regex": "^(trace|debug|info|warn|error)$"}},
            ],
        },
        capital=0.8,
        stop=0.3,
        words=("log", "LOG"),
    ),
    *_messages(
        "thrown",
        "Messages of exceptions",
        {"kind": "throw_statement"},
        inner="object_creation_expression",
        capital=0.8,
        stop=0.2,
        words=("throw",),
    ),
    _silent("catch_clause"),
)
RUST = (_settings("struct_item", "enum_item"),)
TABLES = {"Python": PYTHON, "JavaScript": SCRIPTS, "TypeScript": TYPED, "Go": GO, "Java": JAVA, "Rust": RUST}

# How a few folders word things is hardly ever anybody's rule.
FAMILY = family("wording", TABLES, most=6, version=5, places=1, sites=20)
