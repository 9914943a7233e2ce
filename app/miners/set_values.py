"""What values of one type, annotations and decorators always set, and to what.

Says, for instance: "Go values of `cobra.Command` set `DisableAutoGenTag: true`", "Java annotations `@JsonTypeInfo` are
given `property = "type"`" and "TypeScript decorators `@Injectable` set `providedIn: 'root'`". Only what is written out
as a constant was settled by somebody; what each of them must set differs from one to the next.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import TONGUES, WRITTEN, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope, with_lines
from app.syntax import Node, Source, text_of

_MOST, _MOST_SHOWN, _LONGEST = 120, 3, 60
_NAMED = re.compile(r"(?:[a-z]\w*\.)?[A-Z]\w+")
_CONSTANT = re.compile(
    r"true|false|-?\d[\w.]*|\"[^\"\n]{1,40}\"|'[^'\n]{1,40}'|(?:[A-Za-z]\w*\.)*[A-Z][A-Z0-9_]{2,}"
    r"|(?:[A-Za-z]\w*\.)+[A-Z]\w+|[A-Z]\w+\.class"
)
# What tools and the language ask for, and how everybody answers.
_GIVEN = frozenset(
    ("Deprecated", "Documented", "Generated", "Inherited", "Retention", "SafeVarargs", "SuppressWarnings", "Target")
)
_GO_TEST = "_test.go"
_Setting = tuple[str, tuple[str, ...]]


def facts(source: Source) -> Any:
    """Count what is set, by what sets it."""
    counted = Counter(_READERS[source.language](source))
    return [[name, list(forms), times] for (name, forms), times in sorted(counted.items())[:_MOST]] or None


def _go(source: Source) -> Iterator[_Setting]:
    if source.name.endswith(_GO_TEST):
        return
    for node in source.nodes("composite_literal"):
        kind, body = node.child_by_field_name("type"), node.child_by_field_name("body")
        if kind is None or body is None or kind.type not in ("qualified_type", "type_identifier"):
            continue
        fields = [each for each in body.named_children if each.type == "keyed_element"]
        if fields and _NAMED.fullmatch(name := text_of(kind)):
            yield name, tuple(_constants(fields, ": "))


def _java(source: Source) -> Iterator[_Setting]:
    for node in source.nodes("annotation", "marker_annotation"):
        name, given = text_of(node.child_by_field_name("name")), node.child_by_field_name("arguments")
        if name in _GIVEN:
            continue
        values = given.named_children if given is not None else []
        if len(values) == 1 and values[0].type != "element_value_pair":
            only = text_of(values[0])
            # A text alone says what it is about: a path, a name, a reason.
            told = len(only) <= _LONGEST and only[0] != '"' and _CONSTANT.fullmatch(only)
            yield name, (only,) if told else ()
        else:
            yield name, tuple(_constants([each for each in values if each.type == "element_value_pair"], " = "))


def _script(source: Source) -> Iterator[_Setting]:
    for node in source.nodes("decorator"):
        call = node.named_children[0] if node.named_children else None
        if call is None or call.type != "call_expression":
            continue
        given = call.child_by_field_name("arguments")
        options = next((each for each in given.named_children if each.type == "object"), None) if given else None
        pairs = [each for each in options.named_children if each.type == "pair"] if options is not None else []
        yield text_of(call.child_by_field_name("function")), tuple(_constants(pairs, ": "))


def _constants(pairs: Iterable[Node], between: str) -> Iterator[str]:
    """Give what is set to a constant, as it is written."""
    for pair in pairs:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is None or value is None or value.end_byte - value.start_byte > _LONGEST:
            continue
        if _CONSTANT.fullmatch(text := text_of(value)):
            yield f"{text_of(key)}{between}{text}"


_READERS = {"Go": _go, "Java": _java, "TypeScript": _script, "TSX": _script}


def votes(file: File, facts: Any, _: World) -> Iterable[Vote]:
    """Let each that sets something vote for what it sets."""
    # What tests set up is what they are about; what they are marked with is how they are written.
    if file.role is FileRole.TEST and TONGUES.get(str(file.language), file.language) != "Java":
        return
    for name, forms, times in facts or ():
        yield Vote(name, tuple(forms), times)


def propose(finding: Finding) -> Proposal | None:
    """Say what is set."""
    # What files of one name have in common, their name says.
    if any(glob.startswith("**/") and "*" not in glob[3:] for glob in finding.scope.include):
        return None
    tongue, name = str(finding.tongue), finding.topic
    forms = finding.together or (finding.form,)
    sites, says = _SITES[tongue](name)
    fits = [_CONFORMING[tongue](_spelled(form)) for form in forms]
    scope = finding.scope
    if tongue != "Java" and not scope.roles:
        scope = replace(scope, roles=tuple(sorted(WRITTEN - {FileRole.TEST}, key=lambda role: role.value)))
    rule = Rule(
        RuleKind.AST,
        {"applicable": sites, "conforming": fits[0] if len(fits) == 1 else {"all": fits}},
        scope,
    )
    said = f"{in_scope(finding, says)} {'are given' if tongue == 'Java' else 'set'}"
    return Proposal(with_lines(said, forms, _MOST_SHOWN, "value"), rule, PatternCategory.API, weight=0.9)


def _spelled(form: str) -> str:
    """Spell what is set as an expression that blanks do not matter to."""
    key, between, value = form.partition(": ") if ": " in form else form.partition(" = ")
    if not between:
        return rf"^\(\s*{re.escape(form)}\s*\)$"
    return rf"^{re.escape(key)}\s*{between.strip()}\s*{re.escape(value)}$"


def _of_go(name: str) -> tuple[dict[str, Any], str]:
    typed = {"field": "type", "regex": f"^{re.escape(name)}$"}
    fields = {"field": "body", "has": {"kind": "keyed_element"}}
    return {"kind": "composite_literal", "all": [{"has": typed}, {"has": fields}]}, f"Values of `{name}`"


def _of_java(name: str) -> tuple[dict[str, Any], str]:
    named = {"has": {"field": "name", "regex": f"^{re.escape(name)}$"}}
    return {"any": [{"kind": kind, **named} for kind in ("annotation", "marker_annotation")]}, f"Annotations `@{name}`"


def _of_scripts(name: str) -> tuple[dict[str, Any], str]:
    called = {"kind": "call_expression", "has": {"field": "function", "regex": f"^{re.escape(name)}$"}}
    return {"kind": "decorator", "has": called}, f"Decorators `@{name}`"


def _in_java(shape: str) -> dict[str, Any]:
    if shape.startswith(r"^\("):
        return {"has": {"field": "arguments", "regex": shape}}
    return {"has": {"field": "arguments", "has": {"kind": "element_value_pair", "regex": shape}}}


def _in_scripts(shape: str) -> dict[str, Any]:
    options = {"kind": "object", "has": {"kind": "pair", "regex": shape}}
    return {"has": {"kind": "call_expression", "has": {"field": "arguments", "has": options}}}


_SITES = {"Go": _of_go, "Java": _of_java, "TypeScript": _of_scripts}
_CONFORMING = {
    "Go": lambda shape: {"has": {"field": "body", "has": {"kind": "keyed_element", "regex": shape}}},
    "Java": _in_java,
    "TypeScript": _in_scripts,
}


def prior(_: Finding) -> float:
    """Know that few set the same without a reason."""
    return 0.3


FAMILY = Family(
    "set-values",
    votes,
    propose,
    facts=facts,
    languages=frozenset(_READERS),
    prior=prior,
    least=Least(sites=12, files=6, share=0.87, rising=False),
    open=True,
    joins=True,
    most=4,
    most_of_an_answer=1,
)
