"""How sure the product is of a pattern, in the vocabularies of its four dimensions."""

from fractions import Fraction

from app.domain.words import Word


class ConfidenceTier(Word):
    """One word for how far a pattern can be trusted."""

    STRONG = "STRONG", "Many instances, several authors, long established, consistent."
    EMERGING = "EMERGING", "Few instances, all of the last three months."
    MODERATE = "MODERATE", "Neither strong nor weak."
    WEAK = "WEAK", "Two or fewer instances, low consistency, or one author's habit."
    LEGACY = "LEGACY", "Established, but new code does not follow it any more."


TIER_RANKS = {
    ConfidenceTier.STRONG: 5,
    ConfidenceTier.EMERGING: 4,
    ConfidenceTier.MODERATE: 3,
    ConfidenceTier.WEAK: 2,
    ConfidenceTier.LEGACY: 1,
}


class Consistency(Word):
    """How alike the instances are."""

    HIGH = "HIGH", "Nearly identical."
    MEDIUM = "MEDIUM", "Same structure, notable variations."
    LOW = "LOW", "Same goal, different approaches."
    UNKNOWN = "UNKNOWN", "Cannot be told."


class AgeCategory(Word):
    """How long a pattern has existed, counted back from the repository's newest commit."""

    ESTABLISHED = "ESTABLISHED", "Over a year."
    MATURING = "MATURING", "Three to twelve months."
    EMERGING = "EMERGING", "Less than three months."
    UNKNOWN = "UNKNOWN", "History cannot tell."


class Trend(Word):
    """Adoption among files of the last twelve months against older ones."""

    RISING = "RISING", "New files follow it more than old ones."
    STABLE = "STABLE", "New and old files follow it alike."
    ERODING = "ERODING", "New files follow it less than old ones."
    DEAD = "DEAD", "New files hardly follow it at all."
    UNKNOWN = "UNKNOWN", "Too few new or old files to tell."


LEAST_SITES = 8
"""So many new and so many old sites tell a trend."""


def trend_of(new: tuple[int, int], old: tuple[int, int]) -> Trend:
    """Compare adoption (conforming, applicable) among the files of the last twelve months with older ones."""
    if new[1] < LEAST_SITES or old[1] < LEAST_SITES:
        return Trend.UNKNOWN
    # In whole numbers: a share that is exactly .10 lower must not hang on how binary fractions round.
    new_share, old_share = Fraction(*new), Fraction(*old)
    if new_share < Fraction(1, 5) <= old_share:
        return Trend.DEAD
    if new_share <= old_share - Fraction(1, 10):
        return Trend.ERODING
    return Trend.RISING if new_share >= old_share + Fraction(1, 10) else Trend.STABLE
