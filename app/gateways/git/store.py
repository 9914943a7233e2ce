"""Reading blobs from inside a child process, where nothing else waits: plain pipes, without a loop."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from app.domain.source import SourceFailed, SourceProblem
from app.gateways.git.cache import is_object_id
from app.gateways.git.process import surroundings
from app.gateways.git.reading import LARGEST_BLOB

# Names of a batch, and answers about them, fit into a pipe: so neither side ever waits for the other.
_BATCH = 256
_PIECE = 1 << 20


class Store:
    """The blobs of a bare cache for the time of a block; whoever is killed meanwhile leaves no git behind.

    The git that is asked has the limits of the process that asks, hangs on its pipe, and ends with it.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._git: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def contents(self, object_ids: Sequence[str], *, largest: int = LARGEST_BLOB) -> Iterator[bytes | None]:
        """Read blobs in the order asked for; None for what is missing, no blob, or larger than `largest`."""
        if not all(map(is_object_id, object_ids)):
            raise ValueError("this is no object id")
        asked = iter(object_ids)
        try:
            while batch := list(islice(asked, _BATCH)):
                asking, answers = self._pipes()
                asking.write("".join(f"{each}\n" for each in batch).encode())
                asking.flush()
                for _ in batch:
                    yield _content(answers, largest)
        except BaseException:
            # Answers that nobody took would be taken for those to the next questions.
            self._close()
            raise

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._git is None:
            # The PATH is the operator's word, and nothing here is a repository's.
            self._git = subprocess.Popen(  # noqa: S603
                ["git", f"--git-dir={self._cache}", "cat-file", "--batch"],  # noqa: S607
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=surroundings({}, {}),
            )
        assert self._git.stdin is not None
        assert self._git.stdout is not None
        return self._git.stdin, self._git.stdout

    def _close(self) -> None:
        if self._git is not None:
            git, self._git = self._git, None
            git.kill()
            assert git.stdin is not None
            # What was not written for lack of a reader need not be.
            with suppress(BrokenPipeError), git:
                git.stdin.close()
            git.wait()


def _content(answers: IO[bytes], largest: int) -> bytes | None:
    """Read one answer: `<name> <kind> <size>`, the content and a line end, or `<name> missing`."""
    line = answers.readline()
    if not line.endswith(b"\n"):
        raise _ended()
    parts = line.split()
    if len(parts) != 3:
        return None
    size, wanted = int(parts[2]), parts[1] == b"blob"
    if not wanted or size > largest:
        rest = size + 1
        while rest:
            piece = answers.read(min(rest, _PIECE))
            if not piece:
                raise _ended()
            rest -= len(piece)
        return None
    content = answers.read(size + 1)
    if len(content) <= size:
        raise _ended()
    return content[:-1]


def _ended() -> SourceFailed:
    return SourceFailed(SourceProblem.BROKEN, "Git stopped in the middle of an object.")
