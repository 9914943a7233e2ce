"""What child processes are asked: facts of files, findings of a repository, measurements of rules."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from app.domain.listing import Listing
from app.domain.measurement import Measurement
from app.domain.recognition import FileRole
from app.gateways.git.store import Store
from app.gateways.storage import Storage
from app.miners.core.family import Facts, File
from app.miners.core.mining import Mined, Suppressed, mine
from app.miners.core.selection import Measured, select
from app.miners.registry import BY_NAME, FAMILIES
from app.syntax import MOST_BYTES
from workers.mining.batches import Item, take
from workers.mining.keeping import read

FACTS_SECONDS = 5.0
"""What one file may take of a processor's time."""


@dataclass(frozen=True, slots=True)
class Known:
    """A file whose facts are kept."""

    key: str
    path: str
    language: str | None
    role: FileRole
    new: bool


@contextmanager
def taking(cache: str) -> Iterator[Callable[[Sequence[Item]], Iterable[tuple[bytes, str | None]]]]:
    """Take the facts of each file of a repository, as JSON, or the reason why there are none."""
    with Store(Path(cache)) as store:

        def work(items: Sequence[Item]) -> Iterable[tuple[bytes, str | None]]:
            contents = store.contents([item.blob_id for item in items], largest=MOST_BYTES)
            for item, content in zip(items, contents, strict=True):
                taken = take(replace(item, content=content))
                yield orjson.dumps(taken.facts, option=orjson.OPT_NON_STR_KEYS), taken.reason

        yield work


def discover(root: str, segments: Sequence[str], files: Sequence[Known], paths: Sequence[str]) -> Mined:
    """Find the conventions of a repository from the facts that are kept of its files."""
    storage = Storage(Path(root))
    by_key: dict[str, list[File]] = {}
    for known in files:
        by_key.setdefault(known.key, []).append(File(known.path, known.language, known.role, known.new))

    def stream() -> Iterator[tuple[File, Facts]]:
        for key, facts in read(storage, segments):
            for file in by_key.get(key, ()):
                yield file, facts

    return mine(FAMILIES, stream, Listing(paths))


def choose(mined: Mined, measured: Sequence[Measurement], authors: int) -> tuple[list[Measured], Suppressed]:
    """Choose what a person sees."""
    pairs = zip(mined.candidates, measured, strict=True)
    return select(pairs, mined.suppressed, BY_NAME, authors=authors), mined.suppressed
