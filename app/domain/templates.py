"""Lines as templates: white space collapsed, and the name of the file they stand in masked in each of its spellings."""

import re
from functools import lru_cache

from app.domain.cases import words_in

_SPACE = re.compile(r"\s+")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?:\s*[-–,]\s*(?:(?:19|20)?\d\d))*(?!\d)")

PLACES = ("{stem}", "{Stem}", "{stemCamel}", "{stem_snake}", "{stem-kebab}", "{STEM}", "{year}")


@lru_cache(maxsize=512)
def spellings(stem: str) -> tuple[tuple[str, str], ...]:
    """Give the ways in which a file's name may be written inside of it, longest first, each with its placeholder."""
    words = words_in(stem)
    if not words or len("".join(words)) < 3:
        return ()
    ways = {
        stem: "{stem}",
        "".join(word.capitalize() for word in words): "{Stem}",
        words[0] + "".join(word.capitalize() for word in words[1:]): "{stemCamel}",
        "_".join(words): "{stem_snake}",
        "-".join(words): "{stem-kebab}",
        "_".join(words).upper(): "{STEM}",
    }
    return tuple(sorted(ways.items(), key=lambda way: (-len(way[0]), way[1])))


@lru_cache(maxsize=512)
def _masks(stem: str) -> "re.Pattern[str] | None":
    ways = [re.escape(way) for way, _ in spellings(stem)]
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(ways)})|(?:{'|'.join(ways)})(?![A-Za-z0-9])") if ways else None


def template_of(line: str, stem: str) -> str:
    """Turn a line into the template that other files' lines may share."""
    line = _SPACE.sub(" ", line.strip())
    masks = _masks(stem)
    if masks is not None:
        places = dict(spellings(stem))
        line = masks.sub(lambda found: places[found[0]], line)
    return _YEAR.sub("{year}", line) if "20" in line or "19" in line else line


def stem_of(name: str) -> str:
    """Give what a file's name says of its content: up to the first dot, without the words that name its role."""
    stem = name.lstrip(".").partition(".")[0]
    for affix in ("test_", "_test", "-test", "_spec", "-spec", "Tests", "Test"):
        if stem.startswith(affix) and affix[0] not in "_-" and len(stem) > len(affix):
            return stem[len(affix) :]
        if stem.endswith(affix) and len(stem) > len(affix):
            return stem[: -len(affix)]
    return stem
