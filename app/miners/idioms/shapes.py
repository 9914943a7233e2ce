"""Shapes of nodes: the part of ast-grep's rules that idioms are told in, read over the trees that facts are taken from.

One table serves twice: facts count by it, and the rule that is stored says the very same.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.miners.core.family import WRITTEN
from app.syntax import Node, Source, text_of

Shape = Mapping[str, Any]
"""A rule with `kind`, `regex`, `any`, `all`, `not`, `has` (a field or a child), `inside` and `follows`."""


@dataclass(slots=True)
class Seen:
    """What was read of a file already: many rows ask the same of the same nodes."""

    content: bytes
    texts: dict[tuple[int, str], str | None] = field(default_factory=dict)
    """Texts by node and field; those of nodes themselves under no field."""
    groups: dict[tuple[str, str], dict[str, list[tuple[int, Node]]]] = field(default_factory=dict)
    """The nodes of a kind with their places, by the text of a field."""


_SEEN: WeakKeyDictionary[Source, Seen] = WeakKeyDictionary()

Fits = Callable[[Node, Seen], bool]
"""Tells whether a node has a shape."""

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
    seen = _seen_of(source)
    for idiom in idioms:
        spoken = not idiom.words or any(word in source.text for word in idiom.words)
        if idiom.absent:
            if next(_sites(source, idiom.applicable, seen), None) is not None:
                yield idiom.question, not spoken or next(_sites(source, idiom.conforming, seen), None) is None
            continue
        if not spoken:
            continue
        for number, node in enumerate(_sites(source, idiom.applicable, seen)):
            if number == MOST_SITES:
                break
            yield idiom.question, compiled(idiom.conforming)(node, seen)


def sites_of(source: Source, shape: Shape) -> Iterator[Node]:
    """Give the nodes of a file that have a shape."""
    return _sites(source, shape, _seen_of(source))


def _seen_of(source: Source) -> Seen:
    seen = _SEEN.get(source)
    if seen is None:
        seen = _SEEN[source] = Seen(source.content)
    return seen


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


def _sites(source: Source, shape: Shape, seen: Seen) -> Iterator[Node]:
    lead = _lead_of(shape)
    if lead is not None:
        kind, asked, search, rest = lead
        # Calls are many and what is called is not: each name is asked once.
        texts = [nodes for text, nodes in _grouped(source, kind, asked, seen).items() if search(text)]
        found = texts[0] if len(texts) == 1 else sorted(chain.from_iterable(texts), key=_BY_PLACE)
        for _, node in found:
            if rest is None or rest(node, seen):
                yield node
        return
    if "kind" in shape:
        # Nodes of the only kind that is asked for need not be asked again.
        fits = _beside_kind(shape)
        yield from (node for node in source.nodes(shape["kind"]) if fits(node, seen))
    elif set(shape) == {"any"}:
        # Each choice has its own quick way.
        nodes = {node.id: node for choice in shape["any"] for node in _sites(source, choice, seen)}
        yield from sorted(nodes.values(), key=lambda node: (node.start_byte, -node.end_byte))
    else:
        fits = compiled(shape)
        yield from (node for node in source.nodes(*kinds_of(shape)) if fits(node, seen))


_BY_PLACE = itemgetter(0)


def _grouped(source: Source, kind: str, asked: str, seen: Seen) -> dict[str, list[tuple[int, Node]]]:
    groups = seen.groups.get((kind, asked))
    if groups is None:
        groups = seen.groups[kind, asked] = {}
        for place, node in enumerate(source.nodes(kind)):
            child = node.child_by_field_name(asked)
            if child is not None:
                groups.setdefault(text_of(child), []).append((place, node))
    return groups


def kinds_of(shape: Shape) -> tuple[str, ...]:
    """List the kinds of nodes that a shape may fit."""
    if "kind" in shape:
        return (shape["kind"],)
    return tuple(dict.fromkeys(kind for each in shape.get("any", ()) for kind in kinds_of(each)))


_Lead = tuple[str, str, Callable[[str], bool], Fits | None]


def _lead_of(shape: Shape) -> _Lead | None:
    """Find the field by whose text most nodes of the one kind are ruled out, and what is left to be asked."""
    known = _LEADS.get(id(shape))
    if known is None:
        known = _LEADS[id(shape)] = (shape, _find_lead(shape))
    return known[1]


def _find_lead(shape: Shape) -> _Lead | None:
    if "kind" not in shape:
        return None
    rest = {part: shape[part] for part in shape if part != "kind"}
    told = [rest["has"]] if "has" in rest else [each["has"] for each in rest.get("all", ()) if set(each) == {"has"}]
    lead = next((each for each in told if set(each) == {"field", "regex"}), None)
    if lead is None:
        return None
    if "has" in rest:
        del rest["has"]
    else:
        rest["all"] = [each for each in rest["all"] if each.get("has") is not lead]
    rest = {part: asked for part, asked in rest.items() if asked != []}
    return shape["kind"], lead["field"], _searching(lead["regex"]), _compile(rest) if rest else None


# Rows are few and live as long as the program; the shape is kept, so that no other may take its number.
_COMPILED: dict[int, tuple[Shape, Fits]] = {}
_BESIDE: dict[int, tuple[Shape, Fits]] = {}
_LEADS: dict[int, tuple[Shape, _Lead | None]] = {}


def compiled(shape: Shape) -> Fits:
    """Make a test of nodes from a shape."""
    known = _COMPILED.get(id(shape))
    if known is None:
        known = _COMPILED[id(shape)] = (shape, _compile(shape))
    return known[1]


def _beside_kind(shape: Shape) -> Fits:
    known = _BESIDE.get(id(shape))
    if known is None:
        known = _BESIDE[id(shape)] = (shape, _compile({part: shape[part] for part in shape if part != "kind"}))
    return known[1]


def _compile(shape: Shape) -> Fits:
    tests = [_TESTS[part](shape[part]) for part in _TESTS if part in shape]
    if len(tests) == 1:
        return tests[0]

    def fits(node: Node, seen: Seen) -> bool:
        for test in tests:  # noqa: SIM110 - this is asked of every node
            if not test(node, seen):
                return False
        return True

    return fits


def _kind(asked: str) -> Fits:
    return lambda node, _: node.type == asked


def _regex(asked: str) -> Fits:
    search = _searching(asked)
    if _asks_the_end(asked):
        # What is asked of the end of a long text need not be looked for in all of it.
        return lambda node, seen: search(_end_of(node, seen.content))

    def worded(node: Node, seen: Seen) -> bool:
        key = (node.id, "")
        text = seen.texts.get(key)
        if text is None:
            text = seen.texts[key] = text_of(node)
        return search(text)

    return worded


def _searching(asked: str) -> Callable[[str], bool]:
    search = re.compile(asked).search
    if _asks_the_end(asked):
        return lambda text: search(text, max(0, len(text) - _LONGEST_END)) is not None
    return lambda text: search(text) is not None


def _asks_the_end(asked: str) -> bool:
    return asked.endswith("$") and not asked.startswith("^") and "|" not in asked


def _end_of(node: Node, content: bytes) -> str:
    # No letter takes more than four bytes; one that is cut in two stands before what is asked.
    start = max(node.start_byte, node.end_byte - 4 * (_LONGEST_END + 1))
    return content[start : node.end_byte].decode(errors="replace")


def _any(asked: Sequence[Shape]) -> Fits:
    tests = [_compile(each) for each in asked]
    return lambda node, seen: any(test(node, seen) for test in tests)


def _all(asked: Sequence[Shape]) -> Fits:
    return _compile_all([_compile(each) for each in asked])


def _compile_all(tests: Sequence[Fits]) -> Fits:
    return lambda node, seen: all(test(node, seen) for test in tests)


def _not(asked: Shape) -> Fits:
    test = _compile(asked)
    return lambda node, seen: not test(node, seen)


def _has(asked: Shape) -> Fits:
    test, name = _compile(asked), asked.get("field")
    if name is None:
        return lambda node, seen: any(test(child, seen) for child in node.children)
    if set(asked) == {"field", "regex"}:
        return _worded(name, _searching(asked["regex"]))

    def has(node: Node, seen: Seen) -> bool:
        child = node.child_by_field_name(name)
        return child is not None and test(child, seen)

    return has


def _worded(name: str, search: Callable[[str], bool]) -> Fits:
    def worded(node: Node, seen: Seen) -> bool:
        # Many rows ask what the same calls are named.
        key = (node.id, name)
        texts = seen.texts
        if key in texts:
            text = texts[key]
        else:
            child = node.child_by_field_name(name)
            text = texts[key] = None if child is None else text_of(child)
        return text is not None and search(text)

    return worded


def _inside(asked: Shape) -> Fits:
    test, stop = _compile(asked), asked.get("stopBy", "neighbor")
    ends = _compile(stop) if isinstance(stop, Mapping) else None

    def inside(node: Node, seen: Seen) -> bool:
        above = node.parent
        if stop == "neighbor":
            return above is not None and test(above, seen)
        while above is not None and not test(above, seen):
            if ends is not None and ends(above, seen):
                return False
            above = above.parent
        return above is not None

    return inside


def _follows(asked: Shape) -> Fits:
    test, stop = _compile(asked), asked.get("stopBy", "neighbor")
    ends = _compile(stop) if isinstance(stop, Mapping) else None

    def follows(node: Node, seen: Seen) -> bool:
        before = node.prev_sibling
        while before is not None and not test(before, seen):
            if ends is None or ends(before, seen):
                return False
            before = before.prev_sibling
        return before is not None

    return follows


# The cheapest question comes first.
_TESTS: dict[str, Callable[[Any], Fits]] = {
    "kind": _kind,
    "has": _has,
    "all": _all,
    "any": _any,
    "follows": _follows,
    "not": _not,
    "regex": _regex,
    "inside": _inside,
}
