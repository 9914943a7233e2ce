"""How sure the product is of a pattern, in the vocabularies of its four dimensions."""

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
