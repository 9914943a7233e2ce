"""The kinds of rules that can be checked without a model: a new kind is a file and a line here."""

from app.checkers import imports, paths, texts, trees
from app.checkers.subject import Checker, Compile
from app.domain.errors import Invalid
from app.domain.rule import Rule, RuleKind

CHECKERS: dict[RuleKind, Compile] = {
    RuleKind.AST: trees.compile_rule,
    RuleKind.IMPORT: imports.compile_rule,
    RuleKind.PATH: paths.compile_rule,
    RuleKind.REGEX: texts.compile_rule,
}


def ready(rule: Rule) -> Checker:
    """Make a rule ready to be checked, or refuse it with the part that is wrong."""
    if rule.kind not in CHECKERS:
        raise Invalid("This rule cannot be measured.", fields={"kind": f"{rule.kind.value} is judged by a model."})
    return CHECKERS[rule.kind](rule)
