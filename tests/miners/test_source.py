"""A source answers every question about its nodes, whoever asked before, of this file or of another."""

from app.syntax import Source, text_of


def _said(source: Source, *kinds: str) -> list[str]:
    return [text_of(node) for node in source.nodes(*kinds)]


def test_a_kind_that_was_first_asked_for_of_another_file_is_found() -> None:
    one, other = (Source("a.py", "Python", f"x = {number}\nwhile x:\n    break\n") for number in (1, 2))
    assert _said(one, "assignment") == ["x = 1"]
    # From here on every file is searched for these as well, but the first was searched before.
    assert _said(other, "break_statement") == ["break"]
    assert _said(one, "break_statement") == ["break"]
    assert _said(one, "while_statement", "assignment") == ["x = 1", "while x:\n    break"]
    assert _said(other, "while_statement") == ["while x:\n    break"]


def test_kinds_that_a_grammar_lacks_and_files_without_one_have_no_nodes() -> None:
    assert _said(Source("a.py", "Python", "x = 1\n"), "jsx_element") == []
    assert _said(Source("a.py", "Python", "x = 1\n"), "jsx_element", "assignment") == ["x = 1"]
    assert _said(Source("a.txt", "Text", "x = 1\n"), "assignment") == []
