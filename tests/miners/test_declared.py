"""What is declared: settings become claims, are measured, and are told as contradictions where nobody follows them."""

import pytest

from app.miners import declared, doc_comments, formatting, idioms, import_forms, log_style, test_style, type_forms
from app.miners.declared.meanings import answers_of
from app.miners.declared.reading import settings_of
from tests.miners.trial import trial

FAMILIES = [declared.FAMILY, formatting.FAMILY, idioms.FAMILY, import_forms.FAMILY, log_style.FAMILY, type_forms.FAMILY]


def wanted(name: str, text: str) -> set[tuple[str, str, str]]:
    """Give the answers that a configuration wants."""
    settings = settings_of(name, text)
    return {answer[:3] for setting in settings for answer in answers_of(setting, settings)}


CASES = [
    ("ruff.toml", 'line-length = 100\n[lint]\nselect = ["T20", "UP"]\nignore = ["UP007"]\n', "log-style print silent"),
    ("pyproject.toml", '[tool.ruff.lint]\nselect = ["ALL"]\n', "idioms time zones chosen"),
    ("pyproject.toml", "[tool.black]\nline-length = 100\n", 'formatting quotes "'),
    ("setup.cfg", "[flake8]\nmax-line-length = 99\n", "idioms star imports chosen"),
    ("setup.cfg", "[mypy]\nstrict = True\n", "type-forms returns annotated"),
    (".flake8", "[flake8]\nmax-line-length = 99\nextend-select = B904\n", "error-handling cause from"),
    (".pre-commit-config.yaml", "repos:\n- repo: x\n  hooks:\n  - id: pyupgrade\n", "idioms super chosen"),
    (".eslintrc.json", '{"rules": {"semi": ["error", "never"], "eqeqeq": "error"}}', "formatting ends none"),
    (".eslintrc.yml", "rules:\n  eqeqeq: error\n  no-var: off\n", "idioms equality chosen"),
    (
        "eslint.config.js",
        "export default [{ rules: { 'n/prefer-node-protocol': 'error' } }]",
        "import-forms builtin node",
    ),
    (
        "eslint.config.js",
        "import neo from 'neostandard'\nexport default neo()\n",
        "idioms space before parameters chosen",
    ),
    ("eslint.config.js", "import antfu from '@antfu/eslint-config'\nexport default antfu()", "formatting ends none"),
    (
        "eslint.config.mjs",
        "export default [...tseslint.configs.stylistic, { rules: { 'array-callback-return': 'error' } }]",
        "type-forms array brackets",
    ),
    (
        "eslint.config.js",
        "export default [{ rules: { 'brace-style': ['error', 'stroustrup'] } }]",
        "formatting else own",
    ),
    (".prettierrc", '{"semi": false, "arrowParens": "avoid"}', "idioms arrow parentheses other"),
    ("prettier.config.js", "export default { singleQuote: true }", "formatting quotes '"),
    ("biome.json", '{"linter": {"rules": {"style": {"noVar": "error"}}}}', "idioms var chosen"),
    (".editorconfig", "root = true\n[*.ts]\nindent_style = space\nindent_size = 4\n", "formatting indent 4 spaces"),
    ("pyproject.toml", "[tool.ruff.lint.isort]\nforce-single-line = true\n", "idioms single imports chosen"),
    (".isort.cfg", "[settings]\nforce_single_line = True\n", "idioms single imports chosen"),
    (".golangci.yml", "linters:\n  enable: # all\n    - nolintlint\n", "idioms silenced lints chosen"),
    (".golangci.yml", "forbidigo:\n  forbid:\n    - pattern: ^(fmt\\\\.Print(|f|ln))$\n", "log-style print silent"),
    (".golangci.yml", "linters:\n  enable:\n    - gochecknoinits\n", "idioms init functions chosen"),
    (".golangci.yml", "linters:\n  enable:\n    - revive\n", "wording error texts chosen"),
    (".golangci.yml", "linters:\n  enable:\n    - errorlint\n    - godot\n", "error-handling verb %w"),
    (
        "checkstyle.xml",
        '<module name="Checker"><module name="AvoidStarImport"/></module>',
        "import-forms wildcards single",
    ),
    ("build.gradle.kts", "spotless { java { googleJavaFormat() } }", "formatting indent 2 spaces"),
    ("Cargo.toml", '[workspace.lints.clippy]\ndbg_macro = "warn"\n', "idioms printed chosen"),
    ("Cargo.toml", '[lints.clippy]\nrestriction = "warn"\ntodo = "allow"\n', "error-handling unwrap none"),
    ("rustfmt.toml", "match_block_trailing_comma = true\n", "rust-style commas of arms chosen"),
    ("rustfmt.toml", 'imports_granularity = "Crate"\n', "rust-style modules of std chosen"),
    ("rustfmt.toml", "hard_tabs = true\n", "formatting indent tabs"),
    ("lib.rs", "//! Ours\n#![warn(\n    missing_docs,\n    clippy::todo, // soon\n)]\n", "idioms printed chosen"),
    ("main.rs", '#![deny(unsafe_code, reason = "It is todo")]\n', "idioms unsafe chosen"),
]


