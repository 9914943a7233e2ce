"""Which definitions carry documentation, and in which style: docstrings, Javadoc, comments of Go and Rust.

Says, for instance: "Go functions that others may call have a comment" and "Python docstrings follow Google's style".
"""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.miners.core.family import SCRIPTS, Finding
from app.miners.core.questions import Meaning, family
from app.syntax import Node, Source, text_of

_DOCS = PatternCategory.DOCUMENTATION
_STYLES = {
    "google": r"\n\s*(Args|Arguments|Returns|Raises|Yields|Attributes|Example|Examples):\s*\n",
    "numpy": r"\n\s*(Parameters|Returns|Raises|Yields|Attributes)\s*\n\s*-{3,}",
    "sphinx": r"\n\s*:(param|returns?|raises?|type|rtype)\b",
}
_SHAPES = {style: re.compile(shape) for style, shape in _STYLES.items()}
# One line of docs in Rust that begins like a sentence.
_SENTENCE = re.compile(r"^///\s*[A-Z][^\n]*\s[^\n]*\w")
# Words that docs of functions begin with, and that are nothing but verbs.
_VERBS = (
    "Return|Create|Get|Add|Remove|Parse|Check|Convert|Read|Write|Run|Send|Apply|Update|Insert|Compute|Construct|Append|"
    "Render|Resolve|Decode|Encode|Consume|Attempt|Produce|Determine|Initialize|Specify|Retrieve|Execute"
)
_MOOD = re.compile(rf"^///\s?({_VERBS})(s|es)?\b ")
_THIRD = re.compile(r"^///\s?\w+s ")
_ENDED = re.compile(r"[.:!?][)`\"']*\s*$")
_NAMED = {
    "google": "Google's style (`Args:`)",
    "numpy": "NumPy's style (`Parameters` underlined)",
    "sphinx": "Sphinx's style (`:param x:`)",
}


def _python(source: Source) -> Iterator[tuple[str, str]]:
    root = source.root
    if root is not None and any(each.type != "comment" for each in root.named_children):
        yield "module", "documented" if _begins_with_text(root) else ""
    for definition in source.nodes("function_definition", "class_definition"):
        name = text_of(definition.child_by_field_name("name"))
        if name.startswith(("_", "test", "Test")) or _nested(definition):
            continue
        body = definition.child_by_field_name("body")
        string = _begins_with_text(body)
        yield definition.type, "documented" if string is not None else ""
        if string is not None:
            yield from _docstring(text_of(string))


def _begins_with_text(body: Node | None) -> Node | None:
    """Give the text that a body begins with."""
    # What stands above the text of a module is a header.
    parts = [each for each in body.named_children if each.type != "comment" or body.type != "module"] if body else []
    first = parts[0] if parts else None
    if first is None or first.type != "expression_statement" or not first.named_children:
        return None
    return first.named_children[0] if first.named_children[0].type == "string" else None


def _docstring(text: str) -> Iterator[tuple[str, str]]:
    style = next((style for style, shape in _SHAPES.items() if shape.search(text)), None)
    if style is not None:
        yield "style", style
    inner = text.strip("rRuU\"'")
    first = inner.strip().partition("\n")[0].strip()
    if first and inner:
        yield "full stop", "stop" if first.endswith((".", "!", "?", ":")) else ""
        if "\n" in inner.strip("\n \t"):
            yield "opening", "same line" if not inner.startswith(("\n", "\\")) else "next line"


def _nested(node: Node) -> bool:
    above = node.parent
    while above is not None:
        if above.type == "function_definition":
            return True
        if above.type == "class_definition" and text_of(above.child_by_field_name("name")).startswith(("_", "Test")):
            return True
        above = above.parent
    return False


def _go(source: Source) -> Iterator[tuple[str, str]]:
    for definition in source.nodes("function_declaration", "method_declaration", "type_declaration"):
        named = (
            definition.named_children[0]
            if definition.type == "type_declaration" and definition.named_children
            else definition
        )
        name = text_of(named.child_by_field_name("name"))
        before = definition.prev_named_sibling
        documented = (
            before is not None and before.type == "comment" and before.end_point.row + 1 == definition.start_point.row
        )
        if name[:1].isupper() and not name.startswith(("Test", "Benchmark", "Example", "Fuzz")):
            yield definition.type, "documented" if documented else ""
        if documented and before is not None and text_of(before).startswith("// "):
            yield "full stop", "stop" if text_of(before).rstrip().endswith((".", ":", "!", "?")) else ""


def _java(source: Source) -> Iterator[tuple[str, str]]:
    for definition in source.nodes("class_declaration", "interface_declaration", "method_declaration"):
        first = definition.named_children[0]
        words = text_of(first) if first.type == "modifiers" else ""
        if "public" not in words.split() or "@Override" in words:
            continue
        before = definition.prev_named_sibling
        documented = before is not None and before.type == "block_comment" and text_of(before).startswith("/**")
        yield (
            ("method_declaration" if definition.type == "method_declaration" else "class_declaration"),
            "documented" if documented else "",
        )


