"""History: every change of a pattern takes its number in the transaction that makes it, so numbers go by commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, insert, update

from app.db.models import Pattern, PatternEvent, Repo, Table
from app.db.tx import Tx
from app.domain.events import PatternsChanged
from app.domain.ids import new_id
from app.domain.pattern import PatternEventKind, PatternStatus

LONGEST_MESSAGE = 2000

# Statements about tables, made once: what the ORM adds to them costs more than they do.
_REPOS, _EVENTS = (Table.metadata.tables[model.__tablename__] for model in (Repo, PatternEvent))
_COUNT = (
    update(_REPOS)
    .where(_REPOS.c.id == bindparam("counted", type_=Uuid))
    .values(change_sequence=_REPOS.c.change_sequence + bindparam("steps", type_=Integer))
    .returning(_REPOS.c.change_sequence)
)
_WRITE = insert(_EVENTS)


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the history of a pattern; without statuses it moved nothing."""

    pattern_id: UUID
    kind: PatternEventKind
    message: str | None = None
    from_status: PatternStatus | None = None
    to_status: PatternStatus | None = None


def touch(pattern: Pattern, now: datetime) -> None:
    """Count a change that a person made."""
    pattern.version += 1
    pattern.updated_at = pattern.touched_at = now


async def record(
    tx: Tx, repo_id: UUID, organization_id: UUID, actor_id: UUID | None, at: datetime, steps: Sequence[Step]
) -> None:
    """Write steps into the history of a repository's patterns; nobody as actor stands for a job.

    From here to the commit the repository's counter is held, so that a transaction writes all its steps at its end.
    """
    if not steps:
        return
    last = (await tx.session.execute(_COUNT, {"counted": repo_id, "steps": len(steps)})).scalar_one()
    rows = [
        {
            "id": new_id(),
            "pattern_id": step.pattern_id,
            "repo_id": repo_id,
            "organization_id": organization_id,
            "sequence": last - len(steps) + place,
            "kind": step.kind,
            "from_status": step.from_status,
            "to_status": step.to_status,
            "actor_id": actor_id,
            "message": None if step.message is None else step.message[:LONGEST_MESSAGE],
            "at": at,
        }
        for place, step in enumerate(steps, 1)
    ]
    await tx.session.execute(_WRITE, rows)
    tx.publish(PatternsChanged(repo_id, last))
