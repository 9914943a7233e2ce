"""Ingestion runs and the log of what happened in each."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.types import Id, Now, Table, amount, at_most, belongs_to, object_name, within, words
from app.domain.repo import IngestionStatus
from app.domain.run import IngestionEventKind, IngestionStage, RunStatus, RunTrigger

_LIVE = "status IN ('QUEUED', 'RUNNING')"


class IngestionRun(Table):
    """One pass over a repository at one commit; the row is also the outbox of its job."""

    __tablename__ = "ingestion_runs"
    __table_args__ = (
        belongs_to("repos", "repo_id"),
        UniqueConstraint("organization_id", "id"),
        Index("uq_ingestion_runs_live", "repo_id", unique=True, postgresql_where=text(_LIVE)),
        Index("ix_ingestion_runs_lease", "leased_until", postgresql_where=text(_LIVE)),
        Index(None, "repo_id", "id"),
        CheckConstraint(f"({_LIVE}) = (finished_at IS NULL)", name="finished_at"),
        CheckConstraint("status <> 'RUNNING' OR started_at IS NOT NULL", name="started_at"),
        CheckConstraint("status <> 'FAILED' OR error_code IS NOT NULL", name="error_code"),
        # A run that is cancelled puts this status back; no live run is left to make it true.
        CheckConstraint("status_before <> 'INGESTING'", name="status_before_settled"),
        object_name("commit_sha"),
        within("fraction", 0, 1),
        within("attempt", 0),
        within("sequence", 0),
        within("patterns_found", 0),
        within("patterns_dropped", 0),
        within("input_tokens", 0),
        within("output_tokens", 0),
        amount("cost_usd"),
        amount("eta_seconds"),
        at_most("error_code", 100),
        at_most("error_message", 2000),
    )

    id: Mapped[Id]
    repo_id: Mapped[UUID]
    organization_id: Mapped[UUID]
    status: Mapped[RunStatus] = mapped_column(words(RunStatus), default=RunStatus.QUEUED)
    trigger: Mapped[RunTrigger] = mapped_column(words(RunTrigger))
    stage: Mapped[IngestionStage] = mapped_column(words(IngestionStage), default=IngestionStage.FETCH)
    stages: Mapped[list[Any]] = mapped_column(default=list)
    forced: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    status_before: Mapped[IngestionStatus] = mapped_column(
        words(IngestionStatus, "status_before"), default=IngestionStatus.PENDING, server_default=text("'PENDING'")
    )
    commit_sha: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    leased_until: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    sequence: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    queued_at: Mapped[Now]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    patterns_found: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    patterns_dropped: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    input_tokens: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    output_tokens: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    cost_usd: Mapped[float] = mapped_column(default=0.0, server_default=text("0"))
    fraction: Mapped[float] = mapped_column(default=0.0, server_default=text("0"))
    eta_seconds: Mapped[float | None]
    report: Mapped[dict[str, Any] | None]


class RunShard(Table):
    """A part of one stage's work that any worker may do; what it works on lies in storage."""

    __tablename__ = "run_shards"
    __table_args__ = (
        belongs_to("ingestion_runs", "run_id"),
        within("number", 0),
        within("attempt", 1),
        within("items", 0),
        within("done", 0),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    stage: Mapped[IngestionStage] = mapped_column(words(IngestionStage), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID]
    attempt: Mapped[int]
    items: Mapped[int]
    done: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    holder: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None]


class RunEvent(Table):
    """One event of a run, numbered without gaps; pub/sub only rings the bell for it."""

    __tablename__ = "run_events"
    __table_args__ = (
        belongs_to("ingestion_runs", "run_id"),
        Index(None, "at"),
        within("sequence", 1),
        at_most("message", 2000),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID]
    kind: Mapped[IngestionEventKind] = mapped_column(words(IngestionEventKind))
    at: Mapped[Now]
    stage: Mapped[IngestionStage] = mapped_column(words(IngestionStage))
    progress: Mapped[dict[str, Any] | None]
    message: Mapped[str | None]
    pattern_id: Mapped[UUID | None] = mapped_column(ForeignKey("patterns.id", ondelete="SET NULL"), index=True)
    run: Mapped[dict[str, Any]]


class FailedJob(Table):
    """A job that will not be tried again by itself."""

    __tablename__ = "failed_jobs"
    __table_args__ = (
        UniqueConstraint("job_id"),
        at_most("job_id", 200, least=1),
        at_most("function", 100, least=1),
        at_most("error", 4000),
        within("attempts", 0),
    )

    id: Mapped[Id]
    job_id: Mapped[str]
    function: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    error: Mapped[str]
    attempts: Mapped[int]
    failed_at: Mapped[Now]
