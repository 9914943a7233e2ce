"""Reads that decisions about patterns begin with: the rows they decide, held until they commit.

All that is decided about the patterns of a repository takes turns: whoever holds a pattern holds its repository first,
and several in the order of their ids. So nobody waits for somebody who waits for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Row, Select, Text, Uuid, and_, any_, bindparam, cast, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.db import models
from app.db.prepared import Prepared
from app.db.readers import Readers
from app.domain.confidence import ConfidenceTier
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.ids import Kind, public
from app.domain.links import LONGEST_TITLE, MOST, Link, is_of, recognized
from app.domain.moments import spell
from app.domain.pattern import PatternCategory, PatternStatus, ProvenanceKind
from app.domain.rule import RuleKind
from app.domain.viewer import Permission, Viewer


@dataclass(frozen=True, slots=True)
class Standing:
    """What a move looks at of a pattern: the ORM and its sixty columns would cost more than the move."""

    id: UUID
    repo_id: UUID
    organization_id: UUID
    version: int
    status: PatternStatus
    status_changed_at: datetime
    status_changed_by_id: UUID | None
    category: PatternCategory
    pr_review: bool
    defer_count: int
    rule_kind: RuleKind
    # As JSON, the same for equal ones.
    rule_definition: str
    scope_languages: Sequence[str]
    scope_include: Sequence[str]
    scope_exclude: Sequence[str]
    # Whether somebody changed it while it was waited for.
    raced: bool = False


_PATTERNS = models.Table.metadata.tables[models.Pattern.__tablename__]
_STANDS = [
    cast(_PATTERNS.c[name], Text).label(name) if name == "rule_definition" else _PATTERNS.c[name]
    for name in (field.name for field in fields(Standing))
    if name != "raced"
]
# A row as it was when a statement began, beside the same one as it is once it is held.
_SEEN = aliased(models.Pattern, name="seen")
_RACED = (_SEEN.version != models.Pattern.version).label("raced")


def _held(*columns: Any) -> Select[Any]:
    return (
        select(*columns, _RACED)
        .join(models.Repo, models.Repo.id == models.Pattern.repo_id)
        .join(_SEEN, _SEEN.id == models.Pattern.id)
        .where(models.Pattern.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
        .order_by(models.Repo.id, models.Pattern.id)
        # Against others who would change the rows; those who refer to them need not wait.
        .with_for_update(key_share=True, of=(models.Repo, models.Pattern))
    )


def _seen(held: Select[Any]) -> Select[Any]:
    return held.where(models.Pattern.organization_id == any_(bindparam("organizations", type_=ARRAY(Uuid))))


_HELD = _held(models.Pattern)
_HELD_SEEN = _seen(_HELD)
_STANDING = _held(*_STANDS)
_STANDING_SEEN = _seen(_STANDING)
_LOOK = select(*_STANDS).where(_PATTERNS.c.id == bindparam("id", type_=Uuid))
_LOOKED = Prepared(_LOOK)
_LOOKED_SEEN = Prepared(_LOOK.where(_PATTERNS.c.organization_id == any_(bindparam("organizations", type_=ARRAY(Uuid)))))

Part = TypeVar("Part", models.Evidence, models.Provenance)
Held = TypeVar("Held", models.Pattern, Standing)


async def hold(session: AsyncSession, viewer: Viewer, ids: Sequence[UUID]) -> dict[UUID, models.Pattern]:
    """Hold those of some patterns that a viewer sees."""
    return {row.id: row for row, _ in await _hold(session, viewer, ids)}


async def _hold(session: AsyncSession, viewer: Viewer, ids: Sequence[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
    seen_in = viewer.organizations_with(Permission.READ_PATTERNS)
    asked = {"ids": list(ids), "organizations": seen_in}
    return list(await session.execute(_HELD if seen_in is None else _HELD_SEEN, asked))


async def hold_standing(session: AsyncSession, viewer: Viewer, ids: Sequence[UUID]) -> dict[UUID, Standing]:
    """Hold those of some patterns that a viewer sees, and tell how they stand."""
    seen_in = viewer.organizations_with(Permission.READ_PATTERNS)
    connection = await session.connection()
    if seen_in is None:
        rows = await connection.execute(_STANDING, {"ids": list(ids)})
    else:
        rows = await connection.execute(_STANDING_SEEN, {"ids": list(ids), "organizations": seen_in})
    return {row.id: Standing(*row) for row in rows}


async def look_at(readers: Readers, viewer: Viewer, pattern_id: UUID) -> Standing | None:
    """Tell how a pattern that a viewer sees stands, without holding it."""
    seen_in = viewer.organizations_with(Permission.READ_PATTERNS)
    if seen_in is None:
        row = await _LOOKED.row(readers, id=pattern_id)
    else:
        row = await _LOOKED_SEEN.row(readers, id=pattern_id, organizations=seen_in)
    if row is None:
        return None
    facts: dict[str, Any] = dict(row)
    facts |= {name: word(facts[name]) for name, word in _WORDS.items()}
    return Standing(**facts)


_WORDS: Mapping[str, Any] = {
    "status": PatternStatus,
    "category": PatternCategory,
    "rule_kind": RuleKind,
}


def permitted(viewer: Viewer, pattern: Held | None) -> Held:
    """Give a pattern that a viewer may decide about: absent for who does not see it, forbidden for who only does."""
    if pattern is None:
        raise NotFound("No such pattern.")
    viewer.require(Permission.TRIAGE, pattern.organization_id)
    return pattern


def decided_by(viewer: Viewer) -> list[UUID]:
    """List the organizations whose patterns `permitted` gives a viewer."""
    return [
        organization_id
        for organization_id in viewer.roles
        if viewer.sees(organization_id, Permission.READ_PATTERNS) and viewer.may(Permission.TRIAGE, organization_id)
    ]


async def hold_for(session: AsyncSession, viewer: Viewer, *ids: UUID) -> list[models.Pattern]:
    """Hold patterns that a viewer may decide about, in the order asked for, or refuse."""
    held = await hold(session, viewer, ids)
    return [permitted(viewer, held.get(identifier)) for identifier in ids]


async def repo_for(session: AsyncSession, viewer: Viewer, repo_id: UUID, *, lock: bool = False) -> models.Repo:
    """Give a repository whose patterns a viewer may write, and that was read before, or refuse."""
    repo = await session.get(models.Repo, repo_id, with_for_update={"key_share": True} if lock else None)
    seen = (Permission.READ_REPOS, Permission.READ_PATTERNS)
    if repo is None or not any(viewer.sees(repo.organization_id, permission) for permission in seen):
        raise NotFound("No such repository.")
    viewer.require(Permission.TRIAGE, repo.organization_id)
    if repo.last_ingested_commit is None:
        raise Conflict("The repository has not been read yet; start a run first.")
    return repo


async def find_for(session: AsyncSession, viewer: Viewer, pattern_id: UUID) -> models.Pattern:
    """Give a pattern that a viewer may decide about, without holding it, or refuse."""
    pattern = await session.get(models.Pattern, pattern_id)
    if pattern is not None and not viewer.sees(pattern.organization_id, Permission.READ_PATTERNS):
        pattern = None
    return permitted(viewer, pattern)


async def hold_part(
    session: AsyncSession, viewer: Viewer, model: type[Part], identifier: UUID, noun: str
) -> tuple[models.Pattern, Part]:
    """Hold a part of a pattern with the pattern, or refuse."""
    owner = await session.scalar(select(model.pattern_id).where(model.id == identifier))
    held = {} if owner is None else await hold(session, viewer, [owner])
    # Read under the lock: it may have gone, or to another pattern, a moment ago.
    part = await session.get(model, identifier)
    if part is None or part.pattern_id not in held:
        raise NotFound(f"No such {noun}.")
    return permitted(viewer, held[part.pattern_id]), part


async def hold_to_move(session: AsyncSession, viewer: Viewer, *ids: UUID) -> list[models.Pattern]:
    """Hold patterns as `hold_for` does, and refuse if somebody changed one while it was waited for."""
    rows = await _hold(session, viewer, ids)
    held = {row.id: row for row, _ in rows}
    patterns = [permitted(viewer, held.get(identifier)) for identifier in ids]
    for row, raced in rows:
        if raced:
            raise overtaken(row)
    return patterns


def expect(pattern: models.Pattern | Standing, version: int | None) -> None:
    """Refuse a decision about another state of a pattern than the one that stands; None stands for any."""
    if version is not None and version != pattern.version:
        raise overtaken(pattern)


def overtaken(pattern: models.Pattern | Standing) -> Conflict:
    """Tell whoever was slower how the pattern stands now."""
    return Conflict(
        f"Somebody changed this pattern in the meantime: it is {pattern.status.value} now.", **standing_of(pattern)
    )


def standing_of(pattern: models.Pattern | Standing) -> dict[str, Any]:
    """Spell what a client needs to decide anew."""
    changed_by = pattern.status_changed_by_id
    return {
        "patternId": public(Kind.PATTERN, pattern.id),
        "version": pattern.version,
        "status": pattern.status.value,
        "statusChangedAt": spell(pattern.status_changed_at),
        "statusChangedBy": None if changed_by is None else public(Kind.USER, changed_by),
    }


def neglected(since: datetime) -> ColumnElement[bool]:
    """Say that a pattern is a weak candidate that nobody has touched since a moment."""
    return and_(
        models.Pattern.status == PatternStatus.CANDIDATE,
        models.Pattern.tier == ConfidenceTier.WEAK,
        models.Pattern.touched_at < since,
    )


async def neglecting(session: AsyncSession, since: datetime) -> list[UUID]:
    """List the repositories that have such candidates."""
    found = await session.scalars(select(models.Pattern.repo_id).where(neglected(since)).distinct())
    return sorted(found)


async def uncompared(session: AsyncSession, most: int) -> dict[UUID, int]:
    """List repositories where anything was changed since their candidates were compared, and the last change."""
    repo = models.Repo
    changed = select(repo.id, repo.change_sequence).where(repo.compared_sequence < repo.change_sequence)
    return {row.id: row.change_sequence for row in await session.execute(changed.order_by(repo.id).limit(most))}


async def new_links(
    session: AsyncSession, viewer: Viewer, pattern: models.Pattern | Standing, links: Sequence[Link]
) -> list[models.Provenance]:
    """Make the rows of links that a pattern does not have yet, with the titles that are known here."""
    if not links:
        return []
    known = set(await session.scalars(select(models.Provenance.url).where(models.Provenance.pattern_id == pattern.id)))
    fresh = {link.url: link for link in links if link.url not in known}
    if len(known) + len(fresh) > MOST:
        raise Invalid(f"A pattern has at most {MOST} links.", fields={"provenance": f"has more than {MOST}"})
    return [
        models.Provenance(
            pattern_id=pattern.id,
            organization_id=pattern.organization_id,
            kind=link.kind,
            url=link.url,
            title=link.title or await _title_of(session, pattern, link),
            description=link.description,
            added_by_id=viewer.user_id,
        )
        for link in fresh.values()
    ]


async def _title_of(session: AsyncSession, pattern: models.Pattern | Standing, link: Link) -> str | None:
    """Name what a link points at: as it was merged here if it was, else as GitHub names it elsewhere."""
    found = recognized(link.url)
    if found is None:
        return None
    repo = await session.get_one(models.Repo, pattern.repo_id)
    if not is_of(found.slug, repo.url) or found.kind is ProvenanceKind.ISSUE:
        return found.title
    merged = models.PullRequest.reference == found.reference
    if found.kind is ProvenanceKind.COMMIT:
        merged = models.PullRequest.reference.startswith(found.reference)
    titled = select(models.PullRequest.title).where(models.PullRequest.repo_id == repo.id, merged)
    title = await session.scalar(titled.order_by(models.PullRequest.id).limit(1))
    return f"{title[: LONGEST_TITLE - len(found.title) - 3]} ({found.title})" if title else found.title
