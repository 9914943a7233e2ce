"""What ends a fetch: time, a person, a broken connection, size, a dead worker; and what is left then."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import zlib
from asyncio import StreamWriter
from contextlib import suppress
from pathlib import Path

import pytest

from app.domain.source import SourceProblem
from app.gateways.git import FetchLimits, entry_at
from app.gateways.git import process as git_process
from tests.gateways.conftest import Fetcher, problem
from tests.gateways.making import Made, named, traced
from tests.gateways.serving import BACKEND, Answer, Request, Server, told
from tests.installed import PATIENCE

pytestmark = pytest.mark.skipif(not BACKEND.exists(), reason="this git has no http-backend")


ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process groups that were ended."""
    ended: list[int] = []
    kill = os.killpg

    def noted(group: int, number: int) -> None:
        ended.append(group)
        kill(group, number)

    monkeypatch.setattr(os, "killpg", noted)
    return ended


def all_gone(groups: list[int]) -> bool:
    """Tell whether no process of these groups is left, once each had its moment to die of the signal it was sent."""
    for _ in range(100):
        listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
        lines = (line.split() for line in listed.splitlines())
        if not [group for group, state in lines if int(group) in groups and not state.startswith("Z")]:
            return True
    return False


async def test_a_host_that_never_answers_costs_the_time_that_is_allowed(
    fetch: Fetcher, server: Server, groups: list[int]
) -> None:
    async with asyncio.timeout(PATIENCE):
        refused = await problem(fetch, server.url("hang/x"), limits=FetchLimits(1 << 20, 0.3))
    assert (refused.code, refused.passing) == (SourceProblem.TIMED_OUT, True)
    assert all_gone(groups)


def open_files() -> int:
    """Count what this process holds open."""
    return len(list(Path("/dev/fd").iterdir()))


async def test_a_start_that_is_cancelled_at_any_moment_leaves_nothing_behind(made: Made, groups: list[int]) -> None:
    head, before = made.head(), open_files()
    for moments in range(40):
        task = asyncio.create_task(entry_at(made.folder, head, "README.md"))
        for _ in range(moments):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    # What tests before this one left to the collector may go meanwhile.
    assert open_files() <= before
    assert all_gone(groups)


async def test_a_cancelled_fetch_is_over_at_once(fetch: Fetcher, server: Server, groups: list[int]) -> None:
    task = asyncio.create_task(fetch(server.url("hang/x")))
    await server.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(PATIENCE):
            await task
    await server.left.wait()
    assert all_gone(groups)


