"""What always follows what: `x := open()` then `defer x.Close()`, `event = make()` then `send(event)`, how tests begin.

Says, for instance: "Go tests that open something (`RunServer`, `connect`, …) close it at once, by `defer`", "Python
results of `event_from_exception` are handed to `capture_event` at once" and "Go tests begin with `leaktest.Check(…)`".
That locks are released and contexts cancelled is what everybody does, and says nothing here.
"""

import json
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

_MOST_NAMES, _MOST_OPENERS, _LEAST_OPENED = 60, 8, 6
_FOLLOWED = 0.5
_LONGEST, _SHORTEST = 60, 4
_PATH = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*")
# What the standard library opens, or locks, everybody closes and unlocks.
_STANDARD = re.compile(
    r"(os|time|httptest|context|net|http|sql|exec|gzip|zlib|zip|tar|bufio|io|ioutil|sync|tls|signal|filepath|runtime"
    r"|pprof|trace|rand|fmt|strings|bytes|errors|json|reflect|sort|strconv|append|make|len|new|copy)\b"
)
_CHECK = r"^(if\s+\w*[eE]rr\w* != nil\b|[\w.]+\((\w+, )?\w*[eE]rr\w*\b)"
_CHECKED = re.compile(_CHECK)
_DEFER, _CLEANUP = r"^defer\s+\w+(\.\w+)+\(", r"^\w+\.Cleanup\("
_NORMS = re.compile(r"\.(R?Unlock|Done)\(\)$|^defer\s+cancel")
_FIRST = re.compile(r"(defer )?[A-Za-z_]\w*(\.\w+)?")
_OWN_STYLE = re.compile(
    r"(defer )?(t|b|is|c|ctrl|require|assert|fmt|os|log|runtime|if|for|switch|func|defer|panic|goleak)(\.|$)"
)
_PLAIN = re.compile(
    r"(?i).*(assert|require|expect|log|print|warn|debug|info|error|push|append|add|set|resolve|fail|check)"
)
_CALLS = {"Python": "call", "Go": "call_expression", "Java": "method_invocation"}
_ASSIGNED = {
    "Python": ("assignment", "left", "right"),
    "Go": ("short_var_declaration", "left", "right"),
    "Java": ("variable_declarator", "name", "value"),
}
_WAITS = {"Python": "await"}


def facts(source: Source) -> Any:
    """Count what follows the calls whose value is kept, and with what tests begin."""
    language = source.language
    found: dict[str, dict[str, Counter[str]]] = {}
    for question, name, answer in _steps(source, "JavaScript" if language in SCRIPTS else language):
        names = found.setdefault(question, {})
        if name in names or len(names) < _MOST_NAMES:
            names.setdefault(name, Counter())[answer] += 1
    return found or None


def _steps(source: Source, language: str) -> Iterator[tuple[str, str, str]]:
    kind, left, right = _ASSIGNED.get(language, ("variable_declarator", "name", "value"))
    test = source.name.endswith("_test.go")
    for node in source.nodes(kind):
        name = _called(_awaited(node.child_by_field_name(right)))
        if not name or len(name) < _SHORTEST:
            continue
        given = set(re.findall(r"\w+", text_of(node.child_by_field_name(left)))) - {"_", "err", "ok"}
        following = _next(node)
        if following is None or not given:
            yield from (
                (question, name, "") for question in (("opened", "handed") if language == "Go" else ("handed",))
            )
            continue
        if language == "Go":
            yield "opened", name, _closing(following, given)
        yield "handed", name, _handing(following, given)
    if test:
        for function in source.nodes("function_declaration"):
            if re.match("Test[A-Z_]", text_of(function.child_by_field_name("name"))):
                yield "first", "tests", _begun(function.child_by_field_name("body"))


def _begun(body: Node | None) -> str:
    """Name the call that a body begins with; empty for what is the test's own affair."""
    while body is not None and body.type in ("block", "statement_list", "expression_statement", "defer_statement"):
        inner = [each for each in body.named_children if each.type != "comment"]
        deferred = "defer " if body.type == "defer_statement" else ""
        if not inner:
            return ""
        body = inner[0]
        if body.type == "call_expression":
            function = body.child_by_field_name("function")
            # What is deferred may be what a call gives: `defer leaktest.Check(t)()`.
            if function is not None and function.type == "call_expression":
                function = function.child_by_field_name("function")
            name = deferred + text_of(function)
            return name if len(name) < _LONGEST and _FIRST.fullmatch(name) and not _OWN_STYLE.match(name) else ""
    return ""


