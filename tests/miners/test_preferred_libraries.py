"""Which of several libraries for one purpose is used."""

import pytest

from app.miners import preferred_libraries
from tests.miners.trial import Trial, trial

NAME = {
    "py": "Python",
    "ts": "TypeScript",
    "js": "JavaScript",
    "go": "Go",
    "java": "Java",
    "rs": "Rust",
}


def mined(files: dict[str, str]) -> Trial:
    return trial(files, families=[preferred_libraries.FAMILY])


ASSERTJ = "org.assertj.core.api"
GO = "package a\n\nimport "


@pytest.mark.parametrize(
    ("ending", "usual", "other", "does", "this", "that"),
    [
        ("py", "import httpx", "import requests", "make HTTP requests", "httpx", "requests"),
        ("ts", 'import { z } from "zod";', 'import yup from "yup";', "validate", "zod", "yup"),
        ("js", 'const d = require("dayjs/esm");', 'const m = require("moment");', "handle dates", "dayjs", "moment"),
        ("go", f'{GO}"github.com/pkg/errors"', f'{GO}"errors"', "make errors", "github.com/pkg/errors", "errors"),
        ("java", f"import {ASSERTJ}.A;", "import org.junit.Assert;", "assert", ASSERTJ, "org.junit.Assert"),
        ("rs", "use parking_lot::Mutex;", "use std::sync::Mutex;", "lock", "parking_lot", "std::sync"),
    ],
    ids=list(NAME),
)
def test_one_of_several_is_preferred(ending: str, usual: str, other: str, does: str, this: str, that: str) -> None:
    said = f"{does} with `{this}`, not with `{that}`"
    files = {f"src/part{n}.{ending}": f"{usual}\n" for n in range(19)} | {f"src/other.{ending}": f"{other}\n"}
    found = mined(files).find(said)
    assert str(found) == f"{NAME[ending]} files {said} (19 of 20)"
    assert [each.partition(":")[0] for each in found.violations] == [f"src/other.{ending}"]


def test_tests_may_prefer_another_one() -> None:
    files = {f"src/part{n}.go": 'package a\n\nimport "errors"\n' for n in range(20)}
    files |= {f"src/part{n}_test.go": 'package a\n\nimport "github.com/pkg/errors"\n' for n in range(20)}
    found = mined(files).find("github.com/pkg/errors")
    assert found.name.startswith("Go test files")
    assert (found.conforming, found.applicable) == (20, 20)


def test_whoever_takes_only_types_does_nothing_with_a_library() -> None:
    files = {f"src/part{n}.ts": 'import type { AxiosRequestConfig } from "axios";\n' for n in range(30)}
    assert mined(files | {"src/a.ts": 'import got from "got";\n'}).said == []


def test_what_a_repository_made_for_itself_is_one_of_several() -> None:
    files = {f"src/main/java/a/b/Part{n}.java": "package a.b;\n\nimport a.b.Nullable;\n" for n in range(19)}
    files |= {"src/main/java/a/b/Nullable.java": "package a.b;\n\npublic @interface Nullable {}\n"}
    files |= {"src/main/java/a/b/Other.java": "package a.b;\n\nimport javax.annotation.Nullable;\n"}
    said = "Java files mark nullness with `a.b.Nullable`, not with `javax.annotation.Nullable` (19 of 20)"
    assert mined(files).said == [said]


def test_a_library_is_said_where_neither_of_its_parts_is() -> None:
    line = 'package a\n\nimport "github.com/stretchr/testify/{}"\n'
    both = {f"a/part{n}_test.go": line.format("assert" if n % 2 else "require") for n in range(20)}
    assert [each.name for each in mined(both).conventions] == ["Go files are tested with `github.com/stretchr/testify`"]
    one = {f"a/part{n}_test.go": line.format("require") for n in range(20)}
    assert [each.name for each in mined(one).conventions] == [
        "Go files assert with `github.com/stretchr/testify/require`"
    ]


def test_names_of_nodes_own_modules_are_one() -> None:
    files = {f"src/part{n}.ts": f'import assert from "{"node:" if n % 2 else ""}assert/strict";\n' for n in range(20)}
    files |= {"src/other.ts": 'import chai from "chai";\n'}
    found = mined(files).find("assert with")
    assert str(found) == "TypeScript files assert with Node's `assert/strict`, not with `chai` (20 of 21)"


def test_a_mixture_and_what_everybody_takes_are_no_news() -> None:
    files = {f"src/part{n}.py": f"import json, {'httpx' if n % 2 else 'requests'}\n" for n in range(30)}
    found = mined(files)
    assert found.said == []
    assert found.suppressed.counts["nothing worth saying"] == 1


def test_a_library_that_uses_itself_chose_nothing() -> None:
    files = {f"tests/test_part{n}.py": "import httpx\n" for n in range(20)} | {"httpx/__init__.py": ""}
    assert mined(files).said == []


def test_a_package_of_the_repository_itself_was_not_chosen() -> None:
    usual, other = 'import axios from "axios";\n', 'import got from "got";\n'
    files = {f"packages/shop/src/part{n}.ts": usual for n in range(20)} | {"packages/shop/src/odd.ts": other}
    assert mined(files).find("`axios`").applicable == 21
    for folder, own in (("packages/axios", True), ("examples/axios", False)):
        said = mined(files | {f"{folder}/package.json": "{}"}).said
        assert any("`axios`" in each for each in said) is not own


def test_doubles_are_no_way_of_testing() -> None:
    files = {f"tests/test_{n}.py": "import pytest\nfrom unittest.mock import patch\n" for n in range(20)}
    files |= {f"tests/test_more{n}.py": "from unittest import mock\n" for n in range(9)}
    files |= {"tests/test_old.py": "import unittest\n"}
    found = mined(files).find("are tested with")
    assert (found.conforming, found.applicable, found.violations) == (20, 21, ["tests/test_old.py:1"])


def test_what_lies_below_a_library_of_go_is_of_it() -> None:
    usual = 'package a\n\nimport "github.com/rs/zerolog/log"'
    files = {f"pkg/a{n}.go": f"{usual}\n" for n in range(20)} | {"pkg/b.go": 'package a\n\nimport "log/slog"\n'}
    assert str(mined(files).find("log with `github.com/rs/zerolog`")).endswith("not with `log/slog` (20 of 21)")


def test_what_a_workspace_makes_itself_was_never_chosen() -> None:
    files = {f"examples/part{number}.rs": "use sqlx::query;\n" for number in range(30)}
    assert "Rust files speak to databases with `sqlx` (30 of 30)" in mined(files).said
    files["sqlx-core/Cargo.toml"] = "[package]\n"
    assert mined(files).said == []
