"""Folders side by side that hold the same files."""

import pytest

from app.miners import feature_folders, index_files
from tests.miners.trial import Trial, trial


def mined(paths: list[str]) -> Trial:
    return trial(dict.fromkeys(paths, "x\n"), families=[feature_folders.FAMILY])


def features(place: str, names: list[str], *held: str) -> list[str]:
    return [f"{place}/{name}/{each.replace('NAME', name)}" for name in names for each in held]


NAMES = ["cart", "orders", "prices", "search", "stock", "users"]


def test_each_feature_holds_the_same() -> None:
    paths = features("src/features", NAMES, "NAME.routes.ts", "NAME.cmd.ts", "index.ts", "ui/a.ts")
    odd = features("src/features", ["legacy"], "old.ts", "index.ts")
    found = mined(paths + odd + ["src/main.ts", "src/other/a.ts"]).find("Folders")
    assert str(found) == (
        "Folders in `src/features/` each hold `ui/`, `{folder}.cmd.ts`, `{folder}.routes.ts` and `index.ts` (6 of 7)"
    )
    assert found.scope == ("src/features/*/**",)
    assert found.violations == ["src/features/legacy/index.ts"]


def test_folders_that_hold_only_folders_count_as_well() -> None:
    found = mined(features("web", NAMES, "api/get.ts", "components/list.tsx"))
    assert found.said == ["Folders in `web/` each hold `api/` and `components/` (6 of 6)"]


def test_files_of_any_kind_make_the_shape() -> None:
    """What speaks for a folder may be of one language here and of another there."""
    some = features("plugins", NAMES, "plugin.json", "icon.svg", "NAME_page.html")
    found = mined([*some, "plugins/cart/a.py", "plugins/users/a.go", "plugins/stock/README.md"])
    assert found.said == ["Folders in `plugins/` each hold `icon.svg`, `plugin.json` and `{folder}_page.html` (6 of 6)"]


def test_the_same_shape_in_several_places_is_said_once() -> None:
    paths = [path for place in ("a", "b/c", "d", "e") for path in features(place, NAMES, "meta.yaml", "NAME.go")]
    assert mined(paths).said == [
        "Folders in `a/`, `b/c/` and 2 more places each hold `meta.yaml` and `{folder}.go` (24 of 24)"
    ]


def test_what_tools_ask_of_every_package_is_no_news() -> None:
    assert mined(features("packages", NAMES, "package.json", "src/index.ts", "tsconfig.json")).said == []
    assert mined(features("shop", NAMES, "__init__.py", "models.py", "migrations/0001.py")).said == []


def test_one_name_is_no_shape() -> None:
    assert mined(features("lib", NAMES, "defaults.yaml")).said == []


MANY = [f"{name}{number}" for name in NAMES for number in range(5)]


def test_a_name_that_many_folders_lack_is_none_of_the_shape() -> None:
    paths = features("src", MANY, "NAME.go", "NAME.md", "data/a.txt")
    left = {f"src/{name}/data/a.txt" for name in MANY[:3]}
    found = mined([path for path in paths if path not in left])
    assert found.said == ["Folders in `src/` each hold `{folder}.go` and `{folder}.md` (30 of 30)"]


def test_one_name_is_a_shape_where_many_folders_are_called_by_it() -> None:
    assert mined(features("src", MANY, "NAME.go")).said == ["Folders in `src/` each hold `{folder}.go` (30 of 30)"]
    assert mined(features("src", NAMES, "NAME.go")).said == []


def test_one_name_is_a_shape_in_very_many_folders() -> None:
    assert mined(features("runtime", MANY, "highlights.scm")).said == [
        "Folders in `runtime/` each hold `highlights.scm` (30 of 30)"
    ]
    assert mined(features("runtime", MANY[:-1], "highlights.scm")).said == []
    assert mined(features("packages", MANY, "package.json")).said == []
    assert mined(features("reference", MANY, "page.mdx")).said == []


def test_folders_that_hold_this_and_that_say_nothing() -> None:
    mixed = [f"src/{name}/{each}.go" for place, name in enumerate(NAMES) for each in ("api", "view")[place % 2 :]]
    assert mined(mixed).said == []
    assert mined([f"src/{name}/{name}{number}.ts" for name in NAMES for number in range(4)]).said == []


def test_few_siblings_are_no_convention() -> None:
    assert mined(features("src", NAMES[:4], "NAME.routes.ts", "NAME.cmd.ts")).said == []


def test_folders_of_test_data_are_not_asked() -> None:
    assert mined(features("tests/fixtures", NAMES, "input.js", "output.json")).said == []


@pytest.mark.parametrize(
    ("place", "folders", "said"),
    [("src/shops", 6, True), ("examples/shops", 39, False), ("tests/shops", 39, False), ("tests/shops", 40, True)],
)
def test_what_tests_and_examples_bring_along_is_told_of_very_many(place: str, folders: int, said: bool) -> None:
    names = [f"shop{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(folders)]
    assert bool(mined(features(place, names, "start.cmd.ts", "stop.cmd.ts")).said) is said


def test_folders_that_hold_more_than_others_of_the_same_place_are_not_told_beside_them() -> None:
    names = [f"{letter}{number}" for letter in "abcd" for number in range(10)]
    plain = [path for place in ("one", "two") for path in features(f"lib/cases/{place}", names, "case.config.js")]
    more = [
        path
        for place in ("three", "four")
        for path in features(f"lib/cases/{place}", names, "case.config.js", "start.js")
    ]
    assert len(mined(plain).said) == len(mined(more).said) == 1
    found = mined([*plain, *more])
    assert len(found.said) == 1, found.said
    assert found.suppressed.counts["said by another"] == 1


def test_what_all_folders_hold_is_no_feature_of_a_place() -> None:
    """What speaks for all folders has no place that could be compared with that of others."""
    modules = [f"src/{name}/{each}.go" for name in MANY for each in (name[1:], name[2:], "doc", name[:4])]
    paths = modules + features("web", NAMES, "get.css", "list.css")
    found = trial(dict.fromkeys(paths, "package x\n"), families=[feature_folders.FAMILY, index_files.FAMILY])
    assert found.said == [
        "Go packages have a `doc.go` (30 of 30)",
        "Folders in `web/` each hold `get.css` and `list.css` (6 of 6)",
    ]
