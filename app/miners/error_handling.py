"""What is done with errors: `raise … from`, `%w`, no broad `except`, causes that are passed on, no `unwrap`.

Says, for instance: "Exceptions raised in an `except` name their cause (`raise … from`)" and "Go errors are passed to
`fmt.Errorf` as `%w`". Tests and scripts are not asked.
"""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.miners.core.family import Finding
from app.miners.core.questions import Meaning, family
from app.syntax import Node, Source, text_of

_BEHAVIORAL = PatternCategory.BEHAVIORAL
_RAISED = r"^raise\s+(\w+\.)*([A-Z]\w*|\w+\()"
_BROAD = r"^except\*?\s*(:|\(?(Base)?Exception\b)"
_THROWN = r"^throw\s+new\s"
_PASSED = r"[(,]\s*[a-z]\w*\s*\)\s*;?$"
_BROAD_JAVA = r"^(Exception|Throwable|RuntimeException)$"
_ERROR = r"^(err|\w*Err)$"
_BARE = r"^return\s+([^(]*,\s*)?err$"
_WRAPPED = r"^return\s+([^(]*,\s*)?(fmt\.Errorf|errors\.Wrapf?|errors\.WithMessagef?|errors\.WithStack)\((.|\n)*\berr\b"
_MESSAGE = re.compile(r'^[`"](failed|could|cannot|unable|error)\b')
_OPENINGS = {
    "failed": "failed to …",
    "could": "could not …",
    "cannot": "cannot …",
    "unable": "unable to …",
    "error": "error …",
}
_TESTS = re.compile("tests?$")


def _inside(node: Node, kind: str) -> Node | None:
    above = node.parent
    while above is not None and above.type != kind:
        above = above.parent
    return above


def _python(source: Source) -> Iterator[tuple[str, str]]:
    for node in source.nodes("raise_statement"):
        if re.match(_RAISED, text_of(node)) and _inside(node, "except_clause") is not None:
            yield "cause", "from" if node.child_by_field_name("cause") is not None else ""
    for node in source.nodes("except_clause"):
        yield "specific", "" if re.match(_BROAD, text_of(node)) else "specific"


def _script(source: Source) -> Iterator[tuple[str, str]]:
    for node in source.nodes("throw_statement"):
        text = text_of(node)
        if re.match(_THROWN, text) and _inside(node, "catch_clause") is not None:
            yield "cause", "cause" if re.search(r"\bcause\b", text) else ""


def _typescript(source: Source) -> Iterator[tuple[str, str]]:
    yield from _script(source)
    for node in source.nodes("catch_clause"):
        if node.child_by_field_name("parameter") is not None:
            yield "type", text_of(node.child_by_field_name("type")).strip(": ")


def _java(source: Source) -> Iterator[tuple[str, str]]:
    for node in source.nodes("throw_statement"):
        text = text_of(node)
        if re.match(_THROWN, text) and _inside(node, "catch_clause") is not None:
            yield "cause", "passed" if re.search(_PASSED, text) else ""
    for node in source.nodes("catch_type"):
        yield "specific", "" if re.match(_BROAD_JAVA, text_of(node)) else "specific"


def _go(source: Source) -> Iterator[tuple[str, str]]:
    for node in source.nodes("call_expression"):
        if text_of(node.child_by_field_name("function")) != "fmt.Errorf":
            continue
        arguments = node.child_by_field_name("arguments")
        given = [] if arguments is None else [each for each in arguments.named_children if each.type != "comment"]
        if len(given) > 1 and given[-1].type == "identifier" and re.match(_ERROR, text_of(given[-1])):
            message = text_of(given[0])
            yield "verb", "%w" if "%w" in message else ""
            opening = _MESSAGE.match(message)
            yield "opening", opening.group(1) if opening else ""
    for node in source.nodes("return_statement"):
        text = text_of(node)
        if re.match(_WRAPPED, text):
            yield "wrapped", "wrapped"
        elif re.match(_BARE, text):
            yield "wrapped", ""


def _rust(source: Source) -> Iterator[tuple[str, str]]:
    unwraps = 0
    for node in source.nodes("call_expression"):
        function = node.child_by_field_name("function")
        field = None if function is None else function.child_by_field_name("field")
        name = text_of(field)
        if name in ("unwrap", "expect") and not _in_tests(node):
            yield "expect", name
            unwraps += name == "unwrap"
    if source.nodes("try_expression"):
        yield "unwrap", "" if unwraps else "none"


def _in_tests(node: Node) -> bool:
    above = _inside(node, "mod_item")
    while above is not None and not _TESTS.match(text_of(above.child_by_field_name("name"))):
        above = _inside(above, "mod_item")
    return above is not None


_IN_EXCEPT: Any = {"inside": {"kind": "except_clause", "stopBy": "end"}}
_IN_CATCH: Any = {"inside": {"kind": "catch_clause", "stopBy": "end"}}
_LAST_IS_ERROR: Any = {
    "kind": "call_expression",
    "all": [
        {"has": {"field": "function", "regex": r"^fmt\.Errorf$"}},
        {
            "has": {
                "field": "arguments",
                "all": [
                    {
                        "has": {
                            "kind": "identifier",
                            "regex": _ERROR,
                            "nthChild": {"position": 1, "reverse": True, "ofRule": {"not": {"kind": "comment"}}},
                        }
                    },
                    {"has": {"regex": ".", "nthChild": 2}},
                ],
            }
        },
    ],
}
_OUTSIDE_TESTS: Any = {
    "not": {"inside": {"kind": "mod_item", "has": {"field": "name", "regex": "^tests?$"}, "stopBy": "end"}}
}


