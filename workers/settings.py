"""The worker: arq's, with a lease on each job, signs of life, and a record of every job that ends for good."""

import asyncio
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC
from time import perf_counter, time
from typing import Any

import structlog
from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix
from arq.cron import CronJob, cron
from arq.worker import Function, JobExecutionFailed, Retry, Worker, func
from redis.exceptions import WatchError
from sqlalchemy.exc import DBAPIError

from app import observe
from app.domain.errors import Unavailable
from app.domain.jobs import Line
from app.gateways.queue import open_arq, queue_of, serialize
from app.gateways.redis import PASSING
from app.runtime import Runtime
from app.services import failing
from workers.registry import Work
from workers.trying import may_pass

# A Redis that is away for longer ends the process, and whoever supervises it starts a new one.
REDIS_TRIES = 60
LIFE_SECONDS = 1.0
# arq's own time-out must not strike before ours, which knows what to record.
SLACK_SECONDS = 60
LONGEST_PAUSE = 60
# So long a worker that leaves waits for the ends of its jobs to be written.
FINISH_SECONDS = 5.0

log = structlog.get_logger(__name__)


class LeaseWorker(Worker):
    """Does the jobs of one line; a job whose worker died is another's once its lease ran out.

    arq by itself holds a job for as long as the slowest of all jobs may take.
    """

    def __init__(self, runtime: Runtime, line: Line, works: list[Work], *, name: str) -> None:
        settings = runtime.settings
        assert settings.redis_url is not None
        self.runtime = runtime
        self.name = name
        self.leaving = False
        self._renewed_at = 0.0
        self._finishing: set[asyncio.Task[Any]] = set()
        self.lived_at = time()
        super().__init__(
            [self._function(work) for work in works],
            cron_jobs=[self._tick(work) for work in works if work.by_the_clock],
            timezone=UTC,
            queue_name=queue_of(line),
            redis_pool=open_arq(settings.redis_url.get_secret_value(), tries=REDIS_TRIES),
            handle_signals=False,
            max_jobs=settings.worker_jobs,
            keep_result=0,
            poll_delay=settings.worker_poll_seconds,
            job_serializer=serialize,
            job_deserializer=json.loads,
            log_results=False,
        )
        self.in_progress_timeout_s = settings.worker_lease_seconds

    def stop_picking(self) -> None:
        """Take no more jobs, and let nobody count on this worker."""
        self.leaving, self.allow_pick_jobs = True, False

    async def leave(self, seconds: float) -> None:
        """Let the jobs that run finish within some seconds, put the rest back, and close."""
        running = [task for task in self.tasks.values() if not task.done()]
        if running and seconds:
            log.info("waiting for jobs", line=self.queue_name, jobs=len(running), seconds=seconds)
            # The poll goes on meanwhile, and with it the renewal of leases.
            await asyncio.wait(running, timeout=seconds)
        ending = [*self.tasks.values(), *([self.main_task] if self.main_task else [])]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        if self._finishing:
            # arq shields what ends a job from cancellation: it goes on by itself, and needs the connections.
            await asyncio.wait(self._finishing, timeout=FINISH_SECONDS)
        await self.pool.aclose(close_connection_pool=True)

    async def heart_beat(self) -> None:
        """Renew the leases, then do what arq does between two looks at the queue."""
        if self.tasks and time() - self._renewed_at > self.in_progress_timeout_s / 3:
            self._renewed_at = time()
            async with self.pool.pipeline(transaction=False) as pipe:
                for job_id in self.tasks:
                    pipe.pexpire(in_progress_key_prefix + job_id, int(self.in_progress_timeout_s * 1000))
                await pipe.execute()
        await super().heart_beat()

    async def record_health(self) -> None:
        """Give a sign of life where readiness and metrics look for it."""
        if not self.leaving and time() - self.lived_at > LIFE_SECONDS:
            self.lived_at = time()
            await self.runtime.queue.live(self.name)

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Start jobs; a connection that breaks in between must not cost one of our places for ever."""
        # After a moment in which nothing moved here a lease of our own may have run out: that job is still ours.
        held = {job_id.encode() for job_id, task in self.tasks.items() if not task.done()}
        try:
            await super().start_jobs([job_id for job_id in job_ids if job_id not in held])
        except WatchError:
            # So redis-py calls a connection lost while it watched a key. arq had taken a place for the job by then.
            self._release_sem_dec_counter_on_complete()

    async def finish_job(self, job_id: str, finish: bool, *rest: Any) -> None:
        """End a try; one that our own leaving cut short does not count as one."""
        with self._noted():
            await super().finish_job(job_id, finish, *rest)
            if not finish and self.leaving:
                await self.pool.decr(retry_key_prefix + job_id)

    async def finish_failed_job(self, job_id: str, result_data: bytes | None) -> None:
        """Record what arq gives up without running it: expired, unknown, unreadable or tried too often."""
        story = json.loads(result_data) if result_data else {}
        name, arguments = story.get("f", "unknown"), story.get("k", {})
        with self._noted():
            tries = story.get("t") or int(await self.pool.get(retry_key_prefix + job_id) or 0)
            if name == "<unknown>":
                name = "unknown"
                raw = await self.pool.get(job_key_prefix + job_id)
                arguments = {"raw": repr(raw)} if raw else {}
            await self._record(job_id, name, arguments, story.get("r", "the job cannot be read"), tries)
            await super().finish_failed_job(job_id, result_data)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Let whoever leaves know of the task that ends a job."""
        task = asyncio.current_task()
        assert task is not None
        self._finishing.add(task)
        try:
            yield
        finally:
            self._finishing.discard(task)

    def _function(self, work: Work) -> Function:
        async def run(ctx: dict[Any, Any], *_: Any, **arguments: Any) -> None:
            await self._run(work, ctx["job_id"], ctx["job_try"], arguments)

        return func(run, name=work.job.name, timeout=work.seconds + SLACK_SECONDS, max_tries=work.tries)

    def _tick(self, work: Work) -> CronJob:
        """Ask for a job by the clock: as a job like any other, so that it is retried and recorded like any other."""

        async def ask(ctx: dict[Any, Any], *_: Any, **__: Any) -> None:  # noqa: ARG001 - arq's signature
            await self.runtime.queue.put(work.job())

        # At the start too: an installation that runs for minutes a day would never see the minute.
        seconds = set(range(0, 60, work.every_seconds)) if work.every_seconds else 0
        minute = 0 if work.daily_at_hour is not None else work.hourly_at_minute
        name = f"cron:{work.job.name}"
        return cron(ask, name=name, hour=work.daily_at_hour, minute=minute, second=seconds, run_at_startup=True)

    async def _run(self, work: Work, job_id: str, attempt: int, arguments: dict[str, Any]) -> None:
        name, started, state = work.job.name, perf_counter(), "done"
        limit = asyncio.timeout(work.seconds)
        observe.job_began(name)
        with structlog.contextvars.bound_contextvars(job=name, job_id=job_id), observe.span(f"job {name}"):
            try:
                async with limit:
                    await work.run(self.runtime, work.job.read(arguments))
            except asyncio.CancelledError:
                state = "put_back"
                raise
            except Exception as error:
                asked_again = isinstance(error, Retry)
                # One that took too long would take as long again.
                if attempt < work.tries and not limit.expired() and (asked_again or may_pass(error)):
                    state = "retried"
                    log.warning("job will be tried again", attempt=attempt, error=_told(error))
                    raise error if asked_again else Retry(defer=min(2**attempt, LONGEST_PAUSE)) from error
                state = "failed"
                word = observe.reference(error, "job failed", attempt=attempt)
                await self._record(job_id, name, arguments, f"{_told(error)} (reference {word})", attempt)
                # Anything else, so that arq does not take it for a wish to try again.
                raise JobExecutionFailed(word) from error
            finally:
                seconds = perf_counter() - started
                observe.job_ended(name, state, seconds)
                # One that the clock asks for every few seconds is worth a line only when it went wrong.
                say = log.debug if state == "done" and work.every_seconds else log.info
                say("job ended", state=state, seconds=round(seconds, 3), attempt=attempt)
                with suppress(*PASSING):
                    await self.runtime.queue.tally(name, state, seconds)

    async def _record(self, job_id: str, name: str, arguments: dict[str, Any], error: str, attempts: int) -> None:
        error = observe.redact_text(error)
        try:
            async with self.runtime.write() as tx:
                await failing.record(tx, job_id, function=name, arguments=arguments, error=error, attempts=attempts)
        except (Unavailable, DBAPIError) as problem:
            # The database is away: then the log is the record.
            log.error("failed job not recorded", job=name, job_id=job_id, error=error, problem=_told(problem))


def crew_of(runtime: Runtime, works: tuple[Work, ...]) -> list[LeaseWorker]:
    """Make a worker for each line that has jobs: bulk ones never keep interactive ones waiting."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    lines = {line: [work for work in works if work.job.line is line] for line in Line}
    return [LeaseWorker(runtime, line, mine, name=name) for line, mine in lines.items() if mine]


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
