"""Sheets: what the files of one section voted, as plain data that can be kept for as long as they are the same files.

A vote hangs on its file, and on what its family looked up in the world; so it is noted what that was, and a family for
which it is not the same any more counts anew.
"""

import zlib
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Protocol, cast

import orjson

from app.domain.listing import Listing
from app.miners.core.family import Facts, Family, File, World
from app.miners.core.sections import Section, Sections

_QUICKLY = 1
FILE = 1 << 40
"""Counts hold sites, and files in multiples of this."""

Kept = Callable[[], Iterable[tuple[str, bytes]]]
"""Gives the sections whose files are as they were, each with its sheet, anew each time it is called."""

_ASPECTS = {
    "python_folders": "python folders",
    "python_packages": "python packages",
    "java_packages": "java packages",
    "script_packages": "script packages",
}
_INTERNAL = {"Python": "python packages", "Java": "java packages", "Go": "paths"}


class Files(Protocol):
    """Gives files with their facts, anew each time it is called; nobody keeps them."""

    def __call__(self, sections: Container[str] | None = None, /) -> Iterable[tuple[File, Facts]]:
        """Give all files, or at least those of some sections."""


def digest_of(told: Iterable[str]) -> str:
    """Name some texts."""
    return blake2b("\0".join(told).encode(errors="replace"), digest_size=15).hexdigest()


def speaks(family: Family, file: File) -> bool:
    """Tell whether a family speaks of a file."""
    return file.role in family.roles and (family.languages is None or file.language in family.languages)


class Watched:
    """A world that knows what was looked up in it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._listing = _WatchedListing(world.listing, self)
        self.looked: set[str] = set()

    @property
    def listing(self) -> Listing:
        """The paths; what is asked of them is noted."""
        return cast("Listing", self._listing)

    @property
    def noted(self) -> dict[str, Any]:
        """What the family noted."""
        self.looked.add("noted")
        return self._world.noted


class _WatchedListing:
    def __init__(self, listing: Listing, watched: Watched) -> None:
        self._listing, self._watched = listing, watched

    def internal(self, language: str | None, module: str) -> bool:
        if (aspect := _INTERNAL.get(language or "")) is not None:
            self._watched.looked.add(aspect)
        return self._listing.internal(language, module)

    def __getattr__(self, name: str) -> Any:
        self._watched.looked.add(_ASPECTS.get(name, "paths"))
        return getattr(self._listing, name)


@dataclass(slots=True)
class Sheet:
    """What files of one section voted, counted by the section's cells."""

    section: Section
    votes: dict[str, dict[tuple[str | None, str], tuple[dict[int, int], dict[str, dict[int, int]]]]] = field(
        default_factory=dict
    )
    seen: int = 0
    """So many files of the section have come."""

    def add(self, family: Family, file: File, facts: Facts, world: World, cell: int) -> None:
        """Count the votes of a file."""
        tongue = family.tongue_of(file)
        asked: dict[str, int] = {}
        answered: dict[str, dict[str, int]] = {}
        for vote in family.votes(file, facts.get(family.name), world):
            asked[vote.topic] = asked.get(vote.topic, 0) + vote.times
            if vote.forms:
                forms = answered.setdefault(vote.topic, {})
                for form in vote.forms:
                    forms[form] = forms.get(form, 0) + vote.times
        if not asked:
            return
        topics = self.votes.setdefault(family.name, {})
        for topic, times in asked.items():
            sites, found = topics.setdefault((tongue, topic), ({}, {}))
            sites[cell] = sites.get(cell, 0) + FILE + times
            for form, times in answered.get(topic, {}).items():
                counted = found.setdefault(form, {})
                counted[cell] = counted.get(cell, 0) + FILE + times

    def spelled(self) -> bytes:
        """Spell it; counts are lists of cells by turns with what was counted in them."""
        return orjson.dumps(
            {
                "cells": list(self.section.cells),
                "votes": {
                    name: [
                        [*topic, _flat(sites), {form: _flat(counted) for form, counted in forms.items()}]
                        for topic, (sites, forms) in topics.items()
                    ]
                    for name, topics in self.votes.items()
                },
            }
        )


def _flat(counted: Mapping[int, int]) -> list[int]:
    return [number for pair in counted.items() for number in pair]


