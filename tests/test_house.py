"""The house tests itself: which room may use what, and how a room looks. The floors also stand in pyproject.toml."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
ROOMS = ("app", "resolvers", "workers", "migrations", "tests")
LINES = 400

# Each part of app, and what it may import of app besides itself; its floor in words stands in the README.
FLOORS: dict[str, set[str] | None] = {
    "app": None,
    "app.cli": None,
    "app.main": None,
    "app.web": {
        *("app.services", "app.reads", "app.runtime", "app.domain"),
        *("app.observe", "app.config", "app.credentials", "app.rates", "app"),
    },
    "app.services": {
        *("app.reads", "app.db", "app.domain", "app.credentials"),
        *("app.miners", "app.checkers", "app.exporters"),
    },
    "app.runtime": {
        *("app.db", "app.gateways", "app.hands", "app.rates", "app.credentials"),
        *("app.domain", "app.config", "app.observe"),
    },
    "app.rates": {"app.gateways", "app.config", "app.domain"},
    "app.embedded": {"app.children", "app.db", "app.domain", "app.config"},
    "app.children": {"app.domain"},
    "app.hands": set(),
    "app.reads": {"app.db", "app.domain"},
    "app.gateways": {"app.domain"},
    "app.miners": {"app.domain", "app.syntax"},
    "app.checkers": {"app.domain", "app.syntax"},
    "app.exporters": {"app.domain", "app.syntax"},
    "app.syntax": {"app.domain"},
    "app.db": {"app.domain"},
    "app.credentials": {"app.domain"},
    "app.observe": {"app.config", "app.domain", "app"},
    "app.config": set(),
    "app.domain": set(),
    "resolvers": {
        *("app.services", "app.reads", "app.runtime", "app.domain", "app.db"),
        *("app.observe", "app.config", "app.credentials", "app.rates"),
    },
    "workers": {
        *("app.services", "app.reads", "app.runtime", "app.gateways", "app.miners", "app.checkers", "app.exporters"),
        *("app.hands", "app.domain", "app.syntax", "app.observe", "app.config", "app"),
    },
}

# What stands outside: who may use it. What is not named here is anybody's.
OUTSIDE = {
    "sqlalchemy": {"app.db", "app.reads", "app.services", "app.runtime", "resolvers", "workers", "migrations"},
    "asyncpg": {"app.db", "app.embedded", "app.reads", "app.runtime"},
    "redis": {"app.gateways", "app.runtime", "workers"},
    "arq": {"app.gateways", "workers"},
    "strawberry": {"resolvers"},
    "graphql": {"resolvers"},
    "starlette": {"app.main", "app.web", "app.observe", "resolvers"},
    "uvicorn": {"app.main", "resolvers"},
    "prometheus_client": {"app.observe"},
    "opentelemetry": {"app.observe"},
    "alembic": {"app.db", "migrations"},
    "jose": {"app.services", "app.credentials"},
    "argon2": {"app.services", "app.credentials"},
    "typer": {"app.cli"},
    "rich": {"app.cli"},
    "anthropic": {"app.gateways"},
    "githubkit": {"app.gateways"},
    "tree_sitter": {"app.syntax"},
    "ast_grep_py": {"app.syntax"},
    "re2": {"app.checkers"},
}

# The plugs are pure functions: no clock, no environment, no network, no files.
IMPURE = {"asyncio", "datetime", "os", "pathlib", "random", "secrets", "socket", "subprocess", "time", "urllib"}

# A transaction begins and ends in one place; a migration is one, too, and is no part of any decision.
TRANSACTIONS = {"app/runtime.py", "app/db/reaching.py"}

# Imports inside of functions hide what a file needs. These save each start of a process what only some starts use.
LATE = {
    "app/cli/__init__.py": "tenet --help and each command load only what they need",
    "app/cli/ground.py": "a process whose URLs are set needs no embedded servers",
    "app/cli/ingest.py": "who speaks to a service that runs needs no database driver",
    "app/cli/run.py": "only tenet run --repo needs clients",
    "app/cli/parts.py": "the API never loads the workers, nor a worker the API",
    "app/db/migrating.py": "only the step that migrates needs alembic",
    "app/gateways/web.py": "the API asks others over HTTP rarely, and a client costs each start",
    "app/observe/traces.py": "OpenTelemetry is an extra, and costs where it is installed",
}

NAMES_OF_NOTHING = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "base", "misc", "shared"}


def sources(*rooms: str) -> Iterator[tuple[str, ast.Module]]:
    """Give every file of some rooms, parsed."""
    for room in rooms:
        for path in sorted((TOP / room).rglob("*.py")):
            yield path.relative_to(TOP).as_posix(), ast.parse(path.read_text())


FILES = dict(sources(*ROOMS))


def part_of(module: str) -> str:
    """Name the part of the house that a module or a file belongs to."""
    words = module.removesuffix(".py").replace("/", ".").removesuffix(".__init__").split(".")
    return ".".join(words[:2]) if words[0] == "app" else words[0]


def imports_of(tree: ast.Module) -> Iterator[str]:
    """List what a file imports, as modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            # `from app import observe` takes a part, `from app import __version__` a word of the package itself.
            parts = [f"{module}.{alias.name}" for alias in node.names if module == "app"]
            yield from ([part for part in parts if part in FLOORS] or [module]) if parts else [module]


