"""Choosing what a person sees: candidates whose measured rule still holds, each said once, the best of them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.confidence import Trend, trend_of
from app.domain.measurement import Measurement, Place
from app.domain.rule import Rule, RuleKind
from app.domain.statistics import wilson_low
from app.miners.core.candidate import Candidate
from app.miners.core.family import Family, Least
from app.miners.core.mining import Contradiction, Suppressed

MOST_KEPT, MOST_EVER = 60, 120
_ALIKE, _HALF = 0.8, 0.5
_RISING_SHARE = 0.4
_MEASURED_SLACK = 0.03
_LEAST_COMPARED = 4
_REPEATED = 0.65


# What is declared is called not followed below this share, where so many sites could tell.
_FOLLOWED, _LEAST_CONTRADICTING = 0.8, 5


@dataclass(frozen=True, slots=True)
class Measured:
    """A candidate with what its own rule came to, over the whole repository."""

    candidate: Candidate
    measurement: Measurement
    trend: Trend


def select(
    measured: Iterable[tuple[Candidate, Measurement]],
    suppressed: Suppressed,
    families: Mapping[str, Family],
    *,
    authors: int,
    most: int = MOST_KEPT,
) -> list[Measured]:
    """Keep what holds, is alive, is not one person's habit, and is not said already; best first.

    What is declared and does not hold is no candidate, but a finding of its own.
    """
    holding = []
    for candidate, measurement in measured:
        if (contradiction := _contradicted(candidate, measurement)) is not None:
            suppressed.contradictions.append(contradiction)
            suppressed.add("declared, not followed", _told(candidate, measurement))
            continue
        reason, trend = _judged(measurement, families[candidate.family].least, authors)
        if reason is None:
            holding.append(Measured(candidate, measurement, trend))
        else:
            suppressed.add(reason, _told(candidate, measurement))
    holding.sort(key=lambda each: (-each.candidate.score, each.candidate.proposal.name))
    kept: list[Measured] = []
    taken: Counter[str] = Counter()
    for each in holding:
        same = next((place for place, other in enumerate(kept) if _says_the_same(each, other, families)), None)
        if same is not None:
            # Who knows what the lines mean says it better than who only saw that they recur.
            if families[kept[same].candidate.family].joins and not families[each.candidate.family].joins:
                kept[same], each = each, kept[same]
            suppressed.add("said by another", _told(each.candidate, each.measurement))
        elif len(kept) >= min(most, MOST_EVER) or taken[each.candidate.family] >= families[each.candidate.family].most:
            suppressed.add("over the limit", _told(each.candidate, each.measurement))
        else:
            taken[each.candidate.family] += 1
            kept.append(each)
    return kept


def _told(candidate: Candidate, measurement: Measurement) -> str:
    return f"{candidate.proposal.name} ({measurement.conforming} of {measurement.applicable})"


def _contradicted(candidate: Candidate, measured: Measurement) -> Contradiction | None:
    declared = candidate.proposal.declared
    if declared is None or measured.applicable < _LEAST_CONTRADICTING:
        return None
    if measured.conforming >= _FOLLOWED * measured.applicable:
        return None
    return Contradiction(declared.statement, declared.path, declared.line, measured.conforming, measured.applicable)


def _judged(measured: Measurement, least: Least, authors: int) -> tuple[str | None, Trend]:
    old = (measured.conforming - measured.new_conforming, measured.applicable - measured.new_applicable)
    trend = trend_of((measured.new_conforming, measured.new_applicable), old)
    if measured.applicable < least.sites or measured.conforming_files < min(least.files, measured.files):
        return "too few sites", trend
    if trend in (Trend.ERODING, Trend.DEAD):
        return trend.value.lower(), trend
    share = measured.conforming / measured.applicable
    holds = share >= least.share - _MEASURED_SLACK and wilson_low(measured.conforming, measured.applicable) >= (
        least.careful - _MEASURED_SLACK
    )
    if not holds and not (least.rising and trend is Trend.RISING and share >= _RISING_SHARE):
        return "broken too often", trend
    if authors > 1 and len(measured.authors) == 1:
        return "one author's habit", trend
    return None, trend


def _says_the_same(one: Measured, other: Measured, families: Mapping[str, Family]) -> bool:
    """Tell whether most places of one are the very places of the other, and they are as many.

    Two questions may well be asked of the same lines; only who merely saw that lines recur says them again, and who
    speaks of the names of the same files.
    """
    if _is_converse(one, other):
        return True
    if _chooses_modules(one) and _chooses_modules(other):
        return _same_modules(one, other)
    if _names_files(one) and _names_files(other):
        return _same_files(one, other)
    if one.candidate.family == other.candidate.family:
        if (pair := _paired_folders(one)) is not None and pair == _paired_folders(other):
            return True
        if _leads_to(one, other) and _leads_to(other, one):
            return True
        if families[one.candidate.family].joins and _repeats(one, other):
            return True
        if one.candidate.finding.topic != other.candidate.finding.topic:
            return _same_answer(one, other)
    elif not any(families[each.candidate.family].joins for each in (one, other)):
        return False
    smaller, larger = sorted((one.measurement.applicable, other.measurement.applicable))
    if smaller < _ALIKE * larger or one.candidate.finding.tongue != other.candidate.finding.tongue:
        return False
    mine, theirs = _lines(one.measurement.samples), _lines(other.measurement.samples)
    shared = mine.keys() & theirs.keys()
    if len(shared) < max(_LEAST_COMPARED, _ALIKE * min(len(mine), len(theirs))):
        return False
    met = Counter(_meet(mine[path], theirs[path]) for path in shared)
    return met[True] >= _ALIKE * len(shared)


def _same_answer(one: Measured, other: Measured) -> bool:
    """Tell whether what carries two marks at once, as two annotations, is said to be alike for each of them."""
    mine, theirs = ({**each.candidate.proposal.rule.definition} for each in (one, other))
    if mine.pop("applicable", None) == theirs.pop("applicable", None) or not mine or mine != theirs:
        return False
    places = [_lines(each.measurement.samples) for each in (one, other)]
    shared = places[0].keys() & places[1].keys()
    if len(shared) < max(_LEAST_COMPARED, _HALF * min(map(len, places))):
        return False
    return sum(places[0][path].start == places[1][path].start for path in shared) >= _ALIKE * len(shared)


def _is_converse(one: Measured, other: Measured) -> bool:
    """Tell whether one asks where the sites are that the other asks for: of `errors/`, that errors are there."""
    mine, theirs = (each.candidate.proposal.rule.definition for each in (one, other))
    smaller, larger = sorted((one.measurement.conforming, other.measurement.conforming))
    if smaller < _ALIKE * larger or not ("files" in mine or "files" in theirs):
        return False
    return any(
        asked.get("applicable") is not None and asked["applicable"] == wanted.get("conforming")
        for asked, wanted in ((mine, theirs), (theirs, mine))
    )


def _paired_folders(each: Measured) -> frozenset[str] | None:
    """Give two folders of which one has a file for each of the other; which way, and of which suffix, is all one."""
    root, include = _twins_root(each), each.candidate.proposal.rule.scope.include
    return frozenset((root, include[0].partition("/**")[0])) if root and len(include) == 1 else None


def _leads_to(one: Measured, other: Measured) -> bool:
    """Tell whether files that have another elsewhere are the ones that the other's have: of three folders, say."""
    root = _twins_root(other)
    return bool(root) and any(place.path.startswith(f"{root}/") for place in one.measurement.samples)