@dataclass(slots=True)
class Book:
    """The sheets of all sections: those that are kept from before, and those that were counted now."""

    sections: Sections
    kept: Kept = tuple
    looked: dict[str, dict[str, str]] = field(default_factory=dict)
    """By family, what it looked up while it voted, and a digest of what it found."""
    fresh: dict[str, bytes] = field(default_factory=dict)
    """Sheets that were counted now, by section, compressed; where there is one that is kept, only of void families."""
    void: set[str] = field(default_factory=set)
    """Families that had to vote again everywhere."""
    known: Mapping[str, Any] = field(default_factory=dict)
    """What came of the same counts before, by what was counted; None where nothing holds."""
    found: dict[str, Any] = field(default_factory=dict)
    """What came of the counts now."""
    _unmoved: set[str] = field(default_factory=set)
    """Sections in which void families voted as they had before."""

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give the sheets one after another, each with its folder."""
        given = set()
        for name, told in self.kept():
            given.add(name)
            sheet = orjson.loads(told)
            if self.void and name not in self._unmoved:
                votes = self._anew(name, sheet["votes"])
                if votes == sheet["votes"]:
                    self._unmoved.add(name)
                    self.fresh.pop(name, None)
                sheet["votes"] = votes
            yield self.sections.by_name[name].folder, sheet
        for name, told in self.fresh.items():
            if name not in given:
                yield self.sections.by_name[name].folder, orjson.loads(zlib.decompress(told))

    def renewed(self, name: str, told: bytes | None) -> bytes:
        """Spell the sheet of a section as it is to be kept, given what was kept of it."""
        if told is None:
            return zlib.decompress(self.fresh[name])
        if not self.void or name in self._unmoved:
            return told
        sheet = orjson.loads(told)
        return orjson.dumps(sheet | {"votes": self._anew(name, sheet["votes"])})

    def _anew(self, name: str, votes: dict[str, Any]) -> dict[str, Any]:
        """Put what void families voted now in the place of what is kept of them."""
        told = self.fresh.get(name)
        now = {} if told is None else orjson.loads(zlib.decompress(told))["votes"]
        return {family: topics for family, topics in votes.items() if family not in self.void} | now

    def count(
        self,
        families: Sequence[Family],
        files: Files,
        worlds: Mapping[str, World],
        fail: Callable[[Family, Exception], None],
    ) -> None:
        """Count what is not kept, or does not hold any more."""
        digests = _Digests(worlds)
        self.void = {
            name
            for name, looked in self.looked.items()
            if name in worlds and any(digests.of(name, aspect) != digest for aspect, digest in looked.items())
        }
        sections = self.sections.by_name
        missing = set(sections)
        missing.difference_update(name for name, _ in self.kept())
        wanted: Collection[str] = sections.keys() if self.void else missing
        watched = {family.name: Watched(worlds[family.name]) for family in families}
        if wanted:
            self._fill(list(families), files, wanted, missing, watched, fail)
        for name, watch in watched.items():
            before = {} if name in self.void else self.looked.get(name, {})
            if now := before | {aspect: digests.of(name, aspect) for aspect in sorted(watch.looked)}:
                self.looked[name] = now

    def _fill(
        self,
        families: list[Family],
        files: Files,
        wanted: Container[str],
        missing: Container[str],
        watched: Mapping[str, Watched],
        fail: Callable[[Family, Exception], None],
    ) -> None:
        sections, sheets = self.sections, dict[str, Sheet]()
        for file, facts in files(wanted):
            name = sections.name_of(file)
            if name not in wanted:
                continue
            if name not in sheets:
                sheets[name] = Sheet(sections.by_name[name])
            sheet, new = sheets[name], name in missing
            cell = sheet.section.cells[sections.cell_of(file)]
            for family in tuple(families):
                if (new or family.name in self.void) and speaks(family, file):
                    try:
                        sheet.add(family, file, facts, cast("World", watched[family.name]), cell)
                    except Exception as error:
                        fail(family, error)
                        families.remove(family)
            sheet.seen += 1
            if sheet.seen == sheet.section.files:
                # What is spelled takes a tenth of the memory, and compressed a fifth of that.
                self.fresh[name] = zlib.compress(sheets.pop(name).spelled(), _QUICKLY)


class _Digests:
    """Digests of what can be looked up, as it was before any vote was cast."""

    def __init__(self, worlds: Mapping[str, World]) -> None:
        self._worlds = worlds
        self._known: dict[tuple[str, str], str] = {}
        # Votes may put aside there what they made of it.
        for name in worlds:
            self.of(name, "noted")

    def of(self, name: str, aspect: str) -> str:
        key = (name if aspect == "noted" else "", aspect)
        if key not in self._known:
            world = self._worlds[name]
            told = {
                "noted": lambda: _canonical(world.noted, top=True),
                "paths": lambda: "\0".join(sorted(world.listing.paths)),
                "python folders": lambda: "\0".join(sorted(world.listing.python_folders)),
                "python packages": lambda: "\0".join(sorted(world.listing.python_packages)),
                "java packages": lambda: "\0".join(sorted(world.listing.java_packages)),
                "script packages": lambda: "\0".join(sorted(world.listing.script_packages)),
            }[aspect]()
            self._known[key] = digest_of((told,))
        return self._known[key]


def _canonical(value: Any, *, top: bool = False) -> str:
    """Spell what a family noted, the same way in whatever order files came."""
    if isinstance(value, dict):
        parts = sorted(
            f"{_canonical(key)}:{_of_files(part) if top else _canonical(part)}" for key, part in value.items()
        )
        return f"{{{','.join(parts)}}}"
    if isinstance(value, set | frozenset):
        return f"<{','.join(sorted(map(_canonical, value)))}>"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_canonical, value))}]"
    return repr(value)


def _of_files(part: Any) -> str:
    # What stands there right at the top, each file has added its part to.
    return f"[{','.join(sorted(map(_canonical, part)))}]" if isinstance(part, list) else _canonical(part)
