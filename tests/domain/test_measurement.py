"""What is measured: how alike the files of two conventions are, as far as the samples tell."""

import random
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.measurement import MOST_SAMPLES, Draw, Glimpse, Measurement, Past, Place, resemblance
from app.domain.pattern import CodeCategory


def measured(numbers: Collection[int]) -> Measurement:
    return Measurement(samples=[Place(f"part{number}.py", "") for number in numbers]).settled()


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (range(0), range(0), 0.0),
        (range(10), range(10), 1.0),
        (range(10), range(10, 20), 0.0),
        (range(8), range(10), 0.8),
        (range(500), range(500), 1.0),
        (range(500), range(500, 1000), 0.0),
    ],
)
def test_how_alike_files_are(one: range, other: range, alike: float) -> None:
    assert resemblance(measured(one), measured(other)) == alike


@given(st.sets(st.integers(0, 400)), st.sets(st.integers(0, 400)))
def test_the_estimate_is_exact_for_few_files_and_near_for_many(one: set[int], other: set[int]) -> None:
    told = resemblance(measured(one), measured(other))
    truth = len(one & other) / max(1, len(one | other))
    if len(one | other) <= MOST_SAMPLES:
        assert told == truth
    assert told == resemblance(measured(other), measured(one))
    assert abs(told - truth) < 0.45


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 5)), unique_by=lambda each: each[0]), st.randoms())
def test_parts_that_tell_only_of_the_first_samples_add_up_to_the_whole(
    files: list[tuple[int, int]], dice: random.Random
) -> None:
    def seen(numbers: list[int], draw: Draw | None) -> Measurement:
        found = Measurement()
        for number in numbers:
            found.see(Glimpse(1, 1, number, number, (), {}), f"part{number}.py", "", Past(), CodeCategory.CORE, draw)
        return found

    whole = seen([number for number, _ in files], None)
    draws = [Draw(), Draw()]
    added = Measurement()
    for part in range(6):
        # Two children measure the parts, in whatever order.
        numbers = [number for number, home in files if home == part]
        dice.shuffle(numbers)
        added.add(seen(numbers, draws[dice.randrange(2)]))
    assert added.settled() == whole.settled()
