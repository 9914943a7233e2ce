"""Sentences: places and lines of code, as many as a reader can bear."""

import pytest

from app.domain.recognition import FileRole
from app.domain.rule import Scope
from app.miners.core.family import Finding
from app.miners.core.words import in_scope, is_scattered, places_in_words, with_lines

DEEP = "crates/plugin/src/command"


@pytest.mark.parametrize(
    ("include", "exclude", "words"),
    [
        ((), (), ""),
        (("a/**",), (), " in `a/`"),
        (("a/**/*.md",), (), " in `a/`"),
        (("a/**", "b/**"), ("a/x/**",), " in `a/` and `b/` (but not in `a/x/`)"),
        (("a/**",), ("a/x/**", "a/y/**"), " in `a/` (but not in its `x/` and `y/`)"),
        (("**/models/**",), (), " in folders `models/`"),
        (("**/models.py",), (), " in `models.py`"),
        (("a/**", "b/**", "c/**"), (), " in `a/`, `b/` and `c/`"),
        (("a/**", "b/**", "c/**", "d/**", "e/**"), (), " in `a/`, `b/` and 3 more places"),
        ((f"{DEEP}/data/**", f"{DEEP}/date/math/**"), (), f" in `{DEEP}/{{data,date/math}}/`"),
        (tuple(f"{DEEP}/{name}/**" for name in "abcde"), (), f" in `{DEEP}/{{a,b,c,…}}/`"),
        ((f"{DEEP}/**", f"{DEEP}s/**"), (), f" in `{DEEP}/` and `{DEEP}s/`"),
        ((), ("a/**", "b/**", "c/**"), " (but not in 3 places)"),
        ((), (f"{DEEP}/first/of/them/**", f"{DEEP}/second/**", "c/**"), " (but not in 3 places)"),
        ((), (f"{DEEP}/{'x' * 60}/**",), " (with one exception)"),
        ((f"{DEEP}/{'x' * 60}/**",), ("a/first/**", "b/second/**"), f" in `{DEEP}/{'x' * 60}/` (but not in 2 places)"),
        (tuple(f"{name * 50}/**" for name in "abc"), (), f" in `{'a' * 50}/` and 2 more places"),
        (tuple(f"src/{name * 50}/**" for name in "abc"), (), " in 3 folders of `src/`"),
    ],
)
def test_places_are_told_shortly(include: tuple[str, ...], exclude: tuple[str, ...], words: str) -> None:
    assert places_in_words(Scope((), include, exclude)) == words


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["a = 1"], "Files carry `a = 1`"),
        (["a", "b", "c", "d", "e"], "Files carry `a`, `b`, `c` and 2 more lines"),
        (["a" * 90, "b" * 90, "c"], f"Files carry `{'a' * 90}` and 2 more lines"),
        (["a" * 300], f"Files carry `{'a' * 185}…`"),
    ],
)
def test_lines_are_shown_whole_or_counted(lines: list[str], words: str) -> None:
    told = with_lines("Files carry", lines, 3)
    assert told == words
    assert len(told) <= 200


@pytest.mark.parametrize(
    ("roles", "what", "words"),
    [
        ((), "Files", "Go files"),
        ((FileRole.SOURCE,), "Files", "Go source files"),
        ((FileRole.SOURCE, FileRole.TEST, FileRole.EXAMPLE), "Files", "Go source, test and example files"),
        ((FileRole.TEST,), "Tests", "Go tests"),
        ((FileRole.SOURCE, FileRole.TEST), "Tests", "Go tests"),
    ],
)
def test_kinds_of_files_are_told_where_they_tell_something(roles: tuple[FileRole, ...], what: str, words: str) -> None:
    assert in_scope(Finding("", "", "Go", Scope(roles=roles), 1, 1, 1, None), what) == words


def test_lines_that_are_not_worth_being_shown_are_counted() -> None:
    assert with_lines("Files carry", ["a", "b"], 3, more=4) == "Files carry `a`, `b` and 4 more lines"


def test_folders_of_a_name_are_not_told_to_be_in_folders() -> None:
    scope = Scope(include=("**/models/**",))
    said = [in_scope(Finding("", "", "Go", scope, 1, 1, 1, None), what) for what in ("Files", "Folders")]
    assert said == ["Go files in folders `models/`", "Go folders `models/`"]


def test_several_places_with_as_many_exceptions_are_none_that_anybody_could_learn() -> None:
    several, exceptions = tuple(f"{name}/**" for name in "abc"), tuple(f"a/{name}/**" for name in "xyz")
    assert is_scattered(Scope(("Go",), several, exceptions))
    assert not is_scattered(Scope(("Go",), several, exceptions[:1]))
    assert not is_scattered(Scope(("Go",), (), exceptions))
