"""A further run reads only what changed, and finds what a run that reads everything finds; bad files cost a line."""

import random
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Evidence, Pattern
from app.domain.pattern import PatternStatus
from app.runtime import Runtime
from tests.bench.mining.synthetic import made
from tests.gateways.making import Made
from tests.workers.test_mining import NAMED, connected, mined, pattern_of
from tests.workers.test_mining import runtime as runtime
from tests.workers.test_mining import source as source

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


async def test_a_further_run_finds_what_a_first_one_would(
    runtime: Runtime, session: AsyncSession, source: Made
) -> None:
    dice = random.Random(7)
    files = made(0.05).files
    paths = sorted(files)
    for number in range(3):
        source.commit({path: files[path] for path in paths[number::3]}, author=PEOPLE[number])
    followed = await connected(session, source)
    await mined(runtime, followed.id)
    assert len(await told(runtime, followed.id)) >= 4
    for step in range(2):
        chosen = dice.sample(paths, 12)
        source.commit({path: None for path in chosen[:4] if path in files}, author=PEOPLE[step])
        changed = {path: f"{files[path]}\n# more\n" for path in chosen[4:8]}
        moved = {f"moved/{path}": files[path] for path in chosen[8:]}
        paths = [path for path in paths if path not in chosen[:4]]
        source.commit({**changed, **moved}, author=PEOPLE[2 - step])
        await mined(runtime, followed.id)
        fresh = await connected(session, source)
        await mined(runtime, fresh.id)
        assert await told(runtime, followed.id) == await told(runtime, fresh.id)


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
    assert run.report is not None
    skipped = {row["reason"]: row["examples"] for row in run.report["skipped_files"]}
    assert skipped["nested too deep"] == ["bad/nested.py"]
    assert skipped["a line is too long"] == ["bad/long.py"]
    assert skipped["larger than 500 kB"] == ["bad/large.py"]
