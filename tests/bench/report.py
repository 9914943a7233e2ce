"""What was measured, for people and for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from tests.bench.contestants import FRESH, REFERENCE, TENET, Contestant
from tests.bench.operations import Operation
from tests.bench.rounds import Sample


@dataclass(frozen=True, slots=True)
class Line:
    """The medians of one contestant in one operation, and how they stand beside those of others."""

    contestant: Contestant
    medians: Sample
    to_reference: float | None
    to_best_peer: float | None
    cpu_to_best_peer: float | None


def lines(samples: Sequence[Sample], contestants: Sequence[Contestant]) -> list[Line]:
    """Summarize the samples of one operation."""
    middle = {c.name: _median([sample for sample in samples if sample.contestant == c.name]) for c in contestants}
    peers = [middle[c.name] for c in contestants if c.is_peer]
    reference = middle.get(REFERENCE.name)
    fastest = max((peer.rate for peer in peers), default=None)
    cheapest = min((peer.cpu for peer in peers), default=None)
    return [
        Line(
            contestant,
            found := middle[contestant.name],
            None if reference is None else found.rate / reference.rate,
            None if fastest is None else found.rate / fastest,
            None if cheapest is None else found.cpu / cheapest,
        )
        for contestant in contestants
    ]


def summarize(console: Console, found: Mapping[Operation, Sequence[Line]]) -> None:
    """Print everything as one table: a row for each operation, a column for everybody who was measured."""
    table = Table(title="requests a second, and CPU ms a request (server + database)", title_justify="left", box=SIMPLE)
    table.add_column("")
    for line in next(iter(found.values()), ()):
        table.add_column(line.contestant.title, justify="right")
    table.add_column("Tenet to best peer", justify="right")
    for operation, lines_ in found.items():
        ours = next((line for line in lines_ if line.contestant is TENET), None)
        ratio = "" if ours is None else f"{_times(ours.to_best_peer)} of req/s\n{_times(ours.cpu_to_best_peer)} of CPU"
        table.add_row(operation.title, *(_cell(line.medians) for line in lines_), ratio, end_section=True)
    console.print(table)
    for operation, lines_ in found.items():
        if verdict := _verdict(operation, lines_):
            console.print(f"  {operation.title}: {verdict}", highlight=False)


def _cell(one: Sample) -> str:
    parts = f"{one.app:.2f} + {'?' if one.database is None else f'{one.database:.2f}'}"
    return f"{one.rate:,.0f}/s\n{one.cpu:.2f} ({parts})"


def show(console: Console, operation: Operation, found: Sequence[Line]) -> None:
    """Print one operation as a table."""
    table = Table(title=operation.title, title_justify="left", box=SIMPLE)
    table.add_column("")
    for heading in (
        "req/s",
        "to ordinary",
        "to best peer",
        "CPU ms/req",
        "app + db",
        "CPU to best peer",
        "p50 ms",
        "p99 ms",
        "RSS MB",
    ):
        table.add_column(heading, justify="right")
    for line in found:
        one = line.medians
        table.add_row(
            line.contestant.title,
            f"{one.rate:,.0f}",
            _times(line.to_reference),
            _times(line.to_best_peer),
            f"{one.cpu:.2f}",
            f"{one.app:.2f} + {'?' if one.database is None else f'{one.database:.2f}'}",
            _times(line.cpu_to_best_peer),
            f"{one.p50:.1f}",
            f"{one.p99:.1f}",
            f"{one.megabytes:.0f}",
        )
    console.print(table)


def write(path: Path, samples: Sequence[Sample], found: Sequence[Line], facts: dict[str, Any]) -> None:
    """Keep the raw numbers."""
    told = {
        **facts,
        "medians": [
            {
                **asdict(line.medians),
                "cpu": line.medians.cpu,
                "to_reference": line.to_reference,
                "to_best_peer": line.to_best_peer,
                "cpu_to_best_peer": line.cpu_to_best_peer,
            }
            for line in found
        ],
        "samples": [asdict(sample) for sample in samples],
    }
    path.write_text(json.dumps(told, indent=2) + "\n")


def _verdict(operation: Operation, found: Sequence[Line]) -> str:
    ours = next((line for line in found if line.contestant is TENET), None)
    if ours is None or ours.to_best_peer is None or ours.cpu_to_best_peer is None:
        return ""
    rate, cpu = operation.goal
    met = ours.to_best_peer >= rate and ours.cpu_to_best_peer <= cpu
    wanted = (
        f"{rate:g} times the best peer at {cpu:g} of its CPU" if rate else f"at most {cpu:g} of the best peer's CPU"
    )
    return (
        f"the goal, {wanted}, is {'met' if met else 'MISSED'} "
        f"with {ours.to_best_peer:.2f} at {ours.cpu_to_best_peer:.2f}{_without_memory(found)}"
    )


def _without_memory(found: Sequence[Line]) -> str:
    fresh = next((line for line in found if line.contestant is FRESH), None)
    if fresh is None:
        return ""
    return f"; with nothing remembered {_times(fresh.to_best_peer)} at {_times(fresh.cpu_to_best_peer)}"


def _median(samples: Sequence[Sample]) -> Sample:
    numbers: dict[str, Any] = {
        name: None if getattr(samples[0], name) is None else median(getattr(sample, name) for sample in samples)
        for name in ("rate", "app", "database", "p50", "p99", "megabytes", "load")
    }
    return Sample(samples[0].operation, samples[0].contestant, **numbers)


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"
