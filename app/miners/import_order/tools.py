"""Where tools are asked to keep imports in order, and which order they make."""

import re
from itertools import pairwise

from app.miners.core.family import SCRIPTS

# Where tools are asked to keep an order: the names of files, what stands in them, and for which languages.
_TOOLS: tuple[tuple[str, str, str, frozenset[str]], ...] = (
    (r"\.isort\.cfg", r"^\[", "isort", frozenset(("Python",))),
    (r"setup\.cfg|tox\.ini|pyproject\.toml", r"^\[(?:tool[.:])?isort\]", "isort", frozenset(("Python",))),
    (
        r"pyproject\.toml|\.?ruff\.toml",
        r"^\s*(?:extend-)?select\s*=\s*\[[^\]]*\"(?:I|I001|ALL)\"",
        "ruff",
        frozenset(("Python",)),
    ),
    (
        r"\.pre-commit-config\.yaml",
        r"^\s*-?\s*id:\s*(?:isort|usort|reorder-python-imports)",
        "pre-commit",
        frozenset(("Python",)),
    ),
    (r"\.golangci\.(?:ya?ml|toml|json)", r"\b(?:goimports|gci)\b", "golangci-lint", frozenset(("Go",))),
    (
        r"\.eslintrc(?:\.\w+)?|eslint\.config\.\w+|package\.json",
        r"simple-import-sort|import(?:-x)?/order\b|perfectionist/sort-imports|\bsort-imports\b",
        "eslint",
        SCRIPTS,
    ),
    (
        r"\.prettierrc(?:\.\w+)?|prettier\.config\.\w+|package\.json",
        r"importOrder\b|prettier-plugin-(?:organize|sort)-imports",
        "prettier",
        SCRIPTS,
    ),
    (r"biome\.jsonc?", r"\"organizeImports\"", "biome", SCRIPTS),
    (r"\.?rustfmt\.toml", r"^group_imports\s*=\s*\"StdExternalCrate\"", "rustfmt", frozenset(("Rust",))),
    (
        r"build\.gradle(?:\.kts)?",
        r"\bimportOrder\b|googleJavaFormat|palantirJavaFormat",
        "spotless",
        frozenset(("Java",)),
    ),
    (r"pom\.xml", r"<importOrder>|<googleJavaFormat", "spotless", frozenset(("Java",))),
    (r".*checkstyle.*\.xml", r"(?:Custom)?ImportOrder", "checkstyle", frozenset(("Java",))),
)
# What some of them make of it unless they are told otherwise; of the others it is told in too many ways.
MADE = {"isort": "S|P|O", "ruff": "S|P|O", "pre-commit": "S|P|O", "golangci-lint": "S|PO", "rustfmt": "S|P|O"}
# Who wants no groups has an order that nobody else has.
_UNPARTED = re.compile(r"no[-_]sections\s*=\s*[Tt]rue")
CONFIGURATIONS = re.compile("|".join(("go\\.mod", *(name for name, *_ in _TOOLS))))


def asked_in(name: str, text: str) -> list[list[object]]:
    """List the tools that a configuration asks to keep an order, each with the line and the languages."""
    tools: list[list[object]] = []
    for names, words, tool, languages in _TOOLS:
        if not re.fullmatch(names, name) or (tool in MADE and _UNPARTED.search(text)):
            continue
        if found := re.search(words, text, re.MULTILINE):
            tools.append([tool, text.count("\n", 0, found.end()) + 1, sorted(languages)])
    return tools


def statement_of(tool: str) -> str:
    """Say what is declared."""
    return f"{tool} keeps imports in order"


def turns_round(layout: str, made: str) -> bool:
    """Tell whether an order has groups before each other that a tool's has after each other."""
    ranks = {kind: rank for rank, group in enumerate(made.split("|")) for kind in group}
    told = [{ranks[kind] for kind in group if kind in ranks} for group in layout.split("|")]
    return any(max(one, default=-1) > min(other, default=99) for one, other in pairwise(told))
