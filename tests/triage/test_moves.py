"""Moves: every status and every move, those of the table and all others."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.db.models import Pattern, Repo
from app.domain.errors import Forbidden, NotFound
from app.domain.pattern import MOVES, RECORDED_AS, Move, PatternStatus, move_to, way_of
from app.domain.viewer import Credential, CredentialKind, Permission, Role, Scope, Viewer
from app.reads.deciding import decided_by, permitted
from tests import factories as make
from tests.triage.desk import Desk, uuid_of

MUTATIONS = {
    "promotePattern": Move.PROMOTE,
    "rejectPattern": Move.REJECT,
    "deferPattern": Move.DEFER,
    "reopenPattern": Move.REOPEN,
    "demotePattern": Move.DEMOTE,
    "deprecatePattern": Move.DEPRECATE,
    "restorePattern": Move.RESTORE,
}
CASES = [(status.value, mutation) for status in PatternStatus for mutation in MUTATIONS]


@pytest.mark.parametrize(("status", "mutation"), CASES)
async def test_the_table_says_which_moves_there_are(status: str, mutation: str, desk: Desk) -> None:
    before, move = PatternStatus[status], MUTATIONS[mutation]
    pattern = await desk.pattern(before, version=7)
    reply = await desk.do(mutation, {"patternId": pattern})
    row, events = await desk.row(pattern), await desk.history(pattern)
    if (before, move) not in MOVES:
        assert reply.code == "INVALID_TRANSITION"
        assert reply.extensions["status"] == status
        assert (row.status, row.version, events) == (before, 7, [])
        return
    after = MOVES[before, move]
    told = reply.data[mutation]["pattern"]
    assert (told["status"], told["version"]) == (after.value, 8)
    assert told["statusChangedBy"] == {"login": desk.people["reviewer"].user.login}
    (event,) = events
    assert (event.kind, event.from_status, event.to_status) == (RECORDED_AS[move], before, after)
    assert (event.actor_id, event.sequence) == (desk.people["reviewer"].user.id, 1)
    assert row.status_changed_at == row.updated_at == row.touched_at == event.at
    assert await desk.audited() == [(mutation, pattern)]


def test_a_move_leads_to_one_status_wherever_it_begins() -> None:
    ways = {move: way_of(move) for move in Move}
    assert {(status, move): after for move, (begins, after) in ways.items() for status in begins} == MOVES


@pytest.mark.parametrize("scopes", [None, *(frozenset({scope}) for scope in Scope)])
@pytest.mark.parametrize("role", [None, *Role])
def test_a_statement_decides_where_a_look_would_let_it(role: Role | None, scopes: frozenset[Scope] | None) -> None:
    here, there = uuid4(), uuid4()
    pattern = Pattern(organization_id=here)
    for superadmin in (False, True):
        roles = {there: Role.VIEWER, **({} if role is None else {here: role})}
        viewer = Viewer(uuid4(), roles, Credential(CredentialKind.API_KEY), superadmin, scopes)
        seen = viewer.sees(here, Permission.READ_PATTERNS)
        try:
            permitted(viewer, pattern if seen else None)
        except (NotFound, Forbidden):
            assert decided_by(viewer) == []
        else:
            assert decided_by(viewer) == [here]


@pytest.mark.parametrize("status", list(PatternStatus))
@pytest.mark.parametrize("wanted", list(PatternStatus))
async def test_a_status_that_is_wanted_is_reached_by_the_one_move_that_leads_there(
    status: PatternStatus, wanted: PatternStatus, desk: Desk
) -> None:
    pattern = await desk.pattern(status)
    payload = await desk.done("triagePatterns", {"decisions": [{"patternId": pattern, "to": wanted.value}]})
    (result,) = payload["results"]
    after = MOVES.get((status, move_to(status, wanted)))
    assert after in (None, wanted)
    assert result["errorCode"] == (None if after else "INVALID_TRANSITION")
    assert result["pattern"]["status"] == (await desk.row(pattern)).status == (after or status)


async def test_whoever_promotes_validates_and_owns(desk: Desk) -> None:
    pattern = await desk.pattern()
    enforcement = {"prReview": False, "aiContext": True}
    told = await desk.done(
        "promotePattern",
        {
            "patternId": pattern,
            "severity": "ERROR",
            "rationale": "Because <b>readers</b> \u0007 look for it.",
            "description": "What it says.",
            "enforcement": enforcement,
            "provenance": [{"kind": "OTHER", "url": "https://github.com/octo/hello/pull/7"}],
        },
    )
    me = {"login": desk.people["reviewer"].user.login}
    assert told["owner"] == told["validatedBy"] == me
    assert (told["severity"], told["rationale"]) == ("ERROR", "Because <b>readers</b> \u0007 look for it.")
    assert (told["description"], told["enforcement"]) == ("What it says.", enforcement)
    (link,) = told["provenance"]
    assert (link["kind"], link["title"], link["addedBy"]) == ("PULL_REQUEST", "octo/hello#7", me)
    (event,) = await desk.history(pattern)
    assert event.message == "Because <b>readers</b> \u0007 look for it."


async def test_what_a_promotion_leaves_out_stays_and_null_clears_only_the_rationale(desk: Desk) -> None:
    first = await desk.pattern(rationale="Old words.", severity="INFO")
    told = await desk.done("promotePattern", {"patternId": first})
    assert (told["rationale"], told["severity"]) == ("Old words.", "INFO")
    assert (await desk.done("promotePattern", {"patternId": await desk.pattern()}))["severity"] == "WARNING"
    second = await desk.pattern(rationale="Old words.")
    assert (await desk.done("promotePattern", {"patternId": second, "rationale": None}))["rationale"] is None
    third = await desk.pattern()
    for field in ("severity", "description", "enforcement", "provenance"):
        reply = await desk.do("promotePattern", {"patternId": third, field: None})
        assert reply.extensions == {"code": "VALIDATION_ERROR", "fields": {field: "must not be null"}}
    assert (await desk.row(third)).version == 1


async def test_a_rejection_keeps_its_reason_until_it_is_reopened(desk: Desk) -> None:
    pattern = await desk.pattern()
    assert (await desk.done("rejectPattern", {"patternId": pattern, "reason": "No."}))["rejectionReason"] == "No."
    assert (await desk.done("reopenPattern", {"patternId": pattern}))["rejectionReason"] is None
    assert (await desk.done("rejectPattern", {"patternId": pattern, "reason": " \n"}))["rejectionReason"] is None
    messages = [event.message for event in await desk.history(pattern)]
    assert messages == ["No.", None, None]


async def test_deferring_counts(desk: Desk) -> None:
    pattern = await desk.pattern()
    counts = [(await desk.done("deferPattern", {"patternId": pattern}))["deferCount"] for _ in range(3)]
    assert counts == [1, 2, 3]
    told = await desk.done("reopenPattern", {"patternId": pattern})
    assert told["deferCount"] == 3
    assert told["deferredAt"] is not None


async def test_a_demoted_pattern_is_validated_by_nobody(desk: Desk) -> None:
    pattern = await desk.pattern()
    await desk.done("promotePattern", {"patternId": pattern})
    told = await desk.done("demotePattern", {"patternId": pattern, "reason": "Too early."}, who="admin")
    assert (told["validatedBy"], told["validatedAt"]) == (None, None)
    assert told["owner"] == {"login": desk.people["reviewer"].user.login}
    assert [event.message for event in await desk.history(pattern)] == [None, "Too early."]


async def test_a_retired_pattern_names_what_took_its_place_until_it_is_restored(desk: Desk) -> None:
    old, new = await desk.pattern(PatternStatus.AUTHORITATIVE), await desk.pattern(PatternStatus.AUTHORITATIVE)
    told = await desk.done("deprecatePattern", {"patternId": old, "supersededById": new, "reason": "Better."})
    assert told["supersededBy"] == {"id": new}
    assert (await desk.done("restorePattern", {"patternId": old}))["supersededBy"] is None


async def test_what_cannot_take_a_patterns_place_is_refused(desk: Desk) -> None:
    pattern = await desk.pattern(PatternStatus.AUTHORITATIVE)
    elsewhere = await make.pattern(desk.session, await make.repo(desk.session, desk.organization))
    cases: list[tuple[str, dict[str, Any]]] = [
        (pattern, {"code": "VALIDATION_ERROR", "fields": {"supersededById": "is the pattern itself"}}),
        (
            f"pat_{elsewhere.id.hex}",
            {"code": "VALIDATION_ERROR", "fields": {"supersededById": "is a pattern of another repository"}},
        ),
        (await desk.pattern(PatternStatus.REJECTED), {"code": "INVALID_TRANSITION", "status": "REJECTED"}),
        (await desk.pattern(PatternStatus.DEPRECATED), {"code": "INVALID_TRANSITION", "status": "DEPRECATED"}),
        (f"pat_{'0' * 32}", {"code": "NOT_FOUND"}),
    ]
    for successor, expected in cases:
        reply = await desk.do("deprecatePattern", {"patternId": pattern, "supersededById": successor})
        assert reply.extensions == expected
    assert (await desk.row(pattern)).status is PatternStatus.AUTHORITATIVE
    assert await desk.history(pattern) == []


async def test_a_decision_about_an_older_version_is_told_the_present_state(desk: Desk) -> None:
    pattern = await desk.pattern()
    await desk.done("rejectPattern", {"patternId": pattern, "expectedVersion": 1}, who="admin")
    for mutation in MUTATIONS:
        reply = await desk.do(mutation, {"patternId": pattern, "expectedVersion": 1})
        told = reply.extensions
        assert (told["code"], told["patternId"], told["version"], told["status"]) == (
            "CONFLICT",
            pattern,
            2,
            "REJECTED",
        )
        assert told["statusChangedBy"] == desk.people["admin"].id
        assert told["statusChangedAt"].endswith("Z")
    assert len(await desk.history(pattern)) == 1
    assert (await desk.done("reopenPattern", {"patternId": pattern, "expectedVersion": 2}))["version"] == 3


@pytest.mark.parametrize("version", [0, -1, 2, 2**31 - 1])
async def test_a_version_that_never_was_is_as_stale_as_an_old_one(version: int, desk: Desk) -> None:
    pattern = await desk.pattern()
    reply = await desk.do("promotePattern", {"patternId": pattern, "expectedVersion": version})
    assert reply.code == "CONFLICT"


@pytest.mark.parametrize("mutation", ["promotePattern", "rejectPattern", "demotePattern", "deprecatePattern"])
async def test_a_reason_or_rationale_that_is_too_long_names_its_field(mutation: str, desk: Desk) -> None:
    field, most = ("rationale", 1000) if mutation == "promotePattern" else ("reason", 500)
    status = next(status for status, move in MOVES if move is MUTATIONS[mutation])
    pattern = await desk.pattern(status)
    # Characters are counted, not bytes.
    reply = await desk.do(mutation, {"patternId": pattern, field: "\N{GRINNING FACE}" * (most + 1)})
    assert reply.extensions == {
        "code": "VALIDATION_ERROR",
        "fields": {field: f"has more than {most} characters"},
    }
    assert (await desk.done(mutation, {"patternId": pattern, field: "\N{GRINNING FACE}" * most}))["version"] == 2
    assert [event.message for event in await desk.history(pattern)] == ["\N{GRINNING FACE}" * most]


async def test_a_structure_of_files_is_never_enforced_on_pull_requests(desk: Desk) -> None:
    pattern = await desk.pattern(category="FILE_STRUCTURE", type="FILESYSTEM")
    told = await desk.done(
        "promotePattern", {"patternId": pattern, "enforcement": {"prReview": True, "aiContext": True}}
    )
    assert told["enforcement"] == {"prReview": False, "aiContext": True}


@pytest.mark.parametrize(
    ("who", "code"), [("viewer", "FORBIDDEN"), ("stranger", "NOT_FOUND"), ("admin", None), ("owner", None)]
)
async def test_only_who_may_triage_decides(who: str, code: str | None, desk: Desk) -> None:
    pattern = await desk.pattern()
    reply = await desk.do("promotePattern", {"patternId": pattern}, who)
    assert reply.codes == ([code] if code else [])
    assert (await desk.row(pattern)).status is (PatternStatus.CANDIDATE if code else PatternStatus.AUTHORITATIVE)


async def test_a_superadmin_sees_all_and_decides_where_they_have_a_role(desk: Desk) -> None:
    pattern = await desk.pattern()
    desk.people["boss"] = await desk.home.person(desk.session, await make.user(desk.session, is_superadmin=True))
    assert (await desk.do("promotePattern", {"patternId": pattern}, "boss")).code == "FORBIDDEN"
    await make.member(desk.session, desk.organization, desk.people["boss"].user, role=Role.REVIEWER)
    desk.home.engine.callers.forget()
    assert (await desk.do("promotePattern", {"patternId": pattern}, "boss")).codes == []


async def test_numbers_of_changes_count_by_repository(desk: Desk) -> None:
    other = await make.repo(desk.session, desk.organization)
    mine = [await desk.pattern() for _ in range(3)]
    theirs = await make.pattern(desk.session, other)
    for pattern in (*mine, f"pat_{theirs.id.hex}"):
        await desk.done("deferPattern", {"patternId": pattern})
    sequences = [event.sequence for pattern in mine for event in await desk.history(pattern)]
    assert sequences == [1, 2, 3]
    assert [event.sequence for event in await desk.history(f"pat_{theirs.id.hex}")] == [1]
    assert await desk.session.scalar(select(Repo.change_sequence).where(Repo.id == desk.repo.id)) == 3
    assert uuid_of(mine[0]) != theirs.id
