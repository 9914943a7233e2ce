"""Libraries that a repository uses through a module of its own: `axios` only in `src/http.ts`, which all others import.

Says, for instance: "TypeScript files use `axios` through `src/http.ts`, and do not import it". A module is taken for a
wrapper where it is called after the library, imports little else from outside, and is imported by many files while
hardly any imports the library itself. Python, JavaScript and TypeScript are read.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.domain.targets import targets_of
from app.miners.core.family import SCRIPTS, TONGUES, Family, File, Finding, Least, Proposal, Vote, World
from app.syntax import Source, imports_of

_READ = SCRIPTS | {"Python"}
_LEAST_USERS, _LEAST_NAME = 8, 3
_MOST_OUTSIDE, _MOST_LEAKS = 3, 0.1
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


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each import of a wrapper, or of what it wraps, vote."""
    wrappers = world.noted.get("wrappers")
    if wrappers is None:
        wrappers = world.noted["wrappers"] = _wrappers(world)
        world.noted.pop("files", None)
        world.noted.pop("known", None)
    mine = wrappers.get(TONGUES.get(str(file.language), str(file.language)), {})
    if not mine:
        return
    for module, names in facts or ():
        targets = targets_of(world.listing, file.path, file.language, module, names)
        if not targets:
            library = _library(file.language, module)
            if library in mine and mine[library] != file.path:
                yield Vote(json.dumps([library, mine[library]]), ("library",))
        else:
            for library, wrapper in mine.items():
                if wrapper in targets:
                    yield Vote(json.dumps([library, wrapper]), ("wrapper",))


def _library(language: str | None, module: str) -> str:
    """Name what has to be installed for an import; empty for what is part of the repository or the platform."""
    if module.startswith((".", "@/", "~", "#", "node:", "src/")):
        return ""
    if language == "Python":
        return module.partition(".")[0]
    parts = module.split("/")
    return "/".join(parts[:2]) if module.startswith("@") else parts[0]


def _wrappers(world: World) -> dict[str, dict[str, str]]:
    """Find the wrapper of each library that has one, by tongue."""
    importers: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    outside: Counter[str] = Counter()
    users: Counter[str] = Counter()
    for path, language, used in world.noted.get("files", []):
        tongue = TONGUES.get(language, language)
        libraries: set[str] = set()
        targets: set[str] = set()
        for module, names in used:
            found = targets_of(world.listing, path, language, module, names)
            targets.update(found)
            if not found and (library := _library(language, module)):
                libraries.add(library)
        outside[path] = len(libraries)
        users.update(targets - {path})
        for library in libraries:
            importers[tongue, library].append(path)
    wrappers: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for (tongue, library), paths in sorted(importers.items()):
        called = [path for path in paths if outside[path] <= _MOST_OUTSIDE and _called_after(library, path)]
        best = max(called, key=lambda path: (users[path], path), default=None)
        if best is None or users[best] < _LEAST_USERS or len(paths) - 1 > _MOST_LEAKS * users[best]:
            continue
        wrappers[tongue][library] = best
    return wrappers


def _called_after(library: str, path: str) -> bool:
    """Tell whether the name of a module has the library's in it."""
    stem = path.rpartition("/")[2].partition(".")[0]
    if stem in ("index", "__init__"):
        stem = path.rpartition("/")[0].rpartition("/")[2]
    name = "".join(_WORDS.split(library.rpartition("/")[2].lower().removesuffix("js")))
    return len(name) >= _LEAST_NAME and name in "".join(_WORDS.split(stem.lower()))


def propose(finding: Finding) -> Proposal | None:
    """Say what is used through which module."""
    if finding.form != "wrapper":
        return None
    library, wrapper = json.loads(finding.topic)
    modules = [library, f"{library}.*" if finding.tongue == "Python" else f"{library}/*"]
    own = {"target": [wrapper], "type_only": False}
    rule = Rule(
        RuleKind.IMPORT,
        {"applicable": {"any": [own, {"module": modules, "type_only": False}]}, "conforming": own},
        replace(finding.scope, include=(), exclude=(wrapper,), roles=(FileRole.SOURCE,)),
        alternative=f"`{library}`" if finding.share < 1 else None,
    )
    name = f"{finding.tongue} files use `{library}` through `{wrapper}`, and do not import it"
    return Proposal(name, rule, PatternCategory.DEPENDENCY, weight=1.2)


FAMILY = Family(
    "own-wrappers",
    votes,
    propose,
    facts=facts,
    survey=survey,
    languages=_READ,
    roles=frozenset((FileRole.SOURCE,)),
    least=Least(sites=_LEAST_USERS, files=_LEAST_USERS, share=0.9, careful=0.65),
    most=6,
)
