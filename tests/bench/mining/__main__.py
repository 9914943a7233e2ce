"""The judge: python -m tests.bench.mining [folder of bare repositories, as <owner>+<name>/repo].

Prints what of the known conventions was found, where in the list, how far the counts are off, which decoys were said,
and what it costs. A sentence's worth to a reader is judged by hand: `tests.bench.mining.look` prints them all.
"""

import re
import resource
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from app.miners.registry import FAMILIES
from tests.bench.mining.labels import Precision, precision_of
from tests.bench.mining.look import git, items_of, say
from tests.bench.mining.synthetic import Planted, made
from tests.bench.mining.truth import TRUTHS, Known
from tests.miners.trial import Trial, run, trial

_NOISE = (0.0, 0.05, 0.1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one repository."""

    name: str
    files: int
    said: int
    found: Sequence[tuple[str, int | None, float]]
    """Each known convention, its place in the list, and how far its adoption is off."""
    decoys: Sequence[str]
    duplicates: int
    seconds: float
    precision: Precision | None = None

    def recall(self, first: int) -> float:
        """Give the share of known conventions among the first of the list."""
        return sum(place is not None and place <= first for _, place, _ in self.found) / max(1, len(self.found))


def judged(
    name: str, trial: Trial, known: Iterable[Known | Planted], traps: Sequence[str], files: int, seconds: float
) -> Verdict:
    """Compare what was said with what is known."""
    found = []
    for each in known:
        place = next((at for at, one in enumerate(trial.conventions, 1) if re.search(each.words, one.name)), None)
        error = 0.0
        if place is not None and each.conforming is not None and each.applicable:
            said = trial.conventions[place - 1]
            error = abs(said.conforming / said.applicable - each.conforming / each.applicable)
        found.append((each.words, place, error))
    decoys = [one.name for one in trial.conventions if any(re.search(trap, one.name) for trap in traps)]
    alike = sum(_words(one.name) == _words(other.name) for one, other in combinations(trial.conventions, 2))
    precision = precision_of(name, trial.conventions)
    return Verdict(name, files, len(trial.conventions), found, decoys, alike, seconds, precision)


def _words(sentence: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", sentence.lower()))


def show(verdict: Verdict) -> None:
    """Print one row, and what is missing."""
    errors = [error for _, place, error in verdict.found if place is not None]
    say(
        f"{verdict.name:28}{verdict.files:6} files {verdict.said:3} said  recall {verdict.recall(999):.2f} "
        f"@20 {verdict.recall(20):.2f} @50 {verdict.recall(50):.2f}  decoys {len(verdict.decoys)}  "
        f"duplicates {verdict.duplicates}  adoption off by {max(errors, default=0):.3f} at most  "
        f"{verdict.seconds:.1f} s  {verdict.precision or ''}"
    )
    for words, place, error in verdict.found:
        if place is None:
            say(f"      not found: {words}")
        elif error > 0.05:
            say(f"      off by {error:.2f}: {words}")
    for decoy in verdict.decoys:
        say(f"      decoy: {decoy}")


def total(verdicts: Sequence[Verdict]) -> None:
    """Print what all public repositories come to."""
    known = sum(len(verdict.found) for verdict in verdicts)
    first = {most: sum(verdict.recall(most) * len(verdict.found) for verdict in verdicts) / known for most in (50, 999)}
    labelled = [verdict.precision for verdict in verdicts if verdict.precision is not None]
    good, of = sum(each.good for each in labelled), sum(each.labelled for each in labelled)
    duplicates = sum(verdict.duplicates for verdict in verdicts) / sum(verdict.said for verdict in verdicts)
    worst = min(verdicts, key=lambda verdict: verdict.recall(999))
    say(
        f"{len(verdicts)} repositories: recall {first[999]:.2f}, @50 {first[50]:.2f}, "
        f"least {worst.recall(999):.2f} ({worst.name}), precision {good / max(1, of):.2f} of {of} labelled, "
        f"decoys {sum(len(verdict.decoys) for verdict in verdicts)}, duplicates {duplicates:.3f}"
    )


def main(folder: Path | None) -> None:
    """Judge all that is there."""
    for noise in _NOISE:
        repository = made(noise)
        began = time.process_time()
        found = trial(repository.files)
        spent = time.process_time() - began
        name = f"synthetic, {noise:.0%} noise"
        show(judged(name, found, repository.planted, repository.decoys, len(repository.files), spent))
    verdicts: list[Verdict] = []
    for truth in TRUTHS:
        bare = None if folder is None else folder / truth.repository.replace("/", "+") / "repo"
        if bare is None or not bare.exists():
            say(f"{truth.repository:28}left out: no copy of it here")
            continue
        commit = git(bare, "rev-parse", truth.commit).decode().strip()
        items, paths = items_of(bare, commit)
        people = {name for item in items for name in item.past.authors}
        began = time.process_time()
        found = run(items, paths, FAMILIES, authors=len(people))
        spent = time.process_time() - began
        verdict = judged(truth.repository, found, truth.known, truth.traps, len(items), spent)
        verdicts.append(verdict)
        show(verdict)
    if verdicts:
        total(verdicts)
    say(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
