"""What Python leaves open."""

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import SOURCES, TESTS, Idiom

_TEXT = r"^[rR]?['\"]{1,3}[^\n]*['\"]"
_F_STRING = {"kind": "string", "regex": r"^([fF][rR]?|[rR][fF])['\"]"}
_OPEN_LIST = r"\n[ \t]*[)\]}]$"
# What is broken once, before the first and after the last, is not asked: formatters leave the comma out there.
_ONE_A_LINE = rf",[ \t]*(#[^\n]*)?\n[^\n]+{_OPEN_LIST}"
# What comes before the cases of `parametrize`: the names of their parts, in some form.
_NAMES = r"""^\(\s*("[^"]*"|'[^']*'|\([^)]*\)|\[[^\]]*\])\s*,\s*(argvalues\s*=\s*)?"""

_MESSAGE = "(msg|message|err_?msg|error_message|error_msg)"

IDIOMS = (
    Idiom(
        "texts",
        {
            "any": [
                _F_STRING,
                {"kind": "binary_operator", "regex": rf"{_TEXT}\s*%\s"},
                {"kind": "call", "has": {"field": "function", "regex": rf"{_TEXT}\.format$"}},
            ]
        },
        _F_STRING,
        "Texts",
        "are put together by f-strings, not by `%` or `.format`",
        0.68,
        alternative="`%` or `.format`",
    ),
    Idiom(
        "trailing comma",
        {
            "any": [
                {"kind": "argument_list", "regex": _ONE_A_LINE},
                {"kind": "parameters", "regex": _ONE_A_LINE},
            ]
        },
        {"regex": rf",[ \t]*(#[^\n]*)?{_OPEN_LIST}"},
        "Arguments and parameters on lines of their own",
        "end with a comma",
        0.6,
        weight=0.7,
    ),
    Idiom(
        "fixture parentheses",
        {"kind": "decorator", "regex": r"^@pytest\.fixture(\(\))?\s*$"},
        {"regex": r"fixture\s*$"},
        "Fixtures without arguments",
        "are marked `@pytest.fixture`, without parentheses",
        0.75,
        PatternCategory.TESTING,
        alternative="`@pytest.fixture()`",
        against="are marked `@pytest.fixture()`, with parentheses",
        usually_against=0.2,
        instead="`@pytest.fixture`",
        weight=0.8,
        words=("pytest.fixture",),
    ),
    Idiom(
        "super",
        {"kind": "call", "has": {"field": "function", "regex": "^super$"}},
        {"regex": r"^super\(\)$"},
        "Calls of `super`",
        "pass no arguments",
        0.78,
        PatternCategory.API,
        alternative="`super(Class, self)`",
        weight=0.7,
        words=("super(",),
    ),
    Idiom(
        "ignored types",
        {"kind": "comment", "regex": r"type:\s*ignore"},
        {"regex": r"type:\s*ignore\["},
        "Comments that ignore a type error",
        "name it: `# type: ignore[…]`",
        0.5,
        words=("ignore",),
    ),
    Idiom(
        "ignored lints",
        {"kind": "comment", "regex": r"#\s*noqa\b"},
        {"regex": r"#\s*noqa:\s*[A-Z]"},
        "Comments that silence a linter",
        "name the rule: `# noqa: …`",
        0.55,
        words=("noqa",),
    ),
    Idiom(
        "raised classes",
        {"kind": "raise_statement", "regex": r"^raise\s+[A-Z]\w*(\(\))?$"},
        {"regex": r"\w$"},
        "Exceptions without arguments",
        "are raised without parentheses: `raise Error`",
        0.5,
        alternative="`raise Error()`",
        against="are raised with parentheses: `raise Error()`",
        usually_against=0.4,
        instead="`raise Error`",
        weight=0.7,
    ),
    Idiom(
        "messages first",
        {"kind": "raise_statement", "regex": rf"^raise\s+[\w.]+\(\s*([rfbu]{{0,2}}[\"']|{_MESSAGE}\))"},
        {"regex": rf"\({_MESSAGE}\)"},
        "Messages of exceptions",
        "get a name before they are raised: `msg = …; raise Error(msg)`",
        0.06,
        alternative="a text in `raise`",
        words=("raise",),
    ),
    Idiom(
        "caught without parentheses",
        {"kind": "except_clause", "regex": r"^except\s*\(?\s*[\w.]+\s*,"},
        {"regex": r"^except\s+\w"},
        "Several exceptions in one `except`",
        "stand without parentheses: `except A, B:`",
        0.02,
        alternative="`except (A, B):`",
    ),
    Idiom(
        "time zones",
        {"kind": "call", "has": {"field": "function", "regex": r"^(datetime\.)?datetime\.(utc)?now$"}},
        {"regex": r"now\(\s*[^\s)]"},
        "Calls of `datetime.now`",
        "are given a time zone",
        0.45,
        PatternCategory.BEHAVIORAL,
        alternative="no time zone",
        words=(".now", "utcnow"),
    ),
    Idiom(
        "asserts",
        {"kind": "module"},
        {"kind": "assert_statement"},
        "Files",
        "never use `assert`",
        0.93,
        PatternCategory.BEHAVIORAL,
        absent=True,
        roles=SOURCES,
        alternative="`assert`",
        weight=0.6,
        words=("assert",),
    ),
    Idiom(
        "patched",
        {
            "any": [
                {"kind": "decorator", "regex": r"^@(mock\.|unittest\.mock\.)?patch\b"},
                {"kind": "with_item", "regex": r"^(mock\.|unittest\.mock\.)?patch\b"},
                {"kind": "call", "regex": r"^(mocker\.patch|monkeypatch\.set(attr|item|env))\b"},
            ]
        },
        {"kind": "call"},
        "Tests",
        "put doubles in place by fixtures (`monkeypatch`, `mocker`), not by `patch`",
        0.4,
        PatternCategory.TESTING,
        alternative="`patch`",
        against="put doubles in place by `patch`, not by fixtures (`monkeypatch`, `mocker`)",
        usually_against=0.45,
        instead="`monkeypatch` or `mocker`",
        roles=TESTS,
        words=("patch", "monkeypatch"),
    ),
    Idiom(
        "single imports",
        {"kind": "import_from_statement"},
        {"not": {"regex": r",\s*\w"}},
        "Imports `from` a module",
        "take one name each",
        0.75,
        alternative="several names in one import",
        weight=0.8,
        words=("import",),
    ),
    Idiom(
        "star imports",
        {"kind": "import_from_statement"},
        {"not": {"has": {"kind": "wildcard_import"}}},
        "Imports `from` a module",
        "name what they take; there is no `import *`",
        0.97,
        alternative="`import *`",
        words=("import",),
    ),
    Idiom(
        "parametrized",
        {
            "kind": "call",
            "all": [
                {"has": {"field": "function", "regex": r"^(pytest\.)?mark\.parametrize$"}},
                {"has": {"field": "arguments", "regex": rf"{_NAMES}[\[(]"}},
            ],
        },
        {"has": {"field": "arguments", "regex": rf"{_NAMES}\["}},
        "Cases of `parametrize`",
        "stand in a list, not in a tuple",
        0.95,
        PatternCategory.TESTING,
        alternative="a tuple",
        against="stand in a tuple, not in a list",
        usually_against=0.1,
        instead="a list",
        roles=TESTS,
        weight=0.7,
        words=("parametrize",),
    ),
)
