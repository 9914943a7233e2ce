"""Arguments that could be left out, and never are."""

import pytest

from app.miners import passed_arguments
from tests.miners.trial import Trial, trial


def mined(files: dict[str, str]) -> Trial:
    return trial(files, families=[passed_arguments.FAMILY])


@pytest.mark.parametrize(
    ("call", "bare", "said"),
    [
        ('open(path, encoding="utf-8")', "open(path)", "Python calls of `open` for text pass `encoding`"),
        (
            'Path(path).read_text(encoding="utf-8")',
            "Path(path).read_text()",
            "Python calls of `read_text` and `write_text` pass `encoding`",
        ),
        ("subprocess.run(args, check=True)", "subprocess.run(args)", "Python calls of `subprocess.run` pass `check`"),
        ("requests.get(url, timeout=3)", "requests.get(url)", "Python calls of `requests` pass `timeout`"),
        ("zip(a, b, strict=True)", "zip(a, b)", "Python calls of `zip` pass `strict`"),
        ('warnings.warn("x", stacklevel=2)', 'warnings.warn("x")', "Python calls of `warnings.warn` pass `stacklevel`"),
    ],
)
def test_arguments_of_python(call: str, bare: str, said: str) -> None:
    files = {f"src/part{n}.py": f"x = {call}\n" for n in range(29)}
    files["src/other.py"] = f"import a\nx = {bare}\n"
    found = mined(files)
    assert found.said == [f"{said} (29 of 30)"]
    assert found.conventions[0].violations == ["src/other.py:2"]


@pytest.mark.parametrize(("ending", "language"), [("ts", "TypeScript"), ("js", "JavaScript"), ("tsx", "TypeScript")])
def test_the_radix(ending: str, language: str) -> None:
    files = {f"src/part{n}.{ending}": "const x = parseInt(a, 10);\n" for n in range(29)}
    files[f"src/other.{ending}"] = "const x = Number.parseInt(a);\n"
    assert mined(files).said == [f"{language} calls of `parseInt` pass the radix (29 of 30)"]


@pytest.mark.parametrize(
    "line",
    [
        'open(path, "rb")',
        'open(path, mode="wb")',
        "open(path, **options)",
        "self.open(path)",
        "manager.zip(a, b)",
        "app.run(check=False)",
        "process.warn('x')",
    ],
)
def test_other_calls_are_not_asked(line: str) -> None:
    files = {f"src/part{n}.py": f'x = open(path, encoding="utf-8")\ny = {line}\n' for n in range(20)}
    assert mined(files).said == ["Python calls of `open` for text pass `encoding` (20 of 20)"]


def test_arguments_that_some_pass_and_that_must_be_passed() -> None:
    files = {
        f"src/part{n}.py": f"x = open(path{', encoding=e' if n % 2 else ''})\nsend(a, timeout=3, who=b)\n"
        for n in range(30)
    }
    assert mined(files).said == []
