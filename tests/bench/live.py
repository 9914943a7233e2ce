"""Measure subscriptions side by side: `python -m tests.bench.live`, the second half of `make bench`."""

import asyncio
import logging
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import structlog
from pydantic import SecretStr
from rich.box import SIMPLE
from rich.table import Table

from app.children import Launch, Supervisor
from app.cli.ground import url_of
from app.config import Settings
from app.credentials import tokens
from app.db.address import plain_url
from app.db.migrating import migrate
from app.domain.errors import Fault
from app.domain.ids import Kind, public
from app.domain.run import STAGES, IngestionEventKind, RunTrigger, StageProgress, StageState
from app.runtime import Runtime, open_runtime
from app.services import ingesting
from app.services.ingesting import Advance, Claim
from tests.bench.__main__ import INTERRUPTED, console, last_words, present, servers
from tests.bench.contestants import (
    SECRET,
    Contestant,
    child_of,
    command_of,
    environment_of,
    free_port,
    log_of,
    peer_token,
)
from tests.bench.listeners import Heard, Listeners, Listening, listeners
from tests.bench.load import Failed
from tests.bench.meters import Meter, resident_megabytes
from tests.bench.operations import Speech
from tests.ground import administration, beside

DATABASE = "tenet_bench_live"
PER_SECOND = 10
GOAL_P99, GOAL_CPU = 50.0, 0.5
LEASE = timedelta(hours=1)

HUB = Contestant("tenet", "Tenet", Speech.GRAPHQL)
MERCURIUS = Contestant("live", "Fastify + Mercurius over Redis, jit", Speech.GRAPHQL, is_peer=True)

QUERY = """subscription Follow($runId: ID!) {
  ingestionStatus(runId: $runId) {
    sequence skipped kind at stage message
    progress { stage state done total unit }
    run { status fraction etaSeconds patternsFound }
  }
}"""

_PEOPLE = """
INSERT INTO organizations (id, slug, name) VALUES (gen_random_uuid(), 'bench', 'The Bench');
INSERT INTO users (id, login) SELECT gen_random_uuid(), 'person-' || n FROM generate_series(1, {count}) n;
INSERT INTO memberships (id, organization_id, user_id, role)
SELECT gen_random_uuid(), organizations.id, users.id, 'VIEWER' FROM organizations, users;
INSERT INTO sessions (id, user_id, secret_hash, expires_at)
SELECT gen_random_uuid(), id, sha256(id::text::bytea), now() + interval '1 day' FROM users;
INSERT INTO repos (id, organization_id, full_name, source, url, default_branch, private)
SELECT gen_random_uuid(), id, 'bench/live', 'GIT', 'https://git.example.com/bench/live.git', 'main', false
FROM organizations;
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One turn: milliseconds from the moment before an event is written until a client has it, and what that cost."""

    contestant: str
    expected: int
    delivered: int
    p50: float
    p99: float
    server: float
    database: float | None
    load: float
    megabytes: float


Tell = Callable[[int], Any]


@dataclass(slots=True)
class Stage:
    """One contestant that answers, and how it is made to tell of an event."""

    contestant: Contestant
    port: int
    pid: int
    tokens: list[str]
    run_id: str
    tell: Tell
    sequence: int


class Run:
    """A run whose worker is this process: it writes events as workers do."""

    def __init__(self, runtime: Runtime, held: Claim) -> None:
        self._runtime = runtime
        self._held = held

    @classmethod
    async def begun(cls, runtime: Runtime, repo_id: UUID) -> "Run":
        async with runtime.write() as tx:
            run, _ = await ingesting.start(tx, None, repo_id, RunTrigger.MANUAL)
        async with runtime.write() as tx:
            held = await ingesting.claim(tx, run.id, LEASE)
        assert held is not None
        return cls(runtime, held)

    @property
    def id(self) -> str:
        return public(Kind.INGESTION_RUN, self._held.run_id)

    async def tell(self, number: int) -> None:
        """Take a reading."""
        stages = [StageProgress(stage, StageState.RUNNING, number, 100_000, "files") for stage in STAGES]
        step = Advance(stages, STAGES[1], IngestionEventKind.PROGRESS)
        async with self._runtime.write() as tx:
            await ingesting.advance(tx, self._held, step, LEASE)


