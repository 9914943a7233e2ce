"""Patterns: what they are, how they are read and followed, and what people decide about them."""

import strawberry

from resolvers.patterns.authoring import AuthoringMutations
from resolvers.patterns.changes import PatternSubscriptions
from resolvers.patterns.editing import EditingMutations
from resolvers.patterns.queries import PatternQueries, pages_of_patterns
from resolvers.patterns.triage import TriageMutations
from resolvers.patterns.types import Evidence, Pattern, PatternEvent, Provenance

__all__ = [
    "Evidence",
    "Pattern",
    "PatternEvent",
    "PatternMutations",
    "PatternQueries",
    "PatternSubscriptions",
    "Provenance",
    "pages_of_patterns",
]


@strawberry.type
class PatternMutations(TriageMutations, EditingMutations, AuthoringMutations):
    """What is decided about patterns."""
