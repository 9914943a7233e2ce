"""What names that which a rule finds in given files, so that it can be kept: the rule, and what else it looks at."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any

from app.domain.listing import Listing
from app.domain.rule import Rule, RuleKind, stored


def keys_of(rules: Sequence[Rule], listing: Listing) -> list[str]:
    """Name what each rule finds in given files; one that looks at the paths of others finds it among these alone."""

    @cache
    def told_of(what: str) -> str:
        looked_at: dict[str, Iterable[str]] = {
            "paths": listing.paths,
            "Python": listing.python_packages,
            "Java": listing.java_packages,
            "Go": listing.folders,
        }
        return _digest(sorted(looked_at[what]))

    found = []
    for rule in rules:
        scope = rule.scope
        told = [rule.kind.value, stored(rule), scope.languages, scope.include, scope.exclude]
        found.append(_digest([*told, [role.value for role in scope.roles], *map(told_of, _looked_at(rule))]))
    return found


def is_fleeting(rule: Rule) -> bool:
    """Tell whether what a rule finds is sooner found again than kept: it reads no file, and new paths change it."""
    return rule.kind is RuleKind.PATH and "paths" in _looked_at(rule)


def _looked_at(rule: Rule) -> list[str]:
    """Say what a rule looks up in the listing of all paths."""
    parts = set(_names(rule.definition))
    match rule.kind:
        case RuleKind.PATH if parts & {"twin", "holds"} or rule.definition.get("per") == "folder":
            return ["paths"]
        case RuleKind.IMPORT if "target" in parts:
            return ["paths"]
        case RuleKind.IMPORT if "internal" in parts:
            # Elsewhere the words of the import tell.
            return [each for each in ("Python", "Java", "Go") if each in (rule.scope.languages or (each,))]
        case _:
            return []


def _names(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        for name, value in part.items():
            yield name
            yield from _names(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _names(value)


def _digest(told: Any) -> str:
    return blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=12).hexdigest()
