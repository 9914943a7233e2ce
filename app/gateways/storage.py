"""Stored objects (diffs, summaries of history): compressed files, one folder a repository, whole or not there."""

import asyncio
import os
import re
import shutil
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from uuid import UUID

from app.domain.errors import NotFound

LARGEST = 64 << 20

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}(?:/[a-z0-9][a-z0-9._-]{0,99}){0,2}")
_FOLDER = re.compile(r"[0-9a-f]{32}")
_KEY = re.compile(rf"([0-9a-f]{{32}})/([0-9a-f]{{32}})/({_NAME.pattern})")


class TooLarge(ValueError):
    """An object is larger than any that is kept."""


class Storage:
    """Keeps objects below one folder that all processes of an installation share."""

    def __init__(self, root: Path, *, largest: int = LARGEST) -> None:
        self._root = root.absolute()
        self._largest = largest

    @property
    def root(self) -> Path:
        """The folder that holds all objects."""
        return self._root

    async def put(
        self,
        organization_id: UUID,
        repo_id: UUID,
        name: str,
        content: bytes,
        *,
        compressed: bool = False,
        lasting: bool = True,
    ) -> str:
        """Keep an object under a name like `diffs/1f3a`, in place of the one before, and give its key.

        What is compressed already, as zlib does it, stays as it is. What can be made again need not be lasting: nobody
        waits until it is on the disk, and if the power fails before it is, it is as if it were not there.
        """
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} is no name for an object")
        if len(content) > self._largest:
            raise TooLarge(f"an object has at most {self._largest} bytes, and this one {len(content)}")
        key = f"{organization_id.hex}/{repo_id.hex}/{name}"
        writing = asyncio.ensure_future(
            asyncio.to_thread(_write, self._root / key, content, compressed=compressed, lasting=lasting)
        )
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            # A thread goes on by itself; whoever cancels may be about to remove all that it writes.
            await asyncio.wait({writing})
            raise
        return key

    async def get(self, key: str) -> bytes:
        """Read an object."""
        place = self._place(key)
        try:
            return await asyncio.to_thread(_read, place, self._largest)
        except (FileNotFoundError, NotADirectoryError, zlib.error, EOFError):
            raise NotFound("No such object is stored.", key=key) from None

    def load(self, key: str) -> bytes:
        """Read an object at once; for child processes, which have no loop to hold up."""
        try:
            return _read(self._place(key), self._largest)
        except (FileNotFoundError, NotADirectoryError, zlib.error, EOFError):
            raise NotFound("No such object is stored.", key=key) from None

    def lines(self, key: str) -> Iterator[bytes]:
        """Read an object line by line, never all of it at once; for child processes, which have no loop to hold up."""
        rest, unfolding, size = b"", zlib.decompressobj(), 0
        with self._place(key).open("rb") as file:
            while piece := file.read(1 << 16):
                while piece:
                    unfolded = unfolding.decompress(piece, 1 << 18)
                    piece = unfolding.unconsumed_tail
                    if (size := size + len(unfolded)) > self._largest:
                        raise EOFError
                    *lines, rest = (rest + unfolded).split(b"\n")
                    yield from lines
        if rest:
            yield rest

    async def remove(self, organization_id: UUID, repo_id: UUID | None = None, name: str | None = None) -> None:
        """Remove all objects of an organization, or of one repository, or those below one name."""
        if name is not None and (repo_id is None or _NAME.fullmatch(name) is None):
            raise ValueError(f"{name!r} is no name for an object")
        parts = [organization_id.hex, *([] if repo_id is None else [repo_id.hex]), *([] if name is None else [name])]
        await asyncio.to_thread(_remove, self._root.joinpath(*parts))

    async def size(self, organization_id: UUID, repo_id: UUID | None = None) -> int:
        """Add up the bytes on disk."""
        parts = [organization_id.hex, *([] if repo_id is None else [repo_id.hex])]
        return await asyncio.to_thread(_size, self._root.joinpath(*parts))

    async def stored(self) -> list[tuple[UUID, UUID]]:
        """List the organizations and repositories that have objects."""
        return await asyncio.to_thread(_stored, self._root)

    async def tidy(self, older_than: float) -> int:
        """Remove what writers and removers that were killed left behind so many seconds ago; count it."""
        return await asyncio.to_thread(_tidy, self._root, time.time() - older_than)

    def _place(self, key: str) -> Path:
        # A key comes back from a row of the database; that nobody can write one there is no reason to trust it.
        if _KEY.fullmatch(key) is None:
            raise NotFound("No such object is stored.", key=key[:300])
        return self._root / key


def _write(place: Path, content: bytes, *, compressed: bool, lasting: bool) -> None:
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A name that begins with a dot is no object's; the ending keeps two writers apart.
    fresh = place.with_name(f".{place.name[:100]}.{token_hex(8)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(content if compressed else zlib.compress(content, 6))
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        fresh.replace(place)
    finally:
        fresh.unlink(missing_ok=True)


def _read(place: Path, largest: int) -> bytes:
    # Whoever could write here could make a few kilobytes that unfold to gigabytes; the limit holds for reading too.
    unfolding = zlib.decompressobj()
    with place.open("rb") as file:
        content = unfolding.decompress(file.read(2 * largest + 4096), largest + 1)
    if not unfolding.eof or len(content) > largest:
        raise EOFError
    return content


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        if path.is_dir():
            # Renamed first, it is gone at once, even if removing it is cut short; nobody finds the name.
            grave = path.with_name(f".gone.{token_hex(8)}")
            path.rename(grave)
            shutil.rmtree(grave, ignore_errors=True)
        else:
            path.unlink()


def _size(path: Path) -> int:
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(folder, name).stat().st_size
    return total


def _stored(root: Path) -> list[tuple[UUID, UUID]]:
    found = ((owner, folder) for owner in _folders(root) for folder in _folders(root / owner))
    return sorted((UUID(hex=owner), UUID(hex=folder)) for owner, folder in found)


def _folders(place: Path) -> list[str]:
    try:
        with os.scandir(place) as entries:
            return [entry.name for entry in entries if _FOLDER.fullmatch(entry.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _tidy(root: Path, before: float) -> int:
    removed = 0
    for folder, folders, names in os.walk(root):
        for name in [*folders, *names]:
            left = Path(folder, name)
            with suppress(FileNotFoundError):
                if name.startswith(".") and left.stat().st_mtime < before:
                    shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()
                    removed += 1
        # What was removed, and what somebody else is removing, is not walked.
        folders[:] = [name for name in folders if not name.startswith(".")]
    return removed
