"""Confidence: every threshold of the product's tables, on both of its sides."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.confidence import (
    AgeCategory,
    ConfidenceTier,
    Consistency,
    Facts,
    Team,
    Trend,
    age_of,
    consistency_of,
    tier_of,
    trend_of,
)
from app.domain.pattern import PatternType

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TEAM = Team(authors=9, newest=NOW, oldest=NOW - timedelta(days=2000))
SQUASHED = Team(authors=9, newest=NOW, oldest=NOW)
ALONE = Team(authors=1, newest=NOW, oldest=NOW - timedelta(days=2000))
PAIR = Team(authors=2, newest=NOW, oldest=NOW - timedelta(days=2000))


def code(
    instances: int = 20,
    *,
    applicable: int | None = None,
    authors: int | None = 5,
    days: int = 800,
    new: tuple[int, int] = (0, 0),
) -> Facts:
    return Facts(
        PatternType.CODE,
        instances,
        applicable=instances if applicable is None else applicable,
        conforming=instances,
        authors=authors,
        oldest=NOW - timedelta(days=days),
        newest=NOW,
        new=new,
    )


def paths(instances: int, applicable: int, *, days: int = 800) -> Facts:
    return Facts(PatternType.FILESYSTEM, instances, applicable, instances, authors=5, oldest=NOW - timedelta(days=days))


@pytest.mark.parametrize(
    ("conforming", "applicable", "expected"),
    [
        (95, 100, Consistency.HIGH),
        (949, 1000, Consistency.MEDIUM),
        (80, 100, Consistency.MEDIUM),
        (799, 1000, Consistency.LOW),
        (0, 5, Consistency.LOW),
    ],
)
def test_consistency(conforming: int, applicable: int, expected: Consistency) -> None:
    facts = Facts(PatternType.CODE, conforming, applicable, conforming)
    assert consistency_of(facts.adoption)[0] is expected


def test_what_was_not_measured_has_no_consistency() -> None:
    assert consistency_of(Facts(PatternType.CODE, 5).adoption)[0] is Consistency.UNKNOWN
    assert consistency_of(Facts(PatternType.CODE, 0, 0, 0).adoption)[0] is Consistency.UNKNOWN


@pytest.mark.parametrize(
    ("days", "team", "expected"),
    [
        (366, TEAM, AgeCategory.ESTABLISHED),
        (365, TEAM, AgeCategory.MATURING),
        (90, TEAM, AgeCategory.MATURING),
        (89, TEAM, AgeCategory.EMERGING),
        (0, TEAM, AgeCategory.EMERGING),
        (0, SQUASHED, AgeCategory.UNKNOWN),
        (0, Team(), AgeCategory.UNKNOWN),
    ],
)
def test_ages_count_back_from_the_newest_commit(days: int, team: Team, expected: AgeCategory) -> None:
    assert age_of(NOW - timedelta(days=days), team) is expected


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ((7, 7), (100, 100), Trend.UNKNOWN),
        ((8, 8), (7, 7), Trend.UNKNOWN),
        ((8, 8), (8, 8), Trend.STABLE),
        ((1, 10), (9, 10), Trend.DEAD),
        ((19, 100), (20, 100), Trend.DEAD),
        ((20, 100), (29, 100), Trend.STABLE),
        ((10, 100), (19, 100), Trend.STABLE),
        ((80, 100), (90, 100), Trend.ERODING),
        ((81, 100), (90, 100), Trend.STABLE),
        ((89, 100), (80, 100), Trend.STABLE),
        ((90, 100), (80, 100), Trend.RISING),
        ((10, 10), (33, 100), Trend.RISING),
    ],
)
def test_trend(new: tuple[int, int], old: tuple[int, int], expected: Trend) -> None:
    assert trend_of(new, old) is expected


@pytest.mark.parametrize(
    ("facts", "team", "expected"),
    [
        pytest.param(code(5, authors=3), TEAM, ConfidenceTier.STRONG, id="just strong"),
        pytest.param(code(4, authors=3), TEAM, ConfidenceTier.MODERATE, id="four instances"),
        pytest.param(code(5, authors=2), TEAM, ConfidenceTier.MODERATE, id="two of nine authors"),
        pytest.param(code(5, authors=2), PAIR, ConfidenceTier.STRONG, id="all of a team of two"),
        pytest.param(code(8, applicable=10, authors=3), TEAM, ConfidenceTier.STRONG, id="medium consistency"),
        pytest.param(code(79, applicable=100), TEAM, ConfidenceTier.WEAK, id="low consistency"),
        pytest.param(code(20, days=300), TEAM, ConfidenceTier.MODERATE, id="maturing"),
        pytest.param(code(3, days=80, authors=1), TEAM, ConfidenceTier.EMERGING, id="three young ones"),
        pytest.param(code(2, days=80), TEAM, ConfidenceTier.WEAK, id="two young ones"),
        pytest.param(code(30, days=80), TEAM, ConfidenceTier.EMERGING, id="many young ones"),
        pytest.param(code(2), TEAM, ConfidenceTier.WEAK, id="two instances"),
        pytest.param(code(3), TEAM, ConfidenceTier.MODERATE, id="three instances"),
        pytest.param(code(5, authors=1), TEAM, ConfidenceTier.WEAK, id="one author, five instances"),
        pytest.param(code(6, authors=1), TEAM, ConfidenceTier.MODERATE, id="one author, six instances"),
        pytest.param(code(8, applicable=16, new=(0, 8)), TEAM, ConfidenceTier.LEGACY, id="nothing new conforms"),
        pytest.param(code(9, applicable=17, new=(1, 8)), TEAM, ConfidenceTier.WEAK, id="one new one conforms"),
        pytest.param(code(20, applicable=27, new=(0, 7)), TEAM, ConfidenceTier.WEAK, id="too few new sites for legacy"),
        pytest.param(code(20, new=(0, 0)), TEAM, ConfidenceTier.STRONG, id="no new site is no legacy"),
        pytest.param(code(8, applicable=16, days=200, new=(0, 8)), TEAM, ConfidenceTier.WEAK, id="young is no legacy"),
        pytest.param(code(5, authors=1, days=0), SQUASHED, ConfidenceTier.WEAK, id="squashed, and one of nine"),
        pytest.param(code(5, authors=3, days=0), SQUASHED, ConfidenceTier.STRONG, id="squashed: age does not count"),
        pytest.param(code(5, authors=1), ALONE, ConfidenceTier.STRONG, id="the only author is all of the team"),
        pytest.param(code(4, authors=1), ALONE, ConfidenceTier.MODERATE, id="nobody is weak for being alone"),
        pytest.param(code(5, authors=None, days=0), Team(), ConfidenceTier.STRONG, id="no history at all"),
    ],
)
def test_tier_of_code(facts: Facts, team: Team, expected: ConfidenceTier) -> None:
    assert tier_of(facts, team) is expected


@pytest.mark.parametrize(
    ("facts", "team", "expected"),
    [
        pytest.param(paths(80, 100), TEAM, ConfidenceTier.STRONG, id="just strong"),
        pytest.param(paths(10, 10), TEAM, ConfidenceTier.STRONG, id="ten paths"),
        pytest.param(paths(9, 9), TEAM, ConfidenceTier.MODERATE, id="nine paths"),
        pytest.param(paths(79, 100), TEAM, ConfidenceTier.MODERATE, id="adoption below"),
        pytest.param(paths(5, 5, days=80), TEAM, ConfidenceTier.EMERGING, id="young"),
        pytest.param(paths(60, 100, days=80), TEAM, ConfidenceTier.EMERGING, id="young, and 60 %"),
        pytest.param(paths(59, 100, days=80), TEAM, ConfidenceTier.MODERATE, id="young, below 60 %"),
        pytest.param(paths(4, 4, days=80), TEAM, ConfidenceTier.MODERATE, id="four young paths"),
        pytest.param(paths(3, 3), TEAM, ConfidenceTier.WEAK, id="three paths"),
        pytest.param(paths(39, 100), TEAM, ConfidenceTier.WEAK, id="below 40 %"),
        pytest.param(paths(40, 100), TEAM, ConfidenceTier.MODERATE, id="40 %"),
        pytest.param(paths(5, 5, days=0), SQUASHED, ConfidenceTier.MODERATE, id="squashed is not young"),
    ],
)
def test_tier_of_paths(facts: Facts, team: Team, expected: ConfidenceTier) -> None:
    assert tier_of(facts, team) is expected
