"""Counting votes: by question, answer and cell; a cell is a folder, a role, an ending and whether files are new."""

from collections import Counter, defaultdict
from zlib import crc32

from app.domain.listing import Listing
from app.domain.recognition import FileRole
from app.miners.core.family import Facts, Family, File, World

Topic = tuple[str, str | None, str]
"""Family, tongue, question."""

_FILE = 1 << 40
_BUCKETS = 1 << 22
_RECURRING_NAME = 4


class Cells:
    """The kinds of places in which votes are counted, each under a small number."""

    def __init__(self, listing: Listing) -> None:
        self._numbers: dict[tuple[str, FileRole, bool, str], int] = {}
        self.places: list[tuple[str, FileRole, bool, str]] = []
        names = Counter(path.rpartition("/")[2] for path in listing.paths)
        self._recurring = {name for name, count in names.items() if count >= _RECURRING_NAME}

    def of(self, file: File) -> int:
        """Number the cell of a file."""
        place = (file.folder, file.role, file.new, self._ending(file))
        number = self._numbers.get(place)
        if number is None:
            number = self._numbers[place] = len(self.places)
            self.places.append(place)
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
        self.topics: dict[Topic, dict[int, int]] = defaultdict(dict)
        self.forms: dict[Topic, dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
        self._recurring: dict[str, bytearray] = {}

    def survey(self, family: Family, file: File, facts: Facts, world: World) -> None:
        """Look at a file before votes are counted: which endless forms recur at all."""
        if not (family.open and _speaks(family, file)):
            return
        seen = self._recurring.setdefault(family.name, bytearray(_BUCKETS))
        tongue = family.tongue_of(file)
        buckets = {
            _bucket(tongue, vote.topic, form)
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
        asked: Counter[Topic] = Counter()
        answered: Counter[tuple[Topic, str]] = Counter()
        for vote in family.votes(file, facts.get(family.name), world):
            topic = (family.name, tongue, vote.topic)
            asked[topic] += vote.times
            for form in vote.forms:
                if seen is None or seen[_bucket(tongue, vote.topic, form)] >= least:
                    answered[topic, form] += vote.times
        for topic, times in asked.items():
            counted = self.topics[topic]
            counted[cell] = counted.get(cell, 0) + _FILE + times
        for (topic, form), times in answered.items():
            counted = self.forms[topic][form]
            counted[cell] = counted.get(cell, 0) + _FILE + times


def sites_and_files(packed: int) -> tuple[int, int]:
    """Take a count apart."""
    return packed % _FILE, packed // _FILE


def _speaks(family: Family, file: File) -> bool:
    return file.role in family.roles and (family.languages is None or file.language in family.languages)


def _bucket(tongue: str | None, topic: str, form: str) -> int:
    return crc32(f"{tongue}\0{topic}\0{form}".encode(errors="replace")) % _BUCKETS
