"""How names are written: snake_case, camelCase and their relatives, and how many words a name has."""

import re

CASES = {
    "snake_case": re.compile(r"_*[a-z][a-z0-9]*(?:_[a-z0-9]+)*_*"),
    "kebab-case": re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*"),
    "camelCase": re.compile(r"[a-z][a-z0-9]*(?:[A-Z0-9][a-z0-9]*)*"),
    "PascalCase": re.compile(r"[A-Z][a-z0-9]*(?:[A-Z0-9][a-z0-9]*)*"),
    "SCREAMING_SNAKE": re.compile(r"_*[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+_*"),
}
"""Every case a name may be said to have, and what its names look like; one word fits several."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def words_in(name: str) -> list[str]:
    """Split a name into its words, lower-cased."""
    return [word.lower() for word in _WORDS.findall(name)]


def case_of(name: str) -> str | None:
    """Name the case of a name of several words; None for a single word, which tells nothing, and for a mixture."""
    if len([word for word in words_in(name) if not word.isdigit()]) < 2:
        return None
    return next((case for case, shape in CASES.items() if shape.fullmatch(name)), "mixed")


def written_as(name: str, case: str) -> bool:
    """Tell whether a name may be said to have a case."""
    shape = CASES.get(case)
    return shape is not None and shape.fullmatch(name) is not None
