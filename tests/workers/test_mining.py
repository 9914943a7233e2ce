"""Mining in a run: conventions with exact evidence, kept in step with the code and with what people decided."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.db.models import Evidence, IngestionRun, Pattern, PatternEvent, Repo, RunEvent
from app.domain.confidence import AgeCategory, ConfidenceTier
from app.domain.jobs import Ingest
from app.domain.pattern import PatternEventKind, PatternStatus
from app.domain.rule import RuleKind
from app.domain.run import IngestionEventKind, IngestionStage, RunStatus, RunTrigger
from app.runtime import Runtime, open_runtime
from app.services import ingesting
from tests import factories as make
from tests.gateways.making import START, Made
from tests.workers.conftest import Lend
from workers.ingest import ingest

HANDLER = """\
def run_{0}() -> None:
    try:
        work({0})
    except ValueError as failure:
        log(failure)
"""
NAMED = "Python caught exceptions are named `failure`"


@pytest.fixture
async def runtime(database_url: str, redis_url: str, tmp_path: Path, lend: Lend) -> AsyncIterator[Runtime]:
    settings = Settings(data_dir=tmp_path / "data").model_copy(
        update={"database_url": SecretStr(database_url), "redis_url": SecretStr(redis_url)}
    )
    async with open_runtime(settings) as runtime:
        with lend(runtime):
            yield runtime


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The repository as each test finds it."""
    made = Made(tmp_path_factory.mktemp("first") / "source")
    for number in range(15):
        author = ("Ada <ada@example.com>", "Ben <ben@example.com>", "Cleo <cleo@example.com>")[number % 3]
        made.commit({f"shop/part{number}.py": HANDLER.format(number)}, f"Part {number}", author=author)
    made.commit({"shop/odd.py": HANDLER.format(99).replace("failure", "oops")}, "Odd", at=START + timedelta(days=400))
    return made


@pytest.fixture
def source(first: Made, tmp_path: Path) -> Made:
    return first.copied(tmp_path / "source")


async def connected(session: AsyncSession, source: Made) -> Repo:
    return await make.repo(session, url=str(source.folder), branch=None)


async def mined(runtime: Runtime, repo_id: UUID, *, force: bool = False) -> IngestionRun:
    async with runtime.write() as tx:
        run, _ = await ingesting.start(tx, None, repo_id, RunTrigger.MANUAL, force=force)
    await ingest(runtime, Ingest(run.id))
    async with runtime.read() as session:
        found = await session.get_one(IngestionRun, run.id)
    assert found.status is RunStatus.SUCCEEDED, found.error_message
    return found


async def pattern_of(runtime: Runtime, name: str = NAMED) -> Pattern:
    async with runtime.read() as session:
        return (await session.scalars(select(Pattern).where(Pattern.name == name))).one()


async def evidence_of(runtime: Runtime, pattern_id: UUID) -> list[Evidence]:
    async with runtime.read() as session:
        rows = await session.scalars(
            select(Evidence).where(Evidence.pattern_id == pattern_id).order_by(Evidence.rank, Evidence.id)
        )
        return list(rows)


async def history_of(runtime: Runtime, pattern_id: UUID) -> list[PatternEventKind]:
    async with runtime.read() as session:
        rows = await session.scalars(
            select(PatternEvent.kind).where(PatternEvent.pattern_id == pattern_id).order_by(PatternEvent.sequence)
        )
        return list(rows)


async def change(runtime: Runtime, pattern_id: UUID, **columns: object) -> None:
    async with runtime.write() as tx:
        pattern = await tx.session.get_one(Pattern, pattern_id)
        for column, value in columns.items():
            setattr(pattern, column, value)


async def test_a_convention_is_found_measured_and_judged(runtime: Runtime, session: AsyncSession, source: Made) -> None:
    repo = await connected(session, source)
    run = await mined(runtime, repo.id)
    pattern = await pattern_of(runtime)
    assert (pattern.status, pattern.conforming, pattern.applicable) == (PatternStatus.CANDIDATE, 15, 16)
    assert (pattern.tier, pattern.age, pattern.authors) == (ConfidenceTier.STRONG, AgeCategory.ESTABLISHED, 3)
    assert pattern.description.startswith(f"{NAMED} (15 of 16).")
    assert pattern.rule_alternative == "oops"
    async with runtime.read() as reading:
        told = await reading.scalars(
            select(RunEvent.pattern_id).where(RunEvent.run_id == run.id, RunEvent.kind == IngestionEventKind.PATTERN)
        )
        found = list(told)
    assert pattern.id in found
    assert len(set(found)) == len(found) == run.patterns_found


async def test_stages_count_each_file_once(runtime: Runtime, session: AsyncSession, source: Made) -> None:
    repo = await connected(session, source)
    run = await mined(runtime, repo.id)
    index, mine = (
        next(each for each in run.stages if each["stage"] == stage)
        for stage in (IngestionStage.INDEX, IngestionStage.MINE)
    )
    assert mine["unit"] == index["unit"] == "files"
    assert 0 < mine["done"] == mine["total"] <= index["total"]


