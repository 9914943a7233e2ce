"""What a child process is asked about rules: what each does in a bucket of files, of which most is known from before.

What a rule was seen to do in a file is kept for as long as the file is the same, whatever happens to its neighbours and
however old it is by now; so a run looks only at the files that changed, and at others only for rules that are new.

It imports little, because each child process imports it.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from app.domain.categories import category_of
from app.domain.errors import NotFound
from app.domain.listing import Listing
from app.domain.measurement import Draw, Glimpse, Measurement, Past
from app.domain.recognition import FileRole
from app.domain.rule import Rule
from app.gateways.git.store import Store
from app.gateways.storage import Storage
from app.syntax import MOST_BYTES
from workers.mining.batches import Item, Seen, Sight
from workers.mining.keys import is_fleeting

_QUICKLY = 1
VERSION = 1
"""Raised whenever what is kept is spelled otherwise: what another version kept is not read."""


@dataclass(frozen=True, slots=True)
class Held:
    """A file of a bucket."""

    path: str
    blob_id: str
    language: str | None
    role: FileRole
    past: Past

    @property
    def state(self) -> str:
        """All that decides what a rule sees in it, but for its path."""
        return f"{self.blob_id} {self.role.value} {self.language}"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Some files of a repository, always the same ones as long as they are there."""

    number: int | None
    """Under which it is kept; one without a number is not."""
    files: Sequence[Held]
    lost: Mapping[str, str] = field(default_factory=dict)
    """Files that cost their process, and how."""


@dataclass(frozen=True, slots=True)
class Partly:
    """What the rules did in a bucket."""

    measured: dict[int, Measurement] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    kept: bytes | None = None
    """What is to be kept for the next run, compressed, where that is not what is kept already."""


@dataclass(frozen=True, slots=True)
class Work:
    """What every bucket is measured by."""

    rules: Sequence[Rule]
    keys: Sequence[str]
    paths: Sequence[str]
    cache: str
    root: str
    prefix: str
    state: str
    """What besides the files themselves decides what is seen in them: by another one they are all new."""
    again: bool = False
    """Whether files that cost their process before are tried again."""


@contextmanager
def measuring(work: Work) -> Iterator[Callable[[Sequence[Bucket]], Iterable[Partly]]]:
    """Measure in each bucket what is not known of it."""
    with Store(Path(work.cache)) as store:
        bench = _Bench(work, store)
        yield lambda buckets: map(bench.measure, buckets)


@dataclass(slots=True)
class _Kept:
    """What is known of the files of a bucket: for each rule, by path, what was seen and what went wrong."""

    states: dict[str, str] = field(default_factory=dict)
    seen: dict[str, dict[str, Glimpse]] = field(default_factory=dict)
    broken: dict[str, dict[str, str]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, told: bytes, state: str) -> "_Kept":
        """Read what was kept, if it was kept by this version and for this state."""
        found: dict[str, Any] = orjson.loads(told)
        if (found["version"], found["state"]) != (VERSION, state):
            return cls()
        paths: list[str] = found["paths"]
        return cls(
            dict(zip(paths, found["states"], strict=True)),
            {key: {paths[row[0]]: Glimpse(*row[1:]) for row in rows} for key, rows in found["seen"].items()},
            found["broken"],
            found["unread"],
            found["lost"],
        )

    def spelled(self, state: str) -> bytes:
        """Spell and compress it; places of files in a list stand for their paths."""
        numbers = {path: number for number, path in enumerate(self.states)}
        told = orjson.dumps(
            {
                "version": VERSION,
                "state": state,
                "paths": list(self.states),
                "states": list(self.states.values()),
                "seen": {
                    key: [[numbers[path], *glimpse] for path, glimpse in seen.items()]
                    for key, seen in self.seen.items()
                },
                "broken": self.broken,
                "unread": self.unread,
                "lost": self.lost,
            }
        )
        return zlib.compress(told, _QUICKLY)

    def forget(self, paths: set[str]) -> None:
        """Drop what is known of some files."""
        for path in paths:
            for known in (self.states, self.unread, self.lost, *self.broken.values()):
                known.pop(path, None)
            for seen in self.seen.values():
                seen.pop(path, None)

    def note(self, path: str, seen: Seen, keys: Sequence[str]) -> None:
        """Add what was seen of a file."""
        for number, glimpse in seen.glimpses.items():
            self.seen[keys[number]][path] = glimpse
        for number, reason in seen.broken.items():
            self.broken.setdefault(keys[number], {})[path] = reason
        if seen.unread is not None:
            self.unread[path] = seen.unread


