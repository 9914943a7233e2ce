"""Curating: what people edit of a pattern besides its status: words, owner, evidence and links; and merging two."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, select, update
from sqlalchemy.orm import aliased

from app.db import models
from app.db.history import Step, record, touch
from app.db.tx import Tx
from app.domain.errors import Conflict, Invalid, InvalidTransition, NotFound
from app.domain.ids import Kind, public
from app.domain.links import Link
from app.domain.pattern import Move, PatternEventKind, advance, may_be_reviewed
from app.domain.viewer import Viewer
from app.reads import deciding, organizations


@dataclass(frozen=True, slots=True)
class Merged:
    """The pattern that two became, and how many places it gained."""

    pattern_id: UUID
    evidence_added: int


async def revise(
    tx: Tx, viewer: Viewer, pattern_id: UUID, edits: Mapping[str, Any], *, expected_version: int | None = None
) -> None:
    """Edit a pattern, column by column; what is the same already is no change."""
    (pattern,) = await deciding.hold_for(tx.session, viewer, pattern_id)
    deciding.expect(pattern, expected_version)
    owner_id = edits.get("owner_id")
    if owner_id is not None and await organizations.find_role(tx.session, pattern.organization_id, owner_id) is None:
        raise NotFound("No such person in this organization.")
    changed = {column: value for column, value in edits.items() if getattr(pattern, column) != value}
    for column, value in changed.items():
        setattr(pattern, column, value)
    pattern.pr_review = pattern.pr_review and may_be_reviewed(pattern.category)
    tx.audit(viewer, "updatePattern", Kind.PATTERN, pattern.id, pattern.organization_id)
    if changed:
        what = ", ".join(column.removesuffix("_id").replace("_", " ") for column in changed)
        await _write_down(tx, viewer, pattern, PatternEventKind.UPDATED, f"Changed: {what}.")


async def merge(tx: Tx, viewer: Viewer, candidate_id: UUID, into_id: UUID) -> Merged:
    """Let one pattern take another's place, with its evidence, its links and what runs recognize it by."""
    if candidate_id == into_id:
        raise Invalid("A pattern cannot be merged into itself.", fields={"intoId": "is the candidate itself"})
    candidate, target = await deciding.hold_to_move(tx.session, viewer, candidate_id, into_id)
    if candidate.repo_id != target.repo_id:
        raise Invalid(
            "Patterns of two repositories cannot be merged.", fields={"intoId": "is a pattern of another repository"}
        )
    before = candidate.status
    candidate.status = advance(before, Move.MERGE, lambda: deciding.standing_of(candidate))
    if target.superseded_by_id is not None:
        raise InvalidTransition("Another pattern has taken this one's place.", **deciding.standing_of(target))
    now = datetime.now(UTC)
    candidate.status_changed_at, candidate.status_changed_by_id = now, viewer.user_id
    candidate.superseded_by_id = target.id
    candidate.rejection_reason = f"Merged into: {target.name}"
    touch(candidate, now)
    touch(target, now)
    added = await _move_evidence(tx, candidate, target)
    await _move_links(tx, candidate, target)
    known_by = update(models.Fingerprint).where(models.Fingerprint.pattern_id == candidate.id)
    await tx.session.execute(known_by.values(pattern_id=target.id))
    tx.audit(viewer, "mergePattern", Kind.PATTERN, target.id, target.organization_id)
    steps = [
        Step(candidate.id, PatternEventKind.MERGED, f"Merged into: {target.name}", before, to_status=candidate.status),
        Step(target.id, PatternEventKind.MERGED, f"Took the place of: {candidate.name}. Evidence added: {added}."),
    ]
    await record(tx, target.repo_id, target.organization_id, viewer.user_id, now, steps)
    return Merged(target.id, added)


async def remove_evidence(tx: Tx, viewer: Viewer, evidence_id: UUID) -> UUID:
    """Take a place away from what shows a pattern; give the pattern."""
    pattern, evidence = await deciding.hold_part(tx.session, viewer, models.Evidence, evidence_id, "evidence")
    if evidence.is_counterexample:
        # What does not conform is measured, never chosen.
        raise Invalid("A counter-example goes when its place changes.", fields={"evidenceId": "is a counter-example"})
    await tx.session.delete(evidence)
    tx.audit(viewer, "removeEvidence", Kind.EVIDENCE, evidence.id, evidence.organization_id)
    await _write_down(tx, viewer, pattern, PatternEventKind.EVIDENCE, f"Removed: {_place(evidence)}")
    return pattern.id


