"""Which errors are raised, and what they say: the project's own classes or built-in ones, messages with a full stop.

Says, for instance: "TypeScript thrown errors are `TRPCError`" and "JavaScript thrown errors are of specific classes,
not of built-in ones". What only tells that something is not done does not vote.
"""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.miners.core.family import SCRIPTS, Finding
from app.miners.core.questions import Meaning, family
from app.syntax import Source, text_of

# What a class of a language's own says of itself is enough in some places: these do not vote.
_SILENT = {
    "Python": "NotImplementedError|AssertionError|StopIteration|StopAsyncIteration|AttributeError|KeyError|IndexError"
    "|SystemExit|KeyboardInterrupt",
    "Java": "AssertionError|UnsupportedOperationException|NoSuchElementException|NullPointerException",
}
_BUILT_IN = {
    "Python": "BaseException|Exception|ValueError|TypeError|RuntimeError|OSError|IOError|LookupError|ImportError"
    "|TimeoutError|ConnectionError|FileNotFoundError|FileExistsError|PermissionError|NameError|ArithmeticError"
    "|EnvironmentError|RuntimeWarning|DeprecationWarning|UserWarning|OverflowError|ZeroDivisionError",
    "Java": "Exception|RuntimeException|Throwable|Error|IllegalArgumentException|IllegalStateException|IOException"
    "|IndexOutOfBoundsException|ClassCastException|ArithmeticException|UncheckedIOException"
    "|InterruptedException|ClassNotFoundException|NumberFormatException|ExceptionInInitializerError",
    "JavaScript": "Error|TypeError|RangeError|SyntaxError|ReferenceError|EvalError|URIError|AggregateError",
}
_KINDS = {"Python": "raise_statement", "Java": "throw_statement", "JavaScript": "throw_statement"}
_SAID = {
    "Python": r"^raise\s+(\w+\.)*(?P<name>[A-Z]\w*)",
    "Java": r"^throw\s+new\s+(\w+\.)*(?P<name>[A-Z]\w*)",
    "JavaScript": r"^throw\s+new\s+(\w+\.)*(?P<name>[A-Z]\w*)",
}
_OPEN = r"(<[^(]*>)?\(\s*[rf]*[\"'`]"
_END = r"[\"'`]\s*,?\s*\)(\s+from\s+\w+)?;?\s*$"
_MESSAGE, _LAST = re.compile(_OPEN), re.compile(_END)
_STOPPED = re.compile(r"[.!?]" + _END)
_LOWER, _LETTER = r"[\"'`][a-z]+[ ,:]", r"[\"'`][A-Za-z]+[ ,:]"


def _language(name: str) -> str:
    return "JavaScript" if name in SCRIPTS else name


def _read(source: Source) -> Iterator[tuple[str, str]]:
    language = _language(source.language)
    said = re.compile(_SAID[language])
    for node in source.nodes(_KINDS[language]):
        text = text_of(node)
        found = said.match(text)
        if found is None:
            continue
        name, rest = found.group("name"), text[found.end() :]
        if name not in _SILENT.get(language, "").split("|"):
            yield "class", name
            yield "own", "" if name in _BUILT_IN[language].split("|") else "own"
        if _MESSAGE.match(rest):
            if _LAST.search(rest):
                yield "stop", "stop" if _STOPPED.search(rest) else ""
            if re.match(rf"(<[^(]*>)?\(\s*[rf]*{_LETTER}", rest):
                yield "begin", "lower" if re.match(rf"(<[^(]*>)?\(\s*[rf]*{_LOWER}", rest) else ""


def _meaning(finding: Finding) -> Meaning | None:
    language = _language(finding.tongue or "")
    shape = _SAID[language].replace("?P<name>", "")
    begun = shape.rpartition("(")[0]
    sites: Any = {"kind": _KINDS[language], "regex": shape}
    if language in _SILENT:
        sites = {"all": [sites, {"not": {"regex": rf"{begun}({_SILENT[language]})\b"}}]}
    raised = "raised" if language == "Python" else "thrown"
    match finding.topic, finding.form:
        case "class", name:
            # That plain errors are thrown says nothing; a class of one's own does.
            if name in _BUILT_IN[language].split("|"):
                return None
            return Meaning(
                f"{raised} errors",
                f"are `{name}`",
                sites,
                {"regex": rf"{begun}{re.escape(name)}\b"},
                0.08,
                PatternCategory.BEHAVIORAL,
                alternative=f"`{finding.alternative}`" if finding.alternative else None,
                weight=1.3,
            )
        case "own", "own":
            return Meaning(
                f"{raised} errors",
                "are of specific classes, not of built-in ones",
                sites,
                {"not": {"regex": rf"{begun}({_BUILT_IN[language]})\b"}},
                0.35,
                PatternCategory.BEHAVIORAL,
                alternative="a built-in class",
                weight=1.2,
            )
        case "stop", "stop":
            return Meaning(
                "Messages of errors",
                "end in a full stop",
                {"kind": _KINDS[language], "regex": f"(?s){shape}{_OPEN}.*{_END}"},
                {"regex": rf"[.!?]{_END}"},
                0.5,
                PatternCategory.BEHAVIORAL,
                weight=0.8,
            )
        case "begin", "lower":
            return Meaning(
                "Messages of errors",
                "begin with a small letter",
                {"kind": _KINDS[language], "regex": rf"{shape}(<[^(]*>)?\(\s*[rf]*{_LETTER}"},
                {"regex": rf"{shape}(<[^(]*>)?\(\s*[rf]*{_LOWER}"},
                0.25,
                PatternCategory.BEHAVIORAL,
                weight=0.8,
            )
    return None


FAMILY = family(
    "raised-errors",
    dict.fromkeys(("Python", "Java", "JavaScript", "TypeScript", "TSX"), _read),
    _meaning,
    roles=frozenset((FileRole.SOURCE,)),
    most=6,
)
