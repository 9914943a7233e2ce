"""Libraries that a repository uses through a module of its own: `axios` only in `src/http.ts`, which all others import.

Says, for instance: "TypeScript files use `axios` through `src/http.ts`, and do not import it". A module is taken for a
wrapper where it is called after the library, imports little else from outside, and is imported by many files while
hardly any imports the library itself. A wrapper of Go is a package, whose whole path stands in each import; Rust, whose
imports name items, is not read.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.domain.listing import Listing
from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.domain.targets import targets_of
from app.miners.core.family import SCRIPTS, TONGUES, Family, File, Finding, Least, Proposal, Vote, World
from app.syntax import Source, imports_of

_READ = SCRIPTS | {"Python", "Java", "Go"}
_LEAST_USERS, _LEAST_NAME = 8, 3
_MOST_OUTSIDE, _MOST_LEAKS = 3, 0.1
# What Java has of its own, or what every test has.
_PLATFORM = ("java.", "javax.", "jdk.", "sun.", "org.junit", "org.mockito", "org.slf4j")
_MOST_IMPORTS = 150
_WORDS = re.compile(r"[^a-z0-9]+")


def facts(source: Source) -> Any:
    """List what is imported for its values, with the names that may be modules."""
    python = source.language == "Python"
    found = {(each.module, each.names if python else ()) for each in imports_of(source) if not each.type_only}
    return sorted(found)[:_MOST_IMPORTS] or None


def survey(noted: dict[str, Any], file: File, facts: Any) -> None:
    """Keep what each file imports; equal imports are kept once."""
    if file.role is FileRole.SOURCE:
        known = noted.setdefault("known", {})
        used = tuple((module, tuple(names)) for module, names in facts or ())
        noted.setdefault("files", []).append((file.path, file.language, tuple(known.setdefault(u, u) for u in used)))


def settle(world: World) -> None:
    """Find what wraps what; all that files import is not needed any more."""
    world.noted["wrappers"] = _wrappers(world)
    world.noted.pop("files", None)
    world.noted.pop("known", None)


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each import of a wrapper, or of what it wraps, vote."""
    mine = world.noted["wrappers"].get(TONGUES.get(str(file.language), str(file.language)), {})
    if not mine:
        return
    for module, names in facts or ():
        targets = _targets(world.listing, file.path, file.language, module, names)
        if not targets:
            library = _library(file.language, module)
            if library in mine and not _part_of(file, mine[library]):
                yield Vote(_topic(world.listing, library, mine[library]), ("library",))
        else:
            for library, wrapper in mine.items():
                if wrapper in targets and not _part_of(file, wrapper):
                    yield Vote(_topic(world.listing, library, wrapper), ("wrapper",))


def _targets(listing: Listing, path: str, language: str | None, module: str, names: Iterable[str]) -> tuple[str, ...]:
    if language == "Go":
        return (module,) if listing.internal("Go", module) else ()
    return targets_of(listing, path, language, module, tuple(names))


def _topic(listing: Listing, library: str, wrapper: str) -> str:
    folder = next((end for end in _ends(wrapper) if end in listing.folders), "") if wrapper not in listing.paths else ""
    return json.dumps([library, wrapper, f"{folder}/**" if folder else wrapper])


def _part_of(file: File, wrapper: str) -> bool:
    """Tell whether a file is the wrapper, or of its package."""
    return file.path == wrapper or (file.language == "Go" and f"{wrapper}/".endswith(f"/{file.folder}/"))


def _library(language: str | None, module: str) -> str:
    """Name what has to be installed for an import; empty for what is part of the repository or the platform."""
    if module.startswith((".", "@/", "~", "#", "node:", "src/")):
        return ""
    if language == "Python":
        return module.partition(".")[0]
    if language == "Java":
        return "" if module.startswith(_PLATFORM) or module.endswith("*") else module
    if language == "Go":
        return module
    parts = module.split("/")
    return "/".join(parts[:2]) if module.startswith("@") else parts[0]


