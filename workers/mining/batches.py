"""What is done with a batch of files: taking facts, and measuring rules. Pure, so that it runs in any process."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.checkers.engine import Engine
from app.checkers.registry import ready
from app.checkers.subject import Subject
from app.domain.categories import category_of
from app.domain.errors import Invalid
from app.domain.listing import Listing
from app.domain.measurement import Measurement, Past, Place
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


class Sight:
    """Rules made ready once, to be run over many files."""

    def __init__(self, rules: Sequence[Rule], listing: Listing) -> None:
        self._count = len(rules)
        self._numbers: list[int] = []
        self._refused: dict[int, str] = {}
        for number, rule in enumerate(rules):
            try:
                ready(rule)
                self._numbers.append(number)
            except Invalid as refused:
                self._refused[number] = str(refused.extensions["fields"])
        self._engine = Engine([rules[number] for number in self._numbers], listing)

    def measure(self, items: Iterable[Item]) -> tuple[list[Measurement], dict[str, str]]:
        """Run the rules over files, and give what each did and which files could not be read."""
        measured = [Measurement() for _ in range(self._count)]
        for number, reason in self._refused.items():
            measured[number].breaks(reason)
        unread: dict[str, str] = {}
        for item in items:
            found = self._engine.check(Subject(item.path, item.language, item.role, item.content))
            category = category_of(item.path, item.language, item.role)
            for number, sites in found.sites.items():
                places = (
                    (site.conforming, Place(item.path, item.blob_id, site.start, site.end, site.form)) for site in sites
                )
                measured[self._numbers[number]].see(places, item.past, category)
            for number, reason in (found.broken or {}).items():
                measured[self._numbers[number]].breaks(reason)
            if found.unread is not None:
                unread[item.path] = found.unread
        return measured, unread


def measure(rules: Sequence[Rule], listing: Listing, items: Iterable[Item]) -> tuple[list[Measurement], dict[str, str]]:
    """Run rules over files once."""
    return Sight(rules, listing).measure(items)
