"""What pages of documentation say of themselves before they begin: `title`, `sidebar_position`, `description`.

Says, for instance: "Pages in `docs/` give their `title` and `weight` in front matter". Pages that a tool or a platform
knows by their name are read where they are, and need none.
"""

import re
from collections.abc import Iterable
from itertools import permutations
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import places_in_words
from app.syntax import Source

_PAGE = re.compile(r".*\.(?:md|mdx|markdown)")
_KNOWN = re.compile(r"(?:[A-Z][A-Z_-]+|[Cc]hangelog|[Rr]eadme|_?[Ii]ndex)(?:[.-].*)?\.\w+")
_KEY = re.compile(r"([A-Za-z][\w-]*):")
_FENCE, _MOST_LINES, _MOST_KEYS = "---", 40, 3
# Lines before the second fence.
_LINES = rf"(?:(?:[^-\n][^\n]*|-[^-\n][^\n]*)?\n){{0,{_MOST_LINES}}}?"


def facts(source: Source) -> Any:
    """List what a page gives, nothing where it has no front matter."""
    if not _PAGE.fullmatch(source.name) or _KNOWN.fullmatch(source.name):
        return None
    keys: list[str] = []
    if not source.lines or source.lines[0].rstrip() != _FENCE:
        return keys
    for line in source.lines[1 : _MOST_LINES + 1]:
        if line.rstrip() == _FENCE:
            return sorted(set(keys))
        if (found := _KEY.match(line)) is not None:
            keys.append(found.group(1))
    return keys[:0]


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each page vote for what it gives."""
    if facts is not None:
        yield Vote("keys", tuple(facts))


def propose(finding: Finding) -> Proposal | None:
    """Say what they give."""
    keys = (finding.together or (finding.form,))[:_MOST_KEYS]
    orders = "|".join("".join(rf"{_LINES}{key}:[^\n]*\n" for key in order) for order in permutations(keys))
    rule = Rule(RuleKind.REGEX, {"per": "file", "conforming": rf"\A{_FENCE}\s*\n(?:{orders})"}, finding.scope)
    listed = " and ".join(filter(None, (", ".join(f"`{key}`" for key in keys[:-1]), f"`{keys[-1]}`")))
    places = places_in_words(finding.scope, finding.tongue)
    return Proposal(f"Pages{places} give their {listed} in front matter", rule, PatternCategory.DOCUMENTATION)


def prior(_: Finding) -> float:
    """Know that most pages have none."""
    return 0.2


FAMILY = Family(
    "front-matter",
    votes,
    propose,
    facts=facts,
    languages=None,
    roles=frozenset((FileRole.DOCS,)),
    prior=prior,
    least=Least(sites=10, files=10, share=0.9, rising=False),
    open=True,
    joins=True,
    most=2,
)
