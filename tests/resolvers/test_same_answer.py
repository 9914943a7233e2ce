"""The compiled plans and the ordinary resolvers give the same answer to whatever anybody asks."""

import asyncio
import json
import os
import re
from collections import Counter
from random import randrange
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from resolvers.schema import schema
from tests.resolvers.conftest import House
from tests.resolvers.documents import Asked, documents

# As many as a run of the suite has patience for; a night's run takes 20,000 and more.
DOCUMENTS = int(os.environ.get("SAME_ANSWER_DOCUMENTS", "220"))
# Told, then with the names of rows, once more to see that these stay, and from memory.
OFTEN = 4
IN_CI = "CI" in os.environ


async def test_both_executors_give_the_same_answer(house: House) -> None:
    tally: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    chosen = chosen_seed()

    @seed(chosen)
    @settings(
        max_examples=DOCUMENTS,
        database=None,
        deadline=None,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents(schema.core, house.world))
    def same(asked: Asked) -> None:
        asyncio.run_coroutine_threadsafe(compare(house, asked, tally), loop).result()

    try:
        await asyncio.to_thread(same)
    except BaseException as failure:
        failure.add_note(f"Again: SAME_ANSWER_SEED={chosen} SAME_ANSWER_DOCUMENTS={DOCUMENTS}")
        raise
    assert tally["without an error"] >= 0.5 * tally["answers"], tally
    assert tally["planned without an error"] >= 0.8 * tally["without an error"], tally


def chosen_seed() -> int:
    """Choose which documents are written."""
    return int(os.environ.get("SAME_ANSWER_SEED") or (0 if IN_CI else randrange(1 << 32)))


async def compare(house: House, asked: Asked, tally: Counter[str]) -> None:
    """Ask both executors everything, and expect one answer; the plans often enough to remember it."""
    for variables in asked.rounds:
        for name in asked.viewers:
            viewer = house.world.viewers[name]
            request = {"operation_name": asked.operation_name, "variables": variables}
            ordinary = comparable(await house.reference.ask(viewer, asked.query, **request))
            for time in range(OFTEN):
                told = comparable(await house.plans.ask(viewer, asked.query, **request))
                assert told == ordinary, f"as {name} with {json.dumps(variables)}, asked {time} times before"
                if not house.plans.planned:
                    break
            assert '"code": "INTERNAL_ERROR"' not in told, told
            told_of = set(re.findall(r"[a-z]{3,4}_[0-9a-f]{32}", told))
            assert not told_of & house.world.hidden(viewer), f"as {name} with {json.dumps(variables)}"
            tally["answers"] += 1
            if '"errors":' not in told:
                tally["without an error"] += 1
                tally["planned without an error"] += house.plans.planned
    tally["documents"] += 1


def comparable(body: bytes) -> str:
    """Spell an answer so that only what a client could notice makes a difference: the order of keys does."""
    answer: dict[str, Any] = json.loads(body, parse_int=_number, parse_float=_number)
    for error in answer.get("errors", ()):
        if "path" in error:
            error["path"] = settled(error["path"], answer.get("data"))
    if "errors" in answer:
        answer["errors"].sort(key=json.dumps)
    return json.dumps(answer)


def settled(path: list[Any], data: Any) -> list[Any]:
    """Leave open which row of a list an error is of, where its null took the whole list: whichever was done first."""
    for depth, step in enumerate(path):
        if data is None:
            return [*path[:depth], *("any" if isinstance(rest, float) else rest for rest in path[depth:])]
        data = data[int(step) if isinstance(step, float) else step]
    return path


def test_only_rows_that_are_gone_are_left_open() -> None:
    path = ["repos", "edges", 1.0, "node"]
    assert settled(path, {"repos": None}) == settled(path, None) == ["repos", "edges", "any", "node"]
    assert settled(path, {"repos": {"edges": [{"node": 1}, None]}}) == path


def _number(text: str) -> float:
    return float(text)
