"""Globs: what they match, that an expression says the same, and that none takes long."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.domain.globs import BadGlob, check, expression, fits

PARTS = some.text("ab*?.", min_size=1, max_size=4).filter(lambda part: part.strip(".") and "**" not in part)
GLOBS = some.lists(some.one_of(PARTS, some.just("**")), min_size=1, max_size=4).map("/".join)
PATHS = some.lists(some.text("ab.", min_size=1, max_size=4), min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("**/*.py", "a.py", True),
        ("**/*.py", "x/y/a.py", True),
        ("src/**", "src/a/b", True),
        ("src/**", "srcs/a", False),
        ("src/**/*.ts", "src/a.ts", True),
        ("src/**/*.ts", "src/b/c/a.ts", True),
        ("src/**/index.ts", "src/index.ts", True),
        ("src/**/index.ts", "src/a/my-index.ts", False),
        ("*.md", "a/b.md", False),
        ("{a,b}/*.x", "b/q.x", True),
        ("{a,b{c,d}}/e", "bd/e", True),
        ("a/**/b/*.c", "a/x/y/b/d.c", True),
        ("**/test_*.py", "t/test_x.py", True),
        ("**/controllers/**", "a/controllers/b/c.ts", True),
        ("**/*.min.js", "a.js", False),
        ("docs/", "docs/a/b.md", True),
    ],
)
def test_what_globs_match(glob: str, path: str, expected: bool) -> None:
    check(glob)
    assert fits(glob, path) is expected
    assert (re.fullmatch(expression([glob]), path) is not None) is expected


@given(GLOBS, PATHS)
def test_an_expression_says_what_its_glob_says(glob: str, path: str) -> None:
    assert fits(glob, path) is (re.fullmatch(expression([glob]), path) is not None)


@pytest.mark.parametrize(
    "glob", ["", "/a", "a\\b", "a//b", "../a", "a/./b", "[ab]", "{a", "a}", "a" * 301, "{a,b}" * 20]
)
def test_what_cannot_be_matched_is_refused(glob: str) -> None:
    with pytest.raises(BadGlob):
        check(glob)


@pytest.mark.parametrize("glob", ["*a" * 100 + "b", "**/" * 90 + "b", "?*" * 100 + "b"])
def test_none_takes_long(glob: str) -> None:
    # Backtracking would not come back from this before the heat death of the universe.
    assert not fits(glob, "a" * 2_000)
    assert not fits(glob, "a/" * 1_000 + "a")
