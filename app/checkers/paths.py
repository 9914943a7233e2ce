"""PATH rules: names and places of files, or of folders by what they hold.

    {"applicable": {"words": "2"}, "conforming": {"case": "snake_case"}}
    {"applicable": {"names": ["*.tsx"]}, "conforming": {"twin": ["{folder}/{stem}.test.tsx"]}}
    {"per": "folder", "applicable": {"holds": ["*.module.ts"]}, "conforming": {"holds": ["index.ts"]}}

`words` "2" speaks of names of several words only; a twin is a path with {folder}, {parent}, {name}, {stem} and {tested}
in it, the last the stem without what marks a test; {below:2} is the folder without its first two parts.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.checkers.subject import Checker, Site, Subject
from app.domain import globs
from app.domain.cases import case_of, words_in, written_as
from app.domain.listing import Listing
from app.domain.rule import Rule
from app.domain.twins import stem_of, twin_of


def compile_rule(rule: Rule) -> Checker:
    """Make a PATH rule ready."""
    applicable = _selector(rule.definition.get("applicable") or {})
    conforming = _selector(rule.definition["conforming"])
    parts = {**(rule.definition.get("applicable") or {}), **rule.definition["conforming"]}
    whole = "twin" in parts or "holds" in parts
    case = rule.definition["conforming"].get("case")

    def files(subject: Subject, listing: Listing) -> Iterable[Site]:
        if applicable(subject.path, listing):
            fine = conforming(subject.path, listing)
            yield Site(fine, form=case_of(stem_of(subject.path)) if case and not fine else None)

    def folders(subject: Subject, listing: Listing) -> Iterable[Site]:
        # A folder is looked at once: with its first file.
        folder = subject.path.rpartition("/")[0]
        names = listing.folders.get(folder, ())
        first = next((name for name in names if f"{folder}/{name}".lstrip("/") in listing.paths), None)
        if subject.name == first and applicable(subject.path, listing):
            yield Site(conforming(subject.path, listing))

    return Checker(rule, folders if rule.definition.get("per") == "folder" else files, reads=False, whole=whole)


def _selector(parts: Mapping[str, Any]) -> Callable[[str, Listing], bool]:
    names = globs.matcher(parts["names"]) if parts.get("names") else None
    places = globs.matcher(parts["places"]) if parts.get("places") else None
    case, words, twins, holds = parts.get("case"), parts.get("words"), parts.get("twin"), parts.get("holds")

    def selects(path: str, listing: Listing) -> bool:
        return (
            (names is None or names(path.rpartition("/")[2]))
            and (places is None or places(path))
            and (
                words is None
                or (len([word for word in words_in(stem_of(path)) if not word.isdigit()]) > 1) == (words == "2")
            )
            and (case is None or written_as(stem_of(path), case))
            and (twins is None or any(twin_of(twin, path) in listing.paths for twin in twins))
            and (holds is None or _holds(holds, path, listing))
        )

    return selects


def _holds(wanted: Iterable[str], path: str, listing: Listing) -> bool:
    names = listing.folders.get(path.rpartition("/")[0], ())
    return all(any(globs.fits(glob, name) for name in names) for glob in wanted)
