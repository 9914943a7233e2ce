"""Measure indexing: `python -m tests.bench.index [GIT DIRECTORY ...]`, a part of `make bench`.

A made repository of 50,000 files, and those that are named: how many files a minute are indexed and what of memory that
takes, the same commit again, and a commit that changes ten files. History likewise, as the next run has it.
"""

import asyncio
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app.config import Settings
from app.domain.run import IngestionStage, RunTrigger
from app.runtime import open_runtime
from app.services import ingesting
from tests import factories as make
from tests.ground import standing_ground
from workers.ingest.fetch import fetch
from workers.ingest.history import history
from workers.ingest.index import index
from workers.ingest.step import Attempt
from workers.progress import Progress

FILES = 50_000
CHANGED = 10
LEASE = timedelta(minutes=10)

console = Console(width=None if sys.stdout.isatty() else 120)


def main(named: list[Path], files: int) -> None:
    """Measure each repository on its own."""
    table = Table(box=SIMPLE, title=f"indexing, {os.cpu_count()} processors", title_justify="left")
    for heading in ("repository", "step", "files", "s", "files/min", "worker CPU s", "worker MB", "child MB"):
        table.add_column(heading, justify="left" if heading in ("repository", "step") else "right")
    with TemporaryDirectory(prefix="tenet-bench-") as name, standing_ground() as ground:
        made = Path(name, f"made-{files}.git")
        _make(made, files)
        copies = []
        for place in named:
            copies.append(Path(name, f"{place.resolve().parent.name if place.name == 'repo' else place.name}.git"))
            subprocess.run(["git", "clone", "-q", "--bare", "--shared", place, copies[-1]], check=True)
        settings = Settings(data_dir=Path(name, "data"), DATABASE_URL=ground.database_url, REDIS_URL=ground.redis_url)
        for source in (made, *copies):
            asyncio.run(_measure(settings, source, table))
    console.print(table)


async def _measure(settings: Settings, source: Path, table: Table) -> None:
    assert settings.database_url is not None
    async with open_runtime(settings) as runtime:
        engine = create_async_engine(settings.database_url.get_secret_value())
        async with AsyncSession(engine, expire_on_commit=False) as session:
            repo = await make.repo(session, url=str(source), branch=None)
        await engine.dispose()
        for step in ("first", "same again", f"{CHANGED} changed"):
            if step not in ("first", "same again"):
                _change(source)
            async with runtime.write() as tx:
                run, _ = await ingesting.start(tx, None, repo.id, RunTrigger.MANUAL, force=True)
                held = await ingesting.claim(tx, run.id, LEASE)
            assert held is not None
            attempt = Attempt(runtime, Progress(runtime, held, LEASE))
            await _stage(attempt, IngestionStage.FETCH, fetch)
            for stage, work, unit in (
                (IngestionStage.INDEX, index, "files"),
                (IngestionStage.HISTORY, history, "commits"),
            ):
                began, cpu = perf_counter(), process_time()
                await _stage(attempt, stage, work)
                seconds, cpu = perf_counter() - began, process_time() - cpu
                count = attempt.found.files if unit == "files" else attempt.found.past.commits
                pace = f"{60 * count / seconds:,.0f}" if step == "first" else ""
                children = max((_peak(pid) for pid in runtime.hands.pids), default=0)
                told = (f"{stage.value.lower()}, {step}", f"{count:,}", f"{seconds:.2f}", pace, f"{cpu:.2f}")
                table.add_row(source.stem, *told, f"{_peak(os.getpid()):.0f}", f"{children:.0f}")
            async with runtime.write() as tx:
                await ingesting.stop(tx, held)


async def _stage(attempt: Attempt, stage: IngestionStage, work: Callable[[Attempt], Awaitable[None]]) -> None:
    async def carry_out() -> None:
        async with attempt.progress.stage(stage):
            await work(attempt)

    await attempt.progress.watched(carry_out())


def _peak(pid: int) -> float:
    """Give the most megabytes that a process has held."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _make(place: Path, files: int) -> None:
    """Make a repository of files in five languages, with a few hundred commits."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", place], check=True)
    with subprocess.Popen(["git", "-C", place, "fast-import", "--quiet"], stdin=subprocess.PIPE) as importing:
        assert importing.stdin is not None
        for piece in _stream(files):
            importing.stdin.write(piece)
    assert importing.returncode == 0


def _stream(files: int) -> Iterator[bytes]:
    random = Random(7)
    words = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randint(2, 9))) for _ in range(3000)]
    for number in range(files):
        if number % 200 == 0:
            who = (
                f"Author {number // 200 % 40} <{number // 200 % 40}@example.com> {1_700_000_000 + 3600 * number} +0000"
            )
            yield f"commit refs/heads/main\ncommitter {who}\ndata 6\nCommit\n".encode()
        lines = (
            f"def {random.choice(words)}_{line}({random.choice(words)}):\n    return {random.choice(words)}\n"
            for line in range(random.randint(5, 90))
        )
        content = "\n".join(lines).encode()
        path = f"part{number % 97}/{random.choice(words)}/file{number}.{('py', 'ts', 'go', 'java', 'md')[number % 5]}"
        yield f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n"


def _change(place: Path) -> None:
    """Commit a change of some files, without a work tree."""
    listed = subprocess.run(["git", "-C", place, "ls-tree", "-r", "HEAD"], check=True, capture_output=True).stdout
    lines = [line for line in listed.decode(errors="replace").splitlines() if line.startswith("100644")]
    branch = subprocess.run(["git", "-C", place, "symbolic-ref", "HEAD"], check=True, capture_output=True).stdout
    head = branch.decode().strip()
    stream = f"commit {head}\ncommitter Ada <ada@example.com> 1900000000 +0000\ndata 6\nChange\nfrom {head}^0\n"
    for line in lines[:: max(len(lines) // CHANGED, 1)][:CHANGED]:
        stream += f"M 100644 inline {line.partition(chr(9))[2]}\ndata 6\nx = 1\n\n"
    subprocess.run(["git", "-C", place, "fast-import", "--quiet"], input=stream.encode(), check=True)


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m tests.bench.index", description=__doc__)
    parser.add_argument(
        "repositories", nargs="*", type=Path, metavar="GIT DIRECTORY", help="repositories to measure too"
    )
    parser.add_argument("--files", type=int, default=FILES, help=f"how large the made one is (default: {FILES})")
    arguments = parser.parse_args()
    main(arguments.repositories, arguments.files)
