"""Joining findings whose forms the same files carry: the lines of a header are one convention, not ten."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.miners.core.family import Family, Finding, World
from app.miners.core.sheets import Files, speaks

_ALIKE = 0.9
_MOST_JOINED = 12
_MOST_FINDINGS = 2_000

Found = list[tuple[Family, Finding]]


def join(
    found: Found,
    files: Files,
    worlds: Mapping[str, World],
    families: Mapping[str, Family],
) -> Found:
    """Look once more at which files carry which forms, and make one finding of those that go together."""
    joining = [(family, finding) for family, finding in found if family.joins]
    if not joining:
        return found
    # Only the best could come to anything; the others are not looked at again.
    joining.sort(key=lambda each: (-each[1].conforming, each[1].form))
    joining = joining[:_MOST_FINDINGS]
    names = {family.name for family, _ in joining}
    wanted = {(family.name, finding.tongue, finding.topic, finding.form) for family, finding in joining}
    scopes = {(family.name, finding.tongue, finding.topic, finding.form): finding.scope for family, finding in joining}
    carriers: dict[tuple[str, str | None, str, str], set[int]] = defaultdict(set)
    order: dict[tuple[str, str | None, str, str], int] = {}
    for number, (file, facts) in enumerate(files()):
        for name in names:
            family = families[name]
            tongue = family.tongue_of(file)
            if speaks(family, file):
                for vote in family.votes(file, facts.get(name), worlds[name]):
                    for place, form in enumerate(vote.forms):
                        key = (name, tongue, vote.topic, form)
                        if key in wanted and scopes[key].holds(file.path, file.language, file.role):
                            carriers[key].add(number)
                            order[key] = min(order.get(key, place), place)
    groups = _groups(joining, carriers)
    joined = [_one(group, order) for group in groups]
    return [each for each in found if not each[0].joins] + joined


def _groups(joining: Found, carriers: Mapping[tuple[str, str | None, str, str], set[int]]) -> list[Found]:
    groups: list[Found] = []
    # What all lines of a group have together: the rule asks for all of them.
    carried: list[set[int]] = []
    leaders: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for family, finding in joining:
        mine = carriers[family.name, finding.tongue, finding.topic, finding.form]
        place = (family.name, finding.tongue, finding.topic, finding.scope)
        for number in leaders[place]:
            both = carried[number] & mine
            if len(groups[number]) < _MOST_JOINED and len(both) >= _ALIKE * max(len(carried[number]), len(mine)):
                groups[number].append((family, finding))
                carried[number] = both
                break
        else:
            leaders[place].append(len(groups))
            groups.append([(family, finding)])
            carried.append(mine)
    return groups


def _one(
    group: Sequence[tuple[Family, Finding]], order: Mapping[tuple[str, str | None, str, str], int]
) -> tuple[Family, Finding]:
    family, lead = group[0]
    forms = [finding.form for _, finding in group]
    forms.sort(key=lambda form: (order.get((family.name, lead.tongue, lead.topic, form), 0), form))
    # All together are elsewhere no more often than the rarest of them.
    known = [finding.elsewhere for _, finding in group if finding.elsewhere is not None]
    return family, replace(lead, form=forms[0], together=tuple(forms), elsewhere=min(known, default=None))