def test_every_part_stands_on_a_floor() -> None:
    parts = {part_of(file) for file in FILES if not file.startswith(("tests/", "migrations/"))}
    assert parts <= set(FLOORS), "a new room: say in FLOORS, in pyproject.toml and in the README what it may import"


@pytest.mark.parametrize("part", [part for part, allowed in FLOORS.items() if allowed is not None])
def test_imports_lead_downwards(part: str) -> None:
    allowed = (FLOORS[part] or set()) | {part}
    wrong = [
        f"{file} imports {module}"
        for file, tree in FILES.items()
        if part_of(file) == part
        for module in imports_of(tree)
        if module.split(".")[0] in ("app", "resolvers", "workers", "migrations", "tests")
        and part_of(module) not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("package", OUTSIDE)
def test_each_outside_package_has_its_rooms(package: str) -> None:
    wrong = [
        f"{file} imports {module}"
        for file, tree in FILES.items()
        if not file.startswith("tests/") and part_of(file) not in OUTSIDE[package]
        for module in imports_of(tree)
        if module.split(".")[0] == package
    ]
    assert wrong == []


def test_the_domain_is_plain_python_and_plugs_are_pure() -> None:
    wrong = [
        f"{file} imports {module}"
        for file, tree in FILES.items()
        for module in imports_of(tree)
        if (part_of(file) == "app.domain" and module.split(".")[0] not in {*sys.stdlib_module_names, "app"})
        or (part_of(file) in ("app.miners", "app.checkers", "app.exporters") and module.split(".")[0] in IMPURE)
    ]
    assert wrong == []


def test_families_of_conventions_do_not_know_each_other() -> None:
    wrong = [
        f"{file} imports {module}"
        for file, tree in FILES.items()
        if re.fullmatch(r"app/miners/(?!registry|__init__)\w+\.py", file)
        for module in imports_of(tree)
        if module.startswith("app.miners") and not module.startswith("app.miners.core")
    ]
    assert wrong == []


def test_decisions_do_not_call_each_other() -> None:
    wrong = [
        f"{file} imports {module}"
        for file, tree in FILES.items()
        if part_of(file) == "app.services"
        for module in imports_of(tree)
        if module.startswith("app.services") and not file.startswith(module.replace(".", "/"))
    ]
    assert wrong == []


def test_only_the_runtime_commits() -> None:
    enders = {"begin", "begin_nested", "commit", "rollback"}
    found = {
        file
        for file, tree in FILES.items()
        if not file.startswith(("tests/", "migrations/"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in enders
    }
    assert found == TRANSACTIONS


def test_decisions_write_in_the_transaction_they_are_given() -> None:
    wrong = [
        f"{file}: {node.name}"
        for file, tree in FILES.items()
        if part_of(file) == "app.services"
        for node in tree.body
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_") and node.args.args[0].arg != "tx"
    ]
    assert wrong == []


def test_imports_stand_at_the_top_but_for_those_that_save_a_start() -> None:
    late = {
        file
        for file, tree in FILES.items()
        if not file.startswith("tests/")
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert late == set(LATE)


def test_no_cancellation_gets_lost() -> None:
    # Before Python 3.12 asyncio.wait_for forgets one that comes as it is done; `async with asyncio.timeout` does not.
    wrong = [
        f"{file}:{node.lineno}"
        for file, tree in FILES.items()
        if not file.startswith("tests/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "asyncio.wait_for"
    ]
    assert wrong == []


def test_names_say_what_is_inside() -> None:
    wrong = [
        file
        for file in FILES
        for word in re.split(r"[/_]", file.removesuffix(".py"))
        if word in NAMES_OF_NOTHING or word != word.lower()
    ]
    assert wrong == []


def test_every_file_says_what_it_is() -> None:
    assert [file for file, tree in FILES.items() if not ast.get_docstring(tree)] == []


def test_whatever_others_use_says_what_it_does() -> None:
    wrong = [
        f"{file}: {node.name}"
        for file, tree in FILES.items()
        if not file.startswith(("tests/", "migrations/"))
        for parent in ast.walk(tree)
        # A class with parents may override what they have described.
        if isinstance(parent, ast.Module)
        or (isinstance(parent, ast.ClassDef) and not parent.bases and not parent.name.startswith("_"))
        for node in parent.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert wrong == []


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    # A migration is read once, from top to bottom, and a list of tests is looked up, not read through.
    rooms = [file for file in FILES if not file.startswith(("migrations/", "tests/"))]
    long = {file: len((TOP / file).read_text().splitlines()) for file in rooms}
    assert {file: lines for file, lines in long.items() if lines > LINES} == {}


def test_nothing_names_a_machine_or_a_registry() -> None:
    strange = re.compile(r"(^|[^\w.])/(work|farm|root)/|pypi[.]org|pythonhosted[.]org")
    tops = [path for path in TOP.iterdir() if path.is_file() and path.suffix != ".lock"]
    texts = {path.name: path.read_text(errors="replace") for path in tops if not path.name.startswith(".git")}
    texts |= {file: (TOP / file).read_text() for file in FILES}
    assert [name for name, text in texts.items() if strange.search(text)] == []


def test_the_contract_of_import_linter_knows_every_part() -> None:
    contract = (TOP / "pyproject.toml").read_text().partition("[tool.importlinter]")[2]
    named = set(re.findall(r"[a-z.]+", "".join(re.findall(r"^layers = \[$(.*?)^\]$", contract, re.M | re.S))))
    assert set(FLOORS) - {"app"} <= named
