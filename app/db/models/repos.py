"""Connected repositories, their files, and the pull requests that were merged into them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.types import Id, Now, Table, at_most, belongs_to, object_name, within, words
from app.domain.recognition import FileRole
from app.domain.repo import IngestionStatus, SourceKind

# Nulls come last in both directions, so an order by a nullable column needs an index a direction.
_LATEST_LAST = text("last_ingested_at DESC NULLS LAST")


class Repo(Table):
    """A connected repository."""

    __tablename__ = "repos"
    __table_args__ = (
        UniqueConstraint("organization_id", "full_name"),
        UniqueConstraint("organization_id", "id"),
        Index("ix_repos_oldest_ingestion", "organization_id", "last_ingested_at", "id"),
        Index("ix_repos_latest_ingestion", "organization_id", _LATEST_LAST, text("id DESC")),
        CheckConstraint("source <> 'GITHUB' OR installation_id IS NOT NULL", name="github_installation"),
        Index("ix_repos_schedule_due_at", "schedule_due_at", postgresql_where=text("schedule_due_at IS NOT NULL")),
        CheckConstraint("schedule_due_at IS NULL OR schedule_cron IS NOT NULL", name="schedule_due_at"),
        object_name("last_ingested_commit"),
        object_name("files_commit"),
        at_most("full_name", 300, least=1),
        at_most("url", 2000, least=1),
        at_most("default_branch", 255),
        at_most("branch", 255),
        at_most("last_error", 2000),
        at_most("schedule_cron", 100),
        within("change_sequence", 0),
        within("compared_sequence", 0),
        within("file_count", 0),
        within("token_count", 0),
    )

    id: Mapped[Id]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    full_name: Mapped[str]
    source: Mapped[SourceKind] = mapped_column(words(SourceKind))
    url: Mapped[str]
    installation_id: Mapped[int | None] = mapped_column(BigInteger)
    branch: Mapped[str | None]
    default_branch: Mapped[str]
    private: Mapped[bool]
    ingestion_status: Mapped[IngestionStatus] = mapped_column(
        words(IngestionStatus), default=IngestionStatus.PENDING, server_default=text("'PENDING'")
    )
    last_ingested_at: Mapped[datetime | None]
    last_ingested_commit: Mapped[str | None]
    # The commit that the rows of its files stand for; none while a run changes them, and after one that broke off.
    files_commit: Mapped[str | None]
    last_error: Mapped[str | None]
    file_count: Mapped[int | None]
    token_count: Mapped[int | None]
    languages: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    schedule_cron: Mapped[str | None]
    schedule_due_at: Mapped[datetime | None]
    change_sequence: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # Up to which change its candidates were compared with what was decided.
    compared_sequence: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[Now]


class RepoFile(Table):
    """One file of a repository at its last indexed commit."""

    __tablename__ = "repo_files"
    __table_args__ = (
        belongs_to("repos", "repo_id"),
        # An entry of an index has room for some 2,700 bytes.
        CheckConstraint("octet_length(path) BETWEEN 1 AND 2048", name="path_length"),
        object_name("blob_id"),
        at_most("language", 50),
        within("size_bytes", 0),
        within("token_estimate", 0),
    )

    repo_id: Mapped[UUID] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID]
    blob_id: Mapped[str]
    language: Mapped[str | None]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    token_estimate: Mapped[int | None]
    role: Mapped[FileRole] = mapped_column(words(FileRole, "role"), server_default=text("'ASSET'"))
    is_binary: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    is_generated: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    is_vendored: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    is_symlink: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    is_detectable: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    is_quotable: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    # By which version of our rules these facts were found; a file whose rules have changed is looked at again.
    facts_version: Mapped[int] = mapped_column(SmallInteger, default=0, server_default=text("0"))


class PullRequest(Table):
    """A change that was merged into the default branch, kept for backtests; the diff lies in storage."""

    __tablename__ = "pull_requests"
    __table_args__ = (
        belongs_to("repos", "repo_id"),
        UniqueConstraint("repo_id", "reference"),
        Index(None, "repo_id", "merged_at"),
        at_most("reference", 100, least=1),
        at_most("title", 500),
        at_most("author", 200),
        at_most("diff_key", 300),
    )

    id: Mapped[Id]
    repo_id: Mapped[UUID]
    organization_id: Mapped[UUID]
    reference: Mapped[str]
    title: Mapped[str]
    author: Mapped[str | None]
    merged_at: Mapped[datetime]
    diff_key: Mapped[str | None]
