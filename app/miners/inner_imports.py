"""Where imports stand: at the top of the file, or inside the functions that need them.

Says, for instance: "Python files import at their top, never inside functions". What is imported only for types, and
what is tried because it may be missing, does not count.
"""

from collections.abc import Iterable
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Import, Source, imports_of

# Nearly all imports of any repository stand at the top, and most of its files have no others.
_USUAL = {"top": 0.8, "inner": 0.1}
_USUAL_IN_RUST = 0.72
_LEAST_OF_A_PART = 60


def facts(source: Source) -> Any:
    """Tell whether the file imports at all, and whether inside functions."""
    places = [each.top for each in imports_of(source) if _counts(source.language, each)]
    if not places:
        return None
    return "top" if all(places) else "inner"


def _counts(language: str, found: Import) -> bool:
    return not (found.type_only or found.optional) and (language != "JavaScript" or "require" in found.forms)


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each file that imports vote."""
    if facts:
        yield Vote("place", (facts,))


def propose(finding: Finding) -> Proposal | None:
    """Say where."""
    # Of a small part it is chance that nobody needed an import inside.
    if finding.form == "top" and finding.scope.include and finding.applicable < _LEAST_OF_A_PART:
        return None
    needed: dict[str, Any] = {"type_only": False, "optional": False}
    if finding.tongue == "JavaScript":
        needed["form"] = ["require"]
    inner = {**needed, "top": False}
    word = {"Python": "import", "Rust": "import (`use`)"}.get(finding.tongue or "", "call `require`")
    if finding.form == "top":
        definition: dict[str, Any] = {"per": "file", "applicable": needed, "forbidden": inner}
        sentence = f"{word} at their top, never inside functions"
    else:
        definition = {"per": "file", "applicable": needed, "conforming": inner}
        sentence = f"{word} inside the functions that need it"
    alternative = "inside functions" if finding.form == "top" and finding.rivals else None
    rule = Rule(RuleKind.IMPORT, definition, finding.scope, alternative=alternative)
    return Proposal(f"{in_scope(finding, 'Files')} {sentence}", rule, PatternCategory.DEPENDENCY)


def prior(finding: Finding) -> float:
    """Know how many files import only at their top anyway."""
    return _USUAL_IN_RUST if finding.tongue == "Rust" and finding.form == "top" else _USUAL[finding.form]


FAMILY = Family(
    "inner-imports",
    votes,
    propose,
    facts=facts,
    languages=frozenset(("Python", "JavaScript", "Rust")),
    prior=prior,
    least=Least(sites=20, files=20, share=0.85, bits=0.24),
)
