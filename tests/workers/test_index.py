"""Indexing: what is stored is what the commit holds; only what changed is looked at and written."""

import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import IngestionRun, Repo, RepoFile
from app.domain.jobs import Ingest
from app.domain.run import RunStatus, RunTrigger
from app.runtime import Runtime
from app.services import ingesting
from tests import factories as make
from tests.gateways.making import Made
from tests.installed import runtime_for
from tests.workers import crafts
from tests.workers.conftest import Lend
from workers.ingest import index
from workers.ingest.carrying import ingest

FACTS = ("path", "blob_id", "language", "size_bytes", "token_estimate", "role", "is_generated", "is_vendored")


@pytest.fixture
async def runtime(database_url: str, redis_url: str, tmp_path: Path, lend: Lend) -> AsyncIterator[Runtime]:
    async with runtime_for(database_url, redis_url, data_dir=tmp_path / "data", worker_lease_seconds=15) as runtime:
        with lend(runtime):
            yield runtime


@pytest.fixture
def source(tmp_path: Path) -> Made:
    return Made(tmp_path / "source")


async def connected(session: AsyncSession, source: Made) -> Repo:
    return await make.repo(session, url=str(source.folder), branch=None)


async def carried_out(runtime: Runtime, repo_id: UUID, *, force: bool = False) -> IngestionRun:
    async with runtime.write() as tx:
        run, _ = await ingesting.start(tx, None, repo_id, RunTrigger.MANUAL, force=force)
    await ingest(runtime, Ingest(run.id))
    async with runtime.read() as session:
        ended = await session.get_one(IngestionRun, run.id)
    assert ended.status is RunStatus.SUCCEEDED, ended.error_message
    return ended


async def stored(runtime: Runtime, repo_id: UUID) -> dict[str, tuple[Any, ...]]:
    async with runtime.read() as session:
        files = await session.scalars(select(RepoFile).where(RepoFile.repo_id == repo_id))
        return {file.path: tuple(getattr(file, name) for name in FACTS) for file in files}


async def writers(runtime: Runtime) -> dict[str, str]:
    """Tell which transaction wrote each row."""
    async with runtime.read() as session:
        rows = await session.execute(text("SELECT path, xmin::text AS writer FROM repo_files"))
        return {row.path: row.writer for row in rows}


async def rewritten(runtime: Runtime, before: Mapping[str, str]) -> set[str]:
    after = await writers(runtime)
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def looked_at(run: IngestionRun) -> int:
    """Read the note of the stage: so many files were new or changed."""
    note = run.stages[1]["note"]
    return int(note.split("files, ")[1].split()[0])


