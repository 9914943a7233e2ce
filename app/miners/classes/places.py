"""Where classes of one kind live: models in `models.py`, errors in `src/error/`, entities in `entity/`.

Says, for instance: "Python exception classes live in `_exceptions.py`". A place that holds much of all code is none,
and one file that holds a base with all that extends it is that file's own affair.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.classes.reading import (
    ABSTRACT,
    ERRORS,
    INTERFACE,
    LANGUAGES,
    classes_of,
    is_of_errors,
    kind_in_words,
    note_classes,
    sites_of,
    speaks_for_others,
)
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World, tongue_of
from app.miners.core.words import in_scope
from app.syntax import Source, text_of

# A place with such a share of all files that have classes is where everything is.
_LARGE = 0.34
_LEAST_AT_HOME = 30
_MOST_OF_THEM, _ALL = 0.8, 0.9
_BEGINNING, _OF_THE_PLACE = 4, (0.4, 0.8)
_LEAST = Least(sites=8, files=1)
# Files that stand for their folder.
_ANY_NAME = frozenset(("__init__.py", "index.ts", "index.js", "index.tsx", "mod.rs", "lib.rs", "main.rs"))
_HOME = " with its base"
# What packages of a module begin below: `src/main/java`.
_PACKAGES = "java"


def facts(source: Source) -> Any:
    """Count classes by kind, and list what is defined."""
    found: dict[str, int] = {}
    names = [text_of(each.child_by_field_name("name")) for each in source.nodes("trait_item")]
    for each in classes_of(source):
        names.append(each.name)
        for kind in each.kinds:
            if kind not in (ABSTRACT, INTERFACE):
                found[kind] = found.get(kind, 0) + 1
    return [found, sorted(set(names))] if names else None


def survey(noted: dict[str, Any], file: File, facts: Any) -> None:
    """Count in how many files each place has classes, where those of each kind are, and note where bases are."""
    if facts is None or file.role is not FileRole.SOURCE:
        return
    note_classes(noted, file, facts[0].items())
    tongue = tongue_of(file)
    files, kinds, homes = noted.setdefault(f"{tongue}", ({}, {}, {}))
    places = ("", *_places(file))
    for place in places:
        files[place] = files.get(place, 0) + 1
    for kind, times in facts[0].items():
        here = kinds.setdefault(kind, {})
        for place in places:
            here[place] = here.get(place, 0) + times
    for name in facts[1]:
        homes[name] = file.path


def _places(file: File) -> Iterator[str]:
    # In Java a file is one class; what it holds besides is that class's own.
    if file.name not in _ANY_NAME and file.language != "Java":
        yield file.name
    folders = file.folder.split("/")
    if file.language == "Java" and _PACKAGES in folders:
        # Which of its modules something is in says less than the package does.
        folders = folders[folders.index(_PACKAGES) + 1 :]
    yield from sorted({f"{folder}/" for folder in folders if folder})


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each class say whether it is where most of its kind are."""
    for kind, times in facts[0].items() if facts else ():
        files, kinds, homes = world.noted[f"{tongue_of(file)}"]
        place = _place_of(kinds[kind], files)
        if place is None or not speaks_for_others(world.noted, f"{tongue_of(file)}", kind):
            continue
        home = homes.get(kind.rpartition(" ")[2])
        if file.language == "Rust" and home is None:
            # What other crates ask for is implemented where the type is.
            continue
        own = home is not None and f"/{place}" in f"/{home}"
        if own and is_of_errors(kind):
            # Errors that stand with their base are news if that is what their place is for.
            stem = place.partition(".")[0].lower()
            own = not any(word in stem for word in ("error", "exception")) or stem == kind[8:].lower()
        if (own and not place.endswith("/")) or (kind != ERRORS and _all_errors(kind, place, kinds)):
            continue
        # Folders of Rust are mostly crates, which hold all sorts of things.
        much_else = kinds[kind][place] < _OF_THE_PLACE[file.language == "Rust"] * files[place]
        if place.endswith("/") and much_else and not _called_for(kind, place):
            # That all of a kind are in a folder of much else says little.
            continue
        yield Vote(kind, (f"{place}{_HOME if own else ''}",) if place in _places(file) else (), times)


def _all_errors(kind: str, place: str, kinds: dict[str, dict[str, int]]) -> bool:
    """Tell whether all errors, not only those of one kind, are in a place."""
    if not is_of_errors(kind):
        return False
    return kinds[ERRORS].get(place, 0) >= _ALL * kinds[ERRORS][""]


def _place_of(here: dict[str, int], files: dict[str, int]) -> str | None:
    """Choose the smallest place that has most of a kind, a file before a folder."""
    telling = [
        (files[place], place.endswith("/"), place)
        for place, times in here.items()
        if place and times >= _MOST_OF_THEM * here[""] and files[place] <= _LARGE * files[""]
    ]
    return min(telling)[2] if telling else None


def propose(finding: Finding) -> Proposal | None:
    """Say the place."""
    kind, place = finding.topic, finding.form.removesuffix(_HOME)
    # So few beside their base are a small matter of their own.
    if place != finding.form and finding.applicable < _LEAST_AT_HOME:
        return None
    # Errors are kept in one file on purpose; what else one file alone has may be all there is of it.
    if finding.files == 1 and not is_of_errors(kind):
        return None
    glob = f"**/{place}**" if place.endswith("/") else f"**/{place}"
    scope = finding.scope
    # Inside of the place it goes without saying; the rule is measured over all.
    if any(place in f"{each.removesuffix('**')}" for each in scope.include):
        scope = replace(scope, include=(), exclude=())
        finding = replace(finding, scope=scope)
    rule = Rule(RuleKind.AST, {"applicable": sites_of(finding.tongue or "", kind), "files": [glob]}, scope)
    subject = in_scope(finding, kind_in_words(finding.tongue, kind))
    return Proposal(f"{subject} live in `{place}`", rule, PatternCategory.FILE_STRUCTURE)


def _called_for(kind: str, place: str) -> bool:
    """Tell whether a folder is named after a kind of class, if only by the beginning of one of its words."""
    folder = re.sub(r"[^a-z]", "", place.lower())
    return any(folder.startswith(word[:_BEGINNING]) for word in _words(kind.rpartition(" ")[2]))


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z][a-z]{2,}|[a-z]{3,}", name)]


def prior(finding: Finding) -> float:
    """Know that a place which holds less than a third of the code is not hit by chance, unless the base is there."""
    return 0.75 if finding.form.endswith(_HOME) else _LARGE


FAMILY = Family(
    "class-places",
    votes,
    propose,
    facts=facts,
    version=4,
    languages=LANGUAGES,
    roles=frozenset((FileRole.SOURCE,)),
    prior=prior,
    least=_LEAST,
    survey=survey,
    most=7,
    most_of_an_answer=1,
)
