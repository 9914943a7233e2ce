"""Editing: what people change of a pattern besides its status."""

from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.types import Info

from app.domain.ids import Kind, parse_as
from app.domain.pattern import PatternCategory, Severity
from app.domain.rule import Rule, RuleKind, columns_of
from app.reads import deciding
from app.services import authoring, comparing, curating
from app.services.authoring import Measured
from resolvers.context import Context
from resolvers.lists import or_none, shown
from resolvers.patterns.authoring import measured, rule_of
from resolvers.patterns.inputs import EnforcementInput, PatternPayload, ProvenanceInput, ScopeInput, edits_of
from resolvers.patterns.types import Pattern
from resolvers.words import JSON

field = strawberry.field

_REFUSES = "Refuses: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR"


@strawberry.input(description="What to change of a pattern; what is omitted stays as it is.")
class UpdatePatternInput:
    """An edit."""

    pattern_id: strawberry.ID = field(description="The pattern's id.")
    expected_version: int | None = field(
        default=strawberry.UNSET,
        description="The version that the viewer has seen: if there is a newer one, the edit is refused.",
    )
    name: str | None = field(default=strawberry.UNSET, description="Its name, 1 to 200 characters.")
    description: str | None = field(default=strawberry.UNSET, description="What it says, 1 to 4,000 characters.")
    rationale: str | None = field(
        default=strawberry.UNSET,
        description="Why it holds, in a person's words, at most 1,000 characters; null clears it.",
    )
    severity: Severity | None = field(default=strawberry.UNSET, description="How grave its violations are.")
    enforcement: EnforcementInput | None = field(default=strawberry.UNSET, description="Where it is enforced.")
    category: PatternCategory | None = field(default=strawberry.UNSET, description="What kind of convention it is.")
    owner_id: strawberry.ID | None = field(
        default=strawberry.UNSET, description="Who maintains it, a member of its organization; null for nobody."
    )
    rule_definition: JSON | None = field(
        default=strawberry.UNSET, description="The rule itself, as its kind spells it; it is measured anew."
    )
    scope: ScopeInput | None = field(default=strawberry.UNSET, description="Where the rule speaks; likewise.")


@strawberry.input(description="A pattern to be merged into another one of the same repository.")
class MergePatternInput:
    """A merge."""

    candidate_id: strawberry.ID = field(description="The candidate, or deferred pattern, whose place is taken.")
    into_id: strawberry.ID = field(description="The pattern that takes it.")


@strawberry.type(description="The pattern that two became.")
class MergePatternPayload:
    """The pattern that two became."""

    pattern: Pattern = field(description="The pattern that took the other's place.")
    evidence_added: int = field(description="How many places it gained; those it had already do not count.")


@strawberry.input(description="Evidence to be taken away.")
class RemoveEvidenceInput:
    """Evidence to be taken away."""

    evidence_id: strawberry.ID = field(description="The evidence's id.")


@strawberry.input(description="Evidence to be shown as the example.")
class SetCanonicalEvidenceInput:
    """Evidence to be shown."""

    evidence_id: strawberry.ID = field(description="The evidence's id.")


@strawberry.input(description="A link that says why a pattern is there.")
class AddProvenanceInput:
    """A new link."""

    pattern_id: strawberry.ID = field(description="The pattern's id.")
    provenance: ProvenanceInput = field(description="The link.")


@strawberry.input(description="A link to be taken away.")
class RemoveProvenanceInput:
    """A link to be taken away."""

    provenance_id: strawberry.ID = field(description="The link's id.")


@dataclass(frozen=True, slots=True)
class _Rewriting:
    """Another rule for a pattern, and the version of the pattern it was measured for."""

    rule: Rule
    measured: Measured | None
    version: int


async def _rewriting(
    context: Context, pattern_id: UUID, said: UpdatePatternInput, version: int | None
) -> _Rewriting | None:
    """Read and measure the rule that an edit brings, if it brings another one."""
    edits = edits_of(said, "rule_definition", "scope")
    if not edits:
        return None
    async with context.read() as session:
        pattern = await deciding.find_for(session, context.viewer, pattern_id)
        deciding.expect(pattern, version)
        await deciding.repo_for(session, context.viewer, pattern.repo_id)
    scope = edits.get("scope") or ScopeInput(
        languages=pattern.scope_languages, include=pattern.scope_include, exclude=pattern.scope_exclude
    )
    definition = edits.get("rule_definition", pattern.rule_definition)
    rule = rule_of(pattern.rule_kind, definition, scope, {"definition": "ruleDefinition"}, judged=True)
    rule = replace(rule, text=pattern.rule_text, alternative=pattern.rule_alternative)
    if all(getattr(pattern, column) == value for column, value in columns_of(rule).items()):
        # Measured anew it would lose the places that runs have found for it.
        return None
    found = None
    if rule.kind is not RuleKind.LLM:
        found = await measured(context, pattern.repo_id, rule, definition)
        rule = replace(rule, alternative=found.alternative)
    return _Rewriting(rule, found, pattern.version)


