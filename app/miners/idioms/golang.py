"""What Go leaves open."""

from app.domain.pattern import PatternCategory
from app.miners.idioms.shapes import SOURCES, TESTS, Idiom


def _called(names: str) -> dict[str, object]:
    return {"kind": "call_expression", "has": {"field": "function", "regex": names}}


_COMMAND = {
    "kind": "composite_literal",
    "all": [
        {"has": {"field": "type", "regex": r"^cobra\.Command$"}},
        {"has": {"field": "body", "regex": r"\n\s*RunE?:"}},
    ],
}

IDIOMS = (
    Idiom(
        "any",
        {
            "any": [
                {"kind": "interface_type", "regex": r"^interface\s*\{\s*\}$"},
                {"kind": "type_identifier", "regex": "^any$"},
            ]
        },
        {"regex": "^any$"},
        "Values of any type",
        "are written `any`, not `interface{}`",
        0.55,
        PatternCategory.API,
        alternative="`interface{}`",
        against="are written `interface{}`, not `any`",
        usually_against=0.4,
        instead="`any`",
    ),
    Idiom(
        "plain errors",
        {
            "any": [
                {"kind": "call_expression", "regex": r'^errors\.New\("'},
                {"kind": "call_expression", "regex": r'^fmt\.Errorf\("[^"%]*"\)$'},
            ]
        },
        {"regex": "^errors"},
        "Errors without values",
        "are made by `errors.New`, not by `fmt.Errorf`",
        0.7,
        PatternCategory.BEHAVIORAL,
        alternative="`fmt.Errorf`",
        words=("errors.New", "fmt.Errorf"),
    ),
    Idiom(
        "receivers",
        {"kind": "method_declaration", "has": {"field": "receiver", "regex": r"^\(\s*\w+\s+\*?\w"}},
        {"has": {"field": "receiver", "regex": r"^\(\s*\w{1,2}\s"}},
        "Receivers of methods",
        "are called by one or two letters",
        0.72,
        PatternCategory.NAMING,
        weight=0.8,
    ),
    Idiom(
        "test contexts",
        {"kind": "call_expression", "regex": r"^(context\.(Background|TODO)|t\.Context)\(\)$"},
        {"regex": "^t"},
        "Tests",
        "take their context from `t.Context()`, not from `context.Background()`",
        0.15,
        PatternCategory.TESTING,
        alternative="`context.Background()`",
        roles=TESTS,
        words=("context.", "t.Context"),
    ),
    Idiom(
        "temporary folders",
        _called(r"^(t\.TempDir|os\.MkdirTemp|ioutil\.TempDir)$"),
        {"regex": "^t"},
        "Tests",
        "take temporary folders from `t.TempDir()`",
        0.7,
        PatternCategory.TESTING,
        alternative="`os.MkdirTemp`",
        roles=TESTS,
        words=("TempDir", "MkdirTemp"),
    ),
    Idiom(
        "test environment",
        _called(r"^(t|os)\.Setenv$"),
        {"regex": "^t"},
        "Tests",
        "set environment variables by `t.Setenv`",
        0.6,
        PatternCategory.TESTING,
        alternative="`os.Setenv`",
        roles=TESTS,
        words=("Setenv",),
    ),
    Idiom(
        "exits",
        {"kind": "source_file", "not": {"has": {"kind": "package_clause", "regex": r"\bmain$"}}},
        _called(r"^(os\.Exit|log\.(Fatal|Panic)(f|ln)?)$"),
        "Files of packages other than `main`",
        "never end the process (`os.Exit`, `log.Fatal`)",
        0.82,
        PatternCategory.BEHAVIORAL,
        absent=True,
        roles=SOURCES,
        words=("os.Exit", "log.Fatal", "log.Panic"),
    ),
    Idiom(
        "panics",
        {"kind": "source_file"},
        _called("^panic$"),
        "Files",
        "never `panic`",
        0.78,
        PatternCategory.BEHAVIORAL,
        absent=True,
        roles=SOURCES,
        weight=0.8,
        words=("panic(",),
    ),
    Idiom(
        "compared errors",
        {
            "any": [
                {
                    "kind": "binary_expression",
                    "has": {"field": "left", "regex": r"^(err|\w*Err)$"},
                    "regex": r"^(err|\w*Err)\s*[!=]=\s*(\w+\.)?(Err|EOF)\w*$",
                },
                {"kind": "call_expression", "has": {"field": "function", "regex": r"^errors\.Is$"}},
            ]
        },
        {"regex": "^errors"},
        "Errors",
        "are compared by `errors.Is`, not by `==`",
        0.6,
        PatternCategory.BEHAVIORAL,
        alternative="`==`",
        words=("errors.Is", "== ", "!= "),
    ),
    Idiom(
        "outside tests",
        {"kind": "package_clause"},
        {"regex": "_test$"},
        "Tests",
        "stand in packages of their own, named `…_test`",
        0.25,
        PatternCategory.TESTING,
        alternative="the package under test",
        against="stand in the package that they test",
        usually_against=0.72,
        instead="a package named `…_test`",
        roles=TESTS,
    ),
    Idiom(
        "sentinels",
        {
            "kind": "var_spec",
            "has": {"field": "value", "regex": r"^(errors\.New|fmt\.Errorf)\("},
            "inside": {"kind": "source_file", "stopBy": "end"},
            "not": {"inside": {"kind": "block", "stopBy": "end"}},
        },
        {"has": {"field": "name", "regex": r"^([Ee]rr[A-Z_]|_?err[A-Z])"}},
        "Errors of packages",
        "are named `Err…` or `err…`",
        0.8,
        PatternCategory.NAMING,
        weight=0.8,
        words=("errors.New", "fmt.Errorf"),
    ),
    Idiom(
        "asserted interfaces",
        {
            "kind": "var_spec",
            "regex": r"^_\s+[\w.]+\s*=",
        },
        {"regex": r"=\s*\(\*\w+\)\(nil\)$"},
        "Checks that a type implements an interface",
        "are written `var _ I = (*T)(nil)`",
        0.6,
        PatternCategory.API,
        alternative="`&T{}` or `T{}`",
        words=("var", "_ "),
    ),
    Idiom(
        "silenced lints",
        {"kind": "comment", "regex": r"^//\s*nolint\b"},
        {"regex": r"^//nolint:\s?\w"},
        "Comments that silence a linter",
        "name it: `//nolint:…`",
        0.72,
        words=("nolint",),
    ),
    Idiom(
        "first contexts",
        {
            "any": [{"kind": "function_declaration"}, {"kind": "method_declaration"}],
            "has": {"field": "parameters", "regex": r"\bcontext\.Context\b"},
        },
        {"has": {"field": "parameters", "regex": r"^\(\s*(\w+(,\s*\w+)*\s+)?context\.Context\b"}},
        "Parameters for contexts",
        "come first",
        0.95,
        PatternCategory.API,
        roles=SOURCES,
        words=("context.Context",),
    ),
    Idiom(
        "error types",
        {
            "kind": "method_declaration",
            "all": [
                {"has": {"field": "name", "regex": "^Error$"}},
                {"has": {"field": "parameters", "regex": r"^\(\)$"}},
            ],
        },
        {"has": {"field": "receiver", "regex": r"[eE]rrors?(\[[^\]]*\])?\s*\)$"}},
        "Types of errors",
        "are named `…Error`",
        0.75,
        PatternCategory.NAMING,
        roles=SOURCES,
        weight=0.8,
        words=(") Error()",),
    ),
    Idiom(
        "checked types",
        {"kind": "type_assertion_expression"},
        {
            "inside": {
                "kind": "expression_list",
                "inside": {
                    "any": [{"kind": "short_var_declaration"}, {"kind": "assignment_statement"}],
                    "has": {"field": "left", "regex": ","},
                },
            }
        },
        "Assertions of types",
        "ask whether they hold: `v, ok := x.(T)`",
        0.65,
        PatternCategory.BEHAVIORAL,
        alternative="`v := x.(T)`",
        roles=SOURCES,
        words=(".(",),
    ),
    Idiom(
        "request contexts",
        _called(r"^http\.(NewRequest(WithContext)?|Get|Head|Post|PostForm)$"),
        {"regex": r"^http\.NewRequestWithContext\b"},
        "HTTP requests",
        "are given a context: `http.NewRequestWithContext`",
        0.4,
        PatternCategory.BEHAVIORAL,
        alternative="no context",
        words=("http.NewRequest", "http.Get", "http.Post", "http.Head"),
    ),
    Idiom(
        "request methods",
        {
            "kind": "call_expression",
            "all": [
                {"has": {"field": "function", "regex": r"^(http|httptest)\.NewRequest(WithContext)?$"}},
                {
                    "has": {
                        "field": "arguments",
                        "regex": r'^\(\s*(\w[\w.]*(\(\))?,\s*)?("[A-Z]+"|http\.Method\w+)\s*,',
                    }
                },
            ],
        },
        {"has": {"field": "arguments", "regex": r"http\.Method\w+\s*,"}},
        "HTTP methods",
        "are named by constants: `http.MethodGet`",
        0.55,
        alternative='`"GET"`',
        words=("NewRequest",),
    ),
    Idiom(
        "commands that fail",
        _COMMAND,
        {"has": {"field": "body", "regex": r"\n\s*RunE:"}},
        "Commands of cobra",
        "give back their error: `RunE`, not `Run`",
        0.55,
        PatternCategory.BEHAVIORAL,
        alternative="`Run`",
        words=("cobra.Command",),
    ),
    Idiom(
        "arguments of commands",
        _COMMAND,
        {"has": {"field": "body", "regex": r"\n\s*Args:"}},
        "Commands of cobra",
        "say which arguments they take: `Args: …`",
        0.45,
        PatternCategory.API,
        words=("cobra.Command",),
    ),
)
