"""The transaction: what a decision writes, and what the world hears of once it held."""

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import Event
from app.domain.jobs import Job


@dataclass(slots=True)
class Tx:
    """A session inside a transaction, with the jobs and events that wait for its commit."""

    session: AsyncSession
    jobs: list[Job] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def enqueue(self, job: Job) -> None:
        """Run a job after commit; a rolled-back transaction leaves none behind."""
        self.jobs.append(job)

    def publish(self, event: Event) -> None:
        """Tell of an event after commit."""
        self.events.append(event)
