"""What guides say: the line of CONTRIBUTING.md or AGENTS.md that states a convention in nearly the same words.

A guide proposes nothing by itself; what was found in the code is told with the line that asks for it. A line is taken
only if it names every identifier that the sentence names, speaks of the same thing, and does not say the contrary.
"""

import re
from collections.abc import Iterable
from typing import Any

from app.domain.recognition import FileRole
from app.miners.core.family import Declared, Family, File, Finding, Proposal, Vote, World
from app.syntax import Source

_LINES = "lines"
_GUIDE = re.compile(
    r"(contributing|agents|claude|copilot-instructions|.*style.*|.*guidelines?|.*conventions?|coding.*|hacking)\.(md|rst|adoc)",
    re.IGNORECASE,
)
_MOST_LINES, _LONGEST, _SHORTEST, _DEEPEST = 400, 400, 15, 4
_CODE = re.compile(r"`([^`]+)`")
_IDENTIFIER = re.compile(r"[@#]?[A-Za-z_][\w.-]*")
_TELLING = re.compile(r"[@#._-]\w|[a-z][A-Z]")
_WORD = re.compile(r"[A-Za-z]{5,}")
_AGAINST = re.compile(r"\b(not|never|no|avoid|don't|don’t|instead|rather|without|forbid\w*|❌)\b|❌", re.IGNORECASE)
_RATHER = re.compile(r"\b(rather than|instead of|over|not|never)\b", re.IGNORECASE)
_COMMON = frozenset(
    ("python", "typescript", "javascript", "source", "files", "tests", "their", "other", "named", "which")
)


def facts(source: Source) -> Any:
    """Keep the lines of a guide that name something."""
    if not _GUIDE.fullmatch(source.name):
        return None
    found: list[list[Any]] = []
    for number, line in enumerate(source.lines, 1):
        text = " ".join(line.split())
        if _SHORTEST <= len(text) <= _LONGEST and _CODE.search(text) and len(found) < _MOST_LINES:
            found.append([number, text])
    return found or None


def survey(noted: dict[str, Any], file: File, facts: Any) -> None:
    """Note the lines of guides near the top."""
    if facts and file.path.count("/") < _DEEPEST:
        noted.setdefault(_LINES, []).extend((file.path, number, text) for number, text in facts)


def votes(_: File, __: Any, ___: World) -> Iterable[Vote]:
    """Cast none."""
    return ()


def propose(_: Finding) -> Proposal | None:
    """Propose nothing."""
    return None


def cites(world: World, sentence: str) -> Declared | None:
    """Find the line that states what a sentence says."""
    names = _names(sentence)
    # A plain word, though set as code, is in many lines that speak of something else.
    if not any(_TELLING.search(name) for name in names):
        return None
    words = _words(sentence)
    best: tuple[int, str, int, str] | None = None
    for path, number, text in sorted(world.noted.get(_LINES, ())):
        shared = len(words & _words(text))
        if (len(names) > 1 or shared) and _states(text, names, sentence) and (best is None or shared > best[0]):
            best = (shared, path, number, text)
    return None if best is None else Declared(best[1], best[2], _plain(best[3]))


def _plain(text: str) -> str:
    return text.replace("**", "").lstrip("-*+>#|0123456789. ").rstrip(". ")[:160]


def _names(sentence: str) -> list[str]:
    """List the identifiers that a sentence names, places aside."""
    told = [code for code in _CODE.findall(sentence) if "/" not in code]
    return [found.strip(".-") for code in told for found in _IDENTIFIER.findall(code) if len(found) > 2]


def _words(text: str) -> frozenset[str]:
    """Give the beginnings of the words that tell what is spoken of, code aside."""
    bare = _CODE.sub(" ", text)
    return frozenset(word[:5] for each in _WORD.findall(bare) if (word := each.lower()) not in _COMMON)


def _states(text: str, names: list[str], sentence: str) -> bool:
    places = []
    for name in names:
        found = re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text)
        if found is None:
            return False
        places.append(found.start())
    against = _AGAINST.search(text) is not None
    if not re.search(r"\b(not|never|no)\b", sentence):
        return not against
    # Of "X, not Y" the line has to say the same in the same order.
    return against and (len(names) == 1 or (places == sorted(places) and _RATHER.search(text, places[0]) is not None))


FAMILY = Family(
    "guides",
    votes,
    propose,
    facts=facts,
    languages=None,
    roles=frozenset((FileRole.DOCS,)),
    survey=survey,
    cites=cites,
)
