"""Tracing: what each commit changed, many commits at once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.domain.authorship import in_order, moved_on
from app.domain.source import SourceFailed
from app.gateways.git.tracing import Traced, changes_of, parents_of


@dataclass(frozen=True, slots=True)
class Past:
    """Where the commits are, and who is who."""

    cache: str
    mailmap: dict[str, str]


def commits_since(cache: str, commit: str, since: str | None, most: int) -> list[str] | None:
    """List commits in the order in which they are added; None if the branch did not simply move on since."""
    try:
        parents = parents_of(Path(cache), commit, since, most)
    except SourceFailed:
        if since is None:
            raise
        # What was pushed away may be gone from the cache, too.
        return None
    if since is not None and (len(parents) == most or not moved_on(parents, commit, since)):
        return None
    return in_order(parents, commit)


@contextmanager
def tracing(past: Past) -> Iterator[Callable[[Sequence[str]], Iterator[Traced]]]:
    """Prepare to read commits."""
    yield lambda commits: changes_of(Path(past.cache), commits, past.mailmap)
