"""Keeping facts between runs: compressed segments of lines, each a key and the facts of one file as JSON.

A key names a blob, the file's own name and its language, all that facts hang on. A run writes the facts of files it had
not seen in new segments, and drops segments of which hardly anything is in use any more. Of files that have no facts it
is kept why: what cannot be read, and what cost its process and is not tried again by every run.
"""

from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from app.domain.errors import NotFound
from app.domain.repo import Owner
from app.gateways.storage import Storage

_IN_USE = 0.5
_SEGMENT_FILES, _SEGMENT_BYTES = 4_000, 24 << 20
# Each run writes a segment of its own; when there are so many, the facts of the smallest ones are taken once more.
_MOST_SMALL, _SMALL = 24, 1_000

_FORMAT = 2
"""Raised whenever what is kept is spelled otherwise."""

Record = tuple[str, bytes]


def key_of(blob_id: str, name: str, language: str | None) -> str:
    """Name the facts of a file."""
    return blake2b(f"{blob_id}\0{name}\0{language}".encode(), digest_size=15).hexdigest()


def written(records: Iterable[Record]) -> bytes:
    """Spell records as a segment."""
    return b"\n".join(key.encode() + b"\t" + facts for key, facts in records)


def read(storage: Storage, segments: Iterable[str], wanted: Container[str]) -> Iterator[Record]:
    """Read the records of some keys one by one, in a child process."""
    for segment in segments:
        for line in storage.lines(segment):
            named, _, facts = line.partition(b"\t")
            if (key := named.decode()) in wanted:
                yield key, facts


@dataclass(slots=True)
class Kept:
    """The facts of one repository: which are kept, and where."""

    storage: Storage
    owner: Owner
    version: str
    segments: dict[str, set[str]] = field(default_factory=dict)
    """The keys in each segment, by the segment's name."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Why there are no facts, by key."""
    lost: set[str] = field(default_factory=set)
    """Those of them that cost their process."""
    _told: dict[str, Any] = field(default_factory=dict)
    _dropped: list[str] = field(default_factory=list)
    _waiting: list[Record] = field(default_factory=list)
    _size: int = 0
    _written: int = 0

    @classmethod
    async def open(cls, storage: Storage, owner: Owner, version: str, wanted: set[str], *, again: bool) -> "Kept":
        """See what is kept of the facts that are wanted; what another version took is of no use.

        What cost its process is tried once more if somebody asks for it `again`.
        """
        kept = cls(storage, owner, f"{_FORMAT} {version}")
        told: dict[str, Any] = {}
        with suppress(NotFound, ValueError):
            told = orjson.loads(await storage.get(kept.place("index")))
        if told.get("version") == kept.version:
            kept.segments = {name: set(keys) for name, keys in told["segments"].items()}
            kept.skipped = {key: reason for key, reason in told["skipped"].items() if key in wanted}
            kept.lost = wanted.intersection(told["lost"])
            kept._written = max((int(name) for name in kept.segments), default=-1) + 1
        else:
            await storage.remove(owner.organization_id, owner.repo_id, "facts")
        kept._told = told
        small = [name for name, keys in kept.segments.items() if len(keys) < _SMALL]
        for name, keys in list(kept.segments.items()):
            if len(keys & wanted) < _IN_USE * len(keys) or (name in small and len(small) > _MOST_SMALL):
                del kept.segments[name]
                kept._dropped.append(name)
        if again:
            for key in kept.lost:
                kept.skipped.pop(key, None)
            kept.lost = set()
        return kept

    @property
    def keys(self) -> set[str]:
        """All keys of which it is known what facts there are."""
        return self.lost.union(*self.segments.values())

    @property
    def places(self) -> list[str]:
        """Where the segments are stored, oldest first."""
        return [self.place(name) for name in sorted(self.segments, key=int)]

    def place(self, name: str) -> str:
        """Give the key of a stored object."""
        return f"{self.owner.organization_id.hex}/{self.owner.repo_id.hex}/facts/{name}"

    def lose(self, key: str, reason: str) -> None:
        """Keep that a file cost its process."""
        self.lost.add(key)
        self.skipped[key] = reason

    async def add(self, key: str, facts: bytes, reason: str | None = None) -> None:
        """Keep the facts of one file, and why there are none."""
        if reason is not None:
            self.skipped[key] = reason
        self._waiting.append((key, facts))
        self._size += len(facts)
        if len(self._waiting) >= _SEGMENT_FILES or self._size >= _SEGMENT_BYTES:
            await self._write()

    async def close(self) -> None:
        """Write what waits, then the index, then drop what no index names."""
        if self._waiting:
            await self._write()
        told = {
            "version": self.version,
            "segments": {name: sorted(keys) for name, keys in self.segments.items()},
            "skipped": self.skipped,
            "lost": sorted(self.lost),
        }
        if told != self._told:
            await self.storage.put(self.owner.organization_id, self.owner.repo_id, "facts/index", orjson.dumps(told))
        for name in self._dropped:
            if name not in self.segments:
                await self.storage.remove(self.owner.organization_id, self.owner.repo_id, f"facts/{name}")

    async def _write(self) -> None:
        name = str(self._written)
        self._written += 1
        await self.storage.put(self.owner.organization_id, self.owner.repo_id, f"facts/{name}", written(self._waiting))
        self.segments[name] = {key for key, _ in self._waiting}
        self._waiting, self._size = [], 0
