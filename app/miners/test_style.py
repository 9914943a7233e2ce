"""How tests are written: `it` or `test`, `should …`, functions or classes, the mark of async tests, `t.Parallel()`.

Says, for instance: "TypeScript tests are written with `it`, not with `test`" and "Async Python tests carry
`@pytest.mark.anyio`".
"""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.miners.core.family import SCRIPTS, Finding
from app.miners.core.questions import Meaning, family
from app.syntax import Node, Source, text_of

_TESTING = PatternCategory.TESTING
_TITLE = re.compile(r"t\.Run\((\w+)\.(\w+),")
_QUNIT = "QUnit.test"
_TITLES = ("string", "template_string", "binary_expression")
_CALL = re.compile(r"(it|test|QUnit\.test)(\.(each|only|skip|todo|concurrent|fails|failing))?")


def _script(source: Source) -> Iterator[tuple[str, str]]:
    for call in source.nodes("call_expression"):
        function = call.child_by_field_name("function")
        if function is None or (named := _CALL.fullmatch(text_of(function))) is None:
            continue
        arguments = call.child_by_field_name("arguments")
        title = None if arguments is None else next(iter(arguments.named_children), None)
        # A function of the tests' own may well be called `test`; it is given no title.
        if named.group(2) is None and (title is None or title.type not in _TITLES):
            continue
        yield "call", named.group(1)
        if named.group(1) != _QUNIT:
            yield "group", "describe" if _inside(call, "call_expression", "function", r"describe\b") else "flat"
        if title is not None and title.type in ("string", "template_string"):
            yield "title", "should" if text_of(title)[1:].startswith("should ") else ""


def _python(source: Source) -> Iterator[tuple[str, str]]:
    for function in source.nodes("function_definition"):
        if not text_of(function.child_by_field_name("name")).startswith("test_"):
            continue
        yield "place", "method" if _within(function, "class_definition") else "function"
        if function.children and function.children[0].type == "async":
            marks = [text_of(each) for each in _decorators(function)]
            mark = next(
                (
                    mark
                    for mark in marks
                    if mark.startswith(("@pytest.mark.asyncio", "@pytest.mark.anyio", "@pytest.mark.trio"))
                ),
                "",
            )
            yield "async", mark.partition("(")[0]
    for definition in source.nodes("class_definition"):
        yield from _class_of_tests(definition)
    for decorator in source.nodes("decorator"):
        text = text_of(decorator)
        if text.startswith("@pytest.mark.parametrize(") and (names := _names_of(decorator)) is not None:
            yield "parametrize", names


def _class_of_tests(definition: Node) -> Iterator[tuple[str, str]]:
    """Tell of a class that has tests what its name shows, and what prepares them."""
    body = definition.child_by_field_name("body")
    functions = [_undecorated(each) for each in body.named_children] if body is not None else []
    names = [text_of(each.child_by_field_name("name")) for each in functions if each.type == "function_definition"]
    if any(name.startswith("test") for name in names):
        name = text_of(definition.child_by_field_name("name"))
        yield "classes", next((form for form, shape in _CLASSES.items() if re.search(shape, name)), "")
        yield from (("preparing", each) for each in names if each in _PREPARING)


def _undecorated(node: Node) -> Node:
    return (node.child_by_field_name("definition") or node) if node.type == "decorated_definition" else node


def _names_of(decorator: Node) -> str | None:
    """Tell how several names are given to parametrize; None for one name."""
    call = decorator.named_children[0]
    arguments = call.child_by_field_name("arguments")
    first = None if arguments is None or not arguments.named_children else arguments.named_children[0]
    if first is None:
        return None
    if first.type == "string":
        return "string" if "," in text_of(first) else None
    return first.type if first.type in ("tuple", "list") and len(first.named_children) > 1 else None


def _java(source: Source) -> Iterator[tuple[str, str]]:
    for method in source.nodes("method_declaration"):
        modifiers = method.named_children[0] if method.named_children else None
        if modifiers is None or modifiers.type != "modifiers":
            continue
        if not any(text_of(each) == "@Test" for each in modifiers.named_children):
            continue
        name = text_of(method.child_by_field_name("name"))
        yield "prefix", next((each for each in ("test", "should") if re.match(rf"{each}(?![a-z])", name)), "plain")
        yield "case", "snake" if "_" in name else "camel"
        yield "visible", "public" if any(each.type == "public" for each in modifiers.children) else "package"


