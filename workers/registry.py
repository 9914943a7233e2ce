"""The list of jobs: which coroutine does which, within which time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from app.domain import jobs
from app.runtime import Runtime
from workers import compare, measure, nightly, quote, schedule, sweep
from workers.answering import answering
from workers.ingest import carrying, helping, upkeep


@dataclass(frozen=True, slots=True)
class Work:
    """How a job is done; every one may be done twice, so every one must bear it."""

    job: type[jobs.Job]
    run: Callable[[Runtime, Any], Awaitable[None]]
    seconds: float
    tries: int = 5
    hourly_at_minute: int | None = None
    every_seconds: int | None = None
    daily_at_hour: int | None = None
    """In UTC."""

    @property
    def by_the_clock(self) -> bool:
        """Tell whether the clock asks for it."""
        return any(time is not None for time in (self.hourly_at_minute, self.every_seconds, self.daily_at_hour))


WORKS = (
    Work(jobs.Ingest, carrying.ingest, seconds=6 * 3600, tries=10),
    Work(jobs.Share, helping.share, seconds=3600),
    Work(jobs.Forget, upkeep.forget, seconds=600, tries=10),
    Work(jobs.Revive, upkeep.revive, seconds=60, every_seconds=5),
    Work(jobs.Compare, compare.compare, seconds=300, every_seconds=5),
    Work(jobs.Schedule, schedule.schedule, seconds=300, every_seconds=60),
    Work(jobs.Sweep, sweep.sweep, seconds=600, hourly_at_minute=17),
    Work(jobs.Measure, answering(measure.measure), seconds=15, tries=1),
    Work(jobs.Quote, answering(quote.quote), seconds=15, tries=1),
    Work(jobs.Nightly, nightly.nightly, seconds=3600, daily_at_hour=3),
)
