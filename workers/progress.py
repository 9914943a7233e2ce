"""Progress: how a worker tells of its run, and how it learns that it must stop."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.run import STAGES, IngestionEventKind, IngestionStage, StageProgress, StageState
from app.runtime import Runtime
from app.services import ingesting
from app.services.ingesting import Advance, Claim, Superseded

# Ten readings a second are more than an eye can follow, and each is a row of the log.
READING_SECONDS = 0.1


class Cancelled(Exception):
    """A person asked for the run to stop."""


class Progress:
    """One attempt at a run: what it says is written in order, readings at most ten times a second."""

    def __init__(self, runtime: Runtime, held: Claim, lease: timedelta) -> None:
        self._runtime = runtime
        self._lease = lease
        self._held = held
        self._stages = {stage: StageProgress(stage) for stage in STAGES}
        self._current = STAGES[0]
        self._moved = False
        self._writing = asyncio.Lock()

    @property
    def held(self) -> Claim:
        """Give the claim that this attempt holds."""
        return self._held

    async def watched(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work while giving signs of life; raises `Cancelled` or `Superseded` where it must not go on."""
        working = asyncio.ensure_future(work)
        watching = asyncio.create_task(self._watch(), name="watch of a run")
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                # The watch ends by raising; what it raises is why the work stops.
                await self._ended(working)
                await watching
            await working
        finally:
            await self._ended(watching)
            await self._ended(working)

    @asynccontextmanager
    async def stage(
        self, stage: IngestionStage, *, unit: str | None = None, total: int | None = None
    ) -> AsyncIterator[None]:
        """Carry out one stage."""
        now = datetime.now(UTC)
        self._current = stage
        self._set(stage, state=StageState.RUNNING, unit=unit, total=total, started_at=now)
        await self._tell(IngestionEventKind.STAGE)
        yield
        reached = self._stages[stage]
        done = reached.total if reached.total is not None else reached.done
        self._set(stage, state=StageState.SUCCEEDED, done=done, finished_at=datetime.now(UTC))
        await self._tell(IngestionEventKind.STAGE)

    async def skip(self, stage: IngestionStage, reason: str) -> None:
        """Pass a stage by, and say why."""
        self._current = stage
        self._set(stage, state=StageState.SKIPPED, note=reason)
        await self._tell(IngestionEventKind.STAGE)

    def move(self, done: int, total: int | None = None) -> None:
        """Say how far the stage is; cheap enough for a tight loop, and written soon."""
        reached = self._stages[self._current]
        self._set(self._current, done=max(done, reached.done), total=reached.total if total is None else total)
        self._moved = True

    def note(self, text: str) -> None:
        """Say what the stage came to."""
        self._set(self._current, note=text)

    async def log(self, message: str, **changes: Any) -> None:
        """Say a line for people, and change what is known of the run."""
        await self._tell(IngestionEventKind.LOG, message=message, changes=changes)

    async def again(self, message: str) -> None:
        """Begin another attempt after a fault that may pass."""
        async with self._writing, self._runtime.write() as tx:
            self._held = await ingesting.retry(tx, self._held, message, self._lease)
        self._stages = {stage: StageProgress(stage) for stage in STAGES}
        self._current, self._moved = STAGES[0], False

    async def _watch(self) -> None:
        lived = asyncio.get_running_loop().time()
        pause = min(self._lease.total_seconds() / 3, 1.0)
        while True:
            await asyncio.sleep(READING_SECONDS)
            if self._moved:
                await self._tell(IngestionEventKind.PROGRESS)
                lived = asyncio.get_running_loop().time()
            elif asyncio.get_running_loop().time() - lived >= pause:
                async with self._writing, self._runtime.write() as tx:
                    cancel = await ingesting.keep(tx, self._held, self._lease)
                if cancel:
                    raise Cancelled
                lived = asyncio.get_running_loop().time()

    async def _tell(
        self, kind: IngestionEventKind, *, message: str | None = None, changes: dict[str, Any] | None = None
    ) -> None:
        async with self._writing:
            self._moved = False
            step = Advance(tuple(self._stages.values()), self._current, kind, message, changes or {})
            async with self._runtime.write() as tx:
                cancel = await ingesting.advance(tx, self._held, step, self._lease)
        if cancel:
            raise Cancelled

    def _set(self, stage: IngestionStage, **changes: Any) -> None:
        self._stages[stage] = replace(self._stages[stage], **changes)

    async def _ended(self, task: "asyncio.Future[None]") -> None:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError, Cancelled, Superseded):
                await task
