"""Who wrote the files of a repository, and when: a sum over its commits that later commits are added to.

Commits are added parents first, and of several parents the first with all before it first. So the sum at a commit, and
the commits since, give what all commits from the beginning give, wherever the branch only moved on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.domain.history import ChangeKind, moment

VERSION = 1
_LONGEST_CHAIN = 50

PlainChange = tuple[str, str, str | None]
"""The letter of a change, the path, and the path before if it was renamed."""


@dataclass(slots=True)
class Trace:
    """What is known of one file, under all names that it has had."""

    added: int
    """When the first commit that has it was made, in seconds."""
    touched: int
    """When the last one was made that changed it."""
    authors: dict[int, int] = field(default_factory=dict)
    """How many commits of whom, by their numbers among the `names`, changed it."""

    @property
    def added_at(self) -> datetime:
        """When it was added."""
        return moment(self.added)

    @property
    def touched_at(self) -> datetime:
        """When it was changed last."""
        return moment(self.touched)


@dataclass(slots=True)
class Authorship:
    """The sum: for each path its trace; paths that are in no tree any more are of no account."""

    commit: str | None = None
    mailmap: str | None = None
    """The blob by which names were told apart; by another they may fall together otherwise."""
    commits: int = 0
    missed: int = 0
    """So many commits could not be read."""
    oldest: int | None = None
    """When the first commit of all was made."""
    names: list[str] = field(default_factory=list)
    traces: dict[str, Trace] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    """Where renamed files went: commits of another branch may still speak of them by the names of before."""
    _numbers: dict[str, int] = field(default_factory=dict)

    def add(self, author: str, at: int, changes: Sequence[PlainChange]) -> None:
        """Add one commit."""
        self.commits += 1
        self.oldest = at if self.oldest is None else min(self.oldest, at)
        number = self._numbers.get(author)
        if number is None:
            number = self._numbers[author] = len(self.names)
            self.names.append(author)
        for kind, path, before in changes:
            if kind == ChangeKind.DELETED:
                self.traces.pop(path, None)
                continue
            if kind == ChangeKind.ADDED:
                # What was here before it was added is another file.
                self.moved.pop(path, None)
                trace = self.traces[path] = Trace(at, at)
            elif kind == ChangeKind.RENAMED and before is not None:
                self.moved.pop(path, None)
                self.moved[before] = path
                trace = self.traces[path] = self.traces.pop(before) if before in self.traces else Trace(at, at)
            else:
                trace = self._trace(path, at)
            trace.added = min(trace.added, at)
            trace.touched = max(trace.touched, at)
            trace.authors[number] = trace.authors.get(number, 0) + 1

    def authors_of(self, trace: Trace) -> dict[str, int]:
        """Name the authors of a file."""
        return {self.names[number]: count for number, count in trace.authors.items()}

    def plain(self) -> dict[str, Any]:
        """Spell the sum as what JSON can hold."""
        return {
            "version": VERSION,
            "commit": self.commit,
            "mailmap": self.mailmap,
            "commits": self.commits,
            "missed": self.missed,
            "oldest": self.oldest,
            "names": self.names,
            "traces": {
                path: [trace.added, trace.touched, *(each for pair in trace.authors.items() for each in pair)]
                for path, trace in self.traces.items()
            },
            "moved": self.moved,
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Authorship | None":
        """Read a sum as it was spelt; None for one that another version spelt."""
        if told.get("version") != VERSION:
            return None
        traces = {
            path: Trace(added, touched, dict(zip(authors[::2], authors[1::2], strict=True)))
            for path, (added, touched, *authors) in told["traces"].items()
        }
        names = list(told["names"])
        return cls(
            commit=told["commit"],
            mailmap=told["mailmap"],
            commits=told["commits"],
            missed=told["missed"],
            oldest=told["oldest"],
            names=names,
            traces=traces,
            moved=dict(told["moved"]),
            _numbers={name: number for number, name in enumerate(names)},
        )

    def _trace(self, path: str, at: int) -> Trace:
        """Find the file that a commit calls by this path."""
        name = path
        for _ in range(_LONGEST_CHAIN):
            if (trace := self.traces.get(name)) is not None:
                return trace
            if name not in self.moved:
                break
            name = self.moved[name]
        return self.traces.setdefault(path, Trace(at, at))


def in_order(parents: Mapping[str, Sequence[str]], commit: str) -> list[str]:
    """Put commits in the order in which they are added; those that are no keys have been added before."""
    order: list[str] = []
    seen: set[str] = set()
    waiting = [(commit, False)]
    while waiting:
        one, entered = waiting.pop()
        if entered:
            order.append(one)
        elif one in parents and one not in seen:
            seen.add(one)
            waiting.append((one, True))
            waiting.extend((parent, False) for parent in reversed(parents[one]))
    return order


def moved_on(parents: Mapping[str, Sequence[str]], commit: str, since: str) -> bool:
    """Tell whether a branch came from one commit to another by first parents alone."""
    while parents.get(commit):
        commit = parents[commit][0]
    return commit == since
