"""Keeping what files voted between runs: sheets of sections, in groups that are written anew when one of them changes.

It stands in a child process, so nothing here needs a database, a queue or a loop; whoever asked for it writes down what
is to be kept.
"""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

import app.domain
import app.miners
from app.domain.errors import NotFound
from app.gateways.storage import Storage
from app.miners.core.sections import Sections
from app.miners.core.sheets import Book

_FORMAT = 2
_FILES_OF_A_GROUP, _MOST_GROUPS = 512, 256
_NOTES, _FINDINGS = "notes", "findings"
_QUICKLY = 1


def groups_for(files: int) -> int:
    """Say in how many groups the sections of so many files are kept; it changes only when a repository doubles."""
    count = 1
    while count * _FILES_OF_A_GROUP < files and count < _MOST_GROUPS:
        count *= 2
    return count


@cache
def version() -> str:
    """Name the code that votes: what another one counted is of no use."""
    told = blake2b(str(_FORMAT).encode(), digest_size=12)
    for package in (app.miners, app.domain):
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            told.update(path.read_bytes())
    return told.hexdigest()


@dataclass(slots=True)
class Shelf:
    """What is kept of a repository's sections, and what is to be kept of them next."""

    storage: Storage
    prefix: str
    groups: int
    states: Mapping[str, str]
    """What decides the votes of each section, as a digest."""
    _sections: dict[str, str] = field(default_factory=dict)
    _head: bytes = b""
    _notes: dict[str, Any] = field(default_factory=dict)
    _found: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sections = {state: section for section, state in self.states.items()}
        # Whatever cannot be read is counted anew.
        with suppress(NotFound, ValueError):
            told = self.storage.load(f"{self.prefix}{_NOTES}")
            if (notes := orjson.loads(told)).get("version") == version():
                self._head, self._notes = _head_of(told), notes
        with suppress(NotFound, ValueError):
            found = orjson.loads(self.storage.load(f"{self.prefix}{_FINDINGS}"))
            if found.get("version") == version():
                self._found = found["found"]

    def book(self, sections: Sections) -> Book:
        """Open the book of votes where it was closed."""
        looked = {name: dict(looked) for name, looked in self._notes.get("looked", {}).items()}
        return Book(sections, self._kept, looked, known=self._found)

    def renewed(self, book: Book) -> dict[str, bytes]:
        """Spell what is to be kept otherwise than it is, by name, compressed."""
        notes = orjson.dumps({"version": version(), "looked": book.looked}, option=orjson.OPT_SORT_KEYS)
        head = _head_of(notes)
        found: dict[str, bytes] = {}
        if head != self._head:
            found[_NOTES] = zlib.compress(notes, _QUICKLY)
        if book.found.keys() != self._found.keys():
            found[_FINDINGS] = zlib.compress(orjson.dumps({"version": version(), "found": book.found}), _QUICKLY)
        by_group: dict[int, list[str]] = {}
        for section in self.states:
            by_group.setdefault(crc32(section.encode()) % self.groups, []).append(section)
        for number in range(self.groups):
            sections = by_group.get(number, [])
            kept = dict(self._lines(number))
            known = {self.states[section] for section in sections}
            if head == self._head and known == kept.keys() and book.fresh.keys().isdisjoint(sections):
                continue
            lines = [
                self.states[section].encode() + b"\t" + book.renewed(section, kept.get(self.states[section]))
                for section in sections
                # One whose files have not all voted has no sheet, and votes again.
                if self.states[section] in kept or section in book.fresh
            ]
            found[str(number)] = zlib.compress(b"\n".join((head, *lines)), _QUICKLY)
        return found

    def _kept(self) -> Iterator[tuple[str, bytes]]:
        for number in range(self.groups if self._head else 0):
            for state, told in self._lines(number):
                if (section := self._sections.get(state)) is not None:
                    yield section, told

    def _lines(self, number: int) -> Iterator[tuple[str, bytes]]:
        if not self._head:
            return
        with suppress(NotFound):
            head, *lines = self.storage.load(f"{self.prefix}{number}").split(b"\n")
            # Groups are written one by one; one that was not written in time speaks of another world.
            for line in lines if head == self._head else ():
                state, _, told = line.partition(b"\t")
                yield state.decode(), told


def _head_of(notes: bytes) -> bytes:
    return blake2b(notes, digest_size=12).hexdigest().encode()