@strawberry.type
class EditingMutations:
    """What people edit of patterns."""

    @strawberry.mutation(
        description="Edit a pattern; another rule or scope is measured over the repository first. "
        f"{_REFUSES} (null for what cannot be empty, or a rule that cannot be read), CONFLICT (a newer version; the "
        "extensions carry its state), UNAVAILABLE (no worker measures the rule in time; try again)."
    )
    async def update_pattern(
        self,
        info: Info[Context, None],
        input: Annotated[UpdatePatternInput, strawberry.argument(description="The edit.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Edit a pattern."""
        context = info.context
        viewer = context.viewer
        pattern_id = parse_as(Kind.PATTERN, input.pattern_id, field="patternId")
        edits: dict[str, Any] = edits_of(
            input, "name", "description", "rationale", "severity", "enforcement", "category", "owner_id"
        )
        if edits.get("owner_id") is not None:
            edits["owner_id"] = parse_as(Kind.USER, edits["owner_id"], field="ownerId")
        version = or_none(input.expected_version)
        rewriting = await _rewriting(context, pattern_id, input, version)
        async with context.write() as tx:
            if rewriting is not None:
                await authoring.rewrite(tx, viewer, pattern_id, rewriting.rule, rewriting.measured, rewriting.version)
                version = None
            if edits or rewriting is None:
                await curating.revise(tx, viewer, pattern_id, edits, expected_version=version)
            if rewriting is not None or edits.keys() & {"name", "description"}:
                await comparing.compare_one(tx, pattern_id)
        return PatternPayload(pattern=await shown(context, "Pattern", pattern_id))

    @strawberry.mutation(
        description="Merge a candidate into the pattern that says the same already: its evidence, its links and what "
        f"runs recognize it by go there, and it is rejected. {_REFUSES} (itself, or of another repository), "
        "INVALID_TRANSITION (it is decided already, or another one has taken the target's place)."
    )
    async def merge_pattern(
        self,
        info: Info[Context, None],
        input: Annotated[MergePatternInput, strawberry.argument(description="The two patterns.")],  # noqa: A002
    ) -> MergePatternPayload | None:
        """Merge two patterns."""
        context = info.context
        viewer = context.viewer
        candidate_id = parse_as(Kind.PATTERN, input.candidate_id, field="candidateId")
        into_id = parse_as(Kind.PATTERN, input.into_id, field="intoId")
        async with context.write() as tx:
            merged = await curating.merge(tx, viewer, candidate_id, into_id)
        return MergePatternPayload(
            pattern=await shown(context, "Pattern", merged.pattern_id), evidence_added=merged.evidence_added
        )

    @strawberry.mutation(
        description=f"Take a place away from what shows a pattern. {_REFUSES} (a counter-example, which is measured)."
    )
    async def remove_evidence(
        self,
        info: Info[Context, None],
        input: Annotated[RemoveEvidenceInput, strawberry.argument(description="The evidence.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Remove evidence."""
        context = info.context
        viewer = context.viewer
        evidence_id = parse_as(Kind.EVIDENCE, input.evidence_id, field="evidenceId")
        async with context.write() as tx:
            pattern_id = await curating.remove_evidence(tx, viewer, evidence_id)
        return PatternPayload(pattern=await shown(context, "Pattern", pattern_id))

    @strawberry.mutation(
        description="Make a place the example to show, instead of the one before. "
        f"{_REFUSES} (a counter-example, or stale)."
    )
    async def set_canonical_evidence(
        self,
        info: Info[Context, None],
        input: Annotated[SetCanonicalEvidenceInput, strawberry.argument(description="The evidence.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Choose the example."""
        context = info.context
        viewer = context.viewer
        evidence_id = parse_as(Kind.EVIDENCE, input.evidence_id, field="evidenceId")
        async with context.write() as tx:
            pattern_id = await curating.choose_canonical(tx, viewer, evidence_id)
        return PatternPayload(pattern=await shown(context, "Pattern", pattern_id))

    @strawberry.mutation(
        description="Say by a link why a pattern is there; pull requests, issues and commits on GitHub are recognized. "
        f"{_REFUSES} (an address that is none, or more than 50 links), CONFLICT (it has this link already)."
    )
    async def add_provenance(
        self,
        info: Info[Context, None],
        input: Annotated[AddProvenanceInput, strawberry.argument(description="The link.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Add a link."""
        context = info.context
        viewer = context.viewer
        pattern_id = parse_as(Kind.PATTERN, input.pattern_id, field="patternId")
        link = input.provenance.link()
        async with context.write() as tx:
            await curating.add_link(tx, viewer, pattern_id, link)
        return PatternPayload(pattern=await shown(context, "Pattern", pattern_id))

    @strawberry.mutation(description=f"Take a link away. {_REFUSES}.")
    async def remove_provenance(
        self,
        info: Info[Context, None],
        input: Annotated[RemoveProvenanceInput, strawberry.argument(description="The link.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Remove a link."""
        context = info.context
        viewer = context.viewer
        provenance_id = parse_as(Kind.PROVENANCE, input.provenance_id, field="provenanceId")
        async with context.write() as tx:
            pattern_id = await curating.remove_link(tx, viewer, provenance_id)
        return PatternPayload(pattern=await shown(context, "Pattern", pattern_id))
