"""Findings: where the answers to a question hold; what was counted before as it is now is not looked for again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from app.domain.recognition import FileRole
from app.domain.rule import Scope
from app.miners.core.counting import Counts, Topic, files_in, new_in, sites_in, sites_of
from app.miners.core.family import Family, Finding
from app.miners.core.scopes import RISING_LEAST, Ground, Where, find
from app.miners.core.sheets import Book, digest_of

_LEAST_ELSEWHERE = 4
_BESIDE = (FileRole.TEST, FileRole.EXAMPLE)


def findings_of(family: Family, topic: Topic, counts: Counts, book: Book) -> Iterator[Finding]:
    """Find in which scopes the answers to a question hold; the book knows what came of the same counts before."""
    forms, total = counts.forms[topic], sites_of(counts.topics[topic])
    if total < family.least.sites:
        return
    single = sum(map(sites_of, forms.values())) == total
    search = _Search(family, topic, counts, single)
    # What is said of rivals hangs on all answers, and anything else on the answer alone.
    question = (*map(str, topic), counts.mark(counts.topics[topic]), _together(forms, counts) if single else "")
    for form in sorted(forms):
        # Most forms are rare, and their folders need not be added up to see it.
        if sites_of(forms[form]) < family.least.sites * RISING_LEAST:
            continue
        key = digest_of((*question, form, counts.mark(forms[form])))
        finding = _read(book.known[key]) if key in book.known else search.finding(form)
        book.found[key] = None if finding is None else asdict(finding)
        if finding is not None:
            yield finding


@dataclass(slots=True)
class _Search:
    """A question, with the grounds of its answers as far as they are needed again."""

    family: Family
    topic: Topic
    counts: Counts
    single: bool
    """Whether each site has one answer: only then there are rivals."""
    _applicable: Ground | None = None
    _grounds: dict[str, Ground] = field(default_factory=dict)

    def finding(self, form: str) -> Finding | None:
        """Find where an answer holds."""
        if self._applicable is None:
            self._applicable = Ground(self.counts.cells, self.counts.topics[self.topic])
        ground = self._ground(form)
        where = find(self._applicable, ground, self.family.least)
        if where is None:
            return None
        have, of = sites_in(where.conforming), sites_in(where.applicable)
        everywhere = ground.total(None)
        outside = self._applicable.total(None) - of
        # What tests and examples do is no measure of what is shipped.
        role = where.roles[0] if len(where.roles) == 1 and where.roles[0] not in _BESIDE else None
        return Finding(
            topic=self.topic[2],
            form=form,
            tongue=self.topic[1],
            scope=where.scope(self.topic[1]),
            conforming=have,
            applicable=of,
            files=files_in(where.conforming),
            elsewhere=(everywhere - have) / outside if outside >= _LEAST_ELSEWHERE else None,
            rivals=self._rivals(form, where) if self.single and have < of else (),
            new=(new_in(where.conforming), new_in(where.applicable)),
            gathered=have / ground.total(role),
            asked=of / self._applicable.total(role),
        )

    def _ground(self, form: str) -> Ground:
        ground = self._grounds.get(form) or Ground(self.counts.cells, self.counts.forms[self.topic][form])
        if self.single:
            # Of thousands of marks, each ground is gone before the next.
            self._grounds[form] = ground
        return ground

    def _rivals(self, form: str, where: Where) -> tuple[tuple[str, int], ...]:
        """Give what the other sites do, most frequent first."""
        roles: Sequence[FileRole | None] = where.roles or (None,)
        names = [glob if glob.startswith("**/") else glob.removesuffix("**") for glob in where.include] or [""]
        found = []
        for other in self.counts.forms[self.topic]:
            if other != form:
                ground = self._ground(other)
                sites = sum(sites_in(ground.of(role).named(name)) for name in names for role in roles)
                if sites:
                    found.append((other, sites))
        return tuple(sorted(found, key=lambda rival: (-rival[1], rival[0]))[:5])


def _together(forms: Mapping[str, Mapping[int, int]], counts: Counts) -> str:
    return digest_of(f"{form}\0{counts.mark(counted)}" for form, counted in sorted(forms.items()))


def _read(told: dict[str, Any] | None) -> Finding | None:
    """Read a finding as it comes back from JSON."""
    if told is None:
        return None
    scope = {name: _tupled(part) for name, part in told["scope"].items()}
    scope["roles"] = tuple(FileRole[role] for role in scope["roles"])
    return Finding(**{name: _tupled(part) for name, part in told.items()} | {"scope": Scope(**scope)})


def _tupled(part: Any) -> Any:
    return tuple(map(_tupled, part)) if isinstance(part, list) else part
