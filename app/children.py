"""Child processes under one supervisor: started, watched, restarted, stopped in order, never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import structlog

from app.domain.errors import Fault

log = structlog.get_logger()

ATTEMPTS = 5
"""So many short lives in a row, and a child is given up."""

STEADY = 10.0
"""A child that worked for so many seconds has earned a fresh count."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""The seconds before the first restart, doubled for each further one, and their limit."""

LOG_LIMIT = 5 * 1024 * 1024
"""A log that is longer than this at a start is put aside as `<name>.1`."""

# Between fork and exec of a process that has threads hardly anything is safe, Popen's preexec_fn least of all. A small
# interpreter of its own costs 15 ms and may do what it likes: open the door while it is still root, become the account,
# and only then ask for the signal of the parent's death, which the kernel forgets when the user changes. A parent that
# died before that is noticed by its absence; the kernel means the parent's thread, which is the one of the event loop.
# What Python ignores (SIGPIPE) a program expects to find as usual.
LAUNCHER = """
import ctypes, os, signal, sys
parent, farewell, uid, gid, door, *command = sys.argv[1:]
for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(number, signal.SIG_DFL)
if uid:
    if door:
        os.dup2(os.open(door, os.O_RDONLY), 9)
    os.chdir("/")
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, int(farewell))
    if os.getppid() != int(parent):
        sys.exit("The supervisor is gone.")
try:
    os.execvp(command[0], command)
except OSError as error:
    sys.exit(f"{command[0]} cannot be executed: {error.strerror}")
"""


@dataclass(frozen=True)
class Account:
    """The user and group a child runs as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Launch:
    """One start of a child: what is executed, how, as whom, a folder it must get into, and descriptors it inherits."""

    command: Sequence[str | Path]
    environment: Mapping[str, str] | None = None
    account: Account | None = None
    door: Path | None = None
    keep: Sequence[int] = ()


def through_door(folder: Path, account: Account | None) -> str:
    """Name a folder, the `door` of a launch, so that the account gets in even if folders above are closed to it."""
    # Root opens the folder and hands the descriptor down; to follow it asks no permission of what lies above. Only
    # Linux can do that, elsewhere a child that runs as another user must be able to go the whole way.
    return str(folder) if account is None or sys.platform != "linux" else "/proc/self/fd/9"


@dataclass(frozen=True)
class Child:
    """What the supervisor knows about a child; `launch` is asked anew for each start."""

    name: str
    launch: Callable[[], Awaitable[Launch]]
    ready: Callable[[], Awaitable[bool]] | None = None
    log: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    patience: float = 60.0
    explain: Callable[[str], Fault] | None = None

    def given_up(self, story: str) -> Fault:
        """Say why this child is given up."""
        if self.explain is not None:
            return self.explain(story)
        remedy = f"Read {self.log} and start again." if self.log else "Read its last lines above and start again."
        return Fault(story, remedy=remedy)


class Supervisor:
    """Keeps children alive for the time of a block; a child it gives up ends the block with a Fault."""

    def __init__(self) -> None:
        self.changed: Callable[[], None] = lambda: None
        """Called whenever `pids` has a new process."""
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._processes: dict[str, Process] = {}
        self._leaving = False
        self._failure: Exception | None = None

    @property
    def pids(self) -> dict[str, int]:
        """The process of each child that lives now."""
        return {name: process.pid for name, process in self._processes.items()}

    async def start(self, child: Child) -> None:
        """Start a child and return once it is ready; from now on it is restarted when it dies."""
        up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keepers[child.name] = asyncio.create_task(self._keep(child, up), name=f"keep {child.name}")
        await up

    async def stop(self, name: str) -> None:
        """Stop one child in its own way and return once it is gone."""
        self._keepers[name].cancel()
        await asyncio.wait({self._keepers[name]})
        del self._keepers[name]

    async def __aenter__(self) -> Self:
        owner = asyncio.current_task()
        assert owner is not None
        self._owner, self._cancelled_before = owner, owner.cancelling()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving = True
        try:
            for name in reversed(list(self._keepers)):
                await self.stop(name)
        finally:
            # Only somebody who will not wait any longer leaves children here: a second cancel kills at once.
            for keeper in self._keepers.values():
                keeper.cancel()
            if self._keepers:
                await asyncio.wait(self._keepers.values())
        if self._failure is not None and self._owner.uncancel() <= self._cancelled_before:
            raise self._failure from (None if kind is asyncio.CancelledError else error)

    async def _keep(self, child: Child, up: asyncio.Future[None]) -> None:
        """Lead a child through its lives; to cancel this task is to stop the child."""
        short_lives = 0
        try:
            while True:
                steady, story = await self._live(child, up)
                short_lives = 1 if steady else short_lives + 1
                if short_lives == ATTEMPTS:
                    raise child.given_up(f"{child.name} ended {ATTEMPTS} times in a row, lastly {story}.")
                pause = min(FIRST_PAUSE * 2 ** (short_lives - 1), LONGEST_PAUSE)
                log.warning("child died", child=child.name, how=story, restart_in=pause)
                await asyncio.sleep(pause)
        except OSError as error:
            self._give_up(up, child.given_up(f"{child.name} cannot be started: {error}."))
        except Exception as error:
            self._give_up(up, error)
        finally:
            up.cancel()

    def _give_up(self, up: asyncio.Future[None], failure: Exception) -> None:
        """Tell whoever waits for the start, or else end the block."""
        if not up.done():
            up.set_exception(failure)
        elif not (self._leaving or self._failure):
            self._failure = failure
            self._owner.cancel()

    async def _live(self, child: Child, up: asyncio.Future[None]) -> tuple[bool, str]:
        """Lead a child through one life, and return whether it was a steady one and how it ended."""
        clock = asyncio.get_running_loop().time
        launch = await child.launch()
        with _Journal(child.log) as journal:
            process = await _spawn(launch, child.stop_signal, journal.file)
            try:
                self._processes[child.name] = process
                self.changed()
                born = clock()
                ready_at = None
                if await _becomes_ready(child, process, journal):
                    ready_at = clock()
                    seconds = round(ready_at - born, 3)
                    log.info("child ready", child=child.name, pid=process.pid, restarted=up.done(), seconds=seconds)
                    if not up.done():
                        up.set_result(None)
                await process.wait()
            finally:
                del self._processes[child.name]
                await _end(process, child.name, child.stop_signal, child.grace)
            return ready_at is not None and clock() - ready_at > STEADY, _story(process, journal)


async def run(launch: Launch) -> tuple[int, str]:
    """Run a child that ends by itself, and return its exit status and what it said."""
    process = await _spawn(launch, signal.SIGTERM, subprocess.PIPE)
    try:
        output, _ = await process.communicate()
        return await process.wait(), output.decode(errors="replace")
    finally:
        await _end(process, Path(launch.command[0]).name, signal.SIGTERM, grace=1.0)


class _Journal:
    """The log of one life of a child, and where in it this life begins."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.file: IO[bytes] | None = None
        self.beginning = 0

    def __enter__(self) -> Self:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            if self.path.stat().st_size > LOG_LIMIT:
                self.path.replace(f"{self.path}.1")
                self.path.touch(mode=0o600)
            self.file = self.path.open("ab")
            self.beginning = self.file.tell()
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()

    def last_words(self) -> str:
        """The last lines the child wrote in this life, on one line."""
        if self.path is None:
            return ""
        with self.path.open("rb") as log_file:
            end = log_file.seek(0, os.SEEK_END)
            log_file.seek(max(self.beginning, end - 2000))
            lines = log_file.read().decode(errors="replace").splitlines()
        return " / ".join([line.strip() for line in lines if line.strip()][-5:])


