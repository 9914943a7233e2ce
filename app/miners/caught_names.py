"""What a caught exception is called: `except ValueError as exc`, `catch (error)`, `catch (IOException e)`.

Says, for instance: "Caught exceptions are named `exc`". Names that say nothing of their own (`_`, `ignored`) do not
vote.
"""

from collections.abc import Callable, Iterable
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Source, text_of

_SILENT = frozenset(("_", "__", "ignored", "ignore", "unused"))
_LANGUAGES = frozenset(("Python", "JavaScript", "TypeScript", "TSX", "Java"))

# What a handler looks like, and a handler whose name fits an expression.
_HANDLERS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "Python": (
        "except_clause",
        lambda name: {"has": {"kind": "as_pattern", "has": {"kind": "as_pattern_target", "regex": name}}},
    ),
    "TypeScript": ("catch_clause", lambda name: {"has": {"field": "parameter", "kind": "identifier", "regex": name}}),
    "JavaScript": ("catch_clause", lambda name: {"has": {"field": "parameter", "kind": "identifier", "regex": name}}),
    "Java": ("catch_formal_parameter", lambda name: {"has": {"field": "name", "regex": name}}),
}
_USUAL = {("Python", "e"): 0.55, ("Python", "exc"): 0.2, ("Java", "e"): 0.93, ("JavaScript", "e"): 0.3}

_LEAST_SHARE, _LEAST_OF_TESTS = 0.8, 25


def facts(source: Source) -> Any:
    """List the names, one for each handler that has one."""
    names = []
    if source.language == "Python":
        for handler in source.nodes("except_clause"):
            target = next((child for child in handler.named_children if child.type == "as_pattern"), None)
            names.append(text_of(target.child_by_field_name("alias")) if target else "")
    elif source.language == "Java":
        names = [text_of(each.child_by_field_name("name")) for each in source.nodes("catch_formal_parameter")]
    else:
        for handler in source.nodes("catch_clause"):
            parameter = handler.child_by_field_name("parameter")
            names.append(text_of(parameter) if parameter is not None and parameter.type == "identifier" else "")
    return [name for name in names if name] or None


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each handler vote for its name."""
    for name in facts or ():
        if name not in _SILENT:
            yield Vote("name", (name,))


def propose(finding: Finding) -> Proposal | None:
    """Say the name; nothing of what only rises, or of so few that some tests happen to have."""
    if finding.share < _LEAST_SHARE or (
        finding.scope.roles == (FileRole.TEST,) and finding.applicable < _LEAST_OF_TESTS
    ):
        return None
    handler, named = _HANDLERS[finding.tongue or ""]
    telling = {"all": [named("."), {"not": named(f"^(?:{'|'.join(sorted(_SILENT))})$")}]}
    rule = Rule(
        RuleKind.AST,
        {"applicable": {"kind": handler, **telling}, "conforming": named(f"^{finding.form}$")},
        finding.scope,
        alternative=finding.alternative,
    )
    return Proposal(
        f"{in_scope(finding, 'Caught exceptions')} are named `{finding.form}`", rule, PatternCategory.NAMING
    )


def prior(finding: Finding) -> float:
    """Know what most people write."""
    return _USUAL.get((finding.tongue or "", finding.form), 0.1)


FAMILY = Family(
    "caught-names",
    votes,
    propose,
    facts=facts,
    languages=_LANGUAGES,
    prior=prior,
    least=Least(sites=12, files=4, rising=False),
)
