"""What child processes are asked about rules: what is known of a bucket of files, and what is not.

It imports little, because each child process imports it.
"""

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.domain.errors import NotFound
from app.domain.listing import Listing
from app.domain.measurement import Measurement
from app.domain.rule import Rule
from app.gateways.storage import Storage
from app.hands.plain import read_plain
from workers.mining.batches import Item, Sight


@dataclass(frozen=True, slots=True)
class Bucket:
    """Some files of a repository, always the same ones as long as they are there; without contents until needed."""

    number: int
    digest: str
    files: int
    items: Sequence[Item] = ()


@dataclass(frozen=True, slots=True)
class Partly:
    """What the rules did in a bucket."""

    measured: dict[int, Measurement] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    missing: Sequence[int] = ()
    """Rules of which nothing is known here."""
    kept: bytes | None = None
    """What is to be kept for the next run."""


@dataclass(frozen=True, slots=True)
class Work:
    """What every bucket is measured by."""

    rules: Sequence[Rule]
    keys: Sequence[str]
    paths: Sequence[str]
    root: str
    prefix: str


@dataclass(slots=True)
class _Kept:
    digest: str = ""
    rules: dict[str, Measurement | None] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


@contextmanager
def recalling(work: Work) -> Iterator[Callable[[Sequence[Bucket]], Iterable[Partly]]]:
    """Look what is known of each bucket."""

    def look(buckets: Sequence[Bucket]) -> Iterable[Partly]:
        for bucket in buckets:
            kept = _recall(work, bucket)
            known = {number: kept.rules[key] for number, key in enumerate(work.keys) if key in kept.rules}
            yield Partly(
                {number: each for number, each in known.items() if each is not None},
                kept.unread,
                [number for number in range(len(work.keys)) if number not in known],
            )

    yield look


@contextmanager
def measuring(work: Work) -> Iterator[Callable[[Sequence[Bucket]], Iterable[Partly]]]:
    """Measure in each bucket what is not known of it."""
    listing = Listing(work.paths)
    sights: dict[tuple[int, ...], Sight] = {}

    def look(buckets: Sequence[Bucket]) -> Iterable[Partly]:
        for bucket in buckets:
            kept = _recall(work, bucket)
            missing = tuple(number for number, key in enumerate(work.keys) if key not in kept.rules)
            if missing not in sights:
                sights[missing] = Sight([work.rules[number] for number in missing], listing)
            measured, unread = sights[missing].measure(bucket.items)
            kept.unread |= unread
            for number, fresh in zip(missing, measured, strict=True):
                kept.rules[work.keys[number]] = fresh.settled() if fresh.applicable or fresh.broken else None
            now = {key: kept.rules[key] for key in work.keys}
            spelled = pickle.dumps({"digest": bucket.digest, "rules": now, "unread": kept.unread}, protocol=5)
            found = {number: each for number, key in enumerate(work.keys) if (each := now[key]) is not None}
            yield Partly(found, kept.unread, (), spelled)

    yield look


def _recall(work: Work, bucket: Bucket) -> _Kept:
    try:
        told = read_plain(Storage(Path(work.root)).load(f"{work.prefix}{bucket.number}"))
    except (NotFound, pickle.UnpicklingError):
        return _Kept()
    return _Kept(**told) if told["digest"] == bucket.digest else _Kept()
