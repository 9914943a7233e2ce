"""What all classes of one place extend."""

import pytest

from app.miners.classes import bases, places
from tests.miners.trial import Trial, trial

PLAIN = {
    "py": "class Thing{}:\n    pass\n",
    "ts": "export class Thing{} {{}}\n",
    "js": "class Thing{} {{}}\n",
    "java": "class Thing{} {{}}\n",
}
MADE = {
    "py": (
        "from app.base import CheckBase\n\n\nclass Check{}(CheckBase[int]):\n    class Meta:\n        pass\n",
        "Python source classes in `app/checks/` extend `CheckBase`",
    ),
    "ts": (
        "export class Check{} extends CheckBase {{ run() {{ return class Inner {{}} }} }}\n",
        "TypeScript source classes in `app/checks/` extend `CheckBase`",
    ),
    "js": (
        "class Check{} extends CheckBase {{}}\n",
        "JavaScript source classes in `app/checks/` extend `CheckBase`",
    ),
    "java": (
        "public class Check{} implements CheckBase<A>, Other {{ static class Inner {{}} }}\n",
        "Java source classes in `app/checks/` implement `CheckBase`",
    ),
}


def files_of(ending: str) -> dict[str, str]:
    text, _ = MADE[ending]
    files = {f"app/checks/c{number}.{ending}": text.format(number) for number in range(19)}
    files |= {f"app/checks/odd.{ending}": PLAIN[ending].format(99), f"app/base.{ending}": PLAIN[ending].format(98)}
    return files | {f"app/more/m{number}.{ending}": PLAIN[ending].format(number) for number in range(20)}


def mined(files: dict[str, str]) -> Trial:
    return trial(files, families=[bases.FAMILY])


@pytest.mark.parametrize("ending", list(MADE))
def test_classes_of_one_place_have_one_base(ending: str) -> None:
    found = mined(files_of(ending)).find("`CheckBase`")
    assert str(found) == f"{MADE[ending][1]} (19 of 20)"
    assert found.violations == [f"app/checks/odd.{ending}:1"]


def test_the_base_need_not_extend_itself() -> None:
    files = files_of("py") | {"app/checks/base.py": "class CheckBase(ABC):\n    pass\n"}
    del files["app/checks/odd.py"]
    assert (found := mined(files).find("CheckBase")).applicable == found.conforming == 19


def test_what_frameworks_ask_for_goes_without_saying() -> None:
    files = {f"app/checks/c{n}.py": f"class C{n}(models.Model):\n    pass\n" for n in range(20)}
    assert mined(files | {k: v for k, v in files_of("py").items() if "more" in k}).said == []


def test_classes_of_this_and_that_say_nothing() -> None:
    files = {f"app/checks/c{n}.py": f"class C{n}({'One' if n % 2 else 'Two'}):\n    pass\n" for n in range(40)}
    assert mined(files).said == []


def test_that_all_of_a_base_are_there_and_all_there_have_it_is_said_once() -> None:
    files = {path: text for path, text in files_of("ts").items() if "odd" not in path}
    files |= {f"app/rest/m{number}.ts": PLAIN["ts"].format(number) for number in range(60)}
    found = trial(files, families=[bases.FAMILY, places.FAMILY])
    assert len([each for each in found.conventions if "CheckBase" in each.name]) == 1
    assert found.suppressed.counts["said by another"] == 1
