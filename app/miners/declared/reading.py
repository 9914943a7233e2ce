"""Reading configurations: what each tool is told, as (tool, setting, value, line), without running anything."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from configparser import ConfigParser, Error
from typing import Any

from app.miners.declared.crates import GROUPS
from app.miners.declared.eslint import rules_of, shared_rules_of

Setting = tuple[str, str, str, int]
"""The tool, what is set, to what (empty where there is nothing more to say), and the line."""

_LONGEST = 200_000
_MOST = 400


def settings_of(name: str, text: str) -> list[Setting]:
    """Read the settings of a file that configures a tool; nothing from any other."""
    if len(text) > _LONGEST:
        return []
    reader = next((reader for shape, reader in _READERS if shape.fullmatch(name.lower())), None)
    return [] if reader is None else list(dict.fromkeys(reader(text)))[:_MOST]


def _line(text: str, words: str) -> int:
    place = text.find(words)
    return 1 if place < 0 else text.count("\n", 0, place) + 1


def _editorconfig(text: str) -> Iterator[Setting]:
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line and not line.startswith(("#", ";")) and section:
            key, _, value = line.partition("=")
            yield "editorconfig", f"{section}\t{key.strip().lower()}", value.strip().lower(), number


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in re.split(r"[,\s]+", value) if part.strip()]
    return [str(part) for part in value] if isinstance(value, list) else []


def _coded(tool: str, told: Mapping[str, Any], text: str) -> Iterator[Setting]:
    """Tell which codes a linter of Python is asked to look at, and which not."""
    for key in ("select", "extend-select", "ignore", "extend-ignore", "line-length", "max-line-length"):
        value = told.get(key, told.get(key.replace("-", "_")))
        word = key.removeprefix("extend-")
        if isinstance(value, int) or (isinstance(value, str) and value.strip().isdigit()):
            if _asked_for_length(told):
                yield tool, "line-length", str(value).strip(), _line(text, key)
        else:
            for code in _texts(value):
                yield tool, word, code.upper(), _line(text, f'"{code}"' if f'"{code}"' in text else code)


def _asked_for_length(told: Mapping[str, Any]) -> bool:
    """Tell whether long lines are faults; that a formatter is told a width says little of texts and comments."""
    spelled = {key.replace("_", "-"): _texts(value) for key, value in told.items()}
    chosen = [*spelled.get("select", ()), *spelled.get("extend-select", ())]
    left = [*spelled.get("ignore", ()), *spelled.get("extend-ignore", ())]
    return bool({"ALL", "E", "E5", "E501"} & {*chosen}) and not {"E501", "E5", "E"} & {*left}


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _table(told: Any, *names: str) -> dict[str, Any]:
    for name in names:
        told = told.get(name) if isinstance(told, dict) else None
    return told if isinstance(told, dict) else {}


def _pyproject(text: str) -> Iterator[Setting]:
    tools = _table(_toml(text), "tool")
    ruff = _table(tools, "ruff")
    yield from _ruff_table(ruff, text)
    if "black" in tools:
        black = _table(tools, "black")
        plain = black.get("skip-string-normalization") is True
        yield "black", "plain" if plain else "quotes", "", _line(text, "[tool.black")
    yield from _mypy(_table(tools, "mypy"), text)
    yield from _isort(_table(tools, "isort"), text)
    yield from _coded("flake8", _table(tools, "flake8"), text)


def _ruff(text: str) -> Iterator[Setting]:
    yield from _ruff_table(_toml(text), text)


def _ruff_table(ruff: dict[str, Any], text: str) -> Iterator[Setting]:
    if not ruff:
        return
    # What is told of linting stood above once, and may still.
    yield from _coded("ruff", {**ruff, **_table(ruff, "lint")}, text)
    if "format" in ruff:
        style = _table(ruff, "format").get("quote-style", "double")
        yield "black", "quotes" if style == "double" else "single", "", _line(text, "format")
    if convention := _table(ruff, "lint", "pydocstyle").get("convention"):
        yield "ruff", "convention", str(convention), _line(text, "convention")
    if target := ruff.get("target-version"):
        yield "ruff", "target-version", str(target), _line(text, "target-version")
    for key, value in _table(ruff, "lint", "flake8-pytest-style").items():
        yield "pytest-style", key, str(value).lower(), _line(text, key)
    yield from _isort({**_table(ruff, "isort"), **_table(ruff, "lint", "isort")}, text)
    for module, why in _table(ruff, "lint", "flake8-tidy-imports", "banned-api").items():
        yield (
            "banned",
            "Python",
            f"{module}\t{why.get('msg', '') if isinstance(why, dict) else ''}",
            _line(text, module),
        )


def _isort(told: Mapping[str, Any], text: str) -> Iterator[Setting]:
    for key in ("force-single-line", "force_single_line"):
        if str(told.get(key)).lower() == "true":
            yield "isort", key, "", _line(text, key)


def _mypy(told: Mapping[str, Any], text: str) -> Iterator[Setting]:
    for key in ("strict", "disallow_untyped_defs"):
        if str(told.get(key)).lower() == "true":
            yield "mypy", "annotated", "", _line(text, key)
    if "ignore-without-code" in _texts(told.get("enable_error_code")):
        yield "mypy", "ignored", "", _line(text, "ignore-without-code")


def _ini(text: str) -> Iterator[Setting]:
    parser = ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except Error:
        return
    for section in parser.sections():
        told = dict(parser[section])
        match section:
            case "flake8" | "pycodestyle":
                kept = {key: re.sub(r"#[^\n]*", "", value or "") for key, value in told.items()}
                yield from _coded("flake8", {"select": "E,F,W", **kept}, text)
            case "mypy":
                yield from _mypy(told, text)
            case "isort" | "settings":
                yield from _isort(told, text)
            case "format" | "FORMAT":
                yield from _coded("pylint", told, text)


_HOOK = re.compile(r"(?m)^\s*-?\s*-?\s*id:\s*['\"]?([\w-]+)")


def _hooks(text: str) -> Iterator[Setting]:
    for found in _HOOK.finditer(text):
        number = text.count("\n", 0, found.start()) + 1
        match found.group(1):
            case "black" | "ruff-format":
                yield "black", "quotes", "", number
            case "pyupgrade":
                yield "ruff", "select", "UP008", number


_PAIR = re.compile(r"""["']?(\w+)["']?\s*:\s*["']?([\w]+)["']?""")


