"""Shapes of connected repositories and their files."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Uuid, and_, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Organization, Repo, RepoFile
from app.domain.ids import Kind, parse_as
from app.domain.pattern import PatternStatus
from app.domain.run import LIVE
from app.domain.viewer import Permission
from app.domain.words import Word
from app.reads.patterns import DEFERRED, PATTERNS, TRIAGE
from app.reads.shape import (
    NEWEST_FIRST,
    Filter,
    Key,
    Many,
    One,
    Only,
    Record,
    Rows,
    Shape,
    Tally,
    in_organization,
    is_one_of,
    ordered,
)
from app.reads.visible import View


class RepoOrderField(Word):
    """What repositories can be ordered by."""

    CREATED_AT = "CREATED_AT", "When they were connected."
    NAME = "NAME", "Their full names, byte by byte."
    LAST_INGESTED_AT = "LAST_INGESTED_AT", "When a run last succeeded; those without one come last."


def containing(text: str) -> str:
    """Spell a LIKE pattern that finds a text anywhere."""
    escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _starts(rows: Rows, prefix: ColumnElement[Any]) -> ColumnElement[bool]:
    """Say that a path begins with a text.

    LIKE finds an index only while the text is planned for; this is the same as a range: no path has more than 512
    characters of four bytes, so that none that begins so stands behind its end.
    """
    last = func.repeat(func.chr(literal_column("1114111")), literal_column("513"))
    return and_(rows.c.path >= prefix, rows.c.path < prefix.concat(last))


REPOS = Many(
    "Repo",
    order=NEWEST_FIRST,
    orders={
        RepoOrderField.CREATED_AT: ordered(),
        RepoOrderField.NAME: ordered("full_name"),
        RepoOrderField.LAST_INGESTED_AT: ordered(Key("last_ingested_at", nullable=True)),
    },
    filters={
        "organization_id": Filter(
            lambda rows, value: rows.c.organization_id == value,
            Uuid(),
            lambda given: parse_as(Kind.ORGANIZATION, given, field="organizationId"),
            finds=True,
        ),
        "ingestion_status": Filter(lambda rows, value: rows.c.ingestion_status == value, Text()),
        "source": Filter(lambda rows, value: rows.c.source == value, Text()),
        "search": Filter(lambda rows, value: rows.c.full_name.ilike(value, escape="\\"), Text(), containing),
    },
)
REPOS_OF_ORGANIZATION = replace(REPOS, by="organization_id")

REPO = Shape(
    "Repo",
    Repo,
    in_organization(Permission.READ_REPOS),
    Kind.REPO,
    relations={
        "organization": One("Organization", by="organization_id"),
        "current_run": Only("IngestionRun", by="repo_id", where=is_one_of("status", *LIVE)),
        "runs": Many("IngestionRun", by="repo_id", order=NEWEST_FIRST),
        "files": Many(
            "RepoFile",
            by="repo_id",
            order=ordered(unique="path"),
            filters={
                "prefix": Filter(_starts, Text(), str.strip),
                "search": Filter(lambda rows, value: rows.c.path.ilike(value, escape="\\"), Text(), containing),
            },
        ),
        "patterns": replace(PATTERNS, by="repo_id"),
        "triage_queue": TRIAGE,
        "deferred_queue": DEFERRED,
        "pattern_counts": Tally(
            "Pattern",
            by="repo_id",
            counts={status.value.lower(): is_one_of("status", status) for status in PatternStatus},
        ),
    },
)

REPO_FILE = Shape("RepoFile", RepoFile, in_organization(Permission.READ_REPOS))


async def named(session: AsyncSession, view: View, full_name: str, organization_slug: str | None) -> list[Record]:
    """Read the repositories of a full name that the viewer sees; of one organization, or of all."""
    rows, theirs = REPO.rows, Organization.__table__.alias()
    statement = select(*(rows.c[name] for name in REPO.columns)).where(
        rows.c.full_name == full_name, REPO.seen_by.condition(rows, view.sight)
    )
    if organization_slug is not None:
        statement = statement.join(theirs, theirs.c.id == rows.c.organization_id).where(
            theirs.c.slug == organization_slug
        )
    result = await session.execute(statement.limit(2), dict(view.bound))
    return [Record(REPO, row) for row in result.mappings()]


async def known(session: AsyncSession, ids: Collection[UUID]) -> set[UUID]:
    """Tell which of some repositories there are."""
    return set(await session.scalars(select(Repo.id).where(Repo.id.in_(list(ids)))))


async def find(session: AsyncSession, repo_id: UUID) -> Repo | None:
    """Find a repository, for whoever may know of all."""
    return await session.get(Repo, repo_id)
