"""Files that come in pairs: a page for each rule, a template beside each component, a test for each module.

Says, for instance: "TypeScript files in `src/rules/` have a `docs/rules/….md` each". One direction is said: from the
files that always have the other to those.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from app.domain.pattern import PatternCategory, PatternType
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.domain.twins import stem_of, subject_of
from app.miners.core.family import CODE, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope

_MOST_NAMESAKES = 6
_MOST_SHAPES = 8
_LEAST_TESTED = 15
_IS_TEST = re.compile(r"test_\{stem\}|\{stem\}(_test|[.-](test|spec)|Tests?)\.")
# Where a file of the same name is another thing: its test, its page.
_OTHERS = frozenset(("test", "tests", "__tests__", "spec", "specs", "doc", "docs", "mocks", "__mocks__", "typings"))
# Folders whose folders are editions of one thing, or have nothing to do with each other.
_EDITIONS = frozenset(("", "apps", "crates", "examples", "libs", "packages", "plugins", "projects"))
# Names that every folder may have pair with everything.
_COMMON = frozenset(("index", "__init__", "main", "mod", "README", "package", "types", "utils", "test", "setup", "lib"))
_COMMON |= {"package-info", "module-info"}


def votes(file: File, _: Any, world: World) -> Iterable[Vote]:
    """Let each file vote for the shapes that lead to a file of its name."""
    if file.role is FileRole.TEST and file.language != "Rust":
        return
    stem, suffix = stem_of(file.path), file.name[len(stem_of(file.path)) :]
    if stem in _COMMON or not file.folder or subject_of(file.path) != stem or not file.name.startswith(stem):
        return
    index = world.noted.get("names")
    if index is None:
        index = world.noted["names"] = _names(world)
    others = [path for path in index.get(stem, ()) if path != file.path and not _is_copy(file, path)]
    if file.role is FileRole.TEST:
        # What is expected of a test stands beside it; that it goes with what it tests is asked elsewhere.
        others = [path for path in others if path.startswith(f"{file.folder}/{stem}.") and not path.endswith(".rs")]
    shapes: dict[str, None] = {}
    if len(others) > _MOST_NAMESAKES:
        return
    for other in others:
        shapes.update(dict.fromkeys(_shapes(file.folder, suffix, other)))
    yield Vote(f"twin of {suffix}", tuple(shapes)[:_MOST_SHAPES])


def _is_copy(file: File, other: str) -> bool:
    """Tell whether it is the same module over again: a second edition of a package is no convention.

    Of two folders side by side whose names have nothing in common, each says something else of the same thing.
    """
    folder, _, name = other.rpartition("/")
    if file.language not in CODE or name != file.name or not _OTHERS.isdisjoint(folder.lower().split("/")):
        return False
    (above, _, mine), (beside, _, theirs) = file.folder.rpartition("/"), folder.rpartition("/")
    if above != beside or above.rpartition("/")[2] in _EDITIONS or re.search(r"\d", mine + theirs):
        return True
    return not set(re.split(r"[^a-z]+", mine.lower())).isdisjoint(re.split(r"[^a-z]+", theirs.lower()))


def _names(world: World) -> dict[str, list[str]]:
    """List paths by the stem of what they are called after."""
    found = defaultdict(list)
    for path in sorted(world.listing.paths):
        found[subject_of(path)].append(path)
    return found


def _shapes(folder: str, suffix: str, other: str) -> Iterator[str]:
    place, _, name = other.rpartition("/")
    stem = subject_of(other)
    named = name.replace(stem, "{stem}", 1)
    if place == folder:
        # That what belongs to a module stands beside it goes without saying.
        module = f"{{stem}}.{suffix.rpartition('.')[2]}"
        if named not in (f"{{stem}}{suffix}", module):
            yield f"{{folder}}/{named}"
        return
    if place.startswith(f"{folder}/") and place.count("/") - folder.count("/") == 1:
        yield f"{{folder}}{place[len(folder) :]}/{named}"
        return
    mine, theirs = folder.split("/"), place.split("/")
    for dropped in range(1, min(len(mine), 9) + 1):
        below = mine[dropped:]
        if theirs[len(theirs) - len(below) :] == below:
            root = "/".join(theirs[: len(theirs) - len(below)])
            yield f"{root}/{{below:{dropped}}}/{named}"
            return


def propose(finding: Finding) -> Proposal | None:
    """Say what each file has."""
    suffix = finding.topic.removeprefix("twin of ")
    # It is about folders: files that are chosen by their names pair with whatever stands beside them.
    if not finding.scope.include or any("**" not in glob.split("/")[1:] for glob in finding.scope.include):
        return None
    # A few files with their tests are what one expects; a folder where none goes without is news.
    if _IS_TEST.search(finding.form) and finding.applicable < _LEAST_TESTED:
        return None
    others = [f"{stem}{suffix}" for stem in sorted(_COMMON)] + [f"*.*{suffix}"] * (suffix.count(".") == 1)
    applicable = {"names": [f"*{suffix}"], "except": others}
    rule = Rule(RuleKind.PATH, {"applicable": applicable, "conforming": {"twin": [finding.form]}}, finding.scope)
    root, below, rest = finding.form.partition("{below:")
    if below:
        shown = f"{root}…{rest[2:].replace('{stem}', '…')}".replace("…/…", "…")
    else:
        shown = finding.form.removeprefix("{folder}/").replace("{stem}", "…")
    what = "Files" if suffix.count(".") == 1 else f"`*{suffix}` files"
    where = "" if below else " beside them" if "/" not in shown else " below them"
    name = f"{in_scope(finding, what)} have a `{shown}` each{where}"
    return Proposal(name, rule, PatternCategory.FILE_STRUCTURE, PatternType.FILESYSTEM)


FAMILY = Family(
    "twins",
    votes,
    propose,
    languages=None,
    roles=frozenset((FileRole.SOURCE, FileRole.EXAMPLE, FileRole.MIGRATION, FileRole.TEST)),
    least=Least(sites=8, files=8, share=0.87, careful=0.78, bits=1.0, rising=False),
    open=True,
    local=True,
    most=6,
)
