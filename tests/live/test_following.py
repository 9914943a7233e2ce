"""A snapshot first, then each later event once and in order, whoever is slow and whatever is away for a while."""

import asyncio
import json
from contextlib import aclosing, suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Organization, Repo
from app.domain.ids import Kind, public
from app.domain.run import IngestionEventKind
from app.domain.viewer import Role
from resolvers.live.followers import BURST, READING_SECONDS, Delivery, Entry, Pace, coalesced, paced
from resolvers.transport.protocol import GraphQLRequest, Offer
from tests import factories as make
from tests.ground import administration
from tests.identity.conftest import Install
from tests.identity.installation import Installation, Person
from tests.live.telling import Story, begin
from tests.live.test_rights import follows, hears
from tests.wire.service import Talk

STATUS = "subscription($r:ID!){ingestionStatus(runId:$r){sequence skipped kind message run{status}}}"
FURTHER = "subscription($r:ID!){ingestionStatus(runId:$r){sequence skipped kind run{repo{id} report{dropped{count}}}}}"
ON = "subscription($r:ID!){ingestionStatus(repoId:$r,follow:true){sequence skipped kind run{id status}}}"
AFTER = "subscription($r:ID!,$after:Int!){ingestionStatus(runId:$r,after:$after){sequence skipped kind}}"
CHANGES = "subscription($r:ID!){patternChanges(repoId:$r){sequence event{message} pattern{id}}}"
KINDS = st.sampled_from((IngestionEventKind.PROGRESS, IngestionEventKind.PROGRESS, IngestionEventKind.LOG))


@pytest.fixture
async def reader(home: Installation, session: AsyncSession, repo: Repo) -> Person:
    organization = await session.get(Organization, repo.organization_id)
    assert organization is not None
    return await home.member(session, organization, Role.VIEWER)


async def event(talk: Talk) -> Any:
    payload = await hears(talk)
    assert "errors" not in payload, payload
    return payload["data"]["ingestionStatus"]


async def test_differing_selections_of_one_run_each_get_their_own(
    home: Installation, reader: Person, story: Story
) -> None:
    texts = {
        "subscription($r:ID!){ingestionStatus(runId:$r){sequence}}": {"ingestionStatus": {"sequence": 2}},
        "subscription($r:ID!){now:ingestionStatus(runId:$r){n:sequence ...M}} fragment M on IngestionEvent{message}": {
            "now": {"n": 2, "message": "so far"}
        },
        "subscription($r:ID!,$m:Boolean=false){ingestionStatus(runId:$r){kind message @include(if:$m)}}": {
            "ingestionStatus": {"kind": "LOG"}
        },
        "subscription($r:ID!){ingestionStatus(runId:$r){__typename run{id}}}": {
            "ingestionStatus": {"__typename": "IngestionEvent", "run": {"id": story.id}}
        },
    }
    talks = [await follows(home, reader.token, text, story.id) for text in texts]
    for talk in talks:
        await hears(talk)
    await story.line("so far")
    assert [(await hears(talk))["data"] for talk in talks] == list(texts.values())


@pytest.mark.parametrize("query", [STATUS, FURTHER], ids=["broadcast", "executed"])
async def test_it_completes_after_the_end(home: Installation, reader: Person, story: Story, query: str) -> None:
    talk = await follows(home, reader.token, query, story.id)
    assert (await event(talk))["kind"] == "SNAPSHOT"
    await story.reading()
    assert (await event(talk))["kind"] == "PROGRESS"
    await story.end()
    last = await event(talk)
    assert (last["kind"], last["sequence"]) == ("FINISHED", 3)
    if query is FURTHER:
        # What was loaded for the event before is not what the last one tells.
        assert last["run"]["report"] == {"dropped": []}
    assert (await talk.hear())["type"] == "complete"
    late = await follows(home, reader.token, query, story.id)
    told = await event(late)
    assert (told["kind"], told["sequence"]) == ("SNAPSHOT", 3)
    assert (await late.hear())["type"] == "complete"


async def test_whoever_follows_on_gets_the_next_run_from_its_own_snapshot(
    home: Installation, reader: Person, story: Story
) -> None:
    talk = await follows(home, reader.token, ON, story.repo_id)
    assert (await event(talk))["run"]["id"] == story.id
    await story.end()
    assert (await event(talk))["kind"] == "FINISHED"
    later = await begin(home.runtime, story.held.repo_id)
    told = [await event(talk)]
    await later.end()
    while told[-1]["kind"] != "FINISHED":
        told.append(await event(talk))
    assert told[0]["kind"] == "SNAPSHOT"
    assert {one["run"]["id"] for one in told} == {later.id}
    numbers = [one["sequence"] for one in told]
    assert numbers == list(range(numbers[0], numbers[0] + len(told)))


