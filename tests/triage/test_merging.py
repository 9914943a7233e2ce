"""Merging: one pattern takes another's place, with everything that speaks for it, once."""

from typing import Any

import pytest
from sqlalchemy import select

from app.db.models import Evidence, Fingerprint
from app.domain.pattern import PatternStatus
from tests import factories as make
from tests.triage.desk import Desk, uuid_of


async def two(desk: Desk, status: PatternStatus = PatternStatus.AUTHORITATIVE) -> tuple[str, str]:
    target = await desk.pattern(status, name="The one")
    return await desk.pattern(name="The other", similar_to_id=uuid_of(target)), target


async def merged(desk: Desk, candidate: str, target: str) -> Any:
    return await desk.done("mergePattern", {"candidateId": candidate, "intoId": target})


async def test_evidence_moves_without_duplicates(desk: Desk) -> None:
    candidate, target = await two(desk)
    mine, theirs = await desk.row(target), await desk.row(candidate)
    there = {"path": "src/a.py", "start_line": 1, "end_line": 2}
    whole = {"path": "src/b.py", "start_line": None, "end_line": None, "snippet": None}
    await make.evidence(desk.session, mine, rank=3, is_canonical=True, **there)
    await make.evidence(desk.session, mine, rank=4, **whole)
    for over in (there, whole, {**there, "end_line": 3}, {**whole, "path": "src/c.py", "rank": 1}):
        await make.evidence(desk.session, theirs, **over)
    await make.evidence(desk.session, theirs, is_canonical=True, path="src/d.py", rank=9)
    await make.evidence(desk.session, theirs, is_counterexample=True, path="src/e.py")
    payload = await merged(desk, candidate, target)
    assert payload["evidenceAdded"] == 3
    told = payload["pattern"]["evidence"]["nodes"]
    assert [node["path"] for node in told] == ["src/a.py", "src/b.py", "src/a.py", "src/c.py", "src/d.py"]
    # The example to show stays what it was.
    assert [node["isCanonical"] for node in told] == [True, False, False, False, False]
    left = await desk.session.scalars(select(Evidence.path).where(Evidence.pattern_id == theirs.id))
    assert sorted(left) == ["src/a.py", "src/b.py", "src/e.py"]


async def test_an_example_comes_along_where_there_was_none(desk: Desk) -> None:
    candidate, target = await two(desk)
    evidence = await make.evidence(desk.session, await desk.row(candidate), is_canonical=True)
    told = (await merged(desk, candidate, target))["pattern"]
    assert told["canonicalEvidence"] == {"id": f"evi_{evidence.id.hex}"}


async def test_what_runs_recognize_it_by_belongs_to_the_target_then(desk: Desk) -> None:
    candidate, target = await two(desk)
    for pattern in (candidate, target):
        await make.fingerprint(desk.session, await desk.row(pattern))
    await merged(desk, candidate, target)
    assert set(await desk.session.scalars(select(Fingerprint.pattern_id))) == {uuid_of(target)}


async def test_links_move_without_duplicates(desk: Desk) -> None:
    candidate, target = await two(desk)
    for pattern, url in ((candidate, "a"), (candidate, "b"), (target, "a")):
        await make.provenance(desk.session, await desk.row(pattern), url=f"https://example.com/{url}")
    told = (await merged(desk, candidate, target))["pattern"]
    assert sorted(link["url"] for link in told["provenance"]) == ["https://example.com/a", "https://example.com/b"]


async def test_the_candidate_is_rejected_and_says_what_took_its_place(desk: Desk) -> None:
    candidate, target = await two(desk)
    await make.evidence(desk.session, await desk.row(candidate))
    payload = await merged(desk, candidate, target)
    assert (payload["pattern"]["id"], payload["pattern"]["version"]) == (target, 2)
    told = await desk.look(candidate)
    assert (told["status"], told["version"]) == ("REJECTED", 2)
    assert (told["supersededBy"], told["rejectionReason"]) == ({"id": target}, "Merged into: The one")
    (lost,), (won,) = await desk.history(candidate), await desk.history(target)
    assert (lost.kind, lost.from_status, lost.to_status) == ("MERGED", "CANDIDATE", "REJECTED")
    assert (won.kind, won.from_status, won.to_status) == ("MERGED", None, None)
    assert (lost.sequence, won.sequence) == (1, 2)
    assert won.message == "Took the place of: The other. Evidence added: 1."
    assert await desk.audited() == [("mergePattern", target)]
    # Whoever thinks better of it takes a second look, with nothing in the candidate's place.
    assert (await desk.done("reopenPattern", {"patternId": candidate}))["supersededBy"] is None


@pytest.mark.parametrize("status", [PatternStatus.AUTHORITATIVE, PatternStatus.REJECTED, PatternStatus.DEPRECATED])
async def test_what_was_decided_is_not_merged_away(status: PatternStatus, desk: Desk) -> None:
    decided, target = await desk.pattern(status), await desk.pattern()
    reply = await desk.do("mergePattern", {"candidateId": decided, "intoId": target})
    assert (reply.code, reply.extensions["status"]) == ("INVALID_TRANSITION", status.value)


@pytest.mark.parametrize("status", list(PatternStatus))
async def test_a_pattern_of_any_status_takes_in_another(status: PatternStatus, desk: Desk) -> None:
    candidate, target = await two(desk, status)
    assert (await merged(desk, candidate, target))["pattern"]["status"] == status.value


async def test_a_merge_into_nothing_sensible_is_refused(desk: Desk) -> None:
    candidate, target = await two(desk)
    elsewhere = await make.pattern(desk.session, await make.repo(desk.session, desk.organization))
    third = await desk.pattern()
    await merged(desk, third, target)
    cases: list[tuple[str, dict[str, Any]]] = [
        (candidate, {"code": "VALIDATION_ERROR", "fields": {"intoId": "is the candidate itself"}}),
        (
            f"pat_{elsewhere.id.hex}",
            {"code": "VALIDATION_ERROR", "fields": {"intoId": "is a pattern of another repository"}},
        ),
        (f"pat_{'0' * 32}", {"code": "NOT_FOUND"}),
    ]
    for into, expected in cases:
        reply = await desk.do("mergePattern", {"candidateId": candidate, "intoId": into})
        assert reply.extensions == expected
    assert (await desk.do("mergePattern", {"candidateId": candidate, "intoId": third})).code == "INVALID_TRANSITION"
    assert (await desk.row(candidate)).status is PatternStatus.CANDIDATE
