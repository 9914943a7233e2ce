"""Files: their language, what they are for, what a program or somebody else wrote, and what may be quoted."""

import pytest

from app.domain.attributes import Attributes, Marks
from app.domain.languages import BY_NAME, BY_SUFFIX, language_in, language_named, language_of
from app.domain.recognition import FileRole, estimated_tokens, is_generated
from app.domain.snapshot import FileFacts, facts_of

ROLE = FileRole


def facts(path: str, content: bytes = b"x = 1\n", marks: Marks | None = None, *, symlink: bool = False) -> FileFacts:
    """Say what a file is."""
    return facts_of(path, "1" * 40, len(content), content, marks=marks, symlink=symlink)


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.py", "Python"),
        ("a/b.TSX", "TSX"),
        ("a.d.ts", "TypeScript"),
        ("Dockerfile", "Dockerfile"),
        ("Dockerfile.dev", "Dockerfile"),
        ("deploy/Makefile.am", "Makefile"),
        ("Jenkinsfile.py", "Python"),
        ("go.mod", "Go Module"),
        ("CMakeLists.txt", "CMake"),
        ("notes.txt", "Text"),
        (".gitignore", "Ignore List"),
        ("Gemfile", "Ruby"),
        ("x.unknown", None),
        ("py", None),
        (".py", None),
        ("dockerfile", None),
    ],
)
def test_a_language_is_told_by_the_name(path: str, language: str | None) -> None:
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("path", "head", "language"),
    [
        ("run", b"#!/usr/bin/env python3\n", "Python"),
        ("run", b"#!/usr/bin/python3.11 -u\n", "Python"),
        ("run", b"#! /bin/sh -e\n", "Shell"),
        ("run", b"#!/usr/bin/env -S FOO=1 node --x\n", "JavaScript"),
        ("run", b"#!/usr/bin/env -S uv run\n", "Python"),
        ("run", b"#!bash", "Shell"),
        ("run", b"#!/usr/bin/env pythonista\n", None),
        ("run", b"no shebang", None),
        ("run", b"", None),
        ("a.py", b"#!/bin/sh\n", "Python"),
        ("a.h", b"int f(void);\n", "C"),
        ("a.h", b"#pragma once\nnamespace a {\n", "C++"),
        ("a.h", b"#import <A/A.h>\n", "Objective-C"),
        ("a.ts", b'<?xml version="1.0"?>\n<!DOCTYPE TS>', "XML"),
        ("a.ts", b"export const a = 1\n", "TypeScript"),
        ("a.m", b"@interface A\n", "Objective-C"),
        ("a.m", b"function y = f(x)\n", "MATLAB"),
    ],
)
def test_a_language_is_told_by_the_first_lines(path: str, head: bytes, language: str | None) -> None:
    assert language_in(path, head) == language