def _go(source: Source) -> Iterator[tuple[str, str]]:
    for function in source.nodes("function_declaration"):
        if re.match(r"Test[A-Z_]", text_of(function.child_by_field_name("name"))):
            body = text_of(function.child_by_field_name("body"))
            yield "parallel", "parallel" if "t.Parallel()" in body else "serial"
    for loop in source.nodes("range_clause"):
        above = loop.parent
        if above is None or "t.Run(" not in (body := text_of(above)):
            continue
        case = text_of(loop.child_by_field_name("left")).rpartition(",")[2].strip()[:40]
        yield "table", text_of(loop.child_by_field_name("right"))[:40]
        yield "case", case
        title = _TITLE.search(body)
        yield "titled", title.group(2) if title is not None and title.group(1) == case else ""
        yield "cases", "parallel" if "t.Parallel()" in body else "serial"


def _rust(source: Source) -> Iterator[tuple[str, str]]:
    for item in source.nodes("function_item"):
        above = item.prev_named_sibling
        while above is not None and above.type == "attribute_item":
            if (mark := re.match(r"#\[((?:\w+::)*test)\b", text_of(above))) is not None:
                yield "prefix", "test" if text_of(item.child_by_field_name("name")).startswith("test_") else "plain"
                if re.match(r"(pub )?async\b", text_of(item)[:10]):
                    yield "async", mark.group(1)
                break
            above = above.prev_named_sibling


# What names of classes with tests show, the first that fits, and how usual it is; and what is called before each test.
_CLASSES = {"Test…": "^Test", "test_…": "^test_", "…TestCase": "TestCase$", "…Tests": "Tests$", "…Test": "Test$"}
_CALLED_SO = {"Test…": 0.93, "…TestCase": 0.15, "…Tests": 0.15, "…Test": 0.15}
_PREPARING = {"setup_method": 0.4, "setUp": 0.6, "setup": 0.1}

_READERS = {
    "Python": _python,
    "JavaScript": _script,
    "TypeScript": _script,
    "TSX": _script,
    "Java": _java,
    "Go": _go,
    "Rust": _rust,
}


def _decorators(function: Node) -> list[Node]:
    above = function.parent
    return [] if above is None else [each for each in above.named_children if each.type == "decorator"]


def _within(node: Node, kind: str) -> bool:
    above = node.parent
    while above is not None and above.type != kind:
        above = above.parent
    return above is not None


def _inside(node: Node, kind: str, field: str, shape: str) -> bool:
    above = node.parent
    while above is not None:
        if above.type == kind and re.match(shape, text_of(above.child_by_field_name(field))):
            return True
        above = above.parent
    return False


_CALLS: Any = {
    "kind": "call_expression",
    "all": [
        {"has": {"field": "function", "regex": f"^{_CALL.pattern}$"}},
        {
            "any": [
                {"has": {"field": "function", "kind": "member_expression", "not": {"regex": f"^{_QUNIT}$"}}},
                {"has": {"field": "arguments", "has": {"nthChild": 1, "any": [{"kind": each} for each in _TITLES]}}},
            ]
        },
    ],
}
_GROUPED: Any = {
    "inside": {"kind": "call_expression", "has": {"field": "function", "regex": r"^describe\b"}, "stopBy": "end"}
}
_FUNCTIONS: Any = {"kind": "function_definition", "has": {"field": "name", "regex": "^test_"}}
_TESTED: Any = {"kind": "function_definition", "has": {"field": "name", "regex": "^test"}}
_TEST_CLASSES: Any = {
    "kind": "class_definition",
    "has": {"field": "body", "has": {"any": [_TESTED, {"kind": "decorated_definition", "has": _TESTED}]}},
}
_METHODS: Any = {
    "kind": "method_declaration",
    "has": {"kind": "modifiers", "has": {"kind": "marker_annotation", "regex": "^@Test$"}},
}
_GO_TESTS: Any = {"kind": "function_declaration", "has": {"field": "name", "regex": "^Test[A-Z_]"}}
_CASES: Any = {
    "kind": "for_statement",
    "all": [
        {"has": {"kind": "range_clause"}},
        {"has": {"kind": "call_expression", "regex": r"^t\.Run\(", "stopBy": "end"}},
    ],
}
_PUBLIC: Any = {"has": {"kind": "modifiers", "regex": r"\bpublic\b"}}
_RUST_TESTS: Any = {"kind": "function_item", "follows": {"kind": "attribute_item", "regex": r"^#\[(\w+::)*test\b"}}