def _rust(source: Source) -> Iterator[tuple[str, str]]:
    root = source.root
    if root is not None and root.named_children:
        first = root.named_children[0]
        yield "module", "documented" if first.type == "line_comment" and text_of(first).startswith("//!") else ""
    for item in source.nodes("function_item", "struct_item", "enum_item", "trait_item"):
        if not item.named_children or text_of(item.named_children[0]) != "pub":
            continue
        before = item.prev_named_sibling
        while before is not None and before.type == "attribute_item":
            before = before.prev_named_sibling
        documented = before is not None and before.type == "line_comment" and text_of(before).startswith("///")
        yield ("function_item" if item.type == "function_item" else "struct_item"), "documented" if documented else ""
    for comment in source.nodes("line_comment"):
        text = text_of(comment)
        if _SENTENCE.search(text) and not _is_doc(comment.prev_sibling) and not _is_doc(comment.next_sibling):
            yield "full stop", "stop" if _ENDED.search(text) else "open"
        if _MOOD.match(text) and not _is_doc(comment.prev_sibling):
            yield "mood", "third" if _THIRD.match(text) else "bare"


def _is_doc(node: Node | None) -> bool:
    return node is not None and node.type == "line_comment" and text_of(node).startswith("///")


def _script(source: Source) -> Iterator[tuple[str, str]]:
    for export in source.nodes("export_statement"):
        declared = export.child_by_field_name("declaration")
        if declared is None or declared.type not in ("function_declaration", "class_declaration"):
            continue
        before = export.prev_named_sibling
        documented = before is not None and before.type == "comment" and text_of(before).startswith("/**")
        yield declared.type, "documented" if documented else ""


_PUBLIC_PYTHON: Any = {
    "has": {"field": "name", "regex": "^[^_]"},
    "not": {
        "any": [
            {"has": {"field": "name", "regex": "^(test|Test)"}},
            {"inside": {"kind": "function_definition", "stopBy": "end"}},
            {"inside": {"kind": "class_definition", "has": {"field": "name", "regex": "^(_|Test)"}, "stopBy": "end"}},
        ]
    },
}
_STRING: Any = {"kind": "expression_statement", "nthChild": 1, "has": {"kind": "string", "nthChild": 1}}
_DOCUMENTED: Any = {"has": {"field": "body", "has": _STRING}}
_DOCSTRINGS: Any = {
    "kind": "string",
    "inside": {
        "kind": "expression_statement",
        "nthChild": 1,
        "inside": {
            "kind": "block",
            "inside": {"any": [{"kind": "function_definition"}, {"kind": "class_definition"}], **_PUBLIC_PYTHON},
        },
    },
}
_FIRST_OF_A_MODULE: Any = {
    "kind": "expression_statement",
    "has": {"kind": "string", "nthChild": 1},
    "not": {"follows": {"not": {"kind": "comment"}, "stopBy": "end"}},
}
_MODULES: dict[str, tuple[Any, Any, str, str]] = {
    "Python": (
        {"kind": "module", "has": {"not": {"kind": "comment"}}},
        {"has": _FIRST_OF_A_MODULE},
        "Modules",
        "begin with a docstring",
    ),
    "Rust": (
        {"kind": "source_file", "has": {"regex": "."}},
        {"has": {"kind": "line_comment", "regex": "^//!", "nthChild": 1}},
        "Files",
        "begin with what they are for (`//!`)",
    ),
}
_PUBLIC_JAVA: Any = {"has": {"kind": "modifiers", "all": [{"regex": r"\bpublic\b"}, {"not": {"regex": "@Override"}}]}}
_AFTER: dict[str, Any] = {
    "Java": {"follows": {"kind": "block_comment", "regex": r"^/\*\*"}},
    "TypeScript": {"follows": {"kind": "comment", "regex": r"^/\*\*"}},
    "Rust": {"follows": {"kind": "line_comment", "regex": "^///", "stopBy": {"not": {"kind": "attribute_item"}}}},
    "Go": {"follows": {"kind": "comment"}},
}


