"""What modules of a place declare, by the name of their file: `{Stem}Props`, `use{Stem}`, or the same name in each.

Says, for instance: "TypeScript `*.types.ts` files in `trpc/` declare `Z{Stem}RequestSchema`", "JavaScript source files
in `lib/` declare `{Stem}`" and "TypeScript `route.ts` files declare `GET`". Only what is rare elsewhere counts.
"""

from collections.abc import Iterable
from typing import Any

from app.domain.own_names import declared_names
from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.domain.templates import stem_of
from app.miners.core.family import SCRIPTS, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope, with_lines
from app.syntax import Source

_MOST_NAMES = 60
_MOST_SHOWN = 3
_ITSELF = frozenset(("{Stem}", "{stemCamel}", "{STEM}"))


def facts(source: Source) -> Any:
    """Keep the templates of what a file declares."""
    return list(dict.fromkeys(name for _, name in declared_names(source.lines, stem_of(source.name))))[:_MOST_NAMES]


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each file vote for the names that it declares."""
    if facts is not None:
        yield Vote("names", tuple(facts))


def propose(finding: Finding) -> Proposal | None:
    """Say which names they are."""
    names = finding.together or (finding.form,)
    rule = Rule(RuleKind.REGEX, {"per": "file", "names": list(names)}, finding.scope)
    says = "are named as what they declare:" if set(names) <= _ITSELF else "declare"
    return Proposal(
        with_lines(f"{in_scope(finding, 'Files')} {says}", names, _MOST_SHOWN, "name"),
        rule,
        PatternCategory.NAMING,
        weight=1.2 if any("{" in name for name in names) else 0.8,
    )


FAMILY = Family(
    "own-names",
    votes,
    propose,
    facts=facts,
    version=2,
    languages=SCRIPTS | {"Go"},
    roles=frozenset((FileRole.SOURCE, FileRole.TEST)),
    least=Least(sites=8, files=7, share=0.85, careful=0.8, bits=1.0),
    open=True,
    joins=True,
    local=True,
    most=6,
)
