"""Manifests: what those of all packages of a repository say, and nothing of one that stands alone."""

import pytest

from app.miners import manifests
from tests.miners.trial import trial

LINES = {
    "Cargo.toml": ('[package]\nname = "{name}"\nversion = "0.1.0"\n', "edition.workspace = true\n"),
    "package.json": ('{{\n  "name": "{name}",\n  "version": "1.0.0",\n', '  "type": "module",\n'),
    "build.gradle.kts": ('plugins {{\n  id("java")\n}}\n', 'otelJava.published.set("{name}" != "")\n'),
}


@pytest.mark.parametrize("manifest", list(LINES))
def test_what_all_manifests_say_is_one_sentence(manifest: str) -> None:
    head, line = LINES[manifest]
    files = {f"crates/part{number}/{manifest}": (head + line).format(name="x") for number in range(20)}
    files |= {f"crates/odd/{manifest}": head.format(name="odd"), manifest: head.format(name="top")}
    found = trial(files, families=[manifests.FAMILY]).find(line.strip().rstrip(",").format(name="x"))
    assert found.name.startswith(f"Files `{manifest}`")
    assert (found.conforming, found.applicable) == (20, 21)


def test_what_manifests_of_examples_say_is_asked_of_no_others() -> None:
    files = {f"examples/part{number}/Cargo.toml": "[package]\npublish = false\n" for number in range(20)} | {
        f"crates/part{number}/Cargo.toml": "[package]\n" for number in range(4)
    }
    found = trial(files, families=[manifests.FAMILY])
    assert found.said == ["Example files `Cargo.toml` say `publish = false` (20 of 20)"]


def test_what_every_manifest_has_is_no_news() -> None:
    files = {
        f"part{number}/package.json": f'{{\n  "name": "p{number}",\n  "private": true\n}}\n' for number in range(20)
    }
    assert trial(files, families=[manifests.FAMILY]).said == []


def test_a_manifest_alone_says_nothing_of_others() -> None:
    assert trial({"Cargo.toml": "edition.workspace = true\n"}, families=[manifests.FAMILY]).said == []


def test_crates_that_fuzz_are_none_of_the_workspace() -> None:
    files = {f"crates/part{number}/Cargo.toml": "[lints]\nworkspace = true\n" for number in range(8)}
    files |= {f"crates/part{number}/fuzz/Cargo.toml": "[workspace]\n" for number in range(4)}
    found = trial(files, families=[manifests.FAMILY]).find("`workspace = true`")
    assert (found.conforming, found.applicable) == (8, 8)