async def test_whoever_waits_for_the_first_run_gets_it(home: Installation, reader: Person, repo: Repo) -> None:
    talk = await follows(home, reader.token, ON, public(Kind.REPO, repo.id))
    story = await begin(home.runtime, repo.id)
    assert (await event(talk))["run"]["id"] == story.id


async def test_whoever_comes_back_is_told_everything_since(home: Installation, reader: Person, story: Story) -> None:
    for _ in range(4):
        await story.reading()
    for after in (0, 2, 4):
        talk = await home.service.connect()
        await talk.say(type="connection_init", payload={"authorization": f"Bearer {reader.token}"})
        await talk.hear()
        await talk.subscribe("1", AFTER, variables={"r": story.id, "after": after})
        told = [await event(talk) for _ in range(6 - after)]
        assert told[0] == {"sequence": after, "skipped": 0, "kind": "SNAPSHOT"}
        assert [one["sequence"] for one in told] == list(range(after, 6))
        assert {one["skipped"] for one in told} == {0}


async def test_changes_of_patterns_are_told_once_in_order(
    home: Installation, session: AsyncSession, reader: Person, repo: Repo
) -> None:
    pattern = await make.pattern(session, repo)
    await session.commit()
    talk = await follows(home, reader.token, CHANGES, public(Kind.REPO, repo.id))
    # Whether the subscription stands already is seen by what comes through it.
    told: list[Any] = []
    number = 0
    async with asyncio.timeout(10):
        while len(told) < 3:
            number += 1
            await make.pattern_event(session, pattern, message=str(number))
            await session.commit()
            try:
                async with asyncio.timeout(0.3):
                    told.append((await hears(talk))["data"]["patternChanges"])
            except TimeoutError:
                continue
    sequences = [one["sequence"] for one in told]
    assert sequences == list(range(sequences[0], sequences[0] + 3))
    assert {one["pattern"]["id"] for one in told} == {public(Kind.PATTERN, pattern.id)}


async def test_a_database_that_goes_and_comes_back_leaves_no_gap(
    install: Install, session: AsyncSession, repo: Repo, database_url: str
) -> None:
    async with administration(database_url) as connection:
        began = await connection.fetchval("SELECT clock_timestamp()")
        async with install() as home:
            organization = await session.get_one(Organization, repo.organization_id)
            reader = await home.member(session, organization, Role.VIEWER)
            story = await begin(home.runtime, repo.id)
            talk = await follows(home, reader.token, STATUS, story.id)
            await event(talk)
            ended = await connection.fetch(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                # Beside this database those of other tests are on the same server.
                " WHERE backend_start > $1 AND datname = $2",
                began,
                make_url(database_url).database,
            )
            assert ended
            # What writes is not what is looked at here: it may try again.
            for _ in range(5):
                with suppress(Exception):
                    await story.line("the database is back")
            told = [(await event(talk))["sequence"] for _ in range((await story.log())[-1].sequence - 1)]
            assert told == list(range(2, len(told) + 2))


async def test_one_reader_and_one_connection_serve_everybody(home: Installation, reader: Person, story: Story) -> None:
    ours = str(home.runtime.redis.connection_pool.connection_kwargs["db"])

    async def listening() -> tuple[int, int]:
        # Other tests listen at the same server meanwhile, each in a database of its own.
        clients = await home.runtime.redis.client_list(_type="pubsub")
        numbers = await home.runtime.redis.pubsub_numsub(f"run:{story.run_id.hex}")
        return sum(client["name"] == "" and client["db"] == ours for client in clients), numbers[0][1]

    one = await follows(home, reader.token, STATUS, story.id)
    await event(one)
    before = await listening()
    talks = [await follows(home, reader.token, query, story.id) for query in (STATUS, FURTHER) * 5]
    for talk in talks:
        await event(talk)
    assert await listening() == before
    assert before[0] > 0
    assert before[1] == 1
    feeds = home.engine.feeds._open
    assert len([kind for kind, subject in feeds if subject == story.run_id]) == 1


class Slow:
    """A client that takes what is offered only when it is ready, and comes for the rest when it likes."""

    def __init__(self) -> None:
        self.ready = False
        self.offered: list[dict[str, Any]] = []
        self.heard = asyncio.Event()

    def take(self, body: bytes) -> bool:
        if self.ready:
            self.offered.append(told_by(body))
            self.heard.set()
        return self.ready


