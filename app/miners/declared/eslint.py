"""Reading configurations of eslint, without running anything: what its rules are set to, and what is borrowed.

What only some files are told (tests, one folder, declarations) is no rule of all.
"""

import re
from collections.abc import Iterator

_RULE = re.compile(
    r"""(?P<quote>['"]?)(?P<name>@?[\w-]+(?:/[\w-]+)*)(?P=quote)\s*:\s*(?P<list>\[\s*)?(?P<mark>['"]?)(?P<level>error|warn|off|[012])(?P=mark)(?=\s*(?P<rest>,[^\n]{0,300}(?:\n[^\n]{0,200}){0,3})?)"""
)
_RULES = re.compile(r"""\brules['"]?\s*:\s*\{""")
_STANDARD = re.compile(r"\b(neostandard|eslint-config-standard|semistandard|(?<![\w@/-])standard(?=['\"]))")
_AIRBNB = re.compile(r"\bairbnb")
_SELECTED = re.compile(r"""selector:\s*(['"`])(?P<selector>[^'"`\n]+)\1""")
# What no brace counts in.
_UNREAD = re.compile(r"""//[^\n]*|/\*[\s\S]*?\*/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`""")
_FILES = re.compile(r"""["']?\bfiles["']?\s*:\s*(\[[^\]]*\]|["'][^"'\n]*["'])""")
_GLOB = re.compile(r"""["']([^"'\n]+)["']""")
# Globs of all code, be it of one language, or of the folders where code mostly is.
_ALL_CODE = re.compile(r"(\./)?((src|lib|app|apps|packages|source)/)?(\*\*?/)*(src/)?(\*\*?/)*\*(\*|\.[\w,{}\[\]?]+)?")
_FOLDER = re.compile(r"(?:\./)?([\w@-]+(?:/[\w@-]+)*)/\*\*(?:/\*(?:\.[\w,{}\[\]?]+)?)?")
_OF_TESTS = re.compile(r"(jest|vitest|mocha|testing-library|playwright)/")


def rules_of(text: str) -> Iterator[tuple[str, str, str, int]]:
    """Read the rules that all files are told, those of named configurations, and what is not to be written."""
    # A rule may be set anew; what is said first of all files is said of most of them.
    seen: set[str] = set()
    # In YAML, what some files are told stands at the end.
    text = re.split(r"(?m)^overrides:", text)[0] if "{" not in text else text
    narrow = list(_narrow(text))
    for found in _RULE.finditer(text):
        name = found.group("name")
        told = next((folder for start, end, folder in narrow if start < found.start() < end), None)
        if told is not None and not _OF_TESTS.search(name):
            if told and found.group("level") not in ("off", "0"):
                yield "eslint", f"{told}\t{name}", _rest(found), text.count("\n", 0, found.start()) + 1
            continue
        if found.group("level") in ("off", "0"):
            seen.add(name.rpartition("/")[2])
            yield "off", name.rpartition("/")[2], "", text.count("\n", 0, found.start()) + 1
            continue
        if name.rpartition("/")[2] in seen:
            continue
        seen.add(name.rpartition("/")[2])
        yield "eslint", name, _rest(found), text.count("\n", 0, found.start()) + 1
    for found in _SELECTED.finditer(text):
        yield "selector", found.group("selector"), "", text.count("\n", 0, found.start()) + 1
    for tool, shape in (("standard", _STANDARD), ("airbnb", _AIRBNB)):
        if (at := shape.search(text)) is not None:
            yield tool, "all", "semi" if at.group() == "semistandard" else "", text.count("\n", 0, at.start()) + 1
    for shape, rules in _SHARED:
        if (at := shape.search(text)) is not None:
            for name, value in rules.items():
                if name.rpartition("/")[2] not in seen:
                    yield "eslint", name, value, text.count("\n", 0, at.start()) + 1


def shared_rules_of(text: str) -> Iterator[tuple[str, str, str, int]]:
    """Read a module that may be a configuration which packages share: its name alone does not tell."""
    if "eslint" in text and _RULES.search(text):
        yield from rules_of(text)


def _rest(found: "re.Match[str]") -> str:
    """Give what a rule is told besides its level, and nothing of the rules after it."""
    rest = " ".join(((found.group("rest") or "") if found.group("list") else "").split())[:300]
    return rest[: _closing(_UNREAD.sub(lambda each: " " * len(each.group()), rest), 0, "[]", 1)]


def _narrow(text: str) -> Iterator[tuple[int, int, str]]:
    """Give the parts that speak of some files only (of tests, of declarations), and the folder where it is one."""
    bare = _UNREAD.sub(lambda found: " " * len(found.group()), text)
    for found in _FILES.finditer(text):
        globs = _GLOB.findall(found.group(1))
        if globs and not any(_ALL_CODE.fullmatch(glob) for glob in globs):
            start = _opening(bare, found.start())
            folder = _FOLDER.fullmatch(globs[0]) if len(globs) == 1 else None
            yield start, _closing(bare, start), folder.group(1) if folder else ""


def _opening(bare: str, at: int) -> int:
    depth = 0
    for place in range(at - 1, -1, -1):
        if bare[place] == "}":
            depth += 1
        elif bare[place] == "{":
            if depth == 0:
                return place
            depth -= 1
    return 0


def _closing(bare: str, start: int, braces: str = "{}", depth: int = 0) -> int:
    for place in range(start, len(bare)):
        if bare[place] == braces[0]:
            depth += 1
        elif bare[place] == braces[1]:
            depth -= 1
            if depth == 0:
                return place
    return len(bare)


_SHARED: tuple[tuple["re.Pattern[str]", dict[str, str]], ...] = tuple(
    (re.compile(shape), rules)
    for shape, rules in (
        (
            r"@antfu/eslint-config",
            {"semi": ", 'never'", "quotes": ", 'single'", "comma-dangle": ", 'always-multiline'", "eqeqeq": ""}
            | {"consistent-type-imports": "", "prefer-node-protocol": ""},
        ),
        (
            r"eslint-config-google|extends\W[^\]]{0,80}[\"']google[\"'](?!\s*,\s*[\"'](plugin:)?prettier)",
            {"semi": "", "quotes": ", 'single'", "indent": ", 2", "comma-dangle": ", 'always-multiline'", "no-var": ""},
        ),
        (r"eslint-config-xo\b|extends\W{1,6}xo\b", {"semi": "", "quotes": ", 'single'", "indent": ", 'tab'"}),
        (
            r"unicorn(/|\.configs\W{1,3}(flat/)?)(recommended|all)",
            {"unicorn/prefer-node-protocol": "", "unicorn/no-array-for-each": "", "unicorn/filename-case": ""},
        ),
        (
            r"(tseslint|typescript-eslint)\W[\w.]*(strict|recommended)|@typescript-eslint/(strict|recommended)",
            {"@typescript-eslint/no-explicit-any": "", "@typescript-eslint/ban-ts-comment": ""},
        ),
        (
            r"(tseslint|typescript-eslint)\W[\w.]*stylistic|@typescript-eslint/stylistic",
            {"@typescript-eslint/array-type": "", "@typescript-eslint/consistent-type-definitions": ""},
        ),
    )
)
"""Configurations that many share, by how they are taken, and what they ask for where nothing else is said."""
