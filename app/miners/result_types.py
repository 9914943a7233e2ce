"""What functions of Rust that may fail return: an error of one's own, an alias, `io::Result`, `anyhow::Result`.

Says, for instance: "Rust functions that may fail return `Result<…, ShellError>`" and "Rust tests that may fail return
`anyhow::Result<…>`".
"""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.miners.core.family import Finding, Least
from app.miners.core.questions import Meaning, family
from app.syntax import Node, Source, text_of

_MAY_FAIL = r"^(\w+::)*\w*Result(<|$)"
_FAILING = re.compile(_MAY_FAIL)
_NAME = re.compile(r"[\w:]{1,60}(<[\w:, ']{1,40}>)?")
_PATH = re.compile(r"^(\w+::)+(?!Error$)(?=\w+$)")
_PLAIN = re.compile(r"(std::result::|result::|core::result::)?Result")
# What traits of the standard library ask for is no choice.
_ASKED_FOR = r"^(std::|core::)?fmt::Result$"
# Among sources are their own tests.
_TEST = r"^#\[(\w+::)*test\b"
_ABOVE = {"any": [{"kind": "attribute_item"}, {"kind": "line_comment"}]}
_USUAL = {"io::Result<…>": 0.12, "anyhow::Result<…>": 0.12, "Result<…>": 0.4, "Result<…, Box<dyn Error>>": 0.1}


def _of_sources(source: Source) -> Iterator[tuple[str, str]]:
    return _read(source, tests=False)


def _of_tests(source: Source) -> Iterator[tuple[str, str]]:
    return _read(source, tests=True)


def _read(source: Source, *, tests: bool) -> Iterator[tuple[str, str]]:
    topic = "tests" if tests else "returned"
    for function in source.nodes("function_item"):
        returned = function.child_by_field_name("return_type")
        if returned is None or not _FAILING.match(text := text_of(returned)) or re.match(_ASKED_FOR, text):
            continue
        if _tests(function) is not tests:
            continue
        given = returned.child_by_field_name("type_arguments")
        arguments = [] if given is None else [each for each in given.named_children if each.type != "lifetime"]
        head = text.partition("<")[0]
        if len(arguments) < 2:
            yield topic, f"{head}<…>"
        else:
            # Some name the module that it is of, some import it.
            error = _PATH.sub("", " ".join(text_of(arguments[1]).split()))
            yield topic, f"Result<…, {error}>" if _NAME.fullmatch(error) and _PLAIN.fullmatch(head) else ""


def _tests(function: Node) -> bool:
    above = function.prev_named_sibling
    while above is not None and above.type in ("attribute_item", "line_comment"):
        if re.match(_TEST, text_of(above)):
            return True
        above = above.prev_named_sibling
    return False


def _meaning(finding: Finding) -> Meaning | None:
    head, _, error = finding.form.removesuffix(">").partition("<…")
    error = error.removeprefix(", ")
    # That tests return some result is said by itself.
    if len(error) == 1 or error.startswith("Self") or (finding.topic, head, error) == ("tests", "Result", ""):
        return None
    marked = {"follows": {"kind": "attribute_item", "regex": _TEST, "stopBy": {"not": _ABOVE}}}
    sites: Any = {
        "kind": "function_item",
        "has": {"field": "return_type", "regex": _MAY_FAIL, "not": {"regex": _ASKED_FOR}},
        **(marked if finding.topic == "tests" else {"not": marked}),
    }
    second = {"field": "type_arguments", "has": {"nthChild": 2}}
    fits: Any = {"has": {"field": "return_type", "regex": rf"^{head}(<|$)", "not": {"has": second}}}
    sentence = f"return `{finding.form}`"
    if error:
        second = {**second, "has": {"nthChild": 2, "regex": rf"^(\w+::)*{re.escape(error)}$"}}
        fits = {"has": {"field": "return_type", "kind": "generic_type", "has": second}}
    elif head == "Result":
        sentence = "return `Result<…>`, which names no error"
    other = finding.alternative
    return Meaning(
        "Tests that may fail" if finding.topic == "tests" else "Functions that may fail",
        sentence,
        sites,
        fits,
        _USUAL.get(finding.form, 0.08),
        PatternCategory.API,
        alternative=f"`{other}`" if other else None,
    )


_LEAST = Least(sites=15, files=6, share=0.85, rising=False)

FAMILY = family(
    "result-types",
    {"Rust": _of_sources},
    _meaning,
    roles=frozenset((FileRole.SOURCE,)),
    least=_LEAST,
    version=3,
    endless=True,
    most=3,
)
TESTS = family(
    "results-of-tests",
    {"Rust": _of_tests},
    _meaning,
    roles=frozenset((FileRole.SOURCE, FileRole.TEST)),
    least=_LEAST,
    version=2,
    endless=True,
    most=2,
)
