"""Reading what `git log -z` writes, record by record, whatever strangers wrote into names, messages and paths."""

import secrets
from asyncio import get_running_loop
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from app.domain.history import moment
from app.domain.tree import EntryKind
from app.gateways.git.process import running
from app.gateways.git.reading import entry_at

PLAIN = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-show-signature", "--no-notes", "--no-decorate")
LONGEST_FIELD = 1 << 16

_LARGEST_MAILMAP = 1_000_000
_LONGEST_TEXT = 200


@dataclass(slots=True)
class Record:
    """One commit: the fields asked for, and for each change what it is and its path, or both of a renamed one."""

    fields: list[bytes] = field(default_factory=list)
    entries: list[tuple[bytes, list[bytes]]] = field(default_factory=list)
    more: int = 0
    """So many changes were left out."""


async def records(
    cache: Path, commit: str, placeholders: tuple[str, ...], *options: str, most_entries: int, seconds: float
) -> AsyncGenerator[Record, None]:
    """Walk commits, newest first, with their `--name-status` or `--raw` changes."""
    mark = secrets.token_hex(16)
    deadline = get_running_loop().time() + seconds
    async with running(
        *("log", "-z", *options, *PLAIN, f"--format={'%x00'.join((mark, *placeholders))}", "--end-of-options", commit),
        repository=cache,
        config=await mailmap(cache, commit),
    ) as git:
        reader = Reader(mark.encode(), len(placeholders), most_entries)
        rest = b""
        while piece := await git.read(deadline - get_running_loop().time()):
            *parts, rest = (rest + piece).split(b"\0")
            # A message of megabytes is cut, not kept.
            rest = rest[:LONGEST_FIELD]
            for record in reader.read(parts):
                yield record
        await git.must_end_well()
        if (last := reader.done()) is not None:
            yield last


class Reader:
    """Puts records together: after a mark, made at random, some fields, and then changes with one path or two."""

    def __init__(self, mark: bytes, fields: int, most_entries: int) -> None:
        self._mark = mark
        self._fields = fields
        self._most = most_entries
        self._record: Record | None = None
        self._change: bytes | None = None
        self._paths: list[bytes] = []

    def read(self, parts: Iterable[bytes]) -> Iterator[Record]:
        """Take parts, and give the records that they complete."""
        for part in parts:
            if self._record is not None and len(self._record.fields) < self._fields:
                self._record.fields.append(part)
            elif self._change is not None:
                self._path(self._change, part)
            elif part == self._mark:
                if (complete := self.done()) is not None:
                    yield complete
                self._record = Record()
            else:
                # Between a commit's fields and its changes stands an empty line.
                self._change = part.lstrip(b"\n") or None

    def done(self) -> Record | None:
        """Complete the record that was begun."""
        record, self._record = self._record, None
        return record if record is not None and len(record.fields) == self._fields else None

    def _path(self, change: bytes, path: bytes) -> None:
        self._paths.append(path)
        if len(self._paths) == 1 and status_of(change) in b"RC":
            return
        assert self._record is not None
        if len(self._record.entries) < self._most:
            self._record.entries.append((change, self._paths))
        else:
            self._record.more += 1
        self._change, self._paths = None, []


def status_of(change: bytes) -> bytes:
    """Give the letter of a change: of `M`, `R086` or `:100644 100644 <old> <new> M`."""
    return change.rpartition(b" ")[2][:1]


async def mailmap(cache: Path, commit: str) -> dict[str, str]:
    """Let a repository's own .mailmap say which names are one person, unless it is too large to be one."""
    found = await entry_at(cache, commit, ".mailmap")
    if found is None or found.kind not in (EntryKind.FILE, EntryKind.EXECUTABLE):
        return {}
    if found.size is None or found.size > _LARGEST_MAILMAP:
        return {}
    return {"mailmap.blob": found.object_id}


def time_in(seconds: bytes) -> datetime:
    """Read a time as git writes it."""
    try:
        return moment(int(seconds[:20]))
    except ValueError:
        return moment(0)


def text_in(name: bytes, longest: int = _LONGEST_TEXT) -> str:
    """Make of what a stranger wrote a short text that can be stored and shown."""
    text = name[: 4 * longest].decode(errors="replace")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:longest]
