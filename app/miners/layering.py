"""Which parts of a repository keep away from which others, though most of their neighbours use these.

Says, for instance: "Python files in `app/domain/` never import `app/db/` or `app/api/`". A part is a folder; those that
stand in one folder are neighbours. What a part would import if it imported like its neighbours is what it is compared
with. In Go, where the compiler refuses circles, only parts that could import each other are spoken of; not in Rust.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.domain.targets import targets_of
from app.miners.core.family import TONGUES, Family, File, Finding, Least, Proposal, Vote, World
from app.syntax import Source, imports_of

_LEAST_FILES = 8
# That so few files of a part do without another one is no decision of anybody.
_LEAST_TOLD = 18
_LEAST_NEIGHBOUR, _LEAST_NEIGHBOURS, _NEIGHBOURS_SHARE = 3, 3, 0.5
_LEAST_USUAL, _CHANCE = 0.1, 0.005
_MOST_BROKEN = 0.02
_MOST_SAID, _MOST_IMPORTS = 3, 150
_READ = frozenset(("Python", "JavaScript", "TypeScript", "TSX", "Go", "Java"))
Used = tuple[str, tuple[str, ...]]
"""A module, and the names taken from it."""


@dataclass(slots=True)
class _Graph:
    """How many files each folder has, how many of them import anything of the repository, and how many a neighbour."""

    own: str | None = None
    """How Go calls the repository."""
    sizes: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    edges: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    below: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    questions: dict[str, str] = field(default_factory=dict)
    """What is asked of the files of a folder."""


def facts(source: Source) -> Any:
    """List what is imported, with the names that may be modules."""
    found = {(each.module, each.names if source.language == "Python" else ()) for each in imports_of(source)}
    return sorted(found)[:_MOST_IMPORTS] or None


def survey(noted: dict[str, Any], file: File, facts: Any) -> None:
    """Keep what each file imports; equal imports are kept once."""
    if file.role is FileRole.SOURCE and file.language in _READ:
        known = noted.setdefault("known", {})
        used = tuple((module, tuple(names)) for module, names in facts or ())
        kept = tuple(known.setdefault(each, each) for each in used)
        noted.setdefault("files", []).append((file.path, file.language, kept))


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each file of a folder that keeps away from others say whether it does."""
    graphs = world.noted.get("graphs")
    if graphs is None:
        graphs = world.noted["graphs"] = _graphs(world)
        # What files import is known by now from the folders that they connect.
        world.noted.pop("files", None)
        world.noted.pop("known", None)
    graph = graphs.get(_tongue(file.language))
    if graph is None or not (asked := [graph.questions[each] for each in _above(file.path) if each in graph.questions]):
        return
    targets = _targets(world, graph, file.path, file.language, facts or ())
    for question in asked if targets else ():
        away = tuple(f"{each}/" for each in json.loads(question)["away"])
        yield Vote(question, ("broken" if any(target.startswith(away) for target in targets) else "kept",))


def _tongue(language: str | None) -> str:
    return TONGUES.get(str(language), str(language))


def _above(path: str) -> Iterator[str]:
    """Give the folders that a file or folder is in, innermost first."""
    while path := path.rpartition("/")[0]:
        yield path


def _targets(world: World, graph: _Graph, path: str, language: str | None, used: Iterable[Used]) -> set[str]:
    if language != "Go":
        return {found for module, names in used for found in targets_of(world.listing, path, language, module, names)}
    own = f"{graph.own}/"
    folders = {module.removeprefix(own) for module, _ in used if module.startswith(own)}
    return {f"{folder}/" for folder in folders if folder in world.listing.folders}


def _graphs(world: World) -> dict[str, _Graph]:
    graphs: dict[str, _Graph] = {}
    files: list[tuple[str, str, tuple[Used, ...]]] = world.noted.get("files", [])
    graphs["Go"] = _Graph(own=_own_name(world, (used for _, language, used in files if language == "Go")))
    for path, language, used in files:
        graph = graphs.setdefault(_tongue(language), _Graph())
        above = list(_above(path))
        graph.sizes.update(above)
        targets = _targets(world, graph, path, language, used)
        if targets:
            graph.files.update([*above, ""])
            for user, neighbour in {edge for target in targets if (edge := _edge(path, target)) is not None}:
                graph.edges[user][neighbour] += 1
    for tongue, graph in graphs.items():
        _ask(graph, acyclic=tongue == "Go")
    return graphs


def _own_name(world: World, files: Iterable[tuple[Used, ...]]) -> str | None:
    """Find how most imports that name a folder of the repository begin."""
    found: Counter[str] = Counter()
    for used in files:
        for module, _ in used:
            words = module.split("/")
            for start in range(1, len(words)) if "." in words[0] else ():
                if "/".join(words[start:]) in world.listing.folders:
                    found["/".join(words[:start])] += 1
    return max(found, key=lambda name: (found[name], name), default=None)