def _wrappers(world: World) -> dict[str, dict[str, str]]:
    """Find the wrapper of each library that has one, by tongue."""
    importers: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    outside: defaultdict[str, set[str]] = defaultdict(set)
    users: Counter[str] = Counter()
    for path, language, used in world.noted.get("files", []):
        tongue = TONGUES.get(language, language)
        libraries: set[str] = set()
        targets: set[str] = set()
        for module, names in used:
            found = _targets(world.listing, path, language, module, names)
            targets.update(found)
            if not found and (library := _library(language, module)):
                libraries.add(library)
        # Go's own library comes by packages, and Java's libraries by classes.
        outside[_unit(tongue, path)] |= {_home(language, library) for library in libraries} - {""}
        users.update(targets - {path})
        for library in libraries:
            importers[tongue, library].append(path)
    packages: dict[str, str] = {}
    for module in users:
        for folder in _ends(module):
            packages.setdefault(folder, module)
    wrappers: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for (tongue, library), paths in sorted(importers.items()):
        places = {path: _place(tongue, path, packages) for path in paths}
        called = [
            places[path]
            for path in paths
            if places[path]
            and len(outside[_unit(tongue, path)]) <= _MOST_OUTSIDE
            and _called_after(tongue, library, places[path])
        ]
        best = max(called, key=lambda place: (users[place], place), default=None)
        if best is None or users[best] < _LEAST_USERS:
            continue
        if sum(place != best for place in places.values()) <= _MOST_LEAKS * users[best]:
            wrappers[tongue][library] = best
    return wrappers


def _unit(tongue: str, path: str) -> str:
    """Name what is a wrapper as a whole: in Go a package, else a file."""
    return path.rpartition("/")[0] if tongue == "Go" else path


def _home(language: str, library: str) -> str:
    """Name whom a library comes from; empty for the language's own."""
    if language == "Go":
        return library if "." in library.partition("/")[0] else ""
    return ".".join(library.split(".")[:3]) if language == "Java" else library


def _ends(module: str) -> Iterable[str]:
    """List what the folder of a package may be, of the paths that its module ends in."""
    parts = module.split("/")
    return ("/".join(parts[number:]) for number in range(1, len(parts)))


def _place(tongue: str, path: str, packages: dict[str, str]) -> str:
    """Name a file as imports lead to it: Go's lead to its package."""
    return packages.get(path.rpartition("/")[0], "") if tongue == "Go" else path


def _called_after(tongue: str, library: str, path: str) -> bool:
    """Tell whether the name of a module has the library's in it."""
    stem = path.rpartition("/")[2].partition(".")[0]
    if tongue == "Java":
        library = library.rpartition(".")[2]
    elif tongue == "Go":
        library = re.sub(r"(/v\d+|\.v\d+)$", "", library)
    if stem in ("index", "__init__"):
        stem = path.rpartition("/")[0].rpartition("/")[2]
    name = "".join(_WORDS.split(library.rpartition("/")[2].lower().removesuffix("js")))
    return len(name) >= _LEAST_NAME and name in "".join(_WORDS.split(stem.lower()))


def propose(finding: Finding) -> Proposal | None:
    """Say what is used through which module."""
    if finding.form != "wrapper":
        return None
    if finding.tongue in ("Java", "Go") and finding.share == 1:
        # A class or a package may be named after another by chance; that somebody goes past it shows the choice.
        return None
    library, wrapper, own_files = json.loads(finding.topic)
    step = {"Python": ".*", "Java": "", "Go": ""}.get(str(finding.tongue), "/*")
    modules = [library, library + step] if step else [library]
    own: dict[str, Any] = {"target": [wrapper], "type_only": False}
    if finding.tongue == "Go":
        own = {"module": [wrapper]}
    rule = Rule(
        RuleKind.IMPORT,
        {"applicable": {"any": [own, {"module": modules, "type_only": False}]}, "conforming": own},
        replace(finding.scope, include=(), exclude=(own_files,), roles=(FileRole.SOURCE,)),
        alternative=f"`{library}`" if finding.share < 1 else None,
    )
    shown = own_files.removesuffix("**")
    name = f"{finding.tongue} files use `{library}` through `{shown}`, and do not import it"
    return Proposal(name, rule, PatternCategory.DEPENDENCY, weight=1.2)


FAMILY = Family(
    "own-wrappers",
    votes,
    propose,
    facts=facts,
    survey=survey,
    settle=settle,
    languages=_READ,
    roles=frozenset((FileRole.SOURCE,)),
    version=2,
    least=Least(sites=_LEAST_USERS, files=_LEAST_USERS, share=0.9, careful=0.65),
    most=6,
)
