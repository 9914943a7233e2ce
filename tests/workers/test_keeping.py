"""Keeping facts: what is wanted is there after each run, from few segments, and nothing else is left behind."""

import random
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from app.domain.repo import Owner
from app.gateways.storage import Storage
from workers.mining.keeping import Kept, read

OWNER = Owner(UUID(int=1), UUID(int=2))
UNREADABLE, DEADLY = "is no text", "took too long"


def names(storage: Storage) -> set[str]:
    """Name the objects that are stored."""
    return {path.name for path in Path(storage.root, OWNER.organization_id.hex, OWNER.repo_id.hex, "facts").iterdir()}


async def run(storage: Storage, wanted: dict[str, int], *, again: bool = False, version: str = "1") -> set[str]:
    """Take the facts that are not kept, as a run does, and give the keys of those."""
    kept = await Kept.open(storage, OWNER, version, set(wanted), again=again)
    taken = set(wanted) - kept.keys
    for key in sorted(taken):
        number = wanted[key]
        if number % 10 == 0:
            kept.lose(key, DEADLY)
        elif number % 10 == 1:
            await kept.add(key, b"{}", UNREADABLE)
        else:
            await kept.add(key, f'{{"number":{number}}}'.encode())
    await kept.close()
    found = dict(read(storage, kept.places, kept.keys))
    for key, number in wanted.items():
        assert orjson.loads(found.get(key, b"{}")) == ({"number": number} if number % 10 > 1 else {})
    expected = {key: DEADLY if number % 10 == 0 else UNREADABLE for key, number in wanted.items() if number % 10 < 2}
    assert kept.skipped == expected
    stored = names(storage)
    assert stored == {"index", *kept.segments}
    return taken


@pytest.mark.parametrize("seed", range(3))
async def test_every_run_has_the_facts_that_it_wants(tmp_path: Path, seed: int) -> None:
    dice, storage = random.Random(seed), Storage(tmp_path)
    wanted = {f"k{number:028x}": number for number in range(200)}
    assert await run(storage, wanted) == set(wanted)
    fresh = 200
    taken_again = 0
    for _ in range(60):
        for key in dice.sample(sorted(wanted), 5):
            del wanted[key]
        new = {f"k{number:028x}": number for number in range(fresh, fresh + 5)}
        fresh += 5
        wanted |= new
        taken = await run(storage, wanted)
        assert new.keys() <= taken
        taken_again += len(taken - new.keys())
    assert taken_again < 1_500, "most of what is kept is not taken again"
    assert await run(storage, wanted) == set()
    deadly = {key for key, number in wanted.items() if number % 10 == 0}
    assert await run(storage, wanted, again=True) == deadly
    assert await run(storage, wanted, version="2") == set(wanted)
