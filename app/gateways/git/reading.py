"""Reading a tree and its blobs from a bare cache, as streams that never hold a repository in memory."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from app.domain.history import moment
from app.domain.source import SourceFailed, SourceProblem
from app.domain.tree import Blob, Entry, EntryKind, read_path
from app.gateways.git.cache import is_object_id
from app.gateways.git.process import Git, answer, running, timed_out

LARGEST_BLOB = 500_000
SECONDS = 600.0
"""How long one listing may take."""

_SILENCE = 60.0
# Names of a batch, and answers about them, fit into a pipe: so neither side ever waits for the other.
_BATCH = 256
_KINDS = {
    b"100755": EntryKind.EXECUTABLE,
    b"120000": EntryKind.SYMLINK,
    b"160000": EntryKind.SUBMODULE,
}


async def files(cache: Path, commit: str, *, most: int, seconds: float = SECONDS) -> AsyncGenerator[Entry, None]:
    """List every path of a commit in byte order; more than `most` is refused as TOO_MANY_FILES."""
    count = 0
    async for entry in _listed(cache, commit, seconds):
        count += 1
        if count > most:
            raise SourceFailed(
                SourceProblem.TOO_MANY_FILES, f"The repository has more than the {most} files that are allowed."
            )
        yield entry


async def files_named(cache: Path, commit: str, name: str, *, seconds: float = SECONDS) -> AsyncGenerator[Entry, None]:
    """List the paths of a commit that end with a name; those that do not cost next to nothing."""
    ending = name.encode()
    async for line in _lines(cache, commit, seconds):
        if line.endswith(ending) and line[-len(ending) - 1 : -len(ending)] in (b"/", b"\t"):
            yield _entry(line)


async def entry_at(cache: Path, commit: str, path: str) -> Entry | None:
    """Find one path of a commit; a path that may not stand in evidence is none."""
    if not isinstance(read_path(path.encode(errors="surrogatepass")), str):
        return None
    async for entry in _listed(cache, commit, _SILENCE, "--", path):
        if entry.path == path.encode():
            return entry
    return None


async def blobs(cache: Path, object_ids: Iterable[str], *, largest: int = LARGEST_BLOB) -> AsyncGenerator[Blob, None]:
    """Read blobs in the order asked for; one that is larger than `largest` is not even unpacked."""
    async with (
        running("cat-file", "--batch-check", repository=cache, talks=True) as scales,
        running("cat-file", "--batch", repository=cache, talks=True) as store,
    ):
        weighing, reading = _Answers(scales), _Answers(store)
        for batch in _batches(object_ids):
            weighed = await weighing.sizes(batch)
            await reading.ask([each for each, size in weighed if _fits(size, largest)])
            for each, size in weighed:
                content = await reading.content() if _fits(size, largest) else None
                yield Blob(each, size, content)


async def sizes(cache: Path, object_ids: Iterable[str]) -> AsyncGenerator[tuple[str, int | None], None]:
    """Tell how large blobs are, in the order asked for; None stands for one that is missing."""
    async with running("cat-file", "--batch-check", repository=cache, talks=True) as git:
        weighing = _Answers(git)
        for batch in _batches(object_ids):
            for weighed in await weighing.sizes(batch):
                yield weighed


async def committed_at(cache: Path, commit: str) -> datetime:
    """Give the time at which a commit was made, by its own word."""
    told = await answer(
        *("rev-list", "--no-walk", "--no-commit-header", "--format=%ct", checked(commit)), repository=cache
    )
    return moment(int(told))


async def _listed(cache: Path, commit: str, seconds: float, *where: str) -> AsyncGenerator[Entry, None]:
    async for line in _lines(cache, commit, seconds, *where):
        yield _entry(line)


async def _lines(cache: Path, commit: str, seconds: float, *where: str) -> AsyncGenerator[bytes, None]:
    deadline = asyncio.get_running_loop().time() + seconds
    async with running(*("ls-tree", "-r", "-l", "-z", "--full-tree", checked(commit), *where), repository=cache) as git:
        rest = b""
        while piece := await git.read(deadline - asyncio.get_running_loop().time()):
            *lines, rest = (rest + piece).split(b"\0")
            for line in lines:
                yield line
            if len(rest) > 1 << 20:
                raise SourceFailed(SourceProblem.BROKEN, "A path of the repository is longer than a megabyte.")
        await git.must_end_well()


def _entry(line: bytes) -> Entry:
    facts, _, path = line.partition(b"\t")
    mode, _, object_id, size = facts.split()
    return Entry(path, _KINDS.get(mode, EntryKind.FILE), object_id.decode(), int(size) if size.isdigit() else None)


def _size(line: bytes) -> int | None:
    """Read `<name> blob <size>`; anything else stands for an object that is not there or no blob."""
    parts = line.split()
    return int(parts[2]) if len(parts) == 3 and parts[1] == b"blob" else None


def _fits(size: int | None, largest: int) -> bool:
    return size is not None and size <= largest


def _batches(object_ids: Iterable[str]) -> Iterator[list[str]]:
    asked = iter(object_ids)
    while batch := list(islice(asked, _BATCH)):
        if not all(map(is_object_id, batch)):
            raise ValueError("this is no object id")
        yield batch


def checked(commit: str) -> str:
    """Give back the name of a commit; what is none never reaches a command line."""
    if not is_object_id(commit):
        raise ValueError("this is no object id")
    return commit


class _Answers:
    """Asks one `cat-file`, and reads what it answers."""

    def __init__(self, git: Git) -> None:
        self._git = git

    async def ask(self, batch: list[str]) -> None:
        """Ask for a batch of objects."""
        await self._git.tell("".join(f"{each}\n" for each in batch).encode())

    async def sizes(self, batch: list[str]) -> list[tuple[str, int | None]]:
        """Ask how large objects are."""
        await self.ask(batch)
        return [(each, _size(await self._line())) for each in batch]

    async def content(self) -> bytes | None:
        """Read the next object; None if it is not there after all."""
        size = _size(await self._line())
        if size is None:
            return None
        try:
            async with asyncio.timeout(_SILENCE):
                return (await self._git.output.readexactly(size + 1))[:-1]
        except TimeoutError:
            raise timed_out() from None
        except asyncio.IncompleteReadError:
            raise await self._ended() from None

    async def _line(self) -> bytes:
        try:
            async with asyncio.timeout(_SILENCE):
                line = await self._git.output.readline()
        except TimeoutError:
            raise timed_out() from None
        if not line.endswith(b"\n"):
            raise await self._ended()
        return line

    async def _ended(self) -> SourceFailed:
        await self._git.must_end_well()
        return SourceFailed(SourceProblem.BROKEN, "Git stopped in the middle of an object.")
