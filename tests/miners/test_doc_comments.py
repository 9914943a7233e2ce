"""Which definitions carry documentation, and in which style."""

import pytest

from app.miners import doc_comments
from tests.miners.trial import Trial, trial


def mined(ending: str, bodies: list[str]) -> Trial:
    files = {f"src/part{number}.{ending}": f"{body}\n" for number, body in enumerate(bodies)}
    return trial(files, families=[doc_comments.FAMILY])


STRING = 'def run(a):\n    """{}"""\n'


@pytest.mark.parametrize(
    ("ending", "usual", "other", "said"),
    [
        ("py", STRING.format("Run"), "def run(a):\n    return 1", "public functions and methods have a docstring"),
        ("py", "class Shop:\n    '''Sells'''", "class Shop:\n    pass", "public classes have a docstring"),
        ("py", '# Ours\n"""Sells."""\nimport a', "# Ours\nimport a", "modules begin with a docstring"),
        ("rs", "//! Sells\nuse a;", "use a;", "files begin with what they are for"),
        (
            "py",
            STRING.format("Run\n\n    Args:\n        a: what"),
            STRING.format("Run\n\n    :param a: what"),
            "docstrings follow Google's style",
        ),
        (
            "py",
            STRING.format("\n    Run\n    it\n    "),
            STRING.format("Run\n    it\n    "),
            "on the line after their quotes",
        ),
        ("py", STRING.format("Run it."), STRING.format("Run it"), "first lines of docstrings end in a full stop"),
        (
            "java",
            "public class A {\n/** Runs. */\n@Fast\npublic void run() {}\n}",
            "class A {\npublic void run() {}\n}",
            "public methods",
        ),
        (
            "go",
            "package a\n\n// Run runs\nfunc Run() {}",
            "package a\n\nfunc Run() {}",
            "exported functions have a comment",
        ),
        (
            "go",
            "package a\n\n// run runs.\nfunc run() {}",
            "package a\n\n// run runs\nfunc run() {}",
            "end in a full stop",
        ),
        ("rs", "/// Runs\n#[inline]\npub fn run() {}", "#[inline]\npub fn run() {}", "public functions are documented"),
        ("rs", "/// A shop\npub struct Shop;", "pub struct Shop;", "public types are documented"),
        ("rs", "/// Returns all\nfn a() {}", "/// Return all\nfn a() {}", "say what they do: `Returns …`"),
        ("rs", "/// Get all\n/// Gets all\nfn a() {}", "/// Gets all\nfn a() {}", "begin with what to do: `Return …`"),
        (
            "rs",
            "struct A {\n    /// Its own name.\n    a: u8,\n    /// Long\n    /// and wide\n    b: u8,\n}",
            "struct A {\n    /// Its own name\n    a: u8,\n}",
            "docs of one line end in a full stop",
        ),
        ("rs", "enum A {\n    /// One thing\n    B,\n}", "/// One thing.\nenum A {}", "end without a full stop"),
        (
            "ts",
            "/** Runs */\nexport function run() {}",
            "export function run() {}",
            "exported functions have a comment",
        ),
    ],
    ids=[
        "python",
        "classes",
        "modules",
        "files",
        "google",
        "opening",
        "stop",
        "java",
        "go",
        "sentences",
        "rust",
        "types",
        "third",
        "bare",
        "stops",
        "no-stops",
        "typescript",
    ],
)
def test_what_nearly_all_have(ending: str, usual: str, other: str, said: str) -> None:
    found = mined(ending, [usual] * 76 + [other] * 4).find(said)
    assert (found.conforming, found.applicable) == (76, 80)
    assert [each.partition(":")[0] for each in found.violations] == [f"src/part{n}.{ending}" for n in range(76, 80)]


@pytest.mark.parametrize("ending", ["py", "go"])
def test_what_half_of_them_have_is_none(ending: str) -> None:
    halves = {
        "py": [STRING.format("Run"), "def run(a):\n    return 1"],
        "go": ["package a\n\n// Run\nfunc Run() {}", "package a\n\nfunc Run() {}"],
    }
    assert mined(ending, halves[ending] * 20).said == []


def test_what_is_private_needs_no_words() -> None:
    assert mined("py", ["def _run(a):\n    def inner():\n        pass"] * 30).said == []


def test_tests_need_no_words_and_are_not_measured() -> None:
    files = {f"src/part{n}.py": STRING.format("Run") for n in range(20)}
    files |= {f"tests/test_part{n}.py": "def make(a):\n    return 1\n" for n in range(20)}
    found = trial(files, families=[doc_comments.FAMILY]).find("docstring")
    assert (found.conforming, found.applicable) == (20, 20)