def _peer_event(number: int) -> Mapping[str, Any]:
    """Spell the same event for who has it from a message alone."""
    return {
        "sequence": number,
        "skipped": 0,
        "kind": "PROGRESS",
        "at": datetime.now(UTC).isoformat() + "Z",
        "stage": "INDEX",
        "message": None,
        "progress": {"stage": "INDEX", "state": "RUNNING", "done": number, "total": 100_000, "unit": "files"},
        "run": {"status": "RUNNING", "fraction": number / 100_000, "etaSeconds": 1234.5, "patternsFound": 0},
    }


async def main(wishes: Namespace) -> None:
    """Measure and report."""
    contestants = await present([HUB] if wishes.no_peers else [HUB, MERCURIUS])
    with listeners() as listening, TemporaryDirectory(prefix="tenet-bench-") as name:
        folder = Path(name)
        async with (
            servers(folder) as settings,
            _people(url_of(settings.database_url), wishes.subscribers) as people,
            last_words(contestants, folder),
        ):
            console.print(
                f"{wishes.subscribers:,} people follow one run over WebSockets, {PER_SECOND} events a second; "
                f"{wishes.rounds} rounds of {wishes.seconds:g} s in turns; medians.",
                highlight=False,
            )
            meter = await Meter.of(people.database_url)
            async with _stages(contestants, people, settings, folder) as stages:
                samples = [
                    await _turn(stage, listening, meter, wishes.seconds)
                    for _ in range(wishes.rounds)
                    for stage in stages
                ]
    _show(samples, contestants)


@dataclass(frozen=True, slots=True)
class _People:
    database_url: str
    repo_id: UUID
    tokens: list[str]
    user_ids: list[UUID]


@asynccontextmanager
async def _people(server_url: str, count: int) -> AsyncIterator[_People]:
    """Make a database with people who are signed in."""
    async with administration(server_url) as connection:
        await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    url = beside(server_url, DATABASE)
    try:
        await migrate(url)
        connection = await asyncpg.connect(plain_url(url))
        try:
            await connection.execute(_PEOPLE.format(count=count))
            rows = await connection.fetch("SELECT user_id, id FROM sessions")
            repo_id = await connection.fetchval("SELECT id FROM repos")
        finally:
            await connection.close()
        now = datetime.now(UTC)
        signed = [
            tokens.sign(SECRET, user, session, now=now, expires_at=now + timedelta(hours=1)) for user, session in rows
        ]
        yield _People(url, repo_id, signed, [user for user, _ in rows])
    finally:
        async with administration(server_url) as connection:
            await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


@asynccontextmanager
async def _stages(
    contestants: Sequence[Contestant], people: _People, settings: Settings, folder: Path
) -> AsyncIterator[list[Stage]]:
    redis_url = url_of(settings.redis_url)
    ours = environment_of(people.database_url, redis_url, folder)
    own = settings.model_copy(update={"database_url": SecretStr(people.database_url)})
    async with Supervisor() as supervisor, open_runtime(own) as runtime, httpx.AsyncClient(trust_env=False) as client:
        stages: list[Stage] = []
        for contestant in contestants:
            port = free_port()
            environment = {**ours, "PORT": str(port), "SECRET": SECRET, "NODE_ENV": "production"}
            environment["REDIS_SOCKET"] = redis_url.removeprefix("unix://").partition("?")[0]
            launch = Launch(command_of(contestant, port), environment=environment)
            await supervisor.start(child_of(contestant.name, port, launch, log_of(contestant, folder)))
            pid = supervisor.pids[contestant.name]
            if contestant.is_peer:
                signed = [peer_token(user) for user in people.user_ids]

                async def publish(number: int, url: str = f"http://127.0.0.1:{port}/publish/one") -> None:
                    (await client.post(url, json=_peer_event(number))).raise_for_status()

                stages.append(Stage(contestant, port, pid, signed, "one", publish, 0))
            else:
                run = await Run.begun(runtime, people.repo_id)
                # Its first event is that a worker took it up.
                stages.append(Stage(contestant, port, pid, people.tokens, run.id, run.tell, 1))
        yield stages


