"""Folders side by side that hold the same: each feature its `index.ts`, its `user.routes.ts` and its `tests/`.

Says, for instance: "Folders in `src/features/` each hold `index.ts`, `{folder}.routes.ts` and `tests/`", where
`{folder}` is the folder's own name. What tools ask of every package is no news alone.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from app.domain.listing import Listing
from app.domain.pattern import PatternCategory, PatternType
from app.domain.recognition import FileRole, has_generated_name, role_in
from app.domain.rule import Rule, RuleKind, Scope
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World

_LEAST_SIBLINGS = 5
_LEAST_SHARE = 0.84
# A name that costs a shape more of its folders than this is a habit of its own, or none.
_COSTS, _LEAST_COST = 0.05, 1
_MOST_NAMES = 20
_MOST_PLACES = 20
_SHOWN_NAMES, _SHOWN_PLACES, _LONGEST = 6, 3, 200
_GENERATED = ("generated_", "zz_generated")
_PAGES = (".md", ".mdx", ".rst", ".adoc")
_SPECIAL = frozenset("*?[]{}\\\n")
_OWN = "{parent}"
# What a language or its tools ask of every package, or at least suggest.
_GIVEN_NAMES = (
    "__init__.py __main__.py package.json src/ lib/ Cargo.toml go.mod pom.xml build.gradle build.gradle.kts mod.rs "
    "lib.rs main.rs main.go index.ts index.tsx index.js doc.go package-info.java BUILD BUILD.bazel CMakeLists.txt "
    "setup.py pyproject.toml tsconfig.json README.md .gitignore LICENSE main/ java/ test/ tests/ META-INF/ "
    "migrations/ migration.sql models.py apps.py admin.py pages/ partials/ _index.md"
)
_GIVEN = frozenset(_GIVEN_NAMES.split())
# So many names that nothing asks for are a shape; a single one is it only in many folders, or if it says their own.
_LEAST_NEWS, _MANY_FOLDERS, _VERY_MANY_FOLDERS = 2, 10, 30
# What a test or an example brings along is its own affair; that very many bring the same is how they are written.
_MATERIAL, _LEAST_MATERIAL = frozenset((FileRole.TEST, FileRole.EXAMPLE, FileRole.FIXTURE)), 40
_ROLES = tuple(role for role in FileRole if role not in (FileRole.GENERATED, FileRole.FIXTURE, FileRole.ASSET))


def votes(file: File, _: None, world: World) -> Iterable[Vote]:
    """Let a folder vote, by the file that speaks for it, on whether it holds what its siblings hold."""
    topics = world.noted.get("topics")
    if topics is None:
        topics = world.noted["topics"] = _topics(world.listing)
    folder = file.folder
    while folder and world.listing.speaker(folder, (), _ROLES) == file.path:
        above = folder.rpartition("/")[0]
        if above in topics:
            places, shape = topics[above]
            held = shape <= frozenset(_names(folder, world.listing))
            yield Vote("\n".join(places), ("\n".join(sorted(shape)),) if held else ())
        folder = above


def _topics(listing: Listing) -> dict[str, tuple[tuple[str, ...], frozenset[str]]]:
    """Give the shape of what is in each place, and all places where folders have it."""
    below: dict[str, list[str]] = defaultdict(list)
    for folder in listing.folders:
        if folder and listing.speaker(folder, (), _ROLES) is not None:
            below[folder.rpartition("/")[0]].append(folder)
    alike: dict[frozenset[str], list[str]] = defaultdict(list)
    for place in sorted(below):
        if len(below[place]) >= _LEAST_SIBLINGS:
            shape = _shape({folder: frozenset(_names(folder, listing)) for folder in below[place]})
            if not shape <= _GIVEN and (len(shape) > 1 or _tells(shape, len(below[place]))):
                alike[shape].append(place)
    named = {shape: tuple(places[:_MOST_PLACES]) for shape, places in alike.items()}
    return {place: (places, shape) for shape, places in named.items() for place in places}


def _shape(held: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Give the names that most of some folders have all together, the most frequent first."""
    counts = Counter(name for names in held.values() for name in names)
    least = _LEAST_SHARE * len(held)
    shape: list[str] = []
    holders = list(held)
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        having = [folder for folder in holders if name in held[folder]]
        dear = bool(shape) and len(holders) - len(having) > max(_LEAST_COST, _COSTS * len(holders))
        if len(having) >= least and not dear and len(shape) < _MOST_NAMES:
            shape.append(name)
            holders = having
    return frozenset(shape)


