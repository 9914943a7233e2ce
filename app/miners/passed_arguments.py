"""Optional arguments that are always passed: `timeout` to a request, `encoding` to `open`, the radix to `parseInt`.

Says, for instance: "Python calls of `open` for text pass `encoding`". An argument that must be passed says nothing, so
only those of a list are asked for that can be left out, and that somebody may want not to be.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.domain.pattern import PatternCategory
from app.miners.core.family import Finding, Least
from app.miners.core.questions import Meaning, family
from app.syntax import Node, Source, text_of

_ACTING, _TESTING, _API = PatternCategory.BEHAVIORAL, PatternCategory.TESTING, PatternCategory.API


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call, an argument that it can do without, and how usual it is to pass it."""

    shown: str
    function: str
    argument: str
    usual: float
    category: PatternCategory = _API
    unless: str | None = None
    """Arguments by which it is another kind of call, of which nothing is asked."""


_LONGEST = 80
_BINARY = r"""\(.*(\bmode\s*=\s*|,\s*)["'][rwax+t]*b[rwax+]*["']"""
_PYTHON = (
    _Asked("`open` for text", r"(io\.|codecs\.)?open", "encoding", 0.35, unless=_BINARY),
    _Asked("`read_text` and `write_text`", r".*\.(read_text|write_text)", "encoding", 0.35),
    _Asked("`subprocess.run`", r"subprocess\.run", "check", 0.45, _ACTING),
    _Asked("`warnings.warn`", r"warnings\.warn", "stacklevel", 0.45),
    _Asked("`requests`", r"requests\.(get|post|put|patch|delete|head|request)", "timeout", 0.35, _ACTING),
    _Asked("`urlopen`", r"(.*\.)?urlopen", "timeout", 0.3, _ACTING),
    _Asked("`pytest.raises`", r"pytest\.raises", "match", 0.4, _TESTING),
    _Asked("`pytest.warns`", r"pytest\.warns", "match", 0.5, _TESTING),
    _Asked("`zip`", r"zip", "strict", 0.1, _ACTING),
    _Asked("`os.makedirs`", r"os\.makedirs", "exist_ok", 0.6),
    _Asked("`json.dumps`", r"json\.dumps", "sort_keys", 0.1),
    _Asked("`ForeignKey`", r"models\.(ForeignKey|OneToOneField)", "related_name", 0.5),
    _Asked("`add_argument`", r".*\.add_argument", "help", 0.85),
    _Asked("`click.option`", r"click\.option", "help", 0.75),
    _Asked("`patch.object`", r"(mock\.)?patch\.object", "autospec", 0.1, _TESTING),
    _Asked("`ThreadPoolExecutor`", r"(.*\.)?ThreadPoolExecutor", "thread_name_prefix", 0.1),
)
_CALLS = {asked.shown: re.compile(asked.function) for asked in _PYTHON}
_UNLESS = {asked.shown: re.compile(asked.unless) for asked in _PYTHON if asked.unless}
_BY_NAME = {asked.shown: asked for asked in _PYTHON}
_NAMES = re.compile(
    r"(open|read_text|write_text|run|warn|get|post|put|patch|delete|head|request|urlopen|raises|warns|zip|makedirs|dumps"
    r"|ForeignKey|OneToOneField|add_argument|option|object|ThreadPoolExecutor)$"
)


def _python(source: Source) -> Iterator[tuple[str, str]]:
    for call in source.nodes("call"):
        function = call.child_by_field_name("function")
        arguments = call.child_by_field_name("arguments")
        if function is None or arguments is None or arguments.type != "argument_list":
            continue
        name = text_of(function)
        if len(name) > _LONGEST or _NAMES.search(name) is None:
            continue
        for shown, shape in _CALLS.items():
            if shape.fullmatch(name) is not None:
                if not _is_other(shown, arguments):
                    yield shown, "given" if _passes(arguments, _BY_NAME[shown].argument) else ""
                break


def _is_other(shown: str, arguments: Node) -> bool:
    """Tell whether nothing can be asked: what is unpacked into the call may hold the argument."""
    if any(each.type in ("dictionary_splat", "list_splat") for each in arguments.named_children):
        return True
    unless = _UNLESS.get(shown)
    return unless is not None and unless.search(text_of(arguments)) is not None


def _passes(arguments: Node, name: str) -> bool:
    return any(
        each.type == "keyword_argument" and text_of(each.child_by_field_name("name")) == name
        for each in arguments.named_children
    )


def _script(source: Source) -> Iterator[tuple[str, str]]:
    for call in source.nodes("call_expression"):
        function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
        if function is None or arguments is None or text_of(function) not in ("parseInt", "Number.parseInt"):
            continue
        given = [each for each in arguments.named_children if each.type != "comment"]
        if not any(each.type == "spread_element" for each in given):
            yield "parseInt", "given" if len(given) > 1 else ""


_SPREAD: Any = {"any": [{"kind": "dictionary_splat"}, {"kind": "list_splat"}]}


def _meaning(finding: Finding) -> Meaning | None:
    if finding.topic == "parseInt":
        calls: Any = {"kind": "call_expression", "has": {"field": "function", "regex": r"^(Number\.)?parseInt$"}}
        spread: Any = {"has": {"field": "arguments", "has": {"kind": "spread_element"}}}
        second: Any = {"has": {"field": "arguments", "has": {"nthChild": 2}}}
        return Meaning(
            "Calls of `parseInt`", "pass the radix", {"all": [calls, {"not": spread}]}, second, 0.6, _API, weight=0.8
        )
    asked = _BY_NAME[finding.topic]
    sites: dict[str, Any] = {
        "kind": "call",
        "all": [
            {"has": {"field": "function", "regex": rf"^({asked.function})$"}},
            {"has": {"field": "arguments", "kind": "argument_list", "not": {"has": _SPREAD}}},
        ],
    }
    if asked.unless:
        sites["not"] = {"has": {"field": "arguments", "regex": asked.unless}}
    passed: Any = {"kind": "keyword_argument", "has": {"field": "name", "regex": f"^{asked.argument}$"}}
    return Meaning(
        f"Calls of {asked.shown}",
        f"pass `{asked.argument}`",
        sites,
        {"has": {"field": "arguments", "has": passed}},
        asked.usual,
        asked.category,
    )


FAMILY = family(
    "passed-arguments",
    {"Python": _python, "JavaScript": _script, "TypeScript": _script, "TSX": _script},
    _meaning,
    least=Least(sites=14, files=4, share=0.85),
)
