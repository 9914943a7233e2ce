"""Joining what is said of JavaScript and of TypeScript alike: where it holds in both, it is one convention."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.domain.rule import Rule, normal_form
from app.miners.core.candidate import Candidate

_ALIKE = ("JavaScript", "TypeScript")
_BOTH = " and ".join(_ALIKE)
_FEW = 0.05
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
    return kept


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


def _of_both(one: Candidate, other: Candidate) -> Candidate:
    larger, smaller = sorted((one, other), key=lambda each: -each.finding.applicable)
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
