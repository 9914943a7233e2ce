"""What a run carries from stage to stage: conventions with their measurements, and the places that show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.evidence import Claim, Verified
from app.domain.measurement import Measurement, Place
from app.domain.rule import Rule
from app.miners.core.candidate import Measured
from app.reads.mining import StandingPattern

MOST_SHOWN, MOST_COUNTEREXAMPLES = 8, 60
_EXAMPLES = 60


@dataclass(slots=True)
class Report:
    """What a run left out, by reason, with some examples of each."""

    dropped: dict[str, list[str]] = field(default_factory=dict)
    suppressed: dict[str, list[str]] = field(default_factory=dict)
    skipped: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    contradictions: list[dict[str, Any]] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)
    """Miners that failed: what they found before stays."""
    patterns_found: int = 0
    patterns_dropped: int = 0

    def add(self, what: str, reason: str, example: str, count: int = 1) -> None:
        """Count what was left out, and keep the first examples."""
        examples: list[str] = getattr(self, what).setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            examples.append(example)
        self.counts[what, reason] = self.counts.get((what, reason), 0) + count

    def skip(self, path: str, reason: str) -> None:
        """Note a file that could not be read, once for each reason, however many looked."""
        if (path, reason) not in self.seen:
            self.seen.add((path, reason))
            self.add("skipped", reason, path)

    def spelled(self, what: str) -> list[dict[str, Any]]:
        """Spell one list as the run's report does, most frequent first."""
        told: Mapping[str, list[str]] = getattr(self, what)
        rows = [
            {"reason": reason, "count": self.counts[what, reason], "examples": examples}
            for reason, examples in told.items()
        ]
        return sorted(rows, key=lambda row: (-row["count"], row["reason"]))


@dataclass(frozen=True, slots=True)
class Prospect:
    """A convention that may become a pattern."""

    measured: Measured
    claims: Sequence[Claim] = ()
    verified: Sequence[Verified] = ()

    @property
    def rule(self) -> Rule:
        """The rule that measures it, with what the other sites were seen to do."""
        rule = self.measured.candidate.proposal.rule
        rivals = self.measured.measurement.rivals
        if rule.alternative is None and rivals:
            most = max(rivals, key=lambda form: (rivals[form], form))
            return replace(rule, alternative=most[:1000])
        return rule


@dataclass(frozen=True, slots=True)
class Standing:
    """A pattern that stands, with what its stored rule was seen to do now."""

    pattern: StandingPattern
    measurement: Measurement
    claims: Sequence[Claim] = ()
    verified: Sequence[Verified] = ()


def places_to_show(measurement: Measurement, breaking: Mapping[str, int]) -> tuple[Sequence[Place], Sequence[Place]]:
    """Choose places that show a convention, the canonical one first, and the counter-examples.

    The canonical one is short, complete, and in a file that breaks few other conventions; the others are spread over
    folders. `breaking` says how many violations each file has.
    """
    ranked = sorted(measurement.samples, key=lambda place: (*_unfit(place, breaking), place.path, place.start or 0))
    shown: list[Place] = []
    later: list[Place] = []
    folders: set[str] = set()
    for place in ranked:
        folder = place.path.rpartition("/")[0]
        (later if folder in folders else shown).append(place)
        folders.add(folder)
    return (shown + later)[:MOST_SHOWN], measurement.violations[:MOST_COUNTEREXAMPLES]


def _unfit(place: Place, breaking: Mapping[str, int]) -> tuple[int, int]:
    lines = 1 if place.start is None else (place.end or place.start) - place.start + 1
    length = 0 if 2 <= lines <= 15 else 1 if lines <= 30 else 2
    return (min(breaking.get(place.path, 0), 3) + 2 * length, lines)