@pytest.mark.parametrize(("name", "text", "answer"), CASES, ids=[f"{name}-{answer}" for name, _, answer in CASES])
def test_a_setting_wants_an_answer(name: str, text: str, answer: str) -> None:
    assert answer in {" ".join(each) for each in wanted(name, text)}


def test_what_is_ignored_or_switched_off_is_not_wanted() -> None:
    told = wanted("ruff.toml", '[lint]\nselect = ["UP", "D"]\nignore = ["UP007", "D1"]\n')
    assert ("type-forms", "generic", "new") in told
    assert not {("type-forms", "union", "bar"), ("doc-comments", "class_definition", "documented")} & told
    assert wanted(".eslintrc.json", '{"rules": {"no-var": "off", "eqeqeq": 0}}') == set()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (".eslintrc.json", '{"rules": {"@typescript-eslint/no-explicit-any": "off"}}', 0),
        ("biome.json", '{"linter": {"rules": {"suspicious": {"noExplicitAny": "off"}}}}', 0),
        (".eslintrc.json", '{"rules": {"no-var": "off"}}', 1),
    ],
    ids=["eslint", "biome", "another"],
)
def test_what_is_allowed_by_a_rule_that_is_switched_off_is_not_said(name: str, text: str, said: int) -> None:
    files = {f"src/part{number}.ts": f"let a: {'any' if number == 0 else 'A'} = 1\n" * 3 for number in range(30)}
    found = trial(files | {name: text}, families=FAMILIES)
    assert sum("never `any`" in each for each in found.said) == said
    assert found.suppressed.counts.get("a rule that is switched off", 0) == 1 - said


def test_what_some_files_are_told_is_not_wanted_of_all() -> None:
    text = """
export default [
  // { files: everything } is what all are told
  { files: ['**/*.{js,mjs}'], rules: { eqeqeq: 'error', 'no-console': 'off' } },
  { files: ['scripts/**/*.js'], rules: { 'no-var': 'error', eqeqeq: 'off' } },
  { files: ['**/*.test.ts'], rules: { 'vitest/consistent-test-it': ['error', { fn: 'it' }], curly: 'error' } },
  { rules: { 'no-console': 'error' } },
]
"""
    told = {each[:2] for each in wanted("eslint.config.js", text)}
    assert told == {("idioms", "equality"), ("test-style", "call"), ("idioms", "var")}
    files = {f"{folder}/part{number}.js": "var a = 1\n" for folder in ("scripts", "src") for number in range(20)}
    assert trial({"eslint.config.js": text, **files}, families=FAMILIES).contradicted == [
        "eslint.config.js:5 eslint: scripts no-var (0 of 20)"
    ]
    legacy = '{"rules": {"eqeqeq": 2}, "overrides": [{"files": "*.d.ts", "rules": {"no-var": 2}}]}'
    assert {each[:2] for each in wanted(".eslintrc.json", legacy)} == {("idioms", "equality")}
    assert wanted(".eslintrc.yml", "rules:\n  eqeqeq: 2\noverrides:\n- files: a.js\n  rules:\n    no-var: 2\n") == {
        ("idioms", "equality", "chosen")
    }


def test_what_a_rule_is_told_ends_where_the_rule_does() -> None:
    rules = (
        "semi: ['error', 'never'],\n  eqeqeq: ['error', 'always', {\n    null: 'ignore' }], quotes: ['error', 'single']"
    )
    found = {
        key: value for _, key, value, _ in settings_of(".eslintrc.js", f"module.exports = {{ rules: {{ {rules} }} }}")
    }
    assert found == {"semi": ", 'never'", "eqeqeq": ", 'always', { null: 'ignore' }", "quotes": ", 'single'"}


def test_what_is_borrowed_gives_way_to_what_is_said() -> None:
    text = (
        "export default [...tseslint.configs.recommended, { rules: { '@typescript-eslint/no-explicit-any': 'off' } }]"
    )
    assert {each[:2] for each in wanted("eslint.config.js", text)} == {("idioms", "expected errors")}


