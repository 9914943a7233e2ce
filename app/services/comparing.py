"""Comparing: which candidates of a repository say what a decided pattern says already."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, select, update

from app.db import models
from app.db.tx import Tx
from app.domain.pattern import PatternStatus
from app.domain.rule import Rule, Scope
from app.domain.similarity import Spot, Told, similar, words_of

_Row = Row[tuple[object, ...]]

_WAITING = (PatternStatus.CANDIDATE, PatternStatus.DEFERRED)
_DECIDED = (PatternStatus.AUTHORITATIVE, PatternStatus.REJECTED)


async def compare(tx: Tx, repo_id: UUID) -> int:
    """Flag candidates that say what an authoritative or rejected pattern says, and only those; count them.

    No person changed anything of them, so no version grows and no history is written.
    """
    rows = await _rows(tx, repo_id)
    return await _flag(tx, rows, [row for row in rows if row.status in _WAITING])


async def compare_one(tx: Tx, pattern_id: UUID) -> None:
    """Flag a candidate that a person wrote or changed as a run would, or take its flag back."""
    repo_id = await tx.session.scalar(select(models.Pattern.repo_id).where(models.Pattern.id == pattern_id))
    if repo_id is not None:
        rows = await _rows(tx, repo_id)
        await _flag(tx, rows, [row for row in rows if row.id == pattern_id and row.status in _WAITING])


async def note(tx: Tx, repo_id: UUID, sequence: int) -> None:
    """Note up to which change the candidates of a repository were compared."""
    repo = models.Repo
    await tx.session.execute(update(repo).where(repo.id == repo_id).values(compared_sequence=sequence))


async def _flag(tx: Tx, rows: Sequence[_Row], asked: Sequence[_Row]) -> int:
    # What was merged away is found again in the pattern that took its place.
    decided = [row for row in rows if row.status in _DECIDED and row.superseded_by_id is None]
    if not asked:
        return 0
    spots = await _spots(tx, [row.id for row in (*decided, *asked)])
    told = {row.id: _told(row, spots[row.id]) for row in rows}
    # All that wait say which words are rare, whichever of them are asked for.
    waiting = [told[row.id] for row in rows if row.status in _WAITING]
    found = similar(waiting, [told[row.id] for row in decided], only={row.id for row in asked})
    for row in asked:
        if row.similar_to_id != found.get(row.id):
            # It may have been decided a moment ago.
            still = models.Pattern.id == row.id, models.Pattern.status.in_(_WAITING)
            flagged = update(models.Pattern).where(*still).values(similar_to_id=found.get(row.id))
            await tx.session.execute(flagged)
    return len(found)


async def _rows(tx: Tx, repo_id: UUID) -> Sequence[_Row]:
    pattern = models.Pattern
    query = select(
        pattern.id,
        pattern.status,
        pattern.similar_to_id,
        pattern.superseded_by_id,
        pattern.name,
        pattern.description,
        pattern.type,
        pattern.rule_kind,
        pattern.rule_definition,
        pattern.scope_languages,
    ).where(pattern.repo_id == repo_id, pattern.status.in_((*_WAITING, *_DECIDED)))
    return (await tx.session.execute(query.order_by(pattern.id))).all()


async def _spots(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, set[Spot]]:
    evidence = models.Evidence
    # A file as a whole is a place for many different things.
    query = select(evidence.pattern_id, evidence.path, evidence.start_line).where(
        evidence.pattern_id.in_(ids), evidence.is_counterexample.is_(False), evidence.start_line.is_not(None)
    )
    found: defaultdict[UUID, set[Spot]] = defaultdict(set)
    for pattern_id, path, line in await tx.session.execute(query):
        found[pattern_id].add((path, line or 0))
    return found


def _told(row: _Row, spots: set[Spot]) -> Told:
    rule = Rule(row.rule_kind, row.rule_definition, Scope(tuple(row.scope_languages)))
    return Told(
        id=row.id,
        rule=rule.fingerprint,
        group=f"{row.type.value} {' '.join(sorted(row.scope_languages))}",
        spots=frozenset(spots),
        words=words_of(row.name, row.description),
        in_force=row.status is PatternStatus.AUTHORITATIVE,
    )
