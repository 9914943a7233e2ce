"""How far a share can be trusted, and how much it tells."""

from math import log2, sqrt

CAREFUL = 1.0
"""So many standard deviations below the share that was seen the careful share lies."""


def wilson_low(conforming: float, applicable: float, deviations: float = CAREFUL) -> float:
    """Give the lower Wilson bound of a share: what it is at least, as far as so few sites can tell."""
    if applicable <= 0:
        return 0.0
    share, square = conforming / applicable, deviations * deviations
    middle = share + square / (2 * applicable)
    spread = deviations * sqrt(share * (1 - share) / applicable + square / (4 * applicable * applicable))
    return max(0.0, (middle - spread) / (1 + square / applicable))


def surprise(share: float, prior: float) -> float:
    """Give the bits that a share tells whoever expected another one; nothing, where it is lower than expected."""
    prior = min(max(prior, 0.001), 0.999)
    if share <= prior:
        return 0.0
    kept = share * log2(share / prior) if share > 0 else 0.0
    broken = (1 - share) * log2((1 - share) / (1 - prior)) if share < 1 else 0.0
    return kept + broken
