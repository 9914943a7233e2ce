"""What a reader said of sentences, by hand: promote it, defer it, or "so what".

A sentence is known again by the fingerprint of its rule, and where that is another now, by its words: a label speaks of
a convention, not of how it was spelled that day.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.miners.trial import Convention

_PLACE = Path(__file__).with_name("labels.json")
_ALIKE = 0.7
GOOD = frozenset(("promote", "defer"))


@dataclass(frozen=True, slots=True)
class Precision:
    """Of so many labelled sentences that are still said, so many are worth a person's time."""

    good: int
    labelled: int
    said: int

    def __str__(self) -> str:
        share = self.good / self.labelled if self.labelled else 0.0
        return f"precision {share:.2f} ({self.good} of {self.labelled} labelled, {self.said} said)"


def precision_of(repository: str, said: Iterable[Convention]) -> Precision | None:
    """Look up what a reader said of each sentence; None where nobody read this repository's."""
    known = json.loads(_PLACE.read_text()).get(repository)
    if known is None:
        return None
    labels = []
    count = 0
    for each in said:
        count += 1
        fingerprint = each.measured.candidate.proposal.rule.fingerprint
        label = next((row["label"] for row in known if row["fingerprint"] == fingerprint), None)
        label = label or next((row["label"] for row in known if _alike(row["name"], each.name)), None)
        if label is not None:
            labels.append(label)
    return Precision(sum(label in GOOD for label in labels), len(labels), count)


def _alike(one: str, other: str) -> bool:
    mine, theirs = _words(one), _words(other)
    return len(mine & theirs) >= _ALIKE * len(mine | theirs)


def _words(sentence: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w*.]+", sentence.lower()))
