"""Files that come in pairs."""

import pytest

from app.miners import test_files, twins
from tests.miners.trial import Trial, trial


def mined(*paths: str) -> Trial:
    return trial(dict.fromkeys(paths, "x\n"), families=[twins.FAMILY])


OTHERS = [f"src/other/{ending}{letter}.{ending}" for letter in "abcdefgh" for ending in ("ts", "py", "css")]


@pytest.mark.parametrize(
    ("file", "twin", "said"),
    [
        ("src/rules/rule{}.ts", "docs/rules/rule{}.md", "TypeScript files in `src/rules/` have a `docs/….md` each"),
        ("src/ui/page{}.ts", "src/ui/page{}.html", "TypeScript files in `src/ui/` have a `….html` each beside them"),
        (
            "src/a/part{}.py",
            "src/a/tests/test_part{}.py",
            "Python files in `src/a/` have a `tests/test_….py` each below them",
        ),
    ],
    ids=["parallel", "beside", "below"],
)
def test_a_twin_for_nearly_every_file(file: str, twin: str, said: str) -> None:
    names = [chr(97 + n) * 3 for n in range(20)]
    found = mined(*(file.format(name) for name in names), *(twin.format(name) for name in names[1:]), *OTHERS)
    convention = found.find("have a")
    assert str(convention).replace("source ", "") == f"{said} (19 of 20)"
    assert convention.violations == [file.format("aaa")]


def test_what_is_expected_of_a_test_stands_beside_it() -> None:
    names = [chr(97 + n) * 3 for n in range(20)]
    paths = [f"tests/ui/{name}.{ending}" for name in names for ending in ("rs", "stderr")]
    others = [f"src/{name}.rs" for name in names]
    found = mined(*paths, *others, *(f"tests/{n}/t{letter}.rs" for n in "ab" for letter in "abcdefgh"))
    assert found.said == ["Rust test files in `tests/ui/` have a `….stderr` each beside them (20 of 20)"]


def test_of_folders_side_by_side_each_says_something_else_of_the_same() -> None:
    names = [chr(97 + n) * 3 for n in range(20)]
    paired = [f"src/{kind}/{name}.rs" for kind in ("modules", "configs") for name in names]
    assert "have a `src/" in mined(*paired, "src/modules/odd.rs", *OTHERS).said[0]
    for one, other in (("pkg/v2", "pkg/v3"), ("src/old-ui", "src/new-ui"), ("packages/a", "packages/b")):
        copies = [f"{place}/{name}.rs" for place in (one, other) for name in names]
        assert mined(*copies, *OTHERS).said == []


def test_that_each_of_three_folders_has_what_the_others_have_is_said_once() -> None:
    names = [chr(97 + n) * 3 for n in range(12)]
    other = [f"pages/page{n}.html" for n in range(20)]
    found = mined(*(f"ui/{kind}/{name}.html" for kind in ("inline", "tall", "wide") for name in names), *other)
    assert len(found.said) == 1
    assert found.suppressed.counts["said by another"] == 2


def test_that_files_have_tests_is_not_said_again_of_their_tests() -> None:
    names = [f"icon{chr(97 + n // 5)}{chr(97 + n % 5)}" for n in range(20)]
    made = [f"icons/{name}.ts" for name in names] + [f"icons/__tests__/{name}.spec.ts" for name in names]
    others = [f"src/{letter}/part{letter}.ts" for letter in "abcdefghij"]
    others += [f"spec/{letter}/more.{letter}.spec.ts" for letter in "abcdefghij"]
    files = dict.fromkeys([*made, *others], "x\n")
    each = [trial(files, families=[family]).said for family in (twins.FAMILY, test_files.FAMILY)]
    both = trial(files, families=[twins.FAMILY, test_files.FAMILY])
    assert any("have a `__tests__/….spec.ts`" in said for said in each[0])
    assert any("stand in a folder below" in said for said in each[1])
    assert len(both.said) == len(each[0]) + len(each[1]) - 1
    assert both.suppressed.counts["said by another"] == 1


def test_names_that_stand_everywhere_pair_with_nothing() -> None:
    files = [f"apps/app{n}/src/index.ts" for n in range(20)] + [f"apps/app{n}/src/index.css" for n in range(20)]
    assert mined(*files, *OTHERS).said == []


def test_few_pairs_are_none() -> None:
    files = [f"src/rules/rule{chr(97 + n)}.ts" for n in range(20)]
    assert mined(*files, *(f"docs/rules/rule{chr(97 + 2 * n)}.md" for n in range(9)), *OTHERS).said == []


def test_a_module_that_stands_in_two_packages_is_a_copy_and_no_pair() -> None:
    names = [chr(97 + n) * 3 for n in range(20)]
    assert mined(*(f"lib/{place}/src/{name}.ts" for name in names for place in ("old", "new")), *OTHERS).said == []
    found = mined(*(f"{place}/{name}.ts" for name in names for place in ("lib", "test")), *OTHERS)
    assert found.find("have a").name == "TypeScript source files in `lib/` have a `test/….ts` each"
    found = mined(*(f"src/text/{place}/{name}.ts" for name in names for place in ("docs", "core")), *OTHERS)
    assert found.find("have a").name == "TypeScript source files in `src/text/` have a `src/text/docs/….ts` each"


def test_two_folders_that_answer_each_other_are_said_once() -> None:
    paths = [
        f"{folder}/{n}_case.{end}" for folder in ("ways/one", "ways/two") for n in range(12) for end in ("py", "txt")
    ]
    found = trial(dict.fromkeys(paths, "x = 1\n"), families=[twins.FAMILY])
    assert sum("ways/one" in each and "ways/two" in each for each in found.said) == 1


def test_modules_have_what_belongs_to_them_and_not_the_other_way_round() -> None:
    names = [chr(97 + n) * 3 for n in range(20)]
    files = [f"src/routes/{name}.{end}" for name in names for end in ("ts", "types.ts")]
    found = mined(*files, "src/routes/odd.ts", "src/routes/index.ts", *OTHERS)
    assert found.said == ["TypeScript source files in `src/routes/` have a `….types.ts` each beside them (20 of 21)"]


def test_a_page_and_a_test_of_the_same_files_are_two_conventions() -> None:
    names = [chr(97 + n) * 3 for n in range(20)]
    files = [path for name in names for path in (f"src/rules/{name}.ts", f"docs/{name}.md", f"shots/{name}.shot")]
    assert mined(*files, "src/rules/odd.ts", *OTHERS).said == [
        "TypeScript source files in `src/rules/` have a `docs/….md` each (20 of 21)",
        "TypeScript source files in `src/rules/` have a `shots/….shot` each (20 of 21)",
    ]
