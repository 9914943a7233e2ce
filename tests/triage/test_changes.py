"""Changes: whoever follows a repository hears of every decision once, in commit order, wherever it was taken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from app.domain.confidence import ConfidenceTier
from app.domain.ids import Kind, public
from app.domain.jobs import Nightly
from app.domain.pattern import PatternStatus
from tests import factories as make
from tests.identity.installation import Installation, installed
from tests.installed import runtime_for
from tests.triage.desk import Desk
from tests.wire.service import Talk
from workers.nightly import nightly

CHANGES = """subscription($repo:ID!,$after:Int){patternChanges(repoId:$repo,after:$after){
    sequence pattern{id status version} event{sequence kind from to message actor{login} pattern{id}}}}"""


class Ear:
    """Somebody who follows a repository."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk

    async def next(self) -> Any:
        """Hear the next change."""
        async with asyncio.timeout(10):
            return (await self.talk.result("1"))["patternChanges"]

    async def heard(self, count: int) -> list[Any]:
        """Hear so many changes."""
        return [await self.next() for _ in range(count)]

    async def refused(self) -> Any:
        """Hear why there is nothing to follow."""
        async with asyncio.timeout(10):
            (error,) = (await self.talk.hear())["payload"]["errors"]
        return error["extensions"]


@asynccontextmanager
async def following(desk: Desk, home: Installation | None = None, after: int | None = 0) -> AsyncIterator[Ear]:
    """Follow the desk's repository as somebody who only reads."""
    home = home or desk.home
    talk = await home.service.connect()
    await talk.say(type="connection_init", payload={"authorization": f"Bearer {desk.people['viewer'].token}"})
    assert await talk.hear() == {"type": "connection_ack"}
    await talk.subscribe("1", CHANGES, variables={"repo": public(Kind.REPO, desk.repo.id), "after": after})
    yield Ear(talk)
    await talk.socket.close()


async def test_every_decision_is_heard_once_with_its_words(desk: Desk) -> None:
    first, second = await desk.pattern(), await desk.pattern()
    row = await desk.row(first)
    evidence = public(Kind.EVIDENCE, (await make.evidence(desk.session, row)).id)
    link = {"kind": "ADR", "url": "https://example.com/why", "title": "Why"}
    decisions: list[tuple[str, dict[str, Any]]] = [
        ("deferPattern", {"patternId": first}),
        ("reopenPattern", {"patternId": first}),
        ("rejectPattern", {"patternId": first, "reason": "No."}),
        ("reopenPattern", {"patternId": first}),
        ("promotePattern", {"patternId": first, "rationale": "Yes."}),
        ("demotePattern", {"patternId": first, "reason": "Early."}),
        ("promotePattern", {"patternId": first}),
        ("deprecatePattern", {"patternId": first, "reason": "Old."}),
        ("restorePattern", {"patternId": first}),
        ("updatePattern", {"patternId": first, "name": "New", "severity": "ERROR"}),
        ("setCanonicalEvidence", {"evidenceId": evidence}),
        ("removeEvidence", {"evidenceId": evidence}),
        ("addProvenance", {"patternId": first, "provenance": link}),
        ("mergePattern", {"candidateId": second, "intoId": first}),
    ]
    async with following(desk) as ear:
        for mutation, said in decisions:
            await desk.done(mutation, said)
        changes = await ear.heard(len(decisions) + 1)
    assert [change["sequence"] for change in changes] == list(range(1, len(decisions) + 2))
    assert all(change["sequence"] == change["event"]["sequence"] for change in changes)
    assert {change["event"]["actor"]["login"] for change in changes} == {desk.people["reviewer"].user.login}
    assert [(change["event"]["kind"], change["event"]["message"]) for change in changes] == [
        ("DEFERRED", None),
        ("REOPENED", None),
        ("REJECTED", "No."),
        ("REOPENED", None),
        ("PROMOTED", "Yes."),
        ("DEMOTED", "Early."),
        ("PROMOTED", None),
        ("DEPRECATED", "Old."),
        ("RESTORED", None),
        ("UPDATED", "Changed: name, severity."),
        ("EVIDENCE", f"Canonical: {(await named(desk, changes[10]))}"),
        ("EVIDENCE", f"Removed: {(await named(desk, changes[11]))}"),
        ("PROVENANCE", "Added: Why"),
        ("MERGED", "Merged into: New"),
        ("MERGED", changes[-1]["event"]["message"]),
    ]
    moves = [change["event"] for change in changes if change["pattern"]["id"] == first and change["event"]["to"]]
    assert all(before["to"] == after["from"] for before, after in pairwise(moves))


