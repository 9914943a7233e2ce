"""Reading what landed on a branch lately, with its diffs: first what each commit changed, then the diffs worth having.

Git compares what it is told to, and for that it holds both sides in memory, even to say no more than that they differ.
So it is not told to compare files that are too large or missing: these are counted, and their diffs left out.
"""

import secrets
from asyncio import get_running_loop
from collections.abc import AsyncGenerator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from app.domain.history import Landing, title_of
from app.gateways.git.log import LONGEST_FIELD, PLAIN, Record, records, text_in, time_in
from app.gateways.git.process import Git, running
from app.gateways.git.reading import SECONDS, checked, committed_at, sizes

LARGEST_DIFF = 1_000_000
MOST_FILES = 2_000
"""A commit that changes more files is told without its diff."""

_MOST_LEFT_OUT = 1_000
_LONGEST_TITLE = 500
_FIELDS = ("%H", "%aN", "%aE", "%ct", "%s", "%b")


async def first_parent_changes(
    cache: Path,
    commit: str,
    *,
    days: float = 90,
    most: int = 100,
    known: AbstractSet[str] = frozenset(),
    largest_diff: int = LARGEST_DIFF,
    seconds: float = SECONDS,
) -> AsyncGenerator[Landing, None]:
    """Give what landed on a branch, newest first, with its diffs; the days count back from the newest commit.

    What is `known` already counts among the `most`, and is not given.
    """
    oldest = await committed_at(cache, checked(commit)) - timedelta(days=days)
    options = ("--first-parent", "--diff-merges=first-parent", "--raw", "--no-abbrev", "--no-renames")
    bounds = (f"--max-count={most}", f"--max-age={int(oldest.timestamp())}")
    found = [
        record
        async for record in records(cache, commit, _FIELDS, *options, *bounds, most_entries=MOST_FILES, seconds=seconds)
        if _name(record) not in known
    ]
    left_out = await _too_large(cache, found, largest_diff)
    with_diff = [_name(record) for record in found if _is_worth_it(record, left_out)]
    diffs = {diff.commit: diff async for diff in _diffs(cache, with_diff, left_out, largest_diff, seconds)}
    for record in found:
        yield _landing(record, diffs.get(_name(record)), left_out)


async def _too_large(cache: Path, found: Sequence[Record], largest: int) -> frozenset[bytes]:
    """Find the paths whose content git must not load: too large or missing on one side of some change."""
    sides: dict[str, list[bytes]] = {}
    for record in found:
        for change, paths in record.entries:
            old_mode, new_mode, old, new, _ = change.removeprefix(b":").split(b" ")
            for mode, name in ((old_mode, old), (new_mode, new)):
                # Submodules have no content here.
                if mode not in (b"000000", b"160000"):
                    sides.setdefault(name.decode(), []).extend(paths)
    left_out: set[bytes] = set()
    async for object_id, size in sizes(cache, sides):
        if size is None or size > largest:
            left_out.update(sides[object_id])
    return frozenset(left_out)


def _is_worth_it(record: Record, left_out: frozenset[bytes]) -> bool:
    if record.more or not record.entries:
        return False
    mine = [path for _, (path, *_) in record.entries if path in left_out]
    # A path with a newline cannot be told to git as one to leave out.
    return not any(b"\n" in path for path in mine) and len(left_out) <= _MOST_LEFT_OUT


@dataclass(slots=True)
class _Diff:
    """Gathers the diffs of one commit, whole files at a time, up to a limit."""

    commit: str
    room: int
    kept: list[bytes]
    file: list[bytes]
    truncated: bool = False
    drops: bool = True

    def add(self, starts: bool, piece: bytes) -> None:
        """Take a line, or a part of one."""
        if starts and piece.startswith(b"diff --git "):
            self.close()
            self.drops = False
        if self.drops:
            return
        self.file.append(piece)
        self.room -= len(piece)
        if self.room < 0:
            self.room += sum(map(len, self.file))
            self.file = []
            self.truncated = self.drops = True

    def close(self) -> None:
        """Keep the file that was gathered."""
        self.kept += self.file
        self.file = []


async def _diffs(
    cache: Path, commits: Sequence[str], left_out: frozenset[bytes], largest: int, seconds: float
) -> AsyncGenerator[_Diff, None]:
    if not commits:
        return
    mark = secrets.token_hex(16)
    async with running(
        *("log", "--no-walk=unsorted", "--stdin", "-p", "--diff-merges=first-parent", "--find-renames", "--unified=3"),
        *("--src-prefix=a/", "--dst-prefix=b/", *PLAIN, f"--format={mark} %H"),
        repository=cache,
        environment={"GIT_LITERAL_PATHSPECS": "0"},
        talks=True,
    ) as git:
        paths = b"".join(b":(top,exclude,literal)" + path + b"\n" for path in sorted(left_out) if b"\n" not in path)
        await git.tell("".join(f"{commit}\n" for commit in commits).encode() + (b"--\n" + paths if paths else b""))
        git.hang_up()
        diff: _Diff | None = None
        async for starts, piece in _lines(git, seconds):
            # The mark, made at random, stands in no diff; and every line of one begins with a sign.
            if starts and piece.startswith(mark.encode()):
                if diff is not None:
                    diff.close()
                    yield diff
                diff = _Diff(piece.split()[1].decode(), largest, [], [])
            elif diff is not None:
                diff.add(starts, piece)
        await git.must_end_well()
        if diff is not None:
            diff.close()
            yield diff


async def _lines(git: Git, seconds: float) -> AsyncGenerator[tuple[bool, bytes], None]:
    """Read lines with their ends, very long ones in parts, and tell of each part whether it begins a line."""
    deadline = get_running_loop().time() + seconds
    starts, rest = True, b""
    while piece := await git.read(deadline - get_running_loop().time()):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield starts, line + b"\n"
            starts = True
        if len(rest) > LONGEST_FIELD:
            yield starts, rest
            starts, rest = False, b""
    if rest:
        yield starts, rest


def _landing(record: Record, diff: _Diff | None, left_out: frozenset[bytes]) -> Landing:
    _, author, email, committed, subject, body = record.fields
    title, number = title_of(text_in(subject, _LONGEST_TITLE), body.decode(errors="replace"))
    partly = any(path in left_out for _, (path, *_) in record.entries)
    return Landing(
        id=_name(record),
        title=text_in(title.encode(), _LONGEST_TITLE),
        number=number,
        author=text_in(author),
        email=text_in(email),
        committed_at=time_in(committed),
        diff=b"" if diff is None else b"".join(diff.kept),
        files=len(record.entries) + record.more,
        truncated=partly or (bool(record.entries) if diff is None else diff.truncated),
    )


def _name(record: Record) -> str:
    return record.fields[0].decode()
