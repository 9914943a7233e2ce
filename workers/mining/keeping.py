"""Keeping facts between runs: compressed segments of lines, each a key and the facts of one file as JSON.

A key names a blob, the file's own name and its language, all that facts hang on. A run writes the facts of files it had
not seen in new segments, and drops segments of which hardly anything is in use any more.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b

import orjson

from app.domain.errors import NotFound
from app.gateways.storage import Storage
from app.services.indexing import Owner

_IN_USE = 0.5
_SEGMENT_FILES, _SEGMENT_BYTES = 4_000, 24 << 20

Record = tuple[str, bytes]


def key_of(blob_id: str, name: str, language: str | None) -> str:
    """Name the facts of a file."""
    return blake2b(f"{blob_id}\0{name}\0{language}".encode(), digest_size=15).hexdigest()


def written(records: Iterable[Record]) -> bytes:
    """Spell records as a segment."""
    return b"\n".join(key.encode() + b"\t" + facts for key, facts in records)


def read(storage: Storage, segments: Iterable[str]) -> Iterator[tuple[str, dict[str, object]]]:
    """Read the records of segments one by one, in a child process."""
    for segment in segments:
        for line in storage.lines(segment):
            key, _, facts = line.partition(b"\t")
            yield key.decode(), orjson.loads(facts)


@dataclass(slots=True)
class Kept:
    """The facts of one repository: which are kept, and where."""

    storage: Storage
    owner: Owner
    version: str
    segments: dict[str, set[str]] = field(default_factory=dict)
    """The keys in each segment, by the segment's name."""
    _waiting: list[Record] = field(default_factory=list)
    _size: int = 0
    _written: int = 0

    @classmethod
    async def open(cls, storage: Storage, owner: Owner, version: str, wanted: set[str]) -> "Kept":
        """See what is kept of the facts that are wanted; what another version took is of no use."""
        kept = cls(storage, owner, version)
        told: dict[str, object] = {}
        with suppress(NotFound, ValueError):
            told = json.loads(await storage.get(kept.place("index")))
        if told.get("version") == version and isinstance(told.get("segments"), dict):
            segments: dict[str, list[str]] = told["segments"]  # type: ignore[assignment]
            kept.segments = {name: set(keys) for name, keys in segments.items()}
            kept._written = max((int(name) for name in kept.segments), default=-1) + 1
        else:
            await storage.remove(owner.organization_id, owner.repo_id, "facts")
        for name, keys in list(kept.segments.items()):
            if len(keys & wanted) < _IN_USE * len(keys):
                del kept.segments[name]
        return kept

    @property
    def keys(self) -> set[str]:
        """All keys that are kept."""
        return set().union(*self.segments.values())

    @property
    def places(self) -> list[str]:
        """Where the segments are stored, oldest first."""
        return [self.place(name) for name in sorted(self.segments, key=int)]

    def place(self, name: str) -> str:
        """Give the key of a stored object."""
        return f"{self.owner.organization_id.hex}/{self.owner.repo_id.hex}/facts/{name}"

    async def add(self, key: str, facts: bytes) -> None:
        """Keep the facts of one file."""
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
        }
        await self.storage.put(self.owner.organization_id, self.owner.repo_id, "facts/index", json.dumps(told).encode())
        for number in range(self._written):
            if str(number) not in self.segments:
                await self.storage.remove(self.owner.organization_id, self.owner.repo_id, f"facts/{number}")

    async def _write(self) -> None:
        name = str(self._written)
        self._written += 1
        await self.storage.put(self.owner.organization_id, self.owner.repo_id, f"facts/{name}", written(self._waiting))
        self.segments[name] = {key for key, _ in self._waiting}
        self._waiting, self._size = [], 0
