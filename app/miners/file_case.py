"""How files are named: `user_profile.py`, `userProfile.ts`, `user-profile.component.ts`, `UserProfile.java`.

Says, for instance: "Files in `src/components/` are named in PascalCase". Names of one word fit several cases and do
not vote.
"""

from collections.abc import Iterable
from typing import Any

from app.domain.cases import CASES, case_of
from app.domain.pattern import PatternCategory, PatternType
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import CODE, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope

_NEVER = frozenset(
    ("Makefile", "Dockerfile", "README", "LICENSE", "CHANGELOG", "package-info", "module-info", "docker-compose")
)
_MATERIAL = frozenset((FileRole.TEST, FileRole.EXAMPLE))
_MOST_OF_THEM = 0.5
_USUAL = {
    # Components are named as their tags.
    (".svelte", "PascalCase"): 0.88,
    (".vue", "PascalCase"): 0.88,
    # As in Java, what is in a file gives it its name.
    **dict.fromkeys(((suffix, "PascalCase") for suffix in (".kt", ".groovy", ".scala", ".cs", ".swift")), 0.97),
    ("Python", "snake_case"): 0.97,
    ("Go", "snake_case"): 0.95,
    ("Java", "PascalCase"): 0.99,
    ("Rust", "snake_case"): 0.99,
    ("TypeScript", "kebab-case"): 0.4,
    ("TypeScript", "camelCase"): 0.3,
    ("TypeScript", "PascalCase"): 0.3,
    ("JavaScript", "kebab-case"): 0.45,
    ("JavaScript", "camelCase"): 0.3,
}


def votes(file: File, _: Any, __: World) -> Iterable[Vote]:
    """Let every name of several words vote for its case."""
    stem = file.name.lstrip(".").partition(".")[0]
    if stem not in _NEVER and (case := case_of(stem)) is not None:
        yield Vote("case", (case,))


def propose(finding: Finding) -> Proposal | None:
    """Say which case it is."""
    if finding.form not in CASES:
        return None
    # Some folders of tests and examples agree by chance, where most of them do otherwise.
    if (
        _MATERIAL.issuperset(finding.scope.roles or (None,))
        and finding.gathered < _MOST_OF_THEM
        and finding.scope.include
    ):
        return None
    rule = Rule(
        RuleKind.PATH,
        {"applicable": {"words": "2"}, "conforming": {"case": finding.form}},
        finding.scope,
        alternative=finding.alternative if finding.alternative in CASES else None,
    )
    name = f"{in_scope(finding, 'Files')} are named in {finding.form}"
    # What configurations are called is settled by the tools that read them.
    weight = 1.0 if finding.tongue in CODE else 0.5
    return Proposal(name, rule, PatternCategory.FILE_NAMING, PatternType.FILESYSTEM, weight=weight)


def prior(finding: Finding) -> float:
    """Know what a language's tools demand anyway."""
    # Where no module is named after it, a file is called with dashes more often than not.
    other = 0.92 if finding.form == "kebab-case" and finding.tongue not in CODE else 0.3
    return _USUAL.get((finding.tongue or "", finding.form), other)


FAMILY = Family(
    "file-case", votes, propose, languages=None, prior=prior, least=Least(sites=8, files=8, share=0.9, careful=0.8)
)
