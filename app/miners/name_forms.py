"""How things inside files are called, where a language leaves the choice: constants, members of enums, private fields.

Says, for instance: "TypeScript constants of modules are written in UPPER_CASE" and "TypeScript zod schemas are named
`…Schema`". What every repository of a language does (names of functions in Python) is not asked.
"""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.miners.core.family import SCRIPTS, TONGUES, Finding
from app.miners.core.questions import Meaning, family
from app.syntax import Node, Source, text_of

_NAMING = PatternCategory.NAMING
_UPPER, _PASCAL, _CAMEL = r"^[A-Z][A-Z0-9_]+$", r"^[A-Z][A-Za-z0-9]*[a-z]", r"^[a-z][A-Za-z0-9]"
_LOWER = r"^[a-z][a-z0-9_]+$"
_SCHEMA = r"^z\.(object|strictObject|enum|nativeEnum|union|discriminatedUnion|intersection|array|record)\("
_INFERRED = r"^z\.(infer|input|output)<"
_OF_ZOD, _OF_TYPES = "^Z[A-Z]", "^T[A-Z]"
_ENUMS = r"\b(Enum|StrEnum|IntEnum|Flag|IntFlag|TextChoices|IntegerChoices)\b"
_BOOLEAN = r"^(is|has|can|should|was|are|will|did)[A-Z]"
_MEMBER = re.compile(r"^m[A-Z]")
# Short words inside a name, written as a word (`userId`) or in capitals (`userID`); what follows is another word.
_SHORT = "Id|Url|Http|Json|Api|Html|Xml|Sql|Uri|Uuid"
_AS_WORD = rf"[a-z0-9](?:{_SHORT})(?:s?$|[A-Z0-9])"
_IN_CAPITALS = rf"[a-z0-9](?:{_SHORT.upper()})(?:s?$|[0-9]|[A-Z][a-z])"
_NAMED: dict[str, tuple[str, ...]] = {
    "Go": ("function_declaration", "method_declaration", "type_spec"),
    "Java": ("method_declaration", "class_declaration", "variable_declarator"),
    "JavaScript": ("function_declaration", "method_definition", "variable_declarator"),
    "TypeScript": ("function_declaration", "method_definition", "variable_declarator"),
}
# How one folder does these tells nothing of how it is done here.
_EVERYWHERE = frozenset(("short words", "schema case"))
# How usual words are, and capitals.
_SHORT_USUAL = {"Go": (0.05, 0.95)}


def _case(name: str) -> str:
    shapes = (("upper", _UPPER), ("pascal", _PASCAL), ("lower", _LOWER), ("camel", _CAMEL))
    return next((case for case, shape in shapes if re.search(shape, name)), "")


def _short_words(source: Source) -> Iterator[tuple[str, str]]:
    for node in source.nodes(*_NAMED[TONGUES.get(source.language, source.language)]):
        name = text_of(node.child_by_field_name("name"))
        if len(name) > 2 and (word := re.search(_AS_WORD, name) or re.search(_IN_CAPITALS, name)):
            yield "short words", "word" if word.group()[2:3].islower() else "capitals"


def _script(source: Source) -> Iterator[tuple[str, str]]:
    yield from _short_words(source)
    for node in source.nodes("variable_declarator"):
        value, declared = node.child_by_field_name("value"), node.parent
        if value is None or declared is None:
            continue
        name = text_of(node.child_by_field_name("name"))
        if value.type in ("number", "string") and _of_module(declared) and len(name) > 1:
            yield "constant", "upper" if re.search(_UPPER, name) else "other"
        elif value.type == "call_expression" and re.match(_SCHEMA, text_of(value)[:40]):
            yield "schema", "Schema" if re.search("Schema$", name) else ""
            yield "schema case", "Z" if re.match(_OF_ZOD, name) else "pascal" if re.match("[A-Z]", name) else "camel"


def _of_module(declared: Node) -> bool:
    if declared.type != "lexical_declaration" or text_of(declared)[:6] != "const ":
        return False
    above = declared.parent
    return above is not None and above.type in ("program", "export_statement")


