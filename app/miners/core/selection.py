"""Choosing what a person sees: candidates whose measured rule still holds, each said once, the best of them."""

from collections import Counter
from collections.abc import Iterable, Mapping

from app.domain.confidence import Trend, trend_of
from app.domain.measurement import Measurement
from app.domain.statistics import wilson_low
from app.miners.core.alike import says_the_same
from app.miners.core.candidate import Candidate, Measured
from app.miners.core.family import Family, Least
from app.miners.core.mining import Contradiction, Suppressed

MOST_KEPT, MOST_EVER = 60, 120
_RISING_SHARE = 0.4
_MEASURED_SLACK = 0.03

# What is declared is called not followed below this share, where so many sites could tell.
_FOLLOWED, _LEAST_CONTRADICTING = 0.8, 5


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
    here: Counter[tuple[str, tuple[str, ...]]] = Counter()
    answered: Counter[tuple[str, str | None, str]] = Counter()
    for each in holding:
        same = next((at for at, other in enumerate(kept) if says_the_same(each, other, families)), None)
        family, place = families[each.candidate.family], each.candidate.proposal.rule.scope.include
        answer = (family.name, each.candidate.finding.tongue, each.candidate.finding.form)
        if same is not None:
            # Who knows what the lines mean says it better than who only saw that they recur.
            if families[kept[same].candidate.family].joins and not family.joins:
                kept[same], each = each, kept[same]
            suppressed.add("said by another", _told(each.candidate, each.measurement))
        elif (
            len(kept) >= min(most, MOST_EVER)
            or taken[family.name] >= family.most
            or (place and here[family.name, place] >= family.most_of_a_place)
            or answered[answer] >= family.most_of_an_answer
        ):
            suppressed.add("over the limit", _told(each.candidate, each.measurement))
        else:
            taken[family.name] += 1
            here[family.name, place] += 1
            answered[answer] += 1
            kept.append(each)
    return kept


def _told(candidate: Candidate, measurement: Measurement) -> str:
    return f"{candidate.proposal.name} ({measurement.conforming} of {measurement.applicable})"


def _contradicted(candidate: Candidate, measured: Measurement) -> Contradiction | None:
    declared = candidate.proposal.declared
    if declared is None or declared.roughly or measured.applicable < _LEAST_CONTRADICTING:
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
