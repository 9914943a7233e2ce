"""Which parts keep away from which, in each language whose imports lead to files."""

from collections.abc import Callable

import pytest

from app.miners import layering
from tests.miners.trial import Trial, trial

PARTS = ("api", "jobs", "mail", "reports", "domain", "db")


def mined(files: dict[str, str]) -> Trial:
    return trial(files, families=[layering.FAMILY])


def python(part: str, number: int) -> tuple[str, str]:
    return f"lib/shop/{part}/m{number}.py", "from ..{}.m{} import thing\n"


def script(part: str, number: int) -> tuple[str, str]:
    return f"lib/shop/{part}/m{number}.ts", 'import {{ thing }} from "../{}/m{}.js";\n'


def java(part: str, number: int) -> tuple[str, str]:
    return f"src/main/java/org/shop/{part}/M{number}.java", f"package org.shop.{part};\nimport org.shop.{{}}.M{{}};\n"


def go(part: str, number: int) -> tuple[str, str]:
    return f"{part}/m{number}.go", f'package {part}\n\nimport _ "example.org/x/shop/{{}}" // {{}}\n'


Writing = Callable[[str, int], tuple[str, str]]


def shop(write: Writing, uses: dict[str, tuple[str, ...]], files: int = 24) -> dict[str, str]:
    """Write parts of some files each, which import the parts that they use by turns."""
    made = {}
    for part in PARTS:
        for number in range(files):
            path, text = write(part, number)
            used = uses.get(part, ())
            made[path] = text.format(used[number % len(used)], number) if used else ""
            if path.endswith(".py"):
                made[f"{path.rpartition('/')[0]}/__init__.py"] = ""
    return {"lib/shop/__init__.py": "", **made}


LAYERED = {
    "api": ("domain", "db"),
    "jobs": ("domain", "db"),
    "mail": ("db", "domain"),
    "reports": ("db", "domain"),
    "db": ("domain",),
    "domain": ("domain",),
}


@pytest.mark.parametrize(
    ("write", "tongue", "folder"),
    [(python, "Python", "lib/shop"), (script, "TypeScript", "lib/shop"), (java, "Java", "src/main/java/org/shop")],
    ids=["Python", "TypeScript", "Java"],
)
def test_a_part_keeps_away_from_what_its_neighbours_use(write: Writing, tongue: str, folder: str) -> None:
    found = mined(shop(write, LAYERED))
    assert found.said == [f"{tongue} files in `{folder}/domain/` never import `{folder}/db/` (24 of 24)"]
    assert found.conventions[0].scope == (f"{folder}/domain/**",)


def test_in_go_only_parts_that_could_import_each_other_are_told() -> None:
    # The database uses the domain, so the domain could not use the database.
    assert mined(shop(go, LAYERED)).said == []
    found = mined(shop(go, {**LAYERED, "reports": ("db", "mail")}))
    assert found.said == ["Go files in `reports/` never import `domain/` (24 of 24)"]


def test_the_one_that_breaks_it_is_shown() -> None:
    files = shop(python, LAYERED, files=60)
    files["lib/shop/domain/m7.py"] = "import json\nfrom ..db.m1 import thing\n"
    found = mined(files).find("never import")
    assert (found.conforming, found.applicable) == (59, 60)
    assert found.violations == ["lib/shop/domain/m7.py:2"]


@pytest.mark.parametrize(
    "uses",
    [
        pytest.param({**LAYERED, "domain": ("db", "domain")}, id="it does import it"),
        pytest.param(dict.fromkeys(PARTS, ("domain",)), id="nobody uses the other"),
        pytest.param(
            {**dict.fromkeys(PARTS, ("domain",)), "api": ("db",), "domain": ("api",)}, id="one neighbour uses it"
        ),
        pytest.param({**LAYERED, "db": ("db",), "domain": ("mail",)}, id="a shelf that uses one thing"),
    ],
)
def test_what_is_no_layer(uses: dict[str, tuple[str, ...]]) -> None:
    assert [name for name in mined(shop(python, uses)).said if "domain/` never" in name] == []


def test_a_part_of_few_files_may_keep_away_by_chance() -> None:
    files = {path: text for path, text in shop(python, LAYERED).items() if "/domain/m" not in path or path[-4] in "123"}
    assert mined(files).said == []


def test_tests_are_no_part() -> None:
    files = shop(python, {**LAYERED, "domain": ("domain", "api")})
    files |= {f"lib/shop/domain/tests/test_{n}.py": "from ...db.m1 import thing\n" for n in range(20)}
    assert mined(files).find("domain/` never").applicable == 24
