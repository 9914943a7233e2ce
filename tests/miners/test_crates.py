"""Crates of a workspace: where their dependencies come from, and what all files of a place take from elsewhere."""

import pytest

from app.miners import crates, result_types, taken_names
from tests.miners.trial import Trial, trial

TAKEN = """[package]
name = "a"
version = "1.0.0"

[dependencies]
serde = { workspace = true, features = [
    "derive",
] }
own = { path = "../own" }
tokio.workspace = true

[target.'cfg(unix)'.dev-dependencies]
libc = { workspace = true }
"""
OWN = TAKEN.replace("tokio.workspace = true", 'tokio = "1.0"\nrand = { version = "0.9" }')
MANIFESTS = {f"crates/part{number}/Cargo.toml": TAKEN for number in range(9)}


def test_dependencies_come_from_the_workspace() -> None:
    top = '[workspace.dependencies]\nserde = "1.0"\ntokio = "1.0"\nlibc = "0.2"\n'
    found = trial({**MANIFESTS, "crates/odd/Cargo.toml": OWN, "Cargo.toml": top}, families=[crates.FAMILY])
    told = found.find("come from the workspace")
    assert (told.conforming, told.applicable) == (29, 31)
    assert told.violations == ["crates/odd/Cargo.toml:10", "crates/odd/Cargo.toml:11"]
    assert not [each for each in found.said if "is written" in each]


@pytest.mark.parametrize(
    "written", ["{name}.workspace = true", "{name} = {{ workspace = true }}"], ids=["dots", "braces"]
)
def test_there_is_one_way_to_write_it(written: str) -> None:
    lines = "".join(f"{written.format(name=name)}\n" for name in ("serde", "tokio", "libc"))
    files = {f"crates/part{number}/Cargo.toml": f"[dependencies]\n{lines}" for number in range(9)}
    said = f"What crates take from the workspace is written `{written.format(name='name')}` (27 of 27)"
    assert said in trial(files, families=[crates.FAMILY]).said


def test_crates_that_have_versions_of_their_own_say_nothing() -> None:
    files = {f"crates/part{number}/Cargo.toml": '[dependencies]\nserde = "1.0"\n' * 3 for number in range(9)}
    assert trial(files, families=[crates.FAMILY]).said == []


def taken(lines: str, place: str = "src/commands/part{}.rs") -> Trial:
    files = {place.format(number): f"{lines}fn run() {{}}\n" for number in range(12)}
    files |= {f"src/other/part{number}.rs": "use std::fmt;\n\nfn run() { panic!() }\n" for number in range(20)}
    return trial({**files, place.format("odd"): "fn run() {}\n"}, families=[taken_names.FAMILY])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("use crate::command_prelude::*;\n", "`command_prelude::*`"),
        ("use criterion::criterion_group;\n\ncriterion_group!(a);\n", "`criterion_group!`"),
        ("use crate::{check_fix, Part};\n", "`check_fix`, `Part`"),
        ("use super::{A1x, B2x, C3x as D};\n", "`A1x`, `B2x`, `C3x`"),
    ],
    ids=["prelude", "macro", "function", "types"],
)
def test_what_all_files_of_a_place_take_is_said(lines: str, said: str) -> None:
    found = taken(lines)
    assert found.said == [f"Rust source files in `src/commands/` use {said} (12 of 13)"]
    assert found.conventions[0].violations == ["src/commands/partodd.rs:1"]


def test_what_helps_all_tests_is_said_of_tests_alone() -> None:
    found = taken("use crate::common::Server;\n", "tests/index/part{}.rs")
    assert found.said == ["Rust test files use `common::…`, `Server` (12 of 13)"]
    assert taken("use crate::common::Server;\n").said == []


@pytest.mark.parametrize(
    "lines", ["use std::io::*;\n", "use super::*;\n", "use crate::Part;\n", 'const A: &str = concat!("a", "b");\n']
)
def test_what_the_language_brings_and_a_type_alone_are_no_news(lines: str) -> None:
    assert taken(lines).said == []


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("Result<(), ShopError>", "`Result<…, ShopError>`"),
        ("ShopResult<Vec<u32>>", "`ShopResult<…>`"),
        ("io::Result<()>", "`io::Result<…>`"),
        ("Result<HashMap<u32, u32>>", "`Result<…>`, which names no error"),
    ],
    ids=["error", "alias", "io", "unnamed"],
)
def test_functions_fail_in_one_way(returned: str, said: str) -> None:
    files = {f"src/part{number}.rs": f"fn a() -> {returned} {{}}\nfn b() -> {returned} {{}}\n" for number in range(12)}
    files["src/part0.rs"] = files["src/part0.rs"].replace("ShopError", "crate::error::ShopError")
    files["src/odd.rs"] = (
        "fn c() -> Result<u32, Other> {}\nfn fmt() -> fmt::Result {}\n#[test]\nfn d() -> Result<(), Gone> {}\n"
    )
    found = trial(files, families=[result_types.FAMILY]).find("may fail")
    assert str(found) == f"Rust functions that may fail return {said} (24 of 25)"
    assert found.violations == ["src/odd.rs:1"]


def test_tests_fail_in_one_way() -> None:
    test = "#[tokio::test]\nasync fn a() -> anyhow::Result<()> {}\n"
    files = {f"tests/part{number}.rs": test * 2 for number in range(12)}
    files["tests/odd.rs"] = "#[test]\nfn c() -> Result<(), Gone> {}\n#[test]\nfn d() {}\nfn e() -> io::Result<()> {}\n"
    found = trial(files, families=[result_types.TESTS]).find("may fail")
    assert str(found) == "Rust tests that may fail return `anyhow::Result<…>` (24 of 25)"
    assert found.violations == ["tests/odd.rs:2"]


def test_functions_that_fail_in_many_ways_say_nothing() -> None:
    files = {f"src/part{n}.rs": f"fn a() -> Result<u32, Error{n % 3}> {{}}\n" * 2 for n in range(24)}
    assert trial(files, families=[result_types.FAMILY]).said == []
