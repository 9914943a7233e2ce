"""The head of a file: its first imports, as they stand one below the other, and where blank lines part them."""

import itertools
import sys
from collections.abc import Iterator, Sequence

from app.syntax.source import Import

MOST = 80
"""So many imports of a head are looked at."""

_JAVA = ("java.", "javax.")
_COMMENTS = ("#", "//", "/*", "*")
_AROUND = ("import (", ")")
_ELSEWHERE = frozenset(("export", "dynamic", "require"))


def is_standard(language: str | None, found: Import) -> bool:
    """Tell whether an import is of what comes with the language."""
    if language == "Python":
        return found.module.partition(".")[0] in sys.stdlib_module_names
    if language == "Java":
        return found.module.startswith(_JAVA)
    return not {"standard", "node", "builtin", "std", "core", "alloc"}.isdisjoint(found.forms)


def head_of(imports: Sequence[Import], lines: Sequence[str]) -> Iterator[tuple[Import, bool]]:
    """Give the first imports with nothing but comments between them, and whether a blank line stands before each."""
    last = 0
    for count, found in enumerate(imports):
        if not found.top or count == MOST:
            return
        if found.module == "__future__" or not _ELSEWHERE.isdisjoint(found.forms):
            continue
        between = [line.strip() for line in lines[last : found.line - 1]] if last else []
        if any(line and not line.startswith(_COMMENTS) and line not in _AROUND for line in between):
            return
        yield found, "" in between
        last = max(last, found.end_line)


def is_sorted(block: Sequence[Import], how: str) -> bool:
    """Tell whether imports that stand together are in the order of their modules, whole modules first if asked."""
    keys = [_key(found, how) for found in block]
    return all(one <= other for one, other in itertools.pairwise(keys) if _depth(one[1]) == _depth(other[1]))


def _key(found: Import, how: str) -> tuple[bool, str]:
    return (how == "whole first" and "module" not in found.forms, found.module.lower())


def _depth(module: str) -> str:
    # How relative imports of several depths follow each other is done in more than one way.
    return module[: len(module) - len(module.lstrip("./"))]
