"""What `.gitattributes` says of files, in the words of linguist; every pattern takes time in proportion to the path."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from app.domain.languages import language_named

MOST_RULES = 2_000
_LARGEST = 200_000
_LONGEST_PATTERN = 300
_MOST_STARS = 16


@dataclass(frozen=True, slots=True)
class Marks:
    """What is said of one file; None where nothing is."""

    generated: bool | None = None
    vendored: bool | None = None
    documentation: bool | None = None
    detectable: bool | None = None
    binary: bool | None = None
    language: str | None = None


_NO_MARKS = Marks()
_FLAGS = {
    "linguist-generated": "generated",
    "linguist-vendored": "vendored",
    "linguist-documentation": "documentation",
    "linguist-detectable": "detectable",
    "binary": "binary",
}
_FALSE = ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class _Rule:
    folder: tuple[str, ...]
    parts: tuple["re.Pattern[str] | None", ...]
    """One expression for a component of the path; None stands for any number of them."""
    anchored: bool
    settings: tuple[tuple[str, bool | str | None], ...]

    def fits(self, path: tuple[str, ...]) -> bool:
        """Tell whether the rule speaks of a path."""
        inside = len(self.folder)
        if path[:inside] != self.folder:
            return False
        if not self.anchored:
            return self.parts[0] is None or self.parts[0].fullmatch(path[-1]) is not None
        return _fit(self.parts, path[inside:])


class Attributes:
    """All rules of a repository; of those that speak of a path, the last one in the deepest folder decides."""

    def __init__(self, rules: Iterable[_Rule] = (), ignored: int = 0) -> None:
        self._rules = tuple(rules)
        self.ignored = ignored
        """So many rules were not understood, or too many."""

    @classmethod
    def read(cls, contents: Mapping[str, bytes]) -> "Attributes":
        """Read the `.gitattributes` of some folders, "" being the root."""
        rules: list[_Rule] = []
        ignored = 0
        macros: dict[str, list[str]] = {}
        for folder in sorted(contents, key=lambda folder: (folder.count("/") + bool(folder), folder)):
            for line in contents[folder][:_LARGEST].decode(errors="replace").splitlines():
                line = line.strip()
                if not line or line.startswith("#"):
                    continue
                pattern, words = _split(line)
                if pattern.startswith("[attr]"):
                    if not folder:
                        macros[pattern.removeprefix("[attr]")] = words
                    continue
                settings = tuple(_settings(words, macros))
                if not settings:
                    continue
                rule = _rule(folder, pattern, settings) if len(rules) < MOST_RULES else None
                if rule is None:
                    ignored += 1
                else:
                    rules.append(rule)
        return cls(rules, ignored)

    def of(self, path: str) -> Marks:
        """Say what is said of a path."""
        if not self._rules:
            return _NO_MARKS
        parts = tuple(path.split("/"))
        marks = _NO_MARKS
        for rule in self._rules:
            if rule.fits(parts):
                marks = replace(marks, **dict(rule.settings))  # type: ignore[arg-type]
        return marks


def _split(line: str) -> tuple[str, list[str]]:
    if line.startswith('"'):
        quoted = re.match(r'"((?:[^"\\]|\\.)*)"\s*(.*)', line)
        if quoted is not None:
            return re.sub(r"\\(.)", r"\1", quoted[1]), quoted[2].split()
    pattern, *words = line.split()
    return pattern, words


def _settings(words: Iterable[str], macros: Mapping[str, list[str]]) -> Iterable[tuple[str, bool | str | None]]:
    for word in words:
        name, separator, value = word.lstrip("-!").partition("=")
        if name in macros and word == name:
            # A macro may name others, but none that could name it again.
            yield from _settings([each for each in macros[name] if each.lstrip("-!") not in macros], {})
        if name == "linguist-language":
            yield "language", language_named(value) if separator and not word.startswith(("-", "!")) else None
        elif name in _FLAGS:
            told: bool | None = value.lower() not in _FALSE
            if word.startswith("!"):
                told = None
            elif word.startswith("-"):
                told = False
            yield _FLAGS[name], told


def _rule(folder: str, pattern: str, settings: tuple[tuple[str, bool | str | None], ...]) -> _Rule | None:
    # A pattern that ends with a slash speaks of folders, and these have no attributes; a negative one is an error.
    if not pattern or pattern.endswith("/") or pattern.startswith("!"):
        return None
    if len(pattern) > _LONGEST_PATTERN or pattern.count("*") > _MOST_STARS:
        return None
    anchored = "/" in pattern
    try:
        parts = tuple(None if part == "**" else _component(part) for part in pattern.lstrip("/").split("/"))
    except re.error:
        return None
    return _Rule(tuple(folder.split("/")) if folder else (), parts, anchored, settings)


def _component(glob: str) -> "re.Pattern[str]":
    """Translate one component of a glob into an expression that never tries the same thing twice."""
    pieces = [""]
    position = 0
    while position < len(glob):
        letter = glob[position]
        position += 1
        if letter == "*":
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
        elif letter == "?":
            pieces[-1] += "."
        elif letter == "[" and (end := glob.find("]", position + 1 + (glob[position : position + 1] in "!^"))) > 0:
            inside, position = glob[position:end], end + 1
            negated = inside[:1] in "!^"
            pieces[-1] += f"[{'^' if negated else ''}{_class(inside[negated:])}]"
        else:
            if letter == "\\" and position < len(glob):
                letter = glob[position]
                position += 1
            pieces[-1] += re.escape(letter)
    if len(pieces) == 1:
        return re.compile(pieces[0], re.DOTALL)
    first, *middle, last = pieces
    # The earliest place of a piece is as good as any later one, so an atomic group may forget the others.
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in middle if piece) + f".*{last}", re.DOTALL)


def _class(inside: str) -> str:
    return re.sub(r"([\\\[\]^&~|])", r"\\\1", inside)


def _fit(parts: tuple["re.Pattern[str] | None", ...], path: tuple[str, ...]) -> bool:
    """Match components against components; a None, `**`, takes none or many, at the end at least one."""
    reached = {0}
    for number, part in enumerate(parts):
        if part is None:
            first = min(reached) + (number == len(parts) - 1)
            reached = set(range(first, len(path) + 1))
        else:
            reached = {place + 1 for place in reached if place < len(path) and part.fullmatch(path[place])}
        if not reached:
            return False
    return len(path) in reached
