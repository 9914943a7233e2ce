"""Where bare caches live: one folder a repository, made whole or not at all, changed by one process at a time."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from uuid import UUID

from app.domain.source import SourceFailed, SourceProblem

_OBJECT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_FOLDER = re.compile(r"[0-9a-f]{32}")
_LEFTOVER = re.compile(r"tmp_.*|.*\.lock|\.tmp-.*")
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
_CONFIG_SHA256 = "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n"


def is_object_id(text: str) -> bool:
    """Tell whether a text can name a git object."""
    return _OBJECT.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Cache:
    """A bare repository of ours; no name in it comes from a stranger."""

    path: Path

    @property
    def exists(self) -> bool:
        """Tell whether there is a cache; it is never half made."""
        return (self.path / "HEAD").is_file()

    @property
    def objects(self) -> Path:
        """The folder that holds everything that grows."""
        return self.path / "objects"

    def make(self, *, digits: int) -> None:
        """Make an empty repository for object names of so many digits."""
        for folder in ("objects/pack", "objects/info", "refs/tenet"):
            (self.path / folder).mkdir(parents=True, mode=0o700)
        (self.path / "config").write_text(_CONFIG_SHA256 if digits == 64 else _CONFIG)
        # HEAD leads nowhere, so that no git looks for settings (.mailmap, .gitattributes) behind it.
        (self.path / "HEAD").write_text("ref: refs/tenet/none\n")

    def reference(self, branch: str) -> str:
        """Name the reference that keeps a branch: a digest, so that `a` and `a/b` may follow each other."""
        return f"refs/tenet/{sha256(branch.encode()).hexdigest()[:40]}"

    def kept(self, branch: str) -> str | None:
        """Give the object that a branch was at when it was last fetched."""
        try:
            text = (self.path / self.reference(branch)).read_text(encoding="ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        return text if is_object_id(text) else None

    def keep(self, branch: str, commit: str) -> None:
        """Note which object a branch is at."""
        place = self.path / self.reference(branch)
        fresh = place.with_name(".tmp-reference")
        fresh.write_text(f"{commit}\n")
        fresh.replace(place)

    def shallow(self) -> frozenset[str]:
        """Give the commits whose parents are missing on purpose."""
        try:
            return frozenset((self.path / "shallow").read_text(encoding="ascii").split())
        except FileNotFoundError:
            return frozenset()

    def packs(self) -> int:
        """Count the packs."""
        return sum(entry.name.endswith(".pack") for entry in os.scandir(self.objects / "pack"))

    def tidy(self) -> None:
        """Remove what a git that was killed left behind; only the holder of the lock may."""
        for folder, _, names in os.walk(self.path):
            for name in names:
                if _LEFTOVER.fullmatch(name):
                    with suppress(FileNotFoundError):
                        Path(folder, name).unlink()

    def size(self) -> int:
        """Add up the bytes on disk; files may vanish meanwhile."""
        total = 0
        for folder, _, names in os.walk(self.path):
            for name in names:
                with suppress(FileNotFoundError):
                    total += Path(folder, name).lstat().st_size
        return total


@dataclass(frozen=True, slots=True)
class Caches:
    """All caches of an installation."""

    root: Path

    def of(self, repo_id: UUID) -> Cache:
        """Give a repository's cache, which may not exist."""
        return Cache(self.root / repo_id.hex)

    def fresh(self, repo_id: UUID) -> Cache:
        """Give the place where a cache is made before it takes its place; only the holder of the lock may."""
        cache = Cache(self.root / f"{repo_id.hex}.new")
        self._discard(cache.path)
        for grave in self.root.glob(f"{repo_id.hex}.gone-*"):
            shutil.rmtree(grave, ignore_errors=True)
        return cache

    def stored(self) -> list[UUID]:
        """List the repositories that have a cache, or what is left of one."""
        if not self.root.is_dir():
            return []
        names = {entry.name.partition(".")[0] for entry in os.scandir(self.root)}
        return sorted(UUID(hex=name) for name in names if _FOLDER.fullmatch(name))

    @contextmanager
    def lock(self, repo_id: UUID) -> Iterator[None]:
        """Keep others from changing a cache; whoever holds it already is not waited for."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = self.root / f"{repo_id.hex}.lock"
        while True:
            descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise SourceFailed(SourceProblem.BUSY, "The repository is being fetched already.") from None
                # A file that was removed before the lock was had locks nobody out.
                if _is_at(descriptor, place):
                    yield
                    return
            finally:
                os.close(descriptor)

    def replace(self, repo_id: UUID, fresh: Cache) -> None:
        """Put a cache that is complete into its place."""
        cache = self.of(repo_id)
        self._discard(cache.path)
        fresh.path.rename(cache.path)

    def remove(self, repo_id: UUID) -> None:
        """Remove all that is kept of a repository; refused while it is being fetched."""
        if not self.root.is_dir():
            return
        with self.lock(repo_id):
            self._discard(self.of(repo_id).path)
            self.fresh(repo_id)
            (self.root / f"{repo_id.hex}.lock").unlink(missing_ok=True)

    def _discard(self, path: Path) -> None:
        # Renamed first, it is gone at once for everybody, even if removing it is cut short.
        if not path.exists():
            return
        grave = Path(mkdtemp(prefix=f"{path.name.partition('.')[0]}.gone-", dir=self.root))
        with suppress(FileNotFoundError):
            path.rename(grave / "cache")
        shutil.rmtree(grave, ignore_errors=True)


def _is_at(descriptor: int, place: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), place.stat())
    except FileNotFoundError:
        return False
