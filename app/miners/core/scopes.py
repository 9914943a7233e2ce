"""Finding where a form holds: the largest folders, or the kinds of files, in which hardly any site breaks it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.domain.recognition import FileRole
from app.domain.rule import Scope
from app.domain.statistics import wilson_low
from app.miners.core.counting import EACH_ROLE, ROLE_NUMBERS, Cells, taken_apart
from app.miners.core.family import Least, languages_of

MOST_INCLUDES = 5
MOST_EXCLUDES = 6
# A folder in which so few of so many sites conform is none of those that the convention is about.
_BREAKING, _LEAST_BREAKING = 0.5, 3
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
_NEW_SITES, _NEW_SHARE, _RISE, _RISING_LEAST = 8, 0.92, 0.1, 0.4
_YOUNG_SHARE, _YOUNG_NEW_SHARE = 0.80, 0.95


@dataclass(slots=True)
class Tally:
    """So many sites, in so many files, so many of them in new files."""

    sites: int = 0
    files: int = 0
    new: int = 0

    def add(self, other: "Tally") -> None:
        """Add what another place has."""
        self.sites += other.sites
        self.files += other.files
        self.new += other.new

    def without(self, others: Iterable["Tally"]) -> "Tally":
        """Give what is left without some parts."""
        left = Tally(self.sites, self.files, self.new)
        for other in others:
            left.add(Tally(-other.sites, -other.files, -other.new))
        return left


class Ground:
    """Tallies of every folder with all below it, and of every kind of file."""

    def __init__(self, cells: Cells, counted: Mapping[int, int]) -> None:
        self._cells = cells
        self._sums = cells.spread(counted)
        self._near: dict[int, list[list[tuple[str, int]]]] = {}

    def get(self, name: str, role: FileRole | None) -> Tally:
        """Give the tally of a place."""
        return Tally(*taken_apart(self._sums.get(self._key(name, role), 0)))

    def sites(self, name: str, role: FileRole | None) -> int:
        """Give only the sites of a place."""
        return taken_apart(self._sums.get(self._key(name, role), 0))[0]

    def roles(self) -> list[FileRole]:
        """List the roles that have sites."""
        top = self._cells.numbers[""] * EACH_ROLE
        found = [role for role, number in ROLE_NUMBERS.items() if role is not None and top + number in self._sums]
        return sorted(found, key=lambda role: role.value)

    def below(self, name: str, role: FileRole | None) -> list[str]:
        """List the folders right below one that have sites."""
        cells, number = self._cells, ROLE_NUMBERS[role]
        return [
            cells.names[part] for part in cells.below[cells.numbers[name]] if part * EACH_ROLE + number in self._sums
        ]

    def near(self, name: str, role: FileRole | None, least: int) -> list[list[tuple[str, int]]]:
        """List the folders right below one, each with those below it, that have so many sites; found out once."""
        key = self._key(name, role)
        if key not in self._near:
            self._near[key] = [
                [
                    (folder, sites)
                    for folder in (part, *self.below(part, role))
                    if (sites := self.sites(folder, role)) >= least
                ]
                for part in self.below(name, role)
            ]
        return self._near[key]

    def kinds(self, role: FileRole | None) -> list[str]:
        """List the kinds of files that have sites."""
        cells, number = self._cells, ROLE_NUMBERS[role]
        if len(self._sums) < len(cells.kinds):
            places = [key // EACH_ROLE for key in self._sums if key % EACH_ROLE == number]
            return sorted(cells.names[place] for place in places if place in cells.kinds)
        return sorted(cells.names[kind] for kind in cells.kinds if kind * EACH_ROLE + number in self._sums)

    def _key(self, name: str, role: FileRole | None) -> int:
        return self._cells.numbers.get(name, -1) * EACH_ROLE + ROLE_NUMBERS[role]


@dataclass(slots=True)
class Where:
    """A place in which a form holds, and how well."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    roles: tuple[FileRole, ...] = ()
    conforming: Tally = field(default_factory=Tally)
    applicable: Tally = field(default_factory=Tally)

    def scope(self, tongue: str | None) -> Scope:
        """Spell the place as a rule's scope."""
        include = self.include
        if tongue is not None and tongue.startswith("."):
            # Files without a grammar are told by their suffix.
            include = tuple(f"{glob}/*{tongue}" if glob.endswith("**") else glob for glob in include or ("**",))
        return Scope(languages_of(tongue), include, self.exclude, self.roles)


def find(applicable: Ground, conforming: Ground, least: Least) -> Where | None:
    """Find the widest scope in which a form holds; only some roles where the others do otherwise."""
    everywhere = _in_role(applicable, conforming, least, None)
    if everywhere is not None and not any(
        _does_otherwise(applicable, conforming, least, role) for role in applicable.roles()
    ):
        return everywhere
    found = []
    for role in conforming.roles():
        if (where := _in_role(applicable, conforming, least, role)) is not None:
            where.roles = (role,)
            found.append(where)
    if not found:
        return everywhere
    best = max(found, key=_weight)
    return _joined([where for where in found if where.include == best.include])


