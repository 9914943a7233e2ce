"""Rules of each kind over files: the sites they speak of, and which of them conform."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.checkers.engine import Engine
from app.checkers.subject import Subject
from app.domain.errors import Invalid
from app.domain.languages import language_of
from app.domain.listing import Listing
from app.domain.recognition import FileRole
from app.domain.rule import RuleKind, read_rule
from app.syntax import words_of
from app.syntax.literals import literal_of


def found(kind: RuleKind, definition: dict[str, Any], files: dict[str, str], *languages: str) -> list[str]:
    """Give every site as `path:first-last`, with a `!` where it does not conform."""
    engine = Engine([read_rule(kind, definition, languages=languages)], Listing(files))
    told = []
    for path, text in files.items():
        answer = engine.check(Subject(path, language_of(path), FileRole.SOURCE, text.encode()))
        assert answer.broken is None
        for site in answer.sites.get(0, ()):
            lines = "" if site.start is None else f":{site.start}-{site.end}"
            told.append(f"{path}{lines}{'' if site.conforming else '!'}")
    return told


ERRORS = {"a/_errors.py": "class Bad(Exception):\n    pass\n", "a/b.py": "x = 1\n\n\nclass Odd(Exception):\n    pass\n"}


def test_an_ast_rule_compares_nodes_and_places() -> None:
    definition = {
        "applicable": {"kind": "class_definition", "has": {"field": "superclasses", "regex": "Exception"}},
        "files": ["**/_errors.py"],
    }
    assert found(RuleKind.AST, definition, ERRORS, "Python") == ["a/_errors.py:1-2", "a/b.py:4-5!"]


def test_an_ast_rule_may_speak_of_whole_files() -> None:
    definition = {"applicable": {"kind": "module"}, "conforming": {"has": {"pattern": "x = $A", "stopBy": "end"}}}
    assert found(RuleKind.AST, definition, ERRORS, "Python") == ["a/_errors.py:1-2!", "a/b.py:1-5"]


IMPORTS = {
    "shop/__init__.py": "",
    "shop/a.py": "from .b import x\nimport shop.b\nimport json\n",
    "shop/b.py": "import requests\n\n\ndef f():\n    import json\n",
    "shop/c.py": "x = 1\n",
}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        pytest.param(
            {"applicable": {"internal": True}, "conforming": {"form": ["relative"]}},
            ["shop/a.py:1-1", "shop/a.py:2-2!"],
            id="form",
        ),
        pytest.param(
            {"per": "file", "forbidden": {"module": ["requests*"]}},
            ["shop/__init__.py", "shop/a.py", "shop/b.py:1-1!", "shop/c.py"],
            id="forbidden",
        ),
        pytest.param(
            {"applicable": {"module": ["json"]}, "conforming": {"top": True}},
            ["shop/a.py:3-3", "shop/b.py:5-5!"],
            id="at the top",
        ),
        pytest.param(
            {"per": "file", "applicable": {"module": ["json", "requests"]}, "conforming": {"module": ["j*n"]}},
            ["shop/a.py:3-3", "shop/b.py:5-5"],
            id="one of several",
        ),
        pytest.param(
            {"per": "file", "applicable": {"target": ["**"]}, "forbidden": {"target": ["**/b.py"]}},
            ["shop/a.py:1-1!"],
            id="the file that it leads to",
        ),
        pytest.param(
            {
                "applicable": {"any": [{"module": ["requests"]}, {"target": ["shop/b.py"]}]},
                "conforming": {"target": ["shop/b.py"]},
            },
            ["shop/a.py:1-1", "shop/a.py:2-2", "shop/b.py:1-1!"],
            id="one of some selectors",
        ),
    ],
)
def test_import_rules(definition: dict[str, Any], expected: list[str]) -> None:
    assert found(RuleKind.IMPORT, definition, IMPORTS, "Python") == expected


PATHS = {
    "src/user-card.tsx": "",
    "src/user-card.test.tsx": "",
    "src/sideBar.tsx": "",
    "src/index.ts": "",
    "lib/one.tsx": "",
}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        pytest.param(
            {"applicable": {"words": "2"}, "conforming": {"case": "kebab-case"}},
            ["src/user-card.tsx", "src/user-card.test.tsx", "src/sideBar.tsx!"],
            id="case",
        ),
        pytest.param(
            {"applicable": {"names": ["*Bar.tsx", "*card.tsx"]}, "conforming": {"twin": ["{folder}/{stem}.test.tsx"]}},
            ["src/user-card.tsx", "src/sideBar.tsx!"],
            id="twin",
        ),
        pytest.param(
            {
                "applicable": {"names": ["*.tsx"], "except": ["*.*.tsx", "one.tsx"]},
                "conforming": {"twin": ["{folder}/{stem}.test.tsx"]},
            },
            ["src/user-card.tsx", "src/sideBar.tsx!"],
            id="twin but of some",
        ),
        pytest.param(
            {"applicable": {"names": ["one.tsx"]}, "conforming": {"twin": ["{folder}/../src/index.ts"]}},
            ["lib/one.tsx"],
            id="twin elsewhere",
        ),
        pytest.param(
            {"per": "folder", "conforming": {"holds": ["index.ts"]}},
            ["src/index.ts", "lib/one.tsx!"],
            id="what a folder holds",
        ),
        pytest.param(
            {"per": "folder", "applicable": {"many": ["*.tsx"]}, "conforming": {"holds": ["{parent}.md"]}},
            ["src/index.ts!"],
            id="folders of many",
        ),
        pytest.param(
            {"applicable": {"any": [{"names": ["one.*"]}, {"words": "2"}]}, "conforming": {"names": ["*-*"]}},
            ["src/user-card.tsx", "src/user-card.test.tsx", "src/sideBar.tsx!", "lib/one.tsx!"],
            id="one of some selectors",
        ),
        pytest.param({"conforming": {"places": ["src/**"]}}, [*list(PATHS)[:4], "lib/one.tsx!"], id="places"),
    ],
)
def test_path_rules(definition: dict[str, Any], expected: list[str]) -> None:
    assert found(RuleKind.PATH, definition, PATHS) == expected


FOLDERS = {
    "features/[id]/[id].ts": "",
    "features/cart/cart.ts": "",
    "features/cart/logo.png": "",
    "features/user/api/get.ts": "",
    "features/user/user.ts/note.md": "",
    "features/none/x.png": "",
}


def test_a_folder_is_looked_at_once_even_where_it_holds_only_folders() -> None:
    """Where all that a folder holds was written by nobody, it says nothing."""
    rule = {
        "per": "folder",
        "applicable": {"folders": ["features/*"]},
        "conforming": {"holds": ["{parent}.ts"]},
    }
    assert found(RuleKind.PATH, rule, FOLDERS) == [
        "features/[id]/[id].ts",
        "features/cart/cart.ts",
        "features/user/api/get.ts",
    ]


TEXTS = {
    "log_user.py": 'log = get("log_user")\nlog.info("a")\n',
    "b.py": "log = get()\nlog.info(1)\nprint(2)\n",
}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        pytest.param(
            {"per": "match", "applicable": r"log\.info\([^)]*\)", "conforming": r'"'},
            ["log_user.py:2-2", "b.py:2-2!"],
            id="matches",
        ),
        pytest.param(
            {"per": "file", "conforming": r"^print\(", "absent": True}, ["log_user.py", "b.py:3-3!"], id="absent"
        ),
        pytest.param(
            {"per": "file", "applicable": r"^log\b", "conforming": "print"}, ["log_user.py!", "b.py:3-3"], id="present"
        ),
        pytest.param(
            {"per": "match", "within": r"^log = .*\n(log.*\n)*", "applicable": r"\(.*\)", "conforming": r'"'},
            ["log_user.py:1-1", "log_user.py:2-2", "b.py:1-1!", "b.py:2-2!"],
            id="within",
        ),
        pytest.param({"lines": ['log = get("{stem}")']}, ["log_user.py:1-1", "b.py!"], id="template"),
    ],
)
def test_regex_rules(definition: dict[str, Any], expected: list[str]) -> None:
    assert found(RuleKind.REGEX, definition, TEXTS, "Python") == expected


@given(st.text(alphabet="aé\n\r\t\u2028 \x0b", max_size=60))
def test_lengths_of_lines_are_what_their_expressions_say(text: str) -> None:
    plain = {"per": "match", "applicable": r"^.{3,}$", "conforming": r"^.{1,5}$"}
    asked = plain | {"applicable": r"^(.{3,})$"}
    files = {"a.py": text}
    assert found(RuleKind.REGEX, plain, files, "Python") == found(RuleKind.REGEX, asked, files, "Python")


def test_regex_rules_know_what_scripts_declare() -> None:
    texts = {
        "log-user.ts": "// log\nexport const logUserId = 1;\nexport type LogUser = 2;\n",
        "b.ts": "const logUserId = 1;\n",
    }
    definition = {"names": ["{stemCamel}Id", "{Stem}"]}
    assert found(RuleKind.REGEX, definition, texts, "TypeScript") == ["log-user.ts:2-3", "b.ts!"]


@pytest.mark.parametrize(
    ("kind", "definition", "languages", "field"),
    [
        (
            RuleKind.AST,
            {"applicable": {"kind": "nothing_like_it"}, "conforming": {"kind": "x"}},
            ["Python"],
            "applicable",
        ),
        (RuleKind.AST, {"applicable": {"kind": "module"}, "conforming": {"knid": "x"}}, ["Python"], "conforming"),
        (RuleKind.AST, {"applicable": {"regex": "("}, "files": ["*"]}, ["Python"], "applicable"),
        (RuleKind.REGEX, {"conforming": "(?<=a)b"}, [], "conforming"),
        (RuleKind.REGEX, {"per": "match", "applicable": "a{1000}{1000}", "conforming": "a"}, [], "applicable"),
    ],
    ids=str,
)
def test_what_cannot_be_run_is_refused_with_the_part_that_is_wrong(
    kind: RuleKind, definition: dict[str, Any], languages: list[str], field: str
) -> None:
    rule = read_rule(kind, definition, languages=languages)
    with pytest.raises(Invalid) as refused:
        Engine([rule], Listing([]))
    assert list(refused.value.extensions["fields"]) == [f"definition.{field}"]


def test_a_wrong_expression_is_told_in_its_own_words() -> None:
    with pytest.raises(Invalid) as refused:
        Engine([read_rule(RuleKind.REGEX, {"conforming": "é("})], Listing([]))
    assert refused.value.extensions["fields"] == {"definition.conforming": "No RE2 expression: missing ): é("}


def test_an_ast_rule_needs_a_language_and_a_model_none_of_this() -> None:
    with pytest.raises(Invalid):
        Engine([read_rule(RuleKind.AST, {"applicable": {"kind": "module"}, "files": ["*"]})], Listing([]))
    with pytest.raises(Invalid):
        Engine([read_rule(RuleKind.LLM, {"question": "Is it kind?"})], Listing([]))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + ")" * 10_000,
        "x = '" + "a" * 400_000 + "'",
        "[" * 200_000,
        "def" * 100_000,
        "\0" * 10,
        "a" * 600_000,
    ],
    ids=["nested", "long line", "opened", "no end", "nul", "large"],
)
def test_a_hostile_file_costs_itself(text: str) -> None:
    rule = read_rule(
        RuleKind.AST,
        {"applicable": {"kind": "module"}, "conforming": {"has": {"kind": "integer", "stopBy": "end"}}},
        languages=["Python"],
    )
    engine = Engine([rule, rule], Listing([]))
    found = engine.check(Subject("a.py", "Python", FileRole.SOURCE, text.encode()))
    assert found.unread is not None or found.sites
    fine = engine.check(Subject("b.py", "Python", FileRole.SOURCE, b"x = 1\n"))
    assert [site.conforming for site in fine.sites[0]] == [True]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"kind": "except_clause"}, {"except"}),
        ({"kind": "call"}, None),
        ({"any": [{"kind": "raise_statement"}, {"kind": "decorator"}]}, {"raise", "@"}),
        ({"any": [{"kind": "raise_statement"}, {"kind": "call"}]}, None),
        ({"kind": "call", "inside": {"kind": "catch_clause", "stopBy": "end"}}, {"catch"}),
        ({"all": [{"kind": "call"}, {"has": {"kind": "lambda"}}]}, {"lambda"}),
        ({"not": {"kind": "lambda"}}, None),
        ({"kind": "module", "not": {"has": {"kind": "yield"}}}, None),
        ({"kind": "decorator", "has": {"regex": r"^(\w+\.)*route\("}}, {"route("}),
        ({"any": [{"regex": "^get_"}, {"kind": "class_definition", "regex": "Base"}]}, {"get_", "class"}),
    ],
)
def test_words_without_which_a_file_need_not_be_parsed(rule: dict[str, Any], expected: set[str] | None) -> None:
    assert words_of(rule) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^console\.log\(", "console.log("),
        (r"abc?defg", "defg"),
        (r"abcd{0,3}", "abc"),
        (r"abcd+efg", "abcd"),
        (r"(one|two)three(?:four)?", "three"),
        (r"x\]yz", "x]yz"),
        ("longer|long", None),
        ("(?i)logger", None),
        (r"\x41bcd", None),
        (r"\pLower", None),
        (r"\<word\>", None),
        ("[[:alpha:]abc]", None),
        ("ab", None),
        ("", None),
    ],
)
def test_what_an_expression_cannot_do_without(pattern: str, expected: str | None) -> None:
    assert literal_of(pattern) == expected


ATOMS = st.sampled_from(["a", "bcd", "xyz", r"\.", r"\w", r"\s", ".", "[ab]", "[^c]", "(?:ef|gh)", "(ijk)"])
EXPRESSIONS = st.recursive(
    st.builds("{}{}".format, ATOMS, st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{0,2}", "*?"])),
    lambda inner: st.lists(inner, min_size=1, max_size=4).map("".join) | st.builds("({}|{})".format, inner, inner),
    max_leaves=8,
)


@given(st.data(), EXPRESSIONS)
def test_whatever_an_expression_matches_holds_that_text(data: st.DataObject, pattern: str) -> None:
    if (literal := literal_of(pattern)) is not None:
        assert literal in data.draw(st.from_regex(pattern))


def test_what_a_pattern_captures_binds_nothing_in_the_other_part() -> None:
    rule = read_rule(
        RuleKind.AST,
        {"applicable": {"pattern": "f($A, $$$)"}, "conforming": {"pattern": "f($B, $A)"}},
        languages=["Python"],
    )
    text = "".join(f"f({number}, 0)\n" for number in range(9))
    found = Engine([rule], Listing([])).check(Subject("a.py", "Python", FileRole.SOURCE, text.encode()))
    assert [site.conforming for site in found.sites[0]] == [True] * 9
