"""Types of patterns, their evidence and their history."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.domain.confidence import AgeCategory, ConfidenceTier, Consistency, Trend
from app.domain.pattern import (
    CodeCategory,
    EvidenceSource,
    PatternCategory,
    PatternEventKind,
    PatternStatus,
    PatternType,
    ProvenanceKind,
    Severity,
)
from app.domain.rule import RuleKind
from resolvers.lists import Connection, Node, few, forward, related
from resolvers.words import JSON

if TYPE_CHECKING:
    from resolvers.people import User
    from resolvers.repos import Repo

field = strawberry.field
Person = Annotated["User", strawberry.lazy("resolvers.people")]


@strawberry.type(description="What makes a pattern checkable.")
class Rule:
    """What makes a pattern checkable."""

    kind: RuleKind = field(description="How it selects its sites.")
    definition: JSON = field(description="The rule itself, as its kind spells it.")
    text: str = field(description="The rule in words.")
    exportable: bool = field(description="Whether it runs without this service.")
    alternative: str | None = field(description="What the sites that do not conform do instead.")


@strawberry.type(description="Where a rule speaks.")
class Scope:
    """Where a rule speaks."""

    languages: list[str] = field(description="In files of these languages; all if empty.")
    include: list[str] = field(description="In paths that match one of these globs.")
    exclude: list[str] = field(description="But in none that match one of these.")


@strawberry.type(description="How many instances lie in a part of the codebase.")
class LocationShare:
    """A part of the codebase and its instances."""

    category: CodeCategory = field(description="The part.")
    instances: int = field(description="How many.")


@strawberry.type(description="How sure this is; adoption and its counts are null where it cannot be measured.")
class Confidence:
    """How sure a pattern is."""

    tier: ConfidenceTier = field(description="One word for all of it.")
    instances: int = field(description="How many places follow it.")
    consistency: Consistency | None = field(description="How alike they are.")
    consistency_note: str | None = field(description="The same in words.")
    applicable: int | None = field(description="How many sites the rule speaks of.")
    conforming: int | None = field(description="How many of them follow it.")
    adoption: float | None = field(description="Conforming of applicable, from 0 to 1.")
    authors: int | None = field(description="How many people wrote them.")
    author_names: list[str] = field(description="At most ten of them, most sites first.")
    age: AgeCategory = field(description="How long it has existed.")
    oldest: datetime | None = field(description="When the oldest instance was written.")
    newest: datetime | None = field(description="When the newest was.")
    trend: Trend = field(description="Whether new files follow it more or less than old ones.")
    new_file_adoption: float | None = field(description="Adoption among files of the last twelve months.")
    primary_location: CodeCategory | None = field(description="Where most instances lie.")
    locations: list[LocationShare] = field(description="How they spread over the codebase.")


@strawberry.type(description="An objective warning about what follows the pattern.")
class HealthSignal:
    """A warning."""

    category: str = field(
        description="What it is about: error handling, deprecated API, consistency, security, completeness."
    )
    severity: Severity = field(description="How grave it is.")
    message: str = field(description="What was seen.")
    affected: int = field(description="In how many instances.")
    total: int = field(description="Of how many.")


@strawberry.type(description="One sentence about a pattern, and what to do.")
class Insight:
    """One sentence and suggestions."""

    text: str = field(description="The sentence.")
    suggested_actions: list[str] = field(description="What a reader might do next.")


@strawberry.type(description="What the rule would have caught in pull requests that were merged already.")
class BacktestSummary:
    """What a rule would have caught."""

    violations: int = field(description="How many violations.")
    pull_requests: int = field(description="In how many pull requests.")
    examined: int = field(description="Of how many.")
    window_days: int = field(description="How far back.")
    computed_at: datetime = field(description="When this was worked out.")


@strawberry.type(description="Where an authoritative pattern is enforced.")
class Enforcement:
    """Where a pattern is enforced."""

    pr_review: bool = field(description="On pull requests.")
    ai_context: bool = field(description="In the files that coding agents read.")


@strawberry.type(description="A place in the repository, byte for byte as it stands there at its commit.")
class Evidence(Node):
    """A place in the repository."""

    path: str = field(description="The file.")
    start_line: int | None = field(description="Its first line; null where the path itself is the evidence.")
    end_line: int | None = field(description="Its last line.")
    snippet: str | None = field(description="The text, at most 500 characters.")
    commit_sha: str | None = field(description="The commit it was read at.")
    permalink: str | None = field(description="Where it can be looked at.")
    author: str | None = field(description="Who wrote its first line.")
    authored_at: datetime | None = field(description="When.")
    code_category: CodeCategory | None = field(description="What part of the codebase it belongs to.")
    is_canonical: bool = field(description="Whether it is the example to show.")
    is_stale: bool = field(description="Whether it no longer stands there.")
    stale_reason: str | None = field(description="Why it is stale.")
    added_by: EvidenceSource = field(description="Who added it.")
    added_at: datetime = field(description="When it was added.")


@strawberry.type(description="A link that says why.")
class Provenance(Node):
    """A link that says why."""

    kind: ProvenanceKind = field(description="What it points at.")
    url: str = field(description="The address.")
    title: str | None = field(description="Its title.")
    description: str | None = field(description="What is to be found there.")
    added_by: Person | None = related("Who added it.")
    added_at: datetime = field(description="When.")


@strawberry.type(description="One step in the history of a pattern.")
class PatternEvent(Node):
    """One step in the history of a pattern."""

    kind: PatternEventKind = field(description="What happened.")
    pattern: "Pattern" = related("The pattern.")
    sequence: int = field(description="Its number among the changes of the repository, in commit order.")
    from_: PatternStatus | None = field(name="from", description="The status before.")
    to: PatternStatus | None = field(description="The status after.")
    actor: Person | None = related("Who did it; null for jobs.")
    message: str | None = field(description="Their words.")
    at: datetime = field(description="When.")


@strawberry.type(
    description="A coding convention: its definition, its rule, what was measured, and what people decided."
)
class Pattern(Node):
    """A coding convention."""

    repo: Annotated["Repo", strawberry.lazy("resolvers.repos")] = related("The repository it holds in.")
    name: str = field(description="Its name, a few words.")
    description: str = field(description="What it says, for people.")
    type: PatternType = field(description="What it speaks about.")
    category: PatternCategory = field(description="What kind of convention it is.")
    suggested_category: str | None = field(description="The proposed word, where the category is OTHER.")
    language: str | None = field(description="The language it holds in, if it is one.")
    status: PatternStatus = field(description="Where it stands.")
    version: int = field(description="Grows with every change that a person makes; send it to detect a race.")
    severity: Severity = field(description="How grave its violations are.")
    rationale: str | None = field(description="Why; always a person's words.")
    rejection_reason: str | None = field(description="Why it was rejected.")
    defer_count: int = field(description="How often it was put off; three times is stuck.")
    deferred_at: datetime | None = field(description="When it was last put off.")
    owner: Person | None = related("Who maintains it.")
    validated_by: Person | None = related("Who made it authoritative.")
    validated_at: datetime | None = field(description="When.")
    status_changed_at: datetime = field(description="When its status last changed.")
    status_changed_by: Person | None = related("Who changed it; null for jobs.")
    created_at: datetime = field(description="When it was first found or written.")
    updated_at: datetime = field(description="When it last changed.")
    extracted_at: datetime | None = field(description="When a run last found it.")
    extracted_by: str = field(description="Which miner, model or person proposed it.")
    extraction_reasoning: str | None = field(description="Why it was proposed.")
    rule: Rule = field(description="What makes it checkable.")
    scope: Scope = field(description="Where it speaks.")
    confidence: Confidence | None = field(description="How sure it is; null before it was measured.")
    health_signals: list[HealthSignal] = field(description="Objective warnings.")
    insight: Insight | None = field(description="One sentence about it, and what to do.")
    backtest: BacktestSummary | None = field(description="What it would have caught already.")
    enforcement: Enforcement = field(description="Where it is enforced.")
    similar_to: "Pattern | None" = related("The pattern that says the same already.")
    superseded_by: "Pattern | None" = related("The pattern that took its place.")
    canonical_evidence: Evidence | None = related("The example to show.")
    evidence: Connection[Evidence] = few("Places that follow it, the most telling first.")
    counterexamples: Connection[Evidence] = few("Places that do not follow it.")
    provenance: list[Provenance] = related("Links that say why.")
    history: Connection[PatternEvent] = forward("What happened to it, oldest first.")
