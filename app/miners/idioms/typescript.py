"""What TypeScript leaves open besides what JavaScript does."""

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import SOURCES, Idiom

IDIOMS = (
    Idiom(
        "any",
        {"kind": "type_annotation"},
        {"not": {"regex": r"^:\s*any\b"}},
        "Types",
        "are never `any`",
        0.8,
        PatternCategory.API,
        alternative="`any`",
        roles=SOURCES,
    ),
    Idiom(
        "asserted values",
        {"kind": "program"},
        {"kind": "non_null_expression"},
        "Files",
        "never say that a value is there by `!`",
        0.6,
        PatternCategory.API,
        absent=True,
        roles=SOURCES,
        alternative="`value!`",
    ),
    Idiom(
        "expected errors",
        {"kind": "comment", "regex": r"@ts-(ignore|expect-error)"},
        {"regex": "@ts-expect-error"},
        "Comments that silence the compiler",
        "are `@ts-expect-error`, not `@ts-ignore`",
        0.45,
        alternative="`@ts-ignore`",
        words=("@ts-",),
    ),
    Idiom(
        "constant enums",
        {"kind": "enum_declaration"},
        {"regex": r"^const\b"},
        "Enums",
        "are `const enum`",
        0.12,
        PatternCategory.API,
        against="are plain; there is no `const enum`",
        usually_against=0.82,
        instead="`const enum`",
        words=("enum",),
    ),
    Idiom(
        "sets of texts",
        {
            "any": [
                {"kind": "enum_declaration"},
                {
                    "kind": "type_alias_declaration",
                    "has": {"field": "value", "regex": r"^\|?\s*['\"][^'\"]*['\"]\s*\|"},
                },
            ]
        },
        {"kind": "type_alias_declaration"},
        "Sets of values",
        "are unions of texts, not enums",
        0.5,
        PatternCategory.API,
        alternative="`enum`",
    ),
    Idiom(
        "typed components",
        {
            "kind": "variable_declarator",
            "all": [
                {"has": {"field": "name", "regex": "^[A-Z][A-Za-z0-9]*[a-z]"}},
                {"has": {"field": "value", "kind": "arrow_function"}},
                {"regex": "/>|</"},
            ],
        },
        {"has": {"field": "type", "regex": r"^:\s*(React\.)?(FC|VFC|FunctionComponent)\b"}},
        "Components",
        "are typed by `FC`: `const Page: FC<Props> = …`",
        0.2,
        PatternCategory.API,
        alternative="no `FC`",
        against="type their parameters and not themselves by `FC`",
        usually_against=0.7,
        instead="`FC`",
        roles=SOURCES,
        words=("/>", "</"),
    ),
    Idiom(
        "named props",
        {
            "any": [
                {"kind": "interface_declaration", "has": {"field": "name", "regex": "Props$"}},
                {"kind": "type_alias_declaration", "has": {"field": "name", "regex": "Props$"}},
            ]
        },
        {"has": {"field": "name", "regex": "[a-z]Props$"}},
        "Types of props",
        "are named for their component: `ButtonProps`, not `Props`",
        0.72,
        PatternCategory.NAMING,
        alternative="`Props`",
        against="are called `Props`, whatever their component is",
        usually_against=0.2,
        instead="a name of its own",
        roles=SOURCES,
        words=("Props",),
    ),
    Idiom(
        "types of comments",
        {"kind": "comment", "regex": r"^/\*\*[^@]*@(param|returns?)\b"},
        {"not": {"regex": r"@(param|returns?)\s+\{"}},
        "JSDoc comments",
        "leave types to the code: no `@param {…}`",
        0.88,
        PatternCategory.DOCUMENTATION,
        alternative="types in comments",
        roles=SOURCES,
        weight=0.7,
        words=("@param", "@return"),
    ),
    Idiom(
        "handlers",
        {
            "kind": "variable_declarator",
            "all": [
                {"has": {"field": "name", "regex": "^(handle|on)[A-Z]"}},
                {
                    "has": {
                        "field": "value",
                        "any": [
                            {"kind": "arrow_function"},
                            {
                                "kind": "call_expression",
                                "has": {"field": "function", "regex": r"^(React\.)?useCallback$"},
                            },
                        ],
                    }
                },
            ],
        },
        {"has": {"field": "value", "kind": "call_expression"}},
        "Handlers of events",
        "stand in `useCallback(…)`",
        0.25,
        PatternCategory.BEHAVIORAL,
        alternative="a new function each time",
        roles=SOURCES,
        words=("useCallback", "/>", "</"),
    ),
)
