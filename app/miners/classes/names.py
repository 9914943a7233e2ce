"""How classes of one kind are named: after what they extend, with `I` or `Abstract` before, with `Error` behind.

Says, for instance: "Python subclasses of `BaseRenderer` are named `…Renderer`". What a class extends, implements or is
decorated with is its kind; names of one word, which have no part, vote as well.
"""

import re
from collections.abc import Iterable
from typing import Any

from app.domain.cases import words_in
from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.classes.reading import (
    ABSTRACT,
    ERRORS,
    INTERFACE,
    LANGUAGES,
    classes_of,
    kind_in_words,
    note_classes,
    sites_of,
    speaks_for_others,
)
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World, tongue_of
from app.miners.core.words import in_scope
from app.syntax import Source

_ROLES = frozenset((FileRole.SOURCE,))
_LEAST_REPEATING = 40
_FAILURES = ("Error", "Exception", "Warning")
_WORDS = re.compile(r"(?:Java|Type)Script|GraphQL|GitHub|OAuth|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def facts(source: Source) -> Any:
    """List names by kind."""
    found: dict[str, list[str]] = {}
    for each in classes_of(source):
        for kind in each.kinds:
            found.setdefault(kind, []).append(each.name)
    return found or None


def survey(noted: dict[str, Any], file: File, facts: Any) -> None:
    """Note which classes each kind has."""
    if facts and file.role in _ROLES:
        note_classes(noted, file, ((kind, len(names)) for kind, names in facts.items()))


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each class vote for what its name begins and ends with."""
    for kind, names in (facts or {}).items():
        if speaks_for_others(world.noted, f"{tongue_of(file)}", kind):
            for name in names:
                yield Vote(kind, tuple(_affixes(kind, name)))


def _affixes(kind: str, name: str) -> Iterable[str]:
    if kind == INTERFACE:
        if re.match("I[A-Z][a-z]", name):
            yield "I…"
        return
    parts = _WORDS.findall(name)
    if len(parts) < 2:
        return
    yield f"{parts[0]}…" if kind == ABSTRACT else f"…{_shared(kind.rpartition(' ')[2], parts)}"


def _shared(base: str, parts: list[str]) -> str:
    """Give what a name shares with the end of its base's, else its last word."""
    most = 0
    theirs = _WORDS.findall(base)
    while most < min(len(parts) - 1, len(theirs)) and parts[-1 - most] == theirs[-1 - most]:
        most += 1
    return "".join(parts[-max(most, 1) :])


def _repeats(kind: str, form: str) -> bool:
    """Tell whether names end as the base does."""
    base = words_in(kind.rpartition(" ")[2])
    return form.startswith("…") and words_in(form)[-1:] == base[-1:] and not kind.startswith("@")


def propose(finding: Finding) -> Proposal | None:
    """Say the part of the name."""
    kind, form = finding.topic, finding.form
    word = form.strip("…")
    # A word of one letter, or a number, is no word that somebody chose.
    if kind != INTERFACE and (len(word) < 3 or word.isdigit()):
        return None
    # That an error is called an error goes without saying.
    if word in _FAILURES and word == kind.rpartition(" ")[2]:
        return None
    # What a few take over from their base is what subclasses do.
    if _repeats(kind, form) and finding.applicable < _LEAST_REPEATING:
        return None
    shape = f"^{re.escape(word)}[A-Z0-9_]" if form.endswith("…") else f"[A-Za-z0-9]{re.escape(word)}$"
    named = {"field": "name", "regex": shape}
    if finding.tongue == "Rust":
        named = {"field": "type", "regex": rf"^([\w:]+::)?\w+{re.escape(word)}(<|$)"}
    rule = Rule(
        RuleKind.AST,
        {"applicable": sites_of(finding.tongue or "", kind), "conforming": {"has": named}},
        finding.scope,
    )
    subject = in_scope(finding, kind_in_words(finding.tongue, kind))
    return Proposal(f"{subject} are named `{form}`", rule, PatternCategory.NAMING, weight=0.8)


def prior(finding: Finding) -> float:
    """Know that names follow bases more often than not, and errors nearly always."""
    kind, word = finding.topic, finding.form.strip("…")
    if kind == ERRORS:
        if finding.tongue == "Python":
            return {"Error": 0.75}.get(word, 0.3)
        return 0.97 if word in ("Error", "Exception") else 0.3
    if kind == INTERFACE:
        return 0.15
    if kind == ABSTRACT:
        return {"Abstract": 0.6, "Base": 0.3}.get(word, 0.1)
    if _repeats(kind, finding.form):
        return 0.97 if word in ("Error", "Exception", "Warning") and finding.tongue != "Python" else 0.7
    return 0.35


FAMILY = Family(
    "class-names",
    votes,
    propose,
    facts=facts,
    version=5,
    languages=LANGUAGES,
    roles=_ROLES,
    prior=prior,
    least=Least(sites=8, files=3),
    survey=survey,
    most=5,
    most_of_an_answer=1,
)
