"""How tests of Rust are laid out: in which modules, under which conditions."""

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import TESTS, Idiom

_TEST = {"kind": "attribute_item", "regex": r"^#\[(\w+::)?test\b"}
_MODULE = {"kind": "mod_item", "follows": {"kind": "attribute_item", "regex": r"^#\[cfg\(test\)\]"}}
_VALUE = r"&?(expected|actual|want|got|result|output)\w*"

IDIOMS = (
    Idiom(
        "panicking tests",
        _TEST,
        {"kind": "attribute_item", "regex": r"^#\[should_panic"},
        "Files with tests",
        "have none that `#[should_panic]`",
        0.87,
        PatternCategory.TESTING,
        absent=True,
        weight=0.8,
        words=("#[should_panic",),
    ),
    Idiom(
        "ignored tests",
        _TEST,
        {"kind": "attribute_item", "regex": r"^#\[ignore"},
        "Files with tests",
        "have none that are `#[ignore]`",
        0.93,
        PatternCategory.TESTING,
        absent=True,
        weight=0.8,
        words=("#[ignore",),
    ),
    Idiom(
        "test modules",
        {
            "kind": "mod_item",
            "all": [{"has": {"field": "name", "regex": "^tests?$"}}, {"has": {"field": "body", "regex": "."}}],
        },
        {"has": {"field": "body", "has": {"kind": "use_declaration", "regex": r"^use super::\*;"}}},
        "Modules of tests",
        "take in what they test by `use super::*;`",
        0.6,
        PatternCategory.TESTING,
    ),
    Idiom(
        "named test modules",
        {
            "kind": "mod_item",
            "has": {"field": "name", "regex": "^(unit_)?tests?$"},
            "follows": {"kind": "attribute_item", "regex": r"^#\[cfg\(test\)\]"},
        },
        {"has": {"field": "name", "regex": "^tests$"}},
        "Modules of tests",
        "are named `tests`",
        0.82,
        PatternCategory.TESTING,
        alternative="`test`",
        weight=0.8,
    ),
    Idiom(
        "files of test modules",
        _MODULE,
        {"not": {"has": {"field": "body", "kind": "declaration_list"}}},
        "Modules of unit tests",
        "are files of their own: `mod tests;`",
        0.1,
        PatternCategory.TESTING,
        alternative="`mod tests { … }`",
        words=("cfg(test)",),
    ),
    Idiom(
        "conditions of tests",
        {"kind": "source_file", "has": {**_TEST, "stopBy": "end"}},
        {"has": {"kind": "inner_attribute_item", "regex": r"^#!\[cfg\("}},
        "Files with tests",
        "say on what they depend: `#![cfg(…)]`",
        0.05,
        PatternCategory.TESTING,
        roles=TESTS,
    ),
    Idiom(
        "threads of tests",
        {"kind": "attribute_item", "regex": r"^#\[tokio::test\b"},
        {"regex": "multi_thread"},
        "Tests of tokio",
        'run on several threads: `#[tokio::test(flavor = "multi_thread")]`',
        0.1,
        PatternCategory.TESTING,
        alternative="`#[tokio::test]`",
        words=("tokio::test",),
    ),
    Idiom(
        "order of values",
        {"kind": "macro_invocation", "regex": rf"^assert_eq!\s*\(\s*{_VALUE}\s*,\s*{_VALUE}\s*[,)]"},
        {"regex": r"^assert_eq!\s*\(\s*&?(expected|want)"},
        "Values that tests compare",
        "stand with the expected one first: `assert_eq!(expected, actual)`",
        0.4,
        PatternCategory.TESTING,
        alternative="`assert_eq!(actual, expected)`",
        against="stand with the expected one last: `assert_eq!(actual, expected)`",
        usually_against=0.55,
        instead="`assert_eq!(expected, actual)`",
        weight=0.8,
        words=("expected", "want"),
    ),
)
