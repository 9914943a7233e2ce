"""What a module of a script or of Go declares, as templates: its file's own name is masked in each of its spellings.

Of `create-team.types.ts` it masks `ZCreateTeamRequestSchema` as `Z{Stem}RequestSchema` and `createTeamMeta` as
`{stemCamel}Meta`. Only lines at the margin declare what others may use, and no tree is needed to read them.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from app.domain.templates import spellings

_DECLARED = re.compile(
    r"(export )?(?:module\.exports = )?(?:default |declare |async |abstract )*"
    r"(?:const|let|var|function|function\*|class|interface|type|enum|func) ([A-Za-z_$][\w$]{1,79})(?=\W|$)"
)
# What Go gives to others begins with a capital.
_GIVEN = re.compile("func [A-Z]")
_BEGINS = frozenset("mdacefvlit")
_PLACES = frozenset(("{Stem}", "{stemCamel}", "{STEM}", "{stem}"))


def declared_names(lines: Iterable[str], stem: str) -> Iterator[tuple[int, str]]:
    """Give the number of each line that declares a name, and its template; without the file's name, exports alone."""
    for number, line in enumerate(lines, 1):
        if line[:1] in _BEGINS and (found := _DECLARED.match(line)) is not None:
            name = found.group(2)
            template = _masked(name, stem)
            if template != name or found.group(1) or _GIVEN.match(line):
                yield number, template


def _masked(name: str, stem: str) -> str:
    """Mask the file's name where it stands in a name as words of its own."""
    for way, place in _ways(stem):
        start = name.find(way)
        end = start + len(way)
        if start >= 0 and _begins(name, start) and not name[end : end + 1].islower():
            return f"{name[:start]}{place}{name[end:]}"
    return name


def _begins(name: str, start: int) -> bool:
    return start == 0 or name[start].isupper() or not name[start - 1].isalnum()


@lru_cache(maxsize=512)
def _ways(stem: str) -> tuple[tuple[str, str], ...]:
    """Give those spellings that names may have; one word is written like several."""
    ways = []
    for way, place in spellings(stem):
        if place in _PLACES and way.isidentifier():
            ways.append((way, ("{Stem}" if way[0].isupper() else "{stemCamel}") if place == "{stem}" else place))
    return tuple(ways)
