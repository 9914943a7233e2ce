"""What is reached at one place only."""

import pytest

from app.miners.idioms import access
from tests.miners.trial import Trial, trial

REACHED = {
    "py": ("shop/{}.py", "import os\nA = os.environ['A'], os.getenv('B'), os.environ.get('C')\n", "settings", "Python"),
    "ts": (
        "src/{}.ts",
        "export const a = [process.env.A, process.env['B'], import.meta.env.C];\n",
        "env",
        "TypeScript",
    ),
    "go": (
        "shop/{}.go",
        'package a\n\nvar a, b, c = os.Getenv("A"), os.Getenv("B"), f(os.LookupEnv("C"))\n',
        "config",
        "Go",
    ),
    "java": (
        "src/main/java/{}.java",
        'class A { String[] a = { System.getenv("A"), System.getenv("B"), System.getProperty("C") }; }\n',
        "AppConfig",
        "Java",
    ),
    "rs": ("src/{}.rs", 'fn a() { f(env::var("A"), std::env::var("B"), env::var_os("C")) }\n', "config", "Rust"),
}


def mined(path: str, reaching: dict[str, str], others: int = 30) -> Trial:
    plain = {path.format(f"part{n}"): "x = 1\n" if path.endswith("py") else "\n" for n in range(others)}
    files = {**plain, **reaching}
    # One file may have one author; where there is one only, it is nobody's habit.
    return trial(files, families=[access.FAMILY], authors=dict.fromkeys(files, "ada"))


@pytest.mark.parametrize("ending", REACHED)
def test_the_environment_is_read_at_one_place(ending: str) -> None:
    path, text, name, language = REACHED[ending]
    place, leak = path.format(name), path.format("leaky")
    leaking = text.replace("os.environ['A'], ", "").replace("process.env.A, ", "").replace('env::var("A"), ', "")
    leaking = leaking.replace('os.Getenv("A"), os.Getenv("B")', "1, 2").replace('System.getenv("A"), ', "")
    found = mined(path, {place: text * 6, leak: leaking}).find("environment")
    assert found.name == f"{language} code reads variables of the environment only in `{place}`"
    assert found.conforming == 18
    assert {each.partition(":")[0] for each in found.violations} == {leak}


def test_a_place_of_one_package() -> None:
    _, text, *_ = REACHED["ts"]
    files = {"libs/a/src/env.ts": text * 4, "libs/a/package.json": "{}", "libs/b/one.ts": text}
    assert mined("libs/a/src/{}.ts", files).said == [
        "TypeScript code in `libs/a/` reads variables of the environment only in `libs/a/src/env.ts` (12 of 12)"
    ]


def test_a_clock() -> None:
    text = "package clock\n\nfunc Now() T { return time.Now() }\n" * 8
    assert mined("internal/{}.go", {"internal/clock/clock.go": text}).said == [
        "Go code asks for the time only in `internal/clock/clock.go` (8 of 8)"
    ]


@pytest.mark.parametrize(
    "reaching",
    [
        # It is called after something else; it is reached everywhere; what a build replaces is no variable.
        {"src/billing.ts": REACHED["ts"][1] * 6},
        {f"src/config{n}.ts": REACHED["ts"][1] for n in range(10)},
        {"src/env.ts": "if (process.env.NODE_ENV) run();\n" * 20},
    ],
    ids=["name", "many", "build"],
)
def test_what_says_nothing(reaching: dict[str, str]) -> None:
    assert mined("src/{}.ts", reaching).said == []


def test_in_few_files_nothing_is_far_from_anything() -> None:
    assert mined("src/{}.ts", {"src/env.ts": REACHED["ts"][1] * 6}, others=8).said == []