def _weight(where: Where) -> int:
    """Weigh a scope: what is shipped says more than what its tests and examples do."""
    return where.conforming.sites * (_OF_SOURCE if where.roles == (FileRole.SOURCE,) else 1)


def _does_otherwise(applicable: Ground, conforming: Ground, least: Least, role: FileRole) -> bool:
    have, of = conforming.sites("", role), applicable.sites("", role)
    if of >= _LEAST_BREAKING and have < _BREAKING * of:
        return True
    broken = applicable.sites("", None) - conforming.sites("", None)
    return of >= least.sites and have < _LOOSE * of and 2 * (of - have) > broken


def _in_role(applicable: Ground, conforming: Ground, least: Least, role: FileRole | None) -> Where | None:
    best = _folders(applicable, conforming, least, role)
    total = conforming.get("", role).sites
    if best is not None and best.conforming.sites >= _MOST_OF_IT * total:
        return best
    for kind in conforming.kinds(role):
        have, of = conforming.get(kind, role), applicable.get(kind, role)
        if have.sites > (_WIDER * best.conforming.sites if best else 0) and holds(have, of, least):
            best = Where((kind,), (), (), have, of)
    return best


def _folders(applicable: Ground, conforming: Ground, least: Least, role: FileRole | None) -> Where | None:
    found: list[Where] = []
    waiting = [""]
    while waiting:
        name = waiting.pop()
        have, of = conforming.get(name, role), applicable.get(name, role)
        if have.files < least.files:
            continue
        breaking = _breaking(applicable, conforming, role, name)
        kept = have.without(conforming.get(part, role) for part in breaking)
        left = of.without(applicable.get(part, role) for part in breaking)
        if holds(kept, left, least) and (left.sites >= _LEAST_KEPT * of.sites or not breaking):
            inner = _tightest(applicable, conforming, least, role, name)
            if inner != name:
                waiting.append(inner)
                continue
            exclude = tuple(f"{part}**" for part in breaking)
            found.append(Where((f"{name}**",) if name else (), exclude, (), kept, left))
        else:
            waiting += conforming.below(name, role)
    found.sort(key=lambda where: (-where.conforming.sites, where.include))
    return _joined(found[:MOST_INCLUDES]) if found else None


def _tightest(applicable: Ground, conforming: Ground, least: Least, role: FileRole | None, name: str) -> str:
    """Step down while one folder has nearly all that conforms; stay where that leaves hardly less that does not."""
    best, all_of_it = name, conforming.get(name, role).sites
    broken = applicable.get(name, role).sites - all_of_it
    while True:
        below = conforming.below(name, role)
        inner = [part for part in below if conforming.get(part, role).sites >= _NEARLY_ALL * all_of_it]
        if not inner:
            break
        name = inner[0]
        have, of = conforming.get(name, role), applicable.get(name, role)
        if 2 * (of.sites - have.sites) < broken and holds(have, of, least):
            best, broken = name, of.sites - have.sites
    return best


def _breaking(applicable: Ground, conforming: Ground, role: FileRole | None, name: str) -> list[str]:
    """List the folders below, at most two steps down, that do otherwise."""
    found: list[str] = []
    for family in applicable.near(name, role, _LEAST_BREAKING):
        for folder, sites in family:
            if conforming.sites(folder, role) < _BREAKING * sites:
                found.append(folder)
                if folder.count("/") == name.count("/") + 1:
                    break
    found.sort(key=lambda folder: (-applicable.sites(folder, role), folder))
    return sorted(found[:MOST_EXCLUDES])


def _joined(places: list[Where]) -> Where:
    joined = Where(
        tuple(sorted({glob for where in places for glob in where.include})),
        tuple(sorted({glob for where in places for glob in where.exclude})),
        tuple(sorted({role for where in places for role in where.roles}, key=lambda role: role.value)),
    )
    for where in places:
        joined.conforming.add(where.conforming)
        joined.applicable.add(where.applicable)
    return joined


def _share(have: Tally, of: Tally) -> float:
    return have.sites / of.sites if of.sites else 0.0


def holds(have: Tally, of: Tally, least: Least) -> bool:
    """Tell whether so many of so many sites make a convention, be it one that rises only now."""
    if of.sites < least.sites or have.files < least.files:
        return False
    share = have.sites / of.sites
    if share >= least.share and wilson_low(have.sites, of.sites) >= least.careful:
        return True
    if of.new < _NEW_SITES or have.new < _NEW_SHARE * of.new:
        return False
    new_share = have.new / of.new
    if share >= _YOUNG_SHARE and new_share >= _YOUNG_NEW_SHARE:
        return True
    old = of.sites - of.new
    return share >= _RISING_LEAST and old > 0 and new_share - (have.sites - have.new) / old >= _RISE