def _awaited(node: Node | None) -> Node | None:
    """Step into what is waited for, or the only one of a list."""
    while node is not None and node.type in ("await", "await_expression", "expression_list"):
        node = node.named_children[0] if len(node.named_children) == 1 else None
    return node


def _called(node: Node | None) -> str:
    """Name what is called: a function, or a method whatever it belongs to."""
    if node is None:
        return ""
    if node.type == "method_invocation":
        return text_of(node.child_by_field_name("name"))
    function = node.child_by_field_name("function") if node.type in ("call", "call_expression") else None
    if function is None or function.end_byte - function.start_byte > _LONGEST:
        return ""
    text = text_of(function)
    return text.rpartition(".")[2] if _PATH.fullmatch(text) and not _STANDARD.match(text) else ""


def _next(node: Node) -> Node | None:
    """Give the next statement."""
    statement: Node | None = node
    while statement is not None and statement.parent is not None and statement.next_named_sibling is None:
        above = statement.parent
        if above.type not in ("expression_statement", "lexical_declaration", "local_variable_declaration"):
            return None
        statement = above
    if statement is node and node.type in ("assignment", "variable_declarator"):
        return None
    return None if statement is None else statement.next_named_sibling


def _closing(following: Node, given: set[str]) -> str:
    if _checks(following) and following.next_named_sibling is not None:
        following = following.next_named_sibling
    if following.type not in ("defer_statement", "expression_statement"):
        return ""
    text = text_of(following)
    answer = "defer" if re.match(_DEFER, text) else "cleanup" if re.match(_CLEANUP, text) else ""
    return "" if _NORMS.search(text) or given.isdisjoint(re.findall(r"\w+", text)) else answer


def _checks(statement: Node) -> bool:
    if statement.type == "if_statement":
        return (
            statement.child_by_field_name("initializer") is None
            and _CHECKED.match(f"if {text_of(statement.child_by_field_name('condition'))}") is not None
        )
    return statement.type == "expression_statement" and _CHECKED.match(text_of(statement)) is not None


def _handing(following: Node, given: set[str]) -> str:
    if following.type not in ("expression_statement", "return_statement") or not following.named_children:
        return ""
    call = _awaited(following.named_children[0])
    name = _called(call)
    arguments = None if call is None else call.child_by_field_name("arguments")
    if not name or _PLAIN.match(name) or given.isdisjoint(re.findall(r"\w+", text_of(arguments))):
        return ""
    return name


def survey(noted: dict[str, Any], file: File, facts: Any) -> None:
    """Sum up which calls open what has to be closed."""
    for name, answers in (facts or {}).get("opened", {}).items() if file.role is FileRole.TEST else ():
        counted = noted.setdefault("opened", {}).setdefault(name, [0, 0])
        counted[0] += answers.get("defer", 0) + answers.get("cleanup", 0)
        counted[1] += sum(answers.values())


