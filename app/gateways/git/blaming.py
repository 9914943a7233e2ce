"""Finding in a bare cache who wrote a line."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from app.domain.history import Blame
from app.domain.source import SourceFailed, SourceProblem
from app.gateways.git.log import mailmap, text_in, time_in
from app.gateways.git.process import answer
from app.gateways.git.reading import blobs, entry_at

_LARGEST_BLAMED = 4_000_000
_BLAME_SECONDS = 30.0
# What one file, or a version of it, can do to a git that looks into it.
_OF_CONTENT = {SourceProblem.OBJECTS_MISSING, SourceProblem.TOO_LARGE, SourceProblem.BROKEN}


async def blame_lines(
    cache: Path,
    commit: str,
    path: str,
    lines: Iterable[int],
    *,
    count: int | None = None,
    names: Mapping[str, str] | None = None,
) -> dict[int, Blame]:
    """Find who wrote lines of a file last, in one pass; a line of which that cannot be found out has no blame.

    Whoever asks about many files says how many lines each has at least, and what `mailmap` gave, so that it is not read
    again.
    """
    if count is None:
        count = await _length(cache, commit, path)
    ranges = [f"-L{line},{line}" for line in sorted(set(lines)) if 0 < line <= count]
    if not ranges:
        return {}
    try:
        told = await answer(
            *("blame", "--porcelain", *ranges, commit, "--", path),
            repository=cache,
            config=await mailmap(cache, commit) if names is None else names,
            most=4 * _LARGEST_BLAMED,
            seconds=_BLAME_SECONDS,
        )
    except SourceFailed as failed:
        # Whatever git cannot say of one file (that it has fewer lines, for one) is a blame less, and nothing worse.
        if failed.code in _OF_CONTENT | {SourceProblem.TIMED_OUT, SourceProblem.FAILED}:
            return {}
        raise
    return {blame.line: blame for blame in _blamed(told)}


async def _length(cache: Path, commit: str, path: str) -> int:
    """Count the lines of a file; one that is no file has none."""
    entry = await entry_at(cache, commit, path)
    if entry is not None:
        async for blob in blobs(cache, [entry.object_id], largest=_LARGEST_BLAMED):
            if blob.content:
                return blob.content.count(b"\n") + (not blob.content.endswith(b"\n"))
    return 0


async def blame_line(cache: Path, commit: str, path: str, line: int) -> Blame | None:
    """Find who wrote one line of a file last."""
    return (await blame_lines(cache, commit, path, [line])).get(line)


def _blamed(told: bytes) -> Iterator[Blame]:
    """Read `blame --porcelain`, which tells of a commit only once."""
    facts: dict[str, dict[bytes, bytes]] = {}
    name, number = "", 0
    # Not splitlines: a line of the file may hold carriage returns.
    for line in told.split(b"\n"):
        if line.startswith(b"\t"):
            known = facts[name]
            yield Blame(
                line=number,
                commit=name,
                author=text_in(known.get(b"author", b"")),
                email=text_in(known.get(b"author-mail", b"").strip(b"<>")),
                authored_at=time_in(known.get(b"author-time", b"")),
            )
            name = ""
        elif name:
            word, _, value = line.partition(b" ")
            facts[name].setdefault(word, value)
        elif line:
            commit, _, place, *_ = line.split(b" ")
            name, number = commit.decode(), int(place)
            facts.setdefault(name, {})
