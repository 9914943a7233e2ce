"""Shapes of nodes: the part of ast-grep's rules that idioms are told in, read over the trees that facts are taken from.

One table serves twice: facts count by it, and the rule that is stored says the very same.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.miners.core.family import WRITTEN
from app.syntax import Node, Source, text_of

Shape = Mapping[str, Any]
"""A rule with `kind`, `regex`, `any`, `all`, `not`, `has` (a field or a child), `inside` and `follows`."""

MOST_SITES = 400
"""So many sites of one file are asked; more of them would say the same again."""

_LONGEST_END = 300

SOURCES, TESTS = frozenset((FileRole.SOURCE,)), frozenset((FileRole.TEST,))


@dataclass(frozen=True, slots=True)
class Idiom:
    """A choice that a language leaves open: its sites, those that choose the first way, and what to call it."""

    question: str
    """Its name, which is kept with facts and never changes."""
    applicable: Shape
    conforming: Shape
    subject: str
    says: str
    usual: float
    category: PatternCategory = PatternCategory.STRUCTURAL
    alternative: str | None = None
    """What the others do."""
    against: str | None = None
    """What to say where the other way is the convention; nothing where that is not worth a sentence."""
    usually_against: float = 0.3
    instead: str | None = None
    """What those do that break the other way."""
    absent: bool = False
    """Whether files are asked instead of nodes: one with an applicable node conforms if it has no conforming one."""
    roles: frozenset[FileRole] = WRITTEN
    words: tuple[str, ...] = ()
    """A file with none of them has no site; one that is asked for what is absent conforms."""
    weight: float = 1.0


def answers(source: Source, idioms: tuple[Idiom, ...]) -> Iterator[tuple[str, bool]]:
    """Answer each question once for each site of a file."""
    for idiom in idioms:
        spoken = not idiom.words or any(word in source.text for word in idiom.words)
        if idiom.absent:
            if next(_sites(source, idiom.applicable), None) is not None:
                yield idiom.question, not spoken or next(_sites(source, idiom.conforming), None) is None
            continue
        if not spoken:
            continue
        for number, node in enumerate(_sites(source, idiom.applicable)):
            if number == MOST_SITES:
                break
            yield idiom.question, fits(node, idiom.conforming)


def definition_of(idiom: Idiom, language: str, chosen: bool) -> dict[str, Any]:
    """Spell an idiom as the definition of a rule; the other way round where that is what was chosen."""
    applicable, conforming = dict(idiom.applicable), dict(idiom.conforming)
    if idiom.absent:
        if applicable.get("kind") != _ROOTS[language]:
            applicable = {"kind": _ROOTS[language], "has": {**applicable, "stopBy": "end"}}
        conforming = {"not": {"has": {**conforming, "stopBy": "end"}}}
    return {"applicable": applicable, "conforming": conforming if chosen else {"not": conforming}}


_ROOTS = {
    "Python": "module",
    "JavaScript": "program",
    "TypeScript": "program",
    "Java": "program",
    "Go": "source_file",
    "Rust": "source_file",
}


def _sites(source: Source, shape: Shape) -> Iterator[Node]:
    for node in source.nodes(*kinds_of(shape)):
        if fits(node, shape):
            yield node


def kinds_of(shape: Shape) -> tuple[str, ...]:
    """List the kinds of nodes that a shape may fit."""
    if "kind" in shape:
        return (shape["kind"],)
    return tuple(dict.fromkeys(kind for each in shape.get("any", ()) for kind in kinds_of(each)))


def fits(node: Node | None, shape: Shape) -> bool:
    """Tell whether a node has a shape."""
    return node is not None and all(_CHECKS[part](node, asked) for part, asked in shape.items() if part in _CHECKS)


def _has(node: Node, asked: Shape) -> bool:
    if "field" in asked:
        return fits(node.child_by_field_name(asked["field"]), asked)
    return any(fits(child, asked) for child in node.children)


def _inside(node: Node, asked: Shape) -> bool:
    above, stop = node.parent, asked.get("stopBy", "neighbor")
    if stop == "neighbor":
        return fits(above, asked)
    while above is not None and not fits(above, asked):
        if stop != "end" and fits(above, stop):
            return False
        above = above.parent
    return above is not None


def _matches(text: str, asked: str) -> bool:
    # What is asked of the end of a long text need not be looked for in all of it.
    begin = max(0, len(text) - _LONGEST_END) if asked.endswith("$") and not asked.startswith("^") else 0
    return _expression(asked).search(text, begin) is not None


@cache
def _expression(text: str) -> "re.Pattern[str]":
    return re.compile(text)


_CHECKS: dict[str, Any] = {
    "kind": lambda node, asked: node.type == asked,
    "regex": lambda node, asked: _matches(text_of(node), asked),
    "any": lambda node, asked: any(fits(node, each) for each in asked),
    "all": lambda node, asked: all(fits(node, each) for each in asked),
    "not": lambda node, asked: not fits(node, asked),
    "has": _has,
    "inside": _inside,
    "follows": lambda node, asked: fits(node.prev_sibling, asked),
}
