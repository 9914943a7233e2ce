"""Checks of diffs and the violations they found."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.types import Id, Now, Table, amount, at_most, belongs_to, within, words
from app.domain.finding import CheckVerdict
from app.domain.pattern import Severity


class Check(Table):
    """A diff held against the authoritative patterns of a repository."""

    __tablename__ = "checks"
    __table_args__ = (
        belongs_to("repos", "repo_id"),
        UniqueConstraint("organization_id", "id"),
        Index(None, "repo_id", "id"),
        within("patterns_checked", 0),
        within("files_checked", 0),
        amount("duration_ms"),
    )

    id: Mapped[Id]
    repo_id: Mapped[UUID]
    organization_id: Mapped[UUID]
    verdict: Mapped[CheckVerdict] = mapped_column(words(CheckVerdict))
    notes: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    patterns_checked: Mapped[int]
    files_checked: Mapped[int]
    duration_ms: Mapped[float]
    created_at: Mapped[Now]


class Violation(Table):
    """An added or changed line that does not follow an authoritative pattern."""

    __tablename__ = "violations"
    __table_args__ = (
        belongs_to("checks", "check_id"),
        belongs_to("patterns", "pattern_id"),
        Index(None, "check_id", "id"),
        CheckConstraint("start_line >= 1 AND end_line >= start_line", name="lines_range"),
        CheckConstraint("dismissal_reason IS NULL OR dismissed_at IS NOT NULL", name="dismissal_reason"),
        CheckConstraint("dismissed_at IS NOT NULL OR NOT false_positive", name="false_positive_dismissed"),
        at_most("path", 4096, least=1),
        at_most("snippet", 500),
        at_most("message", 2000, least=1),
        at_most("suggested_fix", 4000),
        at_most("dismissal_reason", 500),
    )

    id: Mapped[Id]
    check_id: Mapped[UUID]
    pattern_id: Mapped[UUID] = mapped_column(index=True)
    organization_id: Mapped[UUID]
    path: Mapped[str]
    start_line: Mapped[int]
    end_line: Mapped[int]
    snippet: Mapped[str | None]
    message: Mapped[str]
    severity: Mapped[Severity] = mapped_column(words(Severity))
    suggested_fix: Mapped[str | None]
    dismissed_at: Mapped[datetime | None]
    dismissal_reason: Mapped[str | None]
    false_positive: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
