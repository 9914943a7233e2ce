"""Lines as templates: white space collapsed, and the name of the file they stand in masked in each of its spellings."""

import re
from functools import lru_cache

from app.domain.cases import words_in

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?:\s*[-–,]\s*(?:(?:19|20)?\d\d))*(?!\d)")

# What stands for its folder is called alike everywhere; that it names itself is chance.
_ENTRIES = frozenset(("main", "index", "lib", "mod"))

PLACES = ("{stem}", "{Stem}", "{stemCamel}", "{stem_snake}", "{stem-kebab}", "{STEM}", "{year}")


@lru_cache(maxsize=512)
def spellings(stem: str) -> tuple[tuple[str, str], ...]:
    """Give the ways in which a file's name may be written inside of it, longest first, each with its placeholder."""
    words = words_in(stem)
    if not words or len("".join(words)) < 3 or stem in _ENTRIES:
        return ()
    ways = {
        "".join(word.capitalize() for word in words): "{Stem}",
        words[0] + "".join(word.capitalize() for word in words[1:]): "{stemCamel}",
        "_".join(words): "{stem_snake}",
        "-".join(words): "{stem-kebab}",
        "_".join(words).upper(): "{STEM}",
        # The way in which the file is called goes before all others.
        stem: "{stem}",
    }
    return tuple(sorted(ways.items(), key=lambda way: (-len(way[0]), way[1])))


def template_of(line: str, stem: str) -> str:
    """Turn a line into the template that other files' lines may share."""
    line = " ".join(line.split())
    ways = spellings(stem)
    masked = False
    for number, (way, _) in enumerate(ways):
        if way in line:
            line = _masked(line, way, chr(number))
            masked = True
    # A placeholder must not be taken for a name in its turn.
    for number, (_, place) in enumerate(ways if masked else ()):
        line = line.replace(chr(number), place)
    return _YEAR.sub("{year}", line) if "20" in line or "19" in line else line


def _masked(line: str, way: str, mark: str) -> str:
    """Put a mark for a name that begins or ends a word."""
    parts, start = [], 0
    while (found := line.find(way, start)) >= 0:
        end = found + len(way)
        inner = line[found - 1 : found].isalnum() and line[end : end + 1].isalnum()
        parts.append(line[start:end] if inner else f"{line[start:found]}{mark}")
        start = end
    parts.append(line[start:])
    return "".join(parts)


def stem_of(name: str) -> str:
    """Give what a file's name says of its content: up to the first dot, without the words that name its role."""
    stem = name.lstrip(".").partition(".")[0]
    for affix in ("test_", "_test", "-test", "_spec", "-spec", "Tests", "Test"):
        if stem.startswith(affix) and affix[0] not in "_-" and len(stem) > len(affix):
            return stem[len(affix) :]
        if stem.endswith(affix) and len(stem) > len(affix):
            return stem[: -len(affix)]
    return stem