async def test_only_files_that_changed_are_looked_at_and_written(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    source.commit({f"src/mod{number}.py": f"x = {number}\n" for number in range(30)})
    repo = await connected(session, source)
    assert looked_at(await carried_out(runtime, repo.id)) == 30
    before = await writers(runtime)
    source.commit({"src/mod7.py": "y = 7\n", "src/new.py": "z = 1\n", "src/mod9.py": None})
    assert looked_at(await carried_out(runtime, repo.id)) == 2
    assert await rewritten(runtime, before) == {"src/mod7.py", "src/new.py", "src/mod9.py"}
    before = await writers(runtime)
    assert looked_at(await carried_out(runtime, repo.id, force=True)) == 0
    assert await rewritten(runtime, before) == set()


async def test_a_file_that_became_a_link_is_looked_at_again(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    source.commit({"a.py": "b.py", "b.py": "x = 1\n"})
    repo = await connected(session, source)
    await carried_out(runtime, repo.id)
    (source.path / "a.py").unlink()
    (source.path / "a.py").symlink_to("b.py")
    source.commit({})
    assert looked_at(await carried_out(runtime, repo.id)) == 1
    async with runtime.read() as reading:
        file = await reading.get_one(RepoFile, (repo.id, "a.py"))
    assert (file.is_symlink, file.language) == (True, None)


async def test_attributes_that_change_are_felt_by_what_lies_below_them(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    source.commit({"a/one.inc": "x\n", "b/two.inc": "x\n", "b/c/three.inc": "x\n"})
    repo = await connected(session, source)
    await carried_out(runtime, repo.id)
    before = await writers(runtime)
    source.commit({"b/.gitattributes": "*.inc linguist-language=PHP\n"})
    assert looked_at(await carried_out(runtime, repo.id)) == 3
    languages = {path: facts[2] for path, facts in (await stored(runtime, repo.id)).items()}
    assert {path for path, language in languages.items() if language == "PHP"} == {"b/two.inc", "b/c/three.inc"}
    assert "a/one.inc" not in await rewritten(runtime, before)
    source.commit({"b/.gitattributes": None})
    await carried_out(runtime, repo.id)
    assert {path: facts[2] for path, facts in (await stored(runtime, repo.id)).items()}["b/two.inc"] != "PHP"


async def test_a_run_that_broke_off_leaves_no_wrong_belief(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    first = source.commit({"a.py": "x = 1\n"})
    repo = await connected(session, source)
    await carried_out(runtime, repo.id)
    # As if a run at another commit had been killed in the middle.
    async with runtime.write() as tx:
        await tx.session.execute(update(RepoFile).values(blob_id="0" * 40))
        await tx.session.execute(update(Repo).values(files_commit=None))
    again = await carried_out(runtime, repo.id)
    assert again.stages[1]["state"] == "SUCCEEDED"
    assert (await stored(runtime, repo.id))["a.py"][1] == source.git("rev-parse", f"{first}:a.py")


async def test_facts_of_an_older_version_are_found_again(runtime: Runtime, session: AsyncSession, source: Made) -> None:
    source.commit({"a.py": "x = 1\n", "b.py": "y = 1\n"})
    repo = await connected(session, source)
    await carried_out(runtime, repo.id)
    async with runtime.write() as tx:
        await tx.session.execute(update(RepoFile).where(RepoFile.path == "a.py").values(facts_version=0, language="Go"))
    assert looked_at(await carried_out(runtime, repo.id, force=True)) == 1
    assert (await stored(runtime, repo.id))["a.py"][2] == "Python"


async def test_a_poisonous_blob_costs_itself(
    runtime: Runtime, session: AsyncSession, source: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "looking", crafts.looking)
    source.commit({f"src/{name}.py": "x = 1\n" for name in ("a", "b", "poison", "c", "more_poison")})
    repo = await connected(session, source)
    run = await carried_out(runtime, repo.id)
    assert run.report is not None
    skipped = {each["reason"]: each["count"] for each in run.report["skipped_files"]}
    assert skipped == {"ended its process": 2}
    files = await stored(runtime, repo.id)
    assert {path for path, facts in files.items() if facts[2] == "Python"} == {
        f"src/{name}.py" for name in ("a", "b", "poison", "c", "more_poison")
    }
    monkeypatch.undo()
    assert looked_at(await carried_out(runtime, repo.id, force=True)) == 2, "the next run tries again"


async def test_what_is_not_read_is_counted(runtime: Runtime, session: AsyncSession, source: Made) -> None:
    source.commit({"large.json": b"1" * (3 << 20), "a.py": "x = 1\n"})
    repo = await connected(session, source)
    for _ in range(2):
        run = await carried_out(runtime, repo.id, force=True)
        assert run.report is not None
        assert run.report["skipped_files"] == [{"reason": "too large", "count": 1, "examples": []}]


NAMES = st.sampled_from(
    ("a.py", "b/a.py", "b/b.inc", "b-c/a.inc", "b.d", "z/.gitattributes", ".gitattributes", "z/q.inc")
)
CONTENTS = st.sampled_from(("x = 1\n", "# Generated by hand. @generated\n", "*.inc linguist-language=PHP\n", "é" * 9))
COMMITS = st.lists(st.dictionaries(NAMES, st.none() | CONTENTS, min_size=1, max_size=5), min_size=1, max_size=4)


@pytest.fixture
async def sharing_runtime(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    """One that shares out whatever has more than three files."""
    over = {"data_dir": tmp_path / "data", "shard_files": 3, "worker_lease_seconds": 15}
    async with runtime_for(database_url, redis_url, **over) as runtime:
        yield runtime


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commits=COMMITS)
async def test_what_is_stored_is_what_a_first_run_would_find(
    sharing_runtime: Runtime, session: AsyncSession, tmp_path_factory: pytest.TempPathFactory, commits: Any
) -> None:
    runtime = sharing_runtime
    source = Made(tmp_path_factory.mktemp("history") / "source")
    source.commit({"always.py": "x = 1\n"})
    often = await connected(session, source)
    for changes in commits:
        there = {name for name in changes if (source.path / name).exists()}
        source.commit({name: content for name, content in changes.items() if content or name in there})
        await carried_out(runtime, often.id)
    once = await connected(session, source)
    await carried_out(runtime, once.id)
    assert await stored(runtime, often.id) == await stored(runtime, once.id)


def test_what_hands_import_is_light() -> None:
    code = (
        "import sys, pkgutil, importlib, workers.crafts\n"
        "for found in pkgutil.iter_modules(workers.crafts.__path__, 'workers.crafts.'):\n"
        "    importlib.import_module(found.name)\n"
        "import workers.mining.crafts, workers.mining.buckets, workers.mining.trying\n"
        "print(sorted({'sqlalchemy', 'asyncpg', 'redis', 'arq', 'pydantic', 'structlog'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
