"""The transaction: what a decision writes, and what the world hears of once it held."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import AuditEntry, Table
from app.db.readers import Readers
from app.db.writers import Writers
from app.domain.events import CredentialRevoked, Event
from app.domain.ids import Kind, new_id, public
from app.domain.jobs import Job
from app.domain.viewer import Viewer

ENTRIES = Table.metadata.tables[AuditEntry.__tablename__]
_WRITE = insert(ENTRIES)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a transaction still has to write down, and what waits for its commit."""

    jobs: list[Job] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def enqueue(self, job: Job) -> None:
        """Run a job after commit; a rolled-back transaction leaves none behind."""
        self.jobs.append(job)

    def publish(self, event: Event) -> None:
        """Tell of an event after commit."""
        self.events.append(event)

    def revoke(self, user_id: UUID) -> None:
        """Let every process forget, after commit, what it knows of credentials: those of a user have changed."""
        self.publish(CredentialRevoked(user_id, 0))

    def audit(
        self, viewer: Viewer | None, action: str, kind: Kind, identifier: UUID, organization_id: UUID | None = None
    ) -> None:
        """Write down who did what to which object; whatever changes access or data says so here, in its transaction.

        `action` is the name of the mutation. Nobody as viewer stands for this installation itself.
        """
        entry = {
            "id": new_id(),
            "organization_id": organization_id,
            "actor_id": viewer and viewer.user_id,
            "action": action,
            "object": public(kind, identifier),
            "address": viewer and viewer.address,
            "credential": viewer and str(viewer.credential),
        }
        self.entries.append(entry)


@dataclass(slots=True)
class Tx(Outcome):
    """A session inside a transaction."""

    session: AsyncSession

    async def finish(self) -> None:
        """Write down what nothing else has taken along: the last statement before the commit."""
        if self.entries:
            entries, self.entries = self.entries, []
            await self.session.execute(_WRITE, entries)


@dataclass(frozen=True, slots=True, eq=False)
class Telling:
    """What a statement that changes a pattern tells of it as it ends: text made of the rows of `history.CHANGED`."""

    told: ScalarSelect[bytes]


@dataclass(slots=True)
class Stroke(Outcome):
    """A transaction of one statement, which commits as it ends, and writes only where what it rests on stands."""

    readers: Readers
    writers: Writers
    # What is to be told, and the values that are bound to that; and what was.
    telling: Telling | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    told: bytes | None = None
