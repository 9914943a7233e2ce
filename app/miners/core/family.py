"""What a family of conventions is: facts of a file, votes of a file, and the proposal that a finding becomes."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.listing import Listing
from app.domain.pattern import PatternCategory, PatternType
from app.domain.recognition import FileRole
from app.domain.rule import Rule, Scope
from app.syntax import Source

TONGUES = {"TSX": "TypeScript"}
"""Languages whose files are counted together with another's."""

CODE = frozenset(("Python", "JavaScript", "TypeScript", "TSX", "Go", "Java", "Rust"))
SCRIPTS = frozenset(("JavaScript", "TypeScript", "TSX"))

WRITTEN = frozenset((FileRole.SOURCE, FileRole.TEST, FileRole.MIGRATION, FileRole.EXAMPLE, FileRole.CONFIG))
"""The roles whose files people write as code."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of the repository, as votes are cast for it."""

    path: str
    language: str | None
    role: FileRole
    new: bool = False
    """Whether it was added in the last twelve months of the repository's history."""

    @property
    def folder(self) -> str:
        """The path without the name; empty at the top."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Vote:
    """Sites of one file: what question they answer, and how.

    A topic is a question ("how are this repository's own modules imported?"), a form an answer ("relative"). Where a
    site may carry several marks at once (the lines of a file, the members of a class), each is a form.
    """

    topic: str
    forms: tuple[str, ...] = ()
    times: int = 1


@dataclass(slots=True)
class World:
    """What votes may look up: all paths of the repository, and what the family noted in its survey.

    Votes may put aside in `noted` what they made of both, for their like; whether they are cast at all is not certain.
    """

    listing: Listing
    noted: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """A form that holds in a scope, as the core counted it."""

    topic: str
    form: str
    tongue: str | None
    """The language it speaks of, or the suffix of files whose language is none that has a grammar."""
    scope: Scope
    conforming: int
    applicable: int
    files: int
    elsewhere: float | None
    """The share of the form outside of the scope, where the topic has sites there."""
    rivals: tuple[tuple[str, int], ...] = ()
    """The other forms of the topic in the scope, most frequent first, where every site has exactly one."""
    new: tuple[int, int] = (0, 0)
    """Conforming and applicable sites of files that are new."""
    together: tuple[str, ...] = ()
    """Forms that the same files carry, where the family asked for them to be joined; this form is the first."""
    gathered: float = 1.0
    """The share of all that conforms, anywhere, that the scope has; if it speaks of what is shipped, of that."""
    asked: float = 1.0
    """The share of all sites of the question, likewise."""

    @property
    def share(self) -> float:
        """Conforming of applicable."""
        return self.conforming / self.applicable if self.applicable else 0.0

    @property
    def alternative(self) -> str | None:
        """The form that most of the other sites have."""
        return self.rivals[0][0] if self.rivals else None


@dataclass(frozen=True, slots=True)
class Declared:
    """A place where a configuration or a document states a convention."""

    path: str
    line: int | None
    statement: str
    """What it says, in a few words: "ruff: select T20"."""
    roughly: bool = False
    """Whether it is asked of some of the sites only, so that those that differ are no contradiction."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An answer to a question of some family that the repository declares to be the right one."""

    family: str
    topic: str
    form: str
    tongues: tuple[str, ...]
    declared: Declared
    folder: str = ""
    """The folder that the declaring file speaks of; empty for all."""
    waived: bool = False
    """Whether it says instead that nobody asks for this answer: the rule that would is switched off."""


def spoken_for(path: str) -> str:
    """Name the folder that a configuration speaks of; those in folders that keep or share them speak of all."""
    folder = path.rpartition("/")[0]
    return "" if _KEEPING.search(folder) or is_shared(path) else folder


_KEEPING = re.compile(r"(^|/)(\.?config|\.github|build-?scripts?|buildSrc|gradle|checkstyle|etc|tools?)(/|$)")
_SHARING = re.compile(r"(^|/)(eslint-(config|preset)[\w-]*|config-eslint)(/|$)")


