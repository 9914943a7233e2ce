"""A candidate: a proposal worth measuring, how it came about, and what its rule was seen to do."""

from dataclasses import dataclass

from app.domain.confidence import Trend
from app.domain.measurement import Measurement
from app.miners.core.family import Finding, Proposal


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposal, and how it came about."""

    family: str
    version: int
    finding: Finding
    proposal: Proposal
    bits: float
    score: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A candidate with what its own rule came to, over the whole repository."""

    candidate: Candidate
    measurement: Measurement
    trend: Trend
