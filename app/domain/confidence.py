"""How sure the product is of a pattern: the vocabularies of its four dimensions, and how each follows from facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from app.domain.pattern import CodeCategory, PatternType
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


YEAR, SEASON = timedelta(days=365), timedelta(days=90)

LEAST_SITES = 8
"""So many new and so many old sites tell a trend."""


@dataclass(frozen=True, slots=True)
class Team:
    """What the history of a whole repository can tell."""

    authors: int = 0
    newest: datetime | None = None
    oldest: datetime | None = None

    @property
    def tells_ages(self) -> bool:
        """Tell whether there is more than one moment to compare: a squashed repository is no young one."""
        return self.newest is not None and self.oldest is not None and self.newest - self.oldest > timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was measured of one pattern; None where it could not be."""

    type: PatternType
    instances: int
    applicable: int | None = None
    conforming: int | None = None
    authors: int | None = None
    oldest: datetime | None = None
    newest: datetime | None = None
    new: tuple[int, int] = (0, 0)
    """Conforming and applicable sites in files of the last twelve months."""

    @property
    def adoption(self) -> Fraction | None:
        """Conforming of applicable, exactly."""
        if not self.applicable or self.conforming is None:
            return None
        return Fraction(self.conforming, self.applicable)

    @property
    def old(self) -> tuple[int, int]:
        """Conforming and applicable sites in older files."""
        return (self.conforming or 0) - self.new[0], (self.applicable or 0) - self.new[1]


def consistency_of(adoption: Fraction | None) -> tuple[Consistency, str]:
    """Say how alike the instances are, and why."""
    if adoption is None:
        return Consistency.UNKNOWN, "Not measured."
    percent = f"{float(adoption):.0%}" if adoption in (0, 1) else f"{float(adoption):.1%}"
    if adoption >= Fraction(95, 100):
        return Consistency.HIGH, f"Nearly identical: {percent} of the sites conform."
    if adoption >= Fraction(80, 100):
        return Consistency.MEDIUM, f"Same structure, notable variations: {percent} of the sites conform."
    return Consistency.LOW, f"Same goal, different approaches: {percent} of the sites conform."


def age_of(oldest: datetime | None, team: Team) -> AgeCategory:
    """Say how long a pattern has existed when the repository's newest commit was made."""
    if oldest is None or team.newest is None or not team.tells_ages:
        return AgeCategory.UNKNOWN
    age = team.newest - oldest
    if age > YEAR:
        return AgeCategory.ESTABLISHED
    return AgeCategory.MATURING if age >= SEASON else AgeCategory.EMERGING


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


def tier_of(facts: Facts, team: Team) -> ConfidenceTier:
    """Give the one word; what history cannot tell neither helps nor harms."""
    if facts.type is PatternType.FILESYSTEM:
        return _tier_of_paths(facts, team)
    age = age_of(facts.oldest, team)
    consistency, _ = consistency_of(facts.adoption)
    # Of one author alone nothing can be told about how many follow a convention.
    authors = facts.authors if team.authors > 1 else None
    if age is AgeCategory.ESTABLISHED and facts.new[1] >= LEAST_SITES and facts.new[0] == 0:
        return ConfidenceTier.LEGACY
    if (
        facts.instances >= 5
        and (authors is None or authors >= min(3, team.authors))
        and age in (AgeCategory.ESTABLISHED, AgeCategory.UNKNOWN)
        and consistency is not Consistency.LOW
    ):
        return ConfidenceTier.STRONG
    if facts.instances >= 3 and age is AgeCategory.EMERGING:
        return ConfidenceTier.EMERGING
    if facts.instances <= 2 or consistency is Consistency.LOW or (authors == 1 and facts.instances <= 5):
        return ConfidenceTier.WEAK
    return ConfidenceTier.MODERATE


def _tier_of_paths(facts: Facts, team: Team) -> ConfidenceTier:
    adoption = facts.adoption
    young = age_of(facts.oldest, team) is AgeCategory.EMERGING
    if facts.instances >= 10 and (adoption is None or adoption >= Fraction(80, 100)):
        return ConfidenceTier.STRONG
    if facts.instances >= 5 and (adoption is None or adoption >= Fraction(60, 100)) and young:
        return ConfidenceTier.EMERGING
    if facts.instances <= 3 or (adoption is not None and adoption < Fraction(40, 100)):
        return ConfidenceTier.WEAK
    return ConfidenceTier.MODERATE


def locations_of(categories: Mapping[CodeCategory, int]) -> Sequence[tuple[CodeCategory, int]]:
    """Order the parts of the codebase by how many instances they hold."""
    return sorted(((each, count) for each, count in categories.items() if count), key=lambda each: (-each[1], each[0]))
