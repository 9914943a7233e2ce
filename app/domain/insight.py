"""Insight: one sentence about a pattern and what to do, from a table of rules of which the first that fits speaks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.confidence import AgeCategory, ConfidenceTier, Consistency, Trend


@dataclass(frozen=True, slots=True)
class Seen:
    """What an insight looks at."""

    tier: ConfidenceTier
    consistency: Consistency
    age: AgeCategory
    trend: Trend
    instances: int
    applicable: int | None
    authors: int | None
    team: int
    signals: int = 0

    @property
    def breaking(self) -> int:
        """How many sites do otherwise."""
        return (self.applicable or self.instances) - self.instances


@dataclass(frozen=True, slots=True)
class Insight:
    """One sentence, and suggestions."""

    text: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    fits: Callable[[Seen], bool]
    text: str
    actions: tuple[str, ...]


def _one_author(seen: Seen) -> bool:
    return seen.authors == 1 and seen.team > 1


_TABLE: Sequence[_Row] = (
    _Row(
        lambda seen: seen.tier is ConfidenceTier.LEGACY,
        "Old code follows it, but none of the code of the last year does.",
        ("Reject it, or write down what replaced it.", "Plan what becomes of the places that still follow it."),
    ),
    _Row(
        lambda seen: seen.trend in (Trend.ERODING, Trend.DEAD),
        "New code follows it less than old code does.",
        ("Ask the team whether it still holds before you promote it.", "Look at the newest counter-examples first."),
    ),
    _Row(
        lambda seen: seen.trend is Trend.RISING,
        "New code follows it far more than old code: the team is moving there.",
        ("Promote it for new code.", "Let the backtest show how often old places would be reported."),
    ),
    _Row(
        lambda seen: seen.tier is ConfidenceTier.STRONG and _one_author(seen),
        "It is followed everywhere, but by one person's code only.",
        ("Check that it is the team's convention and not one person's habit.",),
    ),
    _Row(
        lambda seen: seen.tier is ConfidenceTier.STRONG and seen.signals > 0,
        "It is followed everywhere, and some of what follows it carries a warning.",
        ("Read the health signals before you promote it.", "Choose a canonical example without a warning."),
    ),
    _Row(
        lambda seen: seen.tier is ConfidenceTier.STRONG and seen.breaking == 0,
        "Every place follows it: it is safe to enforce.",
        ("Promote it.", "Choose ERROR as its severity if a violation should fail a check."),
    ),
    _Row(
        lambda seen: seen.tier is ConfidenceTier.STRONG and seen.breaking <= 5,
        "Nearly every place follows it, and the few others can be listed: it is safe to enforce.",
        ("Promote it.", "Mend the counter-examples, or exclude them from its scope."),
    ),
    _Row(
        lambda seen: seen.tier is ConfidenceTier.STRONG,
        "It is established and followed by several people.",
        (
            "Promote it as a warning first.",
            "Look whether the counter-examples share a folder that its scope should leave out.",
        ),
    ),
    _Row(
        lambda seen: seen.tier is ConfidenceTier.EMERGING,
        "It is new: all of its instances are of the last three months.",
        ("Ask who introduced it whether it is meant to stay.", "Defer it if it is too early to tell."),
    ),
    _Row(
        lambda seen: seen.tier is ConfidenceTier.WEAK and seen.consistency is Consistency.LOW,
        "The code does it in several ways.",
        ("Decide which way should hold, and write down why.", "Reject it if the variety is wanted."),
    ),
    _Row(
        lambda seen: seen.tier is ConfidenceTier.WEAK,
        "There is too little evidence to call it a convention.",
        ("Reject it, or add evidence that you know of.",),
    ),
    _Row(
        _one_author,
        "Only one person's code follows it so far.",
        ("Check that it is the team's convention and not one person's habit.",),
    ),
    _Row(
        lambda seen: seen.age is AgeCategory.UNKNOWN,
        "The code follows it; history cannot tell since when.",
        ("Look at the counter-examples, then decide.",),
    ),
    _Row(
        lambda _: True,
        "Most places follow it.",
        ("Look at the counter-examples, then decide.",),
    ),
)


def insight_of(seen: Seen) -> Insight:
    """Give the first sentence of the table that fits."""
    row = next(row for row in _TABLE if row.fits(seen))
    return Insight(row.text, row.actions)
