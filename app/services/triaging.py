"""Triaging: the moves of patterns from one status to another, by people and by the table of moves."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from app.checkers.registry import ready
from app.db.history import Step, record, record_alone
from app.db.tx import Outcome, Stroke, Tx
from app.domain.errors import Invalid, InvalidTransition, NotFound, Refusal
from app.domain.ids import Kind
from app.domain.links import Link
from app.domain.pattern import RECORDED_AS, Move, PatternStatus, advance, may_be_reviewed, move_to
from app.domain.rule import RuleKind, read_rule
from app.domain.viewer import Viewer
from app.reads import deciding
from app.reads.deciding import Standing

# What takes a pattern's place must itself be in force, or on its way there.
_PAST = (PatternStatus.REJECTED, PatternStatus.DEPRECATED)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decides about one pattern: a move, or the status that one leads to."""

    pattern_id: UUID
    wanted: Move | PatternStatus
    expected_version: int | None = None
    # Why, in their words, of a rejection, a demotion or a retirement.
    reason: str | None = None
    # What a promotion sets besides, by column.
    edits: Mapping[str, Any] = field(default_factory=dict)
    links: Sequence[Link] = ()
    successor_id: UUID | None = None

    @property
    def is_alone(self) -> bool:
        """Tell whether nothing but the pattern itself is read and written."""
        return not self.links and self.successor_id is None


async def decide(tx: Stroke, viewer: Viewer, decision: Decision) -> None:
    """Move a pattern, by one statement that writes only if nobody was faster."""
    pattern = deciding.permitted(viewer, await deciding.look_at(tx.readers, viewer, decision.pattern_id))
    now = datetime.now(UTC)
    step = _move(viewer, pattern, decision, now)
    _audit(tx, viewer, decision, pattern)
    owner = pattern.repo_id, pattern.organization_id
    if not await record_alone(tx, *owner, viewer.user_id, now, step, pattern.version):
        again = await deciding.look_at(tx.readers, viewer, decision.pattern_id)
        raise deciding.overtaken(deciding.permitted(viewer, again))


async def decide_with_others(tx: Tx, viewer: Viewer, decision: Decision) -> None:
    """Move a pattern where more than itself is read or written: links that it gets, what takes its place."""
    asked = [decision.pattern_id, *([] if decision.successor_id is None else [decision.successor_id])]
    held = await deciding.hold_standing(tx.session, viewer, asked)
    pattern = deciding.permitted(viewer, held.get(decision.pattern_id))
    now = datetime.now(UTC)
    step = _move(viewer, pattern, decision, now)
    if decision.successor_id is not None:
        successor = _successor(pattern, held.get(decision.successor_id))
        step = replace(step, changes={**step.changes, "superseded_by_id": successor.id})
    if decision.links:
        tx.session.add_all(await deciding.new_links(tx.session, viewer, pattern, decision.links))
    _audit(tx, viewer, decision, pattern)
    await record(tx, pattern.repo_id, pattern.organization_id, viewer.user_id, now, [step])


async def decide_all(tx: Tx, viewer: Viewer, decisions: Sequence[Decision]) -> list[Refusal | None]:
    """Move many patterns, one after the other; a refusal of one, given at its place, leaves the others alone."""
    held = await deciding.hold_standing(tx.session, viewer, [decision.pattern_id for decision in decisions])
    now = datetime.now(UTC)
    steps: dict[tuple[UUID, UUID], list[Step]] = {}
    refusals: list[Refusal | None] = []
    for decision in decisions:
        try:
            pattern = deciding.permitted(viewer, held.get(decision.pattern_id))
            step = _move(viewer, pattern, decision, now)
        except Refusal as refusal:
            refusals.append(refusal)
            continue
        refusals.append(None)
        # The same pattern may be decided about again further on.
        looked_at = {name: value for name, value in step.changes.items() if name in Standing.__slots__}
        held[pattern.id] = replace(pattern, raced=False, **looked_at)
        tx.audit(viewer, "triagePatterns", Kind.PATTERN, pattern.id, pattern.organization_id)
        steps.setdefault((pattern.repo_id, pattern.organization_id), []).append(step)
    for (repo_id, organization_id), theirs in steps.items():
        await record(tx, repo_id, organization_id, viewer.user_id, now, theirs)
    return refusals


