"""A worker's own port: whether it lives, whether it is fit, and what its jobs came to."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from app.cli.ports import address_of, bind, get
from app.observe.port import LONGEST_HEAD, Shown, showing
from app.runtime import Runtime
from tests.installed import eventually, runtime_for
from tests.running import running, tenet
from tests.workers.crew import Dig, working
from workers.registry import Work
from workers.shown import looks_at


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A port with something to look at."""

    async def well() -> Shown:
        return Shown(b"well", "text/plain")

    async def broken() -> Shown:
        raise ZeroDivisionError

    with bind("127.0.0.1", 0) as listening:
        async with showing(listening, {"/well": well, "/broken": broken}):
            yield address_of(listening)


async def test_a_port_answers_what_it_knows_and_nothing_else(address: str) -> None:
    assert await get(address, "/well?x=1") == (200, "well")
    assert (await get(address, "/ill"))[0] == 404
    status, body = await get(address, "/broken")
    assert status == 500
    assert "ZeroDivision" not in body
    for sent, expected in (
        (b"POST /well HTTP/1.1\r\n\r\n", b"HTTP/1.1 405"),
        (b"HEAD /well HTTP/1.1\r\n\r\n", b"HTTP/1.1 200"),
        (b"\r\n\r\n", b"HTTP/1.1 404"),
        (b"x" * (LONGEST_HEAD * 2), b""),
    ):
        host, _, port = address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(sent)
        try:
            answer = await reader.read()
        except ConnectionResetError:
            answer = b""
        writer.close()
        assert answer.startswith(expected)
        assert b"\r\n\r\nwell" not in answer
    assert await get(address, "/well") == (200, "well")


async def test_a_worker_shows_its_jobs_and_that_it_leaves(database_url: str, redis_url: str) -> None:
    done = asyncio.Event()

    async def dig(_: Runtime, __: Dig) -> None:
        done.set()

    async with runtime_for(database_url, redis_url) as runtime, working(runtime, Work(Dig, dig, seconds=5)) as crew:
        looks = looks_at(runtime, crew)
        await runtime.queue.put(Dig(uuid4()))
        await done.wait()

        async def counted() -> bool:
            shown = (await looks["/metrics"]()).body
            return b'tenet_worker_job_seconds_count{job="dig",state="done"} ' in shown

        await eventually(counted)
        shown = (await looks["/metrics"]()).body
        assert b'tenet_worker_jobs_running{job="dig"} 0.0' in shown
        assert b"tenet_requests" not in shown
        ready = await looks["/health/ready"]()
        assert (ready.status, json.loads(ready.body)["status"]) == (200, "ready")
        crew[0].lived_at = 0.0
        crew[0].leaving = True
        ready = await looks["/health/ready"]()
        told = json.loads(ready.body)
        assert (ready.status, told["status"]) == (503, "draining")
        assert crew[0].queue_name in told["parts"]["worker"]["problem"]


async def test_the_workers_of_an_installation_have_a_port_each(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    data_dir = tmp_path / "data"
    async with running(data_dir, "--workers", "2", TENET_WORKER_PORT=str(port)) as life:
        await life.ready()
        for number in (port, port + 1):

            async def lives(number: int = number) -> bool:
                return (await get(f"127.0.0.1:{number}", "/health/live"))[0] == 200

            await eventually(lives, patience=30)
            status, body = await get(f"127.0.0.1:{number}", "/metrics")
            assert status == 200
            assert "tenet_pool_size" in body
        found = json.loads(tenet(data_dir, "doctor", "--json", TENET_WORKER_PORT=str(port)).stdout)
        assert {one["part"]: one["state"] for one in found}["worker port"] == "ok"
        taken = tenet(data_dir, "worker", TENET_WORKER_PORT=str(port))
        assert taken.returncode == 7
        assert taken.stderr.splitlines()[-1] == "Stop what listens there, or choose another with TENET_WORKER_PORT."
