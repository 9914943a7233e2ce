"""A repository on this disk: its references are read as plain files, its objects by a git that never sees its settings.

Git run *inside* a stranger's repository obeys that repository's configuration, and some of it names programs. So none
is: this module finds out what a branch is at and where the objects lie, and a git that works in our own cache takes
them from there as from an alternate object store, which has no configuration.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.domain.source import DETACHED, SourceFailed, SourceProblem, check_branch
from app.gateways.git.cache import is_object_id

_LINKS = 5
_SMALL = 4096
_LARGEST_LIST = 64 << 20
_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class LocalOffer:
    """What a branch of a local repository is at, and where its objects lie."""

    branch: str
    commit: str
    objects: Path
    shallow: frozenset[str]


def look(path: Path, branch: str | None) -> LocalOffer:
    """Find a branch of a local repository, the one of its HEAD unless another is named."""
    head, common = _places(path)
    if (common / "reftable").is_dir():
        raise SourceFailed(SourceProblem.UNSUPPORTED, "The repository keeps its references as a reftable.")
    objects = common / "objects"
    if not objects.is_dir() or not (common / "refs").is_dir():
        raise _no_repository()
    found, commit = _named(head, common) if branch is None else (branch, _resolve(common, _HEADS + branch))
    if commit is None:
        if next(_branches(common), None) is None:
            raise SourceFailed(SourceProblem.EMPTY, "The repository has no commits.")
        if branch is None:
            raise SourceFailed(SourceProblem.NO_DEFAULT_BRANCH, "The repository's HEAD leads nowhere; name a branch.")
        raise SourceFailed(SourceProblem.BRANCH_GONE, f"The repository has no branch {branch}.")
    shallow = frozenset(filter(is_object_id, (_read(common / "shallow", _LARGEST_LIST) or "").split()))
    return LocalOffer(found, commit, objects, shallow)


def alternates(objects: Path) -> str:
    """Spell a folder of objects for GIT_ALTERNATE_OBJECT_DIRECTORIES, where a colon would begin another."""
    escaped = str(objects).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _places(path: Path) -> tuple[Path, Path]:
    """Find the folder of HEAD and the one of objects and branches: a work tree may share the latter with others."""
    folder = path
    dot_git = path / ".git"
    if dot_git.is_dir():
        folder = dot_git
    elif (text := _read(dot_git)) is not None:
        if not text.startswith("gitdir: ") or "\0" in text:
            raise _no_repository()
        folder = path / text.removeprefix("gitdir: ").rstrip("\n")
    if not (folder / "HEAD").exists():
        raise _no_repository()
    common = _read(folder / "commondir")
    if common is not None and "\0" in common:
        raise _no_repository()
    return folder, folder if common is None else folder / common.rstrip("\n")


def _named(head: Path, common: Path) -> tuple[str, str | None]:
    """Follow HEAD to a branch, or to a commit where it is detached."""
    text = (_read(head / "HEAD") or "").strip()
    if is_object_id(text):
        return DETACHED, text
    name = text.removeprefix("ref:").strip()
    if not text.startswith("ref:") or not name.startswith(_HEADS):
        return DETACHED, None
    return check_branch(name.removeprefix(_HEADS)), _resolve(common, name)


def _resolve(common: Path, name: str) -> str | None:
    """Find the object that a reference names, through references that name others."""
    for _ in range(_LINKS):
        check_branch(name.removeprefix(_HEADS))
        text = _read(common / name)
        if text is None:
            return _packed(common, name)
        text = text.strip()
        if is_object_id(text):
            return text
        name = text.removeprefix("ref:").strip()
        if not text.startswith("ref:") or not name.startswith("refs/"):
            return None
    return None


def _packed(common: Path, name: str) -> str | None:
    return next((commit for commit, each in _packed_references(common) if each == name), None)


def _packed_references(common: Path) -> Iterator[tuple[str, str]]:
    for line in (_read(common / "packed-refs", _LARGEST_LIST) or "").splitlines():
        commit, _, name = line.partition(" ")
        if is_object_id(commit):
            yield commit, name


def _branches(common: Path) -> Iterator[str]:
    yield from (name for _, name in _packed_references(common) if name.startswith(_HEADS))
    for _, _, names in os.walk(common / "refs" / "heads"):
        yield from names


def _read(path: Path, most: int = _SMALL) -> str | None:
    """Read a small regular file; a pipe or a device in its place is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise SourceFailed(SourceProblem.NOT_FOUND, "The repository cannot be read.", detail=str(error)) from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(most).decode(errors="surrogateescape")


def _no_repository() -> SourceFailed:
    return SourceFailed(SourceProblem.NOT_FOUND, "There is no git repository at this path.")
