"""What modules of Python tell of themselves."""

from app.miners import python_modules
from tests.miners.trial import Trial, trial


def mined(files: dict[str, str]) -> Trial:
    return trial(files, families=[python_modules.FAMILY])


def modules(usual: str, other: str, *, folder: str = "shop", name: str = "m{}.py") -> dict[str, str]:
    return {f"{folder}/{name.format(number)}": usual if number else other for number in range(20)}


FUTURE = '"""Of the shop."""\n\nfrom __future__ import annotations\n\n\n'
ANNOTATED = "def f(a: int) -> str:\n    return str(a)\n"


def test_files_with_annotations_begin_with_the_future() -> None:
    files = modules(FUTURE + ANNOTATED, ANNOTATED) | {"shop/plain.py": "x = 1\n"}
    found = mined(files).find("future")
    said = "Python files with annotations begin with `from __future__ import annotations` (19 of 20)"
    assert (str(found), found.violations) == (said, ["shop/m0.py"])


def test_modules_list_what_they_offer() -> None:
    listing = '__all__ = ["f"]\n\n\ndef f():\n    pass\n'
    files = modules(listing, "class A:\n    pass\n") | {"shop/inner.py": "def _f():\n    pass\n"}
    # Neither a package nor what a tool reads offers anything by its own definitions.
    files |= {"shop/__init__.py": "def f():\n    pass\n", "setup.py": "class Build:\n    pass\n"}
    found = mined(files).find("__all__")
    said = "Python modules list what they offer in `__all__` (19 of 20)"
    assert (str(found), found.violations) == (said, ["shop/m0.py"])


def test_packages_list_what_they_pass_on() -> None:
    passing = 'from .a import b\n\n__all__ = ["b"]\n'
    files = {f"shop/p{number}/__init__.py": passing if number else "from .a import b\n" for number in range(20)}
    found = mined(files | {"shop/__init__.py": ""}).find("__all__")
    said = "Python packages list what they pass on in `__all__` (19 of 20)"
    assert (str(found), found.violations) == (said, ["shop/p0/__init__.py"])


def test_modules_of_packages_are_private() -> None:
    files = {"shop/__init__.py": "", "shop/__main__.py": "", "shop/_parts/__init__.py": "", "tools/run.py": ""}
    files |= {f"shop/_m{number}.py": "x = 1\n" for number in range(12)} | {"shop/_parts/a.py": "", "shop/odd.py": ""}
    found = mined(files).find("private")
    said = "Python modules of packages are private: `_name.py`, or in a folder `_name/` (13 of 14)"
    assert (str(found), found.violations) == (said, ["shop/odd.py"])


def test_that_modules_do_without_is_no_news() -> None:
    files = modules(ANNOTATED, FUTURE + ANNOTATED) | {"shop/__init__.py": "from .m1 import f\n"}
    assert mined(files).said == []


def test_mixtures_say_nothing() -> None:
    both = (FUTURE + ANNOTATED, f"__all__ = ['f']\n\n\n{ANNOTATED}")
    files = {f"shop/{'_' * (number % 3 == 0)}m{number}.py": both[number % 2] for number in range(30)}
    assert mined(files | {"shop/__init__.py": ""}).said == []
