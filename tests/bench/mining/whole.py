"""Whole runs of a repository, in stages: python -m tests.bench.mining.whole <git dir> [--change N].

Tells the processor's time and the memory of the run with its child processes: the first run, one at the same commit,
and one after N files changed.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app.config import Settings
from app.db.models import IngestionRun
from app.domain.jobs import Ingest
from app.domain.run import RunTrigger
from app.runtime import Runtime, open_runtime
from app.services import ingesting
from tests import factories as make
from tests.bench.mining.look import git, say
from tests.ground import standing_ground
from workers.ingest import ingest

_TICKS = os.sysconf("SC_CLK_TCK")


def _spent(pid: int) -> tuple[float, float]:
    """Give the seconds of processor time and the peak megabytes of a process and of its children that ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    except (FileNotFoundError, StopIteration):
        return 0.0, 0.0
    return sum(map(int, told[11:15])) / _TICKS, int(peak.split()[1]) / 1024


@asynccontextmanager
async def _measured(runtime: Runtime, what: str) -> AsyncIterator[None]:
    pids = {os.getpid(), *runtime.hands.pids}
    before = sum(_spent(pid)[0] for pid in pids)
    began = perf_counter()
    yield
    seconds = perf_counter() - began
    pids |= runtime.hands.pids
    after = [_spent(pid) for pid in pids]
    peaks = ", ".join(f"{peak:.0f}" for _, peak in sorted(after, key=lambda each: -each[1]))
    say(f"{what}: {seconds:.1f} s, {sum(cpu for cpu, _ in after) - before:.1f} CPU s, peaks {peaks} MB")


async def _run(runtime: Runtime, repo_id: UUID, *, force: bool = False) -> None:
    async with runtime.write() as tx:
        run, _ = await ingesting.start(tx, None, repo_id, RunTrigger.MANUAL, force=force)
    await ingest(runtime, Ingest(run.id))
    async with runtime.read() as session:
        done = await session.get_one(IngestionRun, run.id)
    say(f"  {done.status.value} {done.patterns_found} conventions {done.error_message or ''}")
    for stage in done.stages:
        if stage["finished_at"]:
            took = datetime.fromisoformat(stage["finished_at"]) - datetime.fromisoformat(stage["started_at"])
            say(f"    {stage['stage']:8}{took.total_seconds():7.2f} s  {stage['note']}")
    for row in (done.report or {}).get("skipped_files", []):
        say(f"    skipped: {row['count']} {row['reason']} {row['examples'][:2]}")


def _change(repository: Path, count: int) -> None:
    """Commit a change of some files, without a work tree."""
    paths = git(repository, "ls-tree", "-r", "--name-only", "HEAD").decode().splitlines()
    code = [path for path in paths if path.endswith((".py", ".ts", ".js", ".go", ".java", ".rs"))]
    listed = []
    for path in code[:: max(1, len(code) // count)][:count]:
        content = git(repository, "show", f"HEAD:{path}") + b"\n"
        blob = git(repository, "hash-object", "-w", "--stdin", given=content).decode().strip()
        listed.append(f"100644 {blob}\t{path}\n")
    index = {**os.environ, "GIT_INDEX_FILE": str(repository / "bench-index")}
    for words, given in ((["read-tree", "HEAD"], ""), (["update-index", "--index-info"], "".join(listed))):
        subprocess.run(["git", "-C", str(repository), *words], input=given.encode(), env=index, check=True)
    tree = subprocess.run(
        ["git", "-C", str(repository), "write-tree"], env=index, check=True, capture_output=True
    ).stdout.decode()
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    # An hour after the last one: a commit of today would make another year of what is new.
    at = int(git(repository, "log", "-1", "--format=%ct").decode()) + 3_600
    when = {**os.environ, "GIT_AUTHOR_DATE": f"{at} +0000", "GIT_COMMITTER_DATE": f"{at} +0000"}
    words = ["git", "-C", str(repository), *who, "commit-tree", tree.strip(), "-p", "HEAD", "-m", "Change"]
    commit = subprocess.run(words, env=when, check=True, capture_output=True).stdout.decode().strip()
    git(repository, "update-ref", "HEAD", commit)


async def main() -> None:
    """Measure one repository."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--change", type=int, default=10)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="tenet-bench-") as folder, standing_ground() as ground:
        source = Path(folder, "source.git")
        shutil.copytree(given.repository, source, symlinks=True)
        settings = Settings(data_dir=Path(folder, "data")).model_copy(
            update={"database_url": SecretStr(ground.database_url), "redis_url": SecretStr(ground.redis_url)}
        )
        async with open_runtime(settings) as runtime:
            engine = create_async_engine(ground.database_url)
            async with AsyncSession(engine, expire_on_commit=False) as session:
                repo = await make.repo(session, url=str(source), branch=None)
            await engine.dispose()
            async with _measured(runtime, "first"):
                await _run(runtime, repo.id)
            async with _measured(runtime, "same commit"):
                await _run(runtime, repo.id)
            async with _measured(runtime, "same commit, forced"):
                await _run(runtime, repo.id, force=True)
            _change(source, given.change)
            async with _measured(runtime, f"{given.change} files changed"):
                await _run(runtime, repo.id)


if __name__ == "__main__":
    asyncio.run(main())