async def named(desk: Desk, change: Any) -> str:
    """Take the place out of what was said of evidence, of which nothing else is left."""
    assert change["pattern"]["id"]
    return str(change["event"]["message"]).partition(": ")[2]


async def test_a_refused_decision_is_not_heard(desk: Desk) -> None:
    pattern = await desk.pattern()
    async with following(desk) as ear:
        assert (await desk.do("promotePattern", {"patternId": pattern, "expectedVersion": 9})).code == "CONFLICT"
        assert (await desk.do("restorePattern", {"patternId": pattern})).code == "INVALID_TRANSITION"
        await desk.done("rejectPattern", {"patternId": pattern})
        change = await ear.next()
    assert (change["sequence"], change["event"]["kind"]) == (1, "REJECTED")


async def test_decisions_in_other_processes_and_of_jobs_are_heard_alike(desk: Desk, tmp_path: Path) -> None:
    urls = desk.home.settings.database_url, desk.home.settings.redis_url
    assert urls[0] is not None
    assert urls[1] is not None
    database_url, redis_url = (url.get_secret_value() for url in urls if url)
    weak = await desk.pattern(tier=ConfidenceTier.WEAK, touched_at=datetime.now(UTC) - timedelta(days=61))
    pattern = await desk.pattern()
    async with (
        installed(database_url, redis_url) as other,
        runtime_for(database_url, redis_url, data_dir=tmp_path) as worker,
        following(desk) as near,
        following(desk, other) as far,
    ):
        await desk.done("promotePattern", {"patternId": pattern})
        await nightly(worker, Nightly())
        elsewhere = Desk(other, desk.session, desk.organization, desk.repo, desk.people)
        await elsewhere.done("demotePattern", {"patternId": pattern})
        told = await near.heard(3)
        # The pattern beside an event is told as it is when somebody is told of it.
        assert [change["event"] for change in told] == [change["event"] for change in await far.heard(3)]
    assert [(change["event"]["kind"], change["pattern"]["id"]) for change in told] == [
        ("PROMOTED", pattern),
        ("REJECTED", weak),
        ("DEMOTED", pattern),
    ]
    assert told[1]["event"]["actor"] is None
    assert told[1]["event"]["message"] == "Auto-dismissed: insufficient evidence"


async def test_whoever_comes_back_hears_what_they_missed_and_nothing_twice(desk: Desk) -> None:
    ids = [await desk.pattern() for _ in range(3)]
    await desk.done("triagePatterns", {"decisions": [{"patternId": id_, "to": "REJECTED"} for id_ in ids]})
    async with following(desk, after=1) as late, following(desk, after=None) as now:
        assert [change["sequence"] for change in await late.heard(2)] == [2, 3]
        await desk.done("triagePatterns", {"decisions": [{"patternId": ids[0], "to": "CANDIDATE"}]})
        assert [(await ear.next())["sequence"] for ear in (late, now)] == [4, 4]
    assert (await desk.row(ids[0])).status is PatternStatus.CANDIDATE


async def test_nobody_can_have_heard_what_has_not_happened(desk: Desk) -> None:
    await desk.done("rejectPattern", {"patternId": await desk.pattern()})
    for after, fault in ((2, "at most 1"), (-1, "at least 0")):
        async with following(desk, after=after) as ear:
            refused = await ear.refused()
        assert refused == {"code": "VALIDATION_ERROR", "fields": {"after": fault}}
    async with following(desk, after=1) as ear:
        await desk.done("rejectPattern", {"patternId": await desk.pattern()})
        assert (await ear.next())["sequence"] == 2
