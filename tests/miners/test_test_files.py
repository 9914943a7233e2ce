"""How test files are called, and where they stand."""

from app.miners import test_files
from tests.miners.trial import Trial, trial


def mined(*paths: str) -> Trial:
    return trial(dict.fromkeys(paths, "x = 1\n"), families=[test_files.FAMILY])


def test_marks_of_tests() -> None:
    found = mined(*(f"src/part{n}/a{n}.spec.ts" for n in range(19)), "src/part0/other.test.ts")
    assert found.said == ["TypeScript test files are named `*.spec.*` (19 of 20)"]
    assert found.conventions[0].violations == ["src/part0/other.test.ts"]


def test_the_mark_that_everybody_has_is_no_news() -> None:
    found = mined(*(f"part{n}/test_a{n}.py" for n in range(30)))
    assert found.said == []
    assert found.suppressed.counts == {"language norm": 1, "nothing worth saying": 1}


def test_marks_that_are_rare_are_said() -> None:
    found = mined(*(f"test/part{n}/a.tests.js" for n in range(20)), "test/b.test.js").find("named")
    assert str(found) == "JavaScript test files are named `*.tests.*` (20 of 21)"


def test_tests_in_one_folder() -> None:
    found = mined(*(f"test/part{n}/a.test.js" for n in range(29)), "lib/stray.test.js").find("live in")
    assert str(found) == "JavaScript test files live in `test/` (29 of 30)"
    assert found.violations == ["lib/stray.test.js"]


def test_a_folder_of_tests_may_have_any_name() -> None:
    sources = [f"shop/part{n}/a.py" for n in range(19)]
    found = mined(
        *(f"t/part{n}/test_a{n}.py" for n in range(29)),
        *(f"t/part{n}/made.py" for n in range(9)),
        *sources,
        "shop/test_stray.py",
    ).find("live in")
    assert (str(found), found.violations) == ("Python test files live in `t/` (29 of 30)", ["shop/test_stray.py"])


def test_a_folder_of_tests_is_measured_everywhere_and_not_in_itself() -> None:
    tests = [f"test/part{n}/a.test.js" for n in range(29)]
    assert "live in" not in " ".join(mined(*tests, *(f"lib/part{n}/a.test.js" for n in range(20))).said)


def test_tests_beside_what_they_test() -> None:
    pairs = [f"src/part{n}/user{n}{mark}.ts" for n in range(20) for mark in ("", ".test")]
    found = mined(*pairs, "src/part0/lonely.test.ts").find("beside")
    assert str(found) == "TypeScript tests stand beside the files they test (20 of 21)"
    assert found.violations == ["src/part0/lonely.test.ts"]


def test_tests_in_folders_below_what_they_test() -> None:
    pairs = [path for n in range(12) for path in (f"src/p{n}/User{n}.tsx", f"src/p{n}/__tests__/User{n}.test.tsx")]
    said = mined(*pairs).said
    assert "TypeScript tests stand in a folder below the files they test (12 of 12)" in said


def test_tests_that_mirror_what_they_test() -> None:
    sources = [f"src/shop/part{n % 5}/user{n}.py" for n in range(20)]
    tests = [f"tests/part{n % 5}/test_user{n}.py" for n in range(20)]
    found = mined(*sources, *tests, "tests/part1/test_nothing.py").find("mirror")
    assert str(found) == "Python tests mirror the files they test in `src/shop/` (20 of 21)"
    assert found.violations == ["tests/part1/test_nothing.py"]


def test_what_the_tools_of_java_demand_is_no_news() -> None:
    pairs = [path for n in range(20) for path in (f"src/main/java/a/P{n}.java", f"src/test/java/a/P{n}Test.java")]
    assert [said for said in mined(*pairs).said if "live" in said] == []


def test_a_test_below_what_it_tests_is_no_mirror_as_well() -> None:
    names = [chr(97 + n) * 3 for n in range(20)]
    paths = [f"src/icons/{name}.tsx" for name in names] + [f"src/icons/__tests__/{name}.spec.tsx" for name in names]
    said = mined(*paths).said
    assert "TypeScript tests stand in a folder below the files they test (20 of 20)" in said
    assert not any("mirror" in each for each in said)
