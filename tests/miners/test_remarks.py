"""How remarks of what is left to do are written."""

import pytest

from app.miners import remarks
from tests.miners.trial import Trial, trial

NAMES = {
    "py": ("Python", "#"),
    "go": ("Go", "//"),
    "rs": ("Rust", "//"),
    "ts": ("TypeScript", " *"),
    "java": ("Java", "//"),
}


def mined(ending: str, usual: str, other: str, others: int = 1) -> Trial:
    head, _, begin = ("package a\n", "", NAMES[ending][1]) if ending == "go" else ("\n", "", NAMES[ending][1])
    texts = [other if number < others else usual for number in range(30)]
    files = {f"src/part{n}.{ending}": f"{head}{begin} {text} this\n" for n, text in enumerate(texts)}
    if ending == "ts":
        files = {path: f"/*\n{text.lstrip()} */\n" for path, text in files.items()}
    return trial(files, families=[remarks.FAMILY])


@pytest.mark.parametrize("ending", list(NAMES))
def test_the_mark_is_said_where_it_is_not_the_usual_one(ending: str) -> None:
    found = mined(ending, "FIXME", "TODO").find("marked")
    said = f"{NAMES[ending][0]} remarks of what is left to do are marked `FIXME`, not `TODO` (29 of 30)"
    assert (str(found), found.violations) == (said, [f"src/part0.{ending}:2"])


@pytest.mark.parametrize("ending", list(NAMES))
def test_that_remarks_say_who_is_meant(ending: str) -> None:
    found = mined(ending, "TODO(ada): do", "TODO: do").find("who")
    said = f"{NAMES[ending][0]} remarks `TODO` say who is meant: `TODO(name)` (29 of 30)"
    assert (str(found), found.violations) == (said, [f"src/part0.{ending}:2"])


def test_a_colon_is_said() -> None:
    assert mined("py", "TODO: do", "TODO do").said == ["Python remarks `TODO` are written `TODO: …` (29 of 30)"]


@pytest.mark.parametrize(("usual", "other"), [("TODO do", "TODO: do"), ("TODOS", "TODO(ada)"), ("do", "FIXME")])
def test_what_is_usual_or_mixed_says_nothing(usual: str, other: str) -> None:
    assert mined("py", usual, other, 12).said == []
    assert mined("py", "TODO do", "FIXME do").said == []


def test_a_colon_of_a_few_folders_is_chance() -> None:
    files = {f"{folder}/part{n}.py": "# TODO: this\n" for folder in "ab" for n in range(20)}
    files |= {f"{folder}/part{n}.py": "# TODO this\n" for folder in "cd" for n in range(20)}
    assert trial(files, families=[remarks.FAMILY]).said == []