def test_languages_fit_into_their_column_and_can_be_named() -> None:
    languages = {*BY_SUFFIX.values(), *BY_NAME.values()}
    assert max(map(len, languages)) <= 50
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in BY_SUFFIX)
    assert {language_named(name) for name in languages} == languages
    assert language_named("jupyter-notebook") == "Jupyter Notebook"
    assert language_named("Klingon") is None


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("src/app/main.py", ROLE.SOURCE),
        ("src/latest.py", ROLE.SOURCE),
        ("src/contest/Contest.java", ROLE.SOURCE),
        ("src/security.py", ROLE.SOURCE),
        ("app/history.ts", ROLE.SOURCE),
        ("tests/test_main.py", ROLE.TEST),
        ("tests/helpers.py", ROLE.TEST),
        ("tests/data.json", ROLE.FIXTURE),
        ("tests/README.md", ROLE.DOCS),
        ("tests/fixtures/chart/README.md", ROLE.FIXTURE),
        ("tests/ruff.toml", ROLE.CONFIG),
        ("tests/data/ruff.toml", ROLE.FIXTURE),
        ("pkg/main_test.go", ROLE.TEST),
        ("pkg/testdata/main.go", ROLE.FIXTURE),
        ("pkg/__testfixtures__/a.input.tsx", ROLE.FIXTURE),
        ("src/test/resources/a/InputThing.java", ROLE.FIXTURE),
        ("lib/src/integration-test/resources/page.js", ROLE.FIXTURE),
        ("src/docs-examples/resources-bad/Example1.java", ROLE.FIXTURE),
        ("src/main/resources/static/app.js", ROLE.SOURCE),
        ("src/main/java/resources/Pool.java", ROLE.SOURCE),
        ("src/a.test.tsx", ROLE.TEST),
        ("src/a.spec.ts", ROLE.TEST),
        ("src/__tests__/a.ts", ROLE.TEST),
        ("src/__snapshots__/a.snap", ROLE.FIXTURE),
        ("src/main/java/UserServiceTest.java", ROLE.TEST),
        ("src/main/java/Latest.java", ROLE.SOURCE),
        ("spec/models/user_spec.rb", ROLE.TEST),
        ("conftest.py", ROLE.TEST),
        ("shop/orders/tests.py", ROLE.TEST),
        ("src/parser/tests.rs", ROLE.TEST),
        ("src/contests.py", ROLE.SOURCE),
        ("app/migrations/0001_initial.py", ROLE.MIGRATION),
        ("db/migrate/20200101_create.rb", ROLE.MIGRATION),
        ("src/main/resources/db/migration/V1__init.sql", ROLE.MIGRATION),
        ("alembic/versions/ab12_x.py", ROLE.MIGRATION),
        ("command/migrate/plan.go", ROLE.SOURCE),
        ("examples/hello.py", ROLE.EXAMPLE),
        ("examples/logo.png", ROLE.ASSET),
        ("docs/conf.py", ROLE.DOCS),
        ("docs/index.md", ROLE.DOCS),
        ("README", ROLE.DOCS),
        ("LICENSE", ROLE.DOCS),
        ("pyproject.toml", ROLE.CONFIG),
        ("vite.config.ts", ROLE.CONFIG),
        (".eslintrc.js", ROLE.CONFIG),
        ("requirements-dev.txt", ROLE.CONFIG),
        (".github/workflows/ci.yml", ROLE.CONFIG),
        ("Dockerfile", ROLE.CONFIG),
        ("schema.graphql", ROLE.SOURCE),
        ("api/user.proto", ROLE.SOURCE),
        ("queries/users.sql", ROLE.SOURCE),
        ("data/points.csv", ROLE.ASSET),
        ("logo.svg", ROLE.ASSET),
        ("package-lock.json", ROLE.GENERATED),
        ("web/app.min.js", ROLE.GENERATED),
        ("api/user_pb2.py", ROLE.GENERATED),
        ("www/generated/operations/get.ts", ROLE.GENERATED),
        ("api/user.pb.go", ROLE.GENERATED),
        ("src/__generated__/types.ts", ROLE.GENERATED),
    ],
)
def test_a_path_tells_what_a_file_is_for(path: str, role: FileRole) -> None:
    assert facts(path).role is role


@pytest.mark.parametrize(
    ("path", "content", "generated"),
    [
        ("a.go", b"// Code generated by protoc-gen-go. DO NOT EDIT.\npackage a\n", True),
        ("a.js", b"// Generated from danish.sbl by Snowball 3.0.1\nvar base\n", True),
        ("a.py", b"# This file was automatically generated by x\n", True),
        ("a.py", b"# This is a generated file! Please edit the source .ksy file.\n", True),
        ("a.ts", b"/**\n * @generated SignedSource<<abc>>\n */\n", True),
        ("a.cs", b"// <auto-generated>\n", True),
        ("a.py", b'"""Do not edit this file, it is generated by make."""\n', True),
        ("a.sql", b"-- autogenerated\n", True),
        ("a.py", b'TEMPLATE = "# Code generated by us. DO NOT EDIT."\n', False),
        ("a.py", b"# The token is generated by the server.\n", False),
        ("a.py", b"# Please do not edit while it runs.\n", False),
        ("a.md", b"<!-- This file is generated -->\n", False),
        ("a.py", b"x = 1\n" * 1000 + b"# @generated\n", False),
        ("a.js", b"var a=1;" * 500, True),
        ("a.js", b"var a = 1;\n" * 500, False),
        ("a.js", b"var a=1;" * 50, False),
        ("a.py", b"a = 1;" * 500, False),
        ("a.css", b"a{b:c}" * 500, True),
    ],
)
def test_content_tells_that_a_program_wrote_it(path: str, content: bytes, generated: bool) -> None:
    assert is_generated(language_of(path), content) is generated
    assert facts(path, content).generated is generated


