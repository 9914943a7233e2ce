"""Together: of people who decide at once one wins, the others are told, and nothing is half done."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db.models import AuditEntry, Pattern, PatternEvent, Repo
from app.domain.ids import Kind, public
from app.domain.pattern import PatternStatus
from tests import factories as make
from tests.installed import eventually
from tests.triage.desk import Desk, uuid_of

REPOS, CANDIDATES = 3, 5
REVIEWERS = 5


async def test_of_two_reviewers_one_wins_and_the_other_is_told(desk: Desk) -> None:
    for _ in range(10):
        pattern = await desk.pattern()
        said = {"patternId": pattern, "expectedVersion": 1}
        replies = await asyncio.gather(
            desk.do("promotePattern", said, "reviewer"), desk.do("rejectPattern", said, "admin")
        )
        (lost,) = (reply for reply in replies if reply.codes)
        row, (event,) = await desk.row(pattern), await desk.history(pattern)
        assert (lost.extensions["code"], lost.extensions["version"]) == ("CONFLICT", 2)
        assert lost.extensions["status"] == row.status.value == event.to_status
        winner = "admin" if row.status is PatternStatus.REJECTED else "reviewer"
        assert lost.extensions["statusChangedBy"] == desk.people[winner].id
        assert row.status_changed_by_id == event.actor_id == desk.people[winner].user.id
        # What the loser wanted has left no trace.
        assert (row.owner_id is None) is (row.validated_at is None) is (winner == "admin")


@asynccontextmanager
async def holding(engine: AsyncEngine, desk: Desk) -> AsyncIterator[AsyncConnection]:
    """Hold the repository: whoever decides inside has seen how things stand, and waits until they are different."""
    looking = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    async def waits() -> bool:
        async with engine.connect() as other:
            return bool(await other.scalar(text(looking)))

    async with engine.begin() as connection:
        await connection.execute(select(Repo.id).where(Repo.id == desk.repo.id).with_for_update(key_share=True))
        yield connection
        await eventually(waits)


# What somebody decides, said about a pattern and perhaps another one; all without a version.
SLOWER: dict[str, dict[str, Any]] = {
    "promotePattern": {},
    "deferPattern": {},
    "triagePatterns": {"to": "AUTHORITATIVE"},
    "mergePattern": {},
}


@pytest.mark.parametrize("status", [PatternStatus.REJECTED, PatternStatus.DEFERRED])
@pytest.mark.parametrize("mutation", [*SLOWER, "promotePattern of an untried rule"])
async def test_the_slower_of_two_is_told_the_present_state_though_it_named_no_version(
    mutation: str, status: PatternStatus, desk: Desk, engine: AsyncEngine
) -> None:
    mutation, _, untried = mutation.partition(" ")
    pattern = await (desk.pattern(rule_edition=None) if untried else desk.pattern())
    other = await desk.pattern()
    said: dict[str, Any] = {"patternId": pattern, **SLOWER[mutation]}
    if mutation == "triagePatterns":
        said = {"decisions": [said]}
    elif mutation == "mergePattern":
        said = {"candidateId": pattern, "intoId": other}
    faster = {"status": status, "version": 2, "status_changed_by_id": desk.people["admin"].user.id}
    async with holding(engine, desk) as connection:
        slower = asyncio.create_task(desk.do(mutation, said))
        change = update(Pattern).where(Pattern.id == uuid_of(pattern))
        await connection.execute(change.values(deferred_at=desk.home.runtime.clock(), **faster))
    reply = await slower
    if mutation == "triagePatterns":
        (result,) = reply.data["triagePatterns"]["results"]
        assert (result["errorCode"], result["pattern"]["status"]) == ("CONFLICT", status.value)
    else:
        told = reply.extensions
        assert (told["code"], told["patternId"], told["version"]) == ("CONFLICT", pattern, 2)
        assert (told["status"], told["statusChangedBy"]) == (status.value, desk.people["admin"].id)
    # Nothing is left of it: no step, no number, no audit.
    assert await desk.history(pattern) == []
    assert await desk.audited() == []
    assert await desk.session.scalar(select(Repo.change_sequence).where(Repo.id == desk.repo.id)) == 0


async def test_what_runs_measure_meanwhile_is_no_conflict(desk: Desk, engine: AsyncEngine) -> None:
    pattern, other = await desk.pattern(), await desk.pattern()
    async with holding(engine, desk) as connection:
        slower = asyncio.gather(
            desk.done("promotePattern", {"patternId": pattern}),
            desk.done("triagePatterns", {"decisions": [{"patternId": other, "to": "REJECTED"}]}),
        )
        await connection.execute(update(Pattern).where(Pattern.repo_id == desk.repo.id).values(authors=9))
        await connection.execute(update(Repo).where(Repo.id == desk.repo.id).values(change_sequence=41))
    promoted, _ = await slower
    assert (promoted["status"], promoted["version"]) == ("AUTHORITATIVE", 2)
    # The counter goes on from where the others left it while this was waited for.
    sequences = [event.sequence for id_ in (pattern, other) for event in await desk.history(id_)]
    assert sorted(sequences) == [42, 43]
    assert (await desk.row(pattern)).authors == 9


async def test_a_crowd_over_several_repositories_leaves_one_decision_each(desk: Desk) -> None:
    repos = [desk.repo, *[await make.repo(desk.session, desk.organization) for _ in range(REPOS - 1)]]
    rows = [await make.pattern(desk.session, repo) for repo, _ in product(repos, range(CANDIDATES))]
    ids = [public(Kind.PATTERN, row.id) for row in rows]
    moves = ("promotePattern", "rejectPattern", "deferPattern", "promotePattern", "rejectPattern")
    crowd = [
        desk.do(moves[(place + turn) % REVIEWERS], {"patternId": id_, "expectedVersion": 1})
        for turn in range(REVIEWERS)
        for place, id_ in enumerate(ids)
    ]
    replies = await asyncio.gather(*crowd)
    counts = Counter(reply.codes[0] if reply.codes else "OK" for reply in replies)
    assert counts == {"OK": len(ids), "CONFLICT": len(ids) * (REVIEWERS - 1)}
    await desk.session.commit()
    decided = {
        row.id: row for row in await desk.session.scalars(select(Pattern).execution_options(populate_existing=True))
    }
    events = list(await desk.session.scalars(select(PatternEvent).order_by(PatternEvent.sequence)))
    assert Counter(event.pattern_id for event in events) == Counter(dict.fromkeys(map(uuid_of, ids), 1))
    for event in events:
        row = decided[event.pattern_id]
        assert (row.version, row.status, row.status_changed_at) == (2, event.to_status, event.at)
    for repo in repos:
        numbers = [event.sequence for event in events if event.repo_id == repo.id]
        assert numbers == list(range(1, CANDIDATES + 1))
        assert await desk.session.scalar(select(Repo.change_sequence).where(Repo.id == repo.id)) == CANDIDATES
    assert len(list(await desk.session.scalars(select(AuditEntry.id)))) == len(ids)


async def test_batches_that_cross_each_other_all_end(desk: Desk) -> None:
    repos = [desk.repo, *[await make.repo(desk.session, desk.organization) for _ in range(REPOS - 1)]]
    rows = [await make.pattern(desk.session, repo) for repo, _ in product(repos, range(CANDIDATES))]
    ids = [public(Kind.PATTERN, row.id) for row in rows]
    # In both directions, with merges of the same ones across: whoever locked as they come would wait for ever.
    forth = [{"patternId": id_, "to": "DEFERRED"} for id_ in ids]
    merges = [{"candidateId": ids[place + 1], "intoId": ids[place]} for place in range(0, CANDIDATES - 1, 2)]
    backwards = [{"candidateId": said["intoId"], "intoId": said["candidateId"]} for said in merges]
    replies = await asyncio.gather(
        *(desk.do("triagePatterns", {"decisions": batch}) for batch in (forth, forth[::-1]) for _ in range(4)),
        *(desk.do("mergePattern", said) for said in (*merges, *backwards)),
    )
    assert {code for reply in replies for code in reply.codes} <= {"INVALID_TRANSITION", "CONFLICT"}
    await desk.session.commit()
    for repo in repos:
        numbers = await desk.session.scalars(
            select(PatternEvent.sequence).where(PatternEvent.repo_id == repo.id).order_by(PatternEvent.sequence)
        )
        last = await desk.session.scalar(select(Repo.change_sequence).where(Repo.id == repo.id))
        assert list(numbers) == list(range(1, (last or 0) + 1))


async def test_a_repository_that_is_disconnected_meanwhile_is_just_gone(desk: Desk) -> None:
    for _ in range(5):
        repo = await make.repo(desk.session, desk.organization)
        ids = [public(Kind.PATTERN, (await make.pattern(desk.session, repo)).id) for _ in range(8)]
        disconnect = "mutation($i:DisconnectRepoInput!){disconnectRepo(input:$i){fullName}}"
        gone, *replies = await asyncio.gather(
            desk.home.ask(disconnect, {"i": {"repoId": public(Kind.REPO, repo.id)}}, token=desk.people["owner"].token),
            *(desk.do("promotePattern", {"patternId": id_}) for id_ in ids),
        )
        assert gone.codes == []
        assert {code for reply in replies for code in reply.codes} <= {"NOT_FOUND"}
