"""What a checker sees of one file, and what it says of it: sites that conform or do not."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from app.domain.listing import Listing
from app.domain.recognition import FileRole
from app.domain.rule import Rule
from app.syntax import Import, RuleTree, Source, imports_of, readable, type_uses


@dataclass(frozen=True, slots=True)
class Site:
    """A place that a rule speaks of; a site without lines is the file itself, or its name."""

    conforming: bool
    start: int | None = None
    end: int | None = None
    form: str | None = None
    """What stands there, in a word, where the rule can tell: the alternative that a counter-example follows."""


class Subject:
    """One file under some rules: whatever several of them need is made once."""

    def __init__(self, path: str, language: str | None, role: FileRole, content: bytes | None) -> None:
        self.path = path
        self.language = language
        self.role = role
        self._content = content

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @cached_property
    def text(self) -> str:
        """The text; raises Unreadable where there is none to be read."""
        return readable(self._content or b"")

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return self.text.split("\n")

    @cached_property
    def tree(self) -> RuleTree:
        """The tree that AST rules search."""
        return RuleTree(self.language or "", self.text)

    @cached_property
    def imports(self) -> list[Import]:
        """What the file imports."""
        return imports_of(self._source)

    @cached_property
    def type_uses(self) -> Mapping[int, str]:
        """How many of the names that an import brings are only types, by its line."""
        return type_uses(self._source)

    @cached_property
    def _source(self) -> Source:
        return Source(self.name, self.language or "", self.text)


@dataclass(frozen=True, slots=True)
class Checker:
    """A rule made ready: `sites` says what it finds in a file that its scope holds."""

    rule: Rule
    sites: Callable[[Subject, Listing], Iterable[Site]]
    reads: bool = True
    """Whether it needs the content of files; a rule about paths does not."""
    whole: bool = False
    """Whether it needs to see all paths of the repository."""


class Compile(Protocol):
    """Make a rule ready, or refuse it as Invalid."""

    def __call__(self, rule: Rule) -> Checker:
        """Make a rule ready."""
