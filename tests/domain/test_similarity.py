"""Similarity: the same rule, then the same places, then the same rare words; and never what only looks alike."""

import random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.domain.similarity import Told, similar, words_of

GROUP = "CODE Python"


def told(number: int, rule: str = "", spots: str = "", words: str = "", **over: object) -> Told:
    values = {
        "id": UUID(int=number),
        "rule": rule or f"rule {number}",
        "group": GROUP,
        "spots": frozenset((f"{place}.py", 1) for place in spots),
        "words": words_of(words),
        **over,
    }
    return Told(**values)  # type: ignore[arg-type]


def found(candidate: Told, *decided: Told) -> int | None:
    match = similar([candidate], decided).get(candidate.id)
    return None if match is None else match.int


def test_the_same_rule_counts_more_than_places_and_places_more_than_words() -> None:
    by_rule = told(1, rule="same", spots="xyz", words="nothing at all alike")
    by_places = told(2, spots="abcd", words="nothing either in common")
    by_words = told(3, words="exceptions end in Error")
    candidate = told(9, rule="same", spots="abcd", words="exceptions end in Error")
    assert found(candidate, by_words, by_places, by_rule) == 1
    assert found(candidate, by_words, by_places) == 2
    assert found(candidate, by_words) == 3
    assert found(candidate) is None


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        ("abc", "abc", True),
        ("abcde", "abcdf", True),
        ("abcd", "abce", True),
        ("ab", "ab", False),
        ("abcdef", "abcxyz", False),
        ("abc", "abcdefgh", False),
        ("", "", False),
    ],
)
def test_so_many_places_must_be_the_same(mine: str, theirs: str, same: bool) -> None:
    assert (found(told(9, spots=mine), told(1, spots=theirs)) == 1) is same


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        ("Exceptions end in Error", "Exception ends in error", True),
        ("Exceptions end in Error", "Exceptions of the API end in Error", False),
        ("Tests end in _test", "Tests end in _spec", False),
        ("Use logger", "Use logger", False),
    ],
)
def test_words_are_compared_without_case_and_endings(mine: str, theirs: str, same: bool) -> None:
    # Among these, the words that all share weigh little.
    others = [told(number, words=f"Functions of module{number} end in Thing{number}") for number in range(20, 40)]
    assert (found(told(9, words=mine), told(1, words=theirs), *others) == 1) is same


def test_what_one_template_wrote_is_not_the_same() -> None:
    folders = ("billing", "search", "storage", "accounts", "reports")
    written = [told(number, words=f"Files in src/{name} are in snake case") for number, name in enumerate(folders)]
    assert similar(written[1:], written[:1]) == {}


def test_patterns_of_another_language_or_type_are_others() -> None:
    words = "exceptions end in Error and nothing else"
    assert found(told(9, spots="abc", words=words), told(1, spots="abc", words=words, group="CODE Go")) is None
    # The rule itself says its language.
    assert found(told(9, rule="same"), told(1, rule="same", group="CODE Go")) == 1


def test_what_is_in_force_is_told_rather_than_what_was_rejected_and_the_older_one_of_two() -> None:
    rejected, later, force = (
        told(1, rule="same"),
        told(3, rule="same", in_force=True),
        told(2, rule="same", in_force=True),
    )
    assert found(told(9, rule="same"), rejected, later, force) == 2
    assert found(told(9, spots="abc"), told(4, spots="abc"), told(5, spots="abc", in_force=True)) == 5


LETTERS = some.text(alphabet="abcdef", max_size=6)
PATTERNS = some.lists(
    some.builds(
        lambda number, rule, spots, words, force: told(
            number, rule=rule, spots=spots, words=" ".join(f"{word}ord" for word in words), in_force=force
        ),
        some.integers(1, 1000),
        some.sampled_from(["one", "two", "three", "four"]),
        LETTERS,
        LETTERS,
        some.booleans(),
    ),
    max_size=12,
    unique_by=lambda each: each.id,
)


@given(PATTERNS, some.data())
def test_the_answer_hangs_on_nothing_but_the_patterns(patterns: list[Told], data: some.DataObject) -> None:
    cut = data.draw(some.integers(0, len(patterns)))
    candidates, decided = patterns[:cut], patterns[cut:]
    answer = similar(candidates, decided)
    assert answer.keys() <= {candidate.id for candidate in candidates}
    assert set(answer.values()) <= {each.id for each in decided}
    shuffled = random.Random(cut).sample(decided, len(decided))
    assert similar(reversed(candidates), shuffled) == answer
    for candidate in candidates:
        if any(each.rule == candidate.rule for each in decided):
            assert answer[candidate.id] in {each.id for each in decided if each.rule == candidate.rule}
