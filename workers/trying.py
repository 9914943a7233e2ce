"""Trying again: which faults may pass by themselves, and how long to wait before the next try."""

import errno
import random
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from app.domain.errors import Unavailable
from app.domain.source import SourceFailed, SourceProblem
from app.gateways.redis import PASSING

# Faults that may pass are given so many tries, from 1 s to 30 s apart.
TRIES = 3
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
# A host that says when it answers again is waited for so long, which keeps a place of the worker; a later moment is
# left to a later run.
LONGEST_WAIT = 300.0


@contextmanager
def full_disk_told() -> Iterator[None]:
    """Say of a full disk, ours or PostgreSQL's, that it is one."""
    try:
        yield
    except (OSError, DBAPIError) as error:
        match error:
            case OSError(errno=errno.ENOSPC | errno.EDQUOT) | DBAPIError(orig=object(sqlstate="53100")):
                sentence = "The disk of this installation is full."
                raise SourceFailed(SourceProblem.DISK_FULL, sentence, detail=str(error)) from error
        raise


def may_pass(error: BaseException) -> bool:
    """Tell whether trying again may help: something was away, and comes back."""
    if isinstance(error, SourceFailed):
        return error.passing
    if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
        # A disk that is full or forbids something does so the next time too.
        return False
    return isinstance(error, (Unavailable, *PASSING))


def pause_after(error: BaseException, attempt: int) -> float | None:
    """Give the seconds to wait after a failed try; None where it was the last, or would fail again."""
    if attempt >= TRIES or not may_pass(error):
        return None
    named = error.retry_after if isinstance(error, SourceFailed) else None
    if named is not None:
        return named if named <= LONGEST_WAIT else None
    pause: float = min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE)
    # Those whom one fault struck together do not come back together.
    return pause * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
