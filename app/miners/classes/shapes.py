"""What classes with one base define, though nothing demands it: `status_code` in errors, `identifier` in integrations.

Says, for instance: "Python subclasses of `Integration` define `identifier`". What a base declares as abstract, and
what any class has, is no convention.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.classes.reading import INTERFACE, classes_of, is_of_errors, kind_in_words, sites_of
from app.miners.core.family import SCRIPTS, Family, File, Finding, Least, Proposal, Vote, World, tongue_of
from app.miners.core.words import in_scope
from app.syntax import Node, Source, text_of

_MOST_MEMBERS = 40
_MOST_ABOVE = 20
_LEAST_ALL = 20
_UNDEMANDING = frozenset(("ABC", "Protocol"))
_OUTSIDE = " from outside"
# Members of Rust's traits and of what implements them.
_DEFINED, _BARE = ("function_item", "type_item", "const_item"), ("function_signature_item", "associated_type")
_SILENT = frozenset(("constructor", "serialVersionUID", "toString", "equals", "hashCode", "name"))


def facts(source: Source) -> Any:
    """List the classes: name, bases, what they implement, members, and those of them that are only declared."""
    found = []
    for each in classes_of(source):
        bases = [kind[8:] for kind in each.kinds if kind.startswith("extends ")]
        ports = [kind[11:] for kind in each.kinds if kind.startswith("implements ")]
        members = _named_members(source.language, each.node, each.kinds == (INTERFACE,))
        if bases or ports or members:
            shown = sorted(members)[:_MOST_MEMBERS]
            found.append([each.name, bases, ports, shown, [name for name in shown if members[name]]])
    if source.language == "Rust":
        for trait in source.nodes("trait_item"):
            declared = [name for name, bare in _named_members("Rust", trait, False).items() if bare]
            found.append([text_of(trait.child_by_field_name("name")), [], [], [], sorted(declared)[:_MOST_MEMBERS]])
    return found or None


def _named_members(language: str, definition: Node, bare: bool) -> dict[str, bool]:
    """Give what a class defines, each with whether it is only declared."""
    body = definition.child_by_field_name("body")
    members: dict[str, bool] = {}
    for name, declared in _members(language, body) if body is not None else ():
        if name and name not in _SILENT and not name.startswith(("_", "#")):
            members[name] = declared or members.get(name, False) or bare
    return members


def _members(language: str, body: Node) -> Iterator[tuple[str, bool]]:
    for node in body.named_children:
        if language == "Python":
            yield from _of_python(node)
        elif language == "Rust":
            if node.type in _BARE or node.type in _DEFINED:
                bare = node.type in _BARE or (node.type == "const_item" and node.child_by_field_name("value") is None)
                yield text_of(node.child_by_field_name("name")), bare
        elif language == "Java":
            if node.type == "method_declaration":
                yield text_of(node.child_by_field_name("name")), node.child_by_field_name("body") is None
            elif node.type == "field_declaration":
                declared = node.child_by_field_name("declarator")
                yield (text_of(declared.child_by_field_name("name")) if declared is not None else ""), False
        else:
            named = node.child_by_field_name("name") or node.child_by_field_name("property")
            yield text_of(named), node.type == "abstract_method_signature" or "abstract" in text_of(node)[:40].split()


def _of_python(node: Node) -> Iterator[tuple[str, bool]]:
    if node.type == "expression_statement" and node.named_children and node.named_children[0].type == "assignment":
        left = node.named_children[0].child_by_field_name("left")
        yield (text_of(left) if left is not None and left.type == "identifier" else ""), False
        return
    definition = node.child_by_field_name("definition") if node.type == "decorated_definition" else node
    if definition is not None and definition.type == "class_definition":
        yield text_of(definition.child_by_field_name("name")), False
    elif definition is not None and definition.type == "function_definition":
        body = text_of(definition.child_by_field_name("body"))
        declared = "abstract" in text_of(node).partition("def ")[0] or "NotImplementedError" in body
        yield text_of(definition.child_by_field_name("name")), declared or body.strip() in ("...", "pass")


def survey(noted: dict[str, Any], file: File, facts: Any) -> None:
    """Note what each class of the repository declares, and what it extends."""
    for name, bases, ports, _, declared in facts or ():
        known = noted.setdefault(f"{tongue_of(file)} {name}", [set(), set()])
        known[0].update(bases, ports)
        known[1].update(declared)


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each class vote for what it defines of its own accord."""
    tongue = f"{tongue_of(file)}"
    for _, bases, ports, members, _ in facts or ():
        # Rust has no classes to extend: its traits have members that may be left out.
        for base in bases if tongue != "Rust" else ports:
            demanded, known = _demanded(tongue, [base, *ports], world.noted)
            if tongue == "Rust" and not known:
                continue
            kind = f"{'implements' if tongue == 'Rust' else 'extends'} {base}{'' if known else _OUTSIDE}"
            yield Vote(kind, tuple(member for member in members if member not in demanded))


