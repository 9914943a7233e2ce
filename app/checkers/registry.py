"""The kinds of rules that can be checked without a model: a new kind is a file and a line here."""

from importlib import import_module
from typing import TYPE_CHECKING

from app.domain.errors import Invalid
from app.domain.rule import Rule, RuleKind

if TYPE_CHECKING:
    from app.checkers.subject import Checker, Compile

# By name, because the API makes few rules ready, and what parses five languages costs it 5 MB from the first.
CHECKERS = {
    RuleKind.AST: "trees",
    RuleKind.IMPORT: "imports",
    RuleKind.PATH: "paths",
    RuleKind.REGEX: "texts",
}


def ready(rule: Rule) -> "Checker":
    """Make a rule ready to be checked, or refuse it with the part that is wrong."""
    if rule.kind not in CHECKERS:
        raise Invalid("This rule cannot be measured.", fields={"kind": f"{rule.kind.value} is judged by a model."})
    compile_rule: Compile = import_module(f"app.checkers.{CHECKERS[rule.kind]}").compile_rule
    return compile_rule(rule)
