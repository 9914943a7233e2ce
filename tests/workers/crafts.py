"""Crafts as the product has them, but for some files that kill whoever looks at them."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from workers.crafts.looking import Ground, Listed, Looked
from workers.crafts.looking import looking as really_looking
from workers.mining.batches import Item
from workers.mining.buckets import Bucket, Partly, Work
from workers.mining.buckets import measuring as really_measuring
from workers.mining.crafts import taking as really_taking


@contextmanager
def looking(ground: Ground) -> Iterator[Callable[[Sequence[Listed]], Iterator[Looked]]]:
    """Look, and die of poison."""
    with really_looking(ground) as look:

        def dare(files: Sequence[Listed]) -> Iterator[Looked]:
            for file, looked in zip(files, look(files), strict=True):
                if "poison" in file.path:
                    os.abort()
                yield looked

        yield dare


@contextmanager
def taking(cache: str) -> Iterator[Callable[[Sequence[Item]], Iterable[tuple[bytes, str | None]]]]:
    """Take facts, and die of poison."""
    with really_taking(cache) as take:

        def dare(items: Sequence[Item]) -> Iterable[tuple[bytes, str | None]]:
            for item, taken in zip(items, take(items), strict=True):
                if "poison" in item.path:
                    os.abort()
                yield taken

        yield dare


@contextmanager
def measuring(work: Work) -> Iterator[Callable[[Sequence[Bucket]], Iterable[Partly]]]:
    """Measure, and die of poison that nobody knows of yet."""
    with really_measuring(work) as measure:

        def dare(buckets: Sequence[Bucket]) -> Iterable[Partly]:
            for bucket, measured in zip(buckets, measure(buckets), strict=True):
                poison = [file.path for file in bucket.files if "poison" in file.path]
                if any(path not in measured.unread for path in poison):
                    os.abort()
                yield measured

        yield dare


def discover(*_: object) -> None:
    """Die instead of finding anything."""
    os.abort()
