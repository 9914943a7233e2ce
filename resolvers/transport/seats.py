"""How many live connections each viewer holds in this process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import RateLimited


class Seats:
    """A seat for each live connection, and only so many for each viewer."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, key: str) -> Iterator[None]:
        """Hold a seat, or refuse where this viewer has no more."""
        if self._taken[key] >= self._each:
            raise RateLimited(
                f"Too many live connections: {self._each} at once are allowed.", retry_after=5, limit=self._each
            )
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]
