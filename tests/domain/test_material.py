"""What is mined: not what tests only read."""

import pytest

from app.domain.listing import Listing
from app.domain.material import minable
from app.domain.snapshot import facts_of


def mined(paths: list[str]) -> set[str]:
    return {file.path for file in minable([facts_of(path, "0", 5, b"x = 1") for path in paths])}


@pytest.mark.parametrize(("folders", "read"), [(99, False), (100, True)])
def test_what_stands_beside_one_test_in_very_many_folders_is_read_by_it(folders: int, read: bool) -> None:
    tests = [f"tests/format/case{number}/format.test.js" for number in range(folders)]
    inputs = [f"tests/format/case{number}/{name}" for number in range(folders) for name in ("a.js", "more/b.ts")]
    others = ["src/a.js", "tests/tools.js", "tests/format/case0/own.test.js"]
    assert mined([*tests, *inputs, *others]) == {*tests, *others, *([] if read else inputs)}


def test_what_tests_read_speaks_for_no_folder() -> None:
    tests = [f"tests/format/case{number}/format.test.js" for number in range(100)]
    inputs = [f"tests/format/case{number}/a.js" for number in range(100)]
    assert Listing([*tests, *inputs]).speaker("tests/format/case7") == "tests/format/case7/format.test.js"
    assert Listing([*tests[:99], *inputs]).speaker("tests/format/case7") == "tests/format/case7/a.js"


def test_code_beside_its_tests_is_code() -> None:
    paths = [f"src/part{number}/{name}" for number in range(120) for name in ("index.js", "index.test.js")]
    assert mined(paths) == set(paths)
