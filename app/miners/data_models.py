"""How records are written: dataclasses or models of pydantic, `frozen=True`, cases of JSON tags, derived traits.

Says, for instance: "Go `json` tags are written in snake_case" and "Python dataclasses are `frozen=True`".
"""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.miners.core.family import Finding
from app.miners.core.questions import Meaning, family
from app.syntax import Node, Source, text_of

_API = PatternCategory.API
_DATACLASS = r"^@([\w.]+\.)?dataclass\b"
_ATTRS = r"^@attrs?\.(s|attrs|define|frozen|mutable|dataclass)\b|^@(define|frozen)\b"
_FLAGS = ("frozen", "slots", "kw_only")
_BASES = {"pydantic": "BaseModel", "NamedTuple": "NamedTuple", "TypedDict": "TypedDict"}
_RECORDS = {
    "dataclass": ("dataclasses", 0.5),
    "attrs": ("classes of `attrs`", 0.05),
    "pydantic": ("models of pydantic", 0.2),
    "NamedTuple": ("`NamedTuple`", 0.1),
    "TypedDict": ("`TypedDict`", 0.15),
}
_CASES = {
    "snake_case": r"[a-z0-9]+(_[a-z0-9]+)+",
    "camelCase": r"[a-z0-9]+([A-Z][a-z0-9]*)+",
    "kebab-case": r"[a-z0-9]+(-[a-z0-9]+)+",
}
_TAG = re.compile(r'\b(json|yaml|toml|db|bson|mapstructure):"([^",]+)')
_SEVERAL = r"[a-z0-9]+([_A-Z-][A-Za-z0-9]*)+"
_SERDE = re.compile(r'\bserde\b[^\]]*\brename_all\s*=\s*"([^"]+)"')
_DENIED = re.compile(r"\bserde\b[^\]]*\bdeny_unknown_fields\b")
_DERIVES = re.compile(r"^#\[derive\(([^)]*)\)")


def _python(source: Source) -> Iterator[tuple[str, str]]:
    for node in source.nodes("class_definition"):
        bases = text_of(node.child_by_field_name("superclasses"))
        holder = node.parent
        marks = (
            [text_of(each) for each in holder.named_children if each.type == "decorator"]
            if holder is not None and holder.type == "decorated_definition"
            else []
        )
        mark = next((mark for mark in marks if re.match(_DATACLASS, mark)), None)
        if mark is not None:
            yield "record", "dataclass"
            for flag in _FLAGS:
                yield flag, "set" if re.search(rf"\b{flag}\s*=\s*True", mark) else ""
        elif any(re.match(_ATTRS, mark) for mark in marks):
            yield "record", "attrs"
        else:
            kind = next((kind for kind, name in _BASES.items() if re.search(rf"[(\s.]{name}[,)\[]", bases)), None)
            if kind is not None:
                yield "record", kind


def _go(source: Source) -> Iterator[tuple[str, str]]:
    for node in source.nodes("field_declaration"):
        tag = node.child_by_field_name("tag")
        for key, name in _TAG.findall(text_of(tag)) if tag is not None else ():
            if re.fullmatch(_SEVERAL, name):
                yield f"tag {key}", next((case for case, shape in _CASES.items() if re.fullmatch(shape, name)), "")


def _rust(source: Source) -> Iterator[tuple[str, str]]:
    for node in source.nodes("struct_item", "enum_item"):
        attributes = list(_attributes(node))
        derived = {
            name.strip().rpartition("::")[2]
            for text in attributes
            if (found := _DERIVES.match(text))
            for name in found.group(1).split(",")
        }
        if node.named_children and node.named_children[0].type == "visibility_modifier":
            for name in ("Debug", "Clone"):
                yield f"derive {name}", "set" if name in derived else ""
        if derived & {"Serialize", "Deserialize"}:
            renamed = next((found.group(1) for text in attributes if (found := _SERDE.search(text))), "")
            yield "rename", renamed
            if renamed:
                yield "renamed", renamed
            if "Deserialize" in derived:
                yield "unknown", "denied" if any(_DENIED.search(text) for text in attributes) else ""


def _attributes(node: Node) -> Iterator[str]:
    above = node.prev_named_sibling
    while above is not None and above.type in ("attribute_item", "line_comment"):
        yield text_of(above)
        above = above.prev_named_sibling


def _typescript(source: Source) -> Iterator[tuple[str, str]]:
    for node in source.nodes("property_signature"):
        yield "readonly", "readonly" if text_of(node).startswith("readonly ") else ""


