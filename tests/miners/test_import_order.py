"""The order of imports at the head of a file, and the blank lines between them."""

import pytest

from app.domain.rule import RuleKind
from app.miners import import_order
from tests.checkers.test_kinds import found as sites
from tests.miners.trial import Trial, trial


def mined(files: dict[str, str]) -> Trial:
    return trial(files, families=[import_order.FAMILY])


def many(ending: str, usual: str, *others: str, folder: str = "shop") -> dict[str, str]:
    heads = [usual] * 19 + list(others)
    return {f"{folder}/m{number}.{ending}": f"{head}\n" for number, head in enumerate(heads)}


PYTHON = "import os\nimport re\n\nimport requests\n\nfrom shop.money import Price"
PACKAGE = {"shop/__init__.py": ""}


def test_groups_of_python() -> None:
    mixed = "import requests\nimport os\nfrom shop.money import Price"
    files = many("py", f'"""Of the shop."""\n\nfrom __future__ import annotations\n\n{PYTHON}', mixed) | PACKAGE
    found = mined(files).find("groups")
    said = "Python imports stand in groups with a blank line between: the standard library, packages, own modules"
    assert (str(found), found.violations) == (f"{said} (19 of 20)", ["shop/m19.py:2"])


@pytest.mark.parametrize(
    ("ending", "usual", "other", "said", "line"),
    [
        (
            "ts",
            'import fs from "node:fs";\nimport { z } from "zod";\n\nimport { a } from "./a";\nimport { b } from "@/b";',
            'import { a } from "./a";\n\nimport { z } from "zod";',
            "TypeScript imports stand in groups with a blank line between: Node's own modules and packages, all others",
            3,
        ),
        (
            "rs",
            "use std::fmt;\nuse std::io;\n\nuse serde::Serialize;\n\nuse crate::money::Price;\n\nfn f() {}",
            "use std::fmt;\nuse serde::Serialize;",
            "Rust imports stand in groups with a blank line between: the standard library, other crates, the own crate",
            2,
        ),
        (
            "java",
            "import java.util.List;\n\nimport jakarta.inject.B;\nimport org.junit.Test;\n\nclass A {}",
            "import org.junit.Test;\nimport java.util.List;",
            "Java imports stand in groups with a blank line between: `java` and `javax`, other packages",
            2,
        ),
    ],
    ids=["ts", "rust", "java"],
)
def test_groups_of_other_languages(ending: str, usual: str, other: str, said: str, line: int) -> None:
    found = mined(many(ending, usual, other)).find("groups")
    assert (str(found), found.violations) == (f"{said} (19 of 20)", [f"shop/m19.{ending}:{line}"])


GO = 'package a\n\nimport (\n\t"fmt"\n\t"os"\n\n\t"github.com/else/where"\n\n\t"acme.org/shop/money"\n)\n'


def test_the_own_module_of_go_has_its_name_from_go_mod() -> None:
    files = many("go", GO, GO.replace("\n\n\t", "\n\t")) | {"go.mod": "module acme.org/shop\n\ngo 1.22\n"}
    found = mined(files).find("groups")
    said = "Go imports stand in groups with a blank line between: the standard library, other modules, `acme.org/shop`"
    assert (str(found), found.violations) == (f"{said} (19 of 20)", ["shop/m19.go:6"])


def test_two_groups_are_what_most_of_go_has() -> None:
    two = 'package a\n\nimport (\n\t"fmt"\n\n\t"github.com/else/where"\n)\n'
    found = mined(many("go", two) | {"go.mod": "module acme.org/shop\n"})
    assert str(found.find("groups")).endswith("a blank line between: the standard library, other modules (19 of 19)")


def test_static_imports_of_java_have_a_place() -> None:
    plain, static = "import java.util.List;\nimport java.util.Map;", "import static org.junit.Assert.assertTrue;"
    first = mined(many("java", f"package a;\n\n{static}\n\n{plain}", f"{plain}\n\n{static}")).find("tatic")
    assert str(first) == "Java static imports stand before all others, with a blank line between (19 of 20)"
    assert first.violations == ["shop/m19.java:4"]
    last = mined(many("java", f"{plain}\n\n{static}")).find("tatic")
    assert str(last) == "Java static imports stand after all others, with a blank line between (19 of 19)"


def test_imports_are_sorted() -> None:
    usual = 'import { a } from "a";\nimport { b } from "b";\nimport { c } from "C";\n\nimport { d } from "./d";'
    found = mined(many("ts", usual, 'import { b } from "b";\nimport { a } from "a";\nimport { c } from "c";'))
    assert str(found.find("sorted")) == "TypeScript imports are sorted by module within their group (19 of 20)"
    assert found.find("sorted").violations == ["shop/m19.ts:1"]


def test_what_a_tool_keeps_is_said_with_the_file_that_asks_for_it() -> None:
    files = many("py", PYTHON) | PACKAGE
    alone = mined(files).find("groups").measured.candidate
    asked = mined(files | {"pyproject.toml": '[tool.ruff.lint]\nselect = ["E", "I"]\n'}).find("groups")
    proposal = asked.measured.candidate.proposal
    assert proposal.detail == "ruff keeps it so: `pyproject.toml`."
    assert proposal.declared is not None
    assert (proposal.declared.path, proposal.declared.line) == ("pyproject.toml", 2)
    assert asked.measured.candidate.score < alone.score


