"""The queue of jobs: arq over Redis, with JSON payloads so that write access to Redis is not execution of code."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from uuid import UUID

from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix
from redis import exceptions

from app.domain.jobs import BUCKETS, Job, JobTally, Line
from app.gateways.redis import open_pool

WORKERS = "tenet:workers"
# A worker says every second or so that it lives; silence of this length makes it count as gone.
SILENCE_SECONDS = 10.0

# Where the answers of jobs that somebody waits for lie until they are taken.
ANSWER = "tenet:answer:"
ANSWER_SECONDS = 60

# How jobs ended, counted for the whole installation: fields `name state bucket`, a bucket being the number of seconds
# that a job took at most, and `name state sum`, all seconds together.
TALLIES = "tenet:tallies"


def queue_of(line: Line) -> str:
    """Name the sorted set that a line of jobs waits in."""
    return f"tenet:queue:{line.value}"


def serialize(data: dict[str, Any]) -> bytes:
    """Spell a job or a result; what JSON cannot say is said as text."""
    return json.dumps(data, default=str).encode()


def open_arq(url: str, *, tries: int) -> ArqRedis:
    """Open arq's client."""
    return ArqRedis(open_pool(url, tries=tries), job_serializer=serialize, job_deserializer=json.loads)


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """What waits, runs and is put off, and how many workers live."""

    queued: int
    running: int
    deferred: int
    workers: int


class Queue:
    """Puts jobs where workers find them, and knows how the workers are."""

    def __init__(self, url: str) -> None:
        self._arq = open_arq(url, tries=4)

    async def put(self, job: Job, *, delay: float = 0) -> bool:
        """Ask for a job; False when the same one waits or runs already."""
        try:
            queued = await self._arq.enqueue_job(
                job.name, _job_id=job.id, _queue_name=queue_of(job.line), _defer_by=delay, **job.arguments()
            )
        except exceptions.WatchError as error:
            # So redis-py calls a connection that broke while it watched a key; arq catches only the other meaning.
            raise exceptions.ConnectionError(str(error)) from error
        return queued is not None

    async def leave_answer(self, ask_id: UUID, answer: Any) -> None:
        """Leave an answer for whoever asked; if they are gone, it goes as well."""
        await self._arq.set(f"{ANSWER}{ask_id.hex}", serialize(answer), ex=ANSWER_SECONDS)

    async def take_answer(self, ask_id: UUID) -> Any:
        """Take an answer; None where there is none yet."""
        answer = await self._arq.getdel(f"{ANSWER}{ask_id.hex}")
        return None if answer is None else json.loads(answer)

    async def depth(self) -> QueueDepth:
        """Count jobs and workers."""
        now = time.time()
        waiting = put_off = running = 0
        for line in Line:
            # A running job stays in its queue until it ended, so what runs is taken off what waits.
            waiting += await self._arq.zcount(queue_of(line), "-inf", int(now * 1000))
            put_off += await self._arq.zcount(queue_of(line), f"({int(now * 1000)}", "inf")
        async for key in self._arq.scan_iter(match=f"{in_progress_key_prefix}*", count=1000):
            # A tick of the clock keeps its key for a minute after it ended, so that no other worker ticks as well.
            running += not key.startswith(f"{in_progress_key_prefix}cron:".encode())
        return QueueDepth(max(waiting - running, 0), running, put_off, await self.workers())

    async def workers(self) -> int:
        """Count the workers that gave a sign of life."""
        return int(await self._arq.zcount(WORKERS, time.time() - SILENCE_SECONDS, "inf"))

    async def live(self, worker: str) -> None:
        """Give a worker's sign of life, and forget those of workers that are gone for long."""
        now = time.time()
        await self._arq.zadd(WORKERS, {worker: now})
        await self._arq.zremrangebyscore(WORKERS, "-inf", now - 60 * SILENCE_SECONDS)

    async def leave(self, worker: str) -> None:
        """Say that a worker takes no jobs any more."""
        await self._arq.zrem(WORKERS, worker)

    async def tally(self, name: str, state: str, seconds: float) -> None:
        """Count a job that ended."""
        bucket = next(bound for bound in BUCKETS if seconds <= bound)
        async with self._arq.pipeline(transaction=True) as pipe:
            pipe.hincrby(TALLIES, f"{name} {state} {bucket}", 1)
            pipe.hincrbyfloat(TALLIES, f"{name} {state} sum", seconds)
            await pipe.execute()

    async def tallies(self) -> list[JobTally]:
        """Read how jobs ended."""
        counts: dict[tuple[str, str], dict[str, float]] = {}
        told: Any = self._arq.hgetall(TALLIES)  # redis-py types its two kinds of client as one
        for field, value in (await told).items():
            name, state, bucket = field.decode().rsplit(" ", 2)
            counts.setdefault((name, state), {})[bucket] = float(value)
        return [
            JobTally(name, state, dict(zip(BUCKETS, accumulate(_in_order(count)), strict=True)), count.get("sum", 0.0))
            for (name, state), count in sorted(counts.items())
        ]

    async def close(self) -> None:
        """Close the connections."""
        await self._arq.aclose(close_connection_pool=True)


def _in_order(count: Mapping[str, float]) -> Iterator[int]:
    return (int(count.get(str(bound), 0)) for bound in BUCKETS)
