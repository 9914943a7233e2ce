"""What is reached at one place only: variables of the environment, the clock, random numbers, `fetch`, other processes.

Says, for instance: "TypeScript code reads variables of the environment only in `src/config.ts`" and "Go code asks for
the time only in `internal/clock/`". A place counts where it is called after what is reached there, and is a small part
of the code (of all of it, or of one package); that few files happen to need something says nothing.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.domain.listing import Listing
from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind, Scope
from app.miners.core.family import (
    SCRIPTS,
    TONGUES,
    Family,
    File,
    Finding,
    Least,
    Proposal,
    Vote,
    World,
    languages_of,
)
from app.miners.idioms.shapes import MOST_SITES, Shape, sites_of
from app.syntax import Source

_LEAST_FILES, _LEAST_SITES = 20, 6
_ENOUGH, _MOST_OF_CODE = 0.85, 0.15


_MANIFESTS = frozenset(
    (
        "package.json",
        "pyproject.toml",
        "setup.py",
        "go.mod",
        "Cargo.toml",
        "pom.xml",
        "build.gradle",
        "build.gradle.kts",
    )
)


@dataclass(frozen=True, slots=True)
class _Reached:
    """Something outside of the program: what code does there, and what a place is called where it is reached.

    A file that has none of the words is not looked at.
    """

    does: str
    words: tuple[str, ...]
    places: str
    sites: dict[str, Shape]


def _called(kind: str, names: str) -> dict[str, Any]:
    return {"kind": kind, "has": {"field": "function", "regex": names}}


def _invoked(calls: str) -> dict[str, Any]:
    return {"kind": "method_invocation", "regex": calls}


_BUILD = {"not": {"has": {"field": "property", "regex": "^(NODE_ENV|DEV|PROD|MODE|SSR)$"}}}
_OF_ENVIRONMENT = {"has": {"field": "object", "regex": r"^(process\.env|import\.meta\.env)$"}}
_REACHED = {
    "environment": _Reached(
        "reads variables of the environment",
        ("env", "Env", "getProperty"),
        r"config|settings?|env|environment|options|flags|constants|conf",
        {
            "Python": {
                "any": [
                    {"kind": "subscript", "has": {"field": "value", "regex": r"^(os\.)?environ$"}},
                    _called("call", r"^(os\.)?(getenv|environ\.get)$"),
                ]
            },
            "JavaScript": {
                "any": [
                    {"kind": "member_expression", "all": [_OF_ENVIRONMENT, _BUILD]},
                    {"kind": "subscript_expression", **_OF_ENVIRONMENT},
                ]
            },
            "Go": _called("call_expression", r"^os\.(Getenv|LookupEnv)$"),
            "Java": _invoked(r"^System\.(getenv|getProperty)\("),
            "Rust": _called("call_expression", r"^(std::)?env::(var|var_os)$"),
        },
    ),
    "clock": _Reached(
        "asks for the time",
        ("time.", "datetime", "Date", "Time", "Instant", "Utc", "Local"),
        r"clock|time|timing|now|date|dates|datetime|temporal|timestamp|timestamps",
        {
            "Python": _called("call", r"^(time\.(time|time_ns)|(datetime\.)?datetime\.(now|utcnow))$"),
            "JavaScript": {
                "any": [
                    _called("call_expression", r"^Date\.now$"),
                    {"kind": "new_expression", "regex": r"^new\s+Date(\(\))?$"},
                ]
            },
            "Go": _called("call_expression", r"^time\.Now$"),
            "Java": _invoked(
                r"^(System\.(currentTimeMillis|nanoTime)|(Instant|LocalDate|LocalDateTime|ZonedDateTime|OffsetDateTime)\.now)\("
            ),
            "Rust": _called("call_expression", r"\b(SystemTime|Instant|Utc|Local)::now$"),
        },
    ),
    "random": _Reached(
        "makes random numbers",
        ("random", "Random", "secrets", "rand", "rng", "UUID"),
        r"random|rand|rng|ids?|uuid|crypto|seed|secrets?|tokens?",
        {
            "Python": _called("call", r"^(random|secrets)\.\w+$"),
            "JavaScript": _called("call_expression", r"^(Math\.random|crypto\.random\w+|crypto\.getRandomValues)$"),
            "Go": _called("call_expression", r"^rand\.\w+$"),
            "Java": {
                "any": [
                    _invoked(r"^(Math\.random|ThreadLocalRandom\.current|UUID\.randomUUID)\("),
                    {"kind": "object_creation_expression", "regex": r"^new\s+(Secure)?Random\("},
                ]
            },
            "Rust": _called("call_expression", r"^(rand::)?(random|thread_rng|rng)(::<\w+>)?$"),
        },
    ),
    "processes": _Reached(
        "starts processes",
        ("subprocess", "system", "popen", "spawn", "exec", "Command", "ProcessBuilder"),
        r"process|processes|exec|executor|shell|commands?|run|runner|proc|subprocess|spawn|cmd|git|docker",
        {
            "Python": _called(
                "call",
                r"^(subprocess\.(run|call|check_call|check_output|Popen)|os\.(system|popen)|asyncio\.create_subprocess_\w+)$",
            ),
            "JavaScript": _called(
                "call_expression",
                r"^((cp|child_process|childProcess)\.)?(spawn|execFile|exec)(Sync)?$",
            ),
            "Go": _called("call_expression", r"^exec\.(Command|CommandContext)$"),
            "Java": {"kind": "object_creation_expression", "regex": r"^new\s+ProcessBuilder\("},
            "Rust": _called("call_expression", r"^((std|tokio)::)?(process::)?Command::new$"),
        },
    ),
    "requests": _Reached(
        "makes requests over HTTP (`fetch`)",
        ("fetch",),
        r"https?|api|apis|client|clients|fetch|fetcher|requests?|network|transport",
        {"JavaScript": _called("call_expression", r"^((window|globalThis|self)\.)?fetch$")},
    ),
    "storage": _Reached(
        "uses the storage of the browser",
        ("Storage",),
        r"storage|localstorage|sessionstorage|store|persist|persistence|cache|preferences|prefs",
        {
            "JavaScript": _called(
                "call_expression", r"^((window|globalThis)\.)?(localStorage|sessionStorage)\.(get|set|remove)Item$"
            )
        },
    ),
}
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def _tongue(language: str) -> str:
    return "JavaScript" if language in SCRIPTS else language


def facts(source: Source) -> Any:
    """Count what is reached."""
    found = {}
    for name, reached in _REACHED.items():
        shape = reached.sites.get(_tongue(source.language))
        if shape is None or not any(word in source.text for word in reached.words):
            continue
        if count := sum(1 for _ in sites_of(source, shape)):
            found[name] = min(count, MOST_SITES)
    return found or None


def survey(noted: dict[str, Any], file: File, facts: Any) -> None:
    """Note which files reach what, and how many files there are."""
    if file.role is FileRole.SOURCE:
        tongue = TONGUES.get(str(file.language), str(file.language))
        noted.setdefault("files", Counter()).update(_above(tongue, file.path))
        for name, count in (facts or {}).items():
            noted.setdefault("reached", {}).setdefault((tongue, name), Counter())[file.path] += count


def _above(tongue: str, path: str) -> list[tuple[str, str]]:
    """List a file and the folders that it is in, the top as the empty text."""
    parts = path.split("/")
    return [(tongue, "/".join(parts[:number])) for number in range(len(parts) + 1)]


def settle(world: World) -> None:
    """Find the places at which something is reached."""
    world.noted["places"] = _places(world)
    world.noted.pop("files", None)
    world.noted.pop("reached", None)


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each site vote for standing in the place."""
    if facts is None:
        return
    places: dict[tuple[str, str], tuple[str, str]] = world.noted["places"]
    tongue = TONGUES.get(str(file.language), str(file.language))
    for name, count in facts.items():
        part, place = places.get((tongue, name), ("", ""))
        if place and _within(file.path, part):
            yield Vote(json.dumps([name, part, place]), ("inside",) if _within(file.path, place) else (), count)


