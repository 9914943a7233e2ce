"""What files begin with: a licence or copyright in comments, the year masked.

Says, for instance: "Go files begin with `// Copyright The Authors` and 12 more lines".
"""

import re
from collections.abc import Iterable
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.rule import Rule, RuleKind
from app.domain.templates import stem_of, template_of
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Source

_MARKS = ("#", "//", "/*", "*", "--", ";", "<!--", '"""')
_MOST_LINES = 30
_LONGEST = 200
# What an interpreter or an editor reads is no header.
_NOT_HEADERS = (
    "#!",
    "# -*-",
    "// @ts-",
    "/* eslint",
    "// eslint",
    "//go:build",
    "// +build",
    "#include",
    "#define",
    "#if",
    "#pragma",
    "#compdef",
    "//! ```",
)


_HOLDER = re.compile(r"(?i)\W*(copyright\b|\(c\)|©)")
_MOST_OF_IT = 0.5


def facts(source: Source) -> Any:
    """Keep the templates of the comments that stand before everything else."""
    found: list[str] = []
    stem = stem_of(source.name)
    for line in source.lines[: 2 * _MOST_LINES]:
        text = line.strip()
        if not text or text.startswith(_NOT_HEADERS):
            continue
        if not text.startswith(_MARKS) or len(found) == _MOST_LINES:
            break
        if any(letter.isalpha() for letter in text) and len(text) <= _LONGEST:
            found.append(template_of(line, stem))
    return list(dict.fromkeys(found)) or None


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each file vote for the lines it begins with; one without any counts as well."""
    yield Vote("header", tuple(facts or ()))


def propose(finding: Finding) -> Proposal | None:
    """Say the first of the lines, and how many follow."""
    lines = finding.together or (finding.form,)
    # Who wrote a part of it is no convention of theirs.
    if finding.scope.include and finding.asked < _MOST_OF_IT and all(map(_HOLDER.match, lines)):
        return None
    rule = Rule(RuleKind.REGEX, {"per": "file", "lines": list(lines)}, finding.scope)
    more = f" and {len(lines) - 1} more line{'s' if len(lines) > 2 else ''}" if len(lines) > 1 else ""
    shown = lines[0] if len(lines[0]) <= 90 else f"{lines[0][:89]}…"
    return Proposal(f"{in_scope(finding, 'Files')} begin with `{shown}`{more}", rule, PatternCategory.DOCUMENTATION)


def prior(_: Finding) -> float:
    """Know that whose words they are, nobody else writes them."""
    return 0.05


FAMILY = Family(
    "headers",
    votes,
    propose,
    facts=facts,
    version=2,
    languages=None,
    prior=prior,
    least=Least(sites=8, files=8, share=0.85, careful=0.78),
    open=True,
    joins=True,
    most=4,
)
