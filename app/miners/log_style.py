"""How programs tell what they do: a logger and not print, what it is called, how it is made, how messages are built.

Says, for instance: "Python loggers are called `logger`" and "Python log messages leave formatting to the logger
(`%s`, arguments)".
"""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.miners.core.family import SCRIPTS, Finding
from app.miners.core.questions import Meaning, family
from app.syntax import Node, Source, text_of

_BEHAVIORAL, _NAMING = PatternCategory.BEHAVIORAL, PatternCategory.NAMING
_LEVELS = "debug|info|warning|warn|error|exception|critical|log"
_LOGGER = r"(?i)^(self\.|cls\.)?_*(log|logger|logging)"
_PYTHON_CALL = re.compile(rf"{_LOGGER}\.({_LEVELS})$")
_MADE = re.compile(
    r"^(?:logging\.getLogger|getLogger|structlog\.get_logger|get_logger|LoggerFactory\.getLogger|LogManager\.getLogger|Logger\.getLogger)\("
)
# Whoever makes loggers by a function of their own has a reason to.
_MAKER = re.compile(r"^((?:\w+\.)*(?:get_?[lL]ogger|make_logger|create_logger|setup_logger))\(")
_MAKERS = {"logging.getLogger": 0.85, "getLogger": 0.1, "structlog.get_logger": 0.1}
_PRINTS = re.compile(r"^(fmt\.Print(f|ln)?|println|print)$")
_NAMES = {
    "Python": {"logger": 0.5, "log": 0.25, "LOG": 0.1},
    "Java": {"logger": 0.3, "LOG": 0.25, "log": 0.25, "LOGGER": 0.3},
}


def _python(source: Source) -> Iterator[tuple[str, str]]:
    for assignment in source.nodes("assignment"):
        value = text_of(assignment.child_by_field_name("right"))
        if (made := _MAKER.match(value)) is not None:
            yield "made by", made.group(1)
        if _MADE.match(value) and "\n" not in value:
            yield "name", text_of(assignment.child_by_field_name("left")).removeprefix("self.")[:30]
            if value.startswith(("logging.getLogger", "getLogger")):
                yield "maker", "__name__" if value.endswith("(__name__)") else ""
    prints = False
    for call in source.nodes("call"):
        function = text_of(call.child_by_field_name("function"))
        prints = prints or function in ("print", "pprint")
        if _PYTHON_CALL.match(function):
            yield from _message(call.child_by_field_name("arguments"))
    yield "print", "" if prints else "silent"


def _message(arguments: Node | None) -> Iterator[tuple[str, str]]:
    first = None if arguments is None or not arguments.named_children else arguments.named_children[0]
    if first is None:
        return
    text = text_of(first)
    if first.type == "string" and text[:2].lower().rstrip("\"'").startswith(("f", "rf", "fr")):
        yield "message", "f-string"
    elif first.type == "string" and re.search(r"%[-0-9.]*[sdrfix(]", text):
        yield "message", "lazy"
    elif (first.type == "binary_operator" and "%" in text) or ".format(" in text:
        yield "message", "formatted"


def _java(source: Source) -> Iterator[tuple[str, str]]:
    for field in source.nodes("field_declaration"):
        if text_of(field.child_by_field_name("type")).rpartition(".")[2] not in ("Logger", "Log"):
            continue
        declarator = field.child_by_field_name("declarator")
        yield "name", "" if declarator is None else text_of(declarator.child_by_field_name("name"))
        words = (
            text_of(field.named_children[0])
            if field.named_children and field.named_children[0].type == "modifiers"
            else ""
        )
        yield "modifiers", "private static final" if words == "private static final" else ""
    prints = any(text_of(call).startswith(("System.out.", "System.err.")) for call in source.nodes("method_invocation"))
    traces = any(text_of(call).endswith(".printStackTrace()") for call in source.nodes("method_invocation"))
    yield "print", "" if prints or traces else "silent"


def _script(source: Source) -> Iterator[tuple[str, str]]:
    prints = any(
        text_of(call.child_by_field_name("function")) in ("console.log", "console.info", "console.debug")
        for call in source.nodes("call_expression")
    )
    yield "print", "" if prints else "silent"


def _rust(source: Source) -> Iterator[tuple[str, str]]:
    prints = any(
        text_of(call.child_by_field_name("macro")) in ("println", "eprintln", "print", "eprint")
        for call in source.nodes("macro_invocation")
    )
    yield "print", "" if prints else "silent"


def _go(source: Source) -> Iterator[tuple[str, str]]:
    if not re.search(r"(?m)^package main\b", source.text):
        prints = any(
            _PRINTS.match(text_of(call.child_by_field_name("function"))) for call in source.nodes("call_expression")
        )
        yield "print", "" if prints else "silent"


