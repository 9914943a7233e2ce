"""The data directory: its layout number, its locks, the record of the running instance, and short paths into it."""

import fcntl
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from app.domain.errors import Fault
from app.embedded.faults import Exit, file_faults

LAYOUT = 1
"""The number of this layout of the data directory; a change that older code would not understand raises it."""

LONGEST_PATH = 103 - len("/postgres/.s.PGSQL.5432")
"""The longest path that leaves room for our sockets: the address of one takes 103 bytes on macOS, 107 on Linux."""


@dataclass(frozen=True)
class Record:
    """What a running instance tells others about its servers."""

    pid: int
    database_url: str | None
    redis_url: str | None
    pids: dict[str, int]
    shortcut: str | None


class DataDirectory:
    """A folder that belongs to one running instance at a time; as a context, it is left at the end of the block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock(path / "lock")
        self._guests = Lock(path / "guests")
        self._layout = path / "VERSION"
        self._record = path / "servers.json"

    @classmethod
    def open(cls, path: Path) -> Self:
        """Make the folder if need be, and refuse one that a newer Tenet wrote."""
        with file_faults(path):
            directory = cls(path.absolute())
            directory.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory._check_layout()
        return directory

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock.held:
            self._record.unlink(missing_ok=True)
        self._lock.release()
        self._guests.release()

    def claim(self) -> bool:
        """Take possession of the directory; False if another instance has it."""
        with file_faults(self.path):
            if not self._lock.take():
                return False
            self._forget_last_instance()
            self._lock.write(str(os.getpid()))
            if not self._layout.exists():
                write_atomically(self._layout, f"{LAYOUT}\n")
        return True

    def holding(self) -> int | None:
        """Give the process that said last that the directory is its own."""
        try:
            return int(self._lock.read())
        except (OSError, ValueError):
            return None

    def holder(self) -> str:
        """Name the instance that has the directory."""
        pid = self._lock.read()
        return f"process {pid}" if pid else "a process that is just starting"

    def visit(self) -> bool:
        """Become a guest of the running instance; False if it takes none any more."""
        with file_faults(self.path):
            return self._guests.take(shared=True)

    def say_goodbye(self) -> None:
        """Be a guest no longer."""
        self._guests.release()

    def close_to_guests(self) -> bool:
        """Take no guests any more; False while one is here."""
        return self._guests.take()

    def publish(self, record: Record) -> None:
        """Tell guests about the servers."""
        write_atomically(self._record, json.dumps(asdict(record)))

    def published(self) -> Record | None:
        """Read what the running instance tells, if it tells already, and in words of ours."""
        try:
            return Record(**json.loads(self._record.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    @contextmanager
    def near(self) -> Iterator[Path]:
        """Give a path to this folder that sockets, URLs and drivers understand, a short link to it if need be."""
        # The limit of a socket's path counts what a client says, not where a link leads, so a link in the temporary
        # folder helps every client; the servers name their sockets relative to where they are.
        if _is_plain(self.path):
            yield self.path
            return
        with file_faults(self.path):
            folder = Path(tempfile.mkdtemp(prefix="tenet-"))
            if not _is_plain(folder / "data"):
                folder.rmdir()
                folder = Path(tempfile.mkdtemp(prefix="tenet-", dir="/tmp"))
            shortcut = folder / "data"
            shortcut.symlink_to(self.path)
        try:
            yield shortcut
        finally:
            self._remove(shortcut)

    def _check_layout(self) -> None:
        if not self._layout.exists():
            return
        found = self._layout.read_text(errors="replace").strip()
        if not found.isdigit():
            raise Fault(
                f"{self._layout} does not hold the number of a layout, so {self.path} is no data directory of Tenet.",
                remedy="Set TENET_DATA_DIR to another folder.",
                exit_code=Exit.DATA_DIRECTORY,
            )
        if int(found) > LAYOUT:
            raise Fault(
                f"The data directory {self.path} was written by a newer Tenet (layout {found}, here {LAYOUT}).",
                remedy="Start that newer Tenet, or set TENET_DATA_DIR to another folder.",
                exit_code=Exit.DATA_DIRECTORY,
            )

    def _forget_last_instance(self) -> None:
        """Remove what an instance that was killed could not."""
        if (record := self.published()) and record.shortcut:
            self._remove(Path(record.shortcut))
        self._record.unlink(missing_ok=True)

    def _remove(self, shortcut: Path) -> None:
        with suppress(OSError):
            if shortcut.readlink() == self.path:
                shortcut.unlink()
                shortcut.parent.rmdir()


class Lock:
    """A lock that the kernel releases with the process, however that ends; the file stays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this process took the lock."""
        return self._descriptor is not None

    def take(self, *, shared: bool = False) -> bool:
        """Take the lock if it is free."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return False
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back, if it was taken."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def write(self, text: str) -> None:
        """Leave a word for those who find the lock taken."""
        assert self._descriptor is not None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def read(self) -> str:
        """Read the word of the holder."""
        return self._path.read_text().strip()


def write_atomically(path: Path, text: str) -> None:
    """Write a file that is never seen half, nor by others."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _is_plain(path: Path) -> bool:
    """Tell whether the path fits into a socket's address, and into URLs without quoting."""
    return re.fullmatch(rf"[A-Za-z0-9/._-]{{1,{LONGEST_PATH}}}", str(path)) is not None
