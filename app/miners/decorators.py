"""Which decorators and attributes definitions of one place carry: `@shared_task` in `tasks/`, `@Entity` in `entities/`.

Says, for instance: "Python functions of modules in `src/tasks/` carry `@shared_task`". What they carry elsewhere as
well is no convention of a place.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope, is_scattered
from app.syntax import Node, Source, text_of

_MOST = 60
_MARK = re.compile(r"@([\w:]+(?:\(\w+\))?)$")
_SHAPE = re.compile(r"@\s*([\w.]+)")
# What a name says or the language asks for; it tells nothing of a place.
_SILENT = frozenset(
    ("property", "staticmethod", "classmethod", "override", "overload", "Override", "Test", "Deprecated")
)
_ABOVE = ("attribute_item", "line_comment")
_ATTRIBUTE = re.compile(r"(?s)#\[\s*([\w:]+)\s*(?:\((.*)\))?")
_DERIVED = re.compile(r"\w+(?=\s*(?:,|$))")
_KEY = re.compile(r"(?:^|,)\s*(\w+)(?=\s*(?:,|$))")
_WITH_KEYS = frozenset(("serde", "command", "arg", "clap"))
# Every sort of type may derive these.
_PLAIN_TRAITS = frozenset(("Debug", "Clone", "Copy", "Default", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash"))
_PLAIN_ATTRIBUTES = frozenset(("", "allow", "expect", "cfg", "cfg_attr", "deprecated", "doc", "rustfmt::skip", "repr"))
_TESTING = re.compile(r"(\w+::)*(bench|ignore|should_panic|rstest|case|\w*test)$")
_SUBJECTS = {
    "type": "types",
    "function": "functions of modules",
    "method": "methods",
    "class": "classes",
    "property": "fields of classes",
    "public": "public functions",
}


def facts(source: Source) -> Any:
    """Count the decorators of each sort of definition, and the definitions that have some or none."""
    found: dict[str, list[list[str]]] = {}
    shape = _MARK if source.language == "Rust" else _SHAPE
    for count, (sort, marks) in enumerate(_READERS[source.language](source)):
        if count == _MOST:
            break
        names = [match.group(1) for mark in marks if (match := shape.match(mark))]
        found.setdefault(sort, []).append(sorted(set(names)))
    return {sort: _counted(names) for sort, names in found.items()} or None


def _counted(definitions: list[list[str]]) -> list[list[Any]]:
    counts: dict[tuple[str, ...], int] = {}
    for names in definitions:
        counts[tuple(names)] = counts.get(tuple(names), 0) + 1
    return [[list(names), times] for names, times in counts.items()]


def _python(source: Source) -> Iterator[tuple[str, list[str]]]:
    for node in source.nodes("function_definition", "class_definition"):
        holder = node.parent
        if holder is None:
            continue
        decorated = holder.type == "decorated_definition"
        around = holder.parent if decorated else holder
        if around is None or around.type not in ("module", "block"):
            continue
        sort = "class" if node.type == "class_definition" else "function"
        if around.type == "block":
            if sort == "class" or around.parent is None or around.parent.type != "class_definition":
                continue
            sort = "method"
            # Private ones and those of the language carry what they need.
            if text_of(node.child_by_field_name("name")).startswith("_"):
                continue
        yield sort, [text_of(each) for each in holder.named_children if each.type == "decorator"] if decorated else []


def _typescript(source: Source) -> Iterator[tuple[str, list[str]]]:
    for node in source.nodes("class_declaration", "public_field_definition"):
        if node.type == "public_field_definition":
            yield "property", [text_of(each) for each in node.named_children if each.type == "decorator"]
        else:
            holders = [node] if node.parent is None else [node, node.parent]
            yield (
                "class",
                [text_of(each) for holder in holders for each in holder.named_children if each.type == "decorator"],
            )


def _java(source: Source) -> Iterator[tuple[str, list[str]]]:
    for node in source.nodes("class_declaration", "method_declaration", "field_declaration"):
        sort = {"class_declaration": "class", "method_declaration": "method"}.get(node.type, "property")
        yield sort, [text_of(each) for each in _annotations(node)]


def _annotations(node: Node) -> Iterator[Node]:
    first = node.named_children[0] if node.named_children else None
    if first is not None and first.type == "modifiers":
        yield from (each for each in first.named_children if each.type in ("marker_annotation", "annotation"))


def _rust(source: Source) -> Iterator[tuple[str, list[str]]]:
    for node in source.nodes("struct_item", "enum_item"):
        yield "type", [f"@{mark}" for text in _attributes(node) for mark in _marks(text)]
    for node in source.nodes("function_item"):
        # What is public is what attributes are asked of; tests have their own.
        if node.named_children and node.named_children[0].type == "visibility_modifier":
            marks = [mark for text in _attributes(node) for mark in _marks(text)]
            yield "public", [f"@{mark}" for mark in marks if not _TESTING.match(mark)]


def _attributes(node: Node) -> Iterator[str]:
    above = node.prev_named_sibling
    while above is not None and above.type in _ABOVE:
        if above.type == "attribute_item":
            yield text_of(above)
        above = above.prev_named_sibling


def _marks(attribute: str) -> Iterator[str]:
    found = _ATTRIBUTE.match(attribute)
    name, given = found.groups("") if found else ("", "")
    if name == "derive":
        yield from (f"derive({each})" for each in _DERIVED.findall(given) if each not in _PLAIN_TRAITS)
    elif name in _WITH_KEYS:
        yield from (f"{name}({each})" for each in _KEY.findall(given))
    elif name not in _PLAIN_ATTRIBUTES:
        yield name


_READERS = {"Python": _python, "TypeScript": _typescript, "TSX": _typescript, "Java": _java, "Rust": _rust}


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each definition vote for the decorators that it carries."""
    for sort, counted in (facts or {}).items():
        for names, times in counted:
            yield Vote(sort, tuple(name for name in names if name not in _SILENT), times)


