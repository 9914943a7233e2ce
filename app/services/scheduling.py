"""Scheduling: which repositories are to be read again because their time has come."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select

from app.db import models
from app.db.tx import Tx
from app.domain.errors import Invalid
from app.domain.schedule import Schedule

log = structlog.get_logger(__name__)


async def take_due(tx: Tx, now: datetime) -> UUID | None:
    """Take the repository that has been due for longest and put it down for its next time; None if none is due.

    The next time is counted from now: whatever was missed while nobody worked is made up for by one run.
    """
    due = select(models.Repo).where(models.Repo.schedule_due_at <= now).order_by(models.Repo.schedule_due_at)
    # Two workers at once share the work instead of waiting for each other.
    repo = await tx.session.scalar(due.limit(1).with_for_update(skip_locked=True))
    if repo is None:
        return None
    repo.schedule_due_at = _next(repo, now)
    return repo.id


def _next(repo: models.Repo, now: datetime) -> datetime | None:
    try:
        return Schedule.read(repo.schedule_cron or "").next_after(now)
    except Invalid:
        # An older version took it; one schedule that nobody understands must not hold up all others.
        log.warning("a schedule cannot be read any more", repo_id=repo.id.hex, schedule=repo.schedule_cron)
        return None