@dataclass(slots=True)
class _Bench:
    """The rules, made ready for files in which all or only some of them are to be looked for."""

    work: Work
    store: Store
    listing: Listing = field(init=False)
    sights: dict[tuple[int, ...], Sight] = field(default_factory=dict)
    lasting: set[str] = field(default_factory=set)
    """The keys of what is kept."""
    draws: list[Draw] = field(default_factory=list)
    """The samples of each rule that buckets had so far, so that later ones tell only of those that come before them."""

    def __post_init__(self) -> None:
        self.listing = Listing(self.work.paths)
        pairs = zip(self.work.rules, self.work.keys, strict=True)
        self.lasting = {key for rule, key in pairs if not is_fleeting(rule)}
        self.draws = [Draw() for _ in self.work.rules]

    def measure(self, bucket: Bucket) -> Partly:
        """Bring what is known of a bucket up to date, and add it up."""
        work, kept = self.work, self._recall(bucket)
        now = {file.path: file.state for file in bucket.files}
        gone = {path for path, state in kept.states.items() if now.get(path) != state}
        if work.again:
            gone |= kept.lost.keys()
        kept.forget(gone)
        fresh = [file for file in bucket.files if file.path not in kept.states]
        same = [file for file in bucket.files if file.path in kept.states and file.path not in kept.lost]
        missing = tuple(number for number, key in enumerate(work.keys) if key not in kept.seen)
        for key in work.keys:
            kept.seen.setdefault(key, {})
        self._look(kept, [file for file in fresh if file.path not in bucket.lost], tuple(range(len(work.keys))))
        if missing:
            self._look(kept, same, missing)
        kept.states |= {file.path: file.state for file in fresh}
        kept.lost |= bucket.lost
        news = gone or fresh or any(work.keys[number] in self.lasting for number in missing)
        measured, unread = self._summed(kept, bucket), {**kept.unread, **kept.lost}
        if not news or bucket.number is None:
            return Partly(measured, unread)
        kept.seen = {key: seen for key, seen in kept.seen.items() if key in self.lasting}
        kept.broken = {key: broken for key, broken in kept.broken.items() if key in self.lasting and broken}
        return Partly(measured, unread, kept.spelled(work.state))

    def _look(self, kept: _Kept, files: Sequence[Held], numbers: tuple[int, ...]) -> None:
        """Run some of the rules over some of the files."""
        if not files or not numbers:
            return
        if numbers not in self.sights:
            self.sights[numbers] = Sight([self.work.rules[number] for number in numbers], self.listing)
        sight, keys = self.sights[numbers], [self.work.keys[number] for number in numbers]
        read = [file for file in files if sight.reads(file.path, file.language, file.role)]
        contents = self.store.contents([file.blob_id for file in read], largest=MOST_BYTES)
        content_of = dict(zip((file.path for file in read), contents, strict=True))
        for file in files:
            content = content_of.get(file.path)
            if content is not None or file.path not in content_of:
                kept.note(file.path, sight.look(Item(file.path, file.blob_id, file.language, file.role, content)), keys)

    def _summed(self, kept: _Kept, bucket: Bucket) -> dict[int, Measurement]:
        """Add up what is known of the files, with what history tells of them today."""
        files = {file.path: (file, category_of(file.path, file.language, file.role)) for file in bucket.files}
        found = {}
        for number, key in enumerate(self.work.keys):
            seen, broken = kept.seen[key], kept.broken.get(key, {})
            if not seen and not broken:
                continue
            measured = found[number] = Measurement()
            for path in sorted(seen):
                file, category = files[path]
                measured.see(seen[path], path, file.blob_id, file.past, category, self.draws[number])
            for reason in broken.values():
                measured.breaks(reason)
        return found

    def _recall(self, bucket: Bucket) -> _Kept:
        if bucket.number is None:
            return _Kept()
        # Whatever cannot be read is found out anew.
        with suppress(NotFound, ValueError, TypeError, KeyError, IndexError):
            told = Storage(Path(self.work.root)).load(f"{self.work.prefix}{bucket.number}")
            return _Kept.read(told, self.work.state)
        return _Kept()
