"""What a commit's tree holds, and which of its paths may be shown to people."""

from dataclasses import dataclass
from enum import Enum, StrEnum

LONGEST_PATH = 2048


class EntryKind(StrEnum):
    """What a path of a tree is."""

    FILE = "file"
    EXECUTABLE = "executable"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True)
class Entry:
    """A path of a tree; the size is unknown where the object is missing, or belongs to another repository."""

    path: bytes
    kind: EntryKind
    object_id: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Blob:
    """The content of a file, or why there is none: it is larger than was asked for, or missing (no size)."""

    object_id: str
    size: int | None
    content: bytes | None


class PathFault(Enum):
    """Why a path is counted, and never quoted."""

    NOT_UTF8 = "not UTF-8"
    CONTROL = "control characters"
    TOO_LONG = "too long"
    OUTSIDE = "leads outside"


def read_path(path: bytes) -> str | PathFault:
    """Give a path as text if it may stand in evidence, else the reason why it may not."""
    if len(path) > LONGEST_PATH:
        return PathFault.TOO_LONG
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return PathFault.NOT_UTF8
    # Newlines, escapes, and the marks that turn the direction of writing could make a path look like another.
    if not text.isprintable() and any(_controls(letter) for letter in text):
        return PathFault.CONTROL
    # Git itself makes no such tree, but a tree can be made without git.
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in text.split("/")):
        return PathFault.OUTSIDE
    return text


def _controls(letter: str) -> bool:
    return letter < " " or "\x7f" <= letter < "\xa0" or letter in _TURNING


_TURNING = frozenset("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