def _demanded(tongue: str, above: list[str], noted: dict[str, Any]) -> tuple[set[str], bool]:
    """Collect what bases and theirs declare, and tell whether all of them are of this repository."""
    waiting, seen, demanded, known = list(above), set(above), set(), True
    while waiting and len(seen) < _MOST_ABOVE:
        name = waiting.pop()
        found = noted.get(f"{tongue} {name}")
        if found is None:
            # Errors of the language, and marks of abstract classes, ask for nothing.
            known = known and (name in _UNDEMANDING or is_of_errors(f"extends {name}"))
            continue
        demanded |= found[1]
        waiting += sorted(found[0] - seen)
        seen |= found[0]
    return demanded, known


def propose(finding: Finding) -> Proposal | None:
    """Say what they define."""
    kind = finding.topic.removesuffix(_OUTSIDE)
    # What all classes with a base from outside define may well be what it asks for.
    if kind != finding.topic and finding.conforming == finding.applicable:
        return None
    # A trait may have the name of another from outside, which demands what all have.
    if finding.tongue == "Rust" and finding.share == 1 and finding.applicable < _LEAST_ALL:
        return None
    members = finding.together or (finding.form,)
    conforming = [_defines(finding.tongue or "", member) for member in members]
    rule = Rule(
        RuleKind.AST,
        {
            "applicable": sites_of(finding.tongue or "", kind),
            "conforming": conforming[0] if len(conforming) == 1 else {"all": conforming},
        },
        finding.scope,
    )
    listed = [f"`{member}`" for member in members]
    what = listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"
    subject = in_scope(finding, kind_in_words(finding.tongue, kind))
    if len(subject) + len(what) > 180:
        return None
    return Proposal(f"{subject} define {what}", rule, PatternCategory.STRUCTURAL)


def _defines(tongue: str, member: str) -> dict[str, Any]:
    named = {"field": "name", "regex": f"^{re.escape(member)}$"}
    kinds: list[dict[str, Any]]
    if tongue == "Python":
        function = {"kind": "function_definition", "has": named}
        inner = {"kind": "class_definition", "has": named}
        kinds = [
            {"kind": "expression_statement", "has": {"kind": "assignment", "has": {**named, "field": "left"}}},
            function,
            inner,
            {"kind": "decorated_definition", "has": {"any": [function, inner]}},
        ]
    elif tongue == "Java":
        kinds = [
            {"kind": "method_declaration", "has": named},
            {"kind": "field_declaration", "has": {"field": "declarator", "has": named}},
        ]
    elif tongue == "Rust":
        kinds = [{"kind": kind, "has": named} for kind in _DEFINED]
    elif tongue == "JavaScript":
        kinds = [
            {"kind": "method_definition", "has": named},
            {"kind": "field_definition", "has": {**named, "field": "property"}},
        ]
    else:
        kinds = [{"kind": "method_definition", "has": named}, {"kind": "public_field_definition", "has": named}]
    return {"has": {"field": "body", "has": {"any": kinds}}}


def prior(_: Finding) -> float:
    """Know that two classes with one base rarely define the same without a reason."""
    return 0.25


FAMILY = Family(
    "class-shapes",
    votes,
    propose,
    facts=facts,
    version=4,
    languages=frozenset(("Python", "Java", "Rust", *SCRIPTS)),
    roles=frozenset((FileRole.SOURCE,)),
    prior=prior,
    least=Least(sites=8, files=3, share=0.9),
    open=True,
    joins=True,
    survey=survey,
    most=5,
)
