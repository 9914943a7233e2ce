"""What is done with a batch of files: taking facts, and measuring rules. Pure, so that it runs in any process."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.checkers.engine import Engine
from app.checkers.registry import ready
from app.checkers.subject import Subject
from app.domain.categories import category_of
from app.domain.errors import Invalid
from app.domain.listing import Listing
from app.domain.measurement import Glimpse, Measurement, Past, glimpsed
from app.domain.recognition import FileRole
from app.domain.rule import Rule
from app.miners import registry
from app.miners.core.family import Family
from app.syntax import MOST_BYTES, Source, Unreadable, readable


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a batch."""

    path: str
    blob_id: str
    language: str | None
    role: FileRole
    content: bytes | None = None
    past: Past = field(default_factory=Past)


@dataclass(frozen=True, slots=True)
class Taken:
    """The facts of one file, or why there are none."""

    facts: dict[str, object]
    reason: str | None = None


def take(item: Item, families: tuple[Family, ...] = registry.FAMILIES, *, strict: bool = False) -> Taken:
    """Take the facts of one file; whatever its content does, it costs no other file anything."""
    try:
        if item.content is None:
            return Taken({}, f"larger than {MOST_BYTES // 1000} kB")
        text = readable(item.content)
        source = Source(item.path.rpartition("/")[2], item.language or "", text)
        return Taken(registry.facts_of(source, families, strict=strict))
    except Unreadable as reason:
        return Taken({}, str(reason))
    except RecursionError:
        return Taken({}, "nested too deep")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one file shows of some rules, by their numbers, and why some could not be run on it."""

    glimpses: dict[int, Glimpse]
    broken: dict[int, str]
    unread: str | None = None


class Sight:
    """Rules made ready once, to be run over many files."""

    def __init__(self, rules: Sequence[Rule], listing: Listing) -> None:
        self._rules = rules
        self._numbers: list[int] = []
        self._refused: dict[int, str] = {}
        for number, rule in enumerate(rules):
            try:
                ready(rule)
                self._numbers.append(number)
            except Invalid as refused:
                self._refused[number] = str(refused.extensions["fields"])
        self._engine = Engine([rules[number] for number in self._numbers], listing)

    def reads(self, path: str, language: str | None, role: FileRole) -> bool:
        """Tell whether some rule needs the content of a file."""
        return self._engine.reads(self._engine.wanted(path, language, role))

    def look(self, item: Item) -> Seen:
        """Run the rules over one file."""
        found = self._engine.check(Subject(item.path, item.language, item.role, item.content))
        broken = {
            number: reason
            for number, reason in self._refused.items()
            if self._rules[number].scope.holds(item.path, item.language, item.role)
        }
        broken |= {self._numbers[number]: reason for number, reason in (found.broken or {}).items()}
        glimpses = {self._numbers[number]: glimpsed(sites) for number, sites in found.sites.items()}
        return Seen(glimpses, broken, found.unread)

    def measure(self, items: Iterable[Item]) -> tuple[list[Measurement], dict[str, str]]:
        """Run the rules over files, and give what each did and which files could not be read."""
        measured = [Measurement() for _ in self._rules]
        unread: dict[str, str] = {}
        for item in items:
            seen = self.look(item)
            category = category_of(item.path, item.language, item.role)
            for number, glimpse in seen.glimpses.items():
                measured[number].see(glimpse, item.path, item.blob_id, item.past, category)
            for number, reason in seen.broken.items():
                measured[number].breaks(reason)
            if seen.unread is not None:
                unread[item.path] = seen.unread
        return measured, unread


def measure(rules: Sequence[Rule], listing: Listing, items: Iterable[Item]) -> tuple[list[Measurement], dict[str, str]]:
    """Run rules over files once."""
    return Sight(rules, listing).measure(items)
