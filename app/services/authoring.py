"""Authoring: patterns that people write, whose rules are measured before anything is written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from app.checkers.registry import columns_of_ready, ready
from app.db import models
from app.db.history import Step, record, touch
from app.db.tx import Tx
from app.domain import confidence
from app.domain.confidence import Facts, Team
from app.domain.errors import Conflict, NotFound
from app.domain.ids import Kind, new_id, public
from app.domain.pattern import (
    CodeCategory,
    EvidenceSource,
    PatternCategory,
    PatternEventKind,
    PatternStatus,
    PatternType,
    Severity,
    may_be_reviewed,
)
from app.domain.rule import Rule, RuleKind, read_rule
from app.domain.viewer import Viewer
from app.reads import accounts, deciding


@dataclass(frozen=True, slots=True)
class Measured:
    """What a worker saw a rule do in a repository, and the places that show it."""

    commit: str
    applicable: int
    conforming: int
    categories: Mapping[CodeCategory, int]
    alternative: str | None
    places: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Read the answer of a worker."""
        return cls(
            commit=answer["commit"],
            applicable=answer["applicable"],
            conforming=answer["conforming"],
            categories={CodeCategory[name]: count for name, count in answer["categories"].items()},
            alternative=answer["alternative"],
            places=answer["places"],
        )

    @property
    def adoption(self) -> float | None:
        """Conforming of applicable; None where there is nothing to conform."""
        return self.conforming / self.applicable if self.applicable else None

    @property
    def counterexamples(self) -> list[Mapping[str, Any]]:
        """The places that do not conform."""
        return [place for place in self.places if place["is_counterexample"]]


@dataclass(frozen=True, slots=True)
class Draft:
    """A pattern as a person writes it."""

    repo_id: UUID
    name: str
    description: str
    type: PatternType
    category: PatternCategory
    rule: Rule
    language: str | None = None
    severity: Severity = Severity.WARNING
    rationale: str | None = None


def read(
    kind: RuleKind,
    definition: Any,
    *,
    languages: Sequence[str],
    include: Sequence[str],
    exclude: Sequence[str],
    judged: bool = False,
) -> Rule:
    """Read a rule that a person wrote, or refuse one that could not be run.

    `judged` allows a rule that a model judges, which nobody can write by hand, but edit.
    """
    rule = read_rule(kind, definition, languages=languages, include=include, exclude=exclude)
    if not (judged and kind is RuleKind.LLM):
        ready(rule)
    return rule


async def create(tx: Tx, viewer: Viewer, draft: Draft, measured: Measured) -> UUID:
    """Write a pattern down as a candidate, with what was measured of it a moment ago."""
    repo = await deciding.repo_for(tx.session, viewer, draft.repo_id, lock=True)
    author = await accounts.find(tx.session, viewer.user_id)
    if author is None:
        raise NotFound("No such person.")
    now = datetime.now(UTC)
    pattern = models.Pattern(
        id=new_id(),
        repo_id=repo.id,
        organization_id=repo.organization_id,
        name=draft.name,
        description=draft.description,
        type=draft.type,
        category=draft.category,
        language=draft.language,
        severity=draft.severity,
        rationale=draft.rationale,
        extracted_by=f"person {author.login}",
        pr_review=may_be_reviewed(draft.category),
        status_changed_by_id=viewer.user_id,
        **columns_of_ready(draft.rule),
        **_columns(draft.type, measured),
    )
    tx.session.add(pattern)
    await tx.session.flush()
    await _show(tx, pattern, measured)
    tx.audit(viewer, "createPattern", Kind.PATTERN, pattern.id, pattern.organization_id)
    said = f"Measured: {measured.conforming} of {measured.applicable}."
    step = Step(pattern.id, PatternEventKind.CREATED, said, None, PatternStatus.CANDIDATE)
    await record(tx, repo.id, repo.organization_id, viewer.user_id, now, [step])
    return pattern.id


async def rewrite(
    tx: Tx, viewer: Viewer, pattern_id: UUID, rule: Rule, measured: Measured | None, seen_version: int
) -> None:
    """Give a pattern another rule or scope, and what was measured of it; None for one that a model judges."""
    (pattern,) = await deciding.hold_for(tx.session, viewer, pattern_id)
    deciding.expect(pattern, seen_version)
    now = datetime.now(UTC)
    for column, value in {**columns_of_ready(rule), **_columns(pattern.type, measured)}.items():
        setattr(pattern, column, value)
    touch(pattern, now)
    await tx.session.flush()
    if measured is not None:
        gone = delete(models.Evidence).where(
            models.Evidence.pattern_id == pattern.id, models.Evidence.added_by != EvidenceSource.PERSON
        )
        await tx.session.execute(gone)
        await _show(tx, pattern, measured)
    tx.audit(viewer, "updatePattern", Kind.PATTERN, pattern.id, pattern.organization_id)
    step = Step(pattern.id, PatternEventKind.UPDATED, "Changed: rule.")
    await record(tx, pattern.repo_id, pattern.organization_id, viewer.user_id, now, [step])


