"""Names of caught exceptions, in each language that has them."""

import pytest

from app.miners import caught_names
from tests.miners.trial import trial

HANDLERS = {
    "py": "try:\n    run({0})\nexcept ValueError as {1}:\n    with lock as held:\n        log({1})\n",
    "ts": "try {{ run({0}); }} catch ({1}) {{ log({1}); }}\n",
    "js": "try {{ run({0}); }} catch ({1}) {{ log({1}); }}\n",
    "java": "class A{0} {{ void a() {{ try {{ run(); }} catch (IOException {1}) {{ log({1}); }} }} }}\n",
}
LANGUAGES = {"py": "Python", "ts": "TypeScript", "js": "JavaScript", "java": "Java"}


def files(ending: str, names: list[str]) -> dict[str, str]:
    return {f"src/part{number}.{ending}": HANDLERS[ending].format(number, name) for number, name in enumerate(names)}


@pytest.mark.parametrize("ending", HANDLERS)
def test_one_name_for_all_is_a_convention(ending: str) -> None:
    names = ["failure"] * 19 + ["_", "ignored", "oops"]
    found = trial(files(ending, names), families=[caught_names.FAMILY]).find("failure")
    assert str(found) == f"{LANGUAGES[ending]} caught exceptions are named `failure` (19 of 20)"
    assert found.violations == [f"src/part21.{ending}:{3 if ending == 'py' else 1}"]


def test_many_names_are_none() -> None:
    assert trial(files("py", ["e", "err", "error"] * 10), families=[caught_names.FAMILY]).said == []


def test_what_everybody_writes_is_no_news() -> None:
    found = trial(files("java", ["e"] * 30), families=[caught_names.FAMILY])
    assert found.said == []
    assert found.suppressed.counts == {"language norm": 1}
