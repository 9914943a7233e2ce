"""Files that stand for folders: whether there is one, and what it holds."""

import pytest

from app.miners import index_files
from tests.miners.trial import Trial, trial

PLACES = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]


def mined(files: dict[str, str]) -> Trial:
    return trial(files, families=[index_files.FAMILY])


def folders(root: str, *names: str, text: str = "x = 1;\n") -> dict[str, str]:
    return {f"{root}/{place}/{name}": text for place in PLACES for name in names}


@pytest.mark.parametrize(
    ("names", "index", "said"),
    [
        (("One.tsx", "two.ts", "three.ts"), "index.ts", "TypeScript folders have an `index.ts`"),
        (("one.js", "two.js", "three.js"), "index.js", "JavaScript folders have an `index.js`"),
        (("One.java", "Two.java", "Three.java"), "package-info.java", "Java packages have a `package-info.java`"),
        (("one.go", "two.go", "three.go"), "doc.go", "Go packages have a `doc.go`"),
    ],
    ids=["ts", "js", "java", "go"],
)
def test_folders_have_a_file_that_stands_for_them(names: tuple[str, ...], index: str, said: str) -> None:
    files = folders("src", *names) | {f"src/{place}/{index}": "y = 1;\n" for place in PLACES[1:]}
    # A folder of two files needs nobody to stand for it.
    files |= {f"src/small/{name}": "x = 1;\n" for name in names[:2]}
    found = mined(files).find("have a")
    assert str(found) == f"{said} (9 of 10)"
    assert [violation.rpartition("/")[0] for violation in found.violations] == ["src/a"]


def test_that_there_are_none_is_no_news() -> None:
    assert mined(folders("src", "one.ts", "two.ts", "three.ts")).said == []


def test_folders_of_which_half_have_one_say_nothing() -> None:
    files = folders("src", "one.ts", "two.ts", "three.ts")
    assert mined(files | {f"src/{place}/index.ts": "x = 1;\n" for place in PLACES[::2]}).said == []


def test_barrels_only_pass_on() -> None:
    passing = '// parts\nimport { b } from "./b";\nexport * from "./a";\nexport { b };\nexport type { C } from "./c";\n'
    files = folders("src", "index.ts", text=passing) | {"src/k/index.ts": "export const k = 1;\n"}
    found = mined(files).find("`index.ts`")
    assert str(found) == "`index.ts` files only pass on what other modules define (10 of 11)"
    assert found.violations == ["src/k/index.ts:1"]
    assert mined(folders("src", "index.ts", text="export function run() {}\n")).said == []


PASSING = '"""Of the shop."""\nfrom .money import Price\n\n__all__ = ["Price"]\n'


def test_packages_of_python_pass_on() -> None:
    files = folders("shop", "__init__.py", text=PASSING)
    files |= {"shop/__init__.py": "from .money import Price\n\n\nclass Shop:\n    pass\n"}
    found = mined(files).find("__init__")
    said = "`__init__.py` files pass on what their modules define, and define nothing themselves (10 of 11)"
    assert (str(found), found.violations) == (said, ["shop/__init__.py:1"])


def test_packages_of_python_are_empty() -> None:
    """A comment is no code; what a framework asks for does not count."""
    files = folders("shop", "__init__.py", text="") | {"shop/a/__init__.py": "# licence\n\n"}
    files |= {"shop/__init__.py": "import os\n", "shop/a/migrations/__init__.py": "import os\n"}
    found = mined(files).find("__init__")
    assert (str(found), found.violations) == ("`__init__.py` files are empty (10 of 11)", ["shop/__init__.py:1"])


def test_packages_of_python_that_are_empty_here_and_full_there_say_nothing() -> None:
    files = {f"shop/{place}/__init__.py": "" if number % 2 else PASSING for number, place in enumerate(PLACES)}
    assert mined(files).said == []


def test_modules_of_rust_with_parts() -> None:
    inner = {f"src/{place}/mod.rs": "mod one;\n" for place in PLACES} | folders("src", "one.rs")
    odd = {"src/lib.rs": "mod a;\n", "src/odd.rs": "mod one;\n", "src/odd/one.rs": ""}
    found = mined(inner | odd).find("Rust")
    assert str(found) == "Rust modules that have parts are `name/mod.rs`, not `name.rs` beside it (10 of 11)"
    assert found.violations == ["src/odd/one.rs"]
    beside = {f"src/{place}.rs": "mod one;\n" for place in PLACES} | folders("src", "one.rs")
    said = "Rust modules that have parts are `name.rs` beside their folder, not `name/mod.rs` (10 of 10)"
    assert mined(beside | {"src/lib.rs": "mod a;\n"}).said == [said]
    places = [f"{place}{number}" for place in PLACES for number in (1, 2)]
    both = {f"src/{place}{['.rs', '/mod.rs'][number % 2]}": "mod one;\n" for number, place in enumerate(places)}
    assert mined(both | {f"src/{place}/one.rs": "" for place in places}).said == []
