"""Triaging: the moves of patterns from one status to another, by people and by the table of moves."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, Integer, Uuid, any_, bindparam, func, or_

from app.checkers.registry import EDITION, ready
from app.db.history import AT, BY, PATTERNS, Step, alone, record, record_alone
from app.db.prepared import Prepared
from app.db.tx import Outcome, Stroke, Telling, Tx
from app.domain.errors import Invalid, InvalidTransition, NotFound, Refusal
from app.domain.ids import Kind
from app.domain.links import Link
from app.domain.pattern import RECORDED_AS, Move, PatternStatus, advance, may_be_reviewed, move_to, way_of
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

    def said_of(self, move: Move) -> Mapping[str, Any]:
        """Give what they say of the pattern itself, by column."""
        return {"rejection_reason": self.reason} if move is Move.REJECT else self.edits

    def words_of(self, move: Move) -> str | None:
        """Give their words, as the history keeps them."""
        return (self.edits.get("rationale") if move is Move.PROMOTE else self.reason) or None

    @property
    def is_alone(self) -> bool:
        """Tell whether nothing but the pattern itself is read and written."""
        return not self.links and self.successor_id is None


async def decide(tx: Stroke, viewer: Viewer, decision: Decision) -> None:
    """Move a pattern, by one statement that writes only where the move is allowed and nobody was faster."""
    assert isinstance(decision.wanted, Move)
    _check_edits(decision, decision.wanted)
    _audit(tx, viewer, decision)
    now = datetime.now(UTC)
    taken = await _take(tx, viewer, decision, now)
    if taken is None:
        # Only what stands there tells why; or that all is well, but the rule was yet to be tried.
        pattern = deciding.permitted(viewer, await deciding.look_at(tx.readers, viewer, decision.pattern_id))
        _move(viewer, pattern, decision, now)
        decision = replace(decision, expected_version=pattern.version)
        taken = await _take(tx, viewer, decision, now, compiles=True)
    if not taken:
        again = await deciding.look_at(tx.readers, viewer, decision.pattern_id)
        raise deciding.overtaken(deciding.permitted(viewer, again))


async def _take(
    tx: Stroke, viewer: Viewer, decision: Decision, now: datetime, *, compiles: bool = False
) -> bool | None:
    assert isinstance(decision.wanted, Move)
    move = decision.wanted
    said = decision.said_of(move)
    values = {
        "id": decision.pattern_id,
        "organizations": deciding.decided_by(viewer),
        "version": decision.expected_version,
        "compiles": compiles,
        "kind": RECORDED_AS[move],
        "message": decision.words_of(move),
        "by": viewer.user_id,
        "at": now,
        **said,
    }
    return await record_alone(tx, _taking(move, tuple(said), tx.telling), values)


@lru_cache(maxsize=500)
def _taking(move: Move, said: tuple[str, ...], telling: Telling | None) -> Prepared:
    """Make the statement that takes a decision in which people say as much: what `_move` does to a pattern it held."""
    row = PATTERNS.c
    statuses, _ = way_of(move)
    conditions = [
        row.organization_id == any_(bindparam("move_organizations", type_=ARRAY(Uuid))),
        row.version == func.coalesce(bindparam("move_version", type_=Integer), row.version),
        or_(*(row.status == status for status in statuses)),
    ]
    if move is Move.PROMOTE:
        conditions.append(or_(bindparam("move_compiles", type_=Boolean), row.rule_edition == EDITION))
    words = {name: bindparam(f"move_{name}", type_=row[name].type) for name in said}
    return alone(conditions, _changes(row, move, words, BY, AT), telling)


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
    _audit(tx, viewer, decision, pattern.organization_id)
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


def _audit(tx: Outcome, viewer: Viewer, decision: Decision, organization_id: UUID | None = None) -> None:
    assert isinstance(decision.wanted, Move)
    tx.audit(viewer, f"{decision.wanted.value.lower()}Pattern", Kind.PATTERN, decision.pattern_id, organization_id)


def _move(viewer: Viewer, pattern: Standing, decision: Decision, now: datetime) -> Step:
    """Say what a move changes, or refuse it."""
    deciding.expect(pattern, decision.expected_version)
    if pattern.raced and decision.expected_version is None:
        raise deciding.overtaken(pattern)
    before, wanted = pattern.status, decision.wanted
    move = move_to(before, wanted) if isinstance(wanted, PatternStatus) else wanted
    after = advance(before, move, lambda: deciding.standing_of(pattern))
    _check_edits(decision, move)
    if move is Move.PROMOTE:
        _compile(pattern)
    changes = _changes(pattern, move, decision.said_of(move), viewer.user_id, now)
    return Step(pattern.id, RECORDED_AS[move], decision.words_of(move), before, after, changes)


def _check_edits(decision: Decision, move: Move) -> None:
    if decision.edits and move is not Move.PROMOTE:
        fields = dict.fromkeys(decision.edits, "only with a promotion")
        raise Invalid("Only a promotion sets these.", fields=fields)


def _changes(row: Any, move: Move, said: Mapping[str, Any], by: Any, now: Any) -> dict[str, Any]:
    """Say what a move makes of a pattern: of one that was read, or of the row that a statement is about to change."""
    _, after = way_of(move)
    moved = {
        **said,
        "status": after,
        "status_changed_at": now,
        "status_changed_by_id": by,
        "version": row.version + 1,
        "updated_at": now,
        "touched_at": now,
    }
    match move:
        case Move.PROMOTE:
            pr_review = may_be_reviewed(row.category) & said.get("pr_review", row.pr_review)
            moved |= {"owner_id": by, "validated_by_id": by, "validated_at": now, "pr_review": pr_review}
        case Move.DEFER:
            moved |= {"defer_count": row.defer_count + 1, "deferred_at": now}
        case Move.REOPEN:
            moved |= {"rejection_reason": None, "superseded_by_id": None}
        case Move.DEMOTE:
            moved |= {"validated_by_id": None, "validated_at": None}
        case Move.RESTORE:
            moved |= {"superseded_by_id": None}
    return moved


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
