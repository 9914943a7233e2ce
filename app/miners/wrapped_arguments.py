"""What is always wrapped in a call before it is passed on: `toast.success(t("…"))`, `help_text=_("…")`, `observer(…)`.

Says, for instance: "TypeScript texts given to `toast.success` are passed through `t`" and "TypeScript routes of
`router.post` pass `validate(…)`". Only what could be passed without its wrapper is asked for: texts for people,
functions, the routes of a web application. A text that only one type fits would be wrapped anyway, so a wrapper that
does not translate counts only where somebody does without it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import SCRIPTS, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Node, Source, text_of

_MOST_TOPICS = 60
_NAME = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*){0,2}")
_LONGEST = 48
# What a person reads: two words, or one that begins with a capital letter and goes on with small ones.
_HUMAN = r"^[rfub]*[\"'`]+[^\"'`]*([A-Za-z,.] [A-Za-z]|\b[A-Z][a-z]+\b)"
_READ = re.compile(_HUMAN)
_WORD = r"[A-Za-z]{2}"
_TRANSLATORS = r"(.*[._])?(_|__|t|tr|i18n|translate|n?gettext|[np]?gettext_lazy|gettext_noop|N_|msg|\$t|lazy_gettext)"
_TRANSLATES = re.compile(_TRANSLATORS)
# What registers a test, tells a programmer something, or makes an error is no place for texts that people read.
_ELSEWHERE = re.compile(
    r"(describe|it|test|suite|context|before|after|beforeEach|afterEach|beforeAll|afterAll|expect|assert|require|import"
    r"|print|console|logger|log|logging|jest|vi|sinon|cy|super|isinstance|getattr|setattr|hasattr|Symbol|Object)\b"
)
_ROUTES = re.compile(r"(?i:(\w*router|app|api|\w*routes?|server|fastify))\.(get|post|put|patch|delete|all|use)")
_COMPONENT = "^[A-Z][A-Za-z0-9]*[a-z]"
_VISIBLE = (
    r"^(label|title|subtitle|placeholder|alt|aria-label|aria-description|tooltip|content|description|heading|message"
    r"|helperText|helpText|caption|summary|errorMessage|confirmLabel|cancelLabel|submitText)$"
)
_STRINGS = frozenset(("string", "template_string", "concatenated_string"))
_FUNCTIONS = frozenset(("arrow_function", "function_expression"))


def facts(source: Source) -> Any:
    """Count by question which wrappers stand at how many of its sites."""
    found: dict[str, Counter[str]] = {}
    for topic, wrappers in _python(source) if source.language == "Python" else _script(source):
        if topic in found or len(found) < _MOST_TOPICS:
            # The wrappers of one site go together: a route may pass several.
            found.setdefault(topic, Counter())[" ".join(sorted(wrappers))] += 1
    return found or None


def _python(source: Source) -> Iterator[tuple[str, set[str]]]:
    for keyword in source.nodes("keyword_argument"):
        value = keyword.child_by_field_name("value")
        if value is not None and (wrapper := _text(value, "call")) is not None:
            yield f"keyword {text_of(keyword.child_by_field_name('name'))}", {wrapper} - {""}
    for call in source.nodes("call"):
        yield from _texts(call, "call")


def _script(source: Source) -> Iterator[tuple[str, set[str]]]:
    for call in source.nodes("call_expression"):
        yield from _texts(call, "call_expression")
        yield from _functions(call)
    if source.language == "TypeScript":
        return
    if source.language == "TSX":
        for declared in source.nodes("variable_declarator"):
            value = declared.child_by_field_name("value")
            if value is not None and re.match(_COMPONENT, text_of(declared.child_by_field_name("name"))):
                yield from _wrapping("component", value)
    for attribute in source.nodes("jsx_attribute"):
        parts = attribute.named_children
        if len(parts) < 2 or not re.match(_VISIBLE, text_of(parts[0])):
            continue
        if (wrapper := _text(_inner(parts[1]), "call_expression")) is not None:
            yield "attribute", {wrapper} - {""}
    for element in source.nodes("jsx_element"):
        for part in element.named_children:
            if part.type == "jsx_text" and re.search(_WORD, text_of(part)):
                yield "content", set()
            elif part.type == "jsx_expression" and (wrapper := _text(_inner(part), "call_expression")):
                yield "content", {wrapper}


def _inner(node: Node) -> Node:
    return node.named_children[0] if node.type == "jsx_expression" and node.named_children else node


def _name(call: Node) -> str | None:
    function = call.child_by_field_name("function")
    if function is None or function.end_byte - function.start_byte > _LONGEST:
        return None
    name = text_of(function)
    return name if _NAME.fullmatch(name) else None


def _given(call: Node) -> list[Node]:
    arguments = call.child_by_field_name("arguments")
    return [] if arguments is None or arguments.type == "template_string" else arguments.named_children


def _text(node: Node, kind: str) -> str | None:
    """Name what a text is wrapped in; empty for a bare text, None for what is no text."""
    if node.type in _STRINGS:
        return "" if _READ.match(text_of(node)) else None
    if node.type != kind:
        return None
    given = _given(node)
    if not given or given[0].type not in _STRINGS or (name := _name(node)) is None:
        return None
    # What is translated may be told by a key, which nobody reads.
    return name if _TRANSLATES.fullmatch(name) or _READ.match(text_of(given[0])) else None


def _texts(call: Node, kind: str) -> Iterator[tuple[str, set[str]]]:
    texts = [wrapper for each in _given(call) if (wrapper := _text(each, kind)) is not None]
    name = _name(call) if texts else None
    if name is not None and not _ELSEWHERE.match(name) and not _TRANSLATES.fullmatch(name):
        yield f"text {name}", set(texts) - {""}


def _functions(call: Node) -> Iterator[tuple[str, set[str]]]:
    given = _given(call)
    if not given or (name := _name(call)) is None or _ELSEWHERE.match(name):
        return
    if _ROUTES.fullmatch(name) and len(given) > 1 and given[0].type in _STRINGS:
        passed = {named for each in given if each.type == "call_expression" and (named := _name(each))}
        yield f"route {name}", passed
        return
    yield from _wrapping(f"function {name}", given[-1])


def _wrapping(topic: str, function: Node) -> Iterator[tuple[str, set[str]]]:
    if function.type in _FUNCTIONS:
        yield topic, set()
    elif (
        function.type == "call_expression"
        and any(each.type in _FUNCTIONS for each in _given(function))
        and (wrapper := _name(function)) is not None
    ):
        yield topic, {wrapper}


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each site vote for what it is wrapped in."""
    for topic, wrapped in (facts or {}).items():
        for wrappers, times in wrapped.items():
            yield Vote(topic, tuple(wrappers.split()), times)