def _meaning(finding: Finding) -> Meaning | None:
    tongue = finding.tongue or ""
    if finding.topic in ("style", "full stop", "opening", "mood"):
        return _style(finding)
    if finding.topic == "module":
        sites, conforming, subject, sentence = _MODULES[tongue]
        return Meaning(subject, sentence, sites, conforming, 0.35, _DOCS, weight=0.9)
    functions = finding.topic in ("function_definition", "function_declaration", "method_declaration", "function_item")
    match tongue:
        case "Python":
            subject = "Public functions and methods" if functions else "Public classes"
            return Meaning(
                subject, "have a docstring", {"kind": finding.topic, **_PUBLIC_PYTHON}, _DOCUMENTED, 0.4, _DOCS
            )
        case "Java":
            subject = "Public methods" if functions else "Public classes"
            kinds: Any = (
                [{"kind": "method_declaration"}]
                if functions
                else [{"kind": "class_declaration"}, {"kind": "interface_declaration"}]
            )
            return Meaning(subject, "have Javadoc", {"any": kinds, **_PUBLIC_JAVA}, _AFTER[tongue], 0.45, _DOCS)
        case "Rust":
            subject = "Public functions" if functions else "Public types"
            kinds = (
                [{"kind": "function_item"}]
                if functions
                else [{"kind": kind} for kind in ("struct_item", "enum_item", "trait_item")]
            )
            public: Any = {"has": {"kind": "visibility_modifier", "regex": "^pub$"}}
            return Meaning(subject, "are documented (`///`)", {"any": kinds, **public}, _AFTER[tongue], 0.5, _DOCS)
        case "Go":
            subject = {"function_declaration": "Exported functions", "method_declaration": "Exported methods"}.get(
                finding.topic, "Exported types"
            )
            name: Any = {"field": "name", "regex": "^[A-Z]"}
            tests: Any = {"has": {"field": "name", "regex": "^(Test|Benchmark|Example|Fuzz)"}}
            has: Any = {"has": name} if functions else {"has": {"kind": "type_spec", "has": name}}
            return Meaning(
                subject, "have a comment", {"kind": finding.topic, **has, "not": tests}, _AFTER[tongue], 0.6, _DOCS
            )
    if tongue in SCRIPTS:
        subject = "Exported functions" if functions else "Exported classes"
        exported: Any = {"kind": "export_statement", "has": {"field": "declaration", "kind": finding.topic}}
        return Meaning(subject, "have a comment (`/** … */`)", exported, _AFTER["TypeScript"], 0.3, _DOCS)
    return None


def _style(finding: Finding) -> Meaning | None:
    match finding.topic, finding.form:
        case "style", style:
            any_style = "|".join(_STYLES.values())
            sites: Any = {"all": [_DOCSTRINGS, {"regex": any_style}]}
            return Meaning("Docstrings", f"follow {_NAMED[style]}", sites, {"regex": _STYLES[style]}, 0.34, _DOCS)
        case "full stop", _ if finding.tongue == "Python":
            return Meaning(
                "First lines of docstrings",
                "end in a full stop",
                _DOCSTRINGS,
                {"regex": r"""^[rRuU]?["']+\s*[^\n]*?[.!?:]\s*(\n|["'])"""},
                0.68,
                _DOCS,
            )
        case "mood", form:
            begun: Any = {"not": {"follows": {"kind": "line_comment", "regex": "^///"}}}
            sites = {"kind": "line_comment", "regex": _MOOD.pattern, **begun}
            third = {"regex": _THIRD.pattern}
            if form == "third":
                sentence, other = "say what they do: `Returns …`, not `Return …`", "`Return …`"
                return Meaning("Docs of functions", sentence, sites, third, 0.7, _DOCS, alternative=other)
            sentence, other = "begin with what to do: `Return …`, not `Returns …`", "`Returns …`"
            return Meaning("Docs of functions", sentence, sites, {"not": third}, 0.2, _DOCS, alternative=other)
        case "full stop", form if finding.tongue == "Rust":
            doc = {"kind": "line_comment", "regex": "^///"}
            sites = {
                "kind": "line_comment",
                "regex": _SENTENCE.pattern,
                "not": {"any": [{"follows": doc}, {"precedes": doc}]},
            }
            ended = {"regex": _ENDED.pattern}
            if form == "stop":
                return Meaning("Docs of one line", "end in a full stop", sites, ended, 0.55, _DOCS, weight=0.8)
            return Meaning("Docs of one line", "end without a full stop", sites, {"not": ended}, 0.3, _DOCS, weight=0.8)
        case "full stop", _:
            sites = {
                "kind": "comment",
                "regex": "^// ",
                "precedes": {
                    "any": [
                        {"kind": kind} for kind in ("function_declaration", "method_declaration", "type_declaration")
                    ]
                },
            }
            return Meaning(
                "Comments of definitions", "end in a full stop", sites, {"regex": r"[.:!?]\s*$"}, 0.68, _DOCS
            )
        case "opening", "same line":
            sites = {"all": [_DOCSTRINGS, {"regex": r"\S[^\n]*\n"}]}
            return Meaning(
                "Docstrings of several lines",
                "begin on the line of their quotes",
                sites,
                {"not": {"regex": r"""^[rRuU]?["']{3}\\?\s*\n"""}},
                0.62,
                _DOCS,
                weight=0.8,
            )
        case "opening", "next line":
            sites = {"all": [_DOCSTRINGS, {"regex": r"\S[^\n]*\n"}]}
            return Meaning(
                "Docstrings of several lines",
                "begin on the line after their quotes",
                sites,
                {"regex": r"""^[rRuU]?["']{3}\\?\s*\n"""},
                0.35,
                _DOCS,
                weight=0.8,
            )
    return None


FAMILY = family(
    "doc-comments",
    {
        "Python": _python,
        "Go": _go,
        "Java": _java,
        "Rust": _rust,
        "TypeScript": _script,
        "TSX": _script,
        "JavaScript": _script,
    },
    _meaning,
    version=4,
    roles=frozenset((FileRole.SOURCE,)),
)
