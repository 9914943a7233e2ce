"""What a module of Python tells of itself: `__all__`, `_private.py`, `from __future__ import annotations`.

Says, for instance: "Python modules list what they offer in `__all__`" and "Modules of packages are private:
`_name.py`". That modules do without is no news.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.domain import globs
from app.domain.pattern import PatternCategory, PatternType
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Source

_INIT, _SPECIAL = "__init__.py", "**/__*.py"
_GIVEN = ("setup.py", "conftest.py", "manage.py")
# Which files are asked, what they carry if they do, what is said of them, and how usual it is.
_QUESTIONS: dict[str, tuple[str, str, str, float]] = {
    "future": (
        r"\)[ \t]*->",
        r"^from __future__ import [^\n]*\bannotations\b",
        "files with annotations begin with `from __future__ import annotations`",
        0.25,
    ),
    "offers": (
        r"^(?:async def|def|class) [A-Za-z]",
        r"^__all__\b",
        "modules list what they offer in `__all__`",
        0.1,
    ),
    "passes": (r"^from \S+ import ", r"^__all__\b", "packages list what they pass on in `__all__`", 0.4),
}
_READY = {
    question: (re.compile(asked, re.MULTILINE), re.compile(carried, re.MULTILINE))
    for question, (asked, carried, *_) in _QUESTIONS.items()
}
_PRIVATE = {"any": [{"names": ["_*.py"]}, {"places": ["**/_*/**"]}]}
_IN_PACKAGE = {"names": ["*.py"], "twin": ["{folder}/__init__.py"]}


def facts(source: Source) -> Any:
    """Answer the questions that a file is asked: whether it carries what others carry."""
    asked = [question for question in _READY if _is_asked(question, source.name)]
    told = {}
    for question in asked:
        is_meant, carried = _READY[question]
        if is_meant.search(source.text):
            told[question] = carried.search(source.text) is not None
    return told or None


def _is_asked(question: str, name: str) -> bool:
    if question == "passes":
        return name == _INIT
    return question == "future" or (not name.startswith("__") and name not in _GIVEN)


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each file vote on the questions that it was asked, and modules of packages on whether they are private."""
    for question, carried in (facts or {}).items():
        if file.role is FileRole.SOURCE or question == "future":
            yield Vote(question, ("annotations" if question == "future" else "listed",) if carried else ())
    in_package = not file.name.startswith("__") and f"{file.folder}/{_INIT}" in world.listing.paths
    if file.role is FileRole.SOURCE and in_package:
        private = file.name.startswith("_") or globs.fits("**/_*/**", file.path)
        yield Vote("private", ("private",) if private else ())


def propose(finding: Finding) -> Proposal:
    """Say what modules tell."""
    scope = finding.scope
    if finding.topic != "future":
        scope = replace(scope, roles=(FileRole.SOURCE,))
        finding = replace(finding, scope=replace(scope, roles=()))
    if finding.topic == "private":
        scope = replace(scope, exclude=(*scope.exclude, _SPECIAL))
        rule = Rule(RuleKind.PATH, {"applicable": _IN_PACKAGE, "conforming": _PRIVATE}, scope)
        name = f"{in_scope(finding, 'Modules of packages')} are private: `_name.py`, or in a folder `_name/`"
        return Proposal(name, rule, PatternCategory.FILE_NAMING, PatternType.FILESYSTEM)
    asked, carried, sentence, _ = _QUESTIONS[finding.topic]
    if finding.topic == "offers":
        scope = replace(scope, exclude=(*scope.exclude, _SPECIAL, *(f"**/{name}" for name in _GIVEN)))
    elif finding.topic == "passes":
        include = tuple(f"{glob}/{_INIT}" if glob.endswith("**") else glob for glob in scope.include or ("**",))
        scope = replace(scope, include=include)
    subject, _, rest = sentence.partition(" ")
    rule = Rule(RuleKind.REGEX, {"per": "file", "applicable": asked, "conforming": carried}, scope)
    return Proposal(f"{in_scope(finding, subject)} {rest}", rule, PatternCategory.STRUCTURAL)


def prior(finding: Finding) -> float:
    """Know what is usual."""
    return 0.04 if finding.topic == "private" else _QUESTIONS[finding.topic][3]


FAMILY = Family(
    "python-modules",
    votes,
    propose,
    facts=facts,
    languages=frozenset(("Python",)),
    prior=prior,
    least=Least(sites=8, files=8, share=0.85, careful=0.74, bits=0.4),
)
