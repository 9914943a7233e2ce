"""Following a run whose log is bounded: what it holds is told without a gap, and where it ends the present state is."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import IngestionRun, RunEvent
from app.domain.ids import Kind, public
from app.domain.run import STAGES, IngestionEventKind, IngestionStage, RunTrigger, StageProgress
from app.domain.viewer import Role
from app.runtime import Runtime
from app.services import ingesting
from app.services.ingesting import Advance, Claim
from resolvers.live import feeds, followers, following
from tests import factories as make
from tests.identity.installation import Installation, installed
from tests.wire.service import Talk

FOLLOW = """subscription($run: ID!, $after: Int) {
  ingestionStatus(runId: $run, after: $after) { sequence skipped kind run { status sequence } }
}"""
LEASE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep logs so short that a test can come too late for one."""
    monkeypatch.setattr(ingesting, "MOST_EVENTS", 20)
    monkeypatch.setattr(ingesting, "SHORTENED_EVERY", 5)


@pytest.fixture
async def home(database_url: str, redis_url: str) -> AsyncIterator[Installation]:
    async with installed(database_url, redis_url) as home:
        yield home


class Running:
    """A run that a worker holds, and somebody who may see it."""

    def __init__(self, home: Installation, held: Claim, token: str) -> None:
        self.home = home
        self.held = held
        self.token = token

    @property
    def runtime(self) -> Runtime:
        return self.home.runtime

    @property
    def run_id(self) -> UUID:
        return self.held.run_id

    async def advance(self, times: int, kind: IngestionEventKind = IngestionEventKind.LOG) -> None:
        stages = tuple(StageProgress(stage) for stage in STAGES)
        for _ in range(times):
            async with self.runtime.write() as tx:
                await ingesting.advance(tx, self.held, Advance(stages, IngestionStage.FETCH, kind), LEASE)

    async def end(self) -> None:
        async with self.runtime.write() as tx:
            await ingesting.stop(tx, self.held)

    async def follow(self, after: int | None) -> Talk:
        talk = await self.home.service.connect()
        await talk.say(type="connection_init", payload={"authorization": f"Bearer {self.token}"})
        assert await talk.hear() == {"type": "connection_ack"}
        variables: dict[str, Any] = {"run": public(Kind.INGESTION_RUN, self.run_id), "after": after}
        await talk.subscribe("1", FOLLOW, variables=variables)
        return talk

    async def sequences(self) -> list[int]:
        async with self.runtime.read() as session:
            found = select(RunEvent.sequence).where(RunEvent.run_id == self.run_id).order_by(RunEvent.sequence)
            return list(await session.scalars(found))


@pytest.fixture
async def running(home: Installation, session: AsyncSession) -> Running:
    organization = await make.organization(session)
    viewer = await home.member(session, organization, Role.VIEWER)
    repo = await make.repo(session, organization)
    async with home.runtime.write() as tx:
        run, _ = await ingesting.start(tx, None, repo.id, RunTrigger.MANUAL)
    async with home.runtime.write() as tx:
        held = await ingesting.claim(tx, run.id, LEASE)
    assert held is not None
    return Running(home, held, viewer.token)


async def told(talk: Talk) -> dict[str, Any]:
    event: dict[str, Any] = (await talk.result("1"))["ingestionStatus"]
    return event


async def test_the_log_of_a_run_is_bounded_and_its_end_has_no_gap(running: Running) -> None:
    await running.advance(64)
    assert await running.sequences() == list(range(46, 66))
    await running.advance(4)
    assert await running.sequences() == list(range(46, 70)), "it is shortened now and then, not at every event"


async def test_the_log_of_another_run_stays(running: Running, session: AsyncSession) -> None:
    other = await make.run(session)
    for _ in range(3):
        await make.run_event(session, other)
    await running.advance(64)
    found = await session.scalars(select(RunEvent.sequence).where(RunEvent.run_id == other.id))
    assert sorted(found) == [1, 2, 3]


async def test_who_comes_back_in_time_is_told_everything(running: Running) -> None:
    await running.advance(64)
    talk = await running.follow(after=45)
    snapshot = await told(talk)
    assert (snapshot["kind"], snapshot["sequence"], snapshot["run"]["sequence"]) == ("SNAPSHOT", 45, 65)
    assert [(await told(talk))["sequence"] for _ in range(20)] == list(range(46, 66))


@pytest.mark.parametrize("after", [0, 1, 44])
async def test_who_comes_back_too_late_is_told_the_present_state(running: Running, after: int) -> None:
    await running.advance(64)
    talk = await running.follow(after)
    snapshot = await told(talk)
    assert (snapshot["kind"], snapshot["sequence"]) == ("SNAPSHOT", 65)
    await running.advance(1)
    assert (await told(talk))["sequence"] == 66


async def test_who_comes_back_after_the_log_was_swept_is_told_the_end(running: Running, session: AsyncSession) -> None:
    await running.advance(3)
    await running.end()
    await session.execute(delete(RunEvent).where(RunEvent.run_id == running.run_id))
    await session.commit()
    talk = await running.follow(after=2)
    snapshot = await told(talk)
    assert (snapshot["kind"], snapshot["sequence"], snapshot["run"]["status"]) == ("SNAPSHOT", 5, "CANCELLED")
    assert (await talk.hear())["type"] == "complete"


async def test_a_follower_whom_the_log_left_behind_is_told_the_present_state_and_goes_on(
    running: Running, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks of a slow follower more happens than the log keeps, and more than this process remembers."""
    monkeypatch.setattr(feeds, "RING", 4)
    monkeypatch.setattr(feeds, "BATCH", 4)
    await running.advance(15)
    behind = feeds.Feed(running.runtime, following.RUN_EVENTS, running.run_id)
    behind.tail = 16

    async def permitted() -> None:
        await session.execute(
            delete(RunEvent).where(RunEvent.run_id == running.run_id, RunEvent.sequence.between(6, 14))
        )
        await session.commit()

    follower = followers.Follower(1, permitted, None)
    monkeypatch.setattr(followers, "LOOK_SECONDS", 0)
    telling = feeds.deliveries(behind, follower, complete=True)
    assert [(await anext(telling)).entry.sequence for _ in range(4)] == [2, 3, 4, 5]
    with pytest.raises(feeds.FellBehind):
        await anext(telling)


async def test_a_follower_who_fell_behind_gets_a_snapshot_in_the_same_stream(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, fell = feeds.deliveries, False

    async def falling(*arguments: Any, **options: Any) -> AsyncIterator[followers.Delivery]:
        nonlocal fell
        async for delivery in honest(*arguments, **options):
            yield delivery
            if not fell:
                fell = True
                raise feeds.FellBehind

    monkeypatch.setattr(following, "deliveries", falling)
    await running.advance(9)
    talk = await running.follow(after=3)
    seen = [await told(talk) for _ in range(3)]
    assert [(event["kind"], event["sequence"]) for event in seen] == [("SNAPSHOT", 3), ("LOG", 4), ("SNAPSHOT", 10)]
    await running.end()
    assert [(await told(talk))["kind"], (await talk.hear())["type"]] == ["FINISHED", "complete"]


async def test_what_is_kept_of_a_run_does_not_depend_on_its_log(running: Running, session: AsyncSession) -> None:
    await running.advance(64)
    await running.end()
    run = await session.get_one(IngestionRun, running.run_id)
    assert (run.sequence, run.status) == (66, "CANCELLED")
