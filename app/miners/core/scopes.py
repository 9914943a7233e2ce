"""Finding where a form holds: the largest folders, or the kinds of files, in which hardly any site breaks it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from app.domain.recognition import FileRole
from app.domain.rule import Scope
from app.domain.statistics import wilson_low
from app.miners.core.counting import Cells, files_in, new_in, sites_in
from app.miners.core.family import Least, languages_of

MOST_INCLUDES = 5
MOST_EXCLUDES = 6
# A folder in which so few of so many sites conform is none of those that the convention is about.
_BREAKING, _LEAST_BREAKING = 0.5, 3
_LEAST_EXCEPTED = 8
# A role of many sites does otherwise as well if it has most of what breaks, and far more of it than the others.
_LOOSE = 0.75
# What is left after folders were excluded is still most of it.
_LEAST_KEPT = 0.6
# A folder that has nearly all that conforms, and less than half of what does not, is what the convention is about.
_NEARLY_ALL = 0.95
# So many sites of tests weigh as much as one of what is tested.
_OF_SOURCE = 5
# A kind of file is said in place of folders where it covers so much more.
_WIDER, _MOST_OF_IT = 1.2, 0.6
# A convention of new code may hold where old code does not follow yet.
_NEW_SITES, _NEW_SHARE, _RISE, RISING_LEAST = 8, 0.92, 0.1, 0.4
_YOUNG_SHARE, _YOUNG_NEW_SHARE = 0.80, 0.95
_TOP = 0


class Ground:
    """What was counted of a question, or of an answer, by the roles of files."""

    def __init__(self, cells: Cells, counted: Mapping[int, int]) -> None:
        self._cells, self._counted = cells, counted
        self._apart = cells.apart(counted)
        self._totals = {role: sum(map(sites_in, folders.values())) for role, folders in self._apart.items()}
        self._parts: dict[FileRole | None, Part] = {}

    @property
    def roles(self) -> list[FileRole]:
        """The roles that have sites."""
        return sorted(self._apart, key=lambda role: role.value)

    def total(self, role: FileRole | None) -> int:
        """Give all sites in files of one role, or of all."""
        return sum(self._totals.values()) if role is None else self._totals.get(role, 0)

    def of(self, role: FileRole | None) -> "Part":
        """Give what was counted in files of one role, or of all."""
        if role not in self._parts:
            if role is not None or len(self._apart) == 1:
                folders = self._cells.upwards(self._apart.get(role or self.roles[0], {}))
            else:
                folders = {}
                for each in self._apart:
                    for folder, packed in self.of(each).folders.items():
                        folders[folder] = folders.get(folder, 0) + packed
            self._parts[role] = Part(self._cells, folders, partial(self._cells.by_kind, self._counted, role))
        return self._parts[role]


class Part:
    """Counts of every folder with all below it, and of every kind of file, in files of one role or of all."""

    def __init__(self, cells: Cells, folders: dict[int, int], by_kind: Callable[[], dict[int, int]]) -> None:
        self._cells, self._by_kind = cells, by_kind
        self.folders = folders
        self._families: dict[int, list[list[tuple[int, int]]]] = {}

    @cached_property
    def kinds(self) -> dict[int, int]:
        """What was counted in each kind of files."""
        return self._by_kind()

    def named(self, name: str) -> int:
        """Give what was counted in a place."""
        place = self._cells.numbers.get(name, -1)
        return (self.kinds if place in self._cells.kinds else self.folders).get(place, 0)

    def name(self, place: int) -> str:
        """Name a place."""
        return self._cells.names[place]

    def below(self, place: int) -> list[int]:
        """List the folders right below one that have sites."""
        folders = self.folders
        return [part for part in self._cells.below[place] if part in folders]

    def breaking(self, conforming: "Part", place: int) -> list[int]:
        """List the folders below one, at most two steps down, in which hardly any site is among those that conform."""
        found: list[tuple[int, str, int]] = []
        conforms = conforming.folders
        for family in self._families_in(place):
            for step, (folder, sites) in enumerate(family):
                if sites_in(conforms.get(folder, 0)) < _BREAKING * sites:
                    found.append((-sites, self.name(folder), folder))
                    if step == 0:
                        break
        return [folder for *_, folder in sorted(found)[:MOST_EXCLUDES]]

    def _families_in(self, place: int) -> list[list[tuple[int, int]]]:
        """List the folders right below one, each before those below it, with their sites; found out once."""
        if place not in self._families:
            self._families[place] = [
                [
                    (folder, sites)
                    for folder in (part, *self.below(part))
                    if (sites := sites_in(self.folders[folder])) >= _LEAST_BREAKING
                ]
                for part in self.below(place)
            ]
        return self._families[place]


@dataclass(slots=True)
class Where:
    """A place in which a form holds, and how well."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    roles: tuple[FileRole, ...] = ()
    conforming: int = 0
    applicable: int = 0

    def scope(self, tongue: str | None) -> Scope:
        """Spell the place as a rule's scope."""
        include = self.include
        if tongue is not None and tongue.startswith("."):
            # Files without a grammar are told by their suffix.
            include = tuple(f"{glob}/*{tongue}" if glob.endswith("**") else glob for glob in include or ("**",))
        return Scope(languages_of(tongue), include, self.exclude, self.roles)