def test_all_of_pydocstyle_is_what_its_convention_has() -> None:
    asked = '[lint]\nselect = ["D"]\n[lint.pydocstyle]\nconvention = "{}"\n'
    openings = [
        {form for _, topic, form in wanted("ruff.toml", asked.format(name)) if topic == "opening"}
        for name in CONVENTIONS
    ]
    assert openings == [{"same line"}, set(), set()]
    assert ("doc-comments", "opening", "next line") in wanted("ruff.toml", '[lint]\nselect = ["D213"]\n')


CONVENTIONS = ("google", "numpy", "pep257")


def test_all_linters_but_some_are_asked_for() -> None:
    told = wanted(
        ".golangci.yml", "linters:\n  default: all\n  disable:\n    - noctx # too strict\n    - paralleltest\n"
    )
    assert {("error-handling", "verb", "%w"), ("idioms", "silenced lints", "chosen")} <= told
    assert not {("idioms", "request contexts", "chosen"), ("test-style", "parallel", "parallel")} & told
    own = "linters:\n  default: none\n  enable:\n    - gocritic\n  settings:\n    gocritic:\n      enable-all: true\n"
    assert wanted(".golangci.yml", own) == set()
    rules = "revive:\n  rules:\n    - name: exported\n      disabled: true\n    - name: error-naming\n"
    assert wanted(".golangci.yml", rules) == {("idioms", "sentinels", "chosen")}


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.cfg", ".eslintrc.json", "checkstyle.xml", ".golangci.yml"])
def test_what_cannot_be_read_declares_nothing(name: str) -> None:
    assert wanted(name, "\0[[[ {{{ <module name= : :") == set()


def test_what_is_declared_and_holds_is_said_although_everybody_does_it() -> None:
    files = {f"src/part{number}.js": "if (a === b) { f() }\n" * 2 for number in range(12)}
    alone = trial(files, families=FAMILIES)
    files[".eslintrc.json"] = '{\n  "rules": {\n    "eqeqeq": "error",\n    "no-process-exit": "error"\n  }\n}\n'
    found = trial(files, families=FAMILIES).find("never call `process.exit`")
    place = found.measured.candidate.proposal.declared
    assert place is not None
    assert (place.path, place.line, place.statement) == (".eslintrc.json", 4, "eslint: no-process-exit")
    assert not [each for each in alone.conventions if "process.exit" in each.name]


def test_what_is_declared_and_not_followed_is_told_as_a_contradiction() -> None:
    files = {f"src/part{number}.js": "if (a == b) { f() }\n" for number in range(20)}
    files[".eslintrc.json"] = '{"rules": {"eqeqeq": "error"}}\n'
    told = trial(files, families=FAMILIES)
    assert told.contradicted == [".eslintrc.json:1 eslint: eqeqeq (0 of 20)"]
    assert not [each for each in told.conventions if "===" in each.name]


def test_what_packages_share_is_asked_of_all() -> None:
    files = {f"apps/a{n}/src/part{n}.js": "export const a = 1\nif (a) { f() }\n" for n in range(20)}
    rules = "const js = require('@eslint/js');\nmodule.exports = [{ rules: { curly: ['error', 'all'] } }];\n"
    found = trial(files | {"packages/eslint-config/base.js": rules}, families=FAMILIES).find("bodies of `if`")
    place = found.measured.candidate.proposal.declared
    assert place is not None
    assert (place.path, place.line) == ("packages/eslint-config/base.js", 2)
    assert (found.conforming, found.applicable) == (20, 20)
    elsewhere = trial(files | {"packages/rules/base.js": rules}, families=FAMILIES)
    assert not any(each.measured.candidate.proposal.declared for each in elsewhere.conventions)


def test_what_is_declared_of_a_folder_is_asked_of_that_folder() -> None:
    files = {f"web/part{number}.js": "if (a === b) { f() }\n" for number in range(12)}
    files |= {f"old/part{number}.js": "if (a == b) { f() }\n" for number in range(12)}
    files["web/.eslintrc.json"] = '{"rules": {"eqeqeq": "error", "no-process-exit": "error"}}\n'
    told = trial(files, families=FAMILIES)
    assert told.contradicted == []
    assert told.find("are compared by `===`").scope == ("web/**",)
    assert told.find("never call `process.exit`").scope in ((), ("web/**",))


def test_settings_that_no_family_asks_about_become_rules() -> None:
    files = {f"src/part{number}.py": f"x = 1\ny = '{'a' * 50}'\n" for number in range(12)}
    files["src/long.py"] = f"x = '{'a' * 100}'\n"
    files["pyproject.toml"] = "[tool.ruff]\nline-length = 79\nlint.select = ['E']\n"
    found = trial(files, families=FAMILIES).find("lines have at most 79 characters")
    assert (found.conforming, found.applicable, found.violations) == (12, 13, ["src/long.py:1"])


