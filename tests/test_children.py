"""Child processes: restarted, given up, stopped in their own way, and never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app import children
from app.children import Account, Child, Launch, Supervisor, run, through_door
from app.domain.errors import Fault

ROOT = Path(__file__).parent.parent


async def eventually(condition: Callable[[], bool], *, within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        for _ in iter(condition, True):
            await asyncio.sleep(0.01)


def lives(pid: int) -> bool:
    """A zombie, which its parent has not asked for yet, does not live."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1] if Path("/proc/self").exists() else "?"
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state not in "ZX"


def python(name: str, code: str, log: Path | None = None, **options: object) -> Child:
    async def launch() -> Launch:
        return Launch([sys.executable, "-c", code])

    return Child(name, launch, log=log, **options)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "FIRST_PAUSE", 0.01)


SLEEP = "import time; print('here', flush=True); time.sleep(60)"


async def test_a_child_that_dies_is_restarted() -> None:
    changes: list[int] = []
    async with Supervisor() as supervisor:
        supervisor.changed = lambda: changes.append(supervisor.pids["sleeper"])
        await supervisor.start(python("sleeper", SLEEP))
        first = supervisor.pids["sleeper"]
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: supervisor.pids.get("sleeper", first) != first)
        second = supervisor.pids["sleeper"]
        assert lives(second)
    assert changes == [first, second]
    assert not lives(first)
    assert not lives(second)


async def test_each_start_is_prepared_anew(tmp_path: Path) -> None:
    starts: list[int] = []

    async def launch() -> Launch:
        starts.append(len(starts))
        code = f"import time; print('start {starts[-1]}', flush=True); time.sleep(60 * {starts[-1]})"
        return Launch([sys.executable, "-c", code], environment={"LC_ALL": "C"})

    log = tmp_path / "logs" / "child.log"
    async with Supervisor() as supervisor:
        await supervisor.start(Child("changing", launch, log=log))
        await eventually(lambda: "start 1" in log.read_text())
    assert starts == [0, 1]


async def test_a_child_that_never_lives_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    code = "print('one'); print('no such disk'); raise SystemExit(3)"
    async with Supervisor() as supervisor:
        with pytest.raises(Fault) as caught:
            await supervisor.start(python("hopeless", code, tmp_path / "log", ready=never))
    said = 'hopeless ended 5 times in a row, lastly with exit status 3, saying "one / no such disk".'
    assert caught.value.message == said
    assert str(tmp_path / "log") in caught.value.remedy


async def never() -> bool:
    return False


async def test_a_child_given_up_later_ends_the_block(tmp_path: Path) -> None:
    works = tmp_path / "works"
    works.touch()
    code = f"import os, time; os.stat({str(works)!r}); time.sleep(60)"
    sleepers: list[int] = []

    async def block() -> None:
        async with Supervisor() as supervisor:
            await supervisor.start(python("sleeper", SLEEP))
            await supervisor.start(python("fragile", code, tmp_path / "log"))
            sleepers.append(supervisor.pids["sleeper"])
            works.unlink()
            os.kill(supervisor.pids["fragile"], signal.SIGKILL)
            await asyncio.sleep(10)

    with pytest.raises(Fault, match="fragile ended 5 times"):
        await block()
    assert not any(map(lives, sleepers))
    current = asyncio.current_task()
    assert current is not None
    assert not current.cancelling()


async def test_a_child_that_does_not_become_ready_is_given_up(tmp_path: Path) -> None:
    async with Supervisor() as supervisor:
        with pytest.raises(Fault, match="mute does not answer"):
            await supervisor.start(python("mute", SLEEP, tmp_path / "log", ready=never, patience=0.05))


async def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    async def launch() -> Launch:
        return Launch([tmp_path / "nothing"])

    async with Supervisor() as supervisor:
        with pytest.raises(Fault, match="nothing cannot be executed: No such file"):
            await supervisor.start(Child("absent", launch, log=tmp_path / "log", ready=never))


async def test_an_own_explanation_is_preferred(tmp_path: Path) -> None:
    def explain(story: str) -> Fault:
        return Fault(f"Alas: {story}", remedy="Weep.", exit_code=9)

    async with Supervisor() as supervisor:
        with pytest.raises(Fault, match="Alas: brief ended") as caught:
            await supervisor.start(python("brief", "", tmp_path / "log", ready=never, explain=explain))
    assert caught.value.exit_code == 9