# What is taken from another place says the rest.
_BORROWED = re.compile(r"\.\.\.|require\(|\bimport\b|\bextends\b|^\s*[\"'][@\w/.-]+[\"']\s*$")
_PRETTIER = frozenset(("semi", "singleQuote", "trailingComma", "arrowParens", "tabWidth", "useTabs"))


def _prettier(text: str) -> Iterator[Setting]:
    # What an override says of some files is not said of all.
    text = re.sub(r"overrides\W[\s\S]*", "", text)
    told: dict[str, tuple[str, int]] = {}
    if not _BORROWED.search(text):
        # What is not said has its usual value, but for the width, which is asked of `.editorconfig` then.
        usual = {"semi": "true", "singleQuote": "false", "trailingComma": "all", "arrowParens": "always"}
        told = {key: (value, 1) for key, value in usual.items()}
    for found in _PAIR.finditer(text):
        if found.group(1) in _PRETTIER:
            told[found.group(1)] = (found.group(2), text.count("\n", 0, found.start()) + 1)
    for key, (value, number) in told.items():
        yield "prettier", key, value, number


def _package(text: str) -> Iterator[Setting]:
    if (at := text.find('"eslintConfig"')) >= 0:
        yield from rules_of(text[at:])
    if re.search(r'"prettier"\s*:\s*\{', text):
        yield from _prettier(text[text.index('"prettier"') :].partition("}")[0])
    if re.search(r'"(lint|test)[\w:]*"\s*:\s*"[^"]*(?<![\w-])standard\b', text):
        yield "standard", "all", "", _line(text, "standard")


_BIOME = re.compile(
    r'"(no[A-Z]\w+|use[A-Z]\w+)"\s*:\s*(?:"(error|warn|info|on)"|\{\s*"level"\s*:\s*"(error|warn|info|on)")'
)
_BIOME_OFF = re.compile(r'"(no[A-Z]\w+|use[A-Z]\w+)"\s*:\s*(?:\{\s*"level"\s*:\s*)?"off"')
_BIOME_STYLE = re.compile(
    r'"(indentStyle|indentWidth|quoteStyle|semicolons|trailingCommas?|arrowParentheses)"\s*:\s*"?(\w+)'
)


