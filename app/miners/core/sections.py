"""Sections: the parts of a repository whose files vote together, so that a file that changed makes few others vote."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from zlib import crc32

from app.domain.listing import Listing
from app.domain.recognition import FileRole
from app.miners.core.family import File

Cell = tuple[str, bool, str]
"""What votes are counted by within a section: the name of the file's role, whether it is new, its ending."""

_FILES_OF_A_SECTION = 64
_RECURRING_NAME = 4


@dataclass(slots=True)
class Section:
    """A folder, or a part of one with very many files."""

    folder: str
    files: int = 0
    cells: dict[Cell, int] = field(default_factory=dict)
    """The cells of its files, numbered in their order."""


class Sections:
    """All sections by name; a folder is dealt anew only when it doubles."""

    def __init__(self, files: Collection[File], listing: Listing) -> None:
        self._endings = Endings(listing)
        self._parts: dict[str, int] = {}
        for folder, count in Counter(file.folder for file in files).items():
            parts = 1
            while parts * _FILES_OF_A_SECTION < count:
                parts *= 2
            self._parts[folder] = parts
        self.by_name: dict[str, Section] = {}
        for file in files:
            name = self.name_of(file)
            section = self.by_name.get(name)
            if section is None:
                section = self.by_name[name] = Section(file.folder)
            section.files += 1
            section.cells[self.cell_of(file)] = 0
        for section in self.by_name.values():
            section.cells = {cell: number for number, cell in enumerate(sorted(section.cells))}

    def name_of(self, file: File) -> str:
        """Name the section of a file."""
        folder = file.folder
        parts = self._parts[folder]
        return folder if parts == 1 else f"{folder}\0{crc32(file.name.encode(errors='replace')) % parts}"

    def cell_of(self, file: File) -> Cell:
        """Give the cell of a file."""
        return file.role.name, file.new, self._endings.of(file)


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
