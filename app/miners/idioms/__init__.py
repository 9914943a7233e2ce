"""Choices that a language leaves open and that guides settle: `===`, trailing commas, `Vec::new()`, braces, f-strings.

Says, for instance: "Python texts are put together by f-strings, not by `%` or `.format`" and "Java parameters are
`final`". Each choice is a row of a table, by language; the table counts and is the rule at once.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.domain.rule import Rule, RuleKind
from app.miners.core.family import TONGUES, WRITTEN, Family, File, Finding, Least, Proposal, Vote, World, tongue_of
from app.miners.core.words import in_scope
from app.miners.idioms import golang, java, python, rust, scripts
from app.miners.idioms.shapes import Idiom, answers, definition_of
from app.syntax import Source

_TABLES: dict[str, tuple[Idiom, ...]] = {
    "Python": python.IDIOMS,
    "JavaScript": scripts.IDIOMS + scripts.UNTYPED,
    "TypeScript": scripts.IDIOMS + scripts.TYPED,
    "Go": golang.IDIOMS,
    "Java": java.IDIOMS,
    "Rust": rust.IDIOMS,
}
_NAMED = {tongue: {idiom.question: idiom for idiom in table} for tongue, table in _TABLES.items()}
_CHOSEN, _OTHER = "chosen", "other"


def facts(source: Source) -> Any:
    """Count the answers by question: those of the first way, and those of the other."""
    found: dict[str, list[int]] = {}
    for question, chosen in answers(source, _TABLES[TONGUES.get(source.language, source.language)]):
        found.setdefault(question, [0, 0])[not chosen] += 1
    return found or None


def votes(file: File, facts: Any, _: World) -> Iterable[Vote]:
    """Let each site vote, where its question is asked of such files at all."""
    asked = _NAMED.get(tongue_of(file) or "", {})
    for question, (chosen, other) in (facts or {}).items():
        idiom = asked.get(question)
        if idiom is not None and file.role in idiom.roles:
            if chosen:
                yield Vote(question, (_CHOSEN,), chosen)
            if other:
                yield Vote(question, (_OTHER,), other)


def propose(finding: Finding) -> Proposal | None:
    """Say which way is taken."""
    idiom, tongue = _NAMED[finding.tongue or ""][finding.topic], finding.tongue or ""
    chosen = finding.form == _CHOSEN
    says = idiom.says if chosen else idiom.against
    if says is None:
        return None
    scope = finding.scope
    if idiom.roles != WRITTEN:
        scope = replace(scope, roles=tuple(sorted(idiom.roles, key=lambda role: role.value)))
    alternative = idiom.alternative if chosen else idiom.instead
    rule = Rule(
        RuleKind.AST,
        definition_of(idiom, tongue, chosen),
        scope,
        alternative=alternative if finding.share < 1 else None,
    )
    return Proposal(f"{in_scope(finding, idiom.subject)} {says}", rule, idiom.category, weight=idiom.weight)


def prior(finding: Finding) -> float:
    """Know how many take this way anyway."""
    idiom = _NAMED[finding.tongue or ""][finding.topic]
    return idiom.usual if finding.form == _CHOSEN else idiom.usually_against


FAMILY = Family(
    "idioms",
    votes,
    propose,
    facts=facts,
    languages=frozenset((*_TABLES, *TONGUES)),
    prior=prior,
    least=Least(sites=12, files=5, share=0.88, careful=0.8),
    most=16,
)