def find(applicable: Ground, conforming: Ground, least: Least) -> Where | None:
    """Find the widest scope in which a form holds; only some roles where the others do otherwise."""
    everywhere = _in_part(applicable.of(None), conforming.of(None), least)
    if everywhere is not None and not any(
        _does_otherwise(applicable, conforming, least, role) for role in applicable.roles
    ):
        return everywhere
    found = []
    for role in conforming.roles:
        if (where := _in_part(applicable.of(role), conforming.of(role), least)) is not None:
            where.roles = (role,)
            found.append(where)
    if not found:
        return everywhere
    best = max(found, key=_weight)
    return _joined([where for where in found if where.include == best.include])


def _weight(where: Where) -> int:
    """Weigh a scope: what is shipped says more than what its tests and examples do."""
    return sites_in(where.conforming) * (_OF_SOURCE if where.roles == (FileRole.SOURCE,) else 1)


def _does_otherwise(applicable: Ground, conforming: Ground, least: Least, role: FileRole) -> bool:
    have, of = conforming.total(role), applicable.total(role)
    if of >= _LEAST_BREAKING and have < _BREAKING * of:
        return True
    broken = applicable.total(None) - conforming.total(None)
    return of >= least.sites and have < _LOOSE * of and 2 * (of - have) > broken


def _in_part(applicable: Part, conforming: Part, least: Least) -> Where | None:
    best = _folders(applicable, conforming, least)
    if best is not None and sites_in(best.conforming) >= _MOST_OF_IT * sites_in(conforming.folders.get(_TOP, 0)):
        return best
    for name, kind in sorted((conforming.name(kind), kind) for kind in conforming.kinds):
        have = conforming.kinds[kind]
        if sites_in(have) > (_WIDER * sites_in(best.conforming) if best else 0):
            of = applicable.kinds.get(kind, 0)
            if holds(have, of, least):
                best = Where((name,), (), (), have, of)
    return best


def _folders(applicable: Part, conforming: Part, least: Least) -> Where | None:
    found: list[Where] = []
    waiting = [_TOP]
    while waiting:
        place = waiting.pop()
        have, of = conforming.folders.get(place, 0), applicable.folders.get(place, 0)
        # However few of the others are left in what is kept, it never holds with fewer than these.
        if files_in(have) < least.files or sites_in(have) < RISING_LEAST * least.sites:
            continue
        breaking = applicable.breaking(conforming, place)
        if breaking and holds(have, of, least):
            # What holds as it is needs no exception for a few sites of which some conform: the others break it. Where
            # none does, they are something else.
            breaking = [
                part
                for part in breaking
                if sites_in(applicable.folders[part]) >= _LEAST_EXCEPTED
                or not sites_in(conforming.folders.get(part, 0))
            ]
        kept = have - sum(conforming.folders.get(part, 0) for part in breaking)
        left = of - sum(applicable.folders[part] for part in breaking)
        if holds(kept, left, least) and (sites_in(left) >= _LEAST_KEPT * sites_in(of) or not breaking):
            inner = _tightest(applicable, conforming, least, place)
            if inner != place:
                waiting.append(inner)
                continue
            include = (f"{conforming.name(place)}**",) if place != _TOP else ()
            exclude = tuple(sorted(f"{applicable.name(part)}**" for part in breaking))
            found.append(Where(include, exclude, (), kept, left))
        else:
            waiting += conforming.below(place)
    found.sort(key=lambda where: (-sites_in(where.conforming), where.include))
    return _joined(found[:MOST_INCLUDES]) if found else None


def _tightest(applicable: Part, conforming: Part, least: Least, place: int) -> int:
    """Step down while one folder has nearly all that conforms; stay where that leaves hardly less that does not."""
    best, all_of_it = place, sites_in(conforming.folders[place])
    broken = sites_in(applicable.folders[place]) - all_of_it
    while True:
        nearly = (
            part for part in conforming.below(place) if sites_in(conforming.folders[part]) >= _NEARLY_ALL * all_of_it
        )
        if (inner := next(nearly, None)) is None:
            return best
        place, have, of = inner, conforming.folders[inner], applicable.folders[inner]
        if 2 * (sites_in(of) - sites_in(have)) < broken and holds(have, of, least):
            best, broken = place, sites_in(of) - sites_in(have)


def _joined(places: list[Where]) -> Where:
    joined = Where(
        tuple(sorted({glob for where in places for glob in where.include})),
        tuple(sorted({glob for where in places for glob in where.exclude})),
        tuple(sorted({role for where in places for role in where.roles}, key=lambda role: role.value)),
    )
    joined.conforming = sum(where.conforming for where in places)
    joined.applicable = sum(where.applicable for where in places)
    return joined


def holds(have: int, of: int, least: Least) -> bool:
    """Tell whether so much of what was counted makes a convention, be it one that rises only now."""
    conforming, applicable = sites_in(have), sites_in(of)
    if applicable < least.sites or files_in(have) < least.files:
        return False
    share = conforming / applicable
    if share >= least.share and wilson_low(conforming, applicable) >= least.careful:
        return True
    new, all_new = new_in(have), new_in(of)
    if all_new < _NEW_SITES or new < _NEW_SHARE * all_new:
        return False
    new_share = new / all_new
    if share >= _YOUNG_SHARE and new_share >= _YOUNG_NEW_SHARE:
        return True
    old = applicable - all_new
    return share >= RISING_LEAST and old > 0 and new_share - (conforming - new) / old >= _RISE
