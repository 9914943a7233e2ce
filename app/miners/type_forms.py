"""How types are written: annotated returns, `X | None`, `list[int]`, `interface` or `type`, `T[]`, no `any`.

Says, for instance: "Python functions in `src/` annotate what they return" and "TypeScript object types are written as
`interface`, not as `type`".
"""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.miners.core.family import SCRIPTS, Finding
from app.miners.core.questions import Meaning, family
from app.syntax import Node, Source, text_of

_API = PatternCategory.API
_OLD = "List|Dict|Set|FrozenSet|Tuple|Type|Deque|DefaultDict"
_GENERIC = re.compile(rf"\b(?:typing\.|t\.)?(?:(?P<old>{_OLD})|(?P<new>{_OLD.lower()}))\[")
_OPTIONAL = re.compile(r"\bOptional\[|(?P<bar>\|\s*None\b|\bNone\s*\|)")
_UNION = re.compile(r"\bUnion\[|(?P<bar>[\w\]'\"]\s*\|\s*[\w'\"])")


def _python(source: Source) -> Iterator[tuple[str, str]]:
    for function in source.nodes("function_definition"):
        if text_of(function.child_by_field_name("name")).startswith(("__", "test_")):
            continue
        returns = function.child_by_field_name("return_type") is not None
        yield "returns", "annotated" if returns else "bare"
    for written in source.nodes("type"):
        # The parts of a type are types as well; only the whole is asked.
        if _within(written, "type"):
            continue
        text = text_of(written)
        if found := _OPTIONAL.search(text):
            yield "optional", "bar" if found.group("bar") else "Optional"
        elif found := _UNION.search(text):
            yield "union", "bar" if found.group("bar") else "Union"
        if found := _GENERIC.search(text):
            yield "generic", "new" if found.group("new") else "old"


def _script(source: Source) -> Iterator[tuple[str, str]]:
    for _ in source.nodes("interface_declaration"):
        yield "object", "interface"
    for alias in source.nodes("type_alias_declaration"):
        value = alias.child_by_field_name("value")
        if value is not None and value.type == "object_type":
            yield "object", "type"
    for _ in source.nodes("array_type"):
        yield "array", "brackets"
    for generic in source.nodes("generic_type"):
        name = text_of(generic.child_by_field_name("name"))
        if name == "Array":
            yield "array", "generic"
    for parameter in source.nodes("type_parameter"):
        name = text_of(parameter.child_by_field_name("name"))
        if len(name) > 1:
            yield "parameter", "T" if re.match(r"T[A-Z]", name) else "$" if name.startswith("$") else "plain"
    for function in source.nodes("function_declaration", "method_definition"):
        if text_of(function.child_by_field_name("name")) != "constructor":
            yield "returns", "annotated" if function.child_by_field_name("return_type") is not None else "inferred"
    for member in source.nodes("public_field_definition", "method_definition"):
        if _within(member, "class_body") and text_of(member.child_by_field_name("name")) != "constructor":
            word = next((text_of(each) for each in member.children if each.type == "accessibility_modifier"), "")
            yield "access", "said" if word else "silent"
            if word in ("", "private"):
                private = member.child_by_field_name("name")
                if word == "private" or (private is not None and private.type == "private_property_identifier"):
                    yield "private", "word" if word else "hash"


def _within(node: Node, kind: str) -> bool:
    above = node.parent
    while above is not None and above.type != kind:
        above = above.parent
    return above is not None


_ANNOTATED = {"has": {"field": "return_type", "regex": "."}}
_TYPE: Any = {"kind": "type", "not": {"inside": {"kind": "type", "stopBy": "end"}}}
_OPTIONALS: Any = {"all": [_TYPE, {"regex": r"\bOptional\[|\|\s*None\b|\bNone\s*\|"}]}
_UNIONS: Any = {
    "all": [_TYPE, {"regex": r"\bUnion\[|[\w\]'\"]\s*\|\s*[\w'\"]"}, {"not": {"regex": r"\bNone\b|\bOptional\["}}]
}
_GENERICS: Any = {"all": [_TYPE, {"regex": rf"\b({_OLD}|{_OLD.lower()})\["}]}
_OBJECTS: Any = {
    "any": [
        {"kind": "interface_declaration"},
        {"kind": "type_alias_declaration", "has": {"field": "value", "kind": "object_type"}},
    ]
}
_ARRAYS: Any = {"any": [{"kind": "array_type"}, {"kind": "generic_type", "has": {"field": "name", "regex": "^Array$"}}]}
_PARAMETERS: Any = {"kind": "type_parameter", "has": {"field": "name", "regex": ".."}}
_NO_CONSTRUCTOR: Any = {"not": {"has": {"field": "name", "regex": "^constructor$"}}}
_RETURNING: Any = {"any": [{"kind": "function_declaration"}, {"kind": "method_definition"}], **_NO_CONSTRUCTOR}
_MEMBERS: Any = {
    "any": [{"kind": "public_field_definition"}, {"kind": "method_definition"}],
    "inside": {"kind": "class_body"},
    **_NO_CONSTRUCTOR,
}
_PRIVATE: Any = {"has": {"kind": "accessibility_modifier", "regex": "^private$"}}
_HASHED: Any = {"has": {"field": "name", "kind": "private_property_identifier"}}


