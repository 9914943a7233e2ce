"""Blaming: who wrote lines of files, many files at once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.gateways.git.blaming import Asked, blames_of

Written = dict[int, tuple[str, datetime] | int]
"""Author and time by line, or the line that it was in the commit that nobody looked beyond."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where the files are, and who is who."""

    cache: str
    commit: str
    mailmap: dict[str, str]
    seconds: float
    """How long anybody waits for one file."""


@contextmanager
def blaming(snapshot: Snapshot) -> Iterator[Callable[[Sequence[Asked]], Iterator[Written]]]:
    """Prepare to ask about files of one commit, all that come together at once."""

    def blame(asked: Sequence[Asked]) -> Iterator[Written]:
        for told in blames_of(Path(snapshot.cache), snapshot.commit, asked, snapshot.mailmap, seconds=snapshot.seconds):
            yield {
                line: (each.author, each.authored_at) if each.stood is None else each.stood
                for line, each in told.items()
                if each.author
            }

    yield blame
