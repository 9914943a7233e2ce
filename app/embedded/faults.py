"""What an operator of the embedded servers may have to mend, and the exit codes of the command line."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

from app.domain.errors import Fault


class Exit(IntEnum):
    """The exit codes of `tenet`, one for each kind of thing to mend; 1 is a fault of no kind."""

    USAGE = 2
    DATA_DIRECTORY = 3
    ALREADY_RUNNING = 4
    DATABASE = 5
    REDIS = 6
    PORT_IN_USE = 7
    UNREACHABLE = 8
    REFUSED = 9
    RUN_FAILED = 10
    RUN_CANCELLED = 11


WORDS_OF_A_FULL_DISK = ("No space left on device", "Disk quota exceeded", "Check free disk space")


@contextmanager
def file_faults(data_dir: Path) -> Iterator[None]:
    """Turn what the file system refuses into a Fault."""
    try:
        yield
    except OSError as error:
        raise _file_fault(error, data_dir) from error


def disk_full(data_dir: Path) -> Fault:
    """Say that nothing more can be written."""
    return Fault(
        f"The disk with the data directory {data_dir} is full.",
        remedy="Free some space, or set TENET_DATA_DIR to a folder on another disk.",
        exit_code=Exit.DATA_DIRECTORY,
    )


def server_fault(story: str, data_dir: Path, *, remedy: str, exit_code: Exit) -> Fault:
    """Say why a server does not run; a server that met a full disk tells so in its own words."""
    if any(words in story for words in WORDS_OF_A_FULL_DISK):
        return disk_full(data_dir)
    return Fault(story, remedy=remedy, exit_code=exit_code)


def _file_fault(error: OSError, data_dir: Path) -> Fault:
    where = error.filename or data_dir
    remedy = "Set TENET_DATA_DIR to a folder that this user may write."
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return disk_full(data_dir)
        case errno.EEXIST | errno.ENOTDIR:
            message = f"The data directory {data_dir} cannot be made: {where} is not a folder."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            message = f"The data directory {data_dir} cannot be used: {where} is not writable for this user."
        case _:
            message = f"The data directory {data_dir} cannot be used: {error.strerror or error} ({where})."
            remedy = "Mend this, or set TENET_DATA_DIR to another folder."
    return Fault(message, remedy=remedy, exit_code=Exit.DATA_DIRECTORY)
