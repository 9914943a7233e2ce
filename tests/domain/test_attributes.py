"""Attributes: patterns as git reads them, in time that nobody can stretch."""

import time

import pytest

from app.domain.attributes import MOST_RULES, Attributes, Marks


def attributes(**contents: str) -> Attributes:
    """Read attributes; two underscores stand for a slash."""
    return Attributes.read(
        {folder.replace("root", "").replace("__", "/"): text.encode() for folder, text in contents.items()}
    )


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.js", "a.js", True),
        ("*.js", "x/y/a.js", True),
        ("*.js", "a.jsx", False),
        ("/*.js", "a.js", True),
        ("/*.js", "x/a.js", False),
        ("x/*.js", "x/a.js", True),
        ("x/*.js", "x/y/a.js", False),
        ("x/*.js", "z/x/a.js", False),
        ("x/**", "x/y/a.js", True),
        ("x/**", "x", False),
        ("**/x/*.js", "x/a.js", True),
        ("**/x/*.js", "a/b/x/a.js", True),
        ("x/**/a.js", "x/a.js", True),
        ("x/**/a.js", "x/y/z/a.js", True),
        ("x/**/a.js", "y/x/a.js", False),
        ("**", "a/b", True),
        ("x", "x", True),
        ("x", "y/x", True),
        ("x", "x/y", False),
        ("x/", "x/y", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].c", "b.c", True),
        ("[!ab].c", "b.c", False),
        ("[a-c]*.c", "bx.c", True),
        ("\\*.c", "*.c", True),
        ("\\*.c", "a.c", False),
        ('"a b.c"', "a b.c", True),
        ("a.c", "aXc", False),
        ("*a*b*", "xxaxxbxx", True),
        ("*ab*ab", "abab", True),
        ("*ab*ab", "ab", False),
        ("a*", "a", True),
        ("*", "anything", True),
        ("[z-a]", "b", False),
        ("[", "[", True),
    ],
)
def test_patterns_of_attributes_match_as_gits_do(pattern: str, path: str, fits: bool) -> None:
    assert (attributes(root=f"{pattern} linguist-vendored").of(path).vendored is True) is fits


def test_the_last_rule_of_the_deepest_folder_decides() -> None:
    found = attributes(
        root="# comment\n*.js linguist-generated\n*.py linguist-vendored linguist-generated=true\n",
        src="*.py -linguist-generated\n*.py !linguist-vendored\n",
        src__deep="a.py linguist-generated=false linguist-language=JavaScript\n",
    )
    assert found.of("a.py") == Marks(generated=True, vendored=True)
    assert found.of("src/a.py") == Marks(generated=False, vendored=None)
    assert found.of("src/deep/a.py") == Marks(generated=False, language="JavaScript")
    assert found.of("srcs/a.py") == Marks(generated=True, vendored=True)
    assert found.of("a.md") == Marks()


def test_macros_of_the_root_are_known() -> None:
    found = attributes(
        root="[attr]made linguist-generated -linguist-detectable\n*.x made\n", src="[attr]y made\n*.z y\n"
    )
    assert found.of("a.x") == Marks(generated=True, detectable=False)
    assert found.of("src/a.z") == Marks()


def test_a_macro_that_names_itself_ends() -> None:
    assert attributes(root="[attr]a b\n[attr]b a linguist-vendored\n*.x a\n*.y b\n").of("1.y").vendored


def test_hostile_attributes_cost_little() -> None:
    lines = ["*a" * 14 + "*b linguist-vendored"] * (MOST_RULES + 500) + ["*" * 200 + "x linguist-vendored"]
    began = time.process_time()
    found = attributes(root="\n".join(lines))
    assert found.ignored > 0
    assert found.of("a" * 2000) == Marks()
    assert time.process_time() - began < 5