def _derives(shape: str) -> dict[str, Any]:
    between = {"not": {"any": [{"kind": "attribute_item"}, {"kind": "line_comment"}]}}
    return {"follows": {"kind": "attribute_item", "regex": shape, "stopBy": between}}


def _marked(shape: str) -> dict[str, Any]:
    return {"inside": {"kind": "decorated_definition", "has": {"kind": "decorator", "regex": shape}}}


def _record(kind: str) -> dict[str, Any]:
    if kind in ("dataclass", "attrs"):
        return _marked(_DATACLASS if kind == "dataclass" else _ATTRS)
    return {"has": {"field": "superclasses", "regex": rf"[(\s.]{_BASES[kind]}[,)\[]"}}


def _renames(case: str) -> str:
    return rf'\bserde\b[^\]]*\brename_all\s*=\s*"{case}"'


_SERIALIZED = _derives(r"^#\[derive\([^)]*\b(Serialize|Deserialize)\b")
_WORDS = {"lowercase": "small letters", "UPPERCASE": "capitals"}
_TYPES: Any = {"any": [{"kind": "struct_item"}, {"kind": "enum_item"}]}


def _meaning(finding: Finding) -> Meaning | None:
    match finding.topic.split(), finding.form:
        case ["record"], kind:
            words, usual = _RECORDS[kind]
            sites = {"kind": "class_definition", "any": [_record(each) for each in _RECORDS]}
            other = _RECORDS[finding.alternative][0] if finding.alternative in _RECORDS else None
            return Meaning("Records", f"are {words}", sites, _record(kind), usual, _API, alternative=other)
        case [("frozen" | "slots" | "kw_only") as flag], "set":
            return Meaning(
                "Dataclasses",
                f"are `{flag}=True`",
                {"kind": "class_definition", **_marked(_DATACLASS)},
                _marked(rf"(?s){_DATACLASS}.*\b{flag}\s*=\s*True"),
                0.2,
                _API,
            )
        case ["tag", key], case if case:
            site = rf'\b{key}:"{_SEVERAL}[",]'
            return Meaning(
                f"`{key}` tags",
                f"are written in {case}",
                {"kind": "field_declaration", "has": {"field": "tag", "regex": site}},
                {"has": {"field": "tag", "regex": rf'\b{key}:"{_CASES[case]}[",]'}},
                {"snake_case": 0.5, "camelCase": 0.4}.get(case, 0.1),
                PatternCategory.NAMING,
                alternative=finding.alternative,
            )
        case ["derive", name], "set":
            return Meaning(
                "Public types",
                f"derive `{name}`",
                {"all": [_TYPES, {"has": {"kind": "visibility_modifier"}}]},
                _derives(rf"^#\[derive\([^)]*\b{name}\b"),
                0.75 if name == "Debug" else 0.45,
                _API,
            )
        case ["rename"], case if case:
            return Meaning(
                "Types that serde writes or reads",
                f'say `rename_all = "{case}"`',
                {"all": [_TYPES, _SERIALIZED]},
                _derives(_renames(re.escape(case))),
                0.2,
                _API,
            )
        case ["renamed"], case:
            return Meaning(
                "Names that serde changes",
                f'are written in {_WORDS.get(case, case)}: `rename_all = "{case}"`',
                {"all": [_TYPES, _SERIALIZED, _derives(_renames('[^"]+'))]},
                _derives(_renames(re.escape(case))),
                {"camelCase": 0.4, "snake_case": 0.3}.get(case, 0.15),
                PatternCategory.NAMING,
                alternative=finding.alternative,
            )
        case ["unknown"], "denied":
            return Meaning(
                "Types that serde reads",
                "refuse what they do not know: `deny_unknown_fields`",
                {"all": [_TYPES, _derives(r"^#\[derive\([^)]*\bDeserialize\b")]},
                _derives(_DENIED.pattern),
                0.1,
                _API,
            )
        case ["readonly"], "readonly":
            return Meaning(
                "Properties of types",
                "are `readonly`",
                {"kind": "property_signature"},
                {"regex": "^readonly "},
                0.1,
                _API,
            )
    return None


FAMILY = family(
    "data-models",
    {"Python": _python, "Go": _go, "Rust": _rust, "TypeScript": _typescript, "TSX": _typescript},
    _meaning,
    version=2,
    roles=frozenset((FileRole.SOURCE,)),
)
