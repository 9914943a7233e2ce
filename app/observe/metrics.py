"""Metrics: all of them, in one place, each with the function that tells its fact."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from math import inf, nan

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from app.domain.jobs import BUCKETS, JobTally

EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Clients choose the names of operations, so only so many get a series of their own.
NAMES_KEPT = 200

REGISTRY = CollectorRegistry()
# What a worker shows of itself; of requests it knows nothing, and a zero there would look like a fact.
WORKER_REGISTRY = CollectorRegistry()
for _collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
    REGISTRY.register(_collector)
    WORKER_REGISTRY.register(_collector)

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, inf)
_SUBSCRIPTIONS = Gauge("tenet_subscriptions_open", "Subscriptions that are open in this process.", registry=REGISTRY)
_POOL_SIZE = Gauge("tenet_pool_size", "Connections that a pool may hold.", ("pool",), registry=REGISTRY)
_POOL_USED = Gauge("tenet_pool_used", "Connections of a pool that are in use.", ("pool",), registry=REGISTRY)
_QUEUE = Gauge(
    "tenet_queue_jobs",
    "Jobs of the whole installation by state; every API process tells the same number.",
    ("state",),
    registry=REGISTRY,
)
for _gauge in (_POOL_SIZE, _POOL_USED):
    WORKER_REGISTRY.register(_gauge)
_WORKERS = Gauge("tenet_workers", "Workers of the whole installation that give signs of life.", registry=REGISTRY)
_OWN_JOBS = Histogram(
    "tenet_worker_job_seconds",
    "How long jobs took in this worker by the state they ended in.",
    ("job", "state"),
    buckets=BUCKETS,
    registry=WORKER_REGISTRY,
)
_OWN_RUNNING = Gauge("tenet_worker_jobs_running", "Jobs that run in this worker.", ("job",), registry=WORKER_REGISTRY)


class _Operations(Collector):
    """Counts operations by hand: the library's own counters lock, and look their labels up, for each request."""

    def __init__(self) -> None:
        self.answered: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        # By kind, one count for each bound, and the sum.
        self.buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(_BOUNDS))
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.plans = {"hit": 0, "miss": 0}
        self.remembered = {"hit": 0, "miss": 0}

    def collect(self) -> Iterator[Metric]:
        answered = CounterMetricFamily(
            "tenet_requests", "GraphQL operations answered.", labels=("kind", "operation", "code")
        )
        for labels, count in self.answered.items():
            answered.add_metric(labels, count)
        yield answered
        took = HistogramMetricFamily(
            "tenet_request_seconds", "How long GraphQL operations took, subscriptions aside.", labels=("kind",)
        )
        for kind, counts in self.buckets.items():
            names = ("+Inf" if bound == inf else str(float(bound)) for bound in _BOUNDS)
            took.add_metric((kind,), list(zip(names, accumulate(counts), strict=True)), self.seconds[kind])
        yield took
        plans = CounterMetricFamily(
            "tenet_plans", "Documents whose plan was found in the cache or not.", labels=("cache",)
        )
        for cache, count in self.plans.items():
            plans.add_metric((cache,), count)
        yield plans
        remembered = CounterMetricFamily(
            "tenet_remembered",
            "Reads for which all rows were thought to be remembered, and were or not.",
            labels=("cache",),
        )
        for cache, count in self.remembered.items():
            remembered.add_metric((cache,), count)
        yield remembered


class _Jobs(Collector):
    """Shows what workers counted in Redis: a count must outlive them."""

    def __init__(self) -> None:
        self.tallies: tuple[JobTally, ...] = ()

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(
            "tenet_job_seconds",
            "How long jobs took by the state they ended in; every API process tells the same numbers.",
            labels=("job", "state"),
        )
        for tally in self.tallies:
            buckets = [("+Inf" if bound == inf else str(bound), float(count)) for bound, count in tally.buckets.items()]
            family.add_metric((tally.name, tally.state), buckets, tally.seconds)
        yield family


_OPERATIONS, _JOBS = _Operations(), _Jobs()
REGISTRY.register(_OPERATIONS)
REGISTRY.register(_JOBS)
_names: set[str] = set()


def operation(kind: str, name: str | None, code: str, seconds: float | None = None) -> None:
    """Count an answered operation; `code` is OK or the code of its first error, and subscriptions have no seconds."""
    _OPERATIONS.answered[kind, _bounded(name), code] += 1
    if seconds is not None:
        _OPERATIONS.buckets[kind][bisect_left(_BOUNDS, seconds)] += 1
        _OPERATIONS.seconds[kind] += seconds


def plan(*, cached: bool) -> None:
    """Count a document that had its plan in the cache, or had to be planned."""
    _OPERATIONS.plans["hit" if cached else "miss"] += 1


def remembered(*, hit: bool) -> None:
    """Count a read for which all rows were thought to be remembered."""
    _OPERATIONS.remembered["hit" if hit else "miss"] += 1


@contextmanager
def subscription() -> Iterator[None]:
    """Count a subscription as open for the time of a block."""
    _SUBSCRIPTIONS.inc()
    try:
        yield
    finally:
        _SUBSCRIPTIONS.dec()


def pool(name: str, *, used: int, size: int) -> None:
    """Tell how much of a pool is in use."""
    _POOL_USED.labels(name).set(used)
    _POOL_SIZE.labels(name).set(size)


def queue_depth(*, queued: float, running: float, deferred: float, workers: float) -> None:
    """Tell what waits, runs and is put off, and how many workers live."""
    for state, count in (("queued", queued), ("running", running), ("deferred", deferred)):
        _QUEUE.labels(state).set(count)
    _WORKERS.set(workers)


def queue_unknown() -> None:
    """Tell that nobody knows now what the queue holds; a number of before would look true."""
    queue_depth(queued=nan, running=nan, deferred=nan, workers=nan)


def job_tallies(tallies: Iterable[JobTally]) -> None:
    """Tell how jobs ended and how long they took, as the workers counted it."""
    _JOBS.tallies = tuple(tallies)


def job_began(name: str) -> None:
    """Count a job that this worker took up."""
    _OWN_RUNNING.labels(name).inc()


def job_ended(name: str, state: str, seconds: float) -> None:
    """Count a job that ended in this worker."""
    _OWN_RUNNING.labels(name).dec()
    _OWN_JOBS.labels(name, state).observe(seconds)


def worker_exposition() -> bytes:
    """Print what a worker shows, the way Prometheus reads it."""
    return generate_latest(WORKER_REGISTRY)


def exposition() -> bytes:
    """Print every metric the way Prometheus reads it."""
    return generate_latest(REGISTRY)


def _bounded(name: str | None) -> str:
    if not name:
        return "anonymous"
    if name not in _names:
        if len(_names) >= NAMES_KEPT:
            return "other"
        _names.add(name)
    return name[:100]
