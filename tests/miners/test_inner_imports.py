"""Imports at the top of files, and inside functions."""

from app.miners import inner_imports
from tests.miners.trial import Trial, trial

INNER = "def f():\n    import json\n    return json\n"


def mined(texts: list[str], ending: str = "py") -> Trial:
    files = {f"src/m{number}.{ending}": text for number, text in enumerate(texts)}
    return trial(files, families=[inner_imports.FAMILY])


def test_imports_stand_at_the_top() -> None:
    found = mined(["import os\n"] * 150 + [f"import os\n\n\n{INNER}"] + ["x = 1\n"] * 9).find("top")
    assert str(found) == "Python files import at their top, never inside functions (150 of 151)"
    assert found.violations == ["src/m150.py:5"]
    assert found.measured.candidate.proposal.rule.alternative == "inside functions"


def test_what_is_for_types_or_may_be_missing_does_not_count() -> None:
    typed = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from a import B\n"
    tried = "def f():\n    try:\n        import rich\n    except ImportError:\n        rich = None\n    return rich\n"
    found = mined(["import os\n"] * 100 + [typed] * 10 + [f"import os\n\n\n{tried}"] * 10)
    assert found.said == ["Python files import at their top, never inside functions (120 of 120)"]


def test_required_modules_of_node() -> None:
    inner = 'function f() {\n  return require("b");\n}\n'
    tried = 'function g() {\n  try {\n    return require("c");\n  } catch {\n    return null;\n  }\n}\n'
    usual = 'const a = require("a");\n'
    found = mined([usual] * 99 + [usual + tried] + [usual + inner], "js").find("top")
    assert str(found) == "JavaScript files call `require` at their top, never inside functions (100 of 101)"
    assert found.violations == ["src/m100.js:3"]


def test_uses_of_rust() -> None:
    usual = "use a::b;\n\nmod tests {\n    use super::*;\n}\n"
    found = mined([usual] * 100 + ["use a::b;\n\nfn f() {\n    use c::d;\n}\n"], "rs").find("top")
    assert str(found) == "Rust files import (`use`) at their top, never inside functions (100 of 101)"
    assert found.violations == ["src/m100.rs:4"]


def test_some_repositories_import_inside() -> None:
    found = mined([INNER] * 29 + ["import os\n"]).find("inside")
    assert str(found) == "Python files import inside the functions that need it (29 of 30)"


def test_that_nearly_all_files_do_so_is_no_news() -> None:
    assert mined(["import os\n"] * 95 + [INNER] * 5).said == []


def test_that_a_small_part_does_so_is_chance() -> None:
    files = {f"src/a/m{number}.py": "import os\n" for number in range(30)}
    files |= {f"src/b/m{number}.py": INNER if number % 3 else "import os\n" for number in range(30)}
    assert trial(files, families=[inner_imports.FAMILY]).said == []
