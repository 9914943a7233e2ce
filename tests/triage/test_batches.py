"""Many decisions at once: each stands alone, in its place."""

from typing import Any

import pytest

from app.domain.pattern import PatternStatus
from tests import factories as make
from tests.triage.desk import Desk


async def decided(desk: Desk, *decisions: dict[str, Any], who: str = "reviewer") -> list[tuple[str | None, str | None]]:
    """Send decisions, and give for each its error and the status that it left."""
    payload = await desk.done("triagePatterns", {"decisions": list(decisions)}, who)
    assert [result["patternId"] for result in payload["results"]] == [said["patternId"] for said in decisions]
    return [(result["errorCode"], result["pattern"] and result["pattern"]["status"]) for result in payload["results"]]


async def test_each_decision_stands_alone_and_in_its_place(desk: Desk) -> None:
    foreign = await make.pattern(desk.session)
    first, second, third = [await desk.pattern() for _ in range(3)]
    told = await decided(
        desk,
        {"patternId": first, "to": "AUTHORITATIVE", "severity": "ERROR", "rationale": "Agreed."},
        {"patternId": "nonsense", "to": "REJECTED"},
        {"patternId": f"pat_{foreign.id.hex}", "to": "REJECTED"},
        {"patternId": second, "to": "REJECTED", "reason": "x" * 501},
        {"patternId": second, "to": "REJECTED", "expectedVersion": 9},
        {"patternId": second, "to": "REJECTED", "reason": "No."},
        {"patternId": third, "to": "DEPRECATED"},
        {"patternId": desk.people["owner"].id, "to": "DEFERRED"},
        {"patternId": third, "to": "REJECTED", "severity": "INFO"},
        {"patternId": third, "to": "AUTHORITATIVE", "severity": None},
        {"patternId": third, "to": "DEFERRED", "severity": None, "rationale": None, "reason": None},
    )
    assert told == [
        (None, "AUTHORITATIVE"),
        ("VALIDATION_ERROR", None),
        ("NOT_FOUND", None),
        ("VALIDATION_ERROR", None),
        ("CONFLICT", "REJECTED"),
        (None, "REJECTED"),
        ("INVALID_TRANSITION", "DEFERRED"),
        ("VALIDATION_ERROR", None),
        ("VALIDATION_ERROR", "DEFERRED"),
        ("VALIDATION_ERROR", None),
        (None, "DEFERRED"),
    ]
    row = await desk.row(first)
    assert (row.severity.value, row.rationale, row.validated_by_id) == (
        "ERROR",
        "Agreed.",
        desk.people["reviewer"].user.id,
    )
    sequences = [event.sequence for pattern in (first, second, third) for event in await desk.history(pattern)]
    assert sequences == [1, 2, 3]
    assert await desk.audited() == [("triagePatterns", pattern) for pattern in (first, second, third)]


async def test_the_same_pattern_twice_is_decided_twice_in_order(desk: Desk) -> None:
    pattern = await desk.pattern()
    told = await decided(
        desk,
        {"patternId": pattern, "to": "REJECTED"},
        {"patternId": pattern, "to": "REJECTED"},
        {"patternId": pattern, "to": "CANDIDATE", "expectedVersion": 2},
        {"patternId": pattern, "to": "AUTHORITATIVE", "expectedVersion": 2},
        {"patternId": pattern, "to": "AUTHORITATIVE", "expectedVersion": 3},
    )
    assert [code for code, _ in told] == [None, "INVALID_TRANSITION", None, "CONFLICT", None]
    assert {status for _, status in told} == {"AUTHORITATIVE"}
    row, events = await desk.row(pattern), await desk.history(pattern)
    assert (row.status, row.version) == (PatternStatus.AUTHORITATIVE, 4)
    assert [event.kind.value for event in events] == ["REJECTED", "REOPENED", "PROMOTED"]


async def test_a_batch_reaches_over_repositories(desk: Desk) -> None:
    others = [await make.pattern(desk.session, await make.repo(desk.session, desk.organization)) for _ in range(3)]
    ids = [await desk.pattern(), *(f"pat_{row.id.hex}" for row in others)]
    assert await decided(desk, *({"patternId": id_, "to": "REJECTED"} for id_ in ids)) == [(None, "REJECTED")] * 4
    assert [event.sequence for id_ in ids for event in await desk.history(id_)] == [1] * 4


async def test_who_may_not_triage_is_refused_each_time(desk: Desk) -> None:
    pattern = await desk.pattern()
    said = {"patternId": pattern, "to": "REJECTED"}
    assert await decided(desk, said, who="viewer") == [("FORBIDDEN", "CANDIDATE")]
    assert await decided(desk, said, who="stranger") == [("NOT_FOUND", None)]


@pytest.mark.parametrize("number", [0, 101, 1000])
async def test_a_batch_has_from_1_to_100_decisions(number: int, desk: Desk) -> None:
    decisions = [{"patternId": await desk.pattern(), "to": "REJECTED"}] * number
    reply = await desk.do("triagePatterns", {"decisions": decisions})
    assert reply.extensions == {"code": "VALIDATION_ERROR", "fields": {"decisions": "needs from 1 to 100"}}


async def test_a_hundred_decisions_are_taken_at_once(desk: Desk) -> None:
    ids = [await desk.pattern() for _ in range(100)]
    moves = ("AUTHORITATIVE", "REJECTED", "DEFERRED")
    said = [{"patternId": id_, "to": moves[place % 3]} for place, id_ in enumerate(ids)]
    assert await decided(desk, *said) == [(None, moves[place % 3]) for place in range(100)]
    sequences = sorted([event.sequence for id_ in ids for event in await desk.history(id_)])
    assert sequences == list(range(1, 101))
    counts = await desk.home.ask(
        "query($id:ID!){repo(id:$id){patternCounts{candidate authoritative rejected deferred deprecated}}}",
        {"id": f"repo_{desk.repo.id.hex}"},
        token=desk.people["viewer"].token,
    )
    assert counts.data["repo"]["patternCounts"] == {
        "candidate": 0,
        "authoritative": 34,
        "rejected": 33,
        "deferred": 33,
        "deprecated": 0,
    }
