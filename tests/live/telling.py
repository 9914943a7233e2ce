"""A run whose events are written by a test, the way workers write them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.db.models import RunEvent
from app.domain.ids import Kind, public
from app.domain.run import STAGES, IngestionEventKind, RunTrigger, StageProgress, StageState
from app.runtime import Runtime
from app.services import ingesting
from app.services.ingesting import Advance, Claim

LEASE = timedelta(minutes=5)


@dataclass
class Story:
    """One run, held by the test as if it were a worker."""

    runtime: Runtime
    held: Claim
    done: int = 0

    @property
    def run_id(self) -> UUID:
        return self.held.run_id

    @property
    def id(self) -> str:
        """As clients see it."""
        return public(Kind.INGESTION_RUN, self.held.run_id)

    @property
    def repo_id(self) -> str:
        """As clients see it."""
        return public(Kind.REPO, self.held.repo_id)

    async def reading(self) -> None:
        """Move on a little."""
        await self._tell(IngestionEventKind.PROGRESS)

    async def line(self, text: str) -> None:
        """Say something to people."""
        await self._tell(IngestionEventKind.LOG, text)

    async def end(self) -> None:
        """Come to a good end, with an account of what was left out."""
        report: dict[str, Any] = {"dropped": [], "suppressed": [], "skipped_files": [], "contradictions": []}
        async with self.runtime.write() as tx:
            await ingesting.succeed(tx, self.held, {}, "All is well.", report)

    async def log(self) -> list[RunEvent]:
        """Read what stands in the log."""
        async with self.runtime.read() as session:
            events = select(RunEvent).where(RunEvent.run_id == self.run_id).order_by(RunEvent.sequence)
            return list(await session.scalars(events))

    async def _tell(self, kind: IngestionEventKind, message: str | None = None) -> None:
        self.done += 1
        stages = [StageProgress(stage, StageState.RUNNING, self.done, 100_000, "files") for stage in STAGES]
        async with self.runtime.write() as tx:
            await ingesting.advance(tx, self.held, Advance(stages, STAGES[1], kind, message), LEASE)


async def begin(runtime: Runtime, repo_id: UUID) -> Story:
    """Have a repository's next run begin."""
    async with runtime.write() as tx:
        run, _ = await ingesting.start(tx, None, repo_id, RunTrigger.MANUAL)
    async with runtime.write() as tx:
        held = await ingesting.claim(tx, run.id, LEASE)
    assert held is not None
    return Story(runtime, held)