def _tells(shape: Collection[str], folders: int) -> bool:
    """Tell whether a single name is a shape: one that says the folder's own, or that very many of them have."""
    least = _MANY_FOLDERS if any(_OWN in name for name in shape) else _VERY_MANY_FOLDERS
    # That each page of a documentation is a folder is the way of what shows it.
    return len(shape) == 1 and folders >= least and not any(name.endswith(_PAGES) for name in shape)


def _names(folder: str, listing: Listing) -> Iterator[str]:
    """Give what a folder holds, its own name masked, folders with a slash behind them."""
    own = folder.rpartition("/")[2]
    for name in listing.folders[folder]:
        if not _SPECIAL.isdisjoint(name) or has_generated_name(name) or name.startswith(_GENERATED):
            continue
        mark = "/" if f"{folder}/{name}" in listing.folders else ""
        before, dot, after = name.partition(".")
        if before == own:
            yield f"{_OWN}{dot}{after}{mark}"
        elif before.startswith((f"{own}_", f"{own}-")) or before.endswith((f"_{own}", f"-{own}")):
            yield f"{before.replace(own, _OWN, 1)}{dot}{after}{mark}"
        else:
            yield f"{name}{mark}"


def propose(finding: Finding) -> Proposal | None:
    """Say what the folders hold."""
    names = sorted(finding.form.split("\n"), key=lambda name: (name in _GIVEN, name))
    places = [f"{place}/" if place else "" for place in finding.topic.split("\n")]
    news = sum(name not in _GIVEN for name in names)
    if news < _LEAST_NEWS and finding.applicable < _MANY_FOLDERS:
        return None
    if finding.applicable < _LEAST_MATERIAL and all(role_in(place) in _MATERIAL for place in places):
        return None
    rule = Rule(
        RuleKind.PATH,
        {
            "per": "folder",
            "applicable": {"folders": [f"{place}*" for place in places]},
            "conforming": {"holds": [name.removesuffix("/") for name in names]},
        },
        Scope(include=tuple(f"{place}*/**" for place in places), roles=_ROLES),
    )
    held = [f"`{name.replace(_OWN, '{folder}')}`" for name in names]
    within = [f"`{place}`" if place else "the top folder" for place in places]
    sentence = _sentence(within, held, _SHOWN_PLACES, _SHOWN_NAMES)
    if len(sentence) > _LONGEST:
        sentence = _sentence(within, held, 1, _SHOWN_NAMES - 2)
    detail = "`{folder}` is the folder's own name." if any(_OWN in name for name in names) else ""
    return Proposal(sentence, rule, PatternCategory.FILE_STRUCTURE, PatternType.FILESYSTEM, detail)


def _sentence(places: list[str], names: list[str], most_places: int, most_names: int) -> str:
    where = _listed(places, most_places, "more places")
    return f"Folders in {where} each hold {_listed(names, most_names, 'more')}"


def _listed(words: list[str], most: int, rest: str) -> str:
    if len(words) > most:
        shown = max(most - 1, 1)
        words = [*words[:shown], f"{len(words) - shown} {rest}"]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def prior(_: Finding) -> float:
    """Know that few folders side by side are built alike."""
    return 0.2


FAMILY = Family(
    "feature-folders",
    votes,
    propose,
    languages=None,
    roles=frozenset(_ROLES),
    prior=prior,
    least=Least(sites=_LEAST_SIBLINGS, files=_LEAST_SIBLINGS, share=_LEAST_SHARE, careful=0.65),
    most=6,
    mixed=True,
)
