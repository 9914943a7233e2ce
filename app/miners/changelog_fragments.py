"""How the pieces are named that a changelog is put together from: `changes/123.bugfix.rst`, `.changeset/*.md`.

Says, for instance: "Fragments of the changelog in `.changeset/` are files `*.md`".
The folder is known by its name; what a tool keeps beside the pieces, as its settings and a template, is none.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable

from app.domain.listing import Listing
from app.domain.pattern import PatternCategory, PatternType
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind, Scope
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World

_PLACES = re.compile(
    r"(?i)(^|/)(changes|newsfragments|news\.d|changelog\.d|\.changes|\.changeset|\.chloggen|changelog_unreleased"
    r"|news|changelog[-.]?fragments|changelogs?/(fragments|unreleased|next)|\.changelog|upcoming_change(s|log))$"
)
# Pages on what changes, and news, are read by others than those who put a changelog together.
_PAGES = re.compile(r"(?i)(^|/)((docs?|website|site|documentation)/changes|news)$")
_BESIDE = ("README.*", "readme.*", "config.*", "TEMPLATE.*", "template.*", ".*", "_*")
_BESIDE_NAMES = re.compile(r"(?i)readme\..*|config\..*|template\..*|[._].*")
_ENDINGS = frozenset(("md", "rst", "txt", "yml", "yaml", "toml", "json"))
_RECURS, _MOST_KINDS, _LEAST_KINDS, _OF_KINDS = 2, 12, 2, 0.8
_SHOWN = 4
_ROLES = tuple(role for role in FileRole if role is not FileRole.GENERATED)


def votes(file: File, _: None, world: World) -> Iterable[Vote]:
    """Let each fragment vote for its ending, and for being of a kind where there are kinds."""
    if not _PLACES.search(file.folder) or _BESIDE_NAMES.fullmatch(file.name):
        return
    places = world.noted.setdefault("places", {})
    if file.folder not in places:
        places[file.folder] = _shape(file.folder, world.listing)
    ending, kinds = places[file.folder]
    if ending in _ENDINGS:
        kind, mine = file.name.rpartition(".")[::2]
        fits = mine == ending and (not kinds or kind.rpartition(".")[2] in kinds)
        yield Vote(json.dumps([file.folder, ending, kinds]), ("named",) if fits else ())


def _shape(folder: str, listing: Listing) -> tuple[str, list[str]]:
    """Find the ending that most fragments of a folder have, and the kinds that stand before it."""
    names = [
        name.split(".")
        for name in listing.folders[folder]
        if not _BESIDE_NAMES.fullmatch(name) and f"{folder}/{name}" not in listing.folders and "." in name
    ]
    endings = Counter(parts[-1] for parts in names)
    ending = endings.most_common(1)[0][0] if endings else ""
    same = [parts for parts in names if parts[-1] == ending]
    kinds = Counter(parts[-2] for parts in same if len(parts) > 2 and parts[-2].isalpha())
    recurring = sorted(kind for kind, times in kinds.items() if times >= _RECURS)
    covered = sum(kinds[kind] for kind in recurring) >= _OF_KINDS * len(same)
    return ending, sorted(kinds)[:_MOST_KINDS] if covered and len(recurring) >= _LEAST_KINDS else []


def propose(finding: Finding) -> Proposal | None:
    """Say how they are named."""
    folder, ending, kinds = json.loads(finding.topic)
    if not kinds and _PAGES.search(folder):
        return None
    names = [f"*.{kind}.{ending}" for kind in kinds] or [f"*.{ending}"]
    scope = Scope((), (f"{folder}/*",), tuple(f"{folder}/{name}" for name in _BESIDE), _ROLES)
    rule = Rule(RuleKind.PATH, {"applicable": {"names": ["*.*"]}, "conforming": {"names": names}}, scope)
    said = f"are files `*.{ending}`"
    if kinds:
        shown = [f"`{kind}`" for kind in kinds[:_SHOWN]]
        more = " …" if len(kinds) > _SHOWN else ""
        said = f"are named `*.<kind>.{ending}`, the kind one of {', '.join(shown)}{more}"
    sentence = f"Fragments of the changelog in `{folder}/` {said}"
    return Proposal(sentence, rule, PatternCategory.FILE_NAMING, PatternType.FILESYSTEM)


def prior(finding: Finding) -> float:
    """Know that few repositories have such a folder."""
    return 0.2 if json.loads(finding.topic)[2] else 0.4


FAMILY = Family(
    "changelog-fragments",
    votes,
    propose,
    languages=None,
    roles=frozenset(_ROLES),
    prior=prior,
    least=Least(sites=6, files=6, share=0.85, careful=0.6),
    most=2,
    mixed=True,
)
