"""What a rule was seen to do in a repository: counts, places, people and times; parts of it add up to the whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from heapq import heappush, heapreplace
from typing import NamedTuple, Protocol, TypeVar
from zlib import crc32

from app.domain.pattern import CodeCategory

Name = TypeVar("Name", bound=str)

MOST_PLACES = 400
"""So many violations are kept; all are counted."""
MOST_SAMPLES = 48
_MOST_NAMES = 500


class Place(NamedTuple):
    """A site: a blob at a path, and the lines in it; None where the file itself is meant."""

    path: str
    blob_id: str
    start: int | None = None
    end: int | None = None
    form: str | None = None


@dataclass(frozen=True)
class Past:
    """What history tells of one path."""

    first: datetime | None = None
    last: datetime | None = None
    authors: Mapping[str, int] = field(default_factory=dict)
    new: bool = False
    """Whether it was added in the last twelve months of the repository's history."""

    @cached_property
    def leader(self) -> str | None:
        """Who worked on it most."""
        return max(self.authors, key=lambda name: (self.authors[name], name), default=None)


class Sighted(Protocol):
    """A site of a rule, as whoever looked for it tells of it."""

    @property
    def conforming(self) -> bool:
        """Whether it does what the rule says."""

    @property
    def start(self) -> int | None:
        """Its first line."""

    @property
    def end(self) -> int | None:
        """Its last line."""

    @property
    def form(self) -> str | None:
        """What stands there, in a word."""


class Glimpse(NamedTuple):
    """What a rule was seen to do in one file: all that hangs on nothing but its content, whoever wrote it and when."""

    applicable: int
    conforming: int
    start: int | None
    """The lines of the conforming place that shows most; None where the file itself is meant, or none conforms."""
    end: int | None
    violations: Sequence[tuple[int | None, int | None, str | None]]
    """First line, last line and form of places that do not conform; at most so many as are kept of all files."""
    rivals: Mapping[str, int]


@dataclass(slots=True)
class Measurement:
    """Everything that is known of a rule after it was run over files."""

    applicable: int = 0
    conforming: int = 0
    files: int = 0
    """Files with applicable sites."""
    conforming_files: int = 0
    """Files with conforming sites."""
    new_applicable: int = 0
    new_conforming: int = 0
    authors: dict[str, int] = field(default_factory=dict)
    """Conforming files by who worked on them most."""
    categories: dict[CodeCategory, int] = field(default_factory=dict)
    oldest: datetime | None = None
    newest: datetime | None = None
    samples: list[Place] = field(default_factory=list)
    """Some conforming places, one a file, the same ones however the files are dealt out."""
    violations: list[Place] = field(default_factory=list)
    rivals: dict[str, int] = field(default_factory=dict)
    """What stands at places that do not conform, where the rule can tell."""
    broken: dict[str, int] = field(default_factory=dict)
    """Why the rule could not be run, by how many files."""

    @property
    def adoption(self) -> float | None:
        """Conforming of applicable; None where there is nothing to conform."""
        return self.conforming / self.applicable if self.applicable else None

    def see(
        self,
        seen: Glimpse,
        path: str,
        blob_id: str,
        past: Past,
        category: CodeCategory,
        draw: "Draw | None" = None,
    ) -> None:
        """Take in what was seen of one file; a draw says whether its sample could still be one of the first."""
        self.applicable += seen.applicable
        self.conforming += seen.conforming
        self.files += seen.applicable > 0
        self.conforming_files += seen.conforming > 0
        if past.new:
            self.new_applicable += seen.applicable
            self.new_conforming += seen.conforming
        for start, end, form in seen.violations:
            self.violations.append(Place(path, blob_id, start, end, form))
        for form, count in seen.rivals.items():
            _count(self.rivals, form, count)
        if seen.conforming:
            _count(self.categories, category, seen.conforming)
            if past.leader is not None:
                _count(self.authors, past.leader, seen.conforming)
                for name in past.authors:
                    self.authors.setdefault(name, 0)
            self._meet(past.first, past.first)
            if draw is None or draw.takes(path):
                self.samples.append(Place(path, blob_id, seen.start, seen.end))
        self._trim()

    def breaks(self, reason: str) -> None:
        """Note that the rule could not be run on a file."""
        _count(self.broken, reason, 1)

    def add(self, other: "Measurement") -> None:
        """Add what the same rule did in other files."""
        self.applicable += other.applicable
        self.conforming += other.conforming
        self.files += other.files
        self.conforming_files += other.conforming_files
        self.new_applicable += other.new_applicable
        self.new_conforming += other.new_conforming
        for name, count in other.authors.items():
            _count(self.authors, name, count)
        for category, count in other.categories.items():
            _count(self.categories, category, count)
        self._meet(other.oldest, other.newest)
        self.samples += other.samples
        self.violations += other.violations
        for form, count in other.rivals.items():
            _count(self.rivals, form, count)
        for reason, count in other.broken.items():
            _count(self.broken, reason, count)
        self._trim()

    def _meet(self, oldest: datetime | None, newest: datetime | None) -> None:
        if oldest is not None and (self.oldest is None or oldest < self.oldest):
            self.oldest = oldest
        if newest is not None and (self.newest is None or newest > self.newest):
            self.newest = newest

    def _trim(self) -> None:
        if len(self.samples) > 2 * MOST_SAMPLES:
            self.samples = sorted(self.samples, key=_lot)[:MOST_SAMPLES]
        if len(self.violations) > 2 * MOST_PLACES:
            self.violations = sorted(self.violations, key=_lot)[:MOST_PLACES]
        if len(self.authors) > 2 * _MOST_NAMES:
            most = sorted(self.authors.items(), key=lambda each: (-each[1], each[0]))
            self.authors = dict(most[:_MOST_NAMES])

    def settled(self) -> "Measurement":
        """Bring the places into the one order that does not hang on the order of the files."""
        self.samples = sorted(self.samples, key=_lot)[:MOST_SAMPLES]
        self.violations = sorted(self.violations, key=_lot)[:MOST_PLACES]
        return self


