"""What files begin with."""

import pytest

from app.miners import headers
from tests.miners.trial import trial

LICENCES = {
    "go": "// Copyright {} The Shop Authors\n// Licensed as told in LICENSE.\n\npackage shop\n",
    "py": "#!/usr/bin/env python\n# Copyright {} The Shop Authors\n# Licensed as told in LICENSE.\nx = 1\n",
    "java": "/*\n * Copyright {} The Shop Authors\n * Licensed as told in LICENSE.\n */\npackage shop;\n",
    "yaml": "# Copyright {} The Shop Authors\n# Licensed as told in LICENSE.\na: 1\n",
}


@pytest.mark.parametrize("ending", LICENCES)
def test_a_licence_whatever_its_year(ending: str) -> None:
    files = {f"src/part{n}.{ending}": LICENCES[ending].format(2000 + n) for n in range(19)}
    files[f"src/bare.{ending}"] = {"go": "package shop\n", "java": "package shop;\n"}.get(ending, "# Other\n")
    found = trial(files, families=[headers.FAMILY]).find("begin with")
    assert "Copyright {year} The Shop Authors` and 1 more line" in found.name
    assert (found.conforming, found.applicable) == (19, 20)
    assert [each.partition(":")[0] for each in found.violations] == [f"src/bare.{ending}"]


def test_comments_that_differ_are_no_header() -> None:
    files = {f"src/part{n}.py": f"# Does the thing number {'abcdefghijklmnopqrst'[n]}\nx = 1\n" for n in range(20)}
    assert trial(files, families=[headers.FAMILY]).said == []


def test_what_tools_read_is_no_header() -> None:
    files = {f"src/part{n}.go": "//go:build linux\n\npackage shop\n" for n in range(20)}
    assert trial(files, families=[headers.FAMILY]).said == []


def test_who_wrote_a_part_is_no_convention() -> None:
    files = {f"one/part{n}.go": "// Copyright 2020 Ada Example\n\npackage one\n" for n in range(20)}
    files |= {f"two/part{n}.go": "package two\n" for n in range(60)}
    assert trial(files, families=[headers.FAMILY]).said == []