def cut(server: Server, end: Answer) -> Answer:
    """Send the first half of a pack, and then do something else."""

    async def answer(request: Request, writer: StreamWriter) -> None:
        whole = await server.backend(request, "cut")
        if b"command=fetch" not in request.body:
            writer.write(whole)
            return
        writer.write(whole[: len(whole) // 2])
        await writer.drain()
        await end(request, writer)

    return answer


async def hang_up(request: Request, writer: StreamWriter) -> None:
    """Leave."""
    writer.close()


async def test_a_fetch_cancelled_in_the_middle_leaves_a_cache_that_can_be_used(
    fetch: Fetcher, made: Made, server: Server, groups: list[int]
) -> None:
    old = await fetch(server.url("repos/source"))
    made.commit({"noise": os.urandom(1 << 20)})
    server.answers["cut"] = cut(server, server.hang)
    task = asyncio.create_task(fetch(server.url("cut/source")))
    await server.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(PATIENCE):
            await task
    assert all_gone(groups)
    assert len(await traced(fetch.cache, old.commit)) == 1
    assert (await fetch(server.url("repos/source"))).commit == made.head()
    assert not list(fetch.cache.rglob("tmp_*"))


async def test_a_connection_that_breaks_is_told(fetch: Fetcher, made: Made, server: Server) -> None:
    made.commit({"noise": os.urandom(1 << 20)})
    server.answers["cut"] = cut(server, hang_up)
    refused = await problem(fetch, server.url("cut/source"))
    assert (refused.code, refused.passing) == (SourceProblem.INTERRUPTED, True)
    assert not fetch.cache.exists()


async def test_a_repository_that_is_too_large_is_not_fetched_to_its_end(
    fetch: Fetcher, made: Made, server: Server
) -> None:
    made.commit({"noise": os.urandom(3 << 20)})
    refused = await problem(fetch, server.url("repos/source"), limits=FetchLimits(1 << 20, 30))
    assert (refused.code, refused.passing) == (SourceProblem.TOO_LARGE, False)
    assert not fetch.cache.exists()


async def test_the_git_of_a_killed_worker_dies_with_it(server: Server, caches: Path) -> None:
    code = f"""
import asyncio
from pathlib import Path
from uuid import uuid4
from app.domain.source import SourceRules
from app.gateways.git import FetchLimits, Sources
sources = Sources(Path({str(caches)!r}), SourceRules(private=True))
asyncio.run(sources.fetch(uuid4(), {server.url("hang/x")!r}, None, FetchLimits(1 << 20, 60)))
"""
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT)
    await server.asked.wait()
    worker.send_signal(signal.SIGKILL)
    await worker.wait()
    async with asyncio.timeout(5):
        await server.left.wait()


async def test_a_pack_that_unfolds_beyond_all_memory_is_refused(
    fetch: Fetcher, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_process, "MOST_MEMORY", 512 << 20)
    commit, pack = bomb()
    advertisement = line(f"{commit} HEAD\0symref=HEAD:refs/heads/main\n") + line(f"{commit} refs/heads/main\n") + "0000"

    async def old_server(request: Request, writer: StreamWriter) -> None:
        kind = "application/x-git-upload-pack-"
        if request.method == "GET":
            body = (line("# service=git-upload-pack\n") + "0000" + advertisement).encode()
            await told("200 OK", body, Content_Type=f"{kind}advertisement")(request, writer)
        else:
            await told("200 OK", b"0008NAK\n" + pack, Content_Type=f"{kind}result")(request, writer)

    server.answers["bomb"] = old_server
    refused = await problem(fetch, server.url("bomb/x"))
    assert (refused.code, refused.passing) == (SourceProblem.TOO_LARGE, False)
    assert "memory" in refused.sentence
    assert not fetch.cache.exists()


def line(text: str) -> str:
    """Spell a line of git's protocol."""
    return f"{len(text) + 4:04x}{text}"


def bomb() -> tuple[str, bytes]:
    """Make a pack of a few kilobytes in which one file says that it has four gigabytes, as copies of a small one."""
    base = bytes(1 << 16)
    who = b"Eve <eve@example.com> 0 +0000"
    tree = b"100644 file\0" + named("blob", base)
    commit = b"tree " + named("tree", tree).hex().encode() + b"\nauthor " + who + b"\ncommitter " + who + b"\n\nBoom\n"
    copies = 1 << 16
    # Copy 64 kB from offset 0: an instruction without any of its optional bytes.
    delta = size_of(len(base)) + size_of(copies << 16) + b"\x80" * copies
    objects = [packed(1, commit), packed(2, tree), packed(3, base), packed(7, delta, named("blob", base))]
    pack = b"PACK" + (2).to_bytes(4) + len(objects).to_bytes(4) + b"".join(objects)
    return named("commit", commit).hex(), pack + hashlib.sha1(pack, usedforsecurity=False).digest()


def packed(kind: int, content: bytes, base: bytes = b"") -> bytes:
    """Spell one object of a pack."""
    size = len(content)
    head = bytearray([kind << 4 | size & 15])
    size >>= 4
    while size:
        head[-1] |= 0x80
        head.append(size & 0x7F)
        size >>= 7
    return bytes(head) + base + zlib.compress(content)


def size_of(number: int) -> bytes:
    """Spell a size in a delta, seven bits a byte."""
    spelt = bytearray()
    while number >= 0x80:
        spelt.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*spelt, number])
