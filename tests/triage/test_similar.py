"""Similar patterns: whatever is decided says something about all that waits, and is soon told there."""

import asyncio
from typing import Any

from app.db.models import Repo
from app.domain.jobs import Compare
from app.reads import deciding
from tests.triage.desk import Desk
from workers.compare import compare
from workers.registry import WORKS

OTHER = {"applicable": {"kind": "if_statement"}}


async def twins(desk: Desk) -> tuple[str, str, str]:
    """Make two candidates of one rule, and one of another."""
    apart: dict[str, Any] = {"name": "Something else", "description": "No condition is odd.", "rule_definition": OTHER}
    return await desk.pattern(), await desk.pattern(), await desk.pattern(**apart)


async def similar_to(desk: Desk, *patterns: str) -> list[str | None]:
    """Let a worker look, and tell what patterns are flagged with then."""
    await compare(desk.home.runtime, Compare())
    told = [(await desk.look(pattern))["similarTo"] for pattern in patterns]
    return [each and each["id"] for each in told]


async def test_what_was_decided_flags_what_waits_until_it_is_taken_back(desk: Desk) -> None:
    first, second, other = await twins(desk)
    assert await similar_to(desk, first, second, other) == [None, None, None]
    for there, back in (("promotePattern", "demotePattern"), ("rejectPattern", "reopenPattern")):
        await desk.done(there, {"patternId": first})
        assert await similar_to(desk, first, second, other) == [None, first, None]
        await desk.done(back, {"patternId": first})
        assert await similar_to(desk, first, second, other) == [None, None, None]
    # No person changed anything of it.
    assert (await desk.look(second))["version"] == 1
    assert await desk.history(second) == []


async def test_what_is_reopened_is_flagged_as_well(desk: Desk) -> None:
    first, second, _ = await twins(desk)
    await desk.done("promotePattern", {"patternId": first})
    merged = await desk.done("mergePattern", {"candidateId": second, "intoId": first})
    assert merged["pattern"]["id"] == first
    await desk.done("reopenPattern", {"patternId": second})
    assert await similar_to(desk, second) == [first]


async def test_only_what_was_changed_is_compared_and_many_looks_at_once_agree(desk: Desk) -> None:
    first, second, other = await twins(desk)
    await desk.done("promotePattern", {"patternId": first})
    looks = (compare(desk.home.runtime, Compare()) for _ in range(4))
    deciding_meanwhile = (desk.done("deferPattern", {"patternId": each}) for each in (second, other))
    await asyncio.gather(*looks, *deciding_meanwhile)
    assert await similar_to(desk, second, other) == [first, None]
    assert await deciding.uncompared(desk.session, 10) == {}
    repo = await desk.session.get_one(Repo, desk.repo.id, populate_existing=True)
    assert repo.compared_sequence == repo.change_sequence == 3


def test_the_clock_asks_every_few_seconds() -> None:
    (work,) = (work for work in WORKS if work.job is Compare)
    assert work.every_seconds == 5