def settle(world: World) -> None:
    """List the calls that open something."""
    _openers(world)
    world.noted.pop("opened", None)


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each call vote for what follows it."""
    facts = facts or {}
    if file.role is FileRole.SOURCE:
        for name, answers in facts.get("handed", {}).items():
            for answer, times in answers.items():
                yield Vote(f"handed {name}", (answer,) if answer else (), times)
        return
    openers = _openers(world) if "opened" in facts else []
    for name in openers:
        for answer, times in facts["opened"].get(name, {}).items():
            yield Vote(f"opened {json.dumps(openers)}", (answer,) if answer else (), times)
    for answer, times in facts.get("first", {}).get("tests", {}).items():
        yield Vote("first", (answer,) if answer else (), times)


def _openers(world: World) -> list[str]:
    """List the calls that mostly are followed by what closes, most frequent first."""
    kept: list[str] | None = world.noted.get("openers")
    if kept is None:
        counted = world.noted.get("opened", {}).items()
        opening = [(name, of) for name, (closed, of) in counted if of >= _LEAST_OPENED and closed > _FOLLOWED * of]
        opening.sort(key=lambda each: (-each[1], each[0]))
        kept = world.noted["openers"] = [name for name, _ in opening[:_MOST_OPENERS]]
    return kept


def propose(finding: Finding) -> Proposal | None:
    """Say what follows what."""
    about, _, name = finding.topic.partition(" ")
    scope = replace(finding.scope, roles=(FileRole.SOURCE if about == "handed" else FileRole.TEST,))
    if about == "first":
        sites: Any = {"kind": "function_declaration", "has": {"field": "name", "regex": "^Test[A-Z_]"}}
        begun = rf"^\{{\s*(//[^\n]*\s*)*{re.escape(finding.form)}\(".replace(r"\ ", r"\s+")
        rule = Rule(
            RuleKind.AST, {"applicable": sites, "conforming": {"has": {"field": "body", "regex": begun}}}, finding.scope
        )
        return Proposal(f"{in_scope(finding, 'Tests')} begin with `{finding.form}(…)`", rule, PatternCategory.TESTING)
    language = "JavaScript" if finding.tongue in SCRIPTS else str(finding.tongue)
    if about == "opened":
        openers: list[str] = json.loads(name)
        after = {"regex": _DEFER if finding.form == "defer" else _CLEANUP}
        going = {"all": [{"regex": r"\S"}, {"not": {"regex": _CHECK}}]}
        fits: Any = {"precedes": {**after, "stopBy": going}}
        shown = ", ".join(f"`{each}`" for each in openers[:3]) + (", …" if len(openers) > 3 else "")
        by = "`defer`" if finding.form == "defer" else "`t.Cleanup`"
        said = f"{in_scope(finding, f'Tests that open something ({shown})')} close it at once, by {by}"
        rule = Rule(
            RuleKind.AST,
            {"applicable": _kept(language, openers), "conforming": fits},
            scope,
            alternative=finding.alternative and ("`t.Cleanup`" if finding.alternative == "cleanup" else "`defer`"),
        )
        return Proposal(said, rule, PatternCategory.BEHAVIORAL)
    if finding.form == name or finding.share == 1:
        # What nobody does otherwise may have to be so.
        return None
    # What is called without arguments is handed nothing.
    given: Any = {"has": {"field": "arguments", "regex": r"\w"}}
    handed = {
        "any": [{"kind": "expression_statement"}, {"kind": "return_statement"}],
        **_has(language, [finding.form], given),
    }
    rule = Rule(
        RuleKind.AST,
        {
            "applicable": _kept(language, [name]),
            "conforming": {"precedes": {**handed, "stopBy": {"regex": r"\S"}}},
        },
        scope,
    )
    said = f"{in_scope(finding, f'Results of `{name}`')} are handed to `{finding.form}` at once"
    return Proposal(said, rule, PatternCategory.BEHAVIORAL, weight=0.9)


def _has(language: str, names: list[str], given: dict[str, Any] | None = None) -> dict[str, Any]:
    """Find a call by the names of what is called, waited for or not, directly below."""
    either = "|".join(map(re.escape, names))
    more = [given] if given else []
    if language == "Java":
        named: Any = {"has": {"field": "name", "regex": f"^({either})$"}}
        return {"has": {"kind": "method_invocation", "all": [named, *more]}}
    kind = _CALLS.get(language, "call_expression")
    path: Any = {"has": {"field": "function", "regex": rf"^([A-Za-z_$][\w$]*\.)*({either})$"}}
    call: Any = {"kind": kind, "all": [path, *more]}
    if language == "Go":
        own = {**call, "not": {"regex": f"^{_STANDARD.pattern}"}}
        return {"has": {"any": [own, {"kind": "expression_list", "has": own}]}}
    return {"has": {"any": [call, {"kind": _WAITS.get(language, "await_expression"), "has": call}]}}


def _kept(language: str, names: list[str]) -> dict[str, Any]:
    """Find statements that keep what a call gives."""
    called = _has(language, names)["has"]
    match language:
        case "Go":
            return {"kind": "short_var_declaration", "has": {"field": "right", **called["any"][1]}}
        case "Python":
            return {
                "kind": "expression_statement",
                "has": {"kind": "assignment", "has": {"field": "right", **called}},
            }
        case "Java":
            outer = "local_variable_declaration"
        case _:
            outer = "lexical_declaration"
    return {"kind": outer, "has": {"kind": "variable_declarator", "has": {"field": "value", **called}}}


def prior(finding: Finding) -> float:
    """Know what many do."""
    return {"opened": 0.6 if finding.form == "defer" else 0.2, "first": 0.05}.get(finding.topic.partition(" ")[0], 0.1)


FAMILY = Family(
    "sequences",
    votes,
    propose,
    facts=facts,
    survey=survey,
    settle=settle,
    languages=SCRIPTS | {"Python", "Go", "Java"},
    roles=frozenset((FileRole.SOURCE, FileRole.TEST)),
    prior=prior,
    least=Least(sites=12, files=5, share=0.85),
    open=True,
    most=4,
)
