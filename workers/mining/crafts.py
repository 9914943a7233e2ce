"""What child processes are asked: facts of files, findings of a repository, measurements of rules."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from app.domain.listing import Listing
from app.domain.measurement import Measurement
from app.domain.recognition import FileRole
from app.gateways.git.store import Store
from app.gateways.storage import Storage
from app.miners.core.candidate import Measured
from app.miners.core.family import Facts, File
from app.miners.core.mining import Mined, Suppressed, mine
from app.miners.core.sections import Sections
from app.miners.core.selection import select
from app.miners.core.sheets import digest_of
from app.miners.registry import BY_NAME, FAMILIES
from app.syntax import MOST_BYTES
from workers.mining.batches import Item, take
from workers.mining.keeping import read
from workers.mining.shelf import Shelf, groups_for

FACTS_SECONDS = 5.0
"""What one file may take of a processor's time."""
# The facts of a file are a kilobyte or two of JSON; those of so many are read once and decoded whenever they are due.
_HELD_FILES = 8_000


def ready() -> None:
    """Do nothing: a child process that was asked for it has loaded what all of these need."""


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
        languages: set[str | None] = set()

        def work(items: Sequence[Item]) -> Iterable[tuple[bytes, str | None]]:
            contents = store.contents([item.blob_id for item in items], largest=MOST_BYTES)
            for item, content in zip(items, contents, strict=True):
                if item.language not in languages:
                    # Of an empty file all kinds of nodes are asked for that ever will be, while nothing is looked for.
                    languages.add(item.language)
                    take(replace(item, content=b""))
                taken = take(replace(item, content=content))
                yield orjson.dumps(taken.facts, option=orjson.OPT_NON_STR_KEYS), taken.reason

        yield work


@dataclass(frozen=True, slots=True)
class Discovered:
    """What was found, and what is to be kept of the votes of files, by name, compressed."""

    mined: Mined
    votes: dict[str, bytes]


def discover(
    root: str, segments: Sequence[str], files: Sequence[Known], paths: Sequence[str], votes: str
) -> Discovered:
    """Find the conventions of a repository from the facts that are kept of its files, and from what these voted."""
    storage, listing = Storage(Path(root)), Listing(paths)
    by_key: dict[str, list[File]] = {}
    for known in files:
        by_key.setdefault(known.key, []).append(File(known.path, known.language, known.role, known.new))
    sections = Sections([file for files in by_key.values() for file in files], listing)
    told: dict[str, list[str]] = {}
    for key, each in by_key.items():
        for file in each:
            state = f"{file.name}\0{key}\0{file.language}\0{sections.cell_of(file)}"
            told.setdefault(sections.name_of(file), []).append(state)
    states = {section: digest_of((section, *sorted(states))) for section, states in told.items()}

    held = list(read(storage, segments, by_key)) if len(files) <= _HELD_FILES else None

    def stream(wanted: Container[str] | None = None) -> Iterator[tuple[File, Facts]]:
        for key, told in read(storage, segments, by_key) if held is None else held:
            files = by_key[key]
            if wanted is None or any(sections.name_of(file) in wanted for file in files):
                facts = orjson.loads(told)
                for file in files:
                    yield file, facts

    shelf = Shelf(storage, votes, groups_for(len(files)), states)
    book = shelf.book(sections)
    mined = mine(FAMILIES, stream, listing, book)
    # Of families that failed nobody knows what their votes are worth.
    return Discovered(mined, {} if mined.suppressed.failed else shelf.renewed(book))


def choose(mined: Mined, measured: Sequence[Measurement], authors: int) -> tuple[list[Measured], Suppressed]:
    """Choose what a person sees."""
    pairs = zip(mined.candidates, measured, strict=True)
    return select(pairs, mined.suppressed, BY_NAME, authors=authors), mined.suppressed
