"""A candidate: a proposal worth measuring, and how it came about."""

from dataclasses import dataclass

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