def _columns(kind: PatternType, measured: Measured | None) -> dict[str, Any]:
    """Judge what was measured; people and times are for the next run to find out."""
    if measured is None:
        counts = {"applicable": None, "conforming": None, "instances": None, "tier": None, "consistency": None}
        return {**counts, "consistency_note": None, "insight_text": None, "insight_actions": [], **_NO_BACKTEST}
    facts = Facts(kind, measured.conforming, measured.applicable, measured.conforming)
    consistency, note = confidence.consistency_of(facts.adoption)
    locations = confidence.locations_of(measured.categories)
    return {
        "applicable": measured.applicable,
        "conforming": measured.conforming,
        "instances": measured.conforming,
        "tier": confidence.tier_of(facts, Team()),
        "consistency": consistency,
        "consistency_note": note,
        "primary_location": locations[0][0] if locations else None,
        "locations": [{"category": category.value, "instances": count} for category, count in locations],
        "insight_text": None,
        "insight_actions": [],
        **_NO_BACKTEST,
    }


# What another rule would have caught says nothing about this one.
_NO_BACKTEST = dict.fromkeys(
    (
        "backtest_violations",
        "backtest_pull_requests",
        "backtest_examined",
        "backtest_window_days",
        "backtest_computed_at",
    )
)


async def _show(tx: Tx, pattern: models.Pattern, measured: Measured) -> None:
    """Add the places that were measured to those that people chose."""
    kept = (
        await tx.session.execute(
            select(func.coalesce(func.max(models.Evidence.rank), -1), func.bool_or(models.Evidence.is_canonical)).where(
                models.Evidence.pattern_id == pattern.id
            )
        )
    ).one()
    rows = [
        {
            "id": new_id(),
            "pattern_id": pattern.id,
            "organization_id": pattern.organization_id,
            "rank": kept[0] + 1 + number,
            "is_canonical": number == 0 and not kept[1] and not place["is_counterexample"],
            **_evidence_columns(place, measured.commit),
            "added_by": EvidenceSource.MINER,
        }
        for number, place in enumerate(measured.places)
    ]
    if rows:
        await tx.session.execute(insert(models.Evidence), rows)


def _evidence_columns(place: Mapping[str, Any], commit: str) -> dict[str, Any]:
    """Spell a place that a worker found as columns."""
    at = place.get("authored_at")
    return {
        "path": place["path"],
        "start_line": place["start_line"],
        "end_line": place["end_line"],
        "snippet": place["snippet"],
        "blob_id": place["blob_id"],
        "commit_sha": commit,
        "code_category": CodeCategory[place["code_category"]],
        "author": place.get("author"),
        "authored_at": None if at is None else datetime.fromisoformat(at),
        "is_counterexample": place.get("is_counterexample", False),
    }


async def add_evidence(tx: Tx, viewer: Viewer, pattern_id: UUID, place: Mapping[str, Any], *, canonical: bool) -> UUID:
    """Add a place that a person points at, as a worker found it."""
    (pattern,) = await deciding.hold_for(tx.session, viewer, pattern_id)
    evidence = models.Evidence
    theirs = evidence.pattern_id == pattern.id
    twin = await tx.session.scalar(
        select(evidence.id).where(
            theirs,
            evidence.path == place["path"],
            evidence.start_line.is_not_distinct_from(place["start_line"]),
            evidence.end_line.is_not_distinct_from(place["end_line"]),
        )
    )
    if twin is not None:
        raise Conflict("The pattern has this evidence already.", evidenceId=public(Kind.EVIDENCE, twin))
    if canonical:
        await tx.session.execute(update(evidence).where(theirs, evidence.is_canonical).values(is_canonical=False))
    last = await tx.session.scalar(select(func.max(evidence.rank)).where(theirs))
    row = evidence(
        id=new_id(),
        pattern_id=pattern.id,
        organization_id=pattern.organization_id,
        rank=0 if last is None else last + 1,
        is_canonical=canonical,
        added_by=EvidenceSource.PERSON,
        **_evidence_columns(place, place["commit"]),
    )
    tx.session.add(row)
    now = datetime.now(UTC)
    touch(pattern, now)
    tx.audit(viewer, "addEvidence", Kind.EVIDENCE, row.id, pattern.organization_id)
    said = f"Added: {row.path[:1900]}{'' if row.start_line is None else f':{row.start_line}'}"
    step = Step(pattern.id, PatternEventKind.EVIDENCE, said)
    await record(tx, pattern.repo_id, pattern.organization_id, viewer.user_id, now, [step])
    return row.id
