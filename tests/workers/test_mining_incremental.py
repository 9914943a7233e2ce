"""A further run reads only what changed, and finds what a run that reads everything finds; bad files cost a line."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Evidence, IngestionRun, Pattern
from app.domain.jobs import Ingest
from app.domain.pattern import PatternStatus
from app.domain.run import RunStatus, RunTrigger
from app.gateways.storage import Storage
from app.runtime import Runtime
from app.services import ingesting
from tests.bench.mining.synthetic import made
from tests.gateways.making import START, Made
from tests.workers import crafts as deadly
from tests.workers.test_mining import NAMED, connected, mined, pattern_of
from tests.workers.test_mining import first as first
from tests.workers.test_mining import runtime as runtime
from tests.workers.test_mining import source as source
from workers.ingest import ingest
from workers.mining import crafts, measuring

PEOPLE = ("Ada <ada@example.com>", "Ben <ben@example.com>", "Cleo <cleo@example.com>")


async def told(runtime: Runtime, repo_id: UUID) -> dict[str, Any]:
    """Give all that a run wrote down of what is a candidate now."""
    async with runtime.read() as session:
        patterns = list(
            await session.scalars(
                select(Pattern).where(Pattern.repo_id == repo_id, Pattern.status == PatternStatus.CANDIDATE)
            )
        )
        places = list(
            await session.scalars(
                select(Evidence)
                .where(Evidence.pattern_id.in_([pattern.id for pattern in patterns]))
                .order_by(Evidence.rank)
            )
        )
    return {
        pattern.name: {
            "measured": (pattern.conforming, pattern.applicable, pattern.tier, pattern.trend, pattern.author_names),
            "rule": (pattern.rule_definition, pattern.scope_include, pattern.scope_exclude, pattern.rule_alternative),
            "places": [
                (row.path, row.start_line, row.end_line, row.snippet, row.is_counterexample, row.is_canonical)
                for row in places
                if row.pattern_id == pattern.id
            ],
        }
        for pattern in patterns
    }


def skipped(run: IngestionRun) -> dict[str, list[str]]:
    """Give the files that a run left out, by reason."""
    assert run.report is not None
    return {row["reason"]: row["examples"] for row in run.report["skipped_files"]}


def objects(storage: Storage, *folders: str) -> list[Path]:
    """List what is stored below some folders of repositories."""
    return [path for folder in folders for path in storage.root.glob(f"*/*/{folder}/**/*") if path.is_file()]


async def test_a_further_run_finds_what_a_first_one_would(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    dice = random.Random(7)
    files = made(0.05).files
    paths = sorted(files)
    for number in range(3):
        source.commit({path: files[path] for path in paths[number::3]}, author=PEOPLE[number])
    source.commit({"bad/nested.py": "x = " + "(" * 10_000 + ")" * 10_000 + "\n"})
    followed = await connected(session, source)
    await mined(runtime, followed.id)
    assert len(await told(runtime, followed.id)) >= 4
    for step in range(3):
        chosen = dice.sample(paths, 12)
        source.commit({path: None for path in chosen[:4] if path in files}, author=PEOPLE[step])
        changed = {path: f"{files[path]}\n# more\n" for path in chosen[4:8]}
        moved = {f"moved/{path}": files[path] for path in chosen[8:]}
        paths = [path for path in paths if path not in chosen[:4]]
        # Years later all that was new is old, though nothing of it has changed.
        at = START + timedelta(days=300 + 500 * step)
        source.commit({**changed, **moved}, author=PEOPLE[2 - step], at=at)
        again = await mined(runtime, followed.id)
        fresh = await connected(session, source)
        first = await mined(runtime, fresh.id)
        assert await told(runtime, followed.id) == await told(runtime, fresh.id)
        assert skipped(again) == skipped(first) == {"nested too deep": ["bad/nested.py"]}


async def test_a_file_that_costs_its_process_is_remembered_and_tried_again_when_asked(
    runtime: Runtime, session: AsyncSession, source: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.commit({"shop/poison.py": "x = 1\n", "shop/poison2.py": "x = 2\n"})
    lost = {"ended its process": ["shop/poison.py", "shop/poison2.py"]}
    with monkeypatch.context() as patch:
        patch.setattr(crafts, "taking", deadly.taking)
        patch.setattr(measuring, "measuring", deadly.measuring)
        repo = await connected(session, source)
        assert skipped(await mined(runtime, repo.id)) == lost
        assert (await pattern_of(runtime, NAMED)).conforming == 15
        hands = runtime.hands.pids
        source.commit({"shop/part3.py": "x = 1\n"})
        assert skipped(await mined(runtime, repo.id)) == lost
        assert (await pattern_of(runtime, NAMED)).conforming == 14
        assert runtime.hands.pids == hands, "a file that was lost before has cost a process again"
    source.commit({"shop/part4.py": "x = 1\n"})
    assert skipped(await mined(runtime, repo.id)) == lost
    assert skipped(await mined(runtime, repo.id, force=True)) == {}


async def test_what_another_version_kept_is_found_out_anew(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    repo = await connected(session, source)
    await mined(runtime, repo.id)
    before = await told(runtime, repo.id)
    storage = Storage(runtime.settings.data_dir / "objects")
    kept = objects(storage, "facts", "measured", "votes")
    assert len(kept) >= 5
    place = f"{repo.organization_id.hex}/{repo.id.hex}"
    for path in kept:
        name = str(path.relative_to(storage.root / place))
        await storage.put(repo.organization_id, repo.id, name, b'{"version": 0, "state": "engine 0"}')
    await mined(runtime, repo.id, force=True)
    assert await told(runtime, repo.id) == before
    assert all(path.stat().st_size > 100 for path in kept)


async def test_a_run_that_loses_its_discovery_says_why_and_keeps_what_there_was(
    runtime: Runtime, session: AsyncSession, source: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = await connected(session, source)
    await mined(runtime, repo.id)
    before = await told(runtime, repo.id)
    source.commit({"shop/part3.py": "x = 1\n"})
    monkeypatch.setattr(crafts, "discover", deadly.discover)
    async with runtime.write() as tx:
        run, _ = await ingesting.start(tx, None, repo.id, RunTrigger.MANUAL)
    await ingest(runtime, Ingest(run.id))
    async with runtime.read() as reading:
        ended = await reading.get_one(IngestionRun, run.id)
    assert (ended.status, ended.error_code) == (RunStatus.FAILED, "WORK_CUT_SHORT")
    assert await told(runtime, repo.id) == before


async def test_bad_files_cost_themselves(runtime: Runtime, session: AsyncSession, source: Made) -> None:
    source.commit(
        {
            "bad/nested.py": "x = " + "(" * 10_000 + ")" * 10_000 + "\n",
            "bad/long.py": "x = '" + "a" * 300_000 + "'\n",
            "bad/large.py": "x = 1\n" * 100_000,
            "bad/latin.py": b"name = '\xe9'\n",
            "bad/nul.py": b"name = '\0'\n",
            "bad/broken.py": "def (:\n  class ]]\n" * 50,
            "bad/mixed.ts": "<?php echo 1; ?>\n",
        }
    )
    repo = await connected(session, source)
    run = await mined(runtime, repo.id)
    assert (await pattern_of(runtime, NAMED)).conforming == 15
    left_out = skipped(run)
    assert left_out["nested too deep"] == ["bad/nested.py"]
    assert left_out["a line is too long"] == ["bad/long.py"]
    assert left_out["larger than 500 kB"] == ["bad/large.py"]