async def _spawn(launch: Launch, farewell: signal.Signals, output: IO[bytes] | int | None) -> Process:
    """Start a process in a session of its own, so that Ctrl-C in the terminal reaches only the supervisor."""
    account = launch.account
    identity = (str(account.uid), str(account.gid)) if account else ("", "")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-c", LAUNCHER),
        *(str(os.getpid()), str(int(farewell)), *identity, str(launch.door or "")),
        *map(str, launch.command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        env=launch.environment,
        start_new_session=True,
        pass_fds=launch.keep,
    )


async def _becomes_ready(child: Child, process: Process, journal: _Journal) -> bool:
    """Wait until a child is ready; False if it ends before."""
    if child.ready is None:
        return True
    clock = asyncio.get_running_loop().time
    deadline = clock() + child.patience
    while process.returncode is None:
        if await child.ready():
            return True
        if clock() > deadline:
            story = f"{child.name} does not answer {child.patience:.0f} s after its start"
            raise child.given_up(f"{_saying(story, journal.last_words())}.")
        await asyncio.sleep(0.01)
    return False


async def _end(process: Process, name: str, farewell: signal.Signals, grace: float) -> None:
    """End a process and all of its group; a process that ended already only loses what it left behind."""
    try:
        if process.returncode is None:
            _signal(os.kill, process.pid, farewell)
            async with asyncio.timeout(grace):
                await process.wait()
    except TimeoutError:
        log.warning("child killed", child=name, after=grace)
    finally:
        _signal(os.killpg, process.pid, signal.SIGKILL)
        await process.wait()


def _signal(send: Callable[[int, int], None], pid: int, number: signal.Signals) -> None:
    # Not Process.send_signal: it looks whether the process ended and may snatch the exit status from the event loop.
    # Some systems answer for a group of zombies that it may not be killed.
    with suppress(ProcessLookupError, PermissionError):
        send(pid, number)


def _story(process: Process, journal: _Journal) -> str:
    status = process.returncode or 0
    how = f"with exit status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"
    return _saying(how, journal.last_words())


def _saying(story: str, words: str) -> str:
    return f'{story}, saying "{words}"' if words else story
