"""How tests are written, where a language leaves it open: what they assert by, how they are laid out and clean up.

Says, for instance: "Go functions that help tests begin with `t.Helper()`", "Go tests check errors by an assertion
(`NoError`, `OK`), not by `if err != nil`" and "Java tests are laid out as given, when, then".
"""

from typing import Any

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import TESTS, Idiom, Shape
from app.miners.idioms.tables import family

_TESTING = PatternCategory.TESTING
_T = r"^(t|b|f|tb|tt|tc)"
_TEST_METHOD: Any = {
    "kind": "method_declaration",
    "has": {"kind": "modifiers", "regex": r"@(Test|ParameterizedTest)\b"},
}
_SEARCHES = r"(get|query|find)(All)?By(Role|Text|TestId|LabelText|PlaceholderText|AltText|Title|DisplayValue)$"
_ASSERTS = r"^([\w.]+[._])?(NoErr\w*|NilError|Ok|OK|Nil|CheckErr\w*|FatalIf\w*|Must)$"
_BY_ASSERTJ = (
    "^assertThat(ThrownBy|Exception|ExceptionOfType|(IllegalArgument|IllegalState|NullPointer|IO|Runtime)Exception)$"
)
_GIVEN = r"(?i)(//|#)\s*(given|arrange)\b"


def _called(names: str, kind: str = "call_expression") -> dict[str, Any]:
    return {"kind": kind, "has": {"field": "function", "regex": names}}


def _laid_out(sites: Shape) -> Idiom:
    return Idiom(
        "laid out",
        sites,
        {"regex": _GIVEN},
        "Tests",
        "are laid out as given, when, then (or arrange, act, assert)",
        0.05,
        _TESTING,
        roles=TESTS,
    )