_CALLS: Any = {
    "Python": {"kind": "call", "has": {"field": "function", "regex": "^(print|pprint)$"}, "stopBy": "end"},
    "Java": {"kind": "method_invocation", "regex": r"^System\.(out|err)\.|\.printStackTrace\(\)$", "stopBy": "end"},
    "Rust": {
        "kind": "macro_invocation",
        "has": {"field": "macro", "regex": "^(e?println|e?print)$"},
        "stopBy": "end",
    },
    "Go": {"kind": "call_expression", "has": {"field": "function", "regex": _PRINTS.pattern}, "stopBy": "end"},
    "JavaScript": {
        "kind": "call_expression",
        "has": {"field": "function", "regex": r"^console\.(log|info|debug)$"},
        "stopBy": "end",
    },
}
_CALLS["TypeScript"] = _CALLS["JavaScript"]
_ROOTS = {
    "Python": "module",
    "Java": "program",
    "Rust": "source_file",
    "Go": "source_file",
    "JavaScript": "program",
    "TypeScript": "program",
}
_NEVER = {
    "Python": "`print`",
    "Java": "`System.out` and never print stack traces",
    "Rust": "`println!` and the like",
    "Go": "`fmt.Println` and the like",
    "JavaScript": "`console.log`",
    "TypeScript": "`console.log`",
}
# Programs print more often than libraries, and small ones more often than large ones.
_SILENT = {"Python": 0.78, "Java": 0.78, "Rust": 0.78, "Go": 0.8, "JavaScript": 0.75, "TypeScript": 0.78}


def _meaning(finding: Finding) -> Meaning | None:
    tongue, form = finding.tongue or "", finding.form
    fits: Any
    match finding.topic:
        case "print":
            root: Any = {"kind": _ROOTS[tongue]}
            if tongue == "Go":
                # Programs tell who runs them.
                root["not"] = {"has": {"kind": "package_clause", "regex": r"\bmain$"}}
            sentence = f"never use {_NEVER[tongue]}"
            return Meaning(
                "Source files",
                sentence,
                root,
                {"not": {"has": _CALLS[tongue]}},
                _SILENT[tongue],
                _BEHAVIORAL,
                weight=0.7,
            )
        case "name" if re.fullmatch(r"\w+", form):
            named: Any
            if tongue == "Python":
                sites: Any = {"kind": "assignment", "has": {"field": "right", "regex": _MADE.pattern}}
                named = {"has": {"field": "left", "regex": rf"^(self\.)?{form}$"}}
            else:
                sites = {"kind": "field_declaration", "has": {"field": "type", "regex": r"(^|\.)(Logger|Log)$"}}
                named = {"has": {"field": "declarator", "has": {"field": "name", "regex": f"^{form}$"}}}
            return Meaning("Loggers", f"are called `{form}`", sites, named, _NAMES[tongue].get(form, 0.05), _NAMING)
        case "maker" if form:
            sites = {"kind": "assignment", "has": {"field": "right", "regex": r"^(logging\.)?getLogger\("}}
            made: Any = {"has": {"field": "right", "regex": r"\(__name__\)$"}}
            return Meaning("Loggers", "are made for their module: `getLogger(__name__)`", sites, made, 0.7, _BEHAVIORAL)
        case "made by" if form != "logging.getLogger":
            sites = {"kind": "assignment", "has": {"field": "right", "regex": _MAKER.pattern}}
            fits = {"has": {"field": "right", "regex": rf"^{re.escape(form)}\("}}
            sentence, usual = f"are made by `{form}(…)`, not by `logging.getLogger`", _MAKERS.get(form, 0.06)
            return Meaning("Loggers", sentence, sites, fits, usual, _BEHAVIORAL)
        case "modifiers" if form:
            sites = {"kind": "field_declaration", "has": {"field": "type", "regex": r"(^|\.)(Logger|Log)$"}}
            fits = {"has": {"kind": "modifiers", "regex": "^private static final$"}}
            return Meaning("Loggers", "are `private static final`", sites, fits, 0.7, _BEHAVIORAL)
        case "message":
            return _built(form)
    return None


def _built(form: str) -> Meaning | None:
    first: Any = {"field": "arguments", "has": {"nthChild": 1}}
    told: Any = {"kind": "call", "has": {"field": "function", "regex": rf"{_LOGGER}\.({_LEVELS})$"}}
    shapes: dict[str, Any] = {
        "f-string": {"kind": "string", "regex": "^([fF][rR]?|[rR][fF])[\"']"},
        "lazy": {
            "all": [
                {"kind": "string"},
                {"regex": "%[-0-9.]*[sdrfix(]"},
                {"not": {"regex": "^([fF][rR]?|[rR][fF])[\"']"}},
            ]
        },
        "formatted": {"any": [{"kind": "binary_operator", "regex": "%"}, {"regex": r"\.format\("}]},
    }
    words = {"lazy": "leave formatting to the logger (`%s` and arguments)", "f-string": "are built as f-strings"}
    if form not in words:
        return None
    asked = {"all": [told, {"has": {**first, "has": {"nthChild": 1, "any": list(shapes.values())}}}]}
    fits = {"has": {**first, "has": {"nthChild": 1, **shapes[form]}}}
    return Meaning("Log messages", words[form], asked, fits, {"lazy": 0.45, "f-string": 0.35}[form], _BEHAVIORAL)


FAMILY = family(
    "log-style",
    {"Python": _python, "Java": _java, "Rust": _rust, "Go": _go, **dict.fromkeys(SCRIPTS, _script)},
    _meaning,
    version=3,
    roles=frozenset((FileRole.SOURCE,)),
)