MIXED = "from shop.money import Price\nimport requests\nimport os"
RUFF = {"pyproject.toml": '[tool.ruff.lint]\nselect = ["E", "I"]\n'}


def test_an_order_that_is_declared_and_not_kept_is_a_contradiction() -> None:
    files = {f"shop/m{number}.py": f"{MIXED if number % 3 else PYTHON}\n" for number in range(30)} | PACKAGE
    found = mined(files | RUFF)
    assert (found.said, found.contradicted) == ([], ["pyproject.toml:2 ruff keeps imports in order (10 of 30)"])
    assert mined(files).contradicted == []
    asked = {"pyproject.toml": f"{RUFF['pyproject.toml']}isort.no-sections = true\n"}
    assert mined(files | asked).contradicted == []


def test_what_is_declared_for_one_folder_is_asked_of_no_other() -> None:
    files = {f"old/m{number}.py": f"{MIXED}\n" for number in range(30)} | {"old/__init__.py": ""} | PACKAGE
    files |= {f"shop/m{number}.py": f"{PYTHON}\n" for number in range(70)}
    found = mined(files | {"shop/ruff.toml": 'select = ["I"]\n'})
    assert found.contradicted == []
    proposal = found.find("groups").measured.candidate.proposal
    assert proposal.declared is not None
    assert proposal.rule.scope.include == ("shop/**",)
    assert (
        mined(files | {"old/ruff.toml": 'select = ["I"]\n'}).find("groups").measured.candidate.proposal.declared is None
    )


def test_what_every_tool_of_go_makes_is_said_where_it_is_declared() -> None:
    head = 'package a\n\nimport (\n\t"fmt"\n\t"os"\n\n\t"github.com/x/y"\n)'
    files = {**many("go", head), "go.mod": "module example.com/shop\n"}
    found = mined(files | {".golangci.yml": "linters:\n  enable: [goimports]\n"}).find("groups")
    said = "Go imports stand in groups with a blank line between: the standard library, other modules (19 of 19)"
    assert str(found) == said
    assert found.measured.candidate.proposal.declared is not None


@pytest.mark.parametrize(
    "heads",
    [
        pytest.param([PYTHON, "from shop.money import Price\nimport os\nimport requests"], id="a mixture"),
        pytest.param(["import os\nimport re\nimport abc", "import requests\nimport attr\nimport six"], id="one group"),
        pytest.param(["def f():\n    import os\n\n    import requests"], id="in functions"),
    ],
)
def test_no_order_is_said_of(heads: list[str]) -> None:
    files = {f"shop/m{number}.py": f"{heads[number % len(heads)]}\n" for number in range(30)}
    assert mined(files | PACKAGE).said == []


def test_small_parts_are_alike_by_chance() -> None:
    sorted_here = many("ts", 'import { a } from "a";\nimport { b } from "b";\nimport { c } from "c";', folder="src/a")
    not_there = many("ts", 'import { c } from "c";\nimport { b } from "b";\nimport { a } from "a";', folder="src/b")
    assert mined(sorted_here | not_there).said == []


def test_a_rule_counts_files_that_import_of_two_groups() -> None:
    files = {
        "a.py": "import os\n\nimport requests\n",
        "b.py": "import os\nimport requests\n",
        "c.py": "import requests\n# of old\n\nimport os\n",
        "d.py": "import os\nimport re\n",
        "e.py": "import os\n\nx = 1\nimport requests\n",
    }
    definition = {"per": "file", "order": [[{"standard": True}], [{"standard": False}]]}
    assert sites(RuleKind.IMPORT, definition, files, "Python") == ["a.py:1-3", "b.py:1-2", "c.py:4-4!"]
    apart = {**definition, "apart": True}
    assert sites(RuleKind.IMPORT, apart, files, "Python") == ["a.py:1-3", "b.py:2-2!", "c.py:4-4!"]
    nothing_else = {"per": "import", "applicable": {"not": {"module": ["os"]}}, "conforming": {"standard": False}}
    assert sites(RuleKind.IMPORT, nothing_else, {"d.py": files["d.py"]}, "Python") == ["d.py:2-2!"]


def test_an_order_that_nearly_all_keep_is_asked_for_before_a_finer_one_that_most_keep() -> None:
    finer = 'package a\n\nimport (\n\t"fmt"\n\n\t"example.org/b"\n\n\t"example.com/shop/c"\n)'
    files = {f"pkg/a{number}.go": finer for number in range(14)} | {"go.mod": "module example.com/shop\n"}
    files |= {f"pkg/b{number}.go": finer.replace('b"\n\n', 'b"\n') for number in range(6)}
    files[".golangci.yml"] = "linters:\n  enable: [goimports]\n"
    assert mined(files).find("groups").conforming == 20