def test_what_is_told_of_tests_stands_beside_them_with_its_style() -> None:
    cases = '@pytest.mark.parametrize("a, b", [(1, 2)])\ndef test_it(a, b): pass\n'
    files = {f"tests/test_part{number}.py": cases for number in range(20)}
    told = trial({**files, "tests/ruff.toml": '[lint]\nselect = ["PT"]\n'}, families=[*FAMILIES, test_style.FAMILY])
    assert told.contradicted == ["tests/ruff.toml:2 ruff: select PT (0 of 20)"]
    style = '[lint]\nselect = ["PT"]\n[lint.flake8-pytest-style]\nparametrize-names-type = "csv"\n'
    fine = trial({**files, "tests/ruff.toml": style}, families=[*FAMILIES, test_style.FAMILY])
    assert fine.contradicted == []
    assert fine.find("stand in a list, not in a tuple").measured.candidate.proposal.declared is not None


def test_a_banned_module_is_said_with_what_is_taken_instead() -> None:
    files = {f"pkg/part{number}.go": 'package pkg\n\nimport "sync/atomic"\n' for number in range(9)}
    files["pkg/old.go"] = 'package pkg\n\nimport "go.uber.org/atomic"\n'
    files[".golangci.yml"] = (
        "linters:\n  settings:\n    depguard:\n      rules:\n        main:\n          deny:\n"
        '            - pkg: "go.uber.org/atomic"\n              desc: "Use \'sync/atomic\' instead"\n'
    )
    found = trial(files, families=FAMILIES).find("Go files import `sync/atomic`, not `go.uber.org/atomic`")
    assert (found.conforming, found.applicable) == (9, 10)


def test_a_banned_function_is_said_with_what_is_called_instead() -> None:
    files = {f"src/part{number}.py": "async_tools.spawn(run())\n" for number in range(9)}
    files["src/old.py"] = "import asyncio\n\nasyncio.create_task(run())\n"
    files["tests/test_part.py"] = "asyncio.create_task(run())\n"
    files["pyproject.toml"] = (
        "[tool.ruff.lint.flake8-tidy-imports.banned-api]\n"
        '"asyncio.create_task".msg = "Use own.async_tools.spawn instead"\n'
    )
    found = trial(files, families=FAMILIES).find("call `own.async_tools.spawn`, not `asyncio.create_task`")
    assert (found.conforming, found.applicable, found.violations) == (9, 10, ["src/old.py:3"])


def test_a_disallowed_type_is_said_with_its_replacement() -> None:
    files = {f"src/part{number}.rs": "use own_utils::time::Instant;\n" for number in range(9)}
    files["src/old.rs"] = "use std::time::Instant;\n"
    files["clippy.toml"] = (
        '[[disallowed-types]]\npath = "std::time::Instant"\nreason = "panics, use instead"\n'
        'replacement = "own_utils::time::Instant"\n'
    )
    found = trial(files, families=FAMILIES).find("import `own_utils::time::Instant`, not `std::time::Instant`")
    assert (found.conforming, found.applicable, found.violations) == (9, 10, ["src/old.rs:1"])


def test_a_disallowed_function_is_known_by_its_path() -> None:
    files = {f"src/part{number}.rs": "fn f() { Thing::new() }\n" for number in range(18)}
    files["src/old.rs"] = "fn f() {\n    std::process::Command::new(a);\n}\n"
    files["src/odd.rs"] = "fn f() {\n    env::set_var(b, c);\n}\n"
    files["clippy.toml"] = 'disallowed-methods = ["std::process::Command::new", "std::env::set_var"]\n'
    found = trial(files, families=FAMILIES).find("files never call")
    assert str(found) == "Rust files never call `Command::new`, `env::set_var` (18 of 20)"
    assert found.violations == ["src/odd.rs:1", "src/old.rs:1"]


def test_what_is_disallowed_is_said_in_one_sentence() -> None:
    files = {f"src/part{number}.rs": "fn f() { dunce::canonicalize(a) }\n" for number in range(19)}
    files["src/old.rs"] = "fn f() {\n    todo!();\n}\n"
    names = [f"std::env::{name}" for name in ("var", "vars", "var_os", "vars_os", "set_var")]
    files["clippy.toml"] = f'disallowed-methods = {names}\ndisallowed-macros = ["std::todo"]\n'
    found = trial(files, families=FAMILIES).find("files never call")
    assert (
        found.name
        == "Rust files never call `env::var`, `env::vars`, `env::var_os`, `env::vars_os` and 2 more functions"
    )
    assert found.violations == ["src/old.rs:1"]