@dataclass(slots=True)
class Draw:
    """The samples that were drawn so far: of thousands that come later, hardly any is drawn before all of these."""

    _last: list[int] = field(default_factory=list)
    """A heap of the lots of those that are first, the last of them on top."""

    def takes(self, path: str) -> bool:
        """Tell whether the sample of a path may be among the first."""
        lot = -crc32(path.encode())
        if len(self._last) < MOST_SAMPLES:
            heappush(self._last, lot)
        elif lot >= self._last[0]:
            heapreplace(self._last, lot)
        else:
            return False
        return True


def glimpsed(sites: Iterable[Sighted]) -> Glimpse:
    """Sum up the sites of one file."""
    conforming = applicable = 0
    shown: Sighted | None = None
    violations: list[tuple[int | None, int | None, str | None]] = []
    rivals: dict[str, int] = {}
    for site in sites:
        applicable += 1
        if not site.conforming:
            violations.append((site.start, site.end, site.form))
            if site.form:
                _count(rivals, site.form, 1)
            continue
        conforming += 1
        if shown is None or _fitness(site.start, site.end) < _fitness(shown.start, shown.end):
            shown = site
    if len(violations) > MOST_PLACES:
        violations = sorted(violations, key=lambda lines: lines[0] or 0)[:MOST_PLACES]
    start, end = (None, None) if shown is None else (shown.start, shown.end)
    return Glimpse(applicable, conforming, start, end, violations, rivals)


def resemblance(one: Measurement, other: Measurement) -> float:
    """Estimate which share of the files where one or the other conforms are files where both do."""
    mine, theirs = ({place.path for place in each.samples} for each in (one, other))
    # Samples are drawn by the same lot everywhere, so the first ones of both together are a fair draw of both.
    drawn = sorted(mine | theirs, key=_drawn)[:MOST_SAMPLES]
    return sum(path in mine and path in theirs for path in drawn) / len(drawn) if drawn else 0.0


def _count(counts: dict[Name, int], name: Name, more: int) -> None:
    counts[name] = counts.get(name, 0) + more


def _lot(place: Place) -> tuple[int, str, int]:
    """Draw places by lot, and always the same ones: all folders and people have their chance."""
    return (*_drawn(place.path), place.start or 0)


def _drawn(path: str) -> tuple[int, str]:
    return (crc32(path.encode()), path)


def _fitness(start: int | None, end: int | None) -> tuple[int, int]:
    """Prefer places that show enough and not too much."""
    lines = (end or 0) - (start or 0) + 1
    return (abs(lines - 6) if lines > 1 else 3, start or 0)
