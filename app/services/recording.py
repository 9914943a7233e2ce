"""Recording: what a run found becomes patterns, in one short transaction; what people decided stays as they left it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.checkers.registry import columns_of_ready
from app.db import models
from app.db.history import Step, record
from app.db.tx import Tx
from app.domain.confidence import ConfidenceTier
from app.domain.evidence import Verified
from app.domain.ids import new_id
from app.domain.pattern import (
    DISMISSED,
    CodeCategory,
    EvidenceSource,
    PatternCategory,
    PatternEventKind,
    PatternStatus,
    PatternType,
)
from app.domain.rule import Rule
from app.reads import mining
from app.reads.mining import StandingPattern

WITHDRAWN = "No longer found in the code."
_OPEN = (PatternStatus.CANDIDATE, PatternStatus.DEFERRED)
_PLACE = ("path", "start_line", "end_line", "snippet", "blob_id", "is_canonical", "is_counterexample", "rank")


@dataclass(frozen=True, slots=True)
class Shown:
    """A verified place, with what is told about it."""

    place: Verified
    category: CodeCategory
    author: str | None = None
    authored_at: datetime | None = None
    canonical: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a run saw of one rule: the columns that were measured, and the places that show it."""

    measured: Mapping[str, Any]
    shown: Sequence[Shown]
    stale: Mapping[UUID, str] = field(default_factory=dict)
    """Why places that were shown before no longer stand."""
    moved: Mapping[UUID, Verified] = field(default_factory=dict)
    """Where places that were shown before stand now."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """A convention that a run found, in words and as a rule."""

    fingerprint: str
    name: str
    description: str
    type: PatternType
    category: PatternCategory
    rule: Rule
    extracted_by: str
    reasoning: str
    sighting: Sighting


@dataclass(frozen=True, slots=True)
class Run:
    """The run that writes."""

    id: UUID
    repo_id: UUID
    organization_id: UUID
    commit: str
    at: datetime


@dataclass(slots=True)
class Recorded:
    """What became of what a run found."""

    created: int = 0
    updated: int = 0
    returned: int = 0
    withdrawn: int = 0
    measured: int = 0
    refused: list[str] = field(default_factory=list)
    """Names of conventions that a person rejected, and that are therefore not shown again."""
    changed: list[UUID] = field(default_factory=list)
    """New and returned patterns."""


async def write(
    tx: Tx,
    run: Run,
    discoveries: Sequence[Discovery],
    standing: Sequence[tuple[StandingPattern, Sighting]],
    miner: str,
    failed: Sequence[str],
) -> Recorded:
    """Write down everything at once; `standing` holds what was seen of rules that are measured as they are stored.

    `miner` is how miners sign what they extracted: only what they found before and do not find now is withdrawn, and
    nothing of those that `failed`.
    """
    known = await mining.known_patterns(tx.session, run.repo_id)
    # Measuring takes minutes, and people go on deciding: what stands by now is theirs, whether it was measured or not.
    stands = {pattern.id: pattern for pattern in await mining.standing_patterns(tx.session, run.repo_id)}
    found = {before.id for each in discoveries if (before := known.by_fingerprint.get(each.fingerprint)) is not None}
    recorded = Recorded()
    steps: list[Step] = []
    seen = set(stands)
    book = _Book(tx.session, run, await mining.places_by_pattern(tx.session, found | stands.keys()))

    def looked(pattern: models.Pattern) -> bool:
        return pattern.extracted_by.startswith(miner) and not pattern.extracted_by.startswith(tuple(failed))

    for discovery in discoveries:
        before = known.by_fingerprint.get(discovery.fingerprint)
        if before is None:
            pattern = book.create(discovery)
            recorded.created += 1
            recorded.changed.append(pattern.id)
            said = f"Found by {discovery.extracted_by}."
            steps.append(Step(pattern.id, PatternEventKind.CREATED, said, None, PatternStatus.CANDIDATE))
            continue
        if before.id in stands:
            continue
        seen.add(before.id)
        if before.status in _OPEN:
            if book.update(before, discovery):
                recorded.updated += 1
                steps.append(Step(before.id, PatternEventKind.MEASURED, _told(before)))
        elif before.status is PatternStatus.REJECTED:
            if _comes_back(before, discovery, known.by_jobs):
                book.update(before, discovery)
                _move(before, PatternStatus.CANDIDATE, run.at)
                before.rejection_reason = None
                recorded.returned += 1
                recorded.changed.append(before.id)
                said = "Found again by a run."
                steps.append(
                    Step(before.id, PatternEventKind.REOPENED, said, PatternStatus.REJECTED, PatternStatus.CANDIDATE)
                )
            elif before.id not in known.by_jobs:
                recorded.refused.append(before.name)
    for measured, sighting in standing:
        if measured.id not in stands or not measured.same_rule(stands[measured.id]):
            continue
        pattern = known.by_id[measured.id]
        if book.measure(pattern, sighting, located=True):
            recorded.measured += 1
            steps.append(Step(pattern.id, PatternEventKind.MEASURED, _told(pattern)))
    for pattern in known.by_id.values():
        if pattern.status in _OPEN and pattern.id not in seen and looked(pattern):
            before_status = pattern.status
            _move(pattern, PatternStatus.REJECTED, run.at)
            pattern.rejection_reason = WITHDRAWN
            recorded.withdrawn += 1
            steps.append(Step(pattern.id, PatternEventKind.WITHDRAWN, WITHDRAWN, before_status, PatternStatus.REJECTED))
    await book.write()
    await record(tx, run.repo_id, run.organization_id, None, run.at, steps)
    return recorded


def _comes_back(pattern: models.Pattern, discovery: Discovery, by_jobs: Mapping[UUID, PatternEventKind]) -> bool:
    """Tell whether what a job rejected is found again; what was too weak must have become better."""
    if pattern.id not in by_jobs or pattern.superseded_by_id is not None:
        return False
    return pattern.rejection_reason != DISMISSED or discovery.sighting.measured["tier"] not in (
        ConfidenceTier.WEAK,
        ConfidenceTier.LEGACY,
    )


def _move(pattern: models.Pattern, status: PatternStatus, at: datetime) -> None:
    pattern.status = status
    pattern.status_changed_at = at
    pattern.status_changed_by_id = None
    pattern.version += 1
    pattern.updated_at = at


def _told(pattern: models.Pattern) -> str:
    return f"Measured: {pattern.conforming} of {pattern.applicable}."


def _words(discovery: Discovery) -> dict[str, Any]:
    scope = discovery.rule.scope
    return {
        "name": discovery.name,
        "description": discovery.description,
        "type": discovery.type,
        "category": discovery.category,
        "language": scope.languages[0] if scope.languages else None,
        "extraction_reasoning": discovery.reasoning,
        "extracted_by": discovery.extracted_by,
        **columns_of_ready(discovery.rule),
    }


@dataclass(slots=True)
class _Book:
    """What is to be written: patterns change as they are read, their places and names go to the database together."""

    session: AsyncSession
    run: Run
    places: Mapping[UUID, Sequence[models.Evidence]]
    """Those of each pattern before, by rank."""
    names: list[dict[str, Any]] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    fresh: list[dict[str, Any]] = field(default_factory=list)

    def create(self, discovery: Discovery) -> models.Pattern:
        """Add a pattern."""
        run = self.run
        pattern = models.Pattern(
            id=new_id(),
            repo_id=run.repo_id,
            organization_id=run.organization_id,
            run_id=run.id,
            extracted_at=run.at,
            pr_review=discovery.category is not PatternCategory.FILE_STRUCTURE,
            **_words(discovery),
            **discovery.sighting.measured,
        )
        self.session.add(pattern)
        self.names.append({"repo_id": run.repo_id, "fingerprint": discovery.fingerprint, "pattern_id": pattern.id})
        self.fresh += _rows(run, pattern, discovery.sighting.shown, kept=0, canonical=True)
        return pattern

    def update(self, pattern: models.Pattern, discovery: Discovery) -> bool:
        """Bring a pattern up to date; tells whether anything is news of it."""
        changed = False
        for column, value in _words(discovery).items():
            if getattr(pattern, column) != value:
                setattr(pattern, column, value)
                # That other checkers run the rule now is no news of the pattern.
                changed = changed or column != "rule_edition"
        return self.measure(pattern, discovery.sighting, located=False) or changed

    def measure(self, pattern: models.Pattern, sighting: Sighting, *, located: bool) -> bool:
        """Write what was measured; places that people chose stay, and say so where they no longer stand."""
        run, changed = self.run, False
        for column, value in sighting.measured.items():
            if getattr(pattern, column) != value:
                setattr(pattern, column, value)
                changed = True
        rows = self.places.get(pattern.id, ())
        staying = [row for row in rows if row.added_by is EvidenceSource.PERSON or (located and row.is_canonical)]
        for row in staying:
            reason = sighting.stale.get(row.id)
            if (row.is_stale, row.stale_reason) != (reason is not None, reason):
                row.is_stale, row.stale_reason = reason is not None, reason
                changed = True
            if (place := sighting.moved.get(row.id)) is not None:
                row.path, row.start_line, row.end_line, row.snippet = place.path, place.start, place.end, place.snippet
                row.blob_id, row.commit_sha = place.blob_id, run.commit
                changed = True
        staying_ids = {row.id for row in staying}
        taken = {(row.path, row.start_line, row.end_line) for row in staying}
        fresh = [each for each in sighting.shown if (each.place.path, each.place.start, each.place.end) not in taken]
        canonical = not any(row.is_canonical for row in staying)
        wanted = _rows(run, pattern, fresh, kept=len(staying), canonical=canonical)
        present = [row for row in rows if row.id not in staying_ids]
        if [*map(itemgetter(*_PLACE), wanted)] != [*map(attrgetter(*_PLACE), present)]:
            changed = True
            self.gone += [row.id for row in present]
            self.fresh += wanted
        if changed:
            pattern.updated_at = run.at
        return changed

    async def write(self) -> None:
        """Bring it all to the database."""
        await self.session.flush()
        if self.gone:
            await self.session.execute(delete(models.Evidence).where(models.Evidence.id.in_(self.gone)))
        for model, rows in ((models.Fingerprint, self.names), (models.Evidence, self.fresh)):
            if rows:
                await self.session.execute(insert(model), rows)


def _rows(
    run: Run, pattern: models.Pattern, shown: Sequence[Shown], *, kept: int, canonical: bool
) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id(),
            "pattern_id": pattern.id,
            "organization_id": run.organization_id,
            "is_counterexample": each.place.counterexample,
            "rank": rank,
            "path": each.place.path,
            "start_line": each.place.start,
            "end_line": each.place.end,
            "snippet": each.place.snippet,
            "commit_sha": run.commit,
            "blob_id": each.place.blob_id,
            "author": each.author,
            "authored_at": each.authored_at,
            "code_category": each.category,
            "is_canonical": each.canonical and canonical,
            "added_by": EvidenceSource.MINER,
            "added_at": run.at,
        }
        for rank, each in enumerate(shown, kept)
    ]
