"""Looking at files: what each is, by its path, its content and what `.gitattributes` says of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from app.domain.attributes import Attributes
from app.domain.snapshot import FileFacts, facts_of
from app.gateways.git.store import Store

LARGEST_READ = 2 << 20

# So many bytes of attributes are read at most, all together.
_LARGEST_ATTRIBUTES = 200_000


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the files are, and the blobs of `.gitattributes` by their folders."""

    cache: str
    attributes: dict[str, str]


class Listed(NamedTuple):
    """A file as a tree lists it; the size is None where the blob is missing."""

    path: str
    blob_id: str
    size: int | None
    symlink: bool

    @property
    def readable(self) -> bool:
        """Tell whether its content is read: it is there, and not too large."""
        return self.size is not None and self.size <= LARGEST_READ


# A plain tuple comes back from a hand at a fifth of the cost of an object.
Looked = tuple[str, str, int, str | None, str, int | None, bool, bool, bool, bool, bool, bool]
"""What is known of a file: path, blob, size, language, role, tokens, and the flags as `columns` names them."""


@contextmanager
def looking(ground: Ground) -> Iterator[Callable[[Sequence[Listed]], Iterator[Looked]]]:
    """Prepare to look at files of one commit."""
    with Store(Path(ground.cache)) as store:
        attributes = _attributes(store, ground.attributes)

        def look(files: Sequence[Listed]) -> Iterator[Looked]:
            read = [file.blob_id for file in files if file.readable]
            contents = store.contents(read, largest=LARGEST_READ)
            for file in files:
                content = next(contents) if file.readable else None
                marks = attributes.of(file.path)
                yield plain(
                    facts_of(file.path, file.blob_id, file.size or 0, content, marks=marks, symlink=file.symlink)
                )

        yield look


def by_name(file: Listed) -> Looked:
    """Say what can be said of a file that nobody could look into."""
    return plain(facts_of(file.path, file.blob_id, file.size or 0, None, symlink=file.symlink))


def plain(file: FileFacts) -> Looked:
    """Spell facts as a tuple."""
    return (
        *(file.path, file.blob_id, file.size, file.language, file.role.value, file.tokens),
        *(file.binary, file.generated, file.vendored, file.symlink, file.detectable, file.quotable),
    )


def _attributes(store: Store, blobs: dict[str, str]) -> Attributes:
    contents = store.contents(list(blobs.values()), largest=_LARGEST_ATTRIBUTES)
    read = zip(blobs, contents, strict=True)
    return Attributes.read({folder: content for folder, content in read if content is not None})
