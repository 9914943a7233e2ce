"""Sweeping: what has expired goes, a bounded batch at a time."""

from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func, select, tuple_

from app.db import models
from app.db.tx import Tx
from app.domain.run import LIVE

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


async def _remove(tx: Tx, model: type[models.Table], condition: ColumnElement[bool]) -> int:
    # Two sweeps at once share the work instead of waiting for each other.
    key = list(model.__table__.primary_key)
    batch = select(*key).where(condition).limit(BATCH).with_for_update(skip_locked=True)
    gone = await tx.session.execute(delete(model).where(tuple_(*key).in_(batch)).returning(*key))
    return len(gone.all())
