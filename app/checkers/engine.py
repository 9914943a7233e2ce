"""The engine: rules over files give sites; the same for measuring a repository, a diff, a preview and a backtest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.checkers.registry import ready
from app.checkers.subject import Site, Subject
from app.domain.listing import Listing
from app.domain.recognition import FileRole
from app.domain.rule import Rule
from app.syntax import BadRule, Unreadable

VERSION = 6
"""Raised whenever a checker finds other sites than before: what was measured by another version is measured anew."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one file says of the rules: sites by the place of the rule in the engine's list, or why it was left out."""

    sites: dict[int, list[Site]]
    unread: str | None = None
    broken: dict[int, str] | None = None
    """Rules that could not be run on this file, and why."""


class Engine:
    """Rules made ready once, run over one file after another; each file is parsed at most once for all of them."""

    def __init__(self, rules: Sequence[Rule], listing: Listing) -> None:
        self.checkers = [ready(rule) for rule in rules]
        self._listing = listing

    def wanted(self, path: str, language: str | None, role: FileRole) -> list[int]:
        """Say which rules speak of a file."""
        return [place for place, checker in enumerate(self.checkers) if checker.rule.scope.holds(path, language, role)]

    def reads(self, wanted: Iterable[int]) -> bool:
        """Tell whether some rules need the content of a file."""
        return any(self.checkers[place].reads for place in wanted)

    def check(self, subject: Subject) -> Found:
        """Find the sites of all rules in one file."""
        sites: dict[int, list[Site]] = {}
        broken: dict[int, str] = {}
        unread = None
        for place in self.wanted(subject.path, subject.language, subject.role):
            checker = self.checkers[place]
            if unread is not None and checker.reads:
                continue
            try:
                if found := list(checker.sites(subject, self._listing)):
                    sites[place] = found
            except Unreadable as reason:
                unread = str(reason)
            except BadRule as reason:
                broken[place] = str(reason)
        return Found(sites, unread, broken or None)