async def _turn(stage: Stage, listening: Listeners, meter: Meter, seconds: float) -> Sample:
    """Gather everybody, let it get warm, and measure."""
    warm, count = PER_SECOND, int(seconds * PER_SECOND)
    counted_from = stage.sequence + warm
    asked = Listening(stage.port, stage.tokens, QUERY, {"runId": stage.run_id}, counted_from)
    gathering = asyncio.create_task(listening.gather(asked))
    if stage.contestant.is_peer:
        # It has no snapshot: somebody has to say something before its listeners know that they are heard.
        while not gathering.done():
            await stage.tell(0)
            await asyncio.wait({gathering}, timeout=0.3)
    await gathering
    sent: dict[int, float] = {}
    before = meter.spent(stage.pid)
    due = time.perf_counter()
    for number in range(warm + count):
        if number == warm:
            before = meter.spent(stage.pid)
        stage.sequence += 1
        sent[stage.sequence] = time.perf_counter()
        await stage.tell(stage.sequence)
        due += 1 / PER_SECOND
        await asyncio.sleep(max(due - time.perf_counter(), 0))
    # What is still on its way arrives, and is paid for.
    await asyncio.sleep(1)
    spent = meter.spent(stage.pid).since(before)
    megabytes = resident_megabytes(stage.pid)
    heard = await listening.heard()
    return _sample(stage, heard, sent, count, spent.server, spent.database, megabytes)


def _sample(
    stage: Stage,
    heard: Heard,
    sent: dict[int, float],
    count: int,
    server: float,
    database: float | None,
    megabytes: float,
) -> Sample:
    taken = sorted(at - sent[number] for number, at in zip(heard.sequences, heard.moments, strict=True))
    expected = count * len(stage.tokens)
    if not taken:
        raise Failed(f"{stage.contestant.title} delivered nothing.")
    p50, p99 = (taken[int(len(taken) * part)] * 1000 for part in (0.5, 0.99))
    each = 1e6 / len(taken)
    return Sample(
        stage.contestant.name,
        expected,
        len(taken),
        p50,
        p99,
        server * each,
        None if database is None else database * each,
        heard.cpu * each,
        megabytes,
    )


def _show(samples: Sequence[Sample], contestants: Sequence[Contestant]) -> None:
    table = Table(title="following a run", title_justify="left", box=SIMPLE)
    table.add_column("")
    for heading in ("delivered", "missing", "p50 ms", "p99 ms", "CPU us/delivery", "database's", "RSS MB"):
        table.add_column(heading, justify="right")
    found: dict[str, Sample] = {}
    for contestant in contestants:
        theirs = [sample for sample in samples if sample.contestant == contestant.name]
        middle = found[contestant.name] = _median(theirs)
        missing = sum(sample.expected - sample.delivered for sample in theirs)
        database = "?" if middle.database is None else f"{middle.database:.1f}"
        cells = (f"{middle.p50:.1f}", f"{middle.p99:.1f}", f"{middle.server:.1f}", database, f"{middle.megabytes:.0f}")
        table.add_row(contestant.title, f"{sum(sample.delivered for sample in theirs):,}", f"{missing:,}", *cells)
    console.print(table)
    console.print(
        f"Listening itself cost {max(sample.load for sample in samples):.1f} us a delivery, not counted above."
    )
    ours, theirs_ = found[HUB.name], found.get(MERCURIUS.name)
    if theirs_ is not None:
        ratio = ours.server / theirs_.server
        missing = sum(sample.expected - sample.delivered for sample in samples if sample.contestant == HUB.name)
        met = missing == 0 and ours.p99 < GOAL_P99 and ratio <= GOAL_CPU
        console.print(
            f"  goal (nothing missing, p99 under {GOAL_P99:g} ms, at most {GOAL_CPU:g} of the peer's CPU): "
            f"{'met' if met else 'MISSED'} with {missing} missing, {ours.p99:.1f} ms at {ratio:.2f}",
            highlight=False,
        )


def _median(samples: Sequence[Sample]) -> Sample:
    def middle(name: str) -> Any:
        values = [getattr(sample, name) for sample in samples]
        return None if None in values else median(values)

    first = samples[0]
    names = ("p50", "p99", "server", "database", "load", "megabytes")
    return Sample(first.contestant, first.expected, first.delivered, *(middle(name) for name in names))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m tests.bench.live", description=__doc__)
    parser.add_argument("--subscribers", type=int, default=1000, help="how many follow (default: 1000)")
    parser.add_argument("--seconds", type=float, default=5, help="how long one turn takes (default: 5)")
    parser.add_argument("--rounds", type=int, default=3, help="how many turns everybody has (default: 3)")
    parser.add_argument("--no-peers", action="store_true", help="leave out what needs Node")
    return parser


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        asyncio.run(main(_parser().parse_args()))
    except (Failed, Fault) as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
