"""PATH rules: names and places of files, or of folders by what they hold.

    {"applicable": {"words": "2"}, "conforming": {"case": "snake_case"}}
    {"applicable": {"names": ["*.tsx"], "except": ["index.tsx"]}, "conforming": {"twin": ["{folder}/{stem}.test.tsx"]}}
    {"per": "folder", "applicable": {"many": ["*.ts"]}, "conforming": {"holds": ["index.ts", "{parent}.service.ts"]}}

`words` "2" speaks of names of several words only; a twin is a path with {folder}, {parent}, {name}, {stem} and {tested}
in it, the last the stem without what marks a test; {below:2} is the folder without its first two parts. Of selectors in
`any` one has to fit. With "per": "folder" a site is a folder: it `holds` what its files and folders are called,
{parent} being its own name, or three of `many` names; `folders` are globs of its path. The first of its files that
people wrote speaks for it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from app.checkers.subject import Checker, Site, Subject
from app.domain import globs
from app.domain.cases import case_of, words_in, written_as
from app.domain.listing import Listing
from app.domain.rule import Rule
from app.domain.twins import stem_of, twin_of

_MANY = 3


def compile_rule(rule: Rule) -> Checker:
    """Make a PATH rule ready."""
    applicable = _selector(rule.definition.get("applicable") or {})
    conforming = _selector(rule.definition["conforming"])
    selectors = [*_selectors(rule.definition.get("applicable")), *_selectors(rule.definition["conforming"])]
    per_folder = rule.definition.get("per") == "folder"
    whole = per_folder or any(not part.keys().isdisjoint(("twin", "holds", "many")) for part in selectors)
    case = rule.definition["conforming"].get("case")

    def files(subject: Subject, listing: Listing) -> Iterable[Site]:
        if applicable(subject.path, listing):
            fine = conforming(subject.path, listing)
            yield Site(fine, form=case_of(stem_of(subject.path)) if case and not fine else None)

    def folders(subject: Subject, listing: Listing) -> Iterable[Site]:
        # A folder is looked at once; one that holds only folders is looked at with what is below it.
        folder = subject.path.rpartition("/")[0]
        while listing.speaker(folder, rule.scope.languages, rule.scope.roles) == subject.path:
            place = f"{folder}/" if folder else ""
            if applicable(place, listing):
                yield Site(conforming(place, listing))
            folder = folder.rpartition("/")[0]
            if not folder:
                break

    return Checker(rule, folders if per_folder else files, reads=False, whole=whole)


def _selectors(parts: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    return [] if not parts else [parts, *parts.get("any", ())]


def _selector(parts: Mapping[str, Any]) -> Callable[[str, Listing], bool]:
    names, others, places, folders = (
        globs.matcher(parts[part]) if parts.get(part) else None for part in ("names", "except", "places", "folders")
    )
    case, words, twins = parts.get("case"), parts.get("words"), parts.get("twin")
    holds, many = parts.get("holds"), parts.get("many")
    choices = [_selector(choice) for choice in parts.get("any", ())]

    def selects(path: str, listing: Listing) -> bool:
        return (
            (names is None or names(path.rpartition("/")[2]))
            and (others is None or not others(path.rpartition("/")[2]))
            and (places is None or places(path))
            and (folders is None or folders(path.rpartition("/")[0]))
            and (
                words is None
                or (len([word for word in words_in(stem_of(path)) if not word.isdigit()]) > 1) == (words == "2")
            )
            and (case is None or written_as(stem_of(path), case))
            and (twins is None or any(twin_of(twin, path) in listing.paths for twin in twins))
            and (holds is None or _holds(holds, path, listing))
            and (many is None or _has_many(many, path, listing))
            and (not choices or any(choice(path, listing) for choice in choices))
        )

    return selects


def _holds(wanted: Iterable[str], path: str, listing: Listing) -> bool:
    folder = path.rpartition("/")[0]
    names, own = listing.folders.get(folder, ()), folder.rpartition("/")[2]
    for glob in wanted:
        before, placed, after = glob.partition("{parent}")
        # The name of a folder may hold what means something in a glob.
        fits = f"{before}{own}{after}" in names if placed else any(globs.fits(glob, name) for name in names)
        if not fits:
            return False
    return True


def _has_many(wanted: Sequence[str], path: str, listing: Listing) -> bool:
    fits = globs.matcher(wanted)
    return sum(map(fits, listing.folders.get(path.rpartition("/")[0], ()))) >= _MANY