def is_shared(path: str) -> bool:
    """Tell whether a file is of a package that other packages take their linter's configuration from."""
    return _SHARING.search(path.rpartition("/")[0]) is not None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A convention in words for people, and the rule that measures it."""

    name: str
    """One sentence without counts: "Exception classes live in `_exceptions.py`"."""
    rule: Rule
    category: PatternCategory
    type: PatternType = PatternType.CODE
    detail: str = ""
    """More sentences, where one is not enough."""
    declared: Declared | None = None
    """Where the repository says so itself; a declaration is a reason to look, never evidence."""
    weight: float = 1.0
    """More for what a reader is sure to care for, less for what is rarely worth a rule."""


@dataclass(frozen=True, slots=True)
class Least:
    """What a finding needs before anybody hears of it."""

    sites: int = 8
    files: int = 3
    share: float = 0.85
    careful: float = 0.75
    """What the share is at least, as far as so few sites can tell."""
    bits: float = 0.15
    """How much it must tell whoever knows the language."""
    rising: bool = True
    """Whether it is told before it holds, while more and more do it."""


def no_facts(_: Source) -> None:
    """Take no facts: for families that need only paths."""


def even(_: Finding) -> float:
    """Expect nothing: as many repositories do it as do not."""
    return 0.5


@dataclass(frozen=True, slots=True)
class Family:
    """One family of conventions: one file, one line in the registry. All of its functions are pure."""

    name: str
    votes: Callable[[File, Any, World], Iterable[Vote]]
    """Cast the votes of a file, from its facts as they come back from JSON (None where there are none)."""
    propose: Callable[[Finding], Proposal | None]
    """Say in words and as a rule what was found; None where it is not worth saying."""
    facts: Callable[[Source], Any] = no_facts
    """Take from a file what votes need, as small JSON; kept until the blob or `version` changes."""
    version: int = 1
    """Raise it whenever `facts` changes."""
    languages: frozenset[str] | None = CODE
    """The languages of the files that vote; None for files of any."""
    roles: frozenset[FileRole] = WRITTEN
    prior: Callable[[Finding], float] = even
    """How likely the form is in any repository of the language; asked only where `elsewhere` tells nothing."""
    least: Least = Least()
    open: bool = False
    """Whether forms are endless (lines, names): those that hardly recur are dropped before they are counted."""
    joins: bool = False
    """Whether forms that the same files carry are one convention."""
    local: bool = False
    """Whether it only matters where it differs from elsewhere: `elsewhere` is the prior."""
    most: int = 12
    """So many of its conventions are shown at most; more of one kind is noise."""
    most_of_a_place: int = 12
    """So many of its conventions are shown of one part of a repository: the rest goes without saying."""
    most_of_an_answer: int = 12
    """So many of its conventions are shown that answer alike, if of different things."""
    declares: Callable[[World], Iterable[Proposal]] | None = None
    """Propose what the repository declares (noted in the survey), to be measured though nobody counted it."""
    claims: Callable[[World], Iterable[Claim]] | None = None
    """Tell what the repository declares in the questions of other families: they have the words and the rules."""
    cites: Callable[[World, str], Declared | None] | None = None
    """Find the place where the repository's documents state a sentence in nearly the same words."""
    survey: Callable[[dict[str, Any], File, Any], None] | None = None
    """Note something of every file before any vote is cast."""
    settle: Callable[[World], None] | None = None
    """Make of what was noted what votes look up; votes are kept for as long as it comes to the same."""
    mixed: bool = False
    """Whether the votes of files of all languages are counted together: for what folders hold."""

    def tongue_of(self, file: File) -> str | None:
        """Name what a file's votes are counted under."""
        return None if self.mixed else tongue_of(file)


def tongue_of(file: File) -> str | None:
    """Name the language that a file's votes count for, or its suffix where it has no grammar."""
    if file.language in CODE:
        return TONGUES.get(file.language, file.language)
    suffix = file.name.rpartition(".")[2] if "." in file.name[1:] else ""
    return f".{suffix}" if suffix else None


def languages_of(tongue: str | None) -> tuple[str, ...]:
    """List the languages that are counted as one."""
    if tongue not in CODE:
        return ()
    return (tongue, *(other for other, counted in TONGUES.items() if counted == tongue))


Facts = Mapping[str, Any]
"""The facts of one file by the name of the family."""
