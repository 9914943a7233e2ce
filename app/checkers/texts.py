"""REGEX rules: linear-time expressions over the text of a file, and line templates that every file of a kind carries.

    {"per": "match", "applicable": "logging\\.getLogger\\([^)]*\\)", "conforming": "\\(__name__\\)"}
    {"per": "match", "within": "^\\[deps\\]\\n([^\\[].*\\n)*", "applicable": "^\\w+ = .*", "conforming": "version"}
    {"per": "file", "lines": ["logger = logging.getLogger(__name__)"]}
    {"per": "file", "names": ["Z{Stem}RequestSchema"]}
    {"per": "file", "conforming": "^// Copyright \\d{4}"}

With `within` only matches inside of what it matches are sites: of the dependencies of a TOML file, say. With
"per": "file" an `applicable` expression says which files are meant, and `absent` turns `conforming` round: it must
not occur. Templates know {stem}, the file's own name in several spellings, and {year}; those of `names` are of what a
script declares.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import re2

from app.checkers.subject import Checker, Site, Subject
from app.domain.errors import Invalid
from app.domain.listing import Listing
from app.domain.own_names import declared_names
from app.domain.rule import Rule
from app.domain.templates import stem_of, template_of

MOST_SITES = 2_000
_AT_LEAST, _AT_MOST = re.compile(r"\^\.\{([1-9]\d{0,2}),\}\$"), re.compile(r"\^\.\{1,([1-9]\d{0,2})\}\$")
# `^` and `$` are the ends of lines.
_BY_LINE = "(?m)"
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 4 << 20


def compile_rule(rule: Rule) -> Checker:
    """Make a REGEX rule ready."""
    definition = rule.definition
    applicable, conforming, within = (_expression(rule, part) for part in ("applicable", "conforming", "within"))
    lines, names = (tuple(definition.get(part) or ()) for part in ("lines", "names"))
    absent = bool(definition.get("absent"))
    widths = _widths_of(definition)

    def long_lines(subject: Subject, _: Listing) -> Iterable[Site]:
        least, most = widths or (0, 0)
        asked = ((number, len(line)) for number, line in enumerate(subject.lines, 1) if len(line) >= least)
        for number, length in islice(asked, MOST_SITES):
            yield Site(length <= most, number, number)

    def matches(subject: Subject, _: Listing) -> Iterable[Site]:
        assert applicable is not None
        assert conforming is not None
        places = _Lines(subject.text)
        for count, (start, text) in enumerate(_matches(applicable, within, subject.text)):
            if count == MOST_SITES:
                return
            fine = (conforming.search(text) is not None) is not absent
            yield Site(fine, places.of(start), places.of(max(start, start + len(text) - 1)))

    def whole(subject: Subject, _: Listing) -> Iterable[Site]:
        text = subject.text
        if applicable is not None and applicable.search(text) is None:
            return
        if conforming is not None:
            found = conforming.search(text)
            if absent or found is None:
                place = None if found is None else _Lines(text).of(found.start())
                yield Site((found is None) is absent, place, place)
                return
            if not (lines or names):
                places = _Lines(text)
                yield Site(True, places.of(found.start()), places.of(max(found.start(), found.end() - 1)))
                return
        yield _carried(subject, lines, names)

    if definition.get("per", "file") != "match":
        return Checker(rule, whole)
    return Checker(rule, matches if widths is None else long_lines)


def _widths_of(definition: Mapping[str, Any]) -> tuple[int, int] | None:
    """Tell between which lengths lines are to be; an expression is slow where most lines of a repository are sites."""
    least = _AT_LEAST.fullmatch(definition.get("applicable") or "")
    most = _AT_MOST.fullmatch(definition.get("conforming") or "")
    plain = not (definition.get("absent") or definition.get("within"))
    return (int(least.group(1)), int(most.group(1))) if least and most and plain else None


def _matches(applicable: "re2._Regexp[str]", within: "re2._Regexp[str] | None", text: str) -> Iterator[tuple[int, str]]:
    """Give the places and texts of what is meant, where it is meant."""
    parts = ((0, text),) if within is None else ((part.start(), part.group()) for part in within.finditer(text))
    for start, part in parts:
        yield from ((start + found.start(), found.group()) for found in applicable.finditer(part))


def _carried(subject: Subject, lines: tuple[str, ...], names: tuple[str, ...]) -> Site:
    """Look for every template; a file that carries them all is shown where they stand."""
    stem = stem_of(subject.name)
    found = declared_names(subject.lines, stem) if names else _templates(subject, stem)
    missing = {*(names or lines)}
    places = []
    for number, template in found:
        if template in missing:
            missing.remove(template)
            places.append(number)
            if not missing:
                # Lines that stand far apart are shown by the first of them.
                close = places[-1] - places[0] < len(places) + 10
                return Site(True, places[0], places[-1] if close else places[0])
    return Site(False)


def _templates(subject: Subject, stem: str) -> Iterable[tuple[int, str]]:
    return ((number, template_of(line, stem)) for number, line in enumerate(subject.lines, 1))


class _Lines:
    """Turns places in a text into lines, in one pass for places that rise."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at, self._line = 0, 1

    def of(self, place: int) -> int:
        """Give the line of a place, counted from 1."""
        if place < self._at:
            self._at, self._line = 0, 1
        self._line += self._text.count("\n", self._at, place)
        self._at = place
        return self._line


def _expression(rule: Rule, part: str) -> "re2._Regexp[str] | None":
    written = rule.definition.get(part)
    if not written:
        return None
    try:
        return re2.compile(f"{_BY_LINE}{written}", _OPTIONS)
    except re2.error as bad:
        told = bad.args[0].decode().replace(_BY_LINE, "")
        raise Invalid(
            "The rule cannot be read.", fields={f"definition.{part}": f"No RE2 expression: {told[:200]}"}
        ) from None
