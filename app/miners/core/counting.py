"""Counting votes: by question, answer and cell; a cell is a folder, a role, an ending and whether files are new."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from app.domain.recognition import FileRole
from app.miners.core.family import Family
from app.miners.core.sheets import FILE, digest_of

Topic = tuple[str, str | None, str]
"""Family, tongue, question."""

Sheets = tuple[str, dict[str, Any]]
"""A folder with what was voted in it."""

_NEW_SITE = 1 << 80
_SITES, _FILES = FILE - 1, (_NEW_SITE // FILE) - 1
_LEAST_BUCKETS, _MOST_BUCKETS = 1 << 16, 1 << 22
_BUCKETS_OF_A_FILE = 1 << 10
_MARKS = 1 << 120


@dataclass(frozen=True, slots=True)
class Cell:
    """A kind of place in which votes are counted: a folder, a role, whether files are new, and kinds of files."""

    folder: int
    role: FileRole
    new: bool
    kinds: tuple[int, ...]


class Cells:
    """The places in which votes are counted, and the folders and kinds of files that they belong to, each by a number.

    What these are is found out once for each cell, not for each of the thousands of forms that are counted in it.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, FileRole, bool, str], int] = {}
        self._cells: list[Cell] = []
        self.marks: list[int] = []
        """A large number for each cell, the same in every run."""
        self.numbers: dict[str, int] = {}
        """Folders with their slash, and globs of kinds of files, by what they are called."""
        self.names: list[str] = []
        self.below: list[list[int]] = []
        """The folders right below each folder."""
        self._upwards: list[tuple[int, ...]] = []
        self.kinds: set[int] = set()
        self._folder("")

    def of(self, folder: str, role: FileRole, new: bool, ending: str) -> int:
        """Number a cell."""
        place = (folder, role, new, ending)
        number = self._numbers.get(place)
        if number is None:
            number = self._numbers[place] = len(self._cells)
            kinds = tuple(map(self._kind, _kinds(folder, ending)))
            self._cells.append(Cell(self._folder(f"{folder}/" if folder else ""), role, new, kinds))
            self.marks.append(int(digest_of((folder, role.name, str(new), ending)), 16))
        return number

    def apart(self, counted: Mapping[int, int]) -> dict[FileRole, dict[int, int]]:
        """Add up what was counted by role, and by the number of each folder without what is below it."""
        cells = self._cells
        found: dict[FileRole, dict[int, int]] = {}
        for number, packed in counted.items():
            cell = cells[number]
            folders = found.get(cell.role)
            if folders is None:
                folders = found[cell.role] = {}
            folders[cell.folder] = folders.get(cell.folder, 0) + (_with_new(packed) if cell.new else packed)
        return found

    def upwards(self, folders: Mapping[int, int]) -> dict[int, int]:
        """Add what was counted in folders to all that they are in."""
        found: dict[int, int] = {}
        upwards = self._upwards
        for folder, packed in folders.items():
            for number in upwards[folder]:
                found[number] = found.get(number, 0) + packed
        return found

    def by_kind(self, counted: Mapping[int, int], role: FileRole | None) -> dict[int, int]:
        """Add up what was counted in files of a role, or of all, by the number of each kind of file."""
        cells = self._cells
        found: dict[int, int] = {}
        for number, packed in counted.items():
            cell = cells[number]
            if cell.kinds and (role is None or cell.role is role):
                packed = _with_new(packed) if cell.new else packed
                for kind in cell.kinds:
                    found[kind] = found.get(kind, 0) + packed
        return found

    def _kind(self, name: str) -> int:
        if name not in self.numbers:
            self.kinds.add(self._number(name, ()))
        return self.numbers[name]

    def _folder(self, name: str) -> int:
        if name not in self.numbers:
            if not name:
                return self._number(name, ())
            above = name[:-1].rpartition("/")[0]
            over = self._folder(f"{above}/" if above else "")
            self.below[over].append(self._number(name, self._upwards[over]))
        return self.numbers[name]

    def _number(self, name: str, upwards: tuple[int, ...]) -> int:
        number = self.numbers[name] = len(self.names)
        self.names.append(name)
        self.below.append([])
        self._upwards.append((number, *upwards))
        return number


class Counts:
    """Sites and files by cell, for each question and each of its answers."""

    def __init__(self, files: int) -> None:
        self.cells = Cells()
        room = 1 << (_BUCKETS_OF_A_FILE * files).bit_length()
        self._buckets = max(_LEAST_BUCKETS, min(room, _MOST_BUCKETS))
        self.topics: dict[Topic, dict[int, int]] = defaultdict(dict)
        self.forms: dict[Topic, dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
        self._recurring: dict[str, bytearray] = {}

    def survey(self, families: Mapping[str, Family], sheets: Iterable[Sheets]) -> None:
        """Look at sheets before votes are counted: which endless forms may recur at all, so that fewer are held."""
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
                    found = self.forms[key]
                    if seen is not None:
                        bucket_of = self._buckets_of(tongue, topic)
                        forms = {form: each for form, each in forms.items() if seen[bucket_of(form)] >= least}
                    for form, answered in forms.items():
                        _spread(found[form], answered, cells)
        for (name, *_), found in self.forms.items():
            if families[name].open:
                least = families[name].least.files
                for form in [form for form, counted in found.items() if files_in(sum(counted.values())) < least]:
                    del found[form]

    def mark(self, counted: Mapping[int, int]) -> str:
        """Name what was counted in which cells, in whatever order."""
        marks = self.cells.marks
        return f"{sum((2 * packed + 1) * marks[cell] for cell, packed in counted.items()) % _MARKS:x}"

    def _buckets_of(self, tongue: str | None, topic: str) -> Callable[[str], int]:
        begun, buckets = crc32(f"{tongue}\0{topic}\0".encode(errors="replace")), self._buckets
        return lambda form: crc32(form.encode(errors="replace"), begun) % buckets


def _spread(counted: dict[int, int], flat: list[int], cells: list[int]) -> None:
    # Sections of one folder share its cells; most forms are found in one cell of a section.
    if len(flat) == 2:
        cell = cells[flat[0]]
        counted[cell] = counted.get(cell, 0) + flat[1]
    else:
        for number, packed in zip(flat[::2], flat[1::2], strict=True):
            cell = cells[number]
            counted[cell] = counted.get(cell, 0) + packed


def _with_new(packed: int) -> int:
    return packed + (packed & _SITES) * _NEW_SITE


def sites_in(packed: int) -> int:
    """Give the sites of a count."""
    return packed & _SITES


def files_in(packed: int) -> int:
    """Give the files of a count."""
    return packed // FILE & _FILES


def new_in(packed: int) -> int:
    """Give the sites of new files of a count."""
    return packed // _NEW_SITE


def sites_of(counted: Mapping[int, int]) -> int:
    """Add up the sites of all cells."""
    return sum(packed & _SITES for packed in counted.values())


def _kinds(folder: str, ending: str) -> Iterator[str]:
    if ending:
        yield f"**/{ending}"
    # The topmost folder is found as a folder.
    for name in set(folder.split("/")[1:]):
        yield f"**/{name}/**"