def _audit(tx: Outcome, viewer: Viewer, decision: Decision, pattern: Standing) -> None:
    assert isinstance(decision.wanted, Move)
    tx.audit(viewer, f"{decision.wanted.value.lower()}Pattern", Kind.PATTERN, pattern.id, pattern.organization_id)


def _move(viewer: Viewer, pattern: Standing, decision: Decision, now: datetime) -> Step:
    """Say what a move changes, or refuse it."""
    deciding.expect(pattern, decision.expected_version)
    if pattern.raced and decision.expected_version is None:
        raise deciding.overtaken(pattern)
    before, wanted = pattern.status, decision.wanted
    move = move_to(before, wanted) if isinstance(wanted, PatternStatus) else wanted
    after = advance(before, move, lambda: deciding.standing_of(pattern))
    if decision.edits and move is not Move.PROMOTE:
        fields = dict.fromkeys(decision.edits, "only with a promotion")
        raise Invalid("Only a promotion sets these.", fields=fields)
    changes = {
        **_changes(pattern, move, decision, viewer.user_id, now),
        "status": after,
        "status_changed_at": now,
        "status_changed_by_id": viewer.user_id,
        "version": pattern.version + 1,
        "updated_at": now,
        "touched_at": now,
    }
    words = decision.edits.get("rationale") if move is Move.PROMOTE else decision.reason
    return Step(pattern.id, RECORDED_AS[move], words or None, before, after, changes)


def _changes(pattern: Standing, move: Move, decision: Decision, user_id: UUID, now: datetime) -> Mapping[str, Any]:
    match move:
        case Move.PROMOTE:
            _compile(pattern)
            pr_review = decision.edits.get("pr_review", pattern.pr_review) and may_be_reviewed(pattern.category)
            validated = {"owner_id": user_id, "validated_by_id": user_id, "validated_at": now}
            return {**decision.edits, **validated, "pr_review": pr_review}
        case Move.REJECT:
            return {"rejection_reason": decision.reason}
        case Move.DEFER:
            return {"defer_count": pattern.defer_count + 1, "deferred_at": now}
        case Move.REOPEN:
            return {"rejection_reason": None, "superseded_by_id": None}
        case Move.DEMOTE:
            return {"validated_by_id": None, "validated_at": None}
        case Move.RESTORE:
            return {"superseded_by_id": None}
        case _:
            return {}


def _compile(pattern: Standing) -> None:
    """Refuse authority to a rule that could not be run; what a model judges needs no running."""
    if pattern.rule_kind is RuleKind.LLM:
        return
    languages, include = tuple(pattern.scope_languages), tuple(pattern.scope_include)
    fault = _fault(pattern.rule_kind, pattern.rule_definition, languages, include, tuple(pattern.scope_exclude))
    if fault is not None:
        raise Invalid("The rule of this pattern cannot be run; mend it first.", fields={"patternId": fault})


@lru_cache(maxsize=2_000)
def _fault(
    kind: RuleKind, definition: str, languages: tuple[str, ...], include: tuple[str, ...], exclude: tuple[str, ...]
) -> str | None:
    try:
        ready(read_rule(kind, json.loads(definition), languages=languages, include=include, exclude=exclude))
    except Invalid as refusal:
        fields: dict[str, str] = refusal.extensions["fields"]
        return next((f"{name}: {fault}" for name, fault in fields.items()), refusal.message)
    return None


def _successor(pattern: Standing, successor: Standing | None) -> Standing:
    if successor is None:
        raise NotFound("No such pattern.")
    if successor.id == pattern.id or successor.repo_id != pattern.repo_id:
        fault = "is the pattern itself" if successor.id == pattern.id else "is a pattern of another repository"
        raise Invalid("This cannot take the pattern's place.", fields={"supersededById": fault})
    if successor.status in _PAST:
        raise InvalidTransition(
            f"A pattern that is {successor.status.value} cannot take another's place.", status=successor.status.value
        )
    return successor
