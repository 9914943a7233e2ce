"""How remarks are written of what is left to do: `FIXME` or `TODO`, and with whose name.

Says, for instance: "Rust remarks of what is left to do are marked `FIXME`, not `TODO`" and "Go remarks `TODO` say who
is meant: `TODO(name)`".
"""

import re
from collections.abc import Iterable
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Source

_MARKS = ("TODO", "FIXME", "XXX", "HACK")
_BEGIN = r"(?:#|//|\*)[ \t]*"
_MARK = rf"{_BEGIN}(?:{'|'.join(_MARKS)})\b"
_REMARK = re.compile(rf"{_BEGIN}({'|'.join(_MARKS)})\b([^\n]*)")
_NAMED, _COLON = r"[ \t]*\([ \t]*@?[A-Za-z]", r"[ \t]*:"
_FORMS = {"named": re.compile(_NAMED), "colon": re.compile(_COLON)}
# The forms of `TODO`, what they come to, what is said of them, how usual they are, and how much that is worth.
_SAID: dict[str, tuple[str, str, float, float]] = {
    "named": (_NAMED, "say who is meant: `{}(name)`", 0.12, 0.5),
    "colon": (_COLON, "are written `{}: …`", 0.75, 0.5),
}
_USUAL = {"TODO": 0.94, "FIXME": 0.08, "XXX": 0.03, "HACK": 0.01}


def facts(source: Source) -> Any:
    """Count the marks, and the forms of each."""
    if not any(mark in source.text for mark in _MARKS):
        return None
    found: dict[str, dict[str, int]] = {}
    for mark, rest in _REMARK.findall(source.text):
        form = next((form for form, shape in _FORMS.items() if shape.match(rest)), "")
        forms = found.setdefault(mark, {})
        forms[form] = forms.get(form, 0) + 1
    return found or None


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each remark vote for its mark, and for its form."""
    for mark, forms in (facts or {}).items():
        yield Vote("mark", (mark,), sum(forms.values()))
        for form, times in forms.items():
            yield Vote(mark, (form or "plain",), times)


def propose(finding: Finding) -> Proposal | None:
    """Say the mark, or the form."""
    if finding.topic == "mark":
        others = [form for form, _ in finding.rivals[:2]] or [mark for mark in _MARKS[:2] if mark != finding.form]
        other = " or ".join(f"`{mark}`" for mark in others)
        definition = {"per": "match", "applicable": f"{_MARK}[^\\n]*", "conforming": rf"^{_BEGIN}{finding.form}\b"}
        sentence = f"{in_scope(finding, 'Remarks of what is left to do')} are marked `{finding.form}`, not {other}"
        rule = Rule(RuleKind.REGEX, definition, finding.scope, alternative=other if finding.rivals else None)
        return Proposal(sentence, rule, PatternCategory.DOCUMENTATION, weight=0.5)
    # That most of a few folders write a colon is chance.
    scattered = finding.form == "colon" and (finding.scope.include or finding.scope.exclude or finding.topic != "TODO")
    if finding.form not in _SAID or scattered:
        return None
    shape, said, _, weight = _SAID[finding.form]
    mark = finding.topic
    definition = {
        "per": "match",
        "applicable": rf"{_BEGIN}{mark}\b[^\n]*",
        "conforming": rf"^{_BEGIN}{mark}{shape}",
    }
    rule = Rule(RuleKind.REGEX, definition, finding.scope)
    sentence = f"{in_scope(finding, f'Remarks `{mark}`')} {said.format(mark)}"
    return Proposal(sentence, rule, PatternCategory.DOCUMENTATION, weight=weight)


def prior(finding: Finding) -> float:
    """Know which marks and forms are usual."""
    return _USUAL[finding.form] if finding.topic == "mark" else _SAID[finding.form][2]


FAMILY = Family(
    "remarks",
    votes,
    propose,
    facts=facts,
    prior=prior,
    least=Least(sites=20, files=8, share=0.85, careful=0.78),
    most=2,
)
