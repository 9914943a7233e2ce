"""How programs tell what they do."""

import pytest

from app.miners import log_style
from tests.miners.trial import Trial, trial


def mined(ending: str, bodies: list[str]) -> Trial:
    files = {f"src/part{number}.{ending}": f"{body}\n" for number, body in enumerate(bodies)}
    return trial(files, families=[log_style.FAMILY])


JAVA = "class A {{\n    {}\n}}"


@pytest.mark.parametrize(
    ("ending", "usual", "other", "said"),
    [
        ("py", "_log = logging.getLogger(__name__)", "log = logging.getLogger(__name__)", "loggers are called `_log`"),
        (
            "py",
            "log = logging.getLogger(__name__)",
            "log = logging.getLogger('a')",
            "loggers are made for their module",
        ),
        (
            "py",
            "log = get_logger(__name__)",
            "log = logging.getLogger(__name__)",
            "are made by `get_logger(…)`, not by",
        ),
        ("go", "package a", "package a\n\nfunc Run() { fmt.Println(1) }", "never use `fmt.Println`"),
        ("py", 'logger.info("%s", a)', 'logger.info(f"{a}")', "leave formatting to the logger"),
        ("py", 'self.log.info(f"{a}")', 'self.log.info("%s", a)', "are built as f-strings"),
        ("py", "run()", "print(1)", "never use `print`"),
        ("ts", "run();", "console.log(1);", "never use `console.log`"),
        ("rs", "fn run() {}", 'fn run() { println!("a"); }', "never use `println!` and the like"),
        ("java", JAVA.format("Logger LOG = f();"), JAVA.format("Logger log = f();"), "loggers are called `LOG`"),
        ("java", JAVA.format("void a() { run(); }"), JAVA.format("void a() { System.out.print(1); }"), "never use"),
    ],
    ids=["name", "maker", "made by", "go", "lazy", "f-string", "print", "console", "rust", "java", "system out"],
)
def test_what_nearly_all_do(ending: str, usual: str, other: str, said: str) -> None:
    found = mined(ending, [usual] * 98 + [other] * 2).find(said)
    assert (found.conforming, found.applicable) == (98, 100)
    assert [each.partition(":")[0] for each in found.violations] == [f"src/part{n}.{ending}" for n in (98, 99)]


def test_a_mixture_is_none() -> None:
    said = mined("py", ['logger.info("%s", a)', 'logger.info(f"{a}")'] * 20).said
    assert [each for each in said if "messages" in each] == []


def test_plain_messages_are_no_choice() -> None:
    assert [each for each in mined("py", ['logger.info("done")'] * 40).said if "messages" in each] == []


def test_tests_and_scripts_of_examples_may_print() -> None:
    files = {f"src/part{n}.py": "run()\n" for n in range(60)} | {f"tests/test_{n}.py": "print(1)\n" for n in range(60)}
    found = trial(files, families=[log_style.FAMILY]).find("print")
    assert (found.conforming, found.applicable) == (60, 60)


def test_programs_of_go_may_print() -> None:
    assert mined("go", ["package main\n\nfunc main() { fmt.Println(1) }", "package main"] * 20).said == []
