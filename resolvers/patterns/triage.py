"""Triage: the moves of patterns from one status to another."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, cast

import strawberry
from strawberry.types import Info

from app.domain.errors import ErrorCode, Invalid, NotFound, Refusal
from app.domain.ids import Kind, parse_as
from app.domain.pattern import Move, PatternStatus, Severity
from app.domain.viewer import Viewer
from app.domain.wording import check_wording
from app.runtime import Runtime
from app.services import triaging
from app.services.triaging import Decision
from resolvers.context import Context
from resolvers.lists import or_none, shown
from resolvers.patterns.inputs import EnforcementInput, PatternPayload, ProvenanceInput, edits_of, links_of, reason_of
from resolvers.patterns.types import Pattern

field = strawberry.field

MOST_AT_ONCE = 100
_PATTERN = "The pattern's id."
_VERSION = "The version that the viewer has seen: if there is a newer one, the decision is refused."
_REASON = "Why, at most 500 characters."
_RATIONALE = "Why it holds, in a person's words, at most 1,000 characters; null clears it."
_SEVERITY = "How grave its violations are; omitted, it stays (WARNING at birth)."
_REFUSES = (
    "Refuses: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR, CONFLICT (a newer version, or somebody was "
    "faster; the extensions carry its state), INVALID_TRANSITION."
)


@strawberry.input(description="A candidate to be made authoritative; what is omitted stays as it is.")
class PromotePatternInput:
    """A promotion."""

    pattern_id: strawberry.ID = field(description=_PATTERN)
    expected_version: int | None = field(default=strawberry.UNSET, description=_VERSION)
    severity: Severity | None = field(default=strawberry.UNSET, description=_SEVERITY)
    rationale: str | None = field(default=strawberry.UNSET, description=_RATIONALE)
    description: str | None = field(default=strawberry.UNSET, description="What it says, at most 4,000 characters.")
    provenance: list[ProvenanceInput] | None = field(
        default=strawberry.UNSET, description="Links that say why; those that it has already stay as they are."
    )
    enforcement: EnforcementInput | None = field(default=strawberry.UNSET, description="Where it is enforced.")


@strawberry.input(description="A pattern to be refused.")
class RejectPatternInput:
    """A rejection."""

    pattern_id: strawberry.ID = field(description=_PATTERN)
    expected_version: int | None = field(default=strawberry.UNSET, description=_VERSION)
    reason: str | None = field(default=strawberry.UNSET, description=_REASON)


@strawberry.input(description="A pattern to be put off.")
class DeferPatternInput:
    """A deferral."""

    pattern_id: strawberry.ID = field(description=_PATTERN)
    expected_version: int | None = field(default=strawberry.UNSET, description=_VERSION)


@strawberry.input(description="A rejected or deferred pattern to be made a candidate again.")
class ReopenPatternInput:
    """A second look."""

    pattern_id: strawberry.ID = field(description=_PATTERN)
    expected_version: int | None = field(default=strawberry.UNSET, description=_VERSION)


@strawberry.input(description="An authoritative pattern to be made a candidate again.")
class DemotePatternInput:
    """A demotion."""

    pattern_id: strawberry.ID = field(description=_PATTERN)
    expected_version: int | None = field(default=strawberry.UNSET, description=_VERSION)
    reason: str | None = field(default=strawberry.UNSET, description=_REASON)


@strawberry.input(description="An authoritative pattern to be retired.")
class DeprecatePatternInput:
    """A retirement."""

    pattern_id: strawberry.ID = field(description=_PATTERN)
    expected_version: int | None = field(default=strawberry.UNSET, description=_VERSION)
    reason: str | None = field(default=strawberry.UNSET, description=_REASON)
    superseded_by_id: strawberry.ID | None = field(
        default=strawberry.UNSET, description="The pattern of the same repository that takes its place."
    )


@strawberry.input(description="A retired pattern to be made authoritative again.")
class RestorePatternInput:
    """A restoration."""

    pattern_id: strawberry.ID = field(description=_PATTERN)
    expected_version: int | None = field(default=strawberry.UNSET, description=_VERSION)


@strawberry.input(description="Where one pattern of many is to go.")
class TriageDecisionInput:
    """One decision of many."""

    pattern_id: strawberry.ID = field(description=_PATTERN)
    to: PatternStatus = field(description="The status it is to have.")
    expected_version: int | None = field(default=strawberry.UNSET, description=_VERSION)
    severity: Severity | None = field(default=strawberry.UNSET, description=f"With a promotion: {_SEVERITY}")
    rationale: str | None = field(default=strawberry.UNSET, description=f"With a promotion: {_RATIONALE}")
    reason: str | None = field(default=strawberry.UNSET, description=_REASON)

    def decision(self) -> Decision:
        """Read the decision, or refuse it."""
        edits = edits_of(self, "severity", "rationale") if self._promotes else self._needless()
        return _decision(self, self.to, edits=edits)

    @property
    def _promotes(self) -> bool:
        return self.to is PatternStatus.AUTHORITATIVE

    def _needless(self) -> dict[str, Any]:
        return {name: value for name in ("severity", "rationale") if (value := getattr(self, name))}


@strawberry.input(description="Decisions about 1 to 100 patterns.")
class TriagePatternsInput:
    """Many decisions."""

    decisions: list[TriageDecisionInput] = field(description="The decisions, taken in this order.")


@strawberry.type(description="What became of one decision of many.")
class TriageResult:
    """What became of one decision."""

    pattern_id: strawberry.ID = field(description="The id that was given.")
    pattern: Pattern | None = field(description="The pattern as it is now, refused or not; null if there is none.")
    error_code: ErrorCode | None = field(description="Why the decision was refused; null if it was not.")
    error_message: str | None = field(description="The same in words.")


@strawberry.type(description="What became of each decision, in the order in which they were given.")
class TriagePatternsPayload:
    """What became of many decisions."""

    results: list[TriageResult] = field(description="One result a decision.")


def _decision(said: Any, wanted: Move | PatternStatus, **more: Any) -> Decision:
    reason = getattr(said, "reason", None) or None
    check_wording(reason=reason)
    return Decision(
        pattern_id=parse_as(Kind.PATTERN, said.pattern_id, field="patternId"),
        wanted=wanted,
        expected_version=or_none(said.expected_version),
        reason=reason_of(reason),
        **more,
    )


def _promotion(said: PromotePatternInput) -> Decision:
    edits = edits_of(said, "severity", "rationale", "description", "enforcement")
    links = [] if said.provenance is strawberry.UNSET else links_of(said.provenance)
    return _decision(said, Move.PROMOTE, edits=edits, links=links)


def _retirement(said: DeprecatePatternInput) -> Decision:
    named = or_none(said.superseded_by_id)
    successor = None if named is None else parse_as(Kind.PATTERN, named, field="supersededById")
    return _decision(said, Move.DEPRECATE, successor_id=successor)


@dataclass(frozen=True, slots=True)
class Deciding:
    """A mutation that decides about one pattern: what it takes, and how that is read."""

    input: type
    read: Callable[[Any], Decision]


DECISIONS: Mapping[str, Deciding] = {
    "promotePattern": Deciding(PromotePatternInput, _promotion),
    "rejectPattern": Deciding(RejectPatternInput, partial(_decision, wanted=Move.REJECT)),
    "deferPattern": Deciding(DeferPatternInput, partial(_decision, wanted=Move.DEFER)),
    "reopenPattern": Deciding(ReopenPatternInput, partial(_decision, wanted=Move.REOPEN)),
    "demotePattern": Deciding(DemotePatternInput, partial(_decision, wanted=Move.DEMOTE)),
    "deprecatePattern": Deciding(DeprecatePatternInput, _retirement),
    "restorePattern": Deciding(RestorePatternInput, partial(_decision, wanted=Move.RESTORE)),
}


async def decide(door: Context | Runtime, viewer: Viewer, decision: Decision) -> None:
    """Take a decision: with one statement where that is enough."""
    if decision.is_alone:
        async with door.strike() as stroke:
            await triaging.decide(stroke, viewer, decision)
    else:
        async with door.write() as tx:
            await triaging.decide_with_others(tx, viewer, decision)


async def _decided(info: Info[Context, None], said: Any) -> PatternPayload:
    context = info.context
    viewer = context.viewer
    decision = DECISIONS[info.field_name].read(said)
    await decide(context, viewer, decision)
    return PatternPayload(pattern=await shown(context, "Pattern", decision.pattern_id))


@strawberry.type
class TriageMutations:
    """What is decided about the status of patterns."""

    @strawberry.mutation(
        description=f"Make a candidate authoritative; the viewer becomes its validator and owner. {_REFUSES}"
    )
    async def promote_pattern(
        self,
        info: Info[Context, None],
        input: Annotated[PromotePatternInput, strawberry.argument(description="The promotion.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Promote a pattern."""
        return await _decided(info, input)

    @strawberry.mutation(description=f"Refuse a candidate or a deferred pattern: no run proposes it again. {_REFUSES}")
    async def reject_pattern(
        self,
        info: Info[Context, None],
        input: Annotated[RejectPatternInput, strawberry.argument(description="The rejection.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Reject a pattern."""
        return await _decided(info, input)

    @strawberry.mutation(description=f"Put a candidate off, or a deferred pattern once more; it counts. {_REFUSES}")
    async def defer_pattern(
        self,
        info: Info[Context, None],
        input: Annotated[DeferPatternInput, strawberry.argument(description="The deferral.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Defer a pattern."""
        return await _decided(info, input)

    @strawberry.mutation(description=f"Make a rejected or deferred pattern a candidate again. {_REFUSES}")
    async def reopen_pattern(
        self,
        info: Info[Context, None],
        input: Annotated[ReopenPatternInput, strawberry.argument(description="The second look.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Reopen a pattern."""
        return await _decided(info, input)

    @strawberry.mutation(
        description=f"Take authority from a pattern, which becomes a candidate; nobody validates it then. {_REFUSES}"
    )
    async def demote_pattern(
        self,
        info: Info[Context, None],
        input: Annotated[DemotePatternInput, strawberry.argument(description="The demotion.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Demote a pattern."""
        return await _decided(info, input)

    @strawberry.mutation(
        description="Retire an authoritative pattern, and say what takes its place: a pattern of the same repository "
        f"that is neither rejected nor deprecated. {_REFUSES}"
    )
    async def deprecate_pattern(
        self,
        info: Info[Context, None],
        input: Annotated[DeprecatePatternInput, strawberry.argument(description="The retirement.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Deprecate a pattern."""
        return await _decided(info, input)

    @strawberry.mutation(description=f"Make a retired pattern authoritative again. {_REFUSES}")
    async def restore_pattern(
        self,
        info: Info[Context, None],
        input: Annotated[RestorePatternInput, strawberry.argument(description="The restoration.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Restore a pattern."""
        return await _decided(info, input)

    @strawberry.mutation(
        description="Decide about 1 to 100 patterns at once: each decision succeeds or is refused by itself, with the "
        "codes of the single mutations in its result. Refuses as a whole: UNAUTHENTICATED, VALIDATION_ERROR (none, or "
        "more than 100)."
    )
    async def triage_patterns(
        self,
        info: Info[Context, None],
        input: Annotated[TriagePatternsInput, strawberry.argument(description="The decisions.")],  # noqa: A002
    ) -> TriagePatternsPayload | None:
        """Decide about many patterns."""
        context = info.context
        viewer = context.viewer
        if not 1 <= len(input.decisions) <= MOST_AT_ONCE:
            raise Invalid("Decide about 1 to 100 patterns at once.", fields={"decisions": "needs from 1 to 100"})
        read = [_attempted(decision) for decision in input.decisions]
        decisions = [decision for decision in read if isinstance(decision, Decision)]
        async with context.write() as tx:
            told = iter(await triaging.decide_all(tx, viewer, decisions))
        refusals = [next(told) if isinstance(decision, Decision) else decision for decision in read]
        patterns = await asyncio.gather(*(_present(context, decision) for decision in read))
        return TriagePatternsPayload(
            results=[
                TriageResult(
                    pattern_id=said.pattern_id,
                    pattern=pattern,
                    error_code=None if refusal is None else refusal.code,
                    error_message=None if refusal is None else refusal.message,
                )
                for said, pattern, refusal in zip(input.decisions, patterns, refusals, strict=True)
            ]
        )


def _attempted(said: TriageDecisionInput) -> Decision | Refusal:
    try:
        return said.decision()
    except Refusal as refusal:
        return refusal


async def _present(context: Context, decision: Decision | Refusal) -> Pattern | None:
    if isinstance(decision, Refusal):
        return None
    try:
        return cast("Pattern", await shown(context, "Pattern", decision.pattern_id))
    except NotFound:
        return None
