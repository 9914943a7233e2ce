"""In which form things are imported, in each language that leaves a choice."""

import pytest

from app.miners import import_forms
from tests.miners.trial import Trial, trial


def mined(files: dict[str, str]) -> Trial:
    return trial(files, families=[import_forms.FAMILY])


def package(own: list[str], head: str = "") -> dict[str, str]:
    return {"lib/shop/__init__.py": "", **{f"lib/shop/part{n}.py": f"{head}{each}\n" for n, each in enumerate(own)}}


def test_modules_of_a_package_import_each_other_relatively() -> None:
    files = package(["from .money import Price"] * 19 + ["from shop.money import Price"])
    # Tests are outside of the package, where nothing can be imported relatively.
    files |= {f"tests/test_part{n}.py": "from shop.money import Price\n" for n in range(20)}
    found = mined(files).find("`shop`")
    assert str(found) == "Python modules of `shop` import each other relatively (19 of 20)"
    assert found.scope == ("lib/shop/**",)
    assert found.violations == ["lib/shop/part19.py:1"]
    assert found.measured.candidate.proposal.rule.alternative == "`from shop. …`"


def test_modules_of_a_package_import_each_other_absolutely() -> None:
    files = package(["from shop.money import Price"] * 30)
    assert mined(files).said == ["Python modules of `shop` import each other absolutely, from `shop` (30 of 30)"]


def test_packages_below_src_may_do_without_an_init() -> None:
    files = {f"src/shop/part{n}/a.py": "from shop.money import Price\n" for n in range(20)}
    files |= {"src/shop/part0/__init__.py": "", "src/shop/part1/b.py": "from . import a\n"}
    assert mined(files).said == ["Python modules of `shop` import each other absolutely, from `shop` (20 of 21)"]


def test_packages_that_mix_both_say_nothing() -> None:
    assert mined(package(["from .money import Price", "from shop.money import Price"] * 10)).said == []


def test_a_module_has_its_own_short_name() -> None:
    files = package(["import typing as t"] * 12 + ["from typing import Any"])
    assert mined(files).said == ["`typing` is imported as a whole: `import typing as t` (12 of 13)"]


def test_how_a_module_is_imported_is_no_news_where_nobody_does_otherwise() -> None:
    assert mined(package(["from shutil import copy"] * 20)).said == []


@pytest.mark.parametrize(
    ("ending", "language", "usual", "other", "said"),
    [
        ("ts", "TypeScript", 'import fs from "node:fs";', 'import fs from "fs";', "begin with `node:`"),
        ("js", "JavaScript", 'const fs = require("node:fs");', 'const fs = require("fs");', "begin with `node:`"),
        ("ts", "TypeScript", 'import { a } from "./a.js";', 'import { a } from "./a";', "name the file with its ext"),
        ("ts", "TypeScript", 'import { a } from "@/a";', 'import { a } from "../a";', "go through an alias"),
        ("js", "JavaScript", "", 'import a from "b";', "are loaded by `require`"),
        ("rs", "Rust", "use crate::a::B;", "use super::a::B;", "are imported from `crate::`"),
        ("java", "Java", "import static org.mockito.Mockito.when;", "import org.mockito.Mockito.when;", "statically"),
    ],
    ids=["node", "node-required", "extension", "alias", "require", "crate", "static"],
)  # fmt: skip
def test_the_form_that_nearly_all_have(ending: str, language: str, usual: str, other: str, said: str) -> None:
    more = {"js": 'const b = require("b");\n' * 2}.get(ending, "")
    files = {f"src/part{n}.{ending}": f"{usual}\n{more}" for n in range(19)}
    files[f"src/other.{ending}"] = f"{other}\n"
    found = mined(files).find(said)
    assert found.name.startswith(language)
    assert found.applicable - found.conforming == 1
    assert found.violations == [f"src/other.{ending}:1"]


def test_who_has_no_alias_had_no_choice() -> None:
    found = mined({f"src/part{n}.ts": 'import { a } from "../a.js";\n' for n in range(20)})
    assert found.said == ["TypeScript relative imports name the file with its extension (20 of 20)"]


@pytest.mark.parametrize(
    ("usual", "other", "said"),
    [
        (
            'import Button from "@mui/material/Button";',
            'import { Button } from "@mui/material";',
            "`@mui/material` is imported by its parts (`@mui/material/…`), not as a whole (20 of 21)",
        ),
        (
            'import { a } from "lib/a";',
            'import { a } from "../lib/a";',
            "TypeScript modules of other folders are imported from `web/src/` (`lib/…`), not by `../` (20 of 21)",
        ),
    ],
    ids=["parts", "base"],
)
def test_how_scripts_reach_for_modules(usual: str, other: str, said: str) -> None:
    files = {f"web/src/lib/part{n}.ts": f"{usual}\n" for n in range(20)} | {"web/src/lib/a.ts": f"{other}\n"}
    found = mined(files).find(said.partition(" (20")[0])
    assert str(found) == said
    assert found.violations == ["web/src/lib/a.ts:1"]


def test_parts_of_what_can_be_had_in_one_way_are_no_news() -> None:
    files = {f"web/src/lib/part{n}.ts": 'import Link from "next/link";\n' for n in range(30)}
    assert not any("parts" in each for each in mined(files).said)


def test_a_package_that_is_called_like_a_folder_is_none_of_its_modules() -> None:
    files = {f"web/src/lib/part{n}.ts": 'import { jsx } from "react/jsx-runtime";\n' for n in range(30)}
    assert not any("other folders" in each for each in mined(files | {"web/src/react/a.ts": ""}).said)


def test_own_folders_that_are_called_like_modules_of_node_are_none() -> None:
    files = {f"src/lib/part{n}.ts": 'import { A } from "constants/theme";\n' for n in range(30)}
    assert not any("Node" in each for each in mined(files).said)


def test_imports_of_typescript_are_no_news() -> None:
    found = mined({f"src/part{n}.ts": 'import { a } from "pkg";\n' for n in range(20)})
    assert found.said == []
    assert found.suppressed.counts["language norm"] == 1


@pytest.mark.parametrize(("files", "said"), [(19, False), (20, True)])
def test_how_few_files_of_one_part_import_a_module_is_chance(files: int, said: bool) -> None:
    web = {f"web/part{n}.ts": 'import * as React from "react";\n' for n in range(files)}
    mixed = {f"app/part{n}.ts": f'import {"React" if n % 2 else "{ use }"} from "react";\n' for n in range(20)}
    found = mined(web | mixed).said
    assert any("`react` is imported by `import * as`" in each for each in found) is said