GO = (
    Idiom(
        "helpers",
        {
            "kind": "function_declaration",
            "all": [
                {"has": {"field": "parameters", "regex": r"^\(\s*\w+ (\*testing\.[TBF]|testing\.TB)\s*,\s*\w"}},
                {"not": {"has": {"field": "name", "regex": "^(Test|Benchmark|Fuzz|Example)"}}},
            ],
        },
        {"has": {"field": "body", "regex": r"^\{\s*(//[^\n]*\s*)*\w+\.Helper\(\)"}},
        "Functions that help tests",
        "begin with `t.Helper()`",
        0.45,
        _TESTING,
        words=("testing.",),
    ),
    Idiom(
        "checked errors",
        {
            "any": [
                {
                    "kind": "if_statement",
                    "all": [
                        {"has": {"field": "condition", "regex": r"^err != nil$"}},
                        {"has": {"field": "consequence", "regex": r"^\{\s*\w+\.(Fatal|Error|Fail)"}},
                    ],
                },
                {
                    "kind": "call_expression",
                    "all": [
                        {"has": {"field": "function", "regex": _ASSERTS}},
                        {"has": {"field": "arguments", "regex": r"^\((\w+, ?)?err\b"}},
                    ],
                },
            ]
        },
        {"kind": "call_expression"},
        "Tests",
        "check errors by an assertion (`NoError`, `OK`), not by `if err != nil`",
        0.4,
        _TESTING,
        alternative="`if err != nil`",
        roles=TESTS,
    ),
    Idiom(
        "required",
        {
            "kind": "call_expression",
            "all": [
                {
                    "has": {
                        "field": "function",
                        "regex": r"^(require|assert)\.NoErrorf?$",
                    }
                },
                {"has": {"field": "arguments", "regex": r"^\(\s*\w+,"}},
            ],
        },
        {"has": {"field": "function", "regex": "^require"}},
        "Tests",
        "end at an error that they do not expect: `require.NoError`, not `assert.NoError`",
        0.6,
        _TESTING,
        alternative="`assert.NoError`",
        against="go on after an error that they do not expect: `assert.NoError`, not `require.NoError`",
        usually_against=0.25,
        instead="`require.NoError`",
        roles=TESTS,
        words=("NoError",),
    ),
    Idiom(
        "cleanup",
        {"any": [_called(rf"{_T}\.Cleanup$"), {"kind": "defer_statement"}]},
        {"kind": "call_expression"},
        "Tests",
        "clean up by `t.Cleanup`, not by `defer`",
        0.15,
        _TESTING,
        alternative="`defer`",
        roles=TESTS,
    ),
    Idiom(
        "tables",
        {
            "kind": "for_statement",
            "has": {"kind": "range_clause", "regex": r"range (tests?|cases|[tT]est[cC]ases|tcs|tts|tt|tc)$"},
        },
        {"regex": r"\.Run\("},
        "Tables of tests",
        "run each case by `t.Run`",
        0.65,
        _TESTING,
        alternative="no `t.Run`",
        roles=TESTS,
    ),
    Idiom(
        "wanted",
        {
            "kind": "call_expression",
            "all": [
                {"has": {"field": "function", "regex": rf"{_T}\.(Errorf|Fatalf)$"}},
                {"has": {"field": "arguments", "regex": r"\b([wW]ant|[eE]xpected|[eE]xpect)(ed)?\b"}},
            ],
        },
        {"has": {"field": "arguments", "regex": r"\b[wW]ant(ed)?\b"}},
        "Failures of tests",
        "speak of what they `want`, not of what is `expected`",
        0.45,
        _TESTING,
        alternative="`expected`",
        against="speak of what is `expected`, not of what they `want`",
        usually_against=0.6,
        instead="`want`",
        roles=TESTS,
        weight=0.8,
    ),
)
PYTHON = (
    Idiom(
        "asserted",
        {"any": [{"kind": "assert_statement"}, _called(r"^self\.assert[A-Z]", "call")]},
        {"kind": "assert_statement"},
        "Tests",
        "assert by `assert`, not by `self.assert…`",
        0.85,
        _TESTING,
        alternative="`self.assert…`",
        against="assert by `self.assert…`, not by `assert`",
        usually_against=0.32,
        instead="`assert`",
        roles=TESTS,
    ),
    Idiom(
        "annotated",
        {"kind": "function_definition", "has": {"field": "name", "regex": "^test_"}},
        {"has": {"field": "return_type", "regex": "None"}},
        "Tests",
        "say that they return nothing (`-> None`)",
        0.25,
        _TESTING,
        roles=TESTS,
    ),
    _laid_out({"kind": "function_definition", "has": {"field": "name", "regex": "^test_"}}),
)
SCRIPTS = (
    Idiom(
        "callbacks",
        {
            "any": [{"kind": "arrow_function"}, {"kind": "function_expression"}],
            "inside": {
                "kind": "arguments",
                "inside": _called(r"^(it|test|describe|context|specify|before|after|beforeEach|afterEach)(\.\w+)?$"),
            },
        },
        {"kind": "arrow_function"},
        "Bodies of tests",
        "are arrow functions, not `function () {…}`",
        0.93,
        _TESTING,
        alternative="`function () {…}`",
        against="are written `function () {…}`, not as arrow functions",
        usually_against=0.1,
        instead="an arrow function",
        roles=TESTS,
    ),
    Idiom(
        "acting",
        {**_called(r"^(fireEvent|userEvent)\b"), "not": {"has": {"field": "function", "regex": r"\.setup$"}}},
        {"has": {"field": "function", "regex": "^userEvent"}},
        "Tests",
        "act by `userEvent`, not by `fireEvent`",
        0.5,
        _TESTING,
        alternative="`fireEvent`",
        roles=TESTS,
        words=("userEvent", "fireEvent"),
    ),
    Idiom(
        "searching",
        _called(rf"^(screen\.)?{_SEARCHES}"),
        {"has": {"field": "function", "regex": "^screen"}},
        "Tests",
        "search by `screen.getBy…`, not by what `render` gives",
        0.6,
        _TESTING,
        alternative="`getBy…`",
        roles=TESTS,
        words=("By",),
    ),
    Idiom(
        "strict",
        _called(r"\.(toEqual|toStrictEqual)$"),
        {"has": {"field": "function", "regex": r"\.toStrictEqual$"}},
        "Values in tests",
        "are compared by `toStrictEqual`, not by `toEqual`",
        0.12,
        _TESTING,
        alternative="`toEqual`",
        roles=TESTS,
        words=("Equal(",),
    ),
    Idiom(
        "booleans",
        {"kind": "call_expression", "regex": r"\.(toBe\((true|false)\)|toBeTruthy\(\)|toBeFalsy\(\))$"},
        {"regex": r"\)$", "has": {"field": "function", "regex": r"\.toBe$"}},
        "Tests",
        "expect `toBe(true)` or `toBe(false)`, not `toBeTruthy()` or `toBeFalsy()`",
        0.6,
        _TESTING,
        alternative="`toBeTruthy()` or `toBeFalsy()`",
        roles=TESTS,
        weight=0.8,
        words=("toBe",),
    ),
    Idiom(
        "titles",
        {
            "kind": "call_expression",
            "all": [
                {"has": {"field": "function", "regex": r"^(it|test)$"}},
                {"has": {"field": "arguments", "regex": r"^\(\s*['\"`][A-Za-z]"}},
            ],
        },
        {"has": {"field": "arguments", "regex": r"^\(\s*['\"`][a-z]"}},
        "Titles of tests",
        "begin with a small letter",
        0.9,
        _TESTING,
        against="begin with a capital letter",
        usually_against=0.15,
        roles=TESTS,
        weight=0.7,
    ),
    _laid_out(_called(r"^(it|test)$")),
)
JAVA = (
    Idiom(
        "marked in line",
        {"kind": "method_declaration", "has": {"kind": "modifiers", "regex": r"@Test\b"}},
        {"regex": r"^@Test\b[^\n]*\w\("},
        "Test methods",
        "begin on the line of their `@Test`: `@Test void …`",
        0.04,
        _TESTING,
        alternative="a line of its own",
        roles=TESTS,
        words=("@Test",),
        weight=0.8,
    ),
    Idiom(
        "display names",
        _TEST_METHOD,
        {"has": {"kind": "modifiers", "regex": r"@DisplayName\b"}},
        "Tests",
        "carry a `@DisplayName`",
        0.1,
        _TESTING,
        roles=TESTS,
    ),
    Idiom(
        "thrown",
        {
            "kind": "method_invocation",
            "has": {"field": "name", "regex": rf"^assertThrows$|{_BY_ASSERTJ}"},
        },
        {"has": {"field": "name", "regex": "^assertThrows$"}},
        "Exceptions that tests expect",
        "are caught by `assertThrows`, not by AssertJ",
        0.78,
        _TESTING,
        alternative="AssertJ",
        against="are caught by AssertJ, not by `assertThrows`",
        usually_against=0.3,
        instead="`assertThrows`",
        roles=TESTS,
        words=("assertTh",),
    ),
    Idiom(
        "thrown types",
        {"kind": "method_invocation", "has": {"field": "name", "regex": _BY_ASSERTJ}},
        {"has": {"field": "name", "regex": "Exception"}},
        "Tests with AssertJ",
        "name the exception first: `assertThatExceptionOfType(…)`, not `assertThatThrownBy(…)`",
        0.25,
        _TESTING,
        alternative="`assertThatThrownBy(…)`",
        against="catch exceptions by `assertThatThrownBy(…)`, not by `assertThatExceptionOfType(…)`",
        usually_against=0.6,
        instead="`assertThatExceptionOfType(…)`",
        roles=TESTS,
        words=("assertThat",),
    ),
    Idiom(
        "answers",
        {
            "kind": "method_invocation",
            "has": {"field": "name", "regex": "^(then|will)(Return|Throw|Answer|CallRealMethod)$"},
        },
        {"has": {"field": "name", "regex": "^will"}},
        "Mocks",
        "are told what to do by `given(…).willReturn(…)`, not by `when(…).thenReturn(…)`",
        0.15,
        _TESTING,
        alternative="`when(…)`",
        roles=TESTS,
        words=(").will", ").then"),
    ),
    Idiom(
        "mocks",
        {
            "any": [
                {"kind": "field_declaration", "has": {"kind": "modifiers", "regex": r"@Mock(Bean)?\b"}},
                {"kind": "method_invocation", "regex": r"^(Mockito\.)?mock\("},
            ]
        },
        {"kind": "field_declaration"},
        "Mocks",
        "are fields with `@Mock`, not made by `mock(…)`",
        0.35,
        _TESTING,
        alternative="`mock(…)`",
        against="are made by `mock(…)`, not declared by `@Mock`",
        usually_against=0.5,
        instead="`@Mock`",
        roles=TESTS,
        words=("ock",),
    ),
    Idiom(
        "assertions",
        {"kind": "method_invocation", "has": {"field": "name", "regex": "^assert[A-Z]"}},
        {"has": {"field": "object", "regex": "."}},
        "Assertions",
        "are called by their class: `Assertions.assertEquals(…)`",
        0.15,
        _TESTING,
        alternative="a static import",
        roles=TESTS,
    ),
    _laid_out(_TEST_METHOD),
)
RUST = (
    Idiom(
        "results",
        {"kind": "function_item", "follows": {"kind": "attribute_item", "regex": r"^#\[(\w+::)*test\b"}},
        {"has": {"field": "return_type", "regex": "Result"}},
        "Tests",
        "return a `Result`, and pass errors on by `?`",
        0.08,
        _TESTING,
        words=("test]", "test("),
    ),
)
TABLES = {"Go": GO, "Python": PYTHON, "JavaScript": SCRIPTS, "TypeScript": SCRIPTS, "Java": JAVA, "Rust": RUST}

FAMILY = family("test-idioms", TABLES, most=8, version=6)
