"""Which errors are raised, and what is done with those that are caught."""

import pytest

from app.miners import error_handling, raised_errors
from app.miners.core.family import Family
from tests.miners.trial import Trial, trial

PYTHON = "try:\n    run()\nexcept {0}:\n    {1}\n"
SCRIPT = "try {{ run(); }} catch ({0}) {{\n  {1}\n}}\n"
JAVA = "class A {{ void run() {{ try {{ go(); }} catch ({0} e) {{\n  {1}\n}} }} }}\n"
GO = "package a\n\nfunc run() error {{\n\tif err := do(); err != nil {{\n\t\t{0}\n\t}}\n\treturn nil\n}}\n"
RUST = "fn run() -> R {{ {0} }}\n\n#[cfg(test)]\nmod tests {{\n    fn b() {{ a().unwrap(); }}\n}}\n"


def mined(ending: str, bodies: list[str], family: Family = error_handling.FAMILY) -> Trial:
    return trial({f"src/part{number}.{ending}": body for number, body in enumerate(bodies)}, families=[family])


CASES = {
    "from": (
        "py",
        PYTHON.format("KeyError as e", 'raise Lost("a") from e'),
        PYTHON.format("KeyError", 'raise Lost("a")'),
        "Python exceptions raised in an `except` name their cause (`raise … from`)",
    ),
    "broad": (
        "py",
        PYTHON.format("(KeyError, ValueError) as e", "pass"),
        PYTHON.format("Exception", "pass"),
        "Python handlers name the exceptions that they expect; none is `except Exception` or bare",
    ),
    "ts-cause": (
        "ts",
        SCRIPT.format("e", 'throw new Error("Lost", { cause: e });'),
        SCRIPT.format("e", 'throw new Error("Lost");'),
        "TypeScript errors thrown in a `catch` carry what was caught as `cause`",
    ),
    "unknown": (
        "tsx",
        SCRIPT.format("e: unknown", "log(e);"),
        SCRIPT.format("e", "log(e);"),
        "TypeScript caught errors are typed `unknown`",
    ),
    "java-cause": (
        "java",
        JAVA.format("IOException", 'throw new Lost("a" + b(c), e);'),
        JAVA.format("IOException", 'throw new Lost("a");'),
        "Java exceptions thrown in a `catch` carry what was caught as their cause",
    ),
    "java-broad": (
        "java",
        JAVA.format("A | IOException", "log(e);"),
        JAVA.format("Exception", "log(e);"),
        "Java handlers name the exceptions that they expect; none is `catch (Exception …)`",
    ),
    "verb": (
        "go",
        GO.format('log(fmt.Errorf("a %s: %w", b, err))'),
        GO.format('log(fmt.Errorf("a: %v", err))'),
        "Go errors are passed to `fmt.Errorf` last, as `%w`",
    ),
    "opening": (
        "go",
        GO.format('log(fmt.Errorf("failed to run: %w", err))'),
        GO.format('log(fmt.Errorf("running: %w", err))'),
        "Go errors that wrap another begin with `failed to …`",
    ),
    "wrapped": (
        "go",
        GO.format('return fmt.Errorf("running: %w", err)'),
        GO.format("return err"),
        "Go errors are wrapped with what was being done before they are returned",
    ),
    "expect": (
        "rs",
        RUST.format('a().expect("it is there")'),
        RUST.format("a().unwrap()"),
        "Rust results and options are unwrapped by `expect` with a reason, not by `unwrap`",
    ),
    "unwrap": (
        "rs",
        RUST.format("a()?"),
        RUST.format("a()?; b.unwrap()"),
        "Rust files that pass errors on by `?` do without `unwrap`, outside of tests",
    ),
}
RAISED = {
    "class": (
        "ts",
        "throw new RPCError({ code });\n",
        "throw new Error('a');\n",
        "TypeScript thrown errors are `RPCError`",
    ),
    "python-class": (
        "py",
        "raise errors.Refused(1)\n",
        "raise ValueError(1)\n",
        "Python raised errors are `Refused`",
    ),
    "java-class": (
        "java",
        "class A { void a() { throw new Refused<>(1); } }\n",
        "class A { void a() { throw new Other(1); } }\n",
        "Java thrown errors are `Refused`",
    ),
    "stop": (
        "py",
        'raise ValueError(\n    f"It is {a}."\n    " No more.",\n)\n',
        'raise ValueError("It is")\n',
        "Python messages of errors end in a full stop",
    ),
    "small": (
        "js",
        'throw new Error("it is so");\n',
        'throw new Error("It is so");\n',
        "JavaScript messages of errors begin with a small letter",
    ),
}
ASKED = [
    *(pytest.param(error_handling.FAMILY, *case, id=name) for name, case in CASES.items()),
    *(pytest.param(raised_errors.FAMILY, *case, id=name) for name, case in RAISED.items()),
]


@pytest.mark.parametrize(("family", "ending", "usual", "other", "said"), ASKED)
def test_nearly_all_do_it(family: Family, ending: str, usual: str, other: str, said: str) -> None:
    found = mined(ending, [usual] * 50 + [other], family).find(said)
    assert str(found) == f"{said} (50 of 51)"
    assert [place.partition(":")[0] for place in found.violations] == [f"src/part50.{ending}"]


@pytest.mark.parametrize(("family", "ending", "usual", "other", "said"), ASKED)
def test_what_half_of_them_do_is_none(family: Family, ending: str, usual: str, other: str, said: str) -> None:
    assert said not in [each.name for each in mined(ending, [usual, other] * 20, family).conventions]


def test_classes_of_ones_own_for_built_in_ones() -> None:
    sites = [f"throw new Refused{number}('a');\n" for number in range(40)]
    found = mined("ts", [*sites, "throw new TypeError('a');\n"], raised_errors.FAMILY).find("specific")
    assert str(found) == "TypeScript thrown errors are of specific classes, not of built-in ones (40 of 41)"
    assert found.violations == ["src/part40.ts:1"]


def test_that_something_is_not_done_is_no_choice_of_a_class() -> None:
    assert mined("py", ["raise NotImplementedError('Not here')\n"] * 30, raised_errors.FAMILY).said == []


def test_an_error_that_is_raised_again_needs_no_cause() -> None:
    assert mined("py", [PYTHON.format("KeyError", "raise")] * 30).find("handlers").applicable == 30


def test_that_errors_are_of_one_class_is_not_said_again_as_of_no_built_in_one() -> None:
    bodies = ['export function run() { throw new ShopError("a"); }\n'] * 40
    found = mined("ts", [*bodies, 'export function run() { throw new Error("a"); }\n'], raised_errors.FAMILY)
    said = [each for each in found.conventions if each.violations == ["src/part40.ts:1"]]
    assert len(said) == 1, found.said
    assert found.suppressed.counts["said by another"] >= 1
