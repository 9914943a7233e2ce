"""How git is run: with nobody's configuration but ours, within limits, and never longer than whoever asked for it."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import Fault
from app.domain.source import SourceFailed, SourceProblem
from app.gateways.git.faults import explained

OLDEST = (2, 34)
PINS_SINCE = (2, 37)
"""The first git that can be told which address a host has (`http.curloptResolve`)."""

BUFFER = 1 << 20
MOST_MEMORY = 2 << 30
"""A pack can be made so that a few kilobytes unfold to gigabytes; git then fails, and nothing else does."""

# A worker that is killed cannot end what it started, and a git that lost its own helpers' parent would hang on. So a
# guardian stands between them: it waits for git on the one hand, on the other for the end of a pipe that only the
# worker holds open, and then ends the whole group. Git expects SIGPIPE as usual; that a file became too large it shall
# say rather than die of.
_GUARDIAN = """
import _thread, os, resource, signal, sys
line, memory, size, *command = sys.argv[1:]
os.set_inheritable(int(line), False)
git = os.fork()
if not git:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, int(memory)), (resource.RLIMIT_FSIZE, int(size)))
    for kind, most in limits:
        hard = resource.getrlimit(kind)[1]
        most = most if most >= 0 and (hard == resource.RLIM_INFINITY or most < hard) else hard
        try:
            resource.setrlimit(kind, (most, most))
        except (OSError, ValueError):
            pass
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(127)
for descriptor in range(3):
    os.close(descriptor)
def guard():
    os.read(int(line), 1)
    os.killpg(os.getpid(), signal.SIGKILL)
_thread.start_new_thread(guard, ())
status = os.waitstatus_to_exitcode(os.waitpid(git, 0)[1])
if status < 0:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), -status)
os._exit(status & 255)
"""
_NOT_THERE = 127

_ENVIRONMENT = {
    "LC_ALL": "C",
    "HOME": os.devnull,
    "XDG_CONFIG_HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
}
# Where a system keeps the certificates it trusts is the operator's word, not a repository's.
_PASSED = ("PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "LD_LIBRARY_PATH")

_CONFIG = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.attributesFile": os.devnull,
    "core.excludesFile": os.devnull,
    "core.quotePath": "false",
    # Graphs and indexes of packs are caches that a local source could have forged.
    "core.commitGraph": "false",
    "core.multiPackIndex": "false",
    # Larger blobs are streamed, never held in memory nor compared line by line.
    "core.bigFileThreshold": "8m",
    "core.packedGitWindowSize": "16m",
    "core.packedGitLimit": "128m",
    "pack.threads": "2",
    "pack.useBitmaps": "false",
    "credential.helper": "",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "submodule.recurse": "false",
    "advice.detachedHead": "false",
}

_LINE_END = re.compile(rb"[\r\n]+")
_LONGEST_LINE = 2000


@dataclass(slots=True)
class Git:
    """A running git: what it writes, where to write to it, and the last lines it said."""

    process: asyncio.subprocess.Process
    said: deque[str]
    listening: asyncio.Task[None]

    @property
    def output(self) -> asyncio.StreamReader:
        """What git writes."""
        assert self.process.stdout is not None
        return self.process.stdout

    async def read(self, seconds: float) -> bytes:
        """Read what is there, at most a megabyte; nothing means that git has no more to say."""
        try:
            async with asyncio.timeout(seconds):
                return await self.output.read(BUFFER)
        except TimeoutError:
            raise timed_out() from None

    async def tell(self, data: bytes) -> None:
        """Write to git; that it does not listen any more is told by its end."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError, ConnectionResetError):
            self.process.stdin.write(data)
            await self.process.stdin.drain()

    def hang_up(self) -> None:
        """Tell git that nothing more will be written."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def end(self) -> int:
        """Wait until git has ended by itself, and give its exit status."""
        await self.listening
        return await self.process.wait()

    async def must_end_well(self) -> None:
        """Wait until git has ended, and fail with a reason if it did not end well."""
        if status := await self.end():
            raise failure(status, self.said)


@asynccontextmanager
async def running(
    *arguments: str,
    repository: Path | None = None,
    config: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    talks: bool = False,
    largest_file: int = -1,
    heard: Callable[[str], None] | None = None,
) -> AsyncIterator[Git]:
    """Run git for the time of a block; at its end, whatever it is, git and all it started are gone."""
    where = () if repository is None else (f"--git-dir={repository}",)
    held, line = os.pipe()
    try:
        starting = asyncio.create_task(
            asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _GUARDIAN, str(held), str(MOST_MEMORY), str(largest_file)),
                *("git", *where, *arguments),
                stdin=PIPE if talks else DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                cwd="/",
                env=surroundings(config or {}, environment or {}),
                start_new_session=True,
                pass_fds=(held,),
                limit=BUFFER,
            )
        )
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Half a start cannot be undone without leaving something behind; a whole one can.
            await asyncio.wait({starting})
            await asyncio.shield(_see_off(starting.result()))
            raise
        said: deque[str] = deque(maxlen=40)
        listening = asyncio.create_task(_listen(process, said, heard))
        try:
            yield Git(process, said, listening)
        finally:
            await asyncio.shield(_see_off(process, listening))
    finally:
        os.close(held)
        os.close(line)


async def answer(
    *arguments: str,
    repository: Path | None = None,
    config: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    most: int = BUFFER,
    seconds: float = 60.0,
) -> bytes:
    """Run git for a short answer."""
    async with running(*arguments, repository=repository, config=config, environment=environment) as git:
        found = bytearray()
        while piece := await git.read(seconds):
            found += piece
            if len(found) > most:
                raise SourceFailed(
                    SourceProblem.UNSUPPORTED, "The repository's answer is far longer than any sane one."
                )
        await git.must_end_well()
        return bytes(found)


def surroundings(config: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Spell an environment that holds nothing of this process's but what git cannot do without."""
    settings = list({**_CONFIG, **config}.items())
    spelt = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings):
        spelt |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {**passed, **_ENVIRONMENT, **spelt, **environment}


