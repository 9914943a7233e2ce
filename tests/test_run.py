"""`tenet run`: everything answers, whatever is killed comes back, and the end leaves nothing behind."""

import json
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from app.domain.ids import Kind, parse_as
from tests.installed import eventually
from tests.running import Running, left_of, running, tenet

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

WHO = {"query": "{ viewer { login memberships { role organization { id slug } } } }"}


async def ask(life: Running, token: str) -> dict[str, object]:
    """Ask who the token stands for."""
    async with httpx.AsyncClient() as client:
        response = await client.post(life.told["graphql"], json=WHO, headers={"authorization": f"Bearer {token}"})
    answer: dict[str, object] = response.json()["data"]["viewer"]
    return answer


async def test_whatever_is_killed_comes_back(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as life:
        await life.ready()
        told = life.told
        assert list(told) == ["graphql", "ws", "token", "organizationId", "databaseUrl", "redisUrl", "pids"]
        assert list(told["pids"]) == ["supervisor", "api", "worker", "postgres", "redis"]
        assert told["pids"]["supervisor"] == life.process.pid
        assert life.ready_file.stat().st_mode & 0o777 == 0o600
        parse_as(Kind.ORGANIZATION, told["organizationId"])
        organization = {"id": told["organizationId"], "slug": "dev"}
        viewer = {"login": "developer", "memberships": [{"role": "OWNER", "organization": organization}]}
        assert await ask(life, told["token"]) == viewer

        for name in ("worker", "api", "redis", "postgres"):
            before = life.pids
            os.kill(before[name], signal.SIGKILL)

            async def replaced(name: str = name, before: int = before[name]) -> bool:
                return life.pids[name] != before

            await eventually(replaced, patience=20)
            await life.ready()
            assert life.pids == {**before, name: life.pids[name]}
        assert await ask(life, told["token"]) == viewer
        assert life.address == told["graphql"].removeprefix("http://").removesuffix("/graphql")

        life.process.send_signal(signal.SIGTERM)
        assert await life.ended() == 0
        assert not life.ready_file.exists()


async def test_a_start_after_everything_was_killed(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    async with running(data_dir) as life:
        await life.ready()
        before = life.told
        for pid in before["pids"].values():
            os.kill(pid, signal.SIGKILL)
        assert await life.process.wait() == -signal.SIGKILL

    async with running(data_dir) as life:
        await life.ready()
        assert life.told["organizationId"] == before["organizationId"]
        assert set(life.pids.values()).isdisjoint(before["pids"].values())
        await ask(life, before["token"])

        second = tenet(data_dir, "run", "--port", "0")
        assert second.returncode == 4
        assert second.stderr.startswith("Another Tenet instance uses")
        token = tenet(data_dir, "token", "--days", "1")
        assert token.returncode == 0, token.stderr
        assert (await ask(life, token.stdout.strip()))["login"] == "developer"
        found = json.loads(tenet(data_dir, "doctor", "--json").stdout)
        states = {finding["part"]: finding["state"] for finding in found}
        assert {states[part] for part in ("settings", "PostgreSQL", "migrations", "Redis", "workers")} == {"ok"}

        # The supervisor alone: its children must not live on without it.
        life.process.kill()
        await life.process.wait()

        async def orphans() -> bool:
            return not left_of(data_dir)

        await eventually(orphans, patience=20)


async def test_an_interrupt_in_the_middle_of_a_start(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as life:

        async def begun() -> bool:
            return (tmp_path / "data" / "lock").exists()

        await eventually(begun)
        life.process.send_signal(signal.SIGINT)
        assert await life.ended() == 0
        assert not life.ready_file.exists()


def test_what_is_wrong_is_said_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    wrong = {
        "a data directory that is a file": (tenet(file, "run", "--port", "0"), 3),
        "a ready file that cannot be": (tenet(tmp_path / "data", "run", "--ready-file", str(file / "ready.json")), 2),
        "a wrong setting": (tenet(tmp_path / "data", "run", TENET_PORT="eighty"), 2),
        "a database that is not there": (
            tenet(tmp_path / "data", "run", "--port", "0", DATABASE_URL="postgresql://tenet@127.0.0.1:9/tenet"),
            5,
        ),
    }
    for what, (result, exit_code) in wrong.items():
        assert result.returncode == exit_code, f"{what}: {result.stderr}"
        assert "Traceback" not in result.stderr
        assert 1 <= len(result.stderr.splitlines()) <= 3, result.stderr
