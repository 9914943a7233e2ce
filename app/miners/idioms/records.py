"""How data is modelled, where a language leaves it open: records, options, models and enums of one kind or another.

Says, for instance: "Java data is carried by records, not by classes of Lombok", "Go constructors take options as
`...Option`" and "Python enums of texts are `StrEnum`, not `(str, Enum)`".
"""

from typing import Any

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import SOURCES, Idiom
from app.miners.idioms.tables import family

_API = PatternCategory.API
_ATTRS = r"^@(attrs?\.(s|attrs|define|frozen|mutable|dataclass)|define|frozen)\b"
_BEAN = r"@(Service|Component|Controller|RestController|Repository|Configuration|Singleton)\b"


def _bases(shape: str) -> dict[str, Any]:
    return {"has": {"field": "superclasses", "regex": shape}}


PYTHON = (
    Idiom(
        "texts",
        {
            "kind": "class_definition",
            "any": [_bases(r"\bStrEnum\b"), _bases(r"\(\s*str,\s*(\w+\.)?Enum\b")],
        },
        _bases(r"\bStrEnum\b"),
        "Enums of texts",
        "are `StrEnum`, not `(str, Enum)`",
        0.35,
        _API,
        alternative="`(str, Enum)`",
        against="are `(str, Enum)`, not `StrEnum`",
        usually_against=0.5,
        instead="`StrEnum`",
        roles=SOURCES,
        words=("Enum",),
    ),
    Idiom(
        "attrs",
        {"kind": "decorator", "regex": _ATTRS},
        {"regex": r"^@(attrs?\.)?(define|frozen|mutable)\b"},
        "Classes of attrs",
        "are marked by `define` or `frozen`, not by `attr.s`",
        0.5,
        _API,
        alternative="`attr.s`",
        against="are marked by `attr.s`, not by `define`",
        usually_against=0.35,
        instead="`define`",
        roles=SOURCES,
        words=("attr", "define"),
    ),
    Idiom(
        "named tuples",
        {
            "any": [
                {"kind": "class_definition", **_bases(r"\bNamedTuple\b")},
                {"kind": "call", "has": {"field": "function", "regex": r"^(collections\.)?namedtuple$"}},
            ]
        },
        {"kind": "class_definition"},
        "Named tuples",
        "are classes of `NamedTuple`, not made by `namedtuple(…)`",
        0.55,
        _API,
        alternative="`namedtuple(…)`",
        roles=SOURCES,
        words=("amedTuple", "amedtuple"),
    ),
)
GO = (
    Idiom(
        "options",
        {"kind": "function_declaration", "has": {"field": "name", "regex": "^New[A-Z]?"}},
        {"has": {"field": "parameters", "regex": r"\.\.\.\s*([\w.]*[oO]ption|[\w.]*Opt)\b"}},
        "Constructors (`New…`)",
        "take options as `...Option`",
        0.06,
        _API,
        roles=SOURCES,
        words=("func New",),
    ),
)
JAVA = (
    Idiom(
        "records",
        {
            "any": [
                {"kind": "record_declaration"},
                {"kind": "class_declaration", "has": {"kind": "modifiers", "regex": r"@(Data|Value|Getter)\b"}},
            ]
        },
        {"kind": "record_declaration"},
        "Data",
        "is carried by records, not by classes of Lombok",
        0.75,
        _API,
        alternative="Lombok",
        against="is carried by classes of Lombok (`@Data`, `@Value`), not by records",
        usually_against=0.4,
        instead="records",
        roles=SOURCES,
    ),
    Idiom(
        "injected",
        {
            "any": [
                {"kind": "field_declaration", "has": {"kind": "modifiers", "regex": r"@(Autowired|Inject)\b"}},
                {
                    "kind": "constructor_declaration",
                    "has": {"field": "parameters", "regex": r"\w"},
                    "inside": {
                        "kind": "class_declaration",
                        "has": {"kind": "modifiers", "regex": _BEAN},
                        "stopBy": "end",
                    },
                },
            ]
        },
        {"kind": "constructor_declaration"},
        "Dependencies",
        "are passed to constructors, not set in fields by `@Autowired` or `@Inject`",
        0.5,
        _API,
        alternative="`@Autowired` fields",
        against="are set in fields by `@Autowired` or `@Inject`, not passed to constructors",
        usually_against=0.35,
        instead="constructors",
        roles=SOURCES,
    ),
)
# Docs may stand among attributes.
_BETWEEN = {"not": {"any": [{"kind": "line_comment"}, {"kind": "attribute_item"}]}}
RUST = (
    Idiom(
        "must use",
        {
            "kind": "function_item",
            "all": [
                {"has": {"kind": "visibility_modifier", "regex": "^pub$"}},
                {"has": {"field": "return_type", "regex": r"^Self$"}},
                {"has": {"field": "parameters", "regex": r"^\(\s*(mut )?self\b"}},
            ],
        },
        {"follows": {"kind": "attribute_item", "regex": "must_use", "stopBy": _BETWEEN}},
        "Public methods that change and give back `self`",
        "are `#[must_use]`",
        0.15,
        _API,
        roles=SOURCES,
        words=("Self",),
    ),
)
TABLES = {"Python": PYTHON, "Go": GO, "Java": JAVA, "Rust": RUST}

FAMILY = family("record-idioms", TABLES, version=3, most=4)
