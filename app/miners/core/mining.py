"""Mining: from the facts of all files to findings, and from findings to proposals worth measuring."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import log2

from app.domain.listing import Listing
from app.domain.recognition import FileRole
from app.domain.rule import Rule
from app.domain.statistics import surprise, wilson_low
from app.miners.core import together
from app.miners.core.counting import Cells, Counts, Topic, count
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


def mine(families: Sequence[Family], files: Files, listing: Listing) -> Mined:
    """Find the conventions of a repository; files are streamed, a few times over, and never held."""
    worlds = {family.name: World(listing) for family in families}
    counts = Counts(Cells(listing))
    noting = [family for family in families if family.survey is not None]
    if noting:
        for file, facts in files():
            for family in noting:
                assert family.survey is not None
                family.survey(worlds[family.name].noted, file, facts.get(family.name))
    endless = [family for family in families if family.open]
    if endless:
        for file, facts in files():
            for family in endless:
                counts.survey(family, file, facts, worlds[family.name])
    count(families, files(), worlds, counts)
    suppressed = Suppressed()
    named = {family.name: family for family in families}
    found = [each for topic in sorted(counts.forms, key=_order) for each in _findings(named[topic[0]], topic, counts)]
    found = together.join(found, files, worlds, named)
    candidates = []
    for family, finding in found:
        if (candidate := _candidate(family, finding, suppressed)) is not None:
            candidates.append(candidate)
    said = {candidate.proposal.rule.fingerprint: place for place, candidate in enumerate(candidates)}
    for family in families:
        for proposal in () if family.declares is None else family.declares(worlds[family.name]):
            place = said.get(proposal.rule.fingerprint)
            if place is None:
                candidates.append(_declared(family, proposal))
            else:
                # It was found in the code as well: that it is also declared is one more reason for it.
                mined = candidates[place]
                candidates[place] = replace(mined, proposal=replace(mined.proposal, declared=proposal.declared))
    return Mined(_best(candidates, suppressed), suppressed)


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
        grounds[form] = Ground(counts.cells, forms[form])
        where = find(applicable, grounds[form], family.least)
        if where is None:
            continue
        have, of = where.conforming, where.applicable
        everywhere = grounds[form].get("", None)
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