def _edge(path: str, target: str) -> tuple[str, str] | None:
    """Name the part that imports and the one that is imported, below the folder that both are in."""
    mine, theirs = path.split("/"), target.split("/")
    depth = 0
    while depth < min(len(mine), len(theirs)) - 1 and mine[depth] == theirs[depth]:
        depth += 1
    if depth == len(theirs) - 1:
        return None
    return "/".join(mine[: depth + 1]), "/".join(theirs[: depth + 1])


def _ask(graph: _Graph, *, acyclic: bool) -> None:
    """Choose the folders that keep away from what most of their neighbours use."""
    for folder in sorted(graph.files):
        if folder:
            graph.below[folder.rpartition("/")[0]].append(folder)
    used: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for user, neighbours in graph.edges.items():
        for neighbour, files in neighbours.items():
            used[neighbour][user] += files
    for parent, parts in graph.below.items():
        wide = [part for part in parts if graph.sizes[part] >= _LEAST_FILES]
        for part in wide:
            away: list[tuple[float, str]] = []
            for other in wide:
                usual = _usual(graph, used[other], parent, part, other)
                if usual is not None and not (acyclic and _reaches(graph, other, part)):
                    away.append((usual, other))
            # Who imports one neighbour and is imported by none is a shelf of things of one kind, no layer.
            if away and (len(graph.edges[part]) > 1 or any(graph.edges[other][part] for _, other in away)):
                away.sort(key=lambda each: (-each[0], each[1]))
                told = {"away": sorted(other for _, other in away[:_MOST_SAID]), "own": graph.own, "part": part}
                graph.questions[part] = json.dumps({**told, "usual": round(away[0][0], 3)}, sort_keys=True)


def _usual(graph: _Graph, users: Counter[str], parent: str, part: str, other: str) -> float | None:
    """Tell which share of the neighbours' files import a folder; None where that one does not is no surprise."""
    mine = graph.files[part]
    if part == other or mine < _LEAST_FILES or users[part] > _MOST_BROKEN * mine:
        return None
    neighbours = [each for each in graph.below[parent] if graph.files[each] >= _LEAST_NEIGHBOUR]
    neighbours = [each for each in neighbours if each not in (part, other)]
    using = [each for each in neighbours if users[each]]
    if len(using) < _LEAST_NEIGHBOURS or len(using) < _NEIGHBOURS_SHARE * len(neighbours):
        return None
    others = graph.files[parent] - mine - graph.files[other]
    usual = (users.total() - users[part]) / others
    return usual if usual >= _LEAST_USUAL and (1 - usual) ** mine <= _CHANCE else None


def _reaches(graph: _Graph, start: str, goal: str) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        for after in graph.edges[waiting.pop()]:
            if after == goal:
                return True
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return False


def propose(finding: Finding) -> Proposal | None:
    """Say what the files of a folder never import."""
    if finding.form != "kept":
        return None
    told = json.loads(finding.topic)
    part, away, own = told["part"], told["away"], told["own"]
    if own is None:
        applicable, forbidden = {"target": ["**"]}, {"target": [f"{each}/**" for each in away]}
    else:
        names = [name for each in away for name in (f"{own}/{each}", f"{own}/{each}/*")]
        applicable, forbidden = {"module": [f"{own}/*"]}, {"module": names}
    rule = Rule(
        RuleKind.IMPORT,
        {"per": "file", "applicable": applicable, "forbidden": forbidden},
        replace(finding.scope, include=(f"{part}/**",), exclude=(), roles=(FileRole.SOURCE,)),
    )
    shown = [f"`{each}/`" for each in away]
    listed = f"{', '.join(shown[:-1])} or {shown[-1]}" if len(shown) > 1 else shown[0]
    return Proposal(
        f"{finding.tongue} files in `{part}/` never import {listed}",
        rule,
        PatternCategory.DEPENDENCY,
        detail="Most of the folders beside it do.",
        weight=1.3,
    )


def prior(finding: Finding) -> float:
    """Expect of each file what the files of the neighbours do."""
    return 1 - float(json.loads(finding.topic)["usual"])


FAMILY = Family(
    "layering",
    votes,
    propose,
    facts=facts,
    survey=survey,
    languages=_READ,
    roles=frozenset((FileRole.SOURCE,)),
    prior=prior,
    least=Least(sites=_LEAST_TOLD, files=_LEAST_TOLD, share=0.98, careful=0.67, bits=0.5),
    most=8,
)
