"""Sentences for people: where something holds, in words."""

import re
from collections.abc import Sequence

from app.domain.recognition import FileRole
from app.domain.rule import Scope
from app.miners.core.family import Finding

_MOST_PLACES, _MOST_EXCEPTIONS, _MOST_PARTS = 2, 2, 3
# What folders have in common is said once where it is so long, and exceptions are counted where their names are.
_LONG, _LONG_EXCEPTIONS = 20, 64
# So many letters of folders a sentence bears before nobody finds its verb.
_ROOM = 110
_MOST_LETTERS = 200
_OF_A_SUFFIX = re.compile(r"(?<=/)\*\*/\*\.\w+$")
_ROLES = {
    FileRole.SOURCE: "source",
    FileRole.TEST: "test",
    FileRole.MIGRATION: "migration",
    FileRole.EXAMPLE: "example",
    FileRole.CONFIG: "configuration",
    FileRole.DOCS: "documentation",
    FileRole.FIXTURE: "fixture",
    FileRole.GENERATED: "generated",
    FileRole.ASSET: "asset",
}


def in_scope(finding: Finding, what: str) -> str:
    """Begin a sentence: what it is about and where, as `Python test files in tests/api/` are."""
    roles = roles_in_words(finding.scope)
    # That tests are test code goes without saying.
    if FileRole.TEST in finding.scope.roles and _ROLES[FileRole.TEST] in what.lower():
        roles = ""
    # A word in capitals stays one in the middle of a sentence.
    inner = what if what[1:2].isupper() else what[:1].lower() + what[1:]
    words = [finding.tongue if finding.tongue else "", roles, inner]
    text = " ".join(word for word in words if word)
    places = places_in_words(finding.scope, finding.tongue)
    if what.lower().endswith("folders"):
        places = places.removeprefix(" in folders")
    return f"{text[:1].upper()}{text[1:]}{places}"


def is_scattered(scope: Scope) -> bool:
    """Tell whether something holds in several places with as many exceptions, so that nobody could learn where."""
    return len(scope.include) > _MOST_PLACES and len(scope.exclude) > _MOST_EXCEPTIONS


def roles_in_words(scope: Scope) -> str:
    """Name the roles of a scope; nothing where it speaks of all."""
    return _listed([_ROLES[role] for role in scope.roles]) if scope.roles else ""


def places_in_words(scope: Scope, tongue: str | None = None) -> str:
    """Name the places of a scope: ` in src/api/`; nothing where it speaks of all."""
    if not scope.include:
        return _but_not_in(scope)
    # Of files that are told by their suffix, it is said already.
    shown = [_OF_A_SUFFIX.sub("**", glob).removesuffix("**") if glob != "**" else glob for glob in scope.include]
    # That files of a suffix have it goes without saying; that they are `*.rule.ts` does not.
    names = [name if name.endswith("/") else name.removeprefix("**/") for name in shown if name != f"**/*{tongue}"]
    places, exceptions = listed_places(names), _but_not_in(scope)
    if len(places) + len(exceptions) > _ROOM:
        exceptions = _counted(scope)
    if len(places) + len(exceptions) > _ROOM and len(names) > _MOST_PLACES:
        common = _in_common(names)
        places = (
            f" in {len(names)} folders of `{common}`"
            if common
            else f" in `{names[0]}` and {len(names) - 1} more places"
        )
    return places + exceptions


def listed_places(names: Sequence[str]) -> str:
    """Name some places, so many that a sentence can bear: ` in `a/`, `b/` and 3 more places`."""
    if not names:
        return ""
    common = _in_common(names)
    if len(names) > 1 and len(common) >= _LONG:
        end = "/" if all(name.endswith("/") for name in names) else ""
        parts = [name[len(common) :].removesuffix(end) for name in names]
        parts[_MOST_PARTS:] = ["…"] if len(parts) > _MOST_PARTS else []
        return f" in `{common}{{{','.join(parts)}}}{end}`"
    if len(names) == 1 and names[0].startswith("**/"):
        return f" in folders `{names[0].removeprefix('**/')}`"
    shown = [f"`{name}`" for name in names]
    if len(shown) > _MOST_PLACES + 1:
        shown[_MOST_PLACES:] = [f"{len(shown) - _MOST_PLACES} more places"]
    return f" in {_listed(shown)}"


def _in_common(names: Sequence[str]) -> str:
    """Give the folder that some folders are all below of."""
    first, last = min(names), max(names)
    same = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[: first.rfind("/", 0, same) + 1]


def _but_not_in(scope: Scope) -> str:
    if not scope.exclude:
        return ""
    # Of what a folder holds, the folder need not be named again.
    whole = scope.include[0].removesuffix("**") if len(scope.include) == 1 else ""
    inside = bool(whole) and all(glob.startswith(whole) for glob in scope.exclude)
    names = [glob.removesuffix("**")[len(whole) * inside :] for glob in scope.exclude]
    shown = [f"`{name}`" for name in names]
    if len(names) > _MOST_EXCEPTIONS or sum(map(len, shown)) > _LONG_EXCEPTIONS:
        return _counted(scope)
    return f" (but not in {'its ' if inside else ''}{_listed(shown)})"


def _counted(scope: Scope) -> str:
    count = len(scope.exclude)
    return f" (but not in {count} places)" if count > 1 else " (with one exception)" if count else ""


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def with_lines(begin: str, lines: Sequence[str], most: int, what: str = "line", *, more: int = 0) -> str:
    """End a sentence by some lines of code, as many as a sentence can bear, none of them cut but an only one.

    So many more are there that are not worth being shown.
    """
    shown: list[str] = []
    # Each line has two marks, a comma and a space; what is left out is told in some letters more.
    room = _MOST_LETTERS - len(begin) - len(f" and 99 more {what}s")
    for line in lines[:most]:
        room -= len(line) + 4
        if shown and room < 0:
            break
        shown.append(line)
    left = len(lines) - len(shown) + more
    rest = f" and {_many(left, f'more {what}')}" if left else ""
    room = _MOST_LETTERS - len(begin) - len(rest) - len(" ``")
    if len(shown) == 1 and len(shown[0]) > room:
        shown[0] = f"{shown[0][: max(room - 1, 0)]}…"
    return f"{begin} {', '.join(f'`{line}`' for line in shown)}{rest}"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