def told_by(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body)["data"]["ingestionStatus"]
    return found


async def test_a_slow_client_misses_readings_and_nothing_else(home: Installation, reader: Person, story: Story) -> None:
    slow = Slow()
    stream = followed(home, reader, story, slow.take)
    quick = await follows(home, reader.token, STATUS, story.id)
    await event(quick)
    async with asyncio.timeout(20), aclosing(stream):
        heard = [told_by((await anext(stream)).body)]
        for number in range(12):
            await (story.line(str(number)) if number % 4 == 3 else story.reading())
            # Somebody else's slowness holds nobody up.
            assert (await event(quick))["skipped"] == 0
        await story.end()
        heard += [told_by(answer.body) async for answer in stream]
    assert_gapless(heard)
    kinds = [one["kind"] for one in heard]
    assert kinds.count("LOG") == 3
    assert kinds.count("PROGRESS") == 3
    assert sum(one["skipped"] for one in heard) == 6
    assert slow.offered == []


async def test_a_client_that_becomes_quick_again_is_pushed_again(
    home: Installation, reader: Person, story: Story
) -> None:
    client = Slow()
    stream = followed(home, reader, story, client.take)
    async with asyncio.timeout(20), aclosing(stream):
        heard = [told_by((await anext(stream)).body)]
        await story.line("comes for it")
        heard.append(told_by((await anext(stream)).body))
        client.ready = True
        coming = asyncio.ensure_future(anext(stream, None))
        await story.line("is pushed")
        await client.heard.wait()
        await story.end()
        assert await coming is None
    assert_gapless(heard + client.offered)
    assert [one["kind"] for one in client.offered] == ["LOG", "FINISHED"]


def followed(home: Installation, reader: Person, story: Story, offer: Offer) -> Any:
    """Follow a run as a transport does."""

    async def answers() -> Any:
        scope = {"type": "websocket", "headers": [(b"authorization", f"Bearer {reader.token}".encode())]}
        caller = await home.engine.callers.of(scope, None)
        stream = home.engine.stream(caller, GraphQLRequest(STATUS, None, {"r": story.id}, None), offer)
        async with aclosing(stream):
            async for answer in stream:
                yield answer

    return answers()


def assert_gapless(heard: list[dict[str, Any]]) -> None:
    """Check what the contract says of any two events in a row."""
    for one, following in pairwise(heard):
        assert following["sequence"] - one["sequence"] == 1 + following["skipped"]


def entries(kinds: list[IngestionEventKind]) -> list[Entry]:
    return [Entry({"sequence": number, "kind": kind}) for number, kind in enumerate(kinds, 1)]


@given(st.lists(KINDS, max_size=40), st.integers(0, 40))
def test_only_readings_are_left_out_and_never_the_newest(kinds: list[IngestionEventKind], settled: int) -> None:
    log = entries(kinds)
    told: list[Delivery] = coalesced(log, 0, settled)
    last = 0
    for delivery in told:
        assert delivery.entry.sequence - last == 1 + delivery.skipped
        left_out = log[last : delivery.entry.sequence - 1]
        assert all(entry.passes and entry.sequence > settled for entry in left_out)
        last = delivery.entry.sequence
    assert last == len(log)
    assert not any(
        one.entry.passes and two.entry.passes and one.entry.sequence > settled for one, two in pairwise(told)
    )


@given(st.lists(st.floats(0, 0.5), min_size=50, max_size=200))
def test_readings_reach_a_client_about_ten_times_a_second(gaps: list[float]) -> None:
    pace, now, passed = Pace(), 1000.0, []
    for gap in gaps:
        now += gap
        now += pace.pause(now)
        pace.take(1, now)
        passed.append(now)
    for number, at in enumerate(passed):
        within = sum(1 for other in passed[number:] if other < at + 1)
        assert within <= 1 / READING_SECONDS + BURST + 1


def test_a_steady_reading_is_never_held_back() -> None:
    pace = Pace()
    for number in range(1000):
        now = 1000 + number / 10
        assert pace.pause(now) == 0
        pace.take(1, now)


@given(st.lists(KINDS, max_size=40))
def test_who_has_kept_up_misses_only_what_goes_beyond_the_pace(kinds: list[IngestionEventKind]) -> None:
    pace = Pace()
    told = paced(entries(kinds), 0, pace)
    readings = sum(kind is IngestionEventKind.PROGRESS for kind in kinds)
    assert sum(delivery.entry.passes for delivery in told) >= min(readings, BURST)
    if readings <= BURST:
        assert len(told) == len(kinds)
    if kinds:
        assert told[-1].entry.sequence == len(kinds)