def _twins_root(each: Measured) -> str:
    """Name the folder where each file has another, if that is what it is about."""
    rule = each.candidate.proposal.rule
    if rule.kind is not RuleKind.PATH or set(rule.definition.get("conforming", ())) != {"twin"}:
        return ""
    root, below, _ = rule.definition["conforming"]["twin"][0].partition("/{below:")
    return root if below else ""


def _repeats(one: Measured, other: Measured) -> bool:
    """Tell whether lines are those of another place but for a word, as its name: one such sentence is enough."""
    mine, theirs = (_words(each.candidate.proposal.rule) for each in (one, other))
    return len(mine & theirs) >= _REPEATED * max(len(mine), len(theirs), 1)


def _words(rule: Rule) -> frozenset[str]:
    return frozenset(word for line in rule.definition.get("lines", ()) for word in re.findall(r"[A-Za-z_]\w*", line))


def _chooses_modules(each: Measured) -> bool:
    rule = each.candidate.proposal.rule
    return rule.kind is RuleKind.IMPORT and set(rule.definition.get("conforming", ())) == {"module"}


def _same_modules(one: Measured, other: Measured) -> bool:
    mine, theirs = (each.candidate.proposal.rule for each in (one, other))
    if mine.scope.languages != theirs.scope.languages:
        return False
    smaller, larger = sorted((one.measurement.conforming, other.measurement.conforming))
    shared = {*mine.definition["conforming"]["module"]} & {*theirs.definition["conforming"]["module"]}
    return bool(shared) and smaller >= _ALIKE * larger


def _names_files(each: Measured) -> bool:
    rule = each.candidate.proposal.rule
    return rule.kind is RuleKind.PATH and set(rule.definition.get("conforming", ())) == {"names"}


def _same_files(one: Measured, other: Measured) -> bool:
    smaller, larger = sorted((one.measurement.applicable, other.measurement.applicable))
    mine, theirs = ({place.path for place in each.measurement.samples} for each in (one, other))
    return smaller >= _ALIKE * larger and len(mine & theirs) >= _ALIKE * min(len(mine), len(theirs))


def _lines(samples: Sequence[Place]) -> dict[str, Place]:
    return {place.path: place for place in samples if place.start is not None}


def _meet(one: Place, other: Place) -> bool:
    assert one.start is not None
    assert other.start is not None
    if (one.end or one.start) - one.start > 30 or (other.end or other.start) - other.start > 30:
        return False
    return one.start <= (other.end or other.start) and other.start <= (one.end or one.start)
