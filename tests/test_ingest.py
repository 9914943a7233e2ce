"""`tenet ingest` and `tenet run --repo`: progress and results, each on its stream, and an end that is always clean."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cli import asking
from app.cli.ingest import Wanted, look_at
from app.cli.ports import bind, get
from app.cli.service import Service
from app.domain.errors import Fault
from tests.installed import eventually, settings_for
from tests.running import Running, begun, left_of, running, tenet, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

RUNS = "{ repos { nodes { fullName url defaultBranch runs { nodes { status trigger } } } } }"
PERSON = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")


def git(place: Path, *arguments: str) -> None:
    """Run git where a test has a repository."""
    subprocess.run(["git", "-C", place, *PERSON, *arguments], check=True, capture_output=True)


def repository(place: Path, *branches: str) -> Path:
    """Make a small repository."""
    place.mkdir(parents=True)
    git(place, "init", "--quiet", "--initial-branch", "main")
    for name in ("alpha", "beta", "gamma"):
        (place / f"{name}.py").write_text(f"import logging\n\nlog = logging.getLogger(__name__)\n{name} = 1\n")
    git(place, "add", ".")
    git(place, "commit", "--quiet", "-m", "Begin")
    for branch in branches:
        git(place, "branch", branch)
    return place


async def repos(life: Running) -> list[dict[str, Any]]:
    """Read what is connected, and how its runs went."""
    headers = {"authorization": f"Bearer {life.told['token']}"}
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.post(life.told["graphql"], json={"query": RUNS}, headers=headers)
    found: list[dict[str, Any]] = response.json()["data"]["repos"]["nodes"]
    return found


def statuses(repo: dict[str, Any]) -> list[str]:
    """Read how the runs of a repository went, newest first."""
    return [run["status"] for run in repo["runs"]["nodes"]]


@pytest.fixture
async def life(tmp_path: Path) -> AsyncIterator[Running]:
    """An installation that runs."""
    async with running(tmp_path / "data") as life:
        await life.ready()
        yield life


def test_a_service_of_its_own_for_the_time_of_a_run(tmp_path: Path) -> None:
    place = repository(tmp_path / 'it\'s "ours", naïve; $HOME (1)')
    data_dir = tmp_path / "data"
    first = tenet(data_dir, "ingest", str(place))
    assert first.returncode == 0, first.stderr
    said = first.stderr.splitlines()
    assert said[0] == f"No service runs with {data_dir}; starting one for the time of this run."
    assert "FETCH    succeeded" in first.stderr
    assert "INDEX    succeeded" in first.stderr
    assert ": 3 files (Python 3), about " in first.stdout.splitlines()[0]
    assert "FETCH" not in first.stdout
    assert not left_of(data_dir)

    again = tenet(data_dir, "ingest", str(place / "."), "--json")
    assert again.returncode == 0, again.stderr
    assert isinstance(json.loads(again.stdout), list)
    assert "Nothing changed since the last run." in again.stderr
    assert not left_of(data_dir)


async def test_the_service_that_runs_is_found_and_a_repository_is_connected_once(life: Running, tmp_path: Path) -> None:
    place = repository(tmp_path / "hello", "next")
    assert (life.data_dir / "service.json").stat().st_mode & 0o777 == 0o600
    for arguments in ((), ("--force",), ("--branch", "next")):
        told = tenet(life.data_dir, "ingest", str(place), *arguments)
        assert told.returncode == 0, told.stderr
        assert "starting one" not in told.stderr
    (repo,) = await repos(life)
    assert (repo["fullName"], repo["url"], repo["defaultBranch"]) == ("hello", str(place), "next")
    assert statuses(repo) == ["SUCCEEDED"] * 3
    (place / "below").mkdir()
    below = tenet(life.data_dir, "ingest", str(place / "below"))
    assert below.returncode == 0, below.stderr
    assert len(await repos(life)) == 1

    # The same, by name: as a person far away would.
    named = {"TENET_URL": f"http://{life.address}", "TENET_TOKEN": life.told["token"]}
    elsewhere = tmp_path / "elsewhere"
    far = tenet(elsewhere, "ingest", str(place), "--json", **named)
    assert far.returncode == 0, far.stderr
    assert not elsewhere.exists()
    refused = tenet(elsewhere, "ingest", str(place), **{**named, "TENET_TOKEN": "nonsense"})
    assert (refused.returncode, refused.stdout) == (9, "")
    assert refused.stderr.splitlines()[-1].startswith("Set TENET_TOKEN")
    # Only the service knows what lies on its disk, and what it finds out is the end of a run.
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    failed = tenet(elsewhere, "ingest", str(nothing), **named)
    assert (failed.returncode, failed.stdout) == (10, "")
    assert "The run failed: There is no git repository" in failed.stderr


def test_what_became_of_a_convention_is_told_said_or_left_out(life: Running, tmp_path: Path) -> None:
    place = repository(tmp_path / "hello")
    for number in range(30):
        text = "try:\n    pass\nexcept ValueError as failure:\n    raise KeyError(1) from failure\n"
        (place / f"small_part{number}.py").write_text(text)
    git(place, "add", ".")
    git(place, "commit", "--quiet", "-m", "Grow")
    said = tenet(life.data_dir, "ingest", str(place), "--explain", "caught exceptions `failure`")
    assert said.returncode == 0, said.stderr
    told = said.stdout.splitlines()
    assert told[0].startswith("Python caught exceptions are named `failure`: candidate (30 of 30, ")
    assert "The miner caught-names counted 30 of 30 sites in 30 files" in said.stdout
    # The commit was read before: what its run left out is told all the same.
    norm = tenet(life.data_dir, "ingest", str(place), "--explain", "snake_case")
    assert norm.stdout.splitlines() == [
        "Python files are named in snake_case (30 of 30): left out",
        "  language norm: nearly everybody who writes the language does so; it tells nothing of this repository.",
    ]
    nothing = tenet(life.data_dir, "ingest", str(place), "--explain", "unheard of")
    assert nothing.stdout.startswith("Nothing that was counted is called so")


@pytest.fixture
def unreadable(tmp_path: Path) -> dict[str, tuple[str, ...]]:
    """What cannot be read, by what is said of it."""
    place, empty, plain = repository(tmp_path / "hello"), tmp_path / "empty", tmp_path / "plain"
    for folder in (empty, plain):
        folder.mkdir()
    git(empty, "init", "--quiet")
    return {
        "There is no git repository": (str(plain),),
        f"There is no {tmp_path / 'absent'}.": (str(tmp_path / "absent"),),
        "The repository has no branch absent.": (str(place), "absent"),
        "No branch can have this name.": (str(place), "--upload-pack=x"),
        "The repository has no commits.": (str(empty),),
        "fetched over https and ssh only": ("ext::sh -c id",),
        "must carry no password": ("https://me:secret@example.com/a/b",),
        "no control characters": (f"{tmp_path}/two\nlines",),
    }


def test_what_cannot_be_read_is_said_before_anything_starts(
    unreadable: dict[str, tuple[str, ...]], tmp_path: Path
) -> None:
    settings = settings_for(data_dir=tmp_path / "data")
    for words, (place, *branch) in unreadable.items():
        with pytest.raises(Fault, match=re.escape(words)) as refused:
            look_at(Wanted.read(place, branch=branch[0] if branch else None), settings)
        assert refused.value.exit_code == 2
        assert refused.value.remedy
    with pytest.raises(Fault, match="takes no local paths") as refused:
        look_at(Wanted.read(str(tmp_path / "hello")), settings_for(local_sources=False))
    assert refused.value.exit_code == 9

    plain = str(tmp_path / "plain")
    for arguments, exit_code, environment in (
        (("ingest", plain), 2, {}),
        (("run", "--repo", plain), 2, {}),
        (("ingest", plain), 2, {"TENET_URL": "http://127.0.0.1:9"}),
        (("ingest", plain), 2, {"TENET_ENV": "production"}),
    ):
        told = tenet(tmp_path / "data", *arguments, **environment)
        assert (told.returncode, told.stdout) == (exit_code, ""), told.stderr
        assert "Traceback" not in told.stderr
        assert len(told.stderr.splitlines()) >= 2
    assert not (tmp_path / "data").exists()


async def test_a_service_that_cannot_be_reached_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.0)
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    async with asking.asking(Service(f"http://127.0.0.1:{port}/graphql", "token")) as asker:
        for attempt in (asker.ask("{ __typename }"), end_of(asker)):
            with pytest.raises(
                Fault, match=f"The service at http://127.0.0.1:{port}/graphql does not answer"
            ) as refused:
                await attempt
            assert refused.value.exit_code == 8


async def end_of(asker: asking.Asker) -> None:
    """Follow to the end."""
    async for _ in asker.follow("subscription { x }", "x"):
        pass


async def test_an_interrupt_cancels_the_run_that_was_begun(life: Running, tmp_path: Path) -> None:
    place = repository(tmp_path / "hello")
    # A worker that stands still keeps the run where it is.
    os.kill(life.pids["worker"], signal.SIGSTOP)
    try:
        async with begun(life.data_dir, "ingest", str(place)) as first:
            await until(first.stderr, "Connected hello.")
            async with begun(life.data_dir, "ingest", str(place)) as second:
                await until(second.stderr, "this follows that run")
                second.send_signal(signal.SIGINT)
                assert await second.wait() == 130
            assert statuses((await repos(life))[0]) == ["QUEUED"]
            first.send_signal(signal.SIGINT)
            output, said = await first.communicate()
            assert (first.returncode, output) == (130, b"")
            assert b"Traceback" not in said
        assert statuses((await repos(life))[0]) == ["CANCELLED"]
    finally:
        os.kill(life.pids["worker"], signal.SIGCONT)


async def test_an_interrupt_of_a_service_of_its_own_leaves_nothing(tmp_path: Path) -> None:
    place, data_dir = repository(tmp_path / "hello"), tmp_path / "data"
    for words in ("starting one", "Connected hello."):
        async with begun(data_dir, "ingest", str(place)) as process:
            await until(process.stderr, words)
            process.send_signal(signal.SIGINT)
            await process.communicate()
            assert process.returncode in (0, 130)

            async def gone() -> bool:
                return not left_of(data_dir)

            await eventually(gone, patience=20)


async def test_a_killed_api_costs_nothing_and_a_killed_service_is_noticed(life: Running, tmp_path: Path) -> None:
    place = repository(tmp_path / "hello")
    before = life.pids
    os.kill(before["worker"], signal.SIGSTOP)
    async with begun(life.data_dir, "ingest", str(place)) as process:
        await until(process.stderr, "Connected hello.")
        os.kill(before["api"], signal.SIGKILL)

        async def replaced() -> bool:
            return life.pids["api"] != before["api"] and (await get(life.address, "/health/live"))[0] == 200

        await eventually(replaced, patience=20)
        os.kill(before["worker"], signal.SIGCONT)
        output, said = await process.communicate()
        assert process.returncode == 0, said.decode()
        assert b"3 files" in output

    worker = life.pids["worker"]
    os.kill(worker, signal.SIGSTOP)
    async with begun(life.data_dir, "ingest", str(place), "--force") as process:

        async def queued() -> bool:
            return "QUEUED" in statuses((await repos(life))[0])

        await eventually(queued)
        life.process.kill()
        _, said = await process.communicate()
        os.kill(worker, signal.SIGCONT)
        assert process.returncode == 8, said.decode()
        assert b"is gone" in said
        assert b"Traceback" not in said
    await life.process.wait()


async def test_run_reads_a_repository_first_and_goes_on_serving(tmp_path: Path) -> None:
    place = repository(tmp_path / "hello")
    async with running(tmp_path / "data", "--repo", str(place), output=subprocess.PIPE) as life:
        said = await until(life.process.stdout, "triage")
        assert "GraphiQL: http://" in said
        assert "hello at " in said
        await life.ready()
        assert statuses((await repos(life))[0]) == ["SUCCEEDED"]
        life.process.send_signal(signal.SIGINT)
        assert await life.ended() == 0
        assert not (tmp_path / "data" / "service.json").exists()