async def git_version() -> tuple[int, int]:
    """Ask git for its version, or say what stands in the way of using it."""
    remedy = f"Install git {'.'.join(map(str, OLDEST))} or newer."
    said = (await answer("--version")).decode(errors="replace")
    found = re.search(r"(\d+)\.(\d+)", said)
    if found is None or (version := (int(found[1]), int(found[2]))) < OLDEST:
        raise Fault(f"Git is too old: {said.strip()}.", remedy=remedy)
    return version


def failure(status: int, said: Sequence[str]) -> Exception:
    """Make an error of how git ended."""
    if status == _NOT_THERE:
        return Fault("Git cannot be executed.", remedy="Install git 2.34 or newer, and have it on the PATH.")
    return explained(said, killed_by=-status if status < 0 else 0)


def timed_out() -> SourceFailed:
    """Say that git took too long."""
    return SourceFailed(SourceProblem.TIMED_OUT, "The repository did not answer in the time that is allowed.")


async def _see_off(process: asyncio.subprocess.Process, listening: asyncio.Task[None] | None = None) -> None:
    """End a process and all that it started, and stay until it is gone."""
    # Some systems answer for a group of zombies that it may not be killed.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    # A pipe whose end nobody reads keeps asyncio from noticing that the process is gone.
    assert process.stdout is not None
    while await process.stdout.read(BUFFER):
        pass
    await (listening or _listen(process, deque(), None))
    await process.wait()


async def _listen(process: asyncio.subprocess.Process, said: deque[str], heard: Callable[[str], None] | None) -> None:
    """Follow what git says on its standard error: lines, and progress that overwrites itself."""
    assert process.stderr is not None
    rest = b""
    while piece := await process.stderr.read(1 << 14):
        *lines, rest = _LINE_END.split(rest[-_LONGEST_LINE:] + piece)
        for line in lines:
            _hear(line, said, heard)
    _hear(rest, said, heard)


def _hear(line: bytes, said: deque[str], heard: Callable[[str], None] | None) -> None:
    text = "".join(letter for letter in line[:_LONGEST_LINE].decode(errors="replace") if letter.isprintable()).strip()
    if not text:
        return
    said.append(text)
    if heard is not None:
        heard(text)
