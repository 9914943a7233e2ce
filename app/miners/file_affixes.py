"""What the names of a folder's files have in common: `*.controller.ts`, `use-*.ts`, `*Repository.java`.

Says, for instance: "TypeScript files in `src/hooks/` are named `use*.ts`". Only what is rare elsewhere counts;
the marks of tests are said by another family.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from app.domain.cases import words_in
from app.domain.pattern import PatternCategory, PatternType
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.domain.twins import stem_of, subject_of
from app.miners.core.family import WRITTEN, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope

# Files whose name a language or a tool gives.
_GIVEN = frozenset(
    ("__init__", "__main__", "conftest", "doc", "index", "lib", "main", "mod", "package-info", "setup", "utils")
)
_SEPARATORS = "-_"
_OF_TESTS = re.compile(r"\.(test|spec|cy|e2e|bench)\.")
# What is copied into so many folders has one name, not a way of naming.
_COPIES = 5
_LEAST_WORD = 4


def settle(world: World) -> None:
    """Note which names are copied into folder after folder."""
    names = Counter(path.rpartition("/")[2] for path in world.listing.paths)
    world.noted["copied"] = {name for name, count in names.items() if count >= _COPIES}


def votes(file: File, _: Any, world: World) -> Iterable[Vote]:
    """Let each name vote for every affix it has."""
    stem = stem_of(file.path)
    if stem in _GIVEN or not file.folder or subject_of(file.path) != stem or _OF_TESTS.search(file.name):
        return
    if file.name in world.noted["copied"]:
        return
    ending = file.name.rpartition(".")[2]
    affixes = [f"{affix}.{ending}" for affix in _affixes(file.name, stem) if not _said_by(file.folder, affix)]
    # Tests call their material as it comes; only what stands behind a dot was agreed upon.
    if file.role is FileRole.TEST:
        affixes = [affix for affix in affixes if affix.startswith("*.") and affix.count(".") > 1]
    yield Vote(f"names of .{ending}", tuple(affixes))


def _said_by(folder: str, affix: str) -> bool:
    """Tell whether a folder, or one above it, has the word that files begin with, or itself the one of their end."""
    word = "".join(words_in(affix.partition("*")[0]))
    if not word and "." not in affix:
        # What stands in `store/` is about stores; what stands in `stores/` is each one.
        ends = words_in(affix)
        return bool(ends) and any(ends[-1] in _plurals(each) for each in _words(folder))
    return bool(word) and (word in _words(folder) or (len(word) >= _LEAST_WORD and word in folder.lower()))


def _plurals(word: str) -> tuple[str, str, str]:
    return f"{word}s", f"{word}es", f"{word.removesuffix('y')}ies"


@lru_cache(maxsize=64)
def _words(folder: str) -> frozenset[str]:
    return frozenset(words_in(folder))


def _affixes(name: str, stem: str) -> Iterator[str]:
    middle = name[len(stem) + 1 :].split(".")[:-1] if name.startswith(stem) else []
    if middle:
        yield f"*.{'.'.join(middle)}"
    words = words_in(stem)
    if len(words) < 2 or any(word.isdigit() for word in (words[0], words[-1])):
        return
    rest = f".{'.'.join(middle)}" if middle else ""
    first, last = stem[: len(words[0])], stem[len(stem) - len(words[-1]) :]
    # Where words are told apart by a dash or an underscore, it belongs to the affix.
    before, after = stem[len(first) : len(first) + 1], stem[-len(last) - 1 : -len(last)]
    if first.lower() == words[0]:
        yield f"{first}{before if before in _SEPARATORS else ''}*{rest}"
    if last.lower() == words[-1]:
        yield f"*{after if after in _SEPARATORS else ''}{last}{rest}"


def propose(finding: Finding) -> Proposal | None:
    """Say the affix, and where."""
    # It is about folders: files that are chosen by their names have them in common anyway.
    if not finding.scope.include or not all(map(_is_folder, finding.scope.include)):
        return None
    # That what is in `orders/` is called `…-orders` was said by the folder.
    words = words_in(finding.form.replace("*", "").partition(".")[0])
    if all(words_in(glob.split("/**")[0].rpartition("/")[2]) == words for glob in finding.scope.include):
        return None
    given = (f"**/{stem}.*" for stem in sorted(_GIVEN))
    scope = replace(finding.scope, exclude=(*finding.scope.exclude, *given))
    ending = finding.form.rpartition(".")[2]
    rule = Rule(
        RuleKind.PATH,
        {"applicable": {"names": [f"*.{ending}"]}, "conforming": {"names": [finding.form]}},
        scope,
    )
    name = f"{in_scope(finding, 'Files')} are named `{finding.form}`"
    return Proposal(name, rule, PatternCategory.FILE_NAMING, PatternType.FILESYSTEM)


def _is_folder(glob: str) -> bool:
    return "**" in glob.split("/")[1:]


FAMILY = Family(
    "file-affixes",
    votes,
    propose,
    languages=None,
    # What examples are called is what their frameworks ask for.
    roles=WRITTEN - {FileRole.EXAMPLE},
    least=Least(sites=8, files=8, share=0.87, careful=0.75, bits=1.2),
    open=True,
    local=True,
    most=6,
    settle=settle,
)
