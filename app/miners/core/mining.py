"""Mining: from the facts of all files to findings, and from findings to proposals worth measuring."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import log2

from app.domain.listing import Listing
from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole, role_in
from app.domain.rule import Rule, Scope
from app.domain.statistics import surprise, wilson_low
from app.miners.core import together, tongues
from app.miners.core.candidate import Candidate
from app.miners.core.counting import Counts, Topic, files_in, sites_in
from app.miners.core.family import WRITTEN, Claim, Family, Finding, Proposal, World, languages_of
from app.miners.core.findings import findings_of
from app.miners.core.scopes import Ground
from app.miners.core.sheets import Book, Files

MOST_PROPOSED = 240
"""So many are measured, twice as many as may be kept."""
MOST_OF_ONE_FAMILY = 60
DECLARED_SCORE = 10.0
# Who breaks so little of what nobody asks for keeps to it all the same.
_UNBROKEN = 0.99
"""What is declared and measured stands among the better half of what is found."""
# The report keeps so many names of each reason, so that what was left out can be asked after.
_EXAMPLES = 60
# All that the files of smaller repositories have but once is held while votes are counted; it saves reading them twice.
_MANY_FILES = 8_000
_LEAST_CLAIMED = 5
_CITED = 0.85
# What is found nowhere else may well be so because nobody else had a reason for it.
_UNSEEN = 0.1
# Of what files of one place have in common, more than so many tell no more: each new one was made after another.
_MOST_ALIKE = 32
# Examples show the product in their own way.
_OF_EXAMPLES = 0.5
# An answer in so many places that have less than half of all that conforms holds there by chance, and so does one in a
# corner; of the smallest corners, only what nearly nobody else does is news.
_SCATTERED, _HALF = 3, 0.5
_CORNERS = ((0.2, _HALF), (0.05, 0.75))


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


def mine(families: Sequence[Family], files: Files, listing: Listing, book: Book, *, strict: bool = False) -> Mined:
    """Find the conventions of a repository; files are streamed, a few times over, and never held.

    What files voted stands in the book afterwards; whoever keeps it has only those voted again that changed. A family
    that fails costs its own conventions, unless who asks is strict.
    """
    mining = _Mining(list(families), files, {family.name: World(listing) for family in families}, strict)
    mining.survey()
    book.count(mining.families, files, mining.worlds, mining.fail)
    named = {family.name: family for family in mining.families}
    counts = Counts(len(listing.paths))
    if len(listing.paths) > _MANY_FILES:
        counts.survey({name: family for name, family in named.items() if family.open}, book)
    counts.add(named, book)
    candidates = mining.candidates(counts, book)
    mining.claimed(candidates, counts)
    mining.cited(candidates)
    said = {candidate.proposal.rule.fingerprint: place for place, candidate in enumerate(candidates)}
    for family, proposal in mining.declared():
        place = said.get(proposal.rule.fingerprint)
        if place is None:
            candidates.append(_declared(family, proposal))
        else:
            # It was found in the code as well: that it is also declared is one more reason for it.
            mined = candidates[place]
            candidates[place] = replace(mined, proposal=replace(mined.proposal, declared=proposal.declared))
    candidates = tongues.joined(candidates)
    for candidate in tongues.repeated(candidates):
        candidates.remove(candidate)
        mining.suppressed.add("said by another", candidate.proposal.name)
    return Mined(_best(candidates, mining.suppressed), mining.suppressed)


@dataclass(slots=True)
class _Mining:
    """The families that are still at work."""

    families: list[Family]
    files: Files
    worlds: dict[str, World]
    strict: bool
    suppressed: Suppressed = field(default_factory=Suppressed)
    norms: dict[tuple[str, str | None, str, str], Candidate] = field(default_factory=dict)
    """What holds and is left out because it holds nearly everywhere; worth saying once the repository says it too."""

    def survey(self) -> None:
        """Have families look at every file before any vote is cast."""
        for file, facts in self.files():
            for family in tuple(self.families):
                if family.survey is not None:
                    try:
                        family.survey(self.worlds[family.name].noted, file, facts.get(family.name))
                    except Exception as error:
                        self.fail(family, error)
        for family in tuple(self.families):
            if family.settle is not None:
                try:
                    family.settle(self.worlds[family.name])
                except Exception as error:
                    self.fail(family, error)

    def candidates(self, counts: Counts, book: Book) -> list[Candidate]:
        """Make candidates of what was counted."""
        named = {family.name: family for family in self.families}
        topics = [topic for topic in sorted(counts.forms, key=_order) if topic[0] in named]
        found = [
            (named[topic[0]], finding)
            for topic in topics
            for finding in findings_of(named[topic[0]], topic, counts, book)
        ]
        found = together.join(found, self.files, self.worlds, named)
        candidates = []
        minor = next((tongues.minor(world.listing.paths) for world in self.worlds.values()), frozenset())
        for family, finding in found:
            try:
                candidate = _candidate(family, finding)
            except Exception as error:
                self.fail(family, error)
                continue
            if candidate is None:
                self.suppressed.add("nothing worth saying", f"{family.name}: {finding.topic} {finding.form}"[:120])
            elif _scattered(candidate):
                self.suppressed.add("only here and there", _told(candidate))
            elif finding.tongue in minor:
                self.norms[_key(candidate)] = candidate
                self.suppressed.add("a language of few files", _told(candidate))
            elif candidate.bits < family.least.bits:
                self.norms[_key(candidate)] = candidate
                reason = "holds everywhere" if family.local else "language norm"
                self.suppressed.add(reason, _told(candidate))
            else:
                candidates.append(candidate)
        return candidates

    def claimed(self, candidates: list[Candidate], counts: Counts) -> None:
        """Attach what is declared to what was found, and have measured what was not found, or not worth saying."""
        claims = self._claims()
        self._waive(candidates, [claim for claim in claims if claim.waived])
        places = {_key(candidate): place for place, candidate in enumerate(candidates)}
        for claim, tongue in [(each, tongue) for each in claims if not each.waived for tongue in each.tongues]:
            key = (claim.family, tongue, claim.topic, claim.form)
            place = places.get(key)
            if place is not None and not _speaks_of(candidates[place], claim.folder):
                # The same answer of another part is no answer to what is asked of this one.
                stated = self._stated(claim, tongue, counts)
                candidates += () if stated is None else (_claimed(stated, claim),)
                continue
            if place is not None and candidates[place].proposal.declared is not None:
                continue
            found = (
                candidates[place] if place is not None else self.norms.get(key) or self._stated(claim, tongue, counts)
            )
            if found is None:
                continue
            found = _claimed(found, claim)
            if place is None:
                places[key] = len(candidates)
                candidates.append(found)
            else:
                candidates[place] = found

    def _waive(self, candidates: list[Candidate], claims: list[Claim]) -> None:
        """Leave out what some do otherwise, and may: the rule that forbids it is switched off."""
        waived: dict[tuple[str, str | None, str, str], Claim] = {
            (claim.family, tongue, claim.topic, claim.form): claim for claim in claims for tongue in claim.tongues
        }
        for candidate in tuple(candidates):
            claim = waived.get(_key(candidate))
            if claim is not None and candidate.finding.share < _UNBROKEN and _speaks_of(candidate, claim.folder):
                candidates.remove(candidate)
                self.suppressed.add("a rule that is switched off", _told(candidate))

    def cited(self, candidates: list[Candidate]) -> None:
        """Attach the lines of documents that state what was found."""
        for family in tuple(self.families):
            for place, candidate in enumerate(candidates if family.cites is not None else ()):
                try:
                    found = family.cites and family.cites(self.worlds[family.name], candidate.proposal.name)
                except Exception as error:
                    self.fail(family, error)
                    break
                if found and candidate.proposal.declared is None and candidate.finding.share >= _CITED:
                    candidates[place] = replace(candidate, proposal=replace(candidate.proposal, declared=found))

    def _claims(self) -> list[Claim]:
        claims: list[Claim] = []
        for family in tuple(self.families):
            try:
                claims += () if family.claims is None else family.claims(self.worlds[family.name])
            except Exception as error:
                self.fail(family, error)
        return sorted(claims, key=lambda claim: (claim.folder.count("/") + bool(claim.folder), claim.folder))

    def _stated(self, claim: Claim, tongue: str, counts: Counts) -> Candidate | None:
        """Ask a claim of all files that it speaks of: whether they follow it is for its rule to tell."""
        family = next((each for each in self.families if each.name == claim.family), None)
        topic, name = (claim.family, tongue, claim.topic), f"{claim.folder}/" if claim.folder else ""
        if family is None or topic not in counts.topics:
            return None
        asked = Ground(counts.cells, counts.topics[topic]).of(None).named(name)
        answered = Ground(counts.cells, counts.forms[topic].get(claim.form, {})).of(None).named(name)
        conforming, applicable = sites_in(answered), sites_in(asked)
        if applicable < _LEAST_CLAIMED:
            return None
        scope = Scope(languages_of(tongue), (f"{name}**",) if name else ())
        finding = Finding(claim.topic, claim.form, tongue, scope, conforming, applicable, files_in(answered), None)
        try:
            return _candidate(family, finding)
        except Exception as error:
            self.fail(family, error)
            return None

    def declared(self) -> list[tuple[Family, Proposal]]:
        """List what the repository declares."""
        proposals = []
        for family in tuple(self.families):
            try:
                declared = () if family.declares is None else tuple(family.declares(self.worlds[family.name]))
                proposals += [(family, proposal) for proposal in declared]
            except Exception as error:
                self.fail(family, error)
        return proposals

    def fail(self, family: Family, error: Exception) -> None:
        """Go on without a family."""
        if self.strict:
            raise error
        self.suppressed.failed.append(family.name)
        self.suppressed.add("a miner failed", f"{family.name}: {type(error).__name__}: {error}"[:200])
        self.families = [each for each in self.families if each is not family]


def _claimed(found: Candidate, claim: Claim) -> Candidate:
    score = max(found.score, DECLARED_SCORE * found.proposal.weight)
    return replace(found, proposal=replace(found.proposal, declared=claim.declared), score=score)


def _speaks_of(candidate: Candidate, folder: str) -> bool:
    """Tell whether a candidate speaks of a folder, or of something in it."""
    asked = f"{folder}/" if folder else ""
    places = [glob.partition("*")[0] for glob in candidate.proposal.rule.scope.include] or [""]
    return any(place.startswith(asked) or asked.startswith(place) for place in places)


def _declared(family: Family, proposal: Proposal) -> Candidate:
    rule = proposal.rule
    tongue = rule.scope.languages[0] if rule.scope.languages else None
    finding = Finding(f"declared: {proposal.name}", "", tongue, rule.scope, 0, 0, 0, None)
    spoken = replace(proposal, rule=_spoken(family, proposal))
    return Candidate(family.name, family.version, finding, spoken, 0.0, DECLARED_SCORE * proposal.weight)


def _order(topic: Topic) -> tuple[str, str, str]:
    return (topic[0], topic[1] or "", topic[2])


def _told(candidate: Candidate) -> str:
    return f"{candidate.proposal.name} ({candidate.finding.conforming} of {candidate.finding.applicable})"


def _scattered(candidate: Candidate) -> bool:
    """Tell whether an answer holds in some folders that have nothing in common but that it happens to hold there.

    Of many folders some agree by chance, where most that conforms is found elsewhere; how files are named is a matter
    of folders.
    """
    if candidate.proposal.category is PatternCategory.FILE_NAMING:
        return False
    finding = candidate.finding
    if len(finding.scope.include) >= _SCATTERED and finding.gathered < _HALF:
        return True
    return any(finding.asked < corner and finding.gathered < most for corner, most in _CORNERS)


def _key(candidate: Candidate) -> tuple[str, str | None, str, str]:
    finding = candidate.finding
    return (candidate.family, finding.tongue, finding.topic, finding.form)


def _candidate(family: Family, finding: Finding) -> Candidate | None:
    """Make a candidate of a finding; None where there is nothing to say of it."""
    proposal = family.propose(finding)
    if proposal is None:
        return None
    prior = family.prior(finding)
    if family.local:
        prior = max(finding.elsewhere or _UNSEEN, _UNSEEN)
    bits = surprise(finding.share, prior)
    weight = proposal.weight * (_OF_EXAMPLES if _of_examples(finding.scope) else 1.0)
    sites = min(finding.applicable, _MOST_ALIKE) if family.local else finding.applicable
    score = bits * log2(1 + sites) * wilson_low(finding.conforming, finding.applicable) * weight
    return Candidate(
        family.name, family.version, finding, replace(proposal, rule=_spoken(family, proposal)), bits, score
    )


def _of_examples(scope: Scope) -> bool:
    """Tell whether a scope speaks of nothing but examples, by the kind of its files or by its folders."""
    if scope.roles or not scope.include:
        return scope.roles == (FileRole.EXAMPLE,)
    return all(role_in(glob.partition("*")[0]) is FileRole.EXAMPLE for glob in scope.include)


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
