"""What docs of Rust show and say: examples, fields, variants, what a feature brings."""

from typing import Any

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import SOURCES, Idiom

_DOCUMENTING = PatternCategory.DOCUMENTATION
_ABOVE = {"any": [{"kind": "line_comment"}, {"kind": "attribute_item"}, {"kind": "block_comment"}]}
_PUBLIC = {"has": {"kind": "visibility_modifier", "regex": "^pub$"}}


def _told(kind: str, shape: str) -> dict[str, Any]:
    return {"follows": {"kind": kind, "regex": shape, "stopBy": {"not": _ABOVE}}}


_CONDITION = _told("attribute_item", r"^#\[cfg\(((all|any)\()?feature\b")
IDIOMS = (
    Idiom(
        "told fields",
        {"kind": "field_declaration", **_PUBLIC},
        _told("line_comment", "^///"),
        "Public fields",
        "are documented (`///`)",
        0.3,
        _DOCUMENTING,
        roles=SOURCES,
        words=("pub struct",),
    ),
    Idiom(
        "told variants",
        {"kind": "enum_variant", "inside": {"kind": "enum_variant_list", "inside": {"kind": "enum_item", **_PUBLIC}}},
        _told("line_comment", "^///"),
        "Variants of public enums",
        "are documented (`///`)",
        0.25,
        _DOCUMENTING,
        roles=SOURCES,
        words=("pub enum",),
    ),
    Idiom(
        "shown examples",
        {"kind": "function_item", "all": [_PUBLIC, _told("line_comment", "^///")]},
        _told("line_comment", r"^///\s*```"),
        "Public functions that are documented",
        "show an example in their docs",
        0.12,
        _DOCUMENTING,
        roles=SOURCES,
        words=("```",),
    ),
    Idiom(
        "told features",
        {
            "any": [
                {"kind": kind, "all": [_PUBLIC, _CONDITION]}
                for kind in ("function_item", "struct_item", "enum_item", "trait_item", "mod_item", "use_declaration")
            ]
        },
        _told("attribute_item", r"^#\[cfg_attr\(\s*(docsrs|doc_cfg|all\()"),
        "Public items that need a feature",
        "say so in their docs: `#[cfg_attr(docsrs, doc(cfg(feature = …)))]`",
        0.15,
        _DOCUMENTING,
        roles=SOURCES,
        words=("cfg(feature", "cfg(all(feature", "cfg(any(feature"),
    ),
)
