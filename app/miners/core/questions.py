"""Closed questions about single nodes: a reader yields an answer for each site, a meaning gives it words and a rule."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import WRITTEN, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope, is_scattered
from app.syntax import Source

MOST_SITES = 400
"""So many sites of one file are asked; more of them would say the same again."""

Reader = Callable[[Source], Iterator[tuple[str, str]]]
"""Gives (question, answer) for each site of a file; an empty answer is a site without the mark that is asked for."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an answer means: the subject and the rest of a sentence, its sites, those that conform, how usual it is."""

    subject: str
    sentence: str
    applicable: Mapping[str, Any]
    conforming: Mapping[str, Any]
    usual: float
    category: PatternCategory
    kind: RuleKind = RuleKind.AST
    alternative: str | None = None
    weight: float = 1.0


def family(
    name: str,
    readers: Mapping[str, Reader],
    meaning: Callable[[Finding], Meaning | None],
    *,
    roles: frozenset[FileRole] = WRITTEN,
    least: Least | None = None,
    version: int = 1,
    endless: bool = False,
    most: int = 12,
) -> Family:
    """Make a family of questions; what an answer means is asked for its words, its rule and its prior."""

    def facts(source: Source) -> Any:
        found: dict[str, dict[str, int]] = {}
        for number, (question, answer) in enumerate(readers[source.language](source)):
            if number == MOST_SITES:
                break
            answers = found.setdefault(question, {})
            answers[answer] = answers.get(answer, 0) + 1
        return found or None

    def propose(finding: Finding) -> Proposal | None:
        meant = meaning(finding)
        if meant is None or is_scattered(finding.scope):
            return None
        rule = Rule(
            meant.kind,
            {"applicable": dict(meant.applicable), "conforming": dict(meant.conforming)},
            finding.scope,
            alternative=meant.alternative if finding.share < 1 else None,
        )
        sentence = f"{in_scope(finding, meant.subject)} {meant.sentence}"
        return Proposal(sentence, rule, meant.category, weight=meant.weight)

    def prior(finding: Finding) -> float:
        meant = meaning(finding)
        return 0.99 if meant is None else meant.usual

    return Family(
        name,
        votes,
        propose,
        facts=facts,
        version=version,
        languages=frozenset(readers),
        roles=roles,
        prior=prior,
        least=least or Least(sites=12, files=4, share=0.85),
        open=endless,
        most=most,
    )


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each site vote on its question."""
    for question, answers in (facts or {}).items():
        for answer, times in answers.items():
            yield Vote(question, (answer,) if answer else (), times)