def _typescript(source: Source) -> Iterator[tuple[str, str]]:
    yield from _script(source)
    for body in source.nodes("enum_body"):
        for member in body.named_children:
            named = member.child_by_field_name("name") if member.type == "enum_assignment" else member
            if named is not None and named.type == "property_identifier" and len(text_of(named)) > 1:
                yield "enum", _case(text_of(named)).replace("lower", "camel")
    for node in source.nodes("public_field_definition", "method_definition"):
        if any(each.type == "accessibility_modifier" and text_of(each) == "private" for each in node.children):
            yield "private", "_" if text_of(node.child_by_field_name("name")).startswith("_") else ""
    for node in source.nodes("interface_declaration", "type_alias_declaration"):
        name = text_of(node.child_by_field_name("name"))
        if name.endswith("Props"):
            yield "props", "Props" if name == "Props" else ""
        if node.type == "type_alias_declaration" and re.match(_INFERRED, text_of(node.child_by_field_name("value"))):
            yield "inferred", "T" if re.match(_OF_TYPES, name) else ""
    for node in source.nodes("property_signature"):
        if text_of(node.child_by_field_name("type")).strip(": ") == "boolean":
            yield "boolean", "asked" if re.match(_BOOLEAN, text_of(node.child_by_field_name("name"))) else ""


def _python(source: Source) -> Iterator[tuple[str, str]]:
    for node in source.nodes("class_definition"):
        body = node.child_by_field_name("body")
        if body is None or not re.search(_ENUMS, text_of(node.child_by_field_name("superclasses"))):
            continue
        for member in body.named_children:
            first = member.named_children[0] if member.named_children else None
            left = first.child_by_field_name("left") if first is not None and first.type == "assignment" else None
            if left is not None and left.type == "identifier" and re.match("[A-Za-z].", text_of(left)):
                yield "enum", _case(text_of(left))
    # Few files have any, and calls are many.
    for node in source.nodes("call") if "TypeVar(" in source.text else ():
        if text_of(node.child_by_field_name("function")).rpartition(".")[2] != "TypeVar" or node.parent is None:
            continue
        if node.parent.type == "assignment":
            yield "typevar", "_" if text_of(node.parent.child_by_field_name("left")).startswith("_") else ""


def _java(source: Source) -> Iterator[tuple[str, str]]:
    yield from _short_words(source)
    for node in source.nodes("field_declaration"):
        words = text_of(node.named_children[0]).split() if node.named_children else []
        declared = node.child_by_field_name("declarator")
        if "private" in words and "static" not in words and declared is not None:
            name = text_of(declared.child_by_field_name("name"))
            yield "field", "m" if _MEMBER.match(name) else "_" if name.startswith("_") else ""


_CONSTANTS: Any = {
    "kind": "variable_declarator",
    "all": [
        {"has": {"field": "value", "any": [{"kind": "number"}, {"kind": "string"}]}},
        {"has": {"field": "name", "regex": ".."}},
    ],
    "inside": {
        "kind": "lexical_declaration",
        "regex": "^const ",
        "any": [{"inside": {"kind": "program"}}, {"inside": {"kind": "export_statement"}}],
    },
}
_SCHEMAS: Any = {
    "kind": "variable_declarator",
    "has": {"field": "value", "kind": "call_expression", "regex": _SCHEMA},
}
_MEMBERS: Any = {
    "kind": "property_identifier",
    "regex": "..",
    "any": [{"inside": {"kind": "enum_body"}}, {"inside": {"kind": "enum_assignment", "field": "name"}}],
}
_PYTHON_MEMBERS: Any = {
    "kind": "assignment",
    "has": {"field": "left", "kind": "identifier", "regex": "^[A-Za-z]."},
    "inside": {
        "kind": "expression_statement",
        "inside": {
            "kind": "block",
            "inside": {"kind": "class_definition", "has": {"field": "superclasses", "regex": _ENUMS}},
        },
    },
}
_TYPEVARS: Any = {
    "kind": "assignment",
    "has": {"field": "right", "kind": "call", "regex": r"^([\w.]+\.)?TypeVar\("},
}
_FIELDS: Any = {
    "kind": "field_declaration",
    "has": {"kind": "modifiers", "all": [{"regex": r"\bprivate\b"}, {"not": {"regex": r"\bstatic\b"}}]},
}
_WORDS = {"upper": "UPPER_CASE", "pascal": "PascalCase", "camel": "camelCase", "lower": "snake_case"}


def _named(shape: str) -> dict[str, Any]:
    return {"has": {"field": "name", "regex": shape}}


def _of_short_words(finding: Finding) -> Meaning:
    kinds: list[Any] = [{"kind": kind} for kind in _NAMED[finding.tongue or ""]]
    sites = {"any": kinds, **_named(f"{_AS_WORD}|{_IN_CAPITALS}")}
    words_usual, capitals_usual = _SHORT_USUAL.get(finding.tongue or "", (0.95, 0.1))
    if finding.form == "word":
        words = "are written as words: `userId`, not `userID`"
        return Meaning("Short words in names", words, sites, _named(_AS_WORD), words_usual, _NAMING)
    words, fits = "are written in capitals: `userID`, not `userId`", {"not": _named(_AS_WORD)}
    return Meaning("Short words in names", words, sites, fits, capitals_usual, _NAMING, alternative="`userId`")


