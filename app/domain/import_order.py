"""The order of the imports that a file begins with: which of them stands where it should not."""

from collections.abc import Sequence

MOST_UNSORTED = 3
"""So many imports below each other can be out of order by more than chance."""


def misplaced(head: Sequence[tuple[int, bool]], *, apart: bool) -> int | None:
    """Give the place of the first import that is out of order; each has its rank, and whether a blank line is before.

    Where groups are to be apart, a blank line stands between any two ranks.
    """
    last = None
    for place, (rank, blank) in enumerate(head):
        if last is not None and (rank < last or (apart and rank > last and not blank)):
            return place
        last = rank
    return None
