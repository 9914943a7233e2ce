"""Hands: every item has its answer or the reason why not, nobody waits for the dead, and nothing is left behind."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from app.hands.pool import Fate, HandFailed, Hands, Lost
from tests.hands import crafts
from tests.installed import PATIENCE, eventually
from tests.test_children import lives


@pytest.fixture
async def hands() -> AsyncIterator[Hands]:
    hands = Hands(2, 512, patience=0)
    yield hands
    await hands.close()
    assert not hands.pids


async def obeyed(hands: Hands, *words: str, batch: int = 50, seconds: float = 0.3) -> dict[str, str | Fate]:
    found: dict[str, str | Fate] = {}
    async for word, answer in hands.each(crafts.obeying, None, words, seconds=seconds, batch=batch):
        found[word] = answer.fate if isinstance(answer, Lost) else answer
    return found


def named(folder: Path, what: str) -> set[str]:
    return {path.name.removeprefix(f"{what}-") for path in folder.glob(f"{what}-*")}


async def gone(*pids: int) -> None:
    async def look() -> bool:
        return not any(map(lives, pids))

    await eventually(look)


async def test_items_come_back_with_their_answers_in_order(hands: Hands) -> None:
    pairs = [pair async for pair in hands.each(crafts.doubling, 3, range(1000), seconds=5, batch=7)]
    assert pairs == [(number, 3 * number) for number in range(1000)]
    assert len(hands.pids) == 2


async def test_a_further_process_comes_only_when_work_keeps_waiting() -> None:
    patient = Hands(2, 512, patience=3600)
    try:
        pairs = [pair async for pair in patient.each(crafts.doubling, 3, range(100), seconds=5, batch=7)]
        assert pairs == [(number, 3 * number) for number in range(100)]
        assert len(patient.pids) == 1
    finally:
        await patient.close()


async def test_work_that_was_announced_waits_for_no_process() -> None:
    patient = Hands(2, 512, patience=3600)
    patient.expect(9)
    try:
        async for _ in patient.each(crafts.doubling, 3, range(100), seconds=5, batch=7):
            pass
        assert len(patient.pids) == 2
    finally:
        await patient.close()


async def test_items_are_taken_only_as_they_are_needed(hands: Hands) -> None:
    taken = count()

    def endless() -> Iterator[int]:
        while True:
            yield next(taken)

    answers = hands.each(crafts.doubling, 2, endless(), seconds=5, batch=10)
    for number in range(25):
        assert await anext(answers) == (number, 2 * number)
    await answers.aclose()
    assert next(taken) <= 25 + 10 * 2 * 3


async def test_what_gives_the_items_is_closed_when_the_work_ends(hands: Hands) -> None:
    closed = []

    async def endless() -> AsyncIterator[int]:
        try:
            for number in count():
                yield number
        finally:
            closed.append(True)

    items = endless()
    answers = hands.each(crafts.doubling, 2, items, seconds=5, batch=10)
    await anext(answers)
    await answers.aclose()
    assert closed, "although somebody still holds the generator"


@pytest.mark.parametrize(
    ("word", "fate"),
    [
        ("segfault", Fate.DIED),
        ("exit", Fate.DIED),
        ("spin", Fate.TOO_LONG),
        ("wait", Fate.TOO_LONG),
        ("swell", Fate.TOO_MUCH_MEMORY),
        ("raise", Fate.RAISED),
        ("panic", Fate.RAISED),
        ("print", "PRINT"),
    ],
)
@pytest.mark.parametrize("batch", [1, 50])
async def test_an_item_costs_itself_and_no_other(hands: Hands, word: str, fate: Fate | str, batch: int) -> None:
    others = [f"word {number}" for number in range(20)]
    found = await obeyed(hands, *others[:9], word, *others[9:], batch=batch, seconds=0.05)
    assert found == {**{other: other.upper() for other in others}, word: fate}
    assert await obeyed(hands, "afterwards") == {"afterwards": "AFTERWARDS"}


async def test_several_poisons_in_one_batch_are_told_apart(hands: Hands) -> None:
    found = await obeyed(hands, "segfault", "a", "raise", "exit", "b", "swell")
    fates = (Fate.DIED, "A", Fate.RAISED, Fate.DIED, "B", Fate.TOO_MUCH_MEMORY)
    assert tuple(found.values()) == fates


async def test_a_hand_that_somebody_kills_is_replaced_and_its_items_are_done_again(hands: Hands) -> None:
    answers = hands.each(crafts.doubling, 2, range(5000), seconds=5, batch=50)
    found = [await anext(answers)]
    for pid in hands.pids:
        os.kill(pid, signal.SIGKILL)
    found += [pair async for pair in answers]
    assert found == [(number, 2 * number) for number in range(5000)]


async def test_one_call_gives_its_answer_or_says_why_there_is_none(hands: Hands) -> None:
    assert await hands.do(crafts.obey, "hello", seconds=5) == "HELLO"
    with pytest.raises(HandFailed, match="no way"):
        await hands.do(crafts.obey, "raise", seconds=5)
    with pytest.raises(HandFailed, match="no plain data"):
        await hands.do(crafts.a_function, seconds=5)


@pytest.mark.parametrize(("craft", "words"), [(crafts.unready, "exit status 1"), (crafts.refusing, "nothing to work")])
async def test_a_craft_that_cannot_begin_is_not_the_fault_of_its_items(hands: Hands, craft: object, words: str) -> None:
    with pytest.raises(HandFailed, match=words):
        async for _ in hands.each(craft, None, range(10), seconds=5):  # type: ignore[arg-type]
            pass
    assert await hands.do(crafts.obey, "hello", seconds=5) == "HELLO"


async def test_what_a_craft_prepared_is_put_away_when_its_items_are_done(hands: Hands, tmp_path: Path) -> None:
    async for _ in hands.each(crafts.leaving_traces, str(tmp_path), range(100), seconds=5, batch=1):
        pass
    assert named(tmp_path, "opened") == {str(pid) for pid in hands.pids}

    async def all_closed() -> bool:
        return named(tmp_path, "closed") == named(tmp_path, "opened")

    await eventually(all_closed)


async def test_whoever_is_cancelled_leaves_no_child_at_work(hands: Hands, tmp_path: Path) -> None:
    place = tmp_path / "numbers"
    working = asyncio.create_task(hands.do(crafts.stay, str(place), seconds=600))

    async def begun() -> bool:
        return place.exists()

    await eventually(begun)
    pids = list(map(int, place.read_text().split()))
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    await gone(*pids)
    assert await hands.do(crafts.obey, "hello", seconds=5) == "HELLO"


async def test_hands_die_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    place = tmp_path / "numbers"
    worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.hands.holder", str(place))

    async def begun() -> bool:
        return place.exists()

    await eventually(begun)
    hand, _ = map(int, place.read_text().split())
    worker.kill()
    await worker.wait()
    await gone(hand)


async def test_a_hand_has_nothing_of_ours(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENET_SECRET", "a secret")
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    names, descriptors, parent = await hands.do(crafts.surroundings, seconds=5)
    os.close(reading)
    os.close(writing)
    assert not {name for name in names if name.startswith("TENET") or "URL" in name}
    # Standard ones, one to hear, one to answer, and the one it looked with.
    assert len(descriptors) <= 6
    assert parent == os.getpid()


async def test_parties_have_turns(hands: Hands) -> None:
    done = dict.fromkeys(("many", "few"), 0)
    begun = asyncio.Event()

    async def work(party: str, batches: int) -> None:
        async for _ in hands.each(crafts.obeying, None, [party] * batches, seconds=5, batch=1, party=party):
            done[party] += 1
            begun.set()

    async with asyncio.timeout(PATIENCE):
        many = asyncio.create_task(work("many", 400))
        await begun.wait()
        await work("few", 10)
        assert done["many"] < 100
        await many
