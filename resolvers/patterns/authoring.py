"""Authoring: patterns, rules and evidence that people write; workers look them up in the repository first."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.types import Info

from app.domain.errors import Invalid
from app.domain.ids import Kind, new_id, parse_as
from app.domain.jobs import Measure, Quote
from app.domain.languages import language_named
from app.domain.pattern import PatternCategory, PatternType, Severity
from app.domain.rule import Rule, RuleKind
from app.domain.wording import check_wording
from app.reads import deciding
from app.services import authoring, comparing
from app.services.authoring import Draft, Measured
from resolvers.context import Context
from resolvers.lists import or_none, shown
from resolvers.patterns.inputs import PatternPayload, ScopeInput, reason_of
from resolvers.patterns.types import Evidence, Pattern
from resolvers.words import JSON

field = strawberry.field

ASK_SECONDS = 10.0
MOST_SITES = 20
LONGEST_PATH = 4096
_REFUSES = "Refuses: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR"
_BUSY = "UNAVAILABLE (no worker answers in time, or a run is bringing the files up to date; try again)."
_WAITS = f"CONFLICT (the repository was never read), {_BUSY}"


@strawberry.input(description="A rule to be tried.")
class PreviewRuleInput:
    """A rule to be tried."""

    repo_id: strawberry.ID = field(description="The repository to try it on.")
    kind: RuleKind = field(description="How it selects its sites; LLM cannot be measured.")
    definition: JSON = field(description="The rule itself, as its kind spells it.")
    scope: ScopeInput = field(description="Where it speaks.")


@strawberry.input(description="A pattern written by hand.")
class CreatePatternInput:
    """A pattern written by hand."""

    repo_id: strawberry.ID = field(description="The repository it holds in.")
    name: str = field(description="Its name, 1 to 200 characters.")
    description: str = field(description="What it says, 1 to 4,000 characters.")
    type: PatternType = field(description="What it speaks about.")
    category: PatternCategory = field(description="What kind of convention it is.")
    language: str | None = field(default=strawberry.UNSET, description="The language it holds in, if it is one.")
    rule_kind: RuleKind = field(description="How its rule selects its sites; LLM cannot be written by hand.")
    rule_definition: JSON = field(description="The rule itself, as its kind spells it.")
    scope: ScopeInput = field(description="Where it speaks.")
    severity: Severity | None = field(default=strawberry.UNSET, description="How grave its violations are; WARNING.")
    rationale: str | None = field(default=strawberry.UNSET, description="Why it holds, at most 1,000 characters.")


@strawberry.input(description="A place that follows a pattern, by a person's word; what stands there is looked up.")
class AddEvidenceInput:
    """A place that follows a pattern."""

    pattern_id: strawberry.ID = field(description="The pattern's id.")
    path: str = field(description="The file, from the top of the repository, as it was last read.")
    start_line: int | None = field(default=strawberry.UNSET, description="The first line; none means the file itself.")
    end_line: int | None = field(default=strawberry.UNSET, description="The last line; the first one if not said.")
    is_canonical: bool | None = field(default=False, description="Whether it is the example to show from now on.")


@strawberry.type(description="A place that a rule speaks of.")
class Site:
    """A place that a rule speaks of."""

    path: str = field(description="The file.")
    start_line: int | None = field(description="Its first line; null where the path itself is meant.")
    end_line: int | None = field(description="Its last line.")
    snippet: str | None = field(description="The text, at most 500 characters.")


@strawberry.type(description="What a rule does in a repository as it was last read.")
class PreviewRulePayload:
    """What a rule does in a repository."""

    applicable: int = field(description="How many sites it speaks of.")
    conforming: int = field(description="How many of them follow it.")
    adoption: float | None = field(description="Conforming of applicable; null where there is nothing to conform.")
    counterexamples: list[Site] = field(description="Places that do not follow it, at most 20.")


@strawberry.type(description="Evidence that was added, and its pattern.")
class EvidencePayload:
    """Evidence that was added."""

    evidence: Evidence = field(description="The evidence, as it stands in the repository.")
    pattern: Pattern = field(description="The pattern it shows.")


def rule_of(kind: RuleKind, definition: Any, scope: ScopeInput, names: dict[str, str], *, judged: bool = False) -> Rule:
    """Read a rule that a person wrote, or refuse it in the words of the input that has it."""
    speaks_in = {"languages": scope.languages, "include": scope.include, "exclude": scope.exclude}
    try:
        return authoring.read(kind, definition, **speaks_in, judged=judged)
    except Invalid as refusal:
        fields: dict[str, str] = refusal.extensions["fields"]
        spelt = {_renamed(name, names): fault for name, fault in fields.items()}
        raise Invalid(refusal.message, fields=spelt) from None


def _renamed(field_name: str, names: dict[str, str]) -> str:
    first, dot, rest = field_name.partition(".")
    return f"{names.get(first, first)}{dot}{rest}"


async def measured(context: Context, repo_id: UUID, rule: Rule, definition: Any) -> Measured:
    """Have a rule measured, in no transaction."""
    question = Measure(
        ask_id=new_id(),
        repo_id=repo_id,
        kind=rule.kind.value,
        definition=definition,
        languages=list(rule.scope.languages),
        include=list(rule.scope.include),
        exclude=list(rule.scope.exclude),
    )
    return Measured.read(await context.runtime.ask(question, ASK_SECONDS))


def _sites(places: Sequence[Any]) -> list[Site]:
    return [
        Site(**{name: place[name] for name in ("path", "start_line", "end_line", "snippet")})
        for place in places[:MOST_SITES]
    ]


@strawberry.type
class AuthoringMutations:
    """What people write."""

    @strawberry.mutation(
        description=f"Measure a rule over a repository without writing anything. {_REFUSES} (a rule that cannot be "
        f"read, or of kind LLM), {_WAITS}"
    )
    async def preview_rule(
        self,
        info: Info[Context, None],
        input: Annotated[PreviewRuleInput, strawberry.argument(description="The rule.")],  # noqa: A002
    ) -> PreviewRulePayload | None:
        """Try a rule."""
        context = info.context
        viewer = context.viewer
        repo_id = parse_as(Kind.REPO, input.repo_id, field="repoId")
        async with context.read() as session:
            await deciding.repo_for(session, viewer, repo_id)
        rule = rule_of(input.kind, input.definition, input.scope, {})
        found = await measured(context, repo_id, rule, input.definition)
        return PreviewRulePayload(
            applicable=found.applicable,
            conforming=found.conforming,
            adoption=found.adoption,
            counterexamples=_sites(found.counterexamples),
        )

    @strawberry.mutation(
        description="Write a pattern by hand: its rule is measured over the repository first, and it becomes a "
        f"candidate with its evidence. {_REFUSES} (a rule that cannot be read, or of kind LLM), {_WAITS}"
    )
    async def create_pattern(
        self,
        info: Info[Context, None],
        input: Annotated[CreatePatternInput, strawberry.argument(description="The pattern.")],  # noqa: A002
    ) -> PatternPayload | None:
        """Create a pattern."""
        context = info.context
        viewer = context.viewer
        repo_id = parse_as(Kind.REPO, input.repo_id, field="repoId")
        async with context.read() as session:
            await deciding.repo_for(session, viewer, repo_id)
        rationale = or_none(input.rationale)
        check_wording(name=input.name, description=input.description, rationale=rationale)
        names = {"kind": "ruleKind", "definition": "ruleDefinition"}
        rule = rule_of(input.rule_kind, input.rule_definition, input.scope, names)
        draft = Draft(
            repo_id=repo_id,
            name=input.name,
            description=input.description,
            type=input.type,
            category=input.category,
            rule=rule,
            language=_language(input, rule),
            severity=input.severity or Severity.WARNING,
            rationale=reason_of(rationale),
        )
        found = await measured(context, repo_id, rule, input.rule_definition)
        async with context.write() as tx:
            pattern_id = await authoring.create(tx, viewer, draft, found)
            await comparing.compare_one(tx, pattern_id)
        return PatternPayload(pattern=await shown(context, "Pattern", pattern_id))

    @strawberry.mutation(
        description="Add a place that follows a pattern; its text, author and date are taken from the commit that was "
        f"last read. {_REFUSES} (no such file or lines), CONFLICT (it has this evidence already, or the repository was "
        f"never read), {_BUSY}"
    )
    async def add_evidence(
        self,
        info: Info[Context, None],
        input: Annotated[AddEvidenceInput, strawberry.argument(description="The place.")],  # noqa: A002
    ) -> EvidencePayload | None:
        """Add evidence."""
        context = info.context
        viewer = context.viewer
        pattern_id = parse_as(Kind.PATTERN, input.pattern_id, field="patternId")
        start, end = _lines(input)
        async with context.read() as session:
            pattern = await deciding.find_for(session, viewer, pattern_id)
            await deciding.repo_for(session, viewer, pattern.repo_id)
        question = Quote(new_id(), pattern.repo_id, input.path, start, end)
        place = await context.runtime.ask(question, ASK_SECONDS)
        async with context.write() as tx:
            evidence_id = await authoring.add_evidence(
                tx, viewer, pattern_id, place, canonical=bool(input.is_canonical)
            )
        return EvidencePayload(
            evidence=await shown(context, "Evidence", evidence_id), pattern=await shown(context, "Pattern", pattern_id)
        )


def _language(said: CreatePatternInput, rule: Rule) -> str | None:
    if said.language is not strawberry.UNSET and said.language:
        known = language_named(said.language)
        if known is None:
            raise Invalid("There is no such language.", fields={"language": f"No such language: {said.language[:50]}."})
        return known
    return rule.scope.languages[0] if len(rule.scope.languages) == 1 else None


def _lines(said: AddEvidenceInput) -> tuple[int | None, int | None]:
    start = or_none(said.start_line)
    ends = or_none(said.end_line)
    end = start if ends is None else ends
    if not said.path or len(said.path) > LONGEST_PATH:
        raise Invalid("There is no such file.", fields={"path": f"needs 1 to {LONGEST_PATH} characters"})
    if start is None and end is not None:
        raise Invalid("There are no such lines.", fields={"startLine": "is missing"})
    if start is not None and start < 1:
        raise Invalid("There are no such lines.", fields={"startLine": "must be at least 1"})
    if start is not None and end is not None and end < start:
        raise Invalid("There are no such lines.", fields={"endLine": "must be at least startLine"})
    return start, end
