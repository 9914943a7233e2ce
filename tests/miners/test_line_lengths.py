"""How long lines are at most, told or not."""

import pytest

from app.miners import declared, line_lengths
from tests.miners.trial import Trial, trial


def mined(ending: str, lengths: list[int], told: dict[str, str] | None = None) -> Trial:
    files = {f"src/m{number}.{ending}": f"a{'b' * (length - 1)}\n" for number, length in enumerate(lengths)}
    return trial(files | (told or {}), families=[line_lengths.FAMILY, declared.FAMILY])


def test_a_usual_width_that_nearly_all_keep() -> None:
    found = mined("py", [70, 86, 88, 80] * 15 + [140])
    assert found.said == ["Python lines have at most 88 characters (60 of 61)"]
    assert found.conventions[0].violations == ["src/m60.py:1"]


def test_few_files_and_lines_of_all_lengths_say_nothing() -> None:
    assert mined("py", [70] * 30).said == []
    assert mined("py", [70, 90, 110, 130, 150] * 12).said == []


@pytest.mark.parametrize(
    ("name", "text", "ending"),
    [
        ("pyproject.toml", "[tool.black]\nline-length = 93\n", "py"),
        ("rustfmt.toml", "max_width = 93\n", "rs"),
        (".prettierrc", '{ "printWidth": 93 }', "ts"),
        ("biome.json", '{ "formatter": { "lineWidth": 93 } }', "js"),
        (".editorconfig", "[*.md]\nmax_line_length = 200\n[*.{py,java}]\nmax_line_length = 93\n", "java"),
        (".editorconfig", "[*]\nmax_line_length = 93\n", "go"),
    ],
    ids=["black", "rustfmt", "prettier", "biome", "java", "all"],
)
def test_a_width_that_is_asked_for(name: str, text: str, ending: str) -> None:
    found = mined(ending, [90] * 30 + [100], {name: text}).find("at most 93 characters")
    place = found.measured.candidate.proposal.declared
    assert (found.conforming, found.applicable, place and place.path) == (30, 31, name)


def test_a_width_that_is_asked_of_one_folder_is_asked_there() -> None:
    files = {f"web/src/m{n}.ts": f"{'b' * 90}\n" for n in range(30)} | {"web/src/long.ts": f"{'b' * 100}\n"}
    files |= {f"tools/m{n}.ts": f"{'b' * 150}\n" for n in range(9)} | {"web/.prettierrc": '{ "printWidth": 93 }'}
    found = trial(files, families=[line_lengths.FAMILY]).find("at most 93 characters")
    assert str(found) == "TypeScript lines in `web/` have at most 93 characters (30 of 31)"


def test_a_linter_of_go_has_a_width_of_its_own() -> None:
    assert "at most 120" in mined("go", [110] * 30, {".golangci.yml": "enable:\n  - lll\n"}).said[0]
    told = "enable:\n  - lll\nsettings:\n  lll:\n    line-length: 140\n"
    assert "at most 140" in mined("go", [110] * 30, {".golangci.yml": told}).said[0]


def test_what_a_linter_forbids_is_said_once() -> None:
    told = {"setup.cfg": "[flake8]\nmax-line-length = 93\n"}
    assert mined("py", [90] * 30, told).said == ["Python lines have at most 93 characters (30 of 30)"]


def test_a_formatter_that_leaves_long_lines_contradicts_nobody() -> None:
    found = mined("py", [90, 150] * 15, {"pyproject.toml": "[tool.black]\nline-length = 93\n"})
    assert (found.said, found.contradicted) == ([], [])
