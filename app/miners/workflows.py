"""How workflows of GitHub guard themselves: actions pinned to commits, permissions that are said, credentials not kept.

Says, for instance: "Workflows pin the actions that they use to a commit, not to a tag". Some do so everywhere, others
nowhere; actions of the repository itself, which need no version, are not asked.
"""

import re
from collections.abc import Iterable
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind, Scope
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.syntax import Source

_HOME = ".github/"
_USED = r"(?m)^[ \t]*-?[ \t]*uses:[ \t]*['\"]?[\w.-]+/[\w./-]+@[\w./-]+"
_CHECKOUT = (
    r"(?m)^[ \t]*-?[ \t]*uses:[ \t]*actions/checkout@[^\n]*\n"
    r"(?:[ \t]+with:[^\n]*\n(?:[ \t]+(?:[\w-]+:|#)[^\n]*\n)*)?"
)
# By question: what is said, where it is asked, what conforms, what others do, and how usual it is.
_ASKED: dict[str, tuple[str, str, str, str | None, float]] = {
    "pinned": ("pin the actions that they use to a commit, not to a tag", _USED, r"@[0-9a-f]{40}$", "a tag", 0.35),
    "permissions": ("say which permissions they have: `permissions:`", r"(?m)^jobs:", r"(?m)^permissions:", None, 0.5),
    "credentials": (
        "check out without keeping credentials: `persist-credentials: false`",
        _CHECKOUT,
        r"persist-credentials:[ \t]*['\"]?false",
        None,
        0.2,
    ),
}
_SHAPES = {question: (re.compile(sites), re.compile(fine)) for question, (_, sites, fine, *_) in _ASKED.items()}
_OF_FILES = "permissions"


def facts(source: Source) -> Any:
    """Count what is asked of a file that runs steps, and what conforms."""
    if "uses:" not in source.text and "jobs:" not in source.text:
        return None
    found = {}
    for question, (sites, fine) in _SHAPES.items():
        asked = [match.group() for match in sites.finditer(source.text)]
        if question == _OF_FILES:
            asked = [source.text for _ in asked[:1]]
        if asked:
            found[question] = [sum(fine.search(each) is not None for each in asked), len(asked)]
    return found or None


def votes(file: File, facts: Any, _: World) -> Iterable[Vote]:
    """Let workflows, and actions of the repository, vote."""
    for question, (fine, asked) in (facts or {}).items() if file.path.startswith(_HOME) else ():
        if fine:
            yield Vote(question, ("fine",), fine)
        if asked > fine:
            yield Vote(question, (), asked - fine)


def propose(finding: Finding) -> Proposal:
    """Say it of all of them."""
    says, sites, fine, other, _ = _ASKED[finding.topic]
    per = "file" if finding.topic == _OF_FILES else "match"
    rule = Rule(
        RuleKind.REGEX,
        {"per": per, "applicable": sites, "conforming": fine},
        Scope((), (f"{_HOME}**",), (), finding.scope.roles),
        alternative=other if finding.share < 1 else None,
    )
    return Proposal(f"Workflows {says}", rule, PatternCategory.STRUCTURAL, weight=0.7)


def prior(finding: Finding) -> float:
    """Know how many do so."""
    return _ASKED[finding.topic][-1]


FAMILY = Family(
    "workflows",
    votes,
    propose,
    facts=facts,
    languages=frozenset(("YAML",)),
    roles=frozenset((FileRole.CONFIG,)),
    prior=prior,
    least=Least(sites=6, files=3, share=0.87),
    mixed=True,
)