async def test_evidence_stands_byte_for_byte_where_it_says(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    repo = await connected(session, source)
    await mined(runtime, repo.id)
    rows = await evidence_of(runtime, (await pattern_of(runtime)).id)
    assert [row.is_canonical for row in rows].count(True) == 1
    assert [(row.path, row.start_line) for row in rows if row.is_counterexample] == [("shop/odd.py", 4)]
    for row in rows:
        text = source.git("show", f"{row.commit_sha}:{row.path}")
        assert row.start_line is not None
        assert "\n".join(text.split("\n")[row.start_line - 1 : row.end_line]) == row.snippet
    assert {row.author for row in rows[:3]} <= {"Ada", "Ben", "Cleo"}


async def test_empty_files_can_show_how_files_are_named(runtime: Runtime, session: AsyncSession, source: Made) -> None:
    words = ("blue", "green", "grey", "red", "white")
    for one, author in zip(words, ("Ada", "Ben", "Cleo", "Ada", "Ben"), strict=True):
        source.commit({f"forms/{one}-{two}.ts": "" for two in words}, one, author=f"{author} <{author}@example.com>")
    repo = await connected(session, source)
    await mined(runtime, repo.id)
    async with runtime.read() as reading:
        pattern = (await reading.scalars(select(Pattern).where(Pattern.rule_kind == RuleKind.PATH))).one()
    rows = await evidence_of(runtime, pattern.id)
    assert rows
    assert {(row.start_line, row.author) for row in rows} == {(None, None)}


async def test_the_same_commit_again_changes_nothing(runtime: Runtime, session: AsyncSession, source: Made) -> None:
    repo = await connected(session, source)
    await mined(runtime, repo.id)
    before = await pattern_of(runtime)
    places = [row.id for row in await evidence_of(runtime, before.id)]
    await mined(runtime, repo.id, force=True)
    after = await pattern_of(runtime)
    assert (after.version, after.updated_at) == (before.version, before.updated_at)
    assert [row.id for row in await evidence_of(runtime, after.id)] == places
    assert await history_of(runtime, after.id) == [PatternEventKind.CREATED]


async def test_a_candidate_is_measured_anew_in_place(runtime: Runtime, session: AsyncSession, source: Made) -> None:
    repo = await connected(session, source)
    await mined(runtime, repo.id)
    before = await pattern_of(runtime)
    source.commit({"shop/more.py": HANDLER.format(50), "shop/part1.py": None})
    source.git("mv", "shop/part2.py", "shop/renamed.py")
    source.commit({"shop/part3.py": "import os\n\n\n" + HANDLER.format(3)})
    await mined(runtime, repo.id)
    after = await pattern_of(runtime)
    assert (after.id, after.conforming, after.applicable) == (before.id, 15, 16)
    source.commit({"shop/odd.py": None})
    await mined(runtime, repo.id)
    after = await pattern_of(runtime)
    assert (after.id, after.conforming, after.applicable, after.rule_alternative) == (before.id, 15, 15, None)
    assert (await history_of(runtime, after.id))[-1] is PatternEventKind.MEASURED


async def test_what_vanished_is_withdrawn_and_comes_back_when_it_does(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    repo = await connected(session, source)
    await mined(runtime, repo.id)
    gone = {f"shop/part{number}.py": None for number in range(12)}
    source.commit(gone)
    await mined(runtime, repo.id)
    pattern = await pattern_of(runtime)
    assert pattern.status is PatternStatus.REJECTED
    source.commit({path: HANDLER.format(number) for number, path in enumerate(gone)})
    await mined(runtime, repo.id)
    assert (await pattern_of(runtime)).status is PatternStatus.CANDIDATE
    assert await history_of(runtime, pattern.id) == [
        PatternEventKind.CREATED,
        PatternEventKind.WITHDRAWN,
        PatternEventKind.REOPENED,
    ]


async def test_a_candidate_that_says_what_was_decided_by_hand_is_flagged(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    repo = await connected(session, source)
    await mined(runtime, repo.id)
    found = await pattern_of(runtime)
    rule = {"rule_kind": found.rule_kind, "rule_definition": found.rule_definition}
    await session.execute(delete(Pattern).where(Pattern.id == found.id))
    by_hand = await make.pattern(session, repo, status=PatternStatus.AUTHORITATIVE, **rule)
    await mined(runtime, repo.id, force=True)
    assert (await pattern_of(runtime)).similar_to_id == by_hand.id
    before = await history_of(runtime, (await pattern_of(runtime)).id)
    await mined(runtime, repo.id, force=True)
    assert await history_of(runtime, (await pattern_of(runtime)).id) == before
