"""Classes by kind: what they extend, implement or are decorated with; as facts, and as sites of a rule.

A kind is written as `extends Base`, `implements Port`, `@Decorator`, `errors` (whatever extends an error), `abstract`
or `interface`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from app.miners.core.family import File, tongue_of
from app.syntax import Node, Source, text_of

ERRORS, ABSTRACT, INTERFACE = "errors", "abstract", "interface"
_ERROR = r"\w*(?:Error|Exception|Warning)"
_ERROR_NAME = re.compile(_ERROR)
_BEFORE = r"^([\w.]+(\.|::))?"
# What everything may extend says nothing of a class.
_PLAIN = frozenset(("object", "Object", "Generic"))
# What any class may carry for reasons of its own.
_ANYWHERE = frozenset(
    (
        *("Deprecated", "SuppressWarnings", "SafeVarargs", "deprecated", "skip", "skipIf", "skipUnless"),
        *("DisplayName", "Tag", "Timeout", "Disabled", "Nested", "FunctionalInterface"),
    )
)
# What Java itself asks of anything that is closed, compared, copied or run.
_ABILITIES = frozenset(
    ("AutoCloseable", "Closeable", "Cloneable", "Comparable", "Flushable", "Iterable", "Runnable", "Serializable")
)
_TYPES = frozenset(("type_identifier", "generic_type", "nested_type_identifier", "scoped_type_identifier"))
# The same of Rust: traits of its own library and of the one that everybody takes for serialization.
_TRAITS = frozenset(
    re.findall(
        r"\w+",
        """
        Add AddAssign AsMut AsRef AsyncRead AsyncWrite BitAnd BitOr Borrow BorrowMut Clone Copy Debug Default Deref
        DerefMut Deserialize Display Div DoubleEndedIterator Drop Eq ExactSizeIterator Extend From FromIterator FromStr
        FusedIterator Future Hash Index IndexMut Into IntoIterator Iterator Mul Neg Not Ord PartialEq PartialOrd Read
        Rem Seek Send Serialize Stream Sub Sync ToOwned ToString TryFrom TryInto Unpin Write
        """,
    )
)
MOST_CLASSES = 400


@dataclass(frozen=True, slots=True)
class Definition:
    """A class, what kinds it is of, and its node."""

    name: str
    kinds: tuple[str, ...]
    node: Node


def classes_of(source: Source) -> Iterator[Definition]:
    """Give the classes of a file, from top to bottom, so many at most."""
    read = _READERS[source.language]
    for count, node in enumerate(source.nodes(*_KINDS[source.language])):
        if count == MOST_CLASSES:
            return
        named = node.child_by_field_name("type" if node.type == "impl_item" else "name")
        name = last_name(named)
        if name:
            yield Definition(name, tuple(dict.fromkeys(_with_errors(read(node)))), node)


def last_name(node: Node | None) -> str:
    """Give the name of a type without its module and its parameters: `Model` of `models.Model[T]`."""
    if node is None:
        return ""
    text = re.split(r"[\[<(\s]", text_of(node), maxsplit=1)[0]
    return re.split(r"[.:]", text)[-1]


def _with_errors(kinds: Iterator[str]) -> Iterator[str]:
    for kind in kinds:
        yield kind
        if is_of_errors(kind):
            yield ERRORS


def _python(node: Node) -> Iterator[str]:
    above = node.child_by_field_name("superclasses")
    for each in above.named_children if above is not None else ():
        if each.type in ("identifier", "attribute", "subscript") and (name := last_name(each)) not in _PLAIN:
            yield f"extends {name}"
    holder = node.parent
    if holder is not None and holder.type == "decorated_definition":
        yield from _decorators(holder)


def _decorators(holder: Node) -> Iterator[str]:
    for each in holder.named_children:
        if each.type == "decorator" and each.named_children:
            name = last_name(each.named_children[0])
            if name not in _ANYWHERE:
                yield f"@{name}"


def _script(node: Node) -> Iterator[str]:
    if node.type == "interface_declaration":
        yield INTERFACE
        return
    if node.type == "abstract_class_declaration":
        yield ABSTRACT
    for heritage in node.named_children:
        if heritage.type != "class_heritage":
            continue
        for clause in heritage.named_children:
            if clause.type == "implements_clause":
                yield from (f"implements {last_name(each)}" for each in clause.named_children)
            else:
                base = clause.child_by_field_name("value") if clause.type == "extends_clause" else clause
                if base is not None and base.type in ("identifier", "member_expression"):
                    yield f"extends {last_name(base)}"
    yield from _decorators(node)
    holder = node.parent
    if holder is not None and holder.type == "export_statement":
        yield from _decorators(holder)


def _java(node: Node) -> Iterator[str]:
    if node.type == "interface_declaration":
        yield INTERFACE
        return
    for part in node.named_children:
        if part.type == "modifiers":
            if "abstract" in (each.type for each in part.children):
                yield ABSTRACT
            for each in part.named_children:
                name = last_name(each.child_by_field_name("name"))
                if name and name not in _ANYWHERE:
                    yield f"@{name}"
        elif part.type == "superclass":
            yield from (f"extends {last_name(each)}" for each in part.named_children if each.type in _TYPES)
        elif part.type == "super_interfaces":
            for listed in part.named_children:
                names = [last_name(each) for each in listed.named_children if each.type in _TYPES]
                yield from (f"implements {name}" for name in names if name not in _ABILITIES)


def _rust(node: Node) -> Iterator[str]:
    trait = node.child_by_field_name("trait")
    if trait is not None and (name := last_name(trait)) not in _TRAITS:
        yield f"implements {name}"


_READERS = {
    "Python": _python,
    "JavaScript": _script,
    "TypeScript": _script,
    "TSX": _script,
    "Java": _java,
    "Rust": _rust,
}
_KINDS = {
    "Python": ("class_definition",),
    "JavaScript": ("class_declaration",),
    "TypeScript": ("class_declaration", "abstract_class_declaration", "interface_declaration"),
    "TSX": ("class_declaration", "abstract_class_declaration", "interface_declaration"),
    "Java": ("class_declaration", "interface_declaration"),
    "Rust": ("impl_item",),
}
LANGUAGES = frozenset(_READERS)


def sites_of(tongue: str, kind: str) -> dict[str, Any]:
    """Select the classes of a kind."""
    word, _, name = kind.rpartition(" ")
    if kind == ERRORS:
        word, name = "extends", _ERROR
    elif not kind.startswith("@"):
        name = re.escape(name)
    kinds = [{"kind": each} for each in _KINDS[tongue]]
    return {"all": [kinds[0] if len(kinds) == 1 else {"any": kinds}, _DECLARED[tongue](word, name)]}


def _decorated(name: str) -> dict[str, Any]:
    return {"has": {"kind": "decorator", "regex": rf"^@([\w.]+\.)?{re.escape(name[1:])}\b"}}


def _in_python(word: str, name: str) -> dict[str, Any]:
    if word:
        return {"has": {"field": "superclasses", "has": {"regex": rf"{_BEFORE}{name}(\[|$)"}}}
    return {"inside": {"kind": "decorated_definition", **_decorated(name)}}


def _in_script(word: str, name: str) -> dict[str, Any]:
    if name == INTERFACE:
        return {"kind": "interface_declaration"}
    if name == ABSTRACT:
        return {"kind": "abstract_class_declaration"}
    if word == "implements":
        clause: dict[str, Any] = {"kind": "implements_clause", "has": {"regex": rf"{_BEFORE}{name}(<|$)"}}
        return {"has": {"kind": "class_heritage", "has": clause}}
    if word:
        clause = {"kind": "extends_clause", "has": {"field": "value", "regex": rf"{_BEFORE}{name}$"}}
        return {"has": {"kind": "class_heritage", "has": clause}}
    return {"any": [_decorated(name), {"inside": {"kind": "export_statement", **_decorated(name)}}]}


def _in_javascript(word: str, name: str) -> dict[str, Any]:
    if word:
        return {"has": {"kind": "class_heritage", "has": {"regex": rf"{_BEFORE}{name}$"}}}
    return _in_script(word, name)


def _in_java(word: str, name: str) -> dict[str, Any]:
    if name == INTERFACE:
        return {"kind": "interface_declaration"}
    if name == ABSTRACT:
        return {"has": {"kind": "modifiers", "regex": r"\babstract\b"}}
    named = {"regex": rf"{_BEFORE}{name}(<|$)"}
    if word == "implements":
        return {"has": {"kind": "super_interfaces", "has": {"kind": "type_list", "has": named}}}
    if word:
        return {"has": {"kind": "superclass", "has": named}}
    annotation = {
        "any": [{"kind": "marker_annotation"}, {"kind": "annotation"}],
        "regex": rf"^@([\w.]+\.)?{re.escape(name[1:])}(\(|$)",
    }
    return {"has": {"kind": "modifiers", "has": annotation}}


def _in_rust(_: str, name: str) -> dict[str, Any]:
    return {"has": {"field": "trait", "regex": rf"{_BEFORE}{name}(<|$)"}}


_DECLARED = {
    "Python": _in_python,
    "TypeScript": _in_script,
    "JavaScript": _in_javascript,
    "Java": _in_java,
    "Rust": _in_rust,
}


def note_classes(noted: dict[str, Any], file: File, kinds: Iterable[tuple[str, int]]) -> None:
    """Note which classes each kind has, as a sum over their files."""
    sums = noted.setdefault(f"classes {tongue_of(file)}", {})
    number = crc32(file.path.encode())
    for kind, times in kinds:
        sums[kind] = sums.get(kind, 0) + number * times


def speaks_for_others(noted: dict[str, Any], tongue: str, kind: str) -> bool:
    """Tell whether a kind speaks for its classes: of several with the very same classes one does, a base first."""
    key = f"first {tongue}"
    if key not in noted:
        sums = noted.get(f"classes {tongue}", {})
        order = sorted(sums, key=lambda each: (each.startswith("@"), each), reverse=True)
        noted[key] = {sums[each]: each for each in order}
    own = noted.get(f"classes {tongue}", {}).get(kind)
    return kind in (ERRORS, ABSTRACT, INTERFACE) or own is None or noted[key].get(own) == kind


def is_of_errors(kind: str) -> bool:
    """Tell whether classes of a kind are errors."""
    return kind == ERRORS or (kind.startswith("extends ") and _ERROR_NAME.fullmatch(kind[8:]) is not None)


def kind_in_words(tongue: str | None, kind: str) -> str:
    """Say what classes of a kind are called: `subclasses of `Base``."""
    word, _, name = kind.rpartition(" ")
    if kind == ERRORS:
        return "exception classes" if tongue in ("Python", "Java") else "error classes"
    if kind in (ABSTRACT, INTERFACE):
        return "abstract classes" if kind == ABSTRACT else "interfaces"
    if word == "implements":
        return f"types that implement `{name}`" if tongue == "Rust" else f"classes that implement `{name}`"
    return f"subclasses of `{name}`" if word else f"classes with `{name}`"
