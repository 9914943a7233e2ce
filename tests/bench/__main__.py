"""Measure reads side by side: `python -m tests.bench`, or `make bench`."""

import asyncio
import logging
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import structlog
from rich.console import Console

from app.cli.ground import url_of, with_urls
from app.config import Settings
from app.domain.errors import Fault
from app.embedded import serving
from resolvers.schema import schema
from tests.bench import report
from tests.bench.contestants import CONTESTANTS, Contestant, install_peers, log_of, running
from tests.bench.dataset import EVIDENCE, PATTERNS, data_set
from tests.bench.load import CONNECTIONS, Failed, load
from tests.bench.meters import Meter
from tests.bench.operations import OPERATIONS, Operation
from tests.bench.report import Line
from tests.bench.rounds import Measuring, Sample

INTERRUPTED = 130

console = Console(width=None if sys.stdout.isatty() else 150)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line said."""

    contestants: Sequence[Contestant]
    operations: Sequence[Operation]
    seconds: float
    rounds: int
    json: Path | None
    detail: bool


async def main(wishes: Wishes) -> None:
    """Measure and report."""
    began = perf_counter()
    contestants = await present(wishes.contestants)
    operations = [operation for operation in wishes.operations if _exists(operation)]
    samples: list[Sample] = []
    lines: list[Line] = []
    summaries: dict[Operation, list[Line]] = {}
    with load() as loading, TemporaryDirectory(prefix="tenet-bench-") as name:
        folder = Path(name)
        async with (
            servers(folder) as settings,
            data_set(url_of(settings.database_url)) as data,
            last_words(contestants, folder),
        ):
            console.print(
                f"{PATTERNS:,} patterns, {PATTERNS * EVIDENCE:,} evidence; {CONNECTIONS} connections, "
                f"{wishes.rounds} rounds of {wishes.seconds:g} s in turns; medians.",
                highlight=False,
            )
            meter = await Meter.of(data.database_url)
            async with running(contestants, data, url_of(settings.redis_url), folder) as answering:
                measuring = Measuring(data, meter, loading, answering, wishes.seconds, wishes.rounds)
                for operation in operations:
                    found = [sample async for sample in measuring.samples(operation)]
                    summary = summaries[operation] = report.lines(found, contestants)
                    if wishes.detail:
                        report.show(console, operation, summary)
                    samples += found
                    lines += summary
    report.summarize(console, summaries)
    _tell_of_load(samples)
    console.print(f"Measured in {perf_counter() - began:.0f} s.", highlight=False)
    if wishes.json is not None:
        facts = {"seconds": wishes.seconds, "rounds": wishes.rounds, "connections": CONNECTIONS}
        report.write(wishes.json, samples, lines, facts)


async def present(contestants: Sequence[Contestant]) -> list[Contestant]:
    """Leave the peers out where they cannot be had, and say so."""
    if any(contestant.is_peer for contestant in contestants) and (problem := await install_peers()) is not None:
        _warn(f"The peers are SKIPPED: {problem}.")
        contestants = [contestant for contestant in contestants if not contestant.is_peer]
    return list(contestants)


def _exists(operation: Operation) -> bool:
    """Leave out what the schema does not have yet, and say so."""
    kind = schema.core.mutation_type if operation.changes else schema.core.query_type
    if kind is not None and operation.root in kind.fields:
        return True
    _warn(f"{operation.title.capitalize()} is SKIPPED: the schema has no {operation.root}.")
    return False


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Settings]:
    """Give the servers that URLs name, and embedded ones for those that none names."""
    settings = Settings(data_dir=folder)
    postgres, redis = settings.database_url is None, settings.redis_url is None
    async with serving(folder, postgres=postgres, redis=redis, own=True) as servers:
        yield with_urls(settings, servers.database_url, servers.redis_url)


@asynccontextmanager
async def last_words(contestants: Sequence[Contestant], folder: Path) -> AsyncIterator[None]:
    """Add to a failure what the contestants said last."""
    try:
        yield
    except (Failed, Fault) as failure:
        said = [
            f"{contestant.title}: {line}"
            for contestant in contestants
            if log_of(contestant, folder).exists()
            for line in log_of(contestant, folder).read_text(errors="replace").splitlines()[-10:]
        ]
        raise Failed("\n".join([str(failure), *said])) from failure


def _warn(text: str) -> None:
    console.print(text, style="bold red", markup=False, highlight=False)


def _tell_of_load(samples: Sequence[Sample]) -> None:
    if samples:
        most = max(sample.load for sample in samples)
        console.print(f"The load itself cost at most {most:.3f} ms of CPU a request, not counted above.")


def _wishes(arguments: Namespace) -> Wishes:
    only: set[str] = set(arguments.only or ())
    contestants = [one for one in CONTESTANTS if not (one.is_peer and arguments.no_peers)]
    named = [one for one in contestants if one.name in only]
    operations = [one for one in OPERATIONS if one.name in only]
    return Wishes(
        named or contestants,
        operations or OPERATIONS,
        seconds=arguments.seconds,
        rounds=arguments.rounds,
        json=arguments.json,
        detail=arguments.detail,
    )


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m tests.bench", description=__doc__)
    names = [one.name for one in (*OPERATIONS, *CONTESTANTS)]
    parser.add_argument("--seconds", type=float, default=1.5, help="how long one turn takes (default: 1.5)")
    parser.add_argument("--rounds", type=int, default=3, help="how many turns everybody has (default: 3)")
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=f"only these operations, contestants: {names}"
    )
    parser.add_argument("--no-peers", action="store_true", help="leave out what needs Node")
    parser.add_argument("--detail", action="store_true", help="print latencies and memory of each operation too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the raw numbers there")
    return parser


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        asyncio.run(main(_wishes(_parser().parse_args())))
    except (Failed, Fault) as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