def _meaning(finding: Finding) -> Meaning | None:
    return _of_script(finding) if finding.tongue in SCRIPTS else _of_python(finding)


def _of_python(finding: Finding) -> Meaning | None:
    match finding.topic, finding.form:
        case "returns", "annotated":
            sites: Any = {"kind": "function_definition", "not": {"has": {"field": "name", "regex": "^(__|test_)"}}}
            return Meaning("Functions", "annotate what they return", sites, _ANNOTATED, 0.4, _API)
        case "optional", form:
            old = {"regex": r"\bOptional\["}
            if form == "bar":
                return Meaning(
                    "Types",
                    "say `X | None`, not `Optional[X]`",
                    _OPTIONALS,
                    {"not": old},
                    0.45,
                    _API,
                    alternative="`Optional[X]`",
                )
            return Meaning(
                "Types", "say `Optional[X]`, not `X | None`", _OPTIONALS, old, 0.5, _API, alternative="`X | None`"
            )
        case "union", form:
            old = {"regex": r"\bUnion\["}
            if form == "bar":
                return Meaning(
                    "Types",
                    "say `X | Y`, not `Union[X, Y]`",
                    _UNIONS,
                    {"not": old},
                    0.45,
                    _API,
                    alternative="`Union[X, Y]`",
                    weight=0.8,
                )
            return Meaning(
                "Types", "say `Union[X, Y]`, not `X | Y`", _UNIONS, old, 0.5, _API, alternative="`X | Y`", weight=0.8
            )
        case "generic", form:
            old = {"regex": rf"\b({_OLD})\["}
            if form == "new":
                return Meaning(
                    "Types",
                    "use the built-in `list[…]` and `dict[…]`, not `List[…]` of `typing`",
                    _GENERICS,
                    {"not": old},
                    0.5,
                    _API,
                    alternative="`List[…]`",
                )
            return Meaning(
                "Types",
                "use `List[…]` and `Dict[…]` of `typing`, not the built-in ones",
                _GENERICS,
                old,
                0.4,
                _API,
                alternative="`list[…]`",
            )
    return None


def _of_script(finding: Finding) -> Meaning | None:
    match finding.topic, finding.form:
        case "object", "interface":
            return Meaning(
                "Object types",
                "are written as `interface`, not as `type`",
                _OBJECTS,
                {"kind": "interface_declaration"},
                0.6,
                _API,
                alternative="`type`",
            )
        case "object", "type":
            return Meaning(
                "Object types",
                "are written as `type`, not as `interface`",
                _OBJECTS,
                {"kind": "type_alias_declaration"},
                0.3,
                _API,
                alternative="`interface`",
            )
        case "array", "brackets":
            return Meaning(
                "Array types",
                "are written `T[]`, not `Array<T>`",
                _ARRAYS,
                {"kind": "array_type"},
                0.93,
                _API,
                alternative="`Array<T>`",
            )
        case "array", "generic":
            return Meaning(
                "Array types",
                "are written `Array<T>`, not `T[]`",
                _ARRAYS,
                {"kind": "generic_type"},
                0.1,
                _API,
                alternative="`T[]`",
            )
        case "parameter", "T":
            return Meaning(
                "Type parameters",
                "are named `T…`, as `TItem`",
                _PARAMETERS,
                {"has": {"field": "name", "regex": "^T[A-Z]"}},
                0.5,
                PatternCategory.NAMING,
            )
        case "parameter", "plain":
            return Meaning(
                "Type parameters",
                "have plain names, without `T` before them",
                _PARAMETERS,
                {"not": {"has": {"field": "name", "regex": r"^(T[A-Z]|\$)"}}},
                0.45,
                PatternCategory.NAMING,
            )
        case "returns", "annotated":
            return Meaning("Functions and methods", "annotate what they return", _RETURNING, _ANNOTATED, 0.5, _API)
        case "access", "said":
            return Meaning(
                "Members of classes",
                "say `public`, `protected` or `private`",
                _MEMBERS,
                {"has": {"kind": "accessibility_modifier"}},
                0.35,
                _API,
            )
        case "private", "hash":
            return Meaning(
                "Private members",
                "are written `#name`, not `private name`",
                {"any": [_PRIVATE, _HASHED], "inside": {"kind": "class_body"}},
                _HASHED,
                0.3,
                _API,
                alternative="`private`",
            )
        case "private", "word":
            return Meaning(
                "Private members",
                "are written `private name`, not `#name`",
                {"any": [_PRIVATE, _HASHED], "inside": {"kind": "class_body"}},
                _PRIVATE,
                0.8,
                _API,
                alternative="`#name`",
            )
    return None


FAMILY = family(
    "type-forms",
    {"Python": _python, "TypeScript": _script, "TSX": _script},
    _meaning,
)
