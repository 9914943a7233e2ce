"""What is known of public repositories: counts made by hand over syntax trees, and what must not be said of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A convention that holds: what the sentence that tells of it looks like, and how many sites conform."""

    words: str
    conforming: int
    applicable: int


@dataclass(frozen=True, slots=True)
class Truth:
    """One repository at one commit."""

    repository: str
    commit: str
    known: tuple[Known, ...]
    traps: tuple[str, ...]
    """What no sentence may look like."""


_RETURNS = r"(?i)return (?:type|annotation|value)s?.*annotat|functions.*return type|annotated.*return"

TRUTHS = (
    Truth(
        "encode/httpx",
        "ae1b9f6",
        (
            Known(r"import each other relatively", 87, 87),
            Known(_RETURNS, 446, 446),
            Known(r"caught exceptions.*`exc`", 18, 18),
            Known(r"(?i)anyio", 114, 114),
            Known(r"`_exceptions\.py`", 28, 28),
            Known(r"(?i)tests.*are functions", 535, 537),
            Known(r"`import typing`", 17, 19),
            Known(r"`?__all__`?", 17, 23),
            Known(r"from __future__ import annotations|future annotations", 19, 23),
            Known(r"(?i)modules?.*(?:`_|underscore|private)|named `_\*", 15, 20),
        ),
        (r"raise.*from", r"(?i)(?:have|has|carry) .*docstring|documented"),
    ),
    Truth(
        "pallets/flask",
        "2ac8988",
        (
            Known(r"`import typing as t`", 21, 21),
            Known(r"import each other relatively", 167, 167),
            Known(r"raise.*from", 20, 20),
            Known(r"from __future__ import annotations|future annotations", 22, 24),
            Known(_RETURNS, 385, 388),
            Known(r"(?i)no `?print|`print", 24, 24),
            Known(r"caught exceptions.*`e`", 15, 17),
        ),
        (r"`?__all__`?", r"named `_\*"),
    ),
)
