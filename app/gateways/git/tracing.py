"""Reading what commits changed from inside a child process: in any order, by plain pipes."""

import secrets
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.domain.authorship import PlainChange
from app.domain.history import ChangeKind
from app.domain.source import SourceFailed, SourceProblem
from app.domain.tree import read_path
from app.gateways.git.log import LONGEST_FIELD, PLAIN, Reader, Record, status_of, text_in, time_in
from app.gateways.git.process import surroundings
from app.gateways.git.reading import checked

MOST_COMMITS = 200_000
MOST_CHANGES = 100_000
"""A commit that changes more paths is cut off there."""

Traced = tuple[str, int, list[PlainChange]]
"""Who made a commit, when, and what it changed."""

_FIELDS = ("%aN", "%ct")
_PIECE = 1 << 18
_KINDS = {b"A": ChangeKind.ADDED, b"D": ChangeKind.DELETED, b"R": ChangeKind.RENAMED}


def parents_of(cache: Path, commit: str, since: str | None, most: int) -> dict[str, list[str]]:
    """Give the commits that lead to one, each with its parents; `since` leaves out those that lead to that one."""
    hidden = [] if since is None else [f"^{checked(since)}"]
    told = _started(cache, {}, "rev-list", "--parents", f"--max-count={most}", checked(commit), *hidden)
    with told as git:
        assert git.stdout is not None
        found = {name: others for name, *others in (line.decode().split() for line in git.stdout)}
    if git.returncode:
        raise SourceFailed(SourceProblem.BROKEN, "The history of the repository cannot be read.")
    return found


def changes_of(cache: Path, commits: Sequence[str], mailmap: dict[str, str]) -> Iterator[Traced]:
    """Tell of each commit what it changed; merges change nothing by themselves."""
    done = 0
    # To tell a renamed file that was edited too, git compares contents; some may be missing, or far too large.
    for renames in ("--find-renames", "--find-renames=100%", "--no-renames"):
        for record in _records(cache, commits[done:], mailmap, renames):
            yield _traced(record)
            done += 1
        if done == len(commits):
            return
    raise SourceFailed(SourceProblem.BROKEN, "A commit of the repository cannot be read.")


def _records(cache: Path, commits: Sequence[str], mailmap: dict[str, str], renames: str) -> Iterator[Record]:
    mark = secrets.token_hex(16)
    options = ("--no-walk=unsorted", "--stdin", "-z", "--name-status", "--diff-merges=off", renames, "-l500")
    reader = Reader(mark.encode(), len(_FIELDS), MOST_CHANGES)
    with _started(cache, mailmap, "log", *options, *PLAIN, f"--format={'%x00'.join((mark, *_FIELDS))}") as git:
        assert git.stdin is not None
        assert git.stdout is not None
        # All names are read before anything is written.
        git.stdin.write("".join(f"{checked(commit)}\n" for commit in commits).encode())
        git.stdin.close()
        rest = b""
        while piece := git.stdout.read1(_PIECE):  # type: ignore[attr-defined]
            *parts, rest = (rest + piece).split(b"\0")
            rest = rest[:LONGEST_FIELD]
            yield from reader.read(parts)
    # The last one may have been cut short.
    if not git.returncode and (last := reader.done()) is not None:
        yield last


def _traced(record: Record) -> Traced:
    author, committed = record.fields
    changes: list[PlainChange] = []
    for change, paths in record.entries:
        path = read_path(paths[-1])
        if isinstance(path, str):
            kind = _KINDS.get(status_of(change), ChangeKind.MODIFIED)
            before = read_path(paths[0]) if len(paths) == 2 else None
            changes.append((kind.value, path, before if isinstance(before, str) else None))
    return text_in(author), int(time_in(committed).timestamp()), changes


def _started(cache: Path, config: dict[str, str], *arguments: str) -> "subprocess.Popen[bytes]":
    # The PATH is the operator's word, and names of objects are checked.
    return subprocess.Popen(  # noqa: S603
        ["git", f"--git-dir={cache}", *arguments],  # noqa: S607
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=surroundings(config, {}),
    )
