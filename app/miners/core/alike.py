"""Telling whether two candidates would be read as the same thing said twice."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from posixpath import commonpath

from app.domain.measurement import Place, resemblance
from app.domain.rule import Rule, RuleKind
from app.miners.core.candidate import Measured
from app.miners.core.family import Family

_ALIKE, _HALF = 0.8, 0.5
_LEAST_COMPARED = 4
_REPEATED = 0.65


def says_the_same(one: Measured, other: Measured, families: Mapping[str, Family]) -> bool:
    """Tell whether most places of one are the very places of the other, and they are as many.

    Two questions may well be asked of the same lines; only who merely saw that lines recur says them again, and who
    speaks of the names of the same files.
    """
    if _is_converse(one, other):
        return True
    if _breaks_alike(one, other) or _leads_back(one, other):
        return True
    if _chooses_modules(one) and _chooses_modules(other):
        return _same_modules(one, other)
    if _names_files(one) and _names_files(other):
        return _same_files(one, other)
    if _holds_more(one, other) or _holds_more(other, one):
        return True
    if one.candidate.family == other.candidate.family:
        if (pair := _paired_folders(one)) is not None and pair == _paired_folders(other):
            return True
        if _leads_to(one, other) and _leads_to(other, one):
            return True
        if families[one.candidate.family].joins and _repeats(one, other):
            return True
        special = families[one.candidate.family].local and not _is_twin(one)
        if special and resemblance(one.measurement, other.measurement) >= _ALIKE:
            # What is special about some files is said in one sentence; what others each of them has is not about it.
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


def _breaks_alike(one: Measured, other: Measured) -> bool:
    """Tell whether answers to one question are broken at the very same places: one is the other, said wider."""
    mine, theirs = (each.candidate.proposal.rule for each in (one, other))
    if mine.scope != theirs.scope or mine.definition.get("applicable") != theirs.definition.get("applicable"):
        return False
    if _is_twin(one):
        return False
    broken = [{(place.path, place.start) for place in each.measurement.violations} for each in (one, other)]
    return one.measurement.applicable == other.measurement.applicable and broken[0] == broken[1] != set()


def _leads_back(one: Measured, other: Measured) -> bool:
    """Tell whether files have others, each a test, say, and those others are said to stand where they stand."""
    if not all(_is_twin(each) for each in (one, other)) or one.candidate.family == other.candidate.family:
        return False
    smaller, larger = sorted((one.measurement.conforming, other.measurement.conforming))
    scopes = {each.candidate.proposal.rule.scope.include for each in (one, other)}
    return len(scopes) == 1 and smaller >= _ALIKE * larger


def _holds_more(one: Measured, other: Measured) -> bool:
    """Tell whether folders hold what others of the same place hold, and more."""
    mine, theirs = (each.candidate.proposal.rule for each in (one, other))
    if not all(
        rule.kind is RuleKind.PATH and "holds" in rule.definition.get("conforming", ()) for rule in (mine, theirs)
    ):
        return False
    # What holds of all folders has no place of its own.
    places = [commonpath(rule.scope.include) if rule.scope.include else "" for rule in (mine, theirs)]
    return (
        {*mine.definition["conforming"]["holds"]} >= {*theirs.definition["conforming"]["holds"]}
        and places[0].count("/") > 0
        and places[0] == places[1]
    )


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
    if not _is_twin(each):
        return ""
    rule = each.candidate.proposal.rule
    root, below, _ = rule.definition["conforming"]["twin"][0].partition("/{below:")
    return root if below else ""


def _is_twin(each: Measured) -> bool:
    rule = each.candidate.proposal.rule
    return rule.kind is RuleKind.PATH and set(rule.definition.get("conforming", ())) == {"twin"}


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