def test_a_crate_says_at_its_root_what_it_asks_for() -> None:
    files = {f"src/part{number}.rs": "/// Runs.\npub fn run() {}\n" for number in range(19)}
    files["src/old.rs"] = "pub fn run() { unsafe { stop() } }\n"
    files["src/lib.rs"] = "//! Ours.\n#![deny(\n    missing_docs,\n    unsafe_code,\n)]\n"
    found = trial(files, families=FAMILIES).find("files have no `unsafe` block")
    assert found.violations == ["src/old.rs:1"]
    declared = found.measured.candidate.proposal.declared
    assert declared is not None
    assert (declared.path, declared.line) == ("src/lib.rs", 4)


def test_what_one_crate_of_many_asks_for_is_declared_of_none() -> None:
    files = {f"crates/{name}/src/part{n}.rs": "fn run() {}\n" for name in ("a", "b", "c") for n in range(9)}
    files |= {f"crates/{name}/src/lib.rs": "//! Ours.\n" for name in ("a", "b", "c")}
    files["crates/a/src/lib.rs"] = "#![forbid(unsafe_code)]\n"
    found = trial(files, families=FAMILIES)
    assert [each for each in found.conventions if each.measured.candidate.proposal.declared] == []


def test_docs_are_asked_only_of_what_leaves_a_crate() -> None:
    files = {f"src/part{number}.rs": "pub fn run() {}\n" for number in range(19)}
    files["src/lib.rs"] = "//! Ours.\n#![warn(missing_docs)]\n"
    assert trial(files, families=[*FAMILIES, doc_comments.FAMILY]).suppressed.contradictions == []


def test_what_editors_are_told_of_all_files_is_measured_in_all() -> None:
    files = {f"src/part{number}.{ending}": "x = 1\n" for number in range(9) for ending in ("py", "go", "yml")}
    files |= {"src/open.py": "x = 1", "src/blank.py": "x = 1 \n", "src/empty.py": ""}
    files[".editorconfig"] = "root = true\n[*]\ninsert_final_newline = true\ntrim_trailing_whitespace = true\n"
    found = trial(files, families=FAMILIES)
    assert found.find("Files end with a line break").violations == ["src/open.py"]
    assert found.find("Lines have no blanks at their ends").violations == ["src/blank.py:1"]


def test_a_disallowed_method_is_called_nowhere() -> None:
    files = {f"src/part{number}.rs": "fn f() { a.map(g).unwrap_or(b) }\n" for number in range(19)}
    files["src/old.rs"] = "fn f() { a.map_or(b, g) }\n"
    files[".clippy.toml"] = (
        'disallowed-methods = [{ path = "std::option::Option::map_or", reason = "use `map`" }, "std::fs::read"]\n'
    )
    found = trial(files, families=FAMILIES).find("Rust files never call `.map_or")
    assert (str(found), found.violations) == (
        "Rust files never call `.map_or(…)`; they use `map` (19 of 20)",
        ["src/old.rs:1"],
    )


def test_syntax_that_is_restricted_is_said_of_the_sources() -> None:
    files = {f"src/part{number}.ts": "export const a = 1\n" for number in range(12)}
    files |= {f"src/part{number}.test.ts": "it('works', async () => { await f() })\n" for number in range(12)}
    files["eslint.config.js"] = (
        "export default [{ rules: { 'no-restricted-syntax': ['error', { selector: 'AwaitExpression' }] } }]\n"
    )
    assert trial(files, families=FAMILIES).find("TypeScript source files never use `await`").applicable == 12


def test_syntax_that_is_restricted_in_both_languages_is_said_once() -> None:
    files = {f"src/part{number}.{end}": "export const a = 1\n" for number in range(12) for end in ("ts", "js")}
    files["eslint.config.js"] = (
        "export default [{ rules: { 'no-restricted-syntax': ['error', { selector: 'AwaitExpression' }] } }]\n"
    )
    found = trial(files, families=FAMILIES).find("source files never use `await`")
    assert (found.name.partition(" source")[0], found.applicable) == ("JavaScript and TypeScript", 24)


def test_what_a_configuration_takes_from_another_place_is_not_guessed() -> None:
    assert wanted(".prettierrc.js", 'module.exports = { ...require("../.prettierrc.js"), singleQuote: true }\n') == {
        ("formatting", "quotes", "'")
    }
    assert ("formatting", "indent", "2 spaces") not in wanted(".prettierrc", "{}")