def _meaning(finding: Finding) -> Meaning | None:
    if finding.topic in _EVERYWHERE and finding.scope.include:
        return None
    if finding.topic == "short words":
        return _of_short_words(finding)
    if finding.tongue in SCRIPTS:
        return _of_script(finding.topic, finding.form)
    match finding.topic, finding.form:
        case "enum", ("lower" | "pascal") as case:
            left = {"has": {"field": "left", "regex": {"lower": _LOWER, "pascal": _PASCAL}[case]}}
            words = f"are written in {_WORDS[case]}"
            return Meaning("Members of enums", words, _PYTHON_MEMBERS, left, 0.12, _NAMING, alternative="UPPER_CASE")
        case "typevar", "_":
            left = {"has": {"field": "left", "regex": "^_"}}
            return Meaning("Type variables", "begin with an underscore", _TYPEVARS, left, 0.3, _NAMING)
        case "field", ("m" | "_") as mark:
            shape, shown = {"m": ("^m[A-Z]", "`m…`, as `mName`"), "_": ("^_", "`_name`")}[mark]
            declared = {"has": {"field": "declarator", "has": {"field": "name", "regex": shape}}}
            return Meaning("Private fields", f"are named {shown}", _FIELDS, declared, 0.05, _NAMING)
    return None


def _of_script(topic: str, form: str) -> Meaning | None:
    match topic, form:
        case "constant", "upper":
            words = "that hold a number or a text are written in UPPER_CASE"
            return Meaning("Constants of modules", words, _CONSTANTS, _named(_UPPER), 0.5, _NAMING)
        case "constant", "other":
            words = "are not written in UPPER_CASE"
            fits = {"not": _named(_UPPER)}
            return Meaning("Constants of modules", words, _CONSTANTS, fits, 0.4, _NAMING, alternative="UPPER_CASE")
        case "enum", ("upper" | "pascal" | "camel") as case:
            shape = {"upper": _UPPER, "pascal": _PASCAL, "camel": _CAMEL}[case]
            usual = {"upper": 0.35, "pascal": 0.5, "camel": 0.12}[case]
            words = f"are written in {_WORDS[case]}"
            return Meaning("Members of enums", words, _MEMBERS, {"regex": shape}, usual, _NAMING)
        case "schema", "Schema":
            return Meaning("Zod schemas", "are named `…Schema`", _SCHEMAS, _named("Schema$"), 0.5, _NAMING)
        case "schema case", "pascal":
            capital = _named("^([A-Y]|Z([^A-Z]|$))")
            return Meaning("Zod schemas", "begin with a capital", _SCHEMAS, capital, 0.2, _NAMING)
        case "schema case", "Z":
            return Meaning("Zod schemas", "begin with `Z`: `ZUser`", _SCHEMAS, _named(_OF_ZOD), 0.05, _NAMING)
        case "inferred", "T":
            inferred: Any = {"kind": "type_alias_declaration", "has": {"field": "value", "regex": _INFERRED}}
            return Meaning("Types of zod schemas", "begin with `T`: `TUser`", inferred, _named(_OF_TYPES), 0.1, _NAMING)
        case "private", "_":
            sites: Any = {
                "any": [{"kind": "public_field_definition"}, {"kind": "method_definition"}],
                "has": {"kind": "accessibility_modifier", "regex": "^private$"},
            }
            return Meaning("Private members", "begin with an underscore", sites, _named("^_"), 0.3, _NAMING)
        case "props", "Props":
            sites = {"any": [{"kind": "interface_declaration"}, {"kind": "type_alias_declaration"}], **_named("Props$")}
            return Meaning("Props of components", "are named `Props` alone", sites, _named("^Props$"), 0.2, _NAMING)
        case "boolean", "asked":
            sites = {"kind": "property_signature", "has": {"field": "type", "regex": r"^:\s*boolean$"}}
            words = "are named as questions (`isOpen`, `hasName`)"
            return Meaning("Boolean properties", words, sites, _named(_BOOLEAN), 0.3, _NAMING)
    return None


FAMILY = family(
    "name-forms",
    {
        "Python": _python,
        "Go": _short_words,
        "Java": _java,
        "JavaScript": _script,
        "TypeScript": _typescript,
        "TSX": _typescript,
    },
    _meaning,
    roles=frozenset((FileRole.SOURCE,)),
    version=3,
)
