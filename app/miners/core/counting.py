"""Counting votes: by question, answer and cell; a cell is a folder, a role, an ending and whether files are new."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from zlib import crc32

from app.domain.listing import Listing
from app.domain.recognition import FileRole
from app.miners.core.family import Family, File
from app.miners.core.sheets import FILE, digest_of

Topic = tuple[str, str | None, str]
"""Family, tongue, question."""

Sheets = tuple[str, dict[str, Any]]
"""A folder with what was voted in it."""

_NEW_SITE = 1 << 80
_SITES, _FILES = FILE - 1, (_NEW_SITE // FILE) - 1
_ROLES = tuple(FileRole)
ROLE_NUMBERS = {None: 0} | {role: number for number, role in enumerate(_ROLES, 1)}
"""Roles as they stand in keys of places; 0 is all of them together."""
EACH_ROLE = len(ROLE_NUMBERS)
_LEAST_BUCKETS, _MOST_BUCKETS = 1 << 16, 1 << 22
_BUCKETS_OF_A_FILE = 1 << 10
_RECURRING_NAME = 4
_MARKS = 1 << 120


class Cells:
    """The kinds of places in which votes are counted, each under a small number.

    A cell counts for its folder and for all above, for the kinds of files that it is of, and for its role: what these
    are is found out once for each cell, not for each of the thousands of forms that are counted in it.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, FileRole, bool, str], int] = {}
        self._cells: list[tuple[tuple[int, ...], bool]] = []
        self.marks: list[int] = []
        """A large number for each cell, the same in every run."""
        self.numbers: dict[str, int] = {}
        """Folders with their slash, and globs of kinds of files, by what they are called."""
        self.names: list[str] = []
        self.below: list[list[int]] = []
        """The folders right below each folder."""
        self.kinds: set[int] = set()
        self._folder("")

    def of(self, folder: str, role: FileRole, new: bool, ending: str) -> int:
        """Number a cell."""
        place = (folder, role, new, ending)
        number = self._numbers.get(place)
        if number is None:
            number = self._numbers[place] = len(self._cells)
            self._cells.append((tuple(self._keys(folder, role, ending)), new))
            self.marks.append(int(digest_of((folder, role.name, str(new), ending)), 16))
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
                self.kinds.add(self._number(kind))
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


class Endings:
    """What may stand for many files: a name that recurs, or the last two parts of one like `a.service.ts`."""

    def __init__(self, listing: Listing) -> None:
        names = Counter(path.rpartition("/")[2] for path in listing.paths)
        self._recurring = {name for name, count in names.items() if count >= _RECURRING_NAME}

    def of(self, file: File) -> str:
        """Give what a file ends with, in this sense; empty where nothing of it stands for others."""
        name = file.name
        # Tests make copies of what they need; that these are alike is no convention.
        if name in self._recurring and file.role not in (FileRole.TEST, FileRole.EXAMPLE):
            return name
        parts = name.rsplit(".", 2)
        return f"*.{parts[1]}.{parts[2]}" if len(parts) == 3 and parts[0] and parts[1].isalpha() else ""


class Counts:
    """Sites and files by cell, for each question and each of its answers."""

    def __init__(self, files: int) -> None:
        self.cells = Cells()
        # As a power of two, so that a file more is not another way of counting.
        room = 1 << (_BUCKETS_OF_A_FILE * files).bit_length()
        self._buckets = max(_LEAST_BUCKETS, min(room, _MOST_BUCKETS))
        self.topics: dict[Topic, dict[int, int]] = defaultdict(dict)
        self.forms: dict[Topic, dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
        self._recurring: dict[str, bytearray] = {}

    def survey(self, families: Mapping[str, Family], sheets: Iterable[Sheets]) -> None:
        """Look at sheets before votes are counted: which endless forms recur at all."""
        for name in families:
            self._recurring[name] = bytearray(self._buckets)
        for _, sheet in sheets if families else ():
            for name in families.keys() & sheet["votes"].keys():
                seen = self._recurring[name]
                for tongue, topic, _, forms in sheet["votes"][name]:
                    bucket_of = self._buckets_of(tongue, topic)
                    for form, counted in forms.items():
                        bucket = bucket_of(form)
                        seen[bucket] = min(255, seen[bucket] + sum(counted[1::2]) // FILE)

    def add(self, families: Mapping[str, Family], sheets: Iterable[Sheets]) -> None:
        """Count the votes of sheets."""
        for folder, sheet in sheets:
            cells = [self.cells.of(folder, FileRole[role], new, ending) for role, new, ending in sheet["cells"]]
            for name, topics in sheet["votes"].items():
                if name not in families:
                    continue
                seen, least = self._recurring.get(name), families[name].least.files
                for tongue, topic, asked, forms in topics:
                    key = (name, tongue, topic)
                    _spread(self.topics[key], asked, cells)
                    if not forms:
                        continue
                    found, bucket_of = self.forms[key], self._buckets_of(tongue, topic)
                    for form, answered in forms.items():
                        if seen is None or seen[bucket_of(form)] >= least:
                            _spread(found[form], answered, cells)

    def mark(self, counted: Mapping[int, int]) -> str:
        """Name what was counted in which cells, in whatever order."""
        marks = self.cells.marks
        return f"{sum((2 * packed + 1) * marks[cell] for cell, packed in counted.items()) % _MARKS:x}"

    def _buckets_of(self, tongue: str | None, topic: str) -> Callable[[str], int]:
        begun, buckets = crc32(f"{tongue}\0{topic}\0".encode(errors="replace")), self._buckets
        return lambda form: crc32(form.encode(errors="replace"), begun) % buckets


def _spread(counted: dict[int, int], flat: list[int], cells: list[int]) -> None:
    if len(flat) == 2:
        counted[cells[flat[0]]] = flat[1]
    else:
        counted.update(zip([cells[cell] for cell in flat[::2]], flat[1::2], strict=True))


def taken_apart(packed: int) -> tuple[int, int, int]:
    """Give the sites, the files and the sites of new files of a count."""
    return packed & _SITES, packed // FILE & _FILES, packed // _NEW_SITE


def sites_of(counted: Mapping[int, int]) -> int:
    """Add up the sites of all cells."""
    return sum(packed & _SITES for packed in counted.values())


def _kinds(folder: str, ending: str) -> Iterator[str]:
    if ending:
        yield f"**/{ending}"
    # The topmost folder is found as a folder.
    for name in set(folder.split("/")[1:]):
        yield f"**/{name}/**"
