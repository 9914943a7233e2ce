"""What the functions are called that elements are given for their events: `onClick={handleClick}`.

Says, for instance: "JavaScript handlers given to elements are named `handle…`". A handler that a component was given
itself (`onClick={onClick}`) and a setter of state (`onChange={setName}`) are no choice of a name.
"""

import re
from collections.abc import Iterable
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Source

# Names that begin otherwise than with `on` or `set`, in an expression without looking ahead.
_CHOSEN = r"(?:[a-np-rt-z]|o(?:[a-mo-z]|\b)|s(?:[a-df-z]|\b)|se(?:[a-su-z]|\b)|set[a-z]|on[a-z])\w*"
_GIVEN = rf"\bon[A-Z]\w*=\{{(?:this\.)?{_CHOSEN}\}}"
_HANDLE = r"=\{(?:this\.)?handle[A-Z]"
_READY, _NAMED = re.compile(_GIVEN), re.compile(_HANDLE)


def facts(source: Source) -> Any:
    """Count the handlers, and those that are named after what they do it for."""
    given = _READY.findall(source.text) if "={" in source.text else ()
    return [sum(_NAMED.search(each) is not None for each in given), len(given)] if given else None


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each handler vote."""
    named, given = facts or (0, 0)
    if named:
        yield Vote("handlers", ("handle",), named)
    if given > named:
        yield Vote("handlers", (), given - named)


def propose(finding: Finding) -> Proposal:
    """Say the name."""
    rule = Rule(RuleKind.REGEX, {"per": "match", "applicable": _GIVEN, "conforming": _HANDLE}, finding.scope)
    name = f"{in_scope(finding, 'Handlers')} given to elements are named `handle…`: `onClick={{handleClick}}`"
    return Proposal(name, rule, PatternCategory.NAMING)


def prior(_: Finding) -> float:
    """Know how many do so."""
    return 0.4


FAMILY = Family(
    "handler-names",
    votes,
    propose,
    facts=facts,
    languages=frozenset(("JavaScript", "TSX")),
    roles=frozenset((FileRole.SOURCE,)),
    prior=prior,
    least=Least(sites=12, files=6, share=0.85),
)