def _biome(text: str) -> Iterator[Setting]:
    for found in _BIOME.finditer(text):
        yield "biome", found.group(1), "", text.count("\n", 0, found.start()) + 1
    for found in _BIOME_OFF.finditer(text):
        yield "off", found.group(1), "", text.count("\n", 0, found.start()) + 1
    told = {"indentStyle": "tab", "quoteStyle": "double", "semicolons": "always", "arrowParentheses": "always"}
    told |= {"trailingCommas": "all"}
    for found in reversed(list(_BIOME_STYLE.finditer(text))):
        told[found.group(1)] = found.group(2)
    if re.search(r'"formatter"\s*:\s*\{\s*"enabled"\s*:\s*false', text) is None:
        for key, value in told.items():
            yield "biome", key, value, _line(text, f'"{key}"')


_ITEM = re.compile(r"^\s*-\s+(?:name:\s*)?['\"]?([\w-]+)['\"]?\s*(?:#.*)?$")
_DISABLED = re.compile(r"^\s*disabled:\s*true")
# Deeper stands what one of the linters is told of its own rules.
_ALL_LINTERS = re.compile(r"^\s{0,4}(default:\s*all|enable-all:\s*true)\s*(#.*)?$")
_DENIED = re.compile(r"^\s*-?\s*pkg:\s*['\"]?([^'\"#\s]+)['\"]?")
_WHY = re.compile(r"^\s*desc:\s*['\"]?(.+?)['\"]?\s*$")


def _golangci(text: str) -> Iterator[Setting]:
    part, top, denied = "", "", None
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if (word := re.match(r"^(\s*)([\w-]+):\s*(#.*)?$", line)) is not None:
            part = word.group(2)
            top = top if word.group(1) else part
        if (found := _DENIED.match(line)) is not None:
            if part == "deny":
                denied = (found.group(1), number)
            continue
        if (why := _WHY.match(line)) is not None and denied is not None:
            yield "banned", "Go", f"{denied[0].removesuffix('$')}\t{why.group(1)}", denied[1]
            denied = None
        elif (item := _ITEM.match(line)) is not None and part in ("enable", "rules"):
            if not any(_DISABLED.match(below) for below in lines[number : number + 2]):
                yield "golangci", item.group(1), "", number
        elif item is not None and part == "disable":
            yield "golangci", "off", item.group(1), number
        elif top == "linters" and _ALL_LINTERS.match(line):
            yield "golangci", "all", "", number
        elif part == "forbid" and re.search(r"fmt\\+\.\(?Print", line):
            yield "golangci", "no prints", "", number
        elif (length := re.match(r"^\s*line-length:\s*(\d+)", line)) is not None:
            yield "line", "length", length.group(1), number


_MODULE = re.compile(r'<module\s+name\s*=\s*"(?:[\w.]*\.)?(\w+)"\s*(/?)>([\s\S]{0,600}?)(?=</?module\b|\Z)')
_PROPERTY = re.compile(r'<property\s+name\s*=\s*"(\w+)"\s+value\s*=\s*"([^"]*)"')


def _checkstyle(text: str) -> Iterator[Setting]:
    bare = re.sub(r"<!--[\s\S]*?-->", lambda found: "\n" * found.group().count("\n"), text)
    for found in _MODULE.finditer(bare):
        told = dict(_PROPERTY.findall(found.group(3)))
        value = told.get("max") or told.get("basicOffset") or told.get("format") or ""
        yield "checkstyle", found.group(1).removesuffix("Check"), value, bare.count("\n", 0, found.start()) + 1


def _gradle(text: str) -> Iterator[Setting]:
    if (at := text.find("googleJavaFormat")) >= 0:
        yield "google-java-format", "aosp" if ".aosp()" in text else "all", "", text.count("\n", 0, at) + 1


# A method is known by its name, whatever it is called of; what makes a value, and a function of a module, by its path.
_METHOD = re.compile(r"(?:\w+::)+[A-Z]\w*::[a-z_]\w*")
_FUNCTION = re.compile(r"(?:\w+::)+(?:[A-Z]\w*::(?:new|default|open|create|from\w*|with_\w+)|[a-z_]\w*::[a-z_]\w*)")


