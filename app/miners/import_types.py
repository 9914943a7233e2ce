"""How TypeScript and Python import what they need only as types: `import type { A }`, `import { type A }`, guarded.

Says, for instance: "TypeScript imports of nothing but types are written `import type`" and "Python imports of nothing
but types stand under `if TYPE_CHECKING:`". Whether a name is needed only as a type is seen by where it stands; files
that may need it at run time, such as those of TypeScript with decorators, are not asked.
"""

from collections.abc import Iterable
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Source, imports_of, type_uses

_QUESTIONS = {"all": "types", "some": "mixed"}
_USUAL = {("types", "type"): 0.5, ("types", "inline"): 0.1, ("mixed", "inline"): 0.35}


def facts(source: Source) -> Any:
    """Count imports of types by how they are written."""
    uses = type_uses(source)
    found: dict[str, dict[str, int]] = {}
    for each in imports_of(source) if uses else ():
        question = _QUESTIONS.get(uses.get(each.line, ""))
        if question is not None and "export" not in each.forms:
            form = "type" if each.type_only else "inline" if "inline" in each.forms else "plain"
            counts = found.setdefault(question, {})
            counts[form] = counts.get(form, 0) + 1
    return found or None


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each import that brings types vote for how it says so."""
    for question, counts in (facts or {}).items():
        for form, times in counts.items():
            yield Vote(question, (form,), times)


def propose(finding: Finding) -> Proposal | None:
    """Say how types are imported."""
    uses, subject = ("all", "Imports of nothing but types") if finding.topic == "types" else ("some", "Imports")
    conforming: dict[str, Any]
    if finding.tongue == "Python" and finding.topic == "mixed":
        return None
    match finding.topic, finding.form:
        case "types", "type" if finding.tongue == "Python":
            conforming, shown = {"type_only": True}, "stand under `if TYPE_CHECKING:`"
        case "types", "type":
            conforming, shown = {"type_only": True}, "are written `import type`"
        case "types", "inline":
            conforming, shown = {"form": ["inline"]}, "mark each name: `import { type A }`"
        case "mixed", "inline":
            conforming, shown = {"form": ["inline"]}, "mark what is a type beside values: `import { a, type B }`"
        case _:
            return None
    plain = "a plain `import`" if finding.tongue == "Python" else "plain `import`"
    other = {"plain": plain, "inline": "`import { type A }`", "type": "`import type`"}
    rule = Rule(
        RuleKind.IMPORT,
        {"per": "import", "applicable": {"types": [uses]}, "conforming": conforming},
        finding.scope,
        alternative=other.get(finding.alternative or ""),
    )
    return Proposal(f"{in_scope(finding, subject)} {shown}", rule, PatternCategory.DEPENDENCY)


def prior(finding: Finding) -> float:
    """Know what is usual."""
    return 0.3 if finding.tongue == "Python" else _USUAL.get((finding.topic, finding.form), 0.9)


FAMILY = Family(
    "import-types",
    votes,
    propose,
    facts=facts,
    version=2,
    languages=frozenset(("TypeScript", "TSX", "Python")),
    prior=prior,
    least=Least(sites=12, files=6, share=0.87, bits=0.3),
)