def _within(path: str, place: str) -> bool:
    return not place or path == place or path.startswith(f"{place}/")


def _places(world: World) -> dict[tuple[str, str], tuple[str, str]]:
    """Find, for each thing that is reached at one place only, in which part of the repository, and where."""
    files: Counter[tuple[str, str]] = world.noted.get("files", Counter())
    found = {}
    for (tongue, name), reached in world.noted.get("reached", {}).items():
        below: Counter[str] = Counter()
        for path, count in reached.items():
            below.update({place: count for _, place in _above(tongue, path)})
        fitting = []
        for place, count in below.items():
            if place and _called_after(place, _REACHED[name].places):
                part = _package(world.listing, place)
                whole = files[tongue, part]
                small = files[tongue, place] <= max(1, _MOST_OF_CODE * whole)
                if small and whole >= _LEAST_FILES and count >= max(_LEAST_SITES, _ENOUGH * below[part]):
                    fitting.append((below[part], _depth(place), place, part))
        if fitting:
            # The narrowest place says most.
            _, _, place, part = max(fitting)
            found[tongue, name] = (part, place)
    return found


def _package(listing: Listing, place: str) -> str:
    """Name the folder of the package that a place belongs to; what others do is not its affair."""
    folder = place.rpartition("/")[0]
    while folder and _MANIFESTS.isdisjoint(listing.folders.get(folder, ())):
        folder = folder.rpartition("/")[0]
    return folder


def _depth(place: str) -> int:
    return place.count("/") + 1 if place else 0


def _called_after(place: str, names: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(place.rpartition("/")[2].partition(".")[0])]
    return any(re.fullmatch(names, word) for word in words)


def propose(finding: Finding) -> Proposal | None:
    """Say where it is reached."""
    name, part, place = json.loads(finding.topic)
    tongue = finding.tongue or ""
    file = "." in place.rpartition("/")[2]
    rule = Rule(
        RuleKind.AST,
        {"applicable": dict(_REACHED[name].sites[_tongue(tongue)]), "files": [place if file else f"{place}/**"]},
        Scope(languages_of(tongue), (f"{part}/**",) if part else (), roles=(FileRole.SOURCE,)),
        alternative="reached elsewhere" if finding.share < 1 else None,
    )
    where = f" in `{part}/`" if part else ""
    said = f"{tongue} code{where} {_REACHED[name].does} only in `{place}{'' if file else '/'}`"
    return Proposal(said, rule, PatternCategory.STRUCTURAL, weight=1.3)


def prior(_: Finding) -> float:
    """Know that hardly any repository keeps it at one place."""
    return 0.15


FAMILY = Family(
    "access-points",
    votes,
    propose,
    facts=facts,
    survey=survey,
    settle=settle,
    languages=SCRIPTS | {"Python", "Go", "Java", "Rust"},
    roles=frozenset((FileRole.SOURCE,)),
    prior=prior,
    least=Least(sites=_LEAST_SITES, files=1, share=0.85, careful=0.5),
    most=4,
)
