"""Together: of people who decide at once one wins, the others are told, and nothing is half done."""

import asyncio
from collections import Counter
from itertools import product

from sqlalchemy import select

from app.db.models import AuditEntry, Pattern, PatternEvent, Repo
from app.domain.ids import Kind, public
from app.domain.pattern import PatternStatus
from tests import factories as make
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
    assert {code for reply in replies for code in reply.codes} <= {"INVALID_TRANSITION"}
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
