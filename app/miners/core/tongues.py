"""Joining what is said of JavaScript and of TypeScript alike: where it holds in both, it is one convention."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.domain.rule import Rule, normal_form
from app.miners.core.candidate import Candidate

_ALIKE = ("JavaScript", "TypeScript")
_BOTH = " and ".join(_ALIKE)
_FEW = 0.1
# What one language says of so few sites is not to narrow what the other says of many.
_ENOUGH, _ALL = 0.25, 99
# A folder with so much of what a language has is as good as all of it.
_NEARLY_ALL = 0.9


_SUFFIXES = {
    **dict.fromkeys(("js", "jsx", "mjs", "cjs"), "JavaScript"),
    **dict.fromkeys(("ts", "tsx", "mts", "cts"), "TypeScript"),
    "py": "Python",
    "go": "Go",
    "java": "Java",
    "rs": "Rust",
}
_LEAST_FILES, _LEAST_SHARE = 40, 0.03


def minor(paths: Iterable[str]) -> frozenset[str]:
    """List the languages of a few files beside the many of others: nobody asks how those few are written."""
    files = Counter(_SUFFIXES.get(path.rpartition(".")[2]) for path in paths)
    del files[None]
    few = (
        tongue for tongue, count in files.items() if tongue and count < min(_LEAST_FILES, files.total() * _LEAST_SHARE)
    )
    return frozenset(few)


def joined(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Make one candidate of two that say the same of the same places in languages that are as good as one."""
    kept: list[Candidate] = []
    places: dict[tuple[object, ...], int] = {}
    for candidate in candidates:
        if candidate.finding.tongue not in _ALIKE:
            kept.append(candidate)
            continue
        key = _key(candidate)
        place = places.setdefault(key, len(kept))
        if place == len(kept):
            kept.append(candidate)
        else:
            kept[place] = _of_both(kept[place], candidate)
    return _narrowed(kept)


def _narrowed(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Join what one language says of all its files and the other of its tests, say: in those it holds for both."""
    kept: list[Candidate] = []
    places: dict[tuple[object, ...], int] = {}
    for candidate in candidates:
        place = places.setdefault(_key(candidate)[:-1], len(kept)) if candidate.finding.tongue in _ALIKE else len(kept)
        if place == len(kept):
            kept.append(candidate)
            continue
        narrow, wide = sorted((kept[place], candidate), key=_breadth)
        apart = {*wide.proposal.rule.scope.languages}.isdisjoint(narrow.proposal.rule.scope.languages)
        if apart and narrow.finding.applicable >= _ENOUGH * wide.finding.applicable and _within(narrow, wide):
            kept[place] = _of_both(narrow, wide, by=narrow)
        else:
            kept.append(candidate)
    return kept


def _breadth(candidate: Candidate) -> int:
    """Tell of how many roles a candidate speaks; one that names none speaks of all."""
    return len(candidate.proposal.rule.scope.roles) or _ALL


def _within(narrow: Candidate, wide: Candidate) -> bool:
    roles = wide.proposal.rule.scope.roles
    return not roles or {*narrow.proposal.rule.scope.roles} <= {*roles}


def repeated(candidates: Sequence[Candidate]) -> list[Candidate]:
    """List what the few files of one language do as the many of the other do: it needs no sentence of its own."""
    asked = [candidate for candidate in candidates if candidate.finding.tongue in _ALIKE]
    most: dict[tuple[object, ...], int] = {}
    for candidate in asked:
        answer = _key(candidate)[:4]
        most[answer] = max(most.get(answer, 0), candidate.finding.conforming)
    return [each for each in asked if each.finding.conforming < _FEW * most[_key(each)[:4]]]


def _key(candidate: Candidate) -> tuple[object, ...]:
    finding, rule = candidate.finding, candidate.proposal.rule
    definition = str(normal_form(rule.definition))
    # What is declared is asked by its sentence, which names the language.
    topic = finding.topic.replace(f" {finding.tongue} ", " ", 1)
    include = () if finding.asked >= _NEARLY_ALL else rule.scope.include
    return (candidate.family, topic, finding.form, definition, include, rule.scope.roles)


def _of_both(one: Candidate, other: Candidate, by: Candidate | None = None) -> Candidate:
    """Make one of two, by the words and roles of the larger one, or of one that is named."""
    larger, smaller = sorted((one, other), key=lambda each: (each is not by, -each.finding.applicable))
    if larger.proposal.rule.scope.languages == smaller.proposal.rule.scope.languages:
        return larger
    scope = replace(
        larger.proposal.rule.scope,
        languages=tuple(sorted({*larger.proposal.rule.scope.languages, *smaller.proposal.rule.scope.languages})),
        exclude=tuple(sorted({*larger.proposal.rule.scope.exclude, *smaller.proposal.rule.scope.exclude})),
    )
    name = larger.proposal.name
    if name.startswith(f"{larger.finding.tongue} "):
        name = f"{_BOTH}{name.removeprefix(str(larger.finding.tongue))}"
    rule: Rule = replace(larger.proposal.rule, scope=scope, text=name)
    declared = larger.proposal.declared or smaller.proposal.declared
    proposal = replace(larger.proposal, name=name, rule=rule, declared=declared)
    return replace(larger, proposal=proposal, score=max(larger.score, smaller.score))
