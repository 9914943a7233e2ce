"""The kinds of rules that can be checked without a model: a new kind is a file and a line here."""

from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from app.domain.errors import Invalid
from app.domain.rule import Rule, RuleKind, columns_of

if TYPE_CHECKING:
    from app.checkers.subject import Checker, Compile

# By name, because the API makes few rules ready, and what parses five languages costs it 5 MB from the first.
CHECKERS = {
    RuleKind.AST: "trees",
    RuleKind.IMPORT: "imports",
    RuleKind.PATH: "paths",
    RuleKind.REGEX: "texts",
}

EDITION = sha256(f"{version('tenet')} {version('ast-grep-py')}".encode()).hexdigest()[:12]
"""What a rule was made ready by: what one edition takes another may refuse."""


def columns_of_ready(rule: Rule) -> dict[str, Any]:
    """Spell a rule that was made ready as the columns of its pattern."""
    return {**columns_of(rule), "rule_edition": EDITION}


def ready(rule: Rule) -> "Checker":
    """Make a rule ready to be checked, or refuse it with the part that is wrong."""
    if rule.kind not in CHECKERS:
        raise Invalid("This rule cannot be measured.", fields={"kind": f"{rule.kind.value} is judged by a model."})
    compile_rule: Compile = import_module(f"app.checkers.{CHECKERS[rule.kind]}").compile_rule
    return compile_rule(rule)
