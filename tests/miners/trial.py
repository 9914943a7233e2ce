"""A trial: a small repository as texts by path, mined and measured as a run does it, in this process alone."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

import orjson

from app.domain.listing import Listing
from app.domain.material import minable
from app.domain.measurement import Measurement, Past
from app.domain.snapshot import FileFacts, facts_of
from app.miners.core.candidate import Measured
from app.miners.core.family import Facts, Family, File
from app.miners.core.mining import Mined, Suppressed, mine
from app.miners.core.sections import Sections
from app.miners.core.selection import select
from app.miners.core.sheets import Book, Files
from app.miners.registry import FAMILIES
from workers.mining.batches import Item, measure, take


@dataclass(frozen=True)
class Convention:
    """What a person would see of a candidate."""

    name: str
    family: str
    conforming: int
    applicable: int
    measured: Measured

    @property
    def violations(self) -> list[str]:
        """The places that break it, as `path:line`."""
        places = self.measured.measurement.violations
        return sorted(f"{place.path}:{place.start}" if place.start else place.path for place in places)

    @property
    def scope(self) -> tuple[str, ...]:
        """The globs it speaks of."""
        return self.measured.candidate.proposal.rule.scope.include

    def __str__(self) -> str:
        return f"{self.name} ({self.conforming} of {self.applicable})"


@dataclass(frozen=True)
class Trial:
    """What came of a trial."""

    conventions: list[Convention]
    suppressed: Suppressed
    skipped: dict[str, str]

    @property
    def contradicted(self) -> list[str]:
        """What is declared and not followed, with the place and the counts."""
        told = self.suppressed.contradictions
        return [f"{each.path}:{each.line} {each.statement} ({each.followed} of {each.total})" for each in told]

    @property
    def said(self) -> list[str]:
        """The sentences with their counts."""
        return [str(each) for each in self.conventions]

    def find(self, words: str) -> Convention:
        """Give the one convention whose sentence holds some words."""
        found = [each for each in self.conventions if words in each.name]
        assert len(found) == 1, f"{words!r} is said {len(found)} times in {self.said}; left out: {self.suppressed}"
        return found[0]


def trial(
    files: Mapping[str, str | bytes],
    *,
    families: Iterable[Family] = FAMILIES,
    new: Collection[str] = (),
    authors: Mapping[str, str] | None = None,
    most: int = 60,
    strict: bool = True,
) -> Trial:
    """Mine a repository; `new` names the paths that were added last year, `authors` who wrote which path."""
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    seen = [facts_of(path, sha1(content).hexdigest(), len(content), content) for path, content in contents.items()]
    chosen = tuple(families)
    people = authors or {path: ("ada", "ben", "cleo")[number % 3] for number, path in enumerate(sorted(contents))}
    items = [_item(file, contents[file.path], file.path in new, people.get(file.path)) for file in minable(seen)]
    return run(items, [file.path for file in seen], chosen, authors=len(set(people.values())), most=most, strict=strict)


def _same_again(families: tuple[Family, ...], files: Files, listing: Listing, book: Book, mined: Mined) -> None:
    """Hold that votes tell the same if they are kept, all of them or those of some folders."""
    if mined.suppressed.failed:
        return
    sheets = [(name, book.renewed(name, None)) for name in book.fresh]
    for kept in (sheets, sheets[::2]):
        findings: tuple[dict[str, Any], ...] = ({}, orjson.loads(orjson.dumps(book.found)))
        for known in findings:
            looked = {name: dict(each) for name, each in book.looked.items()}
            again = mine(families, files, listing, Book(book.sections, lambda kept=kept: kept, looked, known=known))  # type: ignore[misc]
            assert again == mined


def _item(file: FileFacts, content: bytes, new: bool, author: str | None) -> Item:
    past = Past(authors={author: 1} if author else {}, new=new)
    return Item(file.path, file.blob_id, file.language, file.role, content, past)


def run(
    items: list[Item],
    paths: list[str],
    families: tuple[Family, ...],
    *,
    authors: int = 2,
    most: int = 60,
    strict: bool = True,
) -> Trial:
    """Mine and measure files."""
    listing = Listing(paths)
    skipped: dict[str, str] = {}
    kept: list[tuple[File, bytes]] = []
    for item in items:
        taken = take(item, families, strict=True)
        if taken.reason is not None:
            skipped[item.path] = taken.reason
        # Facts go through JSON as they do between runs.
        kept.append((File(item.path, item.language, item.role, item.past.new), orjson.dumps(taken.facts)))

    def files(_: object = None) -> Iterable[tuple[File, Facts]]:
        return ((file, orjson.loads(facts)) for file, facts in kept)

    book = Book(Sections([file for file, _ in kept], listing))
    mined = mine(families, files, listing, book, strict=strict)
    _same_again(families, files, listing, book, mined)
    rules = [candidate.proposal.rule for candidate in mined.candidates]
    measured: list[Measurement] = measure(rules, listing, items)[0] if rules else []
    settled = [each.settled() for each in measured]
    refused = {str(each.proposal.rule): made.broken for each, made in zip(mined.candidates, settled, strict=True)}
    assert not strict or not any(refused.values()), refused
    named = {family.name: family for family in families}
    pairs = zip(mined.candidates, settled, strict=True)
    chosen = select(pairs, mined.suppressed, named, authors=authors, most=most)
    conventions = [
        Convention(
            each.candidate.proposal.name,
            each.candidate.family,
            each.measurement.conforming,
            each.measurement.applicable,
            each,
        )
        for each in chosen
    ]
    return Trial(conventions, mined.suppressed, skipped)
