"""Similarity: which decided pattern says already what a candidate says.

The same rule is the same pattern. Else the places decide, where enough of them are the same; else the words, in which
the rare ones count most: what miners write by one template differs in the only words that matter.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from uuid import UUID

# Of the places of both together so many must be the same, and not fewer than so many places.
SAME_PLACES, LEAST_PLACES = 0.6, 3
# So much of the weight of all their words.
SAME_WORDS, LEAST_WORDS = 0.75, 4

_WORD = re.compile(r"\w+")
# Endings that make no other word of it, in the language that miners and models write.
_ENDING = re.compile(r"(?<=\w{3})(?:ies|es|s|ed|ing)$")

Spot = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Told:
    """What a pattern says, reduced to what can be compared."""

    id: UUID
    rule: str
    """The fingerprint of its rule."""
    group: str
    """Only patterns of one group can say the same: those of one type and one language."""
    spots: frozenset[Spot]
    words: frozenset[str]
    in_force: bool = False


def words_of(*texts: str) -> frozenset[str]:
    """Give the words of some texts, without endings and without regard to case."""
    return frozenset(_ENDING.sub("", word.lower()) for text in texts for word in _WORD.findall(text))


def similar(
    candidates: Iterable[Told], decided: Sequence[Told], *, only: Container[UUID] | None = None
) -> dict[UUID, UUID]:
    """Find for candidates, or some of them, the decided pattern that each says again; what is new is left out."""
    candidates = list(candidates)
    # Whichever is in force is told rather than one that was rejected, and the oldest rather than a later one.
    ranked = sorted(decided, key=lambda told: (not told.in_force, told.id))
    weights = _weights([*candidates, *ranked])
    rules: dict[str, int] = {}
    spots: defaultdict[Spot, list[int]] = defaultdict(list)
    words: defaultdict[str, list[int]] = defaultdict(list)
    for place, told in enumerate(ranked):
        rules.setdefault(told.rule, place)
        for spot in told.spots:
            spots[spot].append(place)
        for word in told.words:
            words[word].append(place)
    found: dict[UUID, UUID] = {}
    for candidate in candidates:
        if only is not None and candidate.id not in only:
            continue
        match = rules.get(candidate.rule)
        if match is None:
            match = _by_places(candidate, ranked, spots)
        if match is None:
            match = _by_words(candidate, ranked, words, weights)
        if match is not None:
            found[candidate.id] = ranked[match].id
    return found


def _by_places(candidate: Told, decided: Sequence[Told], spots: Mapping[Spot, list[int]]) -> int | None:
    common = Counter(place for spot in candidate.spots for place in spots.get(spot, ()))
    shares = {
        place: count / (len(candidate.spots) + len(decided[place].spots) - count)
        for place, count in common.items()
        if count >= LEAST_PLACES and decided[place].group == candidate.group
    }
    return _best(shares, SAME_PLACES)


def _by_words(
    candidate: Told, decided: Sequence[Told], words: Mapping[str, list[int]], weights: Mapping[str, float]
) -> int | None:
    common: defaultdict[int, float] = defaultdict(float)
    for word in sorted(candidate.words):
        for place in words.get(word, ()):
            common[place] += weights[word]
    mine = _weight(candidate.words, weights)
    shares = {
        place: weight / (mine + _weight(decided[place].words, weights) - weight)
        for place, weight in common.items()
        if weight >= SAME_WORDS * mine
        and decided[place].group == candidate.group
        and len(candidate.words & decided[place].words) >= LEAST_WORDS
    }
    return _best(shares, SAME_WORDS)


def _best(shares: Mapping[int, float], least: float) -> int | None:
    place = min(shares, key=lambda place: (-shares[place], place), default=None)
    return place if place is not None and shares[place] >= least else None


def _weights(told: Sequence[Told]) -> dict[str, float]:
    common = Counter(word for each in told for word in each.words)
    return {word: log(1 + len(told) / count) for word, count in common.items()}


def _weight(words: Iterable[str], weights: Mapping[str, float]) -> float:
    # In one order, so that rounding is the same for both of a pair.
    return sum(weights[word] for word in sorted(words))