def propose(finding: Finding) -> Proposal | None:
    """Say the decorator and the place."""
    # Without a place, it would be said of all code.
    if not finding.scope.include or is_scattered(finding.scope):
        return None
    if finding.tongue == "Rust":
        return _of_rust(finding)
    shape = rf"^@\s*{re.escape(finding.form)}\b"
    applicable, conforming = _RULES[finding.tongue or ""](finding.topic, shape)
    rule = Rule(RuleKind.AST, {"applicable": applicable, "conforming": conforming}, finding.scope)
    subject = in_scope(finding, _SUBJECTS[finding.topic])
    return Proposal(f"{subject} carry `@{finding.form}`", rule, PatternCategory.STRUCTURAL)


def _of_rust(finding: Finding) -> Proposal:
    name, _, key = finding.form.removesuffix(")").partition("(")
    shape = rf"(?s)^#\[\s*{name}\s*" + (rf"\((.*,|.*::)?\s*{key}\s*(,.*)?\)\]$" if key else r"[\](=]")
    between = {"not": {"any": [{"kind": kind} for kind in _ABOVE]}}
    applicable: dict[str, Any] = {"any": [{"kind": "struct_item"}, {"kind": "enum_item"}]}
    if finding.topic == "public":
        applicable = {"kind": "function_item", "has": {"kind": "visibility_modifier"}}
    conforming = {"follows": {"kind": "attribute_item", "regex": shape, "stopBy": between}}
    rule = Rule(RuleKind.AST, {"applicable": applicable, "conforming": conforming}, finding.scope)
    sentence = f"{in_scope(finding, _SUBJECTS[finding.topic])} carry `#[{finding.form}]`"
    return Proposal(sentence, rule, PatternCategory.STRUCTURAL)


def _in_python(sort: str, shape: str) -> tuple[dict[str, Any], dict[str, Any]]:
    kind = "class_definition" if sort == "class" else "function_definition"
    around: dict[str, Any] = {"kind": "module"}
    if sort == "method":
        around = {"kind": "block", "inside": {"kind": "class_definition"}}
    applicable: dict[str, Any] = {
        "kind": kind,
        "any": [{"inside": around}, {"inside": {"kind": "decorated_definition", "inside": around}}],
    }
    if sort == "method":
        applicable["has"] = {"field": "name", "regex": "^[^_]"}
    return applicable, {"inside": {"kind": "decorated_definition", "has": {"kind": "decorator", "regex": shape}}}


def _in_typescript(sort: str, shape: str) -> tuple[dict[str, Any], dict[str, Any]]:
    mark = {"has": {"kind": "decorator", "regex": shape}}
    if sort == "property":
        return {"kind": "public_field_definition"}, mark
    return {"kind": "class_declaration"}, {"any": [mark, {"inside": {"kind": "export_statement", **mark}}]}


def _in_java(sort: str, shape: str) -> tuple[dict[str, Any], dict[str, Any]]:
    kind = {"class": "class_declaration", "method": "method_declaration"}.get(sort, "field_declaration")
    annotation = {"any": [{"kind": "marker_annotation"}, {"kind": "annotation"}], "regex": shape}
    return {"kind": kind}, {"has": {"kind": "modifiers", "has": annotation}}


_RULES = {"Python": _in_python, "TypeScript": _in_typescript, "Java": _in_java}

FAMILY = Family(
    "decorators",
    votes,
    propose,
    facts=facts,
    languages=frozenset(_READERS),
    roles=frozenset((FileRole.SOURCE, FileRole.MIGRATION)),
    version=3,
    least=Least(sites=12, files=5, share=0.9, bits=1.0),
    open=True,
    local=True,
    most=6,
)
