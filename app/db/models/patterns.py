"""Patterns, their evidence, the links that say why, and their append-only history."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.db.types import Id, Now, Table, at_most, belongs_to, object_name, within, words
from app.domain.confidence import TIER_RANKS, AgeCategory, ConfidenceTier, Consistency, Trend
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

_RANKS = " ".join(f"WHEN '{tier.value}' THEN {rank}" for tier, rank in TIER_RANKS.items())
# Adoption is measured, never claimed: nobody can write another number than its counts give.
_ADOPTION = "conforming::double precision / nullif(applicable, 0)"
_BACKTEST = "backtest_violations, backtest_pull_requests, backtest_examined, backtest_window_days, backtest_computed_at"
_SEARCH = (
    "setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('english', description), 'B') || "
    "setweight(to_tsvector('english', coalesce(rationale, '')), 'C')"
)


def _ordered(owner: str) -> list[Index]:
    """Index every order of the contract below an owner; nulls last in both directions costs an index each."""
    falling = {column: text(f"{column} DESC NULLS LAST") for column in ("adoption", "tier_rank")}
    return [
        Index(f"ix_patterns_{owner}_status", f"{owner}_id", "status", "id"),
        Index(f"ix_patterns_{owner}_updated", f"{owner}_id", "updated_at", "id"),
        Index(f"ix_patterns_{owner}_name", f"{owner}_id", "name", "id"),
        Index(f"ix_patterns_{owner}_adoption_up", f"{owner}_id", "adoption", "id"),
        Index(f"ix_patterns_{owner}_adoption_down", f"{owner}_id", falling["adoption"], text("id DESC")),
        Index(f"ix_patterns_{owner}_tier_up", f"{owner}_id", "tier_rank", "id"),
        Index(f"ix_patterns_{owner}_tier_down", f"{owner}_id", falling["tier_rank"], text("id DESC")),
    ]


class Pattern(Table):
    """A convention: an abstract definition, its checkable rule, what was measured of it and what people decided."""

    __tablename__ = "patterns"
    __table_args__ = (
        belongs_to("repos", "repo_id"),
        UniqueConstraint("organization_id", "id"),
        # Counts by status are read from this index alone, so it also holds what visibility compares.
        Index(None, "repo_id", "id", postgresql_include=["organization_id", "status"]),
        *_ordered("repo"),
        *_ordered("organization"),
        Index(
            "ix_patterns_triage",
            "repo_id",
            text("tier_rank DESC NULLS LAST"),
            text("backtest_caught DESC"),
            "id",
            postgresql_where=text("status = 'CANDIDATE'"),
        ),
        Index("ix_patterns_deferred", "repo_id", "deferred_at", "id", postgresql_where=text("status = 'DEFERRED'")),
        Index("ix_patterns_search", "search", postgresql_using="gin"),
        at_most("name", 200, least=1),
        at_most("description", 4000, least=1),
        at_most("suggested_category", 100),
        at_most("language", 50),
        at_most("rationale", 1000),
        at_most("rejection_reason", 500),
        at_most("extracted_by", 200, least=1),
        at_most("extraction_reasoning", 4000),
        at_most("rule_text", 20000),
        at_most("rule_alternative", 1000),
        at_most("consistency_note", 500),
        at_most("insight_text", 1000),
        CheckConstraint("status <> 'DEFERRED' OR deferred_at IS NOT NULL", name="deferred_at"),
        CheckConstraint("similar_to_id <> id AND superseded_by_id <> id", name="not_itself"),
        CheckConstraint("jsonb_typeof(rule_definition) = 'object'", name="rule_definition_shape"),
        within("version", 1),
        within("defer_count", 0),
        within("new_file_adoption", 0, 1),
        within("instances", 0),
        within("applicable", 0),
        within("authors", 0),
        CheckConstraint("conforming >= 0 AND conforming <= applicable", name="conforming_range"),
        CheckConstraint("(conforming IS NULL) = (applicable IS NULL)", name="adoption_together"),
        CheckConstraint("tier IS NULL OR instances IS NOT NULL", name="tier_counted"),
        CheckConstraint("oldest <= newest", name="establishment_range"),
        CheckConstraint("cardinality(author_names) <= 10", name="author_names_length"),
        CheckConstraint(f"num_nulls({_BACKTEST}) IN (0, 5)", name="backtest_together"),
        CheckConstraint("backtest_pull_requests BETWEEN 0 AND backtest_examined", name="backtest_range"),
        within("backtest_violations", 0),
        within("backtest_window_days", 1),
    )

    # What lists show stands in front, the short before the long: to read a column PostgreSQL walks over all before it.
    id: Mapped[Id]
    repo_id: Mapped[UUID]
    organization_id: Mapped[UUID]
    created_at: Mapped[Now]
    updated_at: Mapped[Now]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    type: Mapped[PatternType] = mapped_column(words(PatternType))
    category: Mapped[PatternCategory] = mapped_column(words(PatternCategory))
    status: Mapped[PatternStatus] = mapped_column(words(PatternStatus), default=PatternStatus.CANDIDATE)
    severity: Mapped[Severity] = mapped_column(words(Severity), default=Severity.WARNING)
    tier: Mapped[ConfidenceTier | None] = mapped_column(words(ConfidenceTier))
    tier_rank: Mapped[int | None] = mapped_column(
        SmallInteger, Computed(f"CASE tier {_RANKS} ELSE NULL END", persisted=True)
    )
    instances: Mapped[int | None]
    applicable: Mapped[int | None]
    conforming: Mapped[int | None]
    adoption: Mapped[float | None] = mapped_column(Computed(_ADOPTION, persisted=True))
    backtest_violations: Mapped[int | None]
    backtest_pull_requests: Mapped[int | None]
    backtest_examined: Mapped[int | None]
    backtest_window_days: Mapped[int | None]
    backtest_computed_at: Mapped[datetime | None]
    backtest_caught: Mapped[int] = mapped_column(Computed("coalesce(backtest_violations, 0)", persisted=True))
    language: Mapped[str | None]
    name: Mapped[str]
    description: Mapped[str]
    rationale: Mapped[str | None]

    suggested_category: Mapped[str | None]

    # what people decide
    rejection_reason: Mapped[str | None]
    defer_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    deferred_at: Mapped[datetime | None]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    validated_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    validated_at: Mapped[datetime | None]
    status_changed_at: Mapped[Now]
    status_changed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    pr_review: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    ai_context: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    similar_to_id: Mapped[UUID | None] = mapped_column(ForeignKey("patterns.id", ondelete="SET NULL"), index=True)
    superseded_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("patterns.id", ondelete="SET NULL"), index=True)
    touched_at: Mapped[Now]

    # where it comes from
    extracted_at: Mapped[datetime | None]
    extracted_by: Mapped[str]
    extraction_reasoning: Mapped[str | None]
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("ingestion_runs.id", ondelete="SET NULL"), index=True)

    # what makes it checkable
    rule_kind: Mapped[RuleKind] = mapped_column(words(RuleKind))
    rule_definition: Mapped[dict[str, Any]]
    rule_text: Mapped[str]
    rule_exportable: Mapped[bool] = mapped_column(default=False)
    rule_alternative: Mapped[str | None]
    # The edition of the checkers that made just this rule ready; none if nobody has tried.
    rule_edition: Mapped[str | None] = mapped_column(String(32))
    scope_languages: Mapped[list[str]]
    scope_include: Mapped[list[str]]
    scope_exclude: Mapped[list[str]]
    # The globs of the scope as one regular expression each, so that "which patterns cover this path" is a plain filter.
    scope_include_regex: Mapped[str] = mapped_column(default=".*", server_default=text("'.*'"))
    scope_exclude_regex: Mapped[str | None]

    # what was measured
    consistency: Mapped[Consistency | None] = mapped_column(words(Consistency))
    consistency_note: Mapped[str | None]
    authors: Mapped[int | None]
    author_names: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    age: Mapped[AgeCategory] = mapped_column(
        words(AgeCategory), default=AgeCategory.UNKNOWN, server_default=text("'UNKNOWN'")
    )
    oldest: Mapped[datetime | None]
    newest: Mapped[datetime | None]
    trend: Mapped[Trend] = mapped_column(words(Trend), default=Trend.UNKNOWN, server_default=text("'UNKNOWN'"))
    new_file_adoption: Mapped[float | None]
    primary_location: Mapped[CodeCategory | None] = mapped_column(words(CodeCategory))
    locations: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    health_signals: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    insight_text: Mapped[str | None]
    insight_actions: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    search: Mapped[str] = mapped_column(TSVECTOR, Computed(_SEARCH, persisted=True), deferred=True)


class Fingerprint(Table):
    """What a run recognizes a pattern by; after a merge the candidate's fingerprint belongs to the target."""

    __tablename__ = "fingerprints"
    __table_args__ = (at_most("fingerprint", 200, least=1),)

    repo_id: Mapped[UUID] = mapped_column(ForeignKey("repos.id", ondelete="CASCADE"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    pattern_id: Mapped[UUID] = mapped_column(ForeignKey("patterns.id", ondelete="CASCADE"), index=True)


class Evidence(Table):
    """A place in the repository that follows a pattern, or, as a counter-example, does not."""

    __tablename__ = "evidence"
    __table_args__ = (
        belongs_to("patterns", "pattern_id"),
        Index(None, "pattern_id", "is_counterexample", "rank", "id"),
        Index(
            "uq_evidence_canonical",
            "pattern_id",
            unique=True,
            postgresql_where=text("is_canonical"),
        ),
        CheckConstraint("NOT (is_canonical AND is_counterexample)", name="canonical_conforms"),
        CheckConstraint("(start_line IS NULL) = (end_line IS NULL)", name="lines_together"),
        CheckConstraint("start_line >= 1 AND end_line >= start_line", name="lines_range"),
        CheckConstraint(
            "snippet IS NULL OR (start_line IS NOT NULL AND commit_sha IS NOT NULL)", name="snippet_placed"
        ),
        CheckConstraint("NOT is_stale OR stale_reason IS NOT NULL", name="stale_reason"),
        object_name("commit_sha"),
        object_name("blob_id"),
        at_most("path", 4096, least=1),
        at_most("snippet", 500),
        at_most("permalink", 6000),
        at_most("author", 200),
        at_most("stale_reason", 500),
    )

    id: Mapped[Id]
    pattern_id: Mapped[UUID]
    organization_id: Mapped[UUID]
    is_counterexample: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    rank: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    path: Mapped[str]
    start_line: Mapped[int | None]
    end_line: Mapped[int | None]
    snippet: Mapped[str | None]
    commit_sha: Mapped[str | None]
    blob_id: Mapped[str | None]
    permalink: Mapped[str | None]
    author: Mapped[str | None]
    authored_at: Mapped[datetime | None]
    code_category: Mapped[CodeCategory | None] = mapped_column(words(CodeCategory))
    is_canonical: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    is_stale: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    stale_reason: Mapped[str | None]
    added_by: Mapped[EvidenceSource] = mapped_column(words(EvidenceSource))
    added_at: Mapped[Now]


class Provenance(Table):
    """A link that says why a pattern is there."""

    __tablename__ = "provenance"
    __table_args__ = (
        belongs_to("patterns", "pattern_id"),
        Index(None, "pattern_id", "id"),
        # Front ends make a link of it: no javascript: and no data: gets that far.
        CheckConstraint("url ~* '^https?://.'", name="url_shape"),
        at_most("url", 2000),
        at_most("title", 300),
        at_most("description", 1000),
    )

    id: Mapped[Id]
    pattern_id: Mapped[UUID]
    organization_id: Mapped[UUID]
    kind: Mapped[ProvenanceKind] = mapped_column(words(ProvenanceKind))
    url: Mapped[str]
    title: Mapped[str | None]
    description: Mapped[str | None]
    added_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    added_at: Mapped[Now]


class PatternEvent(Table):
    """One step of a pattern's history; `sequence` counts per repo in commit order, and rows never change."""

    __tablename__ = "pattern_events"
    __table_args__ = (
        belongs_to("patterns", "pattern_id"),
        belongs_to("repos", "repo_id"),
        UniqueConstraint("repo_id", "sequence"),
        Index(None, "pattern_id", "id"),
        at_most("message", 2000),
        within("sequence", 1),
    )

    id: Mapped[Id]
    pattern_id: Mapped[UUID]
    repo_id: Mapped[UUID]
    organization_id: Mapped[UUID]
    sequence: Mapped[int]
    kind: Mapped[PatternEventKind] = mapped_column(words(PatternEventKind))
    from_status: Mapped[PatternStatus | None] = mapped_column(words(PatternStatus, "from_status"))
    to_status: Mapped[PatternStatus | None] = mapped_column(words(PatternStatus, "to_status"))
    actor_id: Mapped[UUID | None]
    message: Mapped[str | None]
    at: Mapped[Now]