def _meaning(finding: Finding) -> Meaning | None:
    form = finding.form
    script, python, java = finding.tongue in SCRIPTS, finding.tongue == "Python", finding.tongue == "Java"
    match finding.topic:
        case "call" if script:
            other = "test" if form == "it" else "it"
            against = "" if form == _QUNIT else f", not with `{other}`"
            fits: Any = {"has": {"field": "function", "regex": f"^{re.escape(form)}\\b"}}
            return Meaning(
                "Tests",
                f"are written with `{form}`{against}",
                _CALLS,
                fits,
                0.15 if form == _QUNIT else 0.5,
                _TESTING,
                alternative=f"`{finding.alternative or other}`",
            )
        case "title" if script:
            titled: Any = {
                "has": {"field": "arguments", "has": {"any": [{"kind": "string"}, {"kind": "template_string"}]}}
            }
            fits = {"has": {"field": "arguments", "has": {"regex": "^['\"`]should "}}}
            return Meaning("Titles of tests", "begin with `should`", {"all": [_CALLS, titled]}, fits, 0.3, _TESTING)
        case "group" if script and form == "describe":
            return Meaning("Tests", "are grouped in `describe`", _CALLS, _GROUPED, 0.75, _TESTING)
        case "group" if script:
            return Meaning("Tests", "stand flat, without `describe`", _CALLS, {"not": _GROUPED}, 0.25, _TESTING)
        case "place" if python:
            inside: Any = {"inside": {"kind": "class_definition", "stopBy": "end"}}
            if form == "function":
                return Meaning(
                    "Tests", "are functions, not methods of classes", _FUNCTIONS, {"not": inside}, 0.6, _TESTING
                )
            return Meaning("Tests", "are methods of classes", _FUNCTIONS, inside, 0.4, _TESTING)
        case "async" if python:
            marked = {
                "inside": {
                    "kind": "decorated_definition",
                    "has": {"kind": "decorator", "regex": f"^{re.escape(form)}\\b"},
                }
            }
            sites = {"all": [_FUNCTIONS, {"regex": "^async "}]}
            return Meaning("Async tests", f"carry `{form}`", sites, marked, 0.4, _TESTING)
        case "parametrize" if python:
            return _parametrized(form)
        case "classes" if form:
            named: Any = {"has": {"field": "name", "regex": _CLASSES[form]}}
            usual = _CALLED_SO.get(form, 0.03)
            return Meaning("Classes of tests", f"are named `{form}`", _TEST_CLASSES, named, usual, _TESTING)
        case "preparing":
            return _prepared(form)
        case "prefix" if java and form == "plain":
            prefixed: Any = {"has": {"field": "name", "regex": "^(test|should)([^a-z]|$)"}}
            sentence = "are named for what they show, without `test` before it"
            return Meaning("Test methods", sentence, _METHODS, {"not": prefixed}, 0.6, _TESTING, weight=0.8)
        case "prefix" if java:
            return Meaning(
                "Test methods",
                f"begin with `{form}`",
                _METHODS,
                {"has": {"field": "name", "regex": f"^{form}([^a-z]|$)"}},
                0.45,
                _TESTING,
            )
        case "case" if java and form == "snake":
            return Meaning(
                "Names of test methods",
                "have underscores",
                _METHODS,
                {"has": {"field": "name", "regex": "_"}},
                0.25,
                _TESTING,
            )
        case "visible" if java and form == "package":
            return Meaning("Test methods", "are not `public`", _METHODS, {"not": _PUBLIC}, 0.5, _TESTING)
        case "visible" if java:
            return Meaning("Test methods", "are `public`", _METHODS, _PUBLIC, 0.55, _TESTING)
        case "parallel" if form == "parallel":
            called = {"has": {"kind": "call_expression", "regex": r"^t\.Parallel\(\)$", "stopBy": "end"}}
            return Meaning("Tests", "run in parallel: they call `t.Parallel()`", _GO_TESTS, called, 0.3, _TESTING)
        case "table":
            fits = {"has": {"kind": "range_clause", "has": {"field": "right", "regex": f"^{re.escape(form)}$"}}}
            return Meaning("Tables of tests", f"are called `{form}`", _CASES, fits, 0.35, PatternCategory.NAMING)
        case "case" if finding.tongue == "Go" and re.fullmatch(r"[a-z]\w*", form):
            fits = {"has": {"kind": "range_clause", "has": {"field": "left", "regex": rf"(^|[\s,]){form}$"}}}
            usual = {"tt": 0.4, "tc": 0.35, "test": 0.2}.get(form, 0.1)
            return Meaning("Cases of tests", f"are called `{form}`", _CASES, fits, usual, PatternCategory.NAMING)
        case "titled" if form:
            fits = {"has": {"kind": "call_expression", "regex": rf"^t\.Run\(\w+\.{form},", "stopBy": "end"}}
            usual = {"name": 0.7, "desc": 0.15}.get(form, 0.05)
            return Meaning("Cases of tests", f"are titled by their `{form}`", _CASES, fits, usual, _TESTING)
        case "cases" if form == "parallel":
            called = {"has": {"kind": "call_expression", "regex": r"^t\.Parallel\(\)$", "stopBy": "end"}}
            return Meaning("Cases of tests", "run in parallel: `t.Parallel()`", _CASES, called, 0.2, _TESTING)
        case "prefix" if finding.tongue == "Rust":
            prefixed = {"has": {"field": "name", "regex": "^test_"}}
            if form == "test":
                return Meaning("Test functions", "begin with `test_`", _RUST_TESTS, prefixed, 0.45, _TESTING)
            sentence = "are named for what they show, without `test_`"
            return Meaning("Test functions", sentence, _RUST_TESTS, {"not": prefixed}, 0.6, _TESTING, weight=0.8)
        case "async" if finding.tongue == "Rust":
            marked = {"follows": {"kind": "attribute_item", "regex": rf"^#\[{form}\b"}}
            sites = {"all": [_RUST_TESTS, {"regex": r"^(pub )?async\b"}]}
            usual = 0.75 if form == "tokio::test" else 0.08
            return Meaning("Async tests", f"carry `#[{form}]`", sites, marked, usual, _TESTING)
    return None