@pytest.mark.parametrize(
    ("path", "vendored"),
    [
        ("node_modules/a/index.js", True),
        ("web/vendor/a.js", True),
        ("third_party/a.c", True),
        ("static/jquery-3.6.0.min.js", True),
        ("static/jquery.js", True),
        ("static/bootstrap.min.css", True),
        ("gradlew", True),
        ("src/jquery.plugin.ts", False),
        ("src/react.ts", False),
        ("src/vendor.py", False),
        ("src/a.py", False),
    ],
)
def test_a_path_tells_that_others_wrote_it(path: str, vendored: bool) -> None:
    assert facts(path).vendored is vendored


@pytest.mark.parametrize(
    ("content", "binary", "quotable"),
    [
        (b"plain\n", False, True),
        ("ä 文\n".encode(), False, True),
        (b"", False, True),
        (b"\xff\xfea\0b\0", True, False),
        (b"caf\xe9\n", False, False),
        (b"x" * 9000 + b"\0", False, False),
        (b"GIF89a\0\0", True, False),
    ],
)
def test_only_text_in_utf8_may_be_quoted(content: bytes, binary: bool, quotable: bool) -> None:
    found = facts("a.py", content)
    assert (found.binary, found.quotable) == (binary, quotable)
    assert (found.language is None) is binary
    assert (found.tokens is None) is binary


def test_a_file_that_was_not_read_is_told_by_its_name() -> None:
    large = facts_of("data.json", "1" * 40, 5_000_000, None)
    assert (large.language, large.quotable, large.binary) == ("JSON", False, False)
    assert large.tokens == pytest.approx(5_000_000 / 3.6, rel=0.01)
    image = facts_of("logo.png", "1" * 40, 5_000_000, None)
    assert (image.language, image.binary, image.tokens, image.role) == (None, True, None, ROLE.ASSET)


def test_a_symbolic_link_is_nobodys_code() -> None:
    link = facts("src/link.py", b"../../etc/passwd", symlink=True)
    assert (link.symlink, link.language, link.tokens, link.quotable, link.minable) == (True, None, None, False, False)


def test_conventions_are_looked_for_in_what_people_here_write() -> None:
    assert facts("src/a.py").minable
    assert facts("tests/test_a.py").minable
    for path in ("vendor/a.py", "a_pb2.py", "pkg/testdata/a.go", "logo.png", "noname"):
        assert not facts(path).minable


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("", 0, 0),
        ("   \n\n  \n", 0, 0),
        ("def total(items: list[int]) -> int:\n    return sum(items)\n", 12, 24),
        ("x = 1\n" * 100, 100, 400),
        ("    " * 10 + "return None\n", 2, 6),
        ("日本語のテキスト", 6, 12),
    ],
)
def test_tokens_are_estimated(text: str, low: int, high: int) -> None:
    assert low <= estimated_tokens(text.encode(), len(text.encode())) <= high


def test_shares_count_code_that_people_here_write() -> None:
    files = [
        facts("a.py", b"x" * 100),
        facts("b.py", b"x" * 100),
        facts("a.go", b"x" * 300),
        facts("README.md", b"x" * 1000),
        facts("a.json", b"x" * 1000),
        facts("vendor/a.py", b"x" * 1000),
        facts("a_pb2.py", b"x" * 1000),
        facts("b.json", b"x" * 50, Marks(detectable=True)),
    ]
    assert {file.path for file in files if file.detectable} == {"a.py", "b.py", "a.go", "b.json"}


def test_attributes_say_more_than_names_and_content() -> None:
    lines = (
        "a.py linguist-vendored linguist-generated\nvendor/b.py -linguist-vendored\n"
        "package-lock.json -linguist-generated\n"
        "c.inc linguist-language=PHP\nd.py binary\ne.py linguist-documentation\nf.md linguist-detectable\n"
        "docs/g.py -linguist-documentation\n"
    )
    marks = Attributes.read({"": lines.encode()})
    found = {
        path: facts(path, b"x = 1\n", marks.of(path))
        for path in ("a.py", "vendor/b.py", "package-lock.json", "c.inc", "d.py", "e.py", "f.md", "docs/g.py")
    }
    assert (found["a.py"].vendored, found["a.py"].role) == (True, ROLE.GENERATED)
    assert not found["vendor/b.py"].vendored
    assert found["package-lock.json"].role is ROLE.CONFIG
    assert found["c.inc"].language == "PHP"
    assert (found["d.py"].binary, found["d.py"].quotable) == (True, False)
    assert found["e.py"].role is ROLE.DOCS
    assert found["f.md"].detectable
    assert found["docs/g.py"].role is ROLE.SOURCE