def _clippy(text: str) -> Iterator[Setting]:
    told = _toml(text)
    for key in ("disallowed-types", "disallowed-methods", "disallowed-macros"):
        for each in told.get(key, ()):
            path, why = str(each), ""
            if isinstance(each, dict):
                instead = each.get("replacement")
                path, why = str(each.get("path", "")), f"use {instead}" if instead else str(each.get("reason", ""))
            path = path.removesuffix("()")
            if key == "disallowed-types" and path:
                yield "banned", "Rust", f"{path}\t{why}", _line(text, path)
            elif key == "disallowed-macros" and path:
                yield "uncalled", "Rust", f"{path.rpartition('::')[2]}!\t{why}", _line(text, path)
            elif _FUNCTION.fullmatch(path):
                yield "uncalled", "Rust", f"{'::'.join(path.split('::')[-2:])}\t{why}", _line(text, path)
            elif _METHOD.fullmatch(path):
                yield "uncalled", "Rust", f".{path.rpartition('::')[2]}\t{why}", _line(text, path)
    # Of names of one letter it is the one of errors that somebody has thought of.
    if "e" in told.get("disallowed-names", ()):
        yield "clippy", "disallowed-names", "e", _line(text, "disallowed-names")


def _cargo(text: str) -> Iterator[Setting]:
    told = _toml(text)
    for lints in (_table(told, "lints"), _table(told, "workspace", "lints")):
        for tool, rules in lints.items():
            levels = {
                name: level.get("level") if isinstance(level, dict) else level
                for name, level in (rules.items() if isinstance(rules, dict) else ())
            }
            for name, level in levels.items():
                if level in ("warn", "deny", "forbid"):
                    yield "clippy" if tool == "clippy" else "rustc", name, "", _line(text, name)
                    # Who asks for a group says what it leaves out.
                    for lint in GROUPS.get(name, ()):
                        if lint not in levels:
                            yield "clippy", lint, name, _line(text, name)


_ASKED_OF_A_CRATE = re.compile(r"(?m)^#!\[(?:warn|deny|forbid)\(([^)\]]*)\)\]")


def _crate(text: str) -> Iterator[Setting]:
    """Tell which lints the root of a crate asks for, whatever its features are."""
    for asked in _ASKED_OF_A_CRATE.finditer(text):
        for name in re.findall(r"(?:\w+::)?\w+", re.sub(r"//[^\n]*|\breason\s*=.*", "", asked.group(1))):
            tool, _, lint = name.rpartition("::")
            yield "clippy" if tool == "clippy" else "rustc", lint, "", _line(text, name)


def _rustfmt(text: str) -> Iterator[Setting]:
    told = _toml(text)
    for key in ("imports_granularity", "hard_tabs", "tab_spaces", "match_block_trailing_comma"):
        if key in told:
            yield "rustfmt", key, str(told[key]), _line(text, key)


def _tsconfig(text: str) -> Iterator[Setting]:
    for key in ("verbatimModuleSyntax", "importsNotUsedAsValues"):
        if re.search(rf'"{key}"\s*:\s*(true|"error")', text):
            yield "tsconfig", key, "", _line(text, key)


_READERS: tuple[tuple["re.Pattern[str]", Callable[[str], Iterable[Setting]]], ...] = tuple(
    (re.compile(shape), reader)
    for shape, reader in (
        (r"\.editorconfig", _editorconfig),
        (r"pyproject\.toml", _pyproject),
        (r"\.?ruff\.toml", _ruff),
        (r"setup\.cfg|tox\.ini|\.flake8|\.isort\.cfg|\.?mypy\.ini|\.?pylintrc", _ini),
        (r"\.pre-commit-config\.ya?ml", _hooks),
        (r"\.prettierrc(\.\w+)?|prettier\.config\.[cm]?[jt]s", _prettier),
        (r"\.eslintrc(\.\w+)?|eslint\.config\.[cm]?[jt]s", rules_of),
        (r"(base|common|default|index|library|main|recommended|shared)\.[cm]?js", shared_rules_of),
        (r"package\.json", _package),
        (r"(biome|rome)\.jsonc?", _biome),
        (r"\.golangci\.ya?ml", _golangci),
        (r"[\w.-]*checkstyle[\w.-]*\.xml", _checkstyle),
        (r"[\w.-]+\.gradle(\.kts)?", _gradle),
        (r"\.?clippy\.toml", _clippy),
        (r"\.?rustfmt\.toml", _rustfmt),
        (r"cargo\.toml", _cargo),
        (r"(lib|main)\.rs", _crate),
        (r"tsconfig(\.\w+)?\.json", _tsconfig),
    )
)
