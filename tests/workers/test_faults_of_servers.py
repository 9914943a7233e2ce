"""Faults of whole servers under `tenet run`: each is killed in the middle of a run, and nothing is lost or doubled."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from app.db.address import plain_url
from app.domain.run import IngestionStage
from tests.gateways.making import Made
from tests.installed import PATIENCE, eventually
from tests.running import START, Running, running
from tests.wire.service import Talk
from tests.workers.turnstile import Turnstile, Waiting, turnstile

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

CONNECT = "mutation($i:ConnectRepoInput!){connectRepo(input:$i){repo{id} run{id}}}"
RUN = """query($id:ID!){ingestionRun(id:$id){status attempt sequence errorCode errorMessage repo{fileCount}
  events(first:100){nodes{sequence kind message}}}}"""
FOLLOW = """subscription($run:ID!,$after:Int){ingestionStatus(runId:$run,after:$after){
  sequence skipped kind run{status}}}"""


@dataclass
class Installation:
    """A whole installation whose gits meet a turnstile."""

    life: Running
    gate: Turnstile

    async def ask(self, document: str, **variables: Any) -> Any:
        """Ask as the developer."""
        told = self.life.told
        async with httpx.AsyncClient(trust_env=False) as client:
            body = {"query": document, "variables": variables}
            headers = {"authorization": f"Bearer {told['token']}"}
            answer = (await client.post(told["graphql"], json=body, headers=headers)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def connect(self, source: Made) -> str:
        """Connect a repository, and give the id of its first run."""
        git = {"url": str(source.folder), "name": f"{source.path.parent.parent.name}/{source.path.parent.name}"}
        wanted = {"organizationId": self.life.told["organizationId"], "git": git}
        run: str = (await self.ask(CONNECT, i=wanted))["connectRepo"]["run"]["id"]
        return run

    async def ended(self, run_id: str) -> Any:
        """Wait for the end of a run, through whatever happens to the servers."""

        async def look() -> Any:
            try:
                run = (await self.ask(RUN, id=run_id))["ingestionRun"]
            except (httpx.HTTPError, AssertionError):
                # A server is away just now.
                return None
            return run if run["status"] not in ("QUEUED", "RUNNING") else None

        return await eventually(look, patience=START)

    async def kept(self) -> Waiting:
        """Wait until a run stands still."""
        async with asyncio.timeout(START):
            return await self.gate.waiting.get()

    def keep_in(self, stage: IngestionStage) -> None:
        """Keep whatever is in the first attempt at a stage waiting."""

        async def keeps() -> bool:
            # A connection for each look: the server may be another one by now, or none.
            try:
                connection = await asyncpg.connect(plain_url(self.life.told["databaseUrl"]), timeout=PATIENCE)
            except (OSError, asyncpg.PostgresError):
                return False
            try:
                there = "SELECT count(*) FROM ingestion_runs WHERE status = 'RUNNING' AND attempt = 1 AND stage = $1"
                return bool(await connection.fetchval(there, stage.value))
            finally:
                await connection.close()

        self.gate.keeps = keeps

    async def kill(self, name: str) -> None:
        """Kill a server, and wait until another one is in its place."""
        before = self.life.pids[name]
        os.kill(before, signal.SIGKILL)

        async def replaced() -> bool:
            return self.life.pids[name] != before

        await eventually(replaced, patience=START)


@pytest.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """One installation for all tests of this file: what is killed comes back."""
    async with AsyncExitStack() as stack:
        gate = await stack.enter_async_context(turnstile())
        life = await stack.enter_async_context(
            running(
                tmp_path_factory.mktemp("installation") / "data",
                PATH=gate.path,
                TENET_WORKER_LEASE_SECONDS="1",
                TENET_WORKER_POLL_SECONDS="0.05",
            )
        )
        await life.ready()
        yield Installation(life, gate)


@pytest.fixture
async def home(whole: Installation) -> AsyncIterator[Installation]:
    await whole.life.ready()
    yield whole
    whole.gate.open()


def made(folder: Path) -> Made:
    """Make a repository with ten files and ten changes."""
    source = Made(folder / "source")
    for number in range(10):
        source.commit({f"file_{number}.py": "import os\n"}, f"#{number}", at=datetime.now(UTC) - timedelta(days=number))
    return source


def without_gap(run: Any) -> list[str]:
    """Hold the log of a run, and give the kinds of its events."""
    events = run["events"]["nodes"]
    assert [event["sequence"] for event in events] == list(range(1, run["sequence"] + 1))
    return [event["kind"] for event in events]


async def test_a_database_that_is_killed_in_the_middle_costs_a_try_and_nothing_else(
    home: Installation, tmp_path: Path
) -> None:
    home.keep_in(IngestionStage.INDEX)
    run_id = await home.connect(made(tmp_path))
    held = await home.kept()
    await home.kill("postgres")
    async with asyncio.timeout(START):
        # The worker has noticed, and ended what it had begun.
        await held.gone.wait()
    run = await home.ended(run_id)
    assert (run["status"], run["repo"]) == ("SUCCEEDED", {"fileCount": 10})
    assert run["attempt"] > 1
    kinds = without_gap(run)
    assert (kinds.count("RETRY"), kinds.count("FINISHED")) == (run["attempt"] - 1, 1)


async def test_a_redis_that_is_emptied_and_killed_costs_nothing(home: Installation, tmp_path: Path) -> None:
    """One run is under way and one waits; neither their jobs nor their leases are left in Redis."""
    home.keep_in(IngestionStage.INDEX)
    first = await home.connect(made(tmp_path / "first"))
    await home.kept()
    worker = home.life.pids["worker"]
    os.kill(worker, signal.SIGSTOP)
    try:
        second = await home.connect(made(tmp_path / "second"))
        async with Redis.from_url(home.life.told["redisUrl"]) as redis:
            assert await redis.zcard("tenet:queue:bulk") >= 2
            await redis.flushall()
        await home.kill("redis")
    finally:
        os.kill(worker, signal.SIGCONT)
    home.gate.open()
    for run_id in (first, second):
        run = await home.ended(run_id)
        assert (run["status"], run["repo"]) == ("SUCCEEDED", {"fileCount": 10}), run
        assert without_gap(run).count("FINISHED") == 1


async def test_an_api_that_is_killed_costs_its_followers_nothing(home: Installation, tmp_path: Path) -> None:
    home.keep_in(IngestionStage.HISTORY)
    run_id = await home.connect(made(tmp_path))
    seen: list[dict[str, Any]] = []
    lost, ended = asyncio.Event(), asyncio.Event()

    async def follow() -> None:
        """Follow as a client does: from the last event seen, again and again until the end."""
        while not ended.is_set():
            try:
                async with connect(home.life.told["ws"], subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
                    talk = Talk(socket)
                    await talk.say(
                        type="connection_init", payload={"authorization": f"Bearer {home.life.told['token']}"}
                    )
                    assert (await talk.hear())["type"] == "connection_ack"
                    after = seen[-1]["sequence"] if seen else None
                    await talk.subscribe("1", FOLLOW, variables={"run": run_id, "after": after})
                    while (message := await talk.hear())["type"] == "next":
                        seen.append(message["payload"]["data"]["ingestionStatus"])
                    assert message["type"] == "complete", message
                    ended.set()
            except (OSError, ConnectionClosed, TimeoutError):
                lost.set()

    following = asyncio.create_task(follow())
    await home.kept()
    await home.kill("api")
    await asyncio.wait_for(lost.wait(), START)
    home.gate.open()
    run = await home.ended(run_id)
    await asyncio.wait_for(following, START)
    assert run["status"] == "SUCCEEDED"
    told = [event for event in seen if event["kind"] != "SNAPSHOT"]
    first = next(event for event in seen if event["kind"] == "SNAPSHOT")
    at = first["sequence"]
    for event in told:
        assert event["sequence"] == at + 1 + event["skipped"], "nothing is missing, and nothing comes twice"
        at = event["sequence"]
    assert (at, told[-1]["kind"]) == (run["sequence"], "FINISHED")
    assert [event["kind"] for event in seen].count("SNAPSHOT") >= 2, "it came back"