async def test_children_stop_in_reverse_order_each_by_its_signal(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = """
import signal, sys, time
def leave(number, frame):
    print(sys.argv[0], "{name} left by", signal.Signals(number).name, flush=True)
    raise SystemExit
signal.signal(signal.SIGTERM, leave)
signal.signal(signal.SIGINT, leave)
print("{name} is here", flush=True)
time.sleep(60)
"""

    def here(name: str) -> Callable[[], bool]:
        return lambda: f"{name} is here" in log.read_text()

    async with Supervisor() as supervisor:
        await supervisor.start(python("first", code.format(name="first"), log))
        await supervisor.start(python("second", code.format(name="second"), log, stop_signal=signal.SIGINT))
        await eventually(here("first"))
        await eventually(here("second"))
    assert log.read_text().splitlines()[2:] == ["-c second left by SIGINT", "-c first left by SIGTERM"]


async def test_one_child_can_be_stopped_alone() -> None:
    async with Supervisor() as supervisor:
        await supervisor.start(python("one", SLEEP))
        await supervisor.start(python("other", SLEEP))
        one = supervisor.pids["one"]
        await supervisor.stop("one")
        assert not lives(one)
        assert list(supervisor.pids) == ["other"]


async def test_a_stubborn_child_is_killed_with_all_it_started(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""
    async with Supervisor() as supervisor:
        await supervisor.start(python("stubborn", code, log, grace=0.05))
        await eventually(lambda: log.read_text().endswith("\n"))
        pid, grandchild = supervisor.pids["stubborn"], int(log.read_text())
        assert lives(grandchild)
    assert not lives(pid)
    await eventually(lambda: not lives(grandchild))


async def test_a_cancelled_block_leaves_nothing(tmp_path: Path) -> None:
    pids: list[int] = []

    async def block() -> None:
        async with Supervisor() as supervisor:
            await supervisor.start(python("sleeper", SLEEP))
            pids.extend(supervisor.pids.values())
            await supervisor.start(python("starting", SLEEP, tmp_path / "log", ready=never))

    task = asyncio.create_task(block())
    await eventually(lambda: (tmp_path / "log").exists() and "here" in (tmp_path / "log").read_text())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(pids) == 1
    assert not lives(pids[0])


async def test_the_terminal_does_not_reach_children() -> None:
    async with Supervisor() as supervisor:
        await supervisor.start(python("sleeper", SLEEP))
        assert os.getsid(supervisor.pids["sleeper"]) == supervisor.pids["sleeper"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_children_follow_a_killed_supervisor() -> None:
    code = """
import asyncio, sys
from app.children import Child, Launch, Supervisor
async def launch():
    return Launch([sys.executable, "-c", "import time; time.sleep(60)"])
async def main():
    async with Supervisor() as supervisor:
        await supervisor.start(Child("sleeper", launch))
        print(supervisor.pids["sleeper"], flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    # structlog writes to the same stream, so the pid is on the last line of those that are there.
    line = b""
    while not line.strip().isdigit():
        line = await parent.stdout.readline()
    assert lives(int(line))
    parent.kill()
    await parent.wait()
    await eventually(lambda: not lives(int(line)))


async def test_a_long_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "LOG_LIMIT", 10)
    log = tmp_path / "log"
    log.write_text("eleven bytes")
    async with Supervisor() as supervisor:
        await supervisor.start(python("sleeper", SLEEP, log))
        await eventually(lambda: log.read_text() == "here\n")
    assert (tmp_path / "log.1").read_text() == "eleven bytes"


async def test_run_returns_status_and_output() -> None:
    code = "import sys; print('out'); sys.stdout.flush(); sys.exit('err')"
    assert await run(Launch([sys.executable, "-c", code])) == (1, "out\nerr\n")


async def test_a_cancelled_run_leaves_no_process(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid()) + '.'); time.sleep(60)"
    task = asyncio.create_task(run(Launch([sys.executable, "-c", code])))
    await eventually(lambda: pid_file.exists() and pid_file.read_text().endswith("."))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not lives(int(pid_file.read_text()[:-1]))


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root becomes another user")
async def test_another_user_gets_through_the_door(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    folder = closed / "folder"
    folder.mkdir(parents=True)
    closed.chmod(0o700)
    account = Account(65534, 65534)
    os.chown(folder, account.uid, account.gid)
    write = 'echo "$(id -u) $(id -G)" > "$0/who"; test -e "$1" || echo closed >> "$0/who"'
    command = ["/bin/sh", "-c", write, through_door(folder, account), str(folder)]
    status, output = await run(Launch(command, account=account, door=folder))
    assert (status, output) == (0, "")
    assert (folder / "who").read_text() == "65534 65534\nclosed\n"
