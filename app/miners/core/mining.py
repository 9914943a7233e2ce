"""Mining: from the facts of all files to findings, and from findings to proposals worth measuring."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import log2
from typing import Any

from app.domain.listing import Listing
from app.domain.recognition import FileRole
from app.domain.rule import Rule
from app.domain.statistics import surprise, wilson_low
from app.miners.core import together
from app.miners.core.counting import Cells, Counts, Topic
from app.miners.core.family import WRITTEN, Facts, Family, File, Finding, Proposal, World
from app.miners.core.scopes import Ground, Where, find

MOST_PROPOSED = 240
"""So many are measured, twice as many as may be kept."""
MOST_OF_ONE_FAMILY = 60
DECLARED_SCORE = 6.0
"""What is declared and measured stands among the better half of what is found."""
_EXAMPLES = 5
_LEAST_ELSEWHERE = 4
_UNSEEN = 0.02

Files = Callable[[], Iterable[tuple[File, Facts]]]
"""Gives all files anew each time it is called; nobody keeps them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposal, and how it came about."""

    family: str
    version: int
    finding: Finding
    proposal: Proposal
    bits: float
    score: float


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Something that is declared in a file of the repository and not followed in its code."""

    statement: str
    path: str
    line: int | None
    followed: int
    total: int


