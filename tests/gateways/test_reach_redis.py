"""The way to Redis, or one sentence that says what stands in it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from redis.asyncio import Redis

from app.domain.errors import Fault
from app.embedded.programs import find_redis
from app.embedded.redis import redis_answers
from app.gateways import redis as module
from app.gateways.redis import open_pool, reach_redis
from tests.installed import eventually

PASSWORD = "hunter2hunter2"


@pytest.fixture
async def guarded() -> AsyncIterator[Path]:
    """The socket of a Redis that wants a password."""
    with TemporaryDirectory(prefix="tenet-redis-") as folder:
        socket = Path(folder) / "r.sock"
        options = ("--port", "0", "--unixsocket", str(socket), "--requirepass", PASSWORD, "--save", "")
        process = await asyncio.create_subprocess_exec(
            find_redis(None), *options, cwd=folder, stdout=asyncio.subprocess.DEVNULL
        )
        try:

            async def listens() -> bool:
                return socket.exists()

            await eventually(listens)
            yield socket
        finally:
            process.terminate()
            await process.wait()


async def refusal_of(url: str) -> Fault:
    """Be refused."""
    with pytest.raises(Fault) as refused:
        await reach_redis(url)
    assert refused.value.exit_code == 6
    assert PASSWORD not in refused.value.message + refused.value.remedy
    return refused.value


async def test_a_redis_that_wants_a_password(guarded: Path) -> None:
    missing = await refusal_of(f"unix://{guarded}")
    wrong = await refusal_of(f"unix://:{PASSWORD}x@{guarded}")
    assert missing.message == f"Redis at {guarded} wants a password."
    assert wrong.message == f"Redis at {guarded} refuses this user or password."
    assert "REDIS_URL" in missing.remedy
    assert (await reach_redis(f"unix://:{PASSWORD}@{guarded}"))["redis_version"]


async def test_a_redis_that_is_not_there() -> None:
    gone = await refusal_of(f"redis://:{PASSWORD}@127.0.0.1:9/0")
    assert gone.message.startswith("Redis at 127.0.0.1:9 does not answer")


async def test_a_redis_that_is_too_old(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OLDEST", (99, 0))
    assert "is version" in (await refusal_of(redis_url)).message


async def test_the_redis_of_these_tests_answers(redis_url: str) -> None:
    assert await redis_answers(redis_url.partition("?")[0])
    assert (await reach_redis(redis_url))["aof_enabled"] == 1


async def test_tasks_that_find_a_connection_closed_open_it_together(redis_url: str) -> None:
    connection = open_pool(f"{redis_url}&client_name=together", tries=0).make_connection()  # type: ignore[no-untyped-call]
    try:
        for _ in range(2):
            await asyncio.gather(*(connection.connect() for _ in range(3)))
            async with Redis.from_url(redis_url) as redis:
                names = [client["name"] for client in await redis.client_list()]
            assert names.count("together") == 1
            await connection.disconnect()
    finally:
        await connection.disconnect()
