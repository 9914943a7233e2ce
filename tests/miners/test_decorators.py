"""Decorators that definitions of one place carry."""

import pytest

from app.miners import decorators
from tests.miners.trial import Trial, trial

CASES = {
    "function": (
        "py",
        "@app.task(retries=3)\ndef run{0}(): ...\n",
        "def run{0}(): ...\n",
        "Python source functions of modules",
        "@app.task",
    ),
    "method": (
        "py",
        "class A{0}:\n    def __init__(self): ...\n\n    @public\n    def a(self): ...\n",
        "class A{0}:\n    def a(self): ...\n",
        "Python source methods",
        "@public",
    ),
    "class": (
        "ts",
        "@Entity('a')\nexport class A{0} {{}}\n",
        "export class A{0} {{}}\n",
        "TypeScript source classes",
        "@Entity",
    ),
    "field": (
        "ts",
        "class A{0} {{ @Column() a: string }}\n",
        "class A{0} {{ a: string }}\n",
        "TypeScript source fields of classes",
        "@Column",
    ),
    "java": (
        "java",
        "@Entity\npublic class A{0} {{ int b() {{}} }}\n",
        "class A{0} {{}}\n",
        "Java source classes",
        "@Entity",
    ),
    "java-method": (
        "java",
        "class A{0} {{ @Audited(1) void b() {{}} }}\n",
        "class A{0} {{ void b() {{}} }}\n",
        "Java source methods",
        "@Audited",
    ),
    "rust": (
        "rs",
        "/// Ours\n#[derive(Debug, own::Shown)]\npub struct A{0} {{ b: u8 }}\n",
        "#[derive(Debug, Clone)]\npub struct A{0} {{ b: u8 }}\n",
        "Rust source types",
        "#[derive(Shown)]",
    ),
    "rust-keys": (
        "rs",
        '#[serde(rename_all = "lowercase", default)]\nenum A{0} {{ B }}\n',
        '#[serde(rename_all = "lowercase")]\nenum A{0} {{ B }}\n',
        "Rust source types",
        "#[serde(default)]",
    ),
    "rust-attribute": (
        "rs",
        "#[tagged(a)]\n// Ours\n#[allow(x)]\nenum A{0} {{ B }}\n",
        "#[allow(x)]\nenum A{0} {{ B }}\n",
        "Rust source types",
        "#[tagged]",
    ),
}


def mined(ending: str, bodies: dict[str, str]) -> Trial:
    files = {f"{place}.{ending}": body.format(place.rpartition("/")[2]) for place, body in bodies.items()}
    return trial(files, families=[decorators.FAMILY])


@pytest.mark.parametrize(("ending", "with_it", "without", "subject", "mark"), CASES.values(), ids=CASES)
def test_what_one_place_carries(ending: str, with_it: str, without: str, subject: str, mark: str) -> None:
    inside = {f"src/jobs/n{number}": with_it for number in range(30)}
    outside = {f"src/rest/n{number}": without for number in range(30)}
    found = mined(ending, {**inside, "src/jobs/last": without, **outside}).find(mark)
    assert str(found) == f"{subject} in `src/jobs/` carry `{mark}` (30 of 31)"
    assert [each.rpartition(":")[0] for each in found.violations] == [f"src/jobs/last.{ending}"]


@pytest.mark.parametrize(("ending", "with_it", "without", "subject", "mark"), CASES.values(), ids=CASES)
def test_what_is_carried_everywhere_is_of_no_place(
    ending: str, with_it: str, without: str, subject: str, mark: str
) -> None:
    files = {f"src/{place}/n{number}": with_it for place in ("jobs", "rest") for number in range(20)}
    assert mined(ending, files).said == []


def test_some_here_and_some_there_is_none() -> None:
    bodies = ["@app.task\ndef a(): ...\n", "def a(): ...\n"] * 15
    assert mined("py", {f"src/jobs/n{number}": body for number, body in enumerate(bodies)}).said == []
