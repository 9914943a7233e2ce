"""How code looks where a language leaves it open."""

import pytest

from app.miners import formatting
from tests.miners.trial import Trial, trial


def mined(ending: str, bodies: list[str]) -> Trial:
    files = {f"src/part{number}.{ending}": f"{body}\n" for number, body in enumerate(bodies)}
    return trial(files, families=[formatting.FAMILY])


def block(indent: str) -> str:
    return f"class A {{\n{indent}void a() {{\n{indent}{indent}run(1);\n{indent}{indent}run(2);\n{indent}}}\n}}"


@pytest.mark.parametrize(
    ("ending", "usual", "other", "said"),
    [
        ("java", block("  "), block("    "), "Java files are indented by 2 spaces"),
        ("ts", block("    "), block("  "), "TypeScript files are indented by 4 spaces"),
        ("js", block("\t"), block("  "), "JavaScript files are indented with tabs"),
        ("py", "run('a')", 'run("a")', "Python texts stand in single quotes"),
        ("py", 'run("a")', "run('a')", "Python texts stand in double quotes"),
        ("ts", 'import a from "a"', "import a from 'a'", "TypeScript texts stand in double quotes"),
        ("ts", "const a = b", "const a = b;", "TypeScript statements end without semicolons"),
        ("tsx", "const a = <A b='c' />", 'const a = <A b="c" />', "attributes in JSX stand in single quotes"),
        (
            "java",
            "class A { void a() {\n  if (b) {\n    c();\n  }\n  else {\n    d();\n  }\n} }",
            "class A { void a() {\n  if (b) {\n    c();\n  } else {\n    d();\n  }\n} }",
            "Java `else`, `catch` and `finally` stand on a line of their own",
        ),
        (
            "java",
            "public final class A extends B {\n\n    int b;\n}\nclass C {\n}",
            "public final class A {\n    int b;\n}",
            "Java bodies of types begin with an empty line",
        ),
    ],
    ids=["two", "four", "tabs", "single", "double", "modules", "bare", "attributes", "else", "head"],
)
def test_the_look_of_nearly_all(ending: str, usual: str, other: str, said: str) -> None:
    found = mined(ending, [usual] * 57 + [other] * 3).find(said)
    assert (found.conforming, found.applicable) == (57, 60)
    assert [each.partition(":")[0] for each in found.violations] == [f"src/part{n}.{ending}" for n in (57, 58, 59)]


def test_texts_that_need_the_other_quote_do_not_count() -> None:
    found = mined("py", ["run('a')\nrun(\"it's\")"] * 30).find("quotes")
    assert found.applicable == 30


def test_what_tools_do_unasked_is_no_news() -> None:
    found = mined("py", [block("    ")] * 30)
    assert found.said == []


def test_mixtures_are_none() -> None:
    assert mined("ts", ["const a = b", "const a = b;"] * 20).said == []
