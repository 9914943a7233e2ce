"""Sweeping: what has expired goes, a bounded batch at a time."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update

from app.db import models
from app.db.history import Step, record
from app.db.tx import Tx
from app.domain.pattern import DISMISSED, UNTOUCHED, PatternEventKind, PatternStatus
from app.domain.run import LIVE
from app.reads import deciding

BATCH = 1000
# A refused or forgotten invitation stays explainable for a month, a run's log replayable for a quarter.
INVITATIONS_KEPT = timedelta(days=30)
EVENTS_KEPT = timedelta(days=90)


async def sweep_sessions(tx: Tx) -> int:
    """Remove sign-ins that reached their end."""
    return await _remove(tx, models.Session, models.Session.expires_at < func.now())


async def sweep_invitations(tx: Tx) -> int:
    """Remove invitations that expired long ago."""
    return await _remove(tx, models.Invitation, models.Invitation.expires_at < func.now() - INVITATIONS_KEPT)


async def sweep_events(tx: Tx) -> int:
    """Remove old events of runs that ended; a subscriber who asks for them gets the present state instead."""
    ended = select(models.IngestionRun.id).where(models.IngestionRun.status.not_in(LIVE))
    old = models.RunEvent.at < func.now() - EVENTS_KEPT
    return await _remove(tx, models.RunEvent, old & models.RunEvent.run_id.in_(ended))


async def dismiss(tx: Tx, repo_id: UUID, now: datetime) -> int:
    """Reject weak candidates of a repository that nobody touched for long; a person can reopen each."""
    repo = await tx.session.get(models.Repo, repo_id, with_for_update={"key_share": True})
    if repo is None:
        return 0
    batch = select(models.Pattern.id).where(models.Pattern.repo_id == repo_id, deciding.neglected(now - UNTOUCHED))
    rejected = (
        update(models.Pattern)
        .where(models.Pattern.id.in_(batch.order_by(models.Pattern.id).limit(BATCH)))
        .values(
            status=PatternStatus.REJECTED,
            rejection_reason=DISMISSED,
            version=models.Pattern.version + 1,
            status_changed_at=now,
            status_changed_by_id=None,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    gone = sorted((await tx.session.scalars(rejected.returning(models.Pattern.id))).all())
    before, after = PatternStatus.CANDIDATE, PatternStatus.REJECTED
    steps = [Step(pattern_id, PatternEventKind.REJECTED, DISMISSED, before, after) for pattern_id in gone]
    await record(tx, repo.id, repo.organization_id, None, now, steps)
    return len(gone)


async def _remove(tx: Tx, model: type[models.Table], condition: ColumnElement[bool]) -> int:
    # Two sweeps at once share the work instead of waiting for each other.
    key = list(model.__table__.primary_key)
    batch = select(*key).where(condition).limit(BATCH).with_for_update(skip_locked=True)
    gone = await tx.session.execute(delete(model).where(tuple_(*key).in_(batch)).returning(*key))
    return len(gone.all())
