"""Sharing out: work on many items is done here if they are few, else in shards by whichever workers are free.

The worker of the run takes shards too, so one worker with one place is enough. A shard may be done twice, by a worker
that seemed dead and by its heir; what a part writes is therefore keyed by what it is about, and fenced by the attempt.
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from app.domain.errors import NotFound
from app.domain.repo import Owner
from app.domain.run import IngestionStage
from app.reads import runs
from app.runtime import Runtime
from app.services import ingesting, sharing
from app.services.ingesting import Superseded
from app.services.sharing import Shard
from workers.ingest.step import Attempt, sources_of, storage_of

# How often a shard tells of itself and asks whether it may go on, and how often the run looks at its shards.
BEAT_SECONDS = 0.25

Item = Sequence[Any]
"""Plain data that JSON can spell; tuples come back as lists."""


class Withdrawn(Exception):
    """The shard is somebody else's by now, or its run has ended or moved on."""


@dataclass(slots=True)
class Portion:
    """A part of a stage's work, wherever it is done; it is also the fence of what it writes."""

    runtime: Runtime
    owner: Owner
    run_id: UUID
    attempt: int
    context: dict[str, Any]
    items: Sequence[Item]
    told: Callable[[int], None]

    @property
    def cache(self) -> Path:
        """Give the bare repository to read from."""
        return sources_of(self.runtime).cache(self.owner.repo_id)

    def move(self, done: int) -> None:
        """Say how many items are done."""
        self.told(done)


@dataclass(frozen=True, slots=True)
class Shared:
    """Work that can be shared out; its results are small, for what is large goes to the database or to storage."""

    name: str
    do: Callable[[Portion], Awaitable[dict[str, Any]]]


async def share_out(
    attempt: Attempt,
    stage: IngestionStage,
    shared: Shared,
    context: dict[str, Any],
    items: AsyncIterable[Item],
    told: Callable[[int], None],
) -> list[dict[str, Any]]:
    """Have items worked on, and give the result of each part; `told` hears how many of all items are done.

    Items are taken one after another, and never all held at once: those of a large repository go to storage.
    """
    most, held = attempt.runtime.settings.shard_files, attempt.progress.held
    first: list[Item] = []
    sizes: list[int] = []
    async for item in items:
        first.append(item)
        if len(first) > most:
            sizes.append(await _put(attempt, stage, len(sizes), shared, context, first[:most]))
            del first[:most]
    if not sizes:
        return [await shared.do(portion_of(attempt, context, first, told))]
    sizes.append(await _put(attempt, stage, len(sizes), shared, context, first))
    async with attempt.runtime.write() as tx:
        await ingesting.hold(tx, held)
        await sharing.lay_out(tx, held.run_id, held.organization_id, held.attempt, stage, sizes)
    await _work_through(attempt, stage, {shared.name: shared}, told)
    async with attempt.runtime.read() as session:
        found = await runs.results(session, held.run_id, stage)
    async with attempt.runtime.write() as tx:
        await ingesting.hold(tx, held)
        await sharing.clear(tx, held.run_id, stage)
    await attempt.storage.remove(held.organization_id, held.repo_id, "shards")
    return found


def portion_of(
    attempt: Attempt, context: dict[str, Any], items: Sequence[Item], told: Callable[[int], None]
) -> Portion:
    """Make a portion that the run's own worker does by itself."""
    held = attempt.progress.held
    return Portion(attempt.runtime, attempt.owner, held.run_id, held.attempt, context, items, told)


async def carry_out(runtime: Runtime, shard: Shard, known: dict[str, Shared]) -> None:
    """Do a shard that was taken; raises `Withdrawn` as soon as it is not ours to do any more."""
    lease = timedelta(seconds=runtime.settings.worker_lease_seconds)
    try:
        told = orjson.loads(await storage_of(runtime.settings).get(_key(shard)))
    except NotFound:
        raise Withdrawn from None
    reached = 0

    def note(done: int) -> None:
        nonlocal reached
        reached = done

    portion = Portion(
        runtime,
        Owner(shard.repo_id, shard.organization_id),
        *(shard.run_id, shard.attempt, told["context"], told["items"]),
        told=note,
    )
    working = asyncio.ensure_future(known[told["work"]].do(portion))
    try:
        while not working.done():
            await asyncio.wait({working}, timeout=min(lease.total_seconds() / 3, BEAT_SECONDS))
            async with runtime.write() as tx:
                if not await sharing.keep(tx, shard, reached, lease):
                    raise Withdrawn
        result = await working
    except BaseException:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        with suppress(Exception):
            async with runtime.write() as tx:
                await sharing.release(tx, shard)
        raise
    async with runtime.write() as tx:
        await sharing.finish(tx, shard, result)


async def _work_through(
    attempt: Attempt, stage: IngestionStage, known: dict[str, Shared], told: Callable[[int], None]
) -> None:
    """Take shards as long as there are any, and wait for those that others have taken."""
    runtime, held = attempt.runtime, attempt.progress.held
    lease = timedelta(seconds=runtime.settings.worker_lease_seconds)
    following = asyncio.create_task(_follow(attempt, stage, told))
    try:
        while not following.done():
            async with runtime.write() as tx:
                shard = await sharing.take(tx, held.run_id, held.attempt, stage, lease)
            # What was taken from us comes to its end elsewhere; whoever watches over the run knows if it is to stop.
            with suppress(Withdrawn, Superseded):
                if shard is not None:
                    await carry_out(runtime, shard, known)
                    continue
            await asyncio.wait({following}, timeout=BEAT_SECONDS)
        await following
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _follow(attempt: Attempt, stage: IngestionStage, told: Callable[[int], None]) -> None:
    """Tell of all shards together until all have ended."""
    left = 1
    while left:
        async with attempt.runtime.read() as session:
            done, left = await runs.standing(session, attempt.progress.held.run_id, stage)
        told(done)
        await asyncio.sleep(BEAT_SECONDS if left else 0)


async def _put(
    attempt: Attempt, stage: IngestionStage, number: int, shared: Shared, context: dict[str, Any], items: list[Item]
) -> int:
    held = attempt.progress.held
    spelt = orjson.dumps({"work": shared.name, "context": context, "items": [list(item) for item in items]})
    name = _name(held.run_id, stage, held.attempt, number)
    await attempt.storage.put(held.organization_id, held.repo_id, name, spelt)
    return len(items)


def _key(shard: Shard) -> str:
    name = _name(shard.run_id, shard.stage, shard.attempt, shard.number)
    return f"{shard.organization_id.hex}/{shard.repo_id.hex}/{name}"


def _name(run_id: UUID, stage: IngestionStage, attempt: int, number: int) -> str:
    return f"shards/{run_id.hex}/{stage.value.lower()}-{attempt}-{number}"