@dataclass(slots=True)
class Suppressed:
    """What was found and not proposed, by reason, with some names of each."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    contradictions: list[Contradiction] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Families that failed: that they found nothing means nothing."""

    def add(self, reason: str, name: str) -> None:
        """Count one more."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            examples.append(name)


@dataclass(slots=True)
class Mined:
    """What mining came to: candidates, best first, and what was left out."""

    candidates: list[Candidate]
    suppressed: Suppressed


def mine(families: Sequence[Family], files: Files, listing: Listing, *, strict: bool = False) -> Mined:
    """Find the conventions of a repository; files are streamed, a few times over, and never held.

    A family that fails costs its own conventions, unless who asks is strict.
    """
    mining = _Mining(list(families), files, {family.name: World(listing) for family in families}, strict)
    counts = Counts(Cells(listing))
    mining.each(
        lambda family: family.survey is not None,
        lambda family, file, facts, world: (family.survey or _nothing)(world.noted, file, facts.get(family.name)),
    )
    mining.each(lambda family: family.open, counts.survey)
    mining.each(lambda _: True, counts.add)
    candidates = mining.candidates(counts)
    said = {candidate.proposal.rule.fingerprint: place for place, candidate in enumerate(candidates)}
    for family, proposal in mining.declared():
        place = said.get(proposal.rule.fingerprint)
        if place is None:
            candidates.append(_declared(family, proposal))
        else:
            # It was found in the code as well: that it is also declared is one more reason for it.
            mined = candidates[place]
            candidates[place] = replace(mined, proposal=replace(mined.proposal, declared=proposal.declared))
    return Mined(_best(candidates, mining.suppressed), mining.suppressed)


def _nothing(_: dict[str, Any], __: File, ___: Any) -> None:
    pass


@dataclass(slots=True)
class _Mining:
    """The families that are still at work."""

    families: list[Family]
    files: Files
    worlds: dict[str, World]
    strict: bool
    suppressed: Suppressed = field(default_factory=Suppressed)

    def each(self, wanted: Callable[[Family], bool], act: Callable[[Family, File, Facts, World], None]) -> None:
        """Have some families look at every file."""
        looking = [family for family in self.families if wanted(family)]
        if not looking:
            return
        for file, facts in self.files():
            for family in tuple(looking):
                try:
                    act(family, file, facts, self.worlds[family.name])
                except Exception as error:
                    self._fail(family, error)
                    looking.remove(family)

    def candidates(self, counts: Counts) -> list[Candidate]:
        """Make candidates of what was counted."""
        named = {family.name: family for family in self.families}
        topics = [topic for topic in sorted(counts.forms, key=_order) if topic[0] in named]
        found = [each for topic in topics for each in _findings(named[topic[0]], topic, counts)]
        found = together.join(found, self.files, self.worlds, named)
        candidates = []
        for family, finding in found:
            try:
                candidate = _candidate(family, finding, self.suppressed)
            except Exception as error:
                self._fail(family, error)
                continue
            if candidate is not None:
                candidates.append(candidate)
        return candidates

    def declared(self) -> list[tuple[Family, Proposal]]:
        """List what the repository declares."""
        proposals = []
        for family in tuple(self.families):
            try:
                declared = () if family.declares is None else tuple(family.declares(self.worlds[family.name]))
                proposals += [(family, proposal) for proposal in declared]
            except Exception as error:
                self._fail(family, error)
        return proposals

    def _fail(self, family: Family, error: Exception) -> None:
        if self.strict:
            raise error
        self.suppressed.failed.append(family.name)
        self.suppressed.add("a miner failed", f"{family.name}: {type(error).__name__}: {error}"[:200])
        self.families = [each for each in self.families if each is not family]


def _declared(family: Family, proposal: Proposal) -> Candidate:
    rule = proposal.rule
    tongue = rule.scope.languages[0] if rule.scope.languages else None
    finding = Finding(f"declared: {proposal.name}", "", tongue, rule.scope, 0, 0, 0, None)
    spoken = replace(proposal, rule=_spoken(family, proposal))
    return Candidate(family.name, family.version, finding, spoken, 0.0, DECLARED_SCORE * proposal.weight)


def _order(topic: Topic) -> tuple[str, str, str]:
    return (topic[0], topic[1] or "", topic[2])


def _findings(family: Family, topic: Topic, counts: Counts) -> Iterable[tuple[Family, Finding]]:
    forms, asked = counts.forms[topic], counts.topics[topic]
    applicable = Ground(counts.cells, asked)
    if applicable.get("", None).sites < family.least.sites:
        return
    grounds: dict[str, Ground] = {}
    total = applicable.get("", None)
    single = sum(sum(each.values()) & ((1 << 40) - 1) for each in forms.values()) == total.sites
    for form in sorted(forms):
        # Most forms are rare, and their folders need not be added up to see it.
        if sum(packed & ((1 << 40) - 1) for packed in forms[form].values()) < family.least.sites * 0.4:
            continue
        ground = Ground(counts.cells, forms[form])
        if single:
            # Only one answer a site has rivals; of thousands of marks, each ground is gone before the next.
            grounds[form] = ground
        where = find(applicable, ground, family.least)
        if where is None:
            continue
        have, of = where.conforming, where.applicable
        everywhere = ground.get("", None)
        outside = total.sites - of.sites
        finding = Finding(
            topic=topic[2],
            form=form,
            tongue=topic[1],
            scope=where.scope(topic[1]),
            conforming=have.sites,
            applicable=of.sites,
            files=have.files,
            elsewhere=(everywhere.sites - have.sites) / outside if outside >= _LEAST_ELSEWHERE else None,
            rivals=_rivals(form, forms, grounds, where, counts) if single and have.sites < of.sites else (),
            new=(have.new, of.new),
        )
        yield family, finding


def _rivals(
    form: str, forms: dict[str, dict[int, int]], grounds: dict[str, Ground], where: Where, counts: Counts
) -> tuple[tuple[str, int], ...]:
    """Give what the other sites do, most frequent first."""
    roles: Sequence[FileRole | None] = where.roles or (None,)
    names = [glob if glob.startswith("**/") else glob.removesuffix("**") for glob in where.include] or [""]
    found = []
    for other in forms:
        if other != form:
            ground = grounds.get(other) or Ground(counts.cells, forms[other])
            sites = sum(ground.get(name, role).sites for name in names for role in roles)
            if sites:
                found.append((other, sites))
    return tuple(sorted(found, key=lambda rival: (-rival[1], rival[0]))[:5])


def _candidate(family: Family, finding: Finding, suppressed: Suppressed) -> Candidate | None:
    proposal = family.propose(finding)
    if proposal is None:
        suppressed.add("nothing worth saying", f"{family.name}: {finding.topic} {finding.form}"[:120])
        return None
    prior = family.prior(finding)
    if family.local:
        prior = max(finding.elsewhere or _UNSEEN, _UNSEEN)
    bits = surprise(finding.share, prior)
    if bits < family.least.bits:
        suppressed.add("language norm" if not family.local else "holds everywhere", proposal.name)
        return None
    score = bits * log2(1 + finding.applicable) * wilson_low(finding.conforming, finding.applicable) * proposal.weight
    return Candidate(
        family.name, family.version, finding, replace(proposal, rule=_spoken(family, proposal)), bits, score
    )


def _spoken(family: Family, proposal: Proposal) -> Rule:
    """Complete a rule: it speaks of the files that voted, and of no others."""
    rule = proposal.rule
    if not rule.scope.roles and family.roles != WRITTEN:
        roles = tuple(sorted(family.roles, key=lambda role: role.value))
        rule = replace(rule, scope=replace(rule.scope, roles=roles))
    return rule if rule.text else replace(rule, text=proposal.name)


def _best(candidates: list[Candidate], suppressed: Suppressed) -> list[Candidate]:
    candidates.sort(key=lambda each: (-each.score, each.proposal.name))
    taken: Counter[str] = Counter()
    known: set[str] = set()
    best: list[Candidate] = []
    for candidate in candidates:
        fingerprint = candidate.proposal.rule.fingerprint
        if fingerprint in known:
            suppressed.add("said by another", candidate.proposal.name)
        elif len(best) == MOST_PROPOSED or taken[candidate.family] == MOST_OF_ONE_FAMILY:
            suppressed.add("over the limit", candidate.proposal.name)
        else:
            known.add(fingerprint)
            taken[candidate.family] += 1
            best.append(candidate)
    return best
