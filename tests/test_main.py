"""The process that serves: what its start costs, and that its end loses nothing."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app.cli.ports import address_of, bind, get
from tests.installed import PATIENCE, eventually, settings_for

# The peak that getrusage tells would be that of this process, whose image a child starts as.
COST = """
import json, sys
import app.main
with open("/proc/self/status") as status:
    kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
print(json.dumps({"megabytes": kilobytes / 1024, "modules": list(sys.modules)}))
"""

MEGABYTES = 110

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@dataclass
class Cost:
    """What it took to import the application, in a process that has nothing else in it."""

    megabytes: float
    modules: list[str]


@pytest.fixture(scope="module")
def cost() -> Cost:
    """Import once, elsewhere."""
    told = subprocess.run([sys.executable, "-P", "-c", COST], capture_output=True, check=True).stdout
    return Cost(**json.loads(told))


def test_the_api_loads_no_client_that_only_workers_need(cost: Cost) -> None:
    loaded = {module.partition(".")[0] for module in cost.modules}
    assert loaded.isdisjoint(
        {
            "anthropic",
            "githubkit",
            "httpx",
            "alembic",
            "opentelemetry",
            "rich",
            "typer",
            "workers",
            "tree_sitter",
            "ast_grep_py",
        }
    )


def test_the_import_of_the_api_takes_little_memory(cost: Cost) -> None:
    assert cost.megabytes < MEGABYTES


@dataclass
class Served:
    """A serving process."""

    process: asyncio.subprocess.Process
    address: str


@asynccontextmanager
async def served(database_url: str, redis_url: str, **environment: str) -> AsyncIterator[Served]:
    """Serve on a port of our own."""
    with bind("127.0.0.1", 0) as listening:
        secret = settings_for().signing_secret()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "app.cli", "serve", "--fd", str(listening.fileno())),
            env={
                **os.environ,
                "DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                "TENET_SECRET": secret,
                "TENET_LOG_LEVEL": "error",
                **environment,
            },
            pass_fds=[listening.fileno()],
        )
        address = address_of(listening)
    try:

        async def lives() -> bool:
            return (await get(address, "/health/live", seconds=1))[0] == 200

        await eventually(lives)
        yield Served(process, address)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def begun_request(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
    """Send a request but for the end of its body."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = b'{"query": "{ __typename }"}'
    head = f"POST /graphql HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    writer.write(head.encode() + b"\r\n\r\n" + body[:5])
    await writer.drain()
    return reader, writer, body[5:]


async def test_an_end_that_loses_nothing(database_url: str, redis_url: str) -> None:
    async with served(database_url, redis_url, TENET_DRAIN_SECONDS="0.5", TENET_SHUTDOWN_SECONDS="8") as service:
        reader, writer, rest = await begun_request(service.address)
        url = f"ws://{service.address}/graphql"
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as live:
            await live.send('{"type": "connection_init"}')
            assert json.loads(await live.recv())["type"] == "connection_ack"
            service.process.send_signal(signal.SIGTERM)

            async def turned_away() -> bool:
                status, body = await get(service.address, "/health/ready")
                return status == 503 and json.loads(body)["status"] == "draining"

            await eventually(turned_away)
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(live.recv(), PATIENCE)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001

        async def refuses() -> bool:
            return (await get(service.address, "/health/live"))[0] == 0

        await eventually(refuses)
        assert service.process.returncode is None
        writer.write(rest)
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"__typename":"Query"' in answer
        writer.close()
        assert await asyncio.wait_for(service.process.wait(), PATIENCE) == 0


async def test_an_end_that_waits_no_longer_than_it_may(database_url: str, redis_url: str) -> None:
    async with served(database_url, redis_url, TENET_DRAIN_SECONDS="0", TENET_SHUTDOWN_SECONDS="0.2") as service:
        _, writer, _ = await begun_request(service.address)
        service.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(service.process.wait(), PATIENCE) == 0
        writer.close()


async def test_a_taken_port_is_told_in_a_sentence(database_url: str, redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "app.cli", "serve", "--port", str(port)),
            env={**os.environ, "DATABASE_URL": database_url, "REDIS_URL": redis_url},
            stderr=subprocess.PIPE,
        )
        _, told = await process.communicate()
    assert process.returncode == 7
    assert told.decode().splitlines()[0] == f"Port {port} of 127.0.0.1 is in use."
