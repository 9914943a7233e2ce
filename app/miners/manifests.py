"""What all manifests of a repository of many packages say: `edition.workspace = true`, `"type": "module"`, a plugin.

Says, for instance: "Every `Cargo.toml` says `edition.workspace = true` and `lints.workspace = true`". Asked are the
manifests of package managers and build tools, of which there are several; what most of the world writes is left out.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.domain.templates import stem_of, template_of
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import listed_places, with_lines
from app.syntax import Source

_MANIFESTS = frozenset(
    ("Cargo.toml", "package.json", "tsconfig.json", "pyproject.toml", "build.gradle", "build.gradle.kts")
)
# Crates that fuzz are no members of the workspace.
_OF_CRATES = "Cargo.toml"
_FUZZED, _FUZZING = re.compile(r"(^|/)fuzz$"), ("**/fuzz/*",)
# What tools are told stands at the end, after all dependencies.
_MOST_LINES, _LONGEST, _SHORTEST = 300, 100, 7
_MOST_SHOWN = 3
_LEAST_SHARE = 0.85
# What every manifest has: names, versions, heads of tables, brackets, what begins a block.
_COMMON = re.compile(
    r"\[(?!lints\])[\w.\"-]+\]|"
    r"\"[^\":]*\",?|license = .*|[^A-Za-z]*|"
    r"\"?(name|version|description|private|main|types|license|files|scripts|url|type)\"?\s*[:=]?"
    r"\s*[\[{(]?|\"?[\w.-]+\"?\s*[:=]?\s*[\[{(]|\"license\": .*|\"version\": .*|"
    # Where it lives and whose it is.
    r"\"(homepage|bugs|author|repository|funding|email|directory|url)\": .*|\"type\": \"(git|github)\",?|"
    r"(homepage|repository|authors|documentation) = .*|"
    r"[\w-]+ = \"[\d^~.*]+\"|\"[@\w./-]+\": \"[\d^~.*<>= ]+\",?|edition = .*|\"private\": true,?|(include|extends).*"
)


def facts(source: Source) -> Any:
    """Keep the telling lines of a manifest."""
    if source.name not in _MANIFESTS:
        return None
    found: dict[str, None] = {}
    for line in source.lines[:_MOST_LINES]:
        text = template_of(line, stem_of(source.name))
        if _SHORTEST <= len(text) <= _LONGEST and not _COMMON.fullmatch(text):
            found[text] = None
    return list(found)


def votes(file: File, facts: Any, _: World) -> Iterable[Vote]:
    """Let each manifest vote for what it says, but for the one at the top, which speaks for all."""
    if facts is not None and file.folder and not (file.name == _OF_CRATES and _FUZZED.search(file.folder)):
        yield Vote(file.name, tuple(facts))


def propose(finding: Finding) -> Proposal | None:
    """Say what it is that they all say."""
    # What rises among manifests is what their tools write today.
    if finding.share < _LEAST_SHARE:
        return None
    lines = finding.together or (finding.form,)
    # The manifest at the top speaks for all others and is none of them.
    folders = [glob.partition("**")[0] for glob in finding.scope.include if not glob.startswith("**/")]
    include = tuple(f"{folder}**/{finding.topic}" for folder in folders) or (f"*/**/{finding.topic}",)
    scope = replace(finding.scope, include=include, exclude=_FUZZING if finding.topic == _OF_CRATES else ())
    definition = {"per": "file", "lines": list(lines)}
    of = "Example files" if scope.roles == (FileRole.EXAMPLE,) else "Files"
    begin = f"{of} `{finding.topic}`{listed_places(folders)} say"
    return Proposal(
        with_lines(begin, [line.removesuffix(",") for line in lines], _MOST_SHOWN),
        Rule(RuleKind.REGEX, definition, scope),
        PatternCategory.STRUCTURAL,
    )


def prior(_: Finding) -> float:
    """Know that it is rarely by chance that many manifests say the same."""
    return 0.3


FAMILY = Family(
    "manifests",
    votes,
    propose,
    facts=facts,
    version=5,
    languages=None,
    roles=frozenset((FileRole.CONFIG, FileRole.EXAMPLE)),
    prior=prior,
    least=Least(sites=6, files=6, share=0.88, careful=0.7, rising=False),
    open=True,
    joins=True,
    most=4,
)
