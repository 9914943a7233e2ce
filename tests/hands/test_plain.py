"""Only plain data comes back from a hand, whichever Python spelt it."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from app.domain.jobs import BUCKETS, JobTally, Line
from app.hands.plain import read_plain


@dataclass
class Spelt:
    """What is pickled as a call."""

    call: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call, self.arguments


def test_members_of_enumerations_come_back_as_any_python_spells_them() -> None:
    first_of_311 = Spelt(getattr, (Line, "INTERACTIVE"))
    later = Spelt(Line, (Line.INTERACTIVE.value,))
    for spelt in (first_of_311, later, Line.INTERACTIVE):
        assert read_plain(pickle.dumps(spelt)) is Line.INTERACTIVE
    tally = JobTally("sweep", "done", dict.fromkeys(BUCKETS, 1), 0.5)
    assert read_plain(pickle.dumps([tally])) == [tally]


@pytest.mark.parametrize("arguments", [(Line, "__class__"), (Line, "mro"), (JobTally, "__init__"), ("text", "format")])
def test_nothing_else_is_reached_that_way(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(pickle.UnpicklingError, match="no plain data"):
        read_plain(pickle.dumps(Spelt(getattr, arguments)))
