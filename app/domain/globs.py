"""Globs over paths: `**` crosses folders, `*` and `?` do not, `{a,b}` chooses; none takes long, whatever the path."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

LONGEST = 300
MOST_CHOICES = 64

_PLAIN = re.compile(r"[^*?\[\]{}\\]*")


class BadGlob(ValueError):
    """A glob that cannot be read; the message says why."""


def check(glob: str) -> None:
    """Refuse a glob that could not be matched."""
    if not glob or len(glob) > LONGEST:
        raise BadGlob(f"A glob has 1 to {LONGEST} characters.")
    if glob.startswith("/") or "\\" in glob or "\0" in glob:
        raise BadGlob("A glob is relative to the repository and has no backslash.")
    if any(part in ("", ".", "..") for part in glob.rstrip("/").split("/")):
        raise BadGlob("A glob has no empty parts and no dots for folders.")
    if "[" in glob or "]" in glob:
        raise BadGlob("A glob chooses with {a,b}, not with brackets.")
    _choices(glob)


def matcher(globs: Sequence[str]) -> Callable[[str], bool]:
    """Give a function that tells whether a path fits one of some globs."""
    return _matcher(tuple(globs))


def fits(glob: str, path: str) -> bool:
    """Tell whether a path fits a glob."""
    return matcher((glob,))(path)


def expression(globs: Sequence[str]) -> str:
    """Spell globs as one regular expression over whole paths, for those who filter in a database."""
    choices = [choice for glob in globs for choice in _choices(glob)]
    return f"^(?:{'|'.join(_expression(choice) for choice in choices)})$" if choices else ".*"


@lru_cache(maxsize=4096)
def _matcher(globs: tuple[str, ...]) -> Callable[[str], bool]:
    tests = [_test(choice) for glob in globs for choice in _choices(glob)]
    if len(tests) == 1:
        return tests[0]
    return lambda path: any(test(path) for test in tests)


def _test(glob: str) -> Callable[[str], bool]:
    """Choose the cheapest way to match; almost every glob is a folder, a suffix, or both."""
    if glob == "**":
        return lambda _: True
    folder, crossing, rest = glob.partition("**")
    if not crossing:
        return glob.__eq__ if _PLAIN.fullmatch(glob) else _whole(glob)
    if _PLAIN.fullmatch(folder) and rest == "":
        return lambda path: path.startswith(folder)
    name = rest.removeprefix("/")
    if _PLAIN.fullmatch(folder) and rest.startswith("/") and "/" not in name:
        if _PLAIN.fullmatch(name):
            ending = f"/{name}"
            return lambda path: path.startswith(folder) and (path.endswith(ending) or path == folder + name)
        if name.startswith("*") and _PLAIN.fullmatch(name[1:]):
            suffix = name[1:]
            return lambda path: path.startswith(folder) and path.endswith(suffix)
    return _whole(glob)


def _whole(glob: str) -> Callable[[str], bool]:
    parts = [None if part == "**" else _part(part) for part in glob.split("/")]
    return lambda path: _fit(parts, path.split("/"))


def _part(glob: str) -> Callable[[str], bool]:
    """Choose likewise for one part of a path."""
    before, *between = glob.split("*")
    if "?" in glob:
        return partial(_fits_part, glob)
    if not between:
        return glob.__eq__
    *between, after = between
    least = len(before) + len(after)

    def fits(part: str) -> bool:
        if len(part) < least or not part.startswith(before) or not part.endswith(after):
            return False
        at, end = len(before), len(part) - len(after)
        for piece in between:
            if (found := part.find(piece, at, end)) < 0:
                return False
            at = found + len(piece)
        return True

    return fits


def _fit(wanted: Sequence[Callable[[str], bool] | None], parts: Sequence[str]) -> bool:
    """Match folder by folder; after a mismatch only the last `**` takes one folder more, so the time stays bounded."""
    at = place = 0
    star, resumed = -1, 0
    while place < len(parts):
        part = wanted[at] if at < len(wanted) else _no_part
        if part is None:
            star, resumed = at, place
            at += 1
        elif part(parts[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resumed += 1
            at, place = star + 1, resumed
        else:
            return False
    return at == len(wanted)


def _no_part(_: str) -> bool:
    return False


def _fits_part(wanted: str, part: str) -> bool:
    at = place = 0
    star, resumed = -1, 0
    while place < len(part):
        if at < len(wanted) and wanted[at] == "*":
            star, resumed = at, place
            at += 1
        elif at < len(wanted) and wanted[at] in (part[place], "?"):
            at, place = at + 1, place + 1
        elif star >= 0:
            resumed += 1
            at, place = star + 1, resumed
        else:
            return False
    return all(rest == "*" for rest in wanted[at:])


@lru_cache(maxsize=4096)
def _choices(glob: str) -> tuple[str, ...]:
    """Write out every choice of `{a,b}`."""
    before, opened, rest = glob.partition("{")
    if not opened:
        if "}" in glob:
            raise BadGlob("A brace is closed that was not opened.")
        return (f"{glob}**" if glob.endswith("/") else glob,)
    depth, start, words = 1, 0, []
    for place, letter in enumerate(rest):
        depth += (letter == "{") - (letter == "}")
        if depth == 0 or (depth == 1 and letter == ","):
            words.append(rest[start:place])
            start = place + 1
        if depth == 0:
            found = tuple(choice for word in words for choice in _choices(f"{before}{word}{rest[place + 1 :]}"))
            if len(found) > MOST_CHOICES:
                raise BadGlob(f"A glob has at most {MOST_CHOICES} choices.")
            return found
    raise BadGlob("A brace is not closed.")


def _expression(glob: str) -> str:
    parts = []
    words = glob.split("/")
    for place, word in enumerate(words):
        last = place == len(words) - 1
        if word == "**":
            parts.append(".*" if last else "(?:.*/)?")
        else:
            spelled = "".join({"*": "[^/]*", "?": "[^/]"}.get(letter, re.escape(letter)) for letter in word)
            parts.append(spelled if last else f"{spelled}/")
    return "".join(parts)
