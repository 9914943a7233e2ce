"""Paths that may be shown, titles of what landed, and times as strangers write them."""

import pytest

from app.domain.history import moment, title_of
from app.domain.tree import PathFault, read_path


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (b"src/a.py", "src/a.py"),
        ("ä/文.py".encode(), "ä/文.py"),
        (b"a b/-c.py", "a b/-c.py"),
        (b"...", "..."),
        (b"a\\b", "a\\b"),
        (b"x" * 2048, "x" * 2048),
        (b"x" * 2049, PathFault.TOO_LONG),
        (b"\xff", PathFault.NOT_UTF8),
        (b"\xed\xa0\x80", PathFault.NOT_UTF8),
        (b"a\0b", PathFault.CONTROL),
        (b"a\nb", PathFault.CONTROL),
        (b"a\x7f", PathFault.CONTROL),
        ("a\u2028b".encode(), PathFault.CONTROL),
        ("\u202egnp.py".encode(), PathFault.CONTROL),
        (b"../a", PathFault.OUTSIDE),
        (b"a/../b", PathFault.OUTSIDE),
        (b"./a", PathFault.OUTSIDE),
        (b"/a", PathFault.OUTSIDE),
        (b"a//b", PathFault.OUTSIDE),
        (b"", PathFault.OUTSIDE),
        (b".git/config", PathFault.OUTSIDE),
        (b"a/.GiT/hooks", PathFault.OUTSIDE),
        (b".github/x", ".github/x"),
    ],
)
def test_a_path_may_be_shown_or_is_counted(path: bytes, found: str | PathFault) -> None:
    assert read_path(path) == found


@pytest.mark.parametrize(
    ("subject", "body", "title", "number"),
    [
        ("Add x (#12)", "", "Add x", 12),
        ("Add x (!12)", "", "Add x", 12),
        ("Merge pull request #12 from a/b", "\nAdd x\n\nmore", "Add x", 12),
        ("Merge pull request #12 from a/b", "", "Merge pull request #12 from a/b", 12),
        ("Merged in a/b (pull request #12)", "Add x\n", "Add x", 12),
        ("Merge branch 'x' into 'main'", "Add x\n\nSee merge request a/b!12", "Add x", 12),
        ("Merge branch 'x' into 'main'", "See merge request a/b!12", "Merge branch 'x' into 'main'", 12),
        ("Fix #12 in x", "", "Fix #12 in x", None),
        ("Add x", "See #12", "Add x", None),
        ("Add x (#99999999999999999999)", "", "Add x (#99999999999999999999)", None),
        ("", "", "", None),
    ],
)
def test_a_message_tells_which_pull_request_landed(subject: str, body: str, title: str, number: int | None) -> None:
    assert title_of(subject, body) == (title, number)


def test_forged_times_become_the_nearest_that_can_be_stored() -> None:
    assert moment(-5).year == 1970
    assert moment(10**15).year == 9999