async def choose_canonical(tx: Tx, viewer: Viewer, evidence_id: UUID) -> UUID:
    """Make a place the example to show; give the pattern."""
    pattern, evidence = await deciding.hold_part(tx.session, viewer, models.Evidence, evidence_id, "evidence")
    if evidence.is_counterexample or evidence.is_stale:
        fault = "is a counter-example" if evidence.is_counterexample else "no longer stands there"
        raise Invalid("This is no example to show.", fields={"evidenceId": fault})
    tx.audit(viewer, "setCanonicalEvidence", Kind.EVIDENCE, evidence.id, evidence.organization_id)
    if not evidence.is_canonical:
        # One statement after the other: at no moment two are canonical.
        siblings = update(models.Evidence).where(models.Evidence.pattern_id == pattern.id, models.Evidence.is_canonical)
        await tx.session.execute(siblings.values(is_canonical=False))
        evidence.is_canonical = True
        await _write_down(tx, viewer, pattern, PatternEventKind.EVIDENCE, f"Canonical: {_place(evidence)}")
    return pattern.id


async def add_link(tx: Tx, viewer: Viewer, pattern_id: UUID, link: Link) -> None:
    """Say by a link why a pattern is there."""
    (pattern,) = await deciding.hold_for(tx.session, viewer, pattern_id)
    made = await deciding.new_links(tx.session, viewer, pattern, [link])
    if not made:
        known = select(models.Provenance.id).where(
            models.Provenance.pattern_id == pattern.id, models.Provenance.url == link.url
        )
        identifier = (await tx.session.execute(known)).scalar_one()
        raise Conflict("The pattern has this link already.", provenanceId=public(Kind.PROVENANCE, identifier))
    tx.session.add_all(made)
    tx.audit(viewer, "addProvenance", Kind.PATTERN, pattern.id, pattern.organization_id)
    await _write_down(tx, viewer, pattern, PatternEventKind.PROVENANCE, f"Added: {made[0].title or made[0].url}")


async def remove_link(tx: Tx, viewer: Viewer, provenance_id: UUID) -> UUID:
    """Take away a link; give the pattern."""
    pattern, link = await deciding.hold_part(tx.session, viewer, models.Provenance, provenance_id, "link")
    await tx.session.delete(link)
    tx.audit(viewer, "removeProvenance", Kind.PROVENANCE, link.id, link.organization_id)
    await _write_down(tx, viewer, pattern, PatternEventKind.PROVENANCE, f"Removed: {link.title or link.url}")
    return pattern.id


async def _write_down(tx: Tx, viewer: Viewer, pattern: models.Pattern, kind: PatternEventKind, message: str) -> None:
    now = datetime.now(UTC)
    touch(pattern, now)
    step = Step(pattern.id, kind, message)
    await record(tx, pattern.repo_id, pattern.organization_id, viewer.user_id, now, [step])


async def _move_evidence(tx: Tx, candidate: models.Pattern, target: models.Pattern) -> int:
    """Give a pattern the places of another that it does not have; what was measured as not conforming stays."""
    moved, known = models.Evidence, aliased(models.Evidence)
    theirs = known.pattern_id == target.id, known.is_counterexample.is_(False)
    twin = exists().where(
        *theirs,
        known.path == moved.path,
        known.start_line.is_not_distinct_from(moved.start_line),
        known.end_line.is_not_distinct_from(moved.end_line),
    )
    last = select(func.coalesce(func.max(known.rank), -1)).where(*theirs).scalar_subquery()
    has_canonical = exists().where(*theirs, known.is_canonical)
    given = (
        update(moved)
        .where(moved.pattern_id == candidate.id, moved.is_counterexample.is_(False), ~twin)
        .values(pattern_id=target.id, rank=last + 1 + moved.rank, is_canonical=and_(moved.is_canonical, ~has_canonical))
        .execution_options(synchronize_session=False)
    )
    return len((await tx.session.execute(given.returning(moved.id))).all())


async def _move_links(tx: Tx, candidate: models.Pattern, target: models.Pattern) -> None:
    moved, known = models.Provenance, aliased(models.Provenance)
    twin = exists().where(known.pattern_id == target.id, known.url == moved.url)
    given = update(moved).where(moved.pattern_id == candidate.id, ~twin).values(pattern_id=target.id)
    await tx.session.execute(given.execution_options(synchronize_session=False))


def _place(evidence: models.Evidence) -> str:
    if evidence.start_line is None:
        return evidence.path[:1900]
    return f"{evidence.path[:1900]}:{evidence.start_line}"