def _prepared(form: str) -> Meaning:
    named = {"field": "name", "regex": f"^({'|'.join(_PREPARING)})$"}
    sites = {"kind": "function_definition", "has": named, "inside": {**_TEST_CLASSES, "stopBy": "end"}}
    fits = {"has": {"field": "name", "regex": f"^{form}$"}}
    return Meaning("Classes of tests", f"are prepared by `{form}`", sites, fits, _PREPARING[form], _TESTING)


def _parametrized(form: str) -> Meaning:
    several = [
        {"kind": "string", "regex": ","},
        {"all": [{"any": [{"kind": "tuple"}, {"kind": "list"}]}, {"regex": r",\s*[^\s\])]"}]},
    ]
    call = {"has": {"kind": "call", "has": {"field": "arguments", "has": {"nthChild": 1, "any": several}}}}
    sites = {"kind": "decorator", "regex": r"^@pytest\.mark\.parametrize\(", **call}
    fits = {"has": {"kind": "call", "has": {"field": "arguments", "has": {"nthChild": 1, "kind": form}}}}
    word = {"string": 'one text, `"a, b"`', "tuple": 'a tuple, `("a", "b")`', "list": 'a list, `["a", "b"]`'}[form]
    return Meaning("Several names of `parametrize`", f"are given as {word}", sites, fits, 0.45, _TESTING)


FAMILY = family(
    "test-style",
    _READERS,
    _meaning,
    version=6,
    # Rust's tests stand among what they test.
    roles=frozenset((FileRole.TEST, FileRole.SOURCE)),
)
