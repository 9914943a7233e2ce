"""Sentences for people: where something holds, in words."""

from collections.abc import Sequence

from app.domain.recognition import FileRole
from app.domain.rule import Scope
from app.miners.core.family import Finding

_MOST_EXCEPTIONS = 2
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
    if roles == _ROLES[FileRole.TEST] and roles in what.lower():
        roles = ""
    words = [finding.tongue if finding.tongue else "", roles, what[:1].lower() + what[1:]]
    text = " ".join(word for word in words if word)
    return f"{text[:1].upper()}{text[1:]}{places_in_words(finding.scope)}"


def roles_in_words(scope: Scope) -> str:
    """Name the roles of a scope; nothing where it speaks of all."""
    return " and ".join(_ROLES[role] for role in scope.roles)


def places_in_words(scope: Scope) -> str:
    """Name the places of a scope: ` in src/api/`; nothing where it speaks of all."""
    if not scope.include:
        return _but_not_in(scope)
    shown = [glob.removesuffix("**") if glob != "**" else glob for glob in scope.include]
    names = [f"`{name}`" for name in shown if not name.startswith("**/*.")]
    if not names:
        return _but_not_in(scope)
    return f" in {_listed(names)}{_but_not_in(scope)}"


def _but_not_in(scope: Scope) -> str:
    names = [f"`{glob.removesuffix('**')}`" for glob in scope.exclude[:_MOST_EXCEPTIONS]]
    if len(scope.exclude) > _MOST_EXCEPTIONS:
        names.append("other places")
    return f" (but not in {_listed(names)})" if names else ""


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
