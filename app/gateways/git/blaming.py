"""Finding in a bare cache who wrote a line."""

import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import IO, NamedTuple

from app.domain.history import Blame
from app.domain.source import SourceFailed, SourceProblem
from app.gateways.git.log import mailmap, text_in, time_in
from app.gateways.git.process import answer, surroundings
from app.gateways.git.reading import blobs, checked, entry_at


class Asked(NamedTuple):
    """Lines that a file has, and the commit that nobody need look beyond."""

    path: str
    lines: Sequence[int]
    since: str | None = None


_LARGEST_BLAMED = 4_000_000
_BLAME_SECONDS, _GRAPH_SECONDS = 30.0, 30.0
_MOST_TOLD = 4 * _LARGEST_BLAMED
# So many commits are looked through at once, which takes some five seconds.
_MOST_FILTERS = 100_000
# The graph in a cache of ours is our own: no fetch brings one along.
_GRAPH = {"core.commitGraph": "true"}
# What one file, or a version of it, can do to a git that looks into it.
_OF_CONTENT = {SourceProblem.OBJECTS_MISSING, SourceProblem.TOO_LARGE, SourceProblem.BROKEN}


async def index_commits(cache: Path) -> None:
    """Write down beside the commits how they hang together and what each changed; then blame takes a sixth of the time.

    What is written already stays, so that it costs next to nothing when a few commits are new.
    """
    # It cannot be had for each history, and nobody needs it.
    with suppress(SourceFailed):
        await answer(
            *("commit-graph", "write", "--reachable", "--no-progress"),
            *("--split", "--changed-paths", f"--max-new-filters={_MOST_FILTERS}"),
            repository=cache,
            config=_GRAPH,
            seconds=_GRAPH_SECONDS,
        )


async def blame_lines(
    cache: Path,
    commit: str,
    path: str,
    lines: Iterable[int],
    *,
    count: int | None = None,
) -> dict[int, Blame]:
    """Find who wrote lines of a file last, in one pass; a line of which that cannot be found out has no blame.

    Whoever knows how many lines the file has at least says so, and it is not read for that.
    """
    if count is None:
        count = await _length(cache, commit, path)
    asked = [line for line in set(lines) if 0 < line <= count]
    if not asked:
        return {}
    try:
        told = await answer(
            *_arguments(commit, Asked(path, asked)),
            repository=cache,
            config={**_GRAPH, **await mailmap(cache, commit)},
            most=_MOST_TOLD,
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


def blames_of(
    cache: Path, commit: str, asked: Iterable[Asked], names: Mapping[str, str], *, seconds: float
) -> Iterator[dict[int, Blame]]:
    """Find who wrote lines that files have, all files at once, from inside a child process.

    One of which git cannot say it in so many seconds has no blame.
    """
    with ExitStack() as stack:
        asking = [(each, stack.enter_context(_asking(cache, commit, each, names, seconds))) for each in asked]
        for each, told in asking:
            text = told.read(_MOST_TOLD)
            yield {blame.line: blame for blame in _blamed(text, each.since)} if text.endswith(b"\n") else {}


@contextmanager
def _asking(cache: Path, commit: str, asked: Asked, names: Mapping[str, str], seconds: float) -> Iterator[IO[bytes]]:
    # The PATH is the operator's word, the commit is checked, and a path stands where nothing else can.
    with subprocess.Popen(  # noqa: S603
        ["git", f"--git-dir={cache}", *_arguments(commit, asked)],  # noqa: S607
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=surroundings({**_GRAPH, **names}, {}),
    ) as git:
        assert git.stdout is not None
        late = Timer(seconds, git.kill)
        late.start()
        try:
            yield git.stdout
        finally:
            late.cancel()
            git.kill()


def _arguments(commit: str, asked: Asked) -> tuple[str, ...]:
    ranges = (f"-L{line},{line}" for line in sorted(asked.lines))
    reach = checked(commit) if asked.since is None else f"{checked(asked.since)}..{checked(commit)}"
    return ("blame", "--porcelain", *ranges, reach, "--", asked.path)


def _blamed(told: bytes, since: str | None = None) -> Iterator[Blame]:
    """Read `blame --porcelain`, which tells of a commit only once.

    Lines from beyond another commit than the one that was asked for came by a way on which that one does not lie; of
    these nobody knows anything.
    """
    facts: dict[str, dict[bytes, bytes]] = {}
    name, was, number = "", 0, 0
    # Not splitlines: a line of the file may hold carriage returns.
    for line in told.split(b"\n"):
        if line.startswith(b"\t"):
            known = facts[name]
            beyond = since is not None and b"boundary" in known
            if not beyond or name == since:
                yield Blame(
                    line=number,
                    commit=name,
                    author=text_in(known.get(b"author", b"")),
                    email=text_in(known.get(b"author-mail", b"").strip(b"<>")),
                    authored_at=time_in(known.get(b"author-time", b"")),
                    stood=was if beyond else None,
                )
            name = ""
        elif name:
            word, _, value = line.partition(b" ")
            facts[name].setdefault(word, value)
        elif line:
            commit, old, new, *_ = line.split(b" ")
            name, was, number = commit.decode(), int(old), int(new)
            facts.setdefault(name, {})