def _called(names: str) -> dict[str, Any]:
    named = {"has": {"field": "function", "kind": "field_expression", "has": {"field": "field", "regex": names}}}
    return {"kind": "call_expression", "all": [named, _OUTSIDE_TESTS]}


def _first(shape: str) -> dict[str, Any]:
    return {"has": {"field": "arguments", "has": {"nthChild": 1, "regex": shape}}}


def _meaning(finding: Finding) -> Meaning | None:
    match finding.tongue, finding.topic, finding.form:
        case "Python", "cause", "from":
            return Meaning(
                "Exceptions raised in an `except`",
                "name their cause (`raise … from`)",
                {"kind": "raise_statement", "regex": _RAISED, **_IN_EXCEPT},
                {"has": {"field": "cause", "regex": "."}},
                0.5,
                _BEHAVIORAL,
                alternative="no `from`",
                weight=1.3,
            )
        case "Python", "specific", "specific":
            return Meaning(
                "Handlers",
                "name the exceptions that they expect; none is `except Exception` or bare",
                {"kind": "except_clause"},
                {"not": {"regex": _BROAD}},
                0.75,
                _BEHAVIORAL,
                alternative="`except Exception`",
                weight=1.2,
            )
        case "TypeScript" | "JavaScript", "cause", "cause":
            return Meaning(
                "Errors thrown in a `catch`",
                "carry what was caught as `cause`",
                {"kind": "throw_statement", "regex": _THROWN, **_IN_CATCH},
                {"regex": r"\bcause\b"},
                0.2,
                _BEHAVIORAL,
                alternative="no `cause`",
                weight=1.3,
            )
        case "TypeScript", "type", ("unknown" | "any") as word:
            return Meaning(
                "Caught errors",
                f"are typed `{word}`",
                {"kind": "catch_clause", "has": {"field": "parameter", "regex": "."}},
                {"has": {"field": "type", "regex": f"^:\\s*{word}$"}},
                0.15,
                _BEHAVIORAL,
                alternative="no type",
            )
        case "Java", "cause", "passed":
            return Meaning(
                "Exceptions thrown in a `catch`",
                "carry what was caught as their cause",
                {"kind": "throw_statement", "regex": _THROWN, **_IN_CATCH},
                {"regex": _PASSED},
                0.75,
                _BEHAVIORAL,
                alternative="no cause",
                weight=1.2,
            )
        case "Java", "specific", "specific":
            return Meaning(
                "Handlers",
                "name the exceptions that they expect; none is `catch (Exception …)`",
                {"kind": "catch_type"},
                {"not": {"regex": _BROAD_JAVA}},
                0.75,
                _BEHAVIORAL,
                alternative="`catch (Exception …)`",
                weight=1.2,
            )
        case "Go", _, _:
            return _of_go(finding)
        case "Rust", "expect", "expect":
            return Meaning(
                "Results and options",
                "are unwrapped by `expect` with a reason, not by `unwrap`",
                _called("^(unwrap|expect)$"),
                _called("^expect$"),
                0.3,
                _BEHAVIORAL,
                alternative="`unwrap`",
            )
        case "Rust", "unwrap", "none":
            return Meaning(
                "Files that pass errors on by `?`",
                "do without `unwrap`, outside of tests",
                {"kind": "source_file", "has": {"kind": "try_expression", "stopBy": "end"}},
                {"not": {"has": {**_called("^unwrap$"), "stopBy": "end"}}},
                0.65,
                _BEHAVIORAL,
                alternative="`unwrap`",
                weight=1.2,
            )
    return None


def _of_go(finding: Finding) -> Meaning | None:
    match finding.topic, finding.form:
        case "verb", "%w":
            return Meaning(
                "Errors",
                "are passed to `fmt.Errorf` last, as `%w`",
                _LAST_IS_ERROR,
                _first("%w"),
                0.65,
                _BEHAVIORAL,
                alternative="`%v` or `%s`",
                weight=1.3,
            )
        case "opening", word if word:
            return Meaning(
                "Errors that wrap another",
                f"begin with `{_OPENINGS[word]}`",
                _LAST_IS_ERROR,
                _first(f'^[`"]{word}\\b'),
                0.2,
                _BEHAVIORAL,
            )
        case "wrapped", "wrapped":
            return Meaning(
                "Errors",
                "are wrapped with what was being done before they are returned",
                {"kind": "return_statement", "any": [{"regex": _BARE}, {"regex": _WRAPPED}]},
                {"regex": _WRAPPED},
                0.3,
                _BEHAVIORAL,
                alternative="`return err`",
                weight=1.2,
            )
    return None


FAMILY = family(
    "error-handling",
    {
        "Python": _python,
        "TypeScript": _typescript,
        "TSX": _typescript,
        "JavaScript": _script,
        "Java": _java,
        "Go": _go,
        "Rust": _rust,
    },
    _meaning,
    roles=frozenset((FileRole.SOURCE,)),
)