def propose(finding: Finding) -> Proposal | None:
    """Say what is wrapped in what."""
    about, _, name = finding.topic.partition(" ")
    translates = _TRANSLATES.fullmatch(finding.form) is not None
    if about in ("keyword", "text", "function", "attribute") and not translates and finding.share == 1:
        return None
    kind = "call" if finding.tongue == "Python" else "call_expression"
    text: Any = {"any": [{"kind": each} for each in _kinds_of_text(finding.tongue)], "regex": _HUMAN}
    keyed: Any = {"has": {"field": "function", "regex": f"^({_TRANSLATORS})$"}}
    first: Any = {"has": {"field": "arguments", "has": {"nthChild": 1, "any": text["any"]}}}
    wrapped: Any = {
        "kind": kind,
        "any": [
            {"has": {"field": "arguments", "has": {"nthChild": 1, **text}}},
            {"all": [keyed, first]},
        ],
    }
    either: Any = {"any": [text, wrapped]}
    wrapper: Any = {"kind": kind, "has": {"field": "function", "regex": f"^{re.escape(finding.form)}$"}}
    called: Any = {"has": {"field": "function", "regex": f"^{re.escape(name)}$"}}
    function: Any = {"any": [{"kind": each} for each in sorted(_FUNCTIONS)]}
    outer: Any = {"kind": kind, "has": {"field": "arguments", "has": function}}
    scope = finding.scope
    match about:
        case "keyword":
            sites: Any = {
                "kind": "keyword_argument",
                "all": [{"has": {"field": "name", "regex": f"^{name}$"}}, {"has": {"field": "value", **either}}],
            }
            fits: Any = {"has": {"field": "value", **wrapper}}
            said = f"Texts given as `{name}`"
        case "text":
            sites = {"kind": kind, "all": [called, {"has": {"field": "arguments", "has": either}}]}
            fits = {"has": {"field": "arguments", "has": {"all": [wrapped, wrapper]}}}
            said = f"Texts given to `{name}`"
        case "attribute":
            inside: Any = {"has": {"kind": "jsx_expression", "has": either}}
            named = {"has": {"kind": "property_identifier", "regex": _VISIBLE}}
            sites = {"kind": "jsx_attribute", "all": [named, {"any": [{"has": text}, inside]}]}
            fits = {"has": {"kind": "jsx_expression", "has": wrapper}}
            said = "Texts of attributes that people see (`label`, `title`, …)"
        case "content":
            bare: Any = {"kind": "jsx_text", "regex": _WORD}
            sites = {"any": [bare, {"kind": "jsx_expression", "has": wrapped}], "inside": {"kind": "jsx_element"}}
            fits = {"kind": "jsx_expression", "has": wrapper}
            said = "Texts in JSX"
        case "component":
            sites = {
                "kind": "variable_declarator",
                "all": [
                    {"has": {"field": "name", "regex": _COMPONENT}},
                    {"has": {"field": "value", "any": [function, outer]}},
                ],
            }
            fits = {"has": {"field": "value", **wrapper}}
            said = "Components"
        case "function":
            last: Any = {"nthChild": {"position": 1, "reverse": True}}
            sites = {
                "kind": kind,
                "all": [called, {"has": {"field": "arguments", "has": {**last, "any": [function, outer]}}}],
            }
            fits = {"has": {"field": "arguments", "has": {**last, **wrapper}}}
            said = f"Functions in calls of `{name}`"
        case _:
            several: Any = {"all": [{"has": {"nthChild": 1, "any": text["any"]}}, {"has": {"nthChild": 2}}]}
            sites = {"kind": kind, "all": [called, {"has": {"field": "arguments", **several}}]}
            fits = {"has": {"field": "arguments", "has": wrapper}}
            said = f"Routes of `{name}`"
    if about in ("attribute", "content", "component") and finding.tongue == "TypeScript":
        scope = replace(scope, languages=("TSX",))
    verb = f"pass `{finding.form}(…)`" if about == "route" else f"are passed through `{finding.form}`"
    if about in ("function", "component"):
        verb = f"stand in `{finding.form}(…)`"
    rule = Rule(RuleKind.AST, {"applicable": sites, "conforming": fits}, scope)
    weight = 1.2 if translates or about == "route" else 0.9
    return Proposal(f"{in_scope(finding, said)} {verb}", rule, PatternCategory.BEHAVIORAL, weight=weight)


def _kinds_of_text(tongue: str | None) -> tuple[str, ...]:
    return ("string", "concatenated_string") if tongue == "Python" else ("string", "template_string")


def prior(_: Finding) -> float:
    """Know that hardly any repository wraps the same."""
    return 0.1


FAMILY = Family(
    "wrapped-arguments",
    votes,
    propose,
    facts=facts,
    languages=SCRIPTS | {"Python"},
    roles=frozenset((FileRole.SOURCE, FileRole.TEST)),
    prior=prior,
    least=Least(sites=12, files=4, share=0.85),
    open=True,
    most=3,
    most_of_a_place=2,
)
