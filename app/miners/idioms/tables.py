"""A family whose conventions are rows of a table, by language: the table counts and is the rule at once."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from app.domain.rule import Rule, RuleKind
from app.miners.core.family import TONGUES, WRITTEN, Family, File, Finding, Least, Proposal, Vote, World, tongue_of
from app.miners.core.words import in_scope, is_scattered
from app.miners.idioms.shapes import Idiom, answers, definition_of
from app.syntax import Source

_CHOSEN, _OTHER = "chosen", "other"
_LEAST_OF_A_PLACE, _LEAST_OF_ITS_OWN = 80, 30
_RARE, _NEARLY_ALL = 0.15, 0.8

Tables = Mapping[str, tuple[Idiom, ...]]
"""Rows by language; what is said of TypeScript is said of TSX."""


_ANYWHERE = 99


def family(
    name: str,
    tables: Tables,
    *,
    most: int,
    version: int = 1,
    places: int = _ANYWHERE,
    sites: int = 12,
    files: int = 5,
) -> Family:
    """Make a family of some tables; what it asks is settled in so many places at most, by so many sites at least."""
    named = {tongue: {idiom.question: idiom for idiom in table} for tongue, table in tables.items()}

    def facts(source: Source) -> Any:
        found: dict[str, list[int]] = {}
        for question, chosen in answers(source, tables[TONGUES.get(source.language, source.language)]):
            found.setdefault(question, [0, 0])[not chosen] += 1
        return found or None

    def votes(file: File, facts: Any, _: World) -> Iterable[Vote]:
        asked = named.get(tongue_of(file) or "", {})
        for question, (chosen, other) in (facts or {}).items():
            idiom = asked.get(question)
            if idiom is not None and file.role in idiom.roles:
                if chosen:
                    yield Vote(question, (_CHOSEN,), chosen)
                if other:
                    yield Vote(question, (_OTHER,), other)

    def propose(finding: Finding) -> Proposal | None:
        if max(len(finding.scope.include), len(finding.scope.exclude)) > places:
            return None
        return _proposal(named[finding.tongue or ""][finding.topic], finding)

    def prior(finding: Finding) -> float:
        idiom = named[finding.tongue or ""][finding.topic]
        return idiom.usual if finding.form == _CHOSEN else idiom.usually_against

    return Family(
        name,
        votes,
        propose,
        facts=facts,
        version=version,
        languages=frozenset((*tables, *(each for each, tongue in TONGUES.items() if tongue in tables))),
        prior=prior,
        least=Least(sites=sites, files=files, share=0.88, careful=0.8),
        most=most,
    )


def _proposal(idiom: Idiom, finding: Finding) -> Proposal | None:
    """Say which way is taken."""
    chosen = finding.form == _CHOSEN
    says = idiom.says if chosen else idiom.against
    # So few in some corner of a repository that does otherwise may well be so by chance.
    lonely = bool(finding.scope.include) and finding.elsewhere is not None and finding.applicable < _LEAST_OF_A_PLACE
    usual = idiom.usual if chosen else idiom.usually_against
    if finding.applicable >= _LEAST_OF_ITS_OWN and usual <= _RARE and finding.gathered >= _NEARLY_ALL:
        # What hardly anybody does, and of this repository this place alone, is its own way.
        lonely = False
    if says is None or lonely or is_scattered(finding.scope):
        return None
    scope = finding.scope
    if idiom.roles != WRITTEN:
        scope = replace(scope, roles=tuple(sorted(idiom.roles, key=lambda role: role.value)))
    alternative = idiom.alternative if chosen else idiom.instead
    rule = Rule(
        RuleKind.AST,
        definition_of(idiom, finding.tongue or "", chosen),
        scope,
        alternative=alternative if finding.share < 1 else None,
    )
    return Proposal(f"{in_scope(finding, idiom.subject)} {says}", rule, idiom.category, weight=idiom.weight)
