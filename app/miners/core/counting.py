"""Counting votes: by question, answer and cell; a cell is a folder, a role, an ending and whether files are new."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from zlib import crc32

from app.domain.listing import Listing
from app.domain.recognition import FileRole
from app.miners.core.family import Facts, Family, File, World

Topic = tuple[str, str | None, str]
"""Family, tongue, question."""

_FILE = 1 << 40
_NEW_SITE = 1 << 80
_SITES, _FILES = _FILE - 1, (_NEW_SITE // _FILE) - 1
_ROLES = tuple(FileRole)
ROLE_NUMBERS = {None: 0} | {role: number for number, role in enumerate(_ROLES, 1)}
"""Roles as they stand in keys of places; 0 is all of them together."""
EACH_ROLE = len(ROLE_NUMBERS)
_LEAST_BUCKETS, _MOST_BUCKETS = 1 << 16, 1 << 22
_BUCKETS_OF_A_FILE = 1 << 10
_RECURRING_NAME = 4


class Cells:
    """The kinds of places in which votes are counted, each under a small number.

    A cell counts for its folder and for all above, for the kinds of files that it is of, and for its role: what these
    are is found out once for each cell, not for each of the thousands of forms that are counted in it.
    """

    def __init__(self, listing: Listing) -> None:
        self._numbers: dict[tuple[str, FileRole, bool, str], int] = {}
        self._asked: tuple[File | None, int] = (None, 0)
        self._cells: list[tuple[tuple[int, ...], bool]] = []
        self.numbers: dict[str, int] = {}
        """Folders with their slash, and globs of kinds of files, by what they are called."""
        self.names: list[str] = []
        self.below: list[list[int]] = []
        """The folders right below each folder."""
        self.kinds: list[int] = []
        names = Counter(path.rpartition("/")[2] for path in listing.paths)
        self._recurring = {name for name, count in names.items() if count >= _RECURRING_NAME}
        self.files = len(listing.paths)
        self._folder("")

    def of(self, file: File) -> int:
        """Number the cell of a file; all families ask for the same one in a row."""
        if file is self._asked[0]:
            return self._asked[1]
        place = (file.folder, file.role, file.new, self._ending(file))
        number = self._numbers.get(place)
        if number is None:
            number = self._numbers[place] = len(self._cells)
            self._cells.append((tuple(self._keys(file.folder, file.role, place[3])), file.new))
        self._asked = file, number
        return number

    def spread(self, counted: Mapping[int, int]) -> dict[int, int]:
        """Add up what was counted in cells by the key of each place, which is its number and that of a role."""
        found: dict[int, int] = {}
        for cell, packed in counted.items():
            keys, new = self._cells[cell]
            if new:
                packed += (packed & _SITES) * _NEW_SITE
            for key in keys:
                found[key] = found.get(key, 0) + packed
        return found

    def _keys(self, folder: str, role: FileRole, ending: str) -> Iterator[int]:
        places = {self._folder(f"{folder}/" if folder else "")}
        above = folder
        while above:
            above = above.rpartition("/")[0]
            places.add(self._folder(f"{above}/" if above else ""))
        for kind in _kinds(folder, ending):
            if kind not in self.numbers:
                self.kinds.append(self._number(kind))
            places.add(self.numbers[kind])
        for place in places:
            yield place * EACH_ROLE
            yield place * EACH_ROLE + ROLE_NUMBERS[role]

    def _folder(self, name: str) -> int:
        if name not in self.numbers:
            number = self._number(name)
            if name:
                above = name[:-1].rpartition("/")[0]
                self.below[self._folder(f"{above}/" if above else "")].append(number)
        return self.numbers[name]

    def _number(self, name: str) -> int:
        number = self.numbers[name] = len(self.names)
        self.names.append(name)
        self.below.append([])
        return number

    def _ending(self, file: File) -> str:
        """Give what may stand for many files: a name that recurs, or the last two parts of one like `a.service.ts`."""
        name = file.name
        # Tests make copies of what they need; that these are alike is no convention.
        if name in self._recurring and file.role not in (FileRole.TEST, FileRole.EXAMPLE):
            return name
        parts = name.rsplit(".", 2)
        return f"*.{parts[1]}.{parts[2]}" if len(parts) == 3 and parts[0] and parts[1].isalpha() else ""


class Counts:
    """Sites and files by cell, for each question and each of its answers."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        # As a power of two, so that a file more is not another way of counting.
        room = 1 << (_BUCKETS_OF_A_FILE * cells.files).bit_length()
        self._buckets = max(_LEAST_BUCKETS, min(room, _MOST_BUCKETS))
        self.topics: dict[Topic, dict[int, int]] = defaultdict(dict)
        self.forms: dict[Topic, dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
        self._recurring: dict[str, bytearray] = {}

    def survey(self, family: Family, file: File, facts: Facts, world: World) -> None:
        """Look at a file before votes are counted: which endless forms recur at all."""
        if not (family.open and _speaks(family, file)):
            return
        seen = self._recurring.get(family.name)
        if seen is None:
            seen = self._recurring[family.name] = bytearray(self._buckets)
        tongue = family.tongue_of(file)
        buckets = {
            self._bucket(tongue, vote.topic, form)
            for vote in family.votes(file, facts.get(family.name), world)
            for form in vote.forms
        }
        for bucket in buckets:
            if seen[bucket] < 255:
                seen[bucket] += 1

    def add(self, family: Family, file: File, facts: Facts, world: World) -> None:
        """Count the votes of a file."""
        if not _speaks(family, file):
            return
        tongue, cell = family.tongue_of(file), self.cells.of(file)
        seen, least = self._recurring.get(family.name), family.least.files
        asked: dict[Topic, int] = {}
        answered: dict[tuple[Topic, str], int] = {}
        for vote in family.votes(file, facts.get(family.name), world):
            topic = (family.name, tongue, vote.topic)
            asked[topic] = asked.get(topic, 0) + vote.times
            for form in vote.forms:
                if seen is None or seen[self._bucket(tongue, vote.topic, form)] >= least:
                    answered[topic, form] = answered.get((topic, form), 0) + vote.times
        for topic, times in asked.items():
            counted = self.topics[topic]
            counted[cell] = counted.get(cell, 0) + _FILE + times
        for (topic, form), times in answered.items():
            counted = self.forms[topic][form]
            counted[cell] = counted.get(cell, 0) + _FILE + times

    def _bucket(self, tongue: str | None, topic: str, form: str) -> int:
        return crc32(f"{tongue}\0{topic}\0{form}".encode(errors="replace")) % self._buckets


def taken_apart(packed: int) -> tuple[int, int, int]:
    """Give the sites, the files and the sites of new files of a count."""
    return packed & _SITES, packed // _FILE & _FILES, packed // _NEW_SITE


def sites_of(counted: Mapping[int, int]) -> int:
    """Add up the sites of all cells."""
    return sum(packed & _SITES for packed in counted.values())


def _kinds(folder: str, ending: str) -> Iterator[str]:
    if ending:
        yield f"**/{ending}"
    # The topmost folder is found as a folder.
    for name in set(folder.split("/")[1:]):
        yield f"**/{name}/**"


def _speaks(family: Family, file: File) -> bool:
    return file.role in family.roles and (family.languages is None or file.language in family.languages)
