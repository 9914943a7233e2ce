"""What the repository declares: settings of linters and formatters, read as they stand and measured like all else.

Most settings answer a question that another family asks, and are claims of its answer: `"semi": ["error", "never"]` of
eslint is "JavaScript statements end without semicolons". The others become rules of their own: the longest line,
modules that are banned, syntax that is not to be used. What is declared and not followed is told as a contradiction.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind, Scope
from app.miners.core.family import (
    WRITTEN,
    Claim,
    Declared,
    Family,
    File,
    Finding,
    Least,
    Proposal,
    Vote,
    World,
    is_shared,
    languages_of,
    spoken_for,
)
from app.miners.core.words import with_lines
from app.miners.declared.crates import GROUPS, ROUGHLY
from app.miners.declared.meanings import answers_of, waived_by
from app.miners.declared.reading import Setting, settings_of
from app.syntax import Source

_SETTINGS = "settings"
_WRITTEN = tuple(sorted(WRITTEN, key=lambda role: role.value))
_DEEPEST = 2
_ROOT_OF_A_CRATE = re.compile(r"(^|/)src/(lib|main)\.rs$")
_SHOWN = {
    "line": "longest line",
    "banned": "banned",
    "selector": "no-restricted-syntax",
    "standard": "standard",
    "uncalled": "disallowed",
}


def facts(source: Source) -> Any:
    """Read the settings of a configuration."""
    return settings_of(source.name, source.text) or None


def survey(noted: dict[str, Any], file: File, facts: Any) -> None:
    """Keep the settings of configurations near the top, and of those that are shared: they speak of whole parts."""
    root = file.role is FileRole.SOURCE and _ROOT_OF_A_CRATE.search(file.path) is not None
    told = file.role is FileRole.CONFIG or is_shared(file.path) or root
    # Crates lie in `crates/`, and what speaks of one in its `src/`.
    if facts and told and file.folder.count("/") < _DEEPEST + root:
        noted.setdefault(_SETTINGS, {})[file.path] = [tuple(setting) for setting in facts]


def votes(_: File, __: Any, ___: World) -> Iterable[Vote]:
    """Cast none: that something is declared is no evidence."""
    return ()


def propose(_: Finding) -> Proposal | None:
    """Propose nothing of votes."""
    return None


def claims(world: World) -> Iterator[Claim]:
    """Tell which answers the settings want."""
    usual = _asked_of_crates(world)
    for path, settings, setting in _all(world):
        if path.endswith(".rs") and setting[:2] not in usual:
            continue
        place = Declared(path, setting[3], _statement(setting), roughly=setting[1] in ROUGHLY or setting[2] in GROUPS)
        for family, topic, form, tongues in answers_of(setting, settings):
            yield Claim(family, topic, form, tongues, place, _folder(path, setting))
        for family, topic, form, tongues in waived_by(setting):
            yield Claim(family, topic, form, tongues, place, _folder(path, setting), waived=True)


def _asked_of_crates(world: World) -> set[tuple[str, str]]:
    """Tell which lints half of the crates ask for: what a few do speaks for no more than themselves."""
    asked: dict[tuple[str, str], set[str]] = {}
    for path, _, setting in _all(world):
        if path.endswith(".rs"):
            asked.setdefault(setting[:2], set()).add(path.rpartition("/")[0])
    if not asked:
        return set()
    crates = {path.rpartition("/")[0] for path in world.listing.paths if _ROOT_OF_A_CRATE.search(path)}
    return {lint for lint, folders in asked.items() if 2 * len(folders) >= len(crates)}


def _folder(path: str, setting: Setting) -> str:
    """Name the folder that a setting speaks of: that of its file, or one below that it names itself."""
    inner = setting[1].rpartition("\t")[0] if setting[0] == "eslint" else ""
    return "/".join(part for part in (spoken_for(path), inner) if part)


def declares(world: World) -> Iterator[Proposal]:
    """Make rules of the settings that no family asks about."""
    for path, settings, setting in _all(world):
        scope = (f"{spoken_for(path)}/**",) if spoken_for(path) else ()
        place = Declared(path, setting[3], _statement(setting))
        for name, kind, definition, tongue, category in _rules(setting, settings):
            # What linters forbid in sources, their settings mostly allow in tests.
            exempt = setting[0] == "selector" or (setting[0] == "banned" and kind is RuleKind.AST)
            roles = (FileRole.SOURCE,) if exempt else _WRITTEN
            where = f" in `{spoken_for(path)}/`" if scope else ""
            rule = Rule(kind, definition, Scope(languages_of(tongue), scope, (), roles))
            sentence = f"{tongue} {name}{where}" if tongue else f"{name[:1].upper()}{name[1:]}{where}"
            weight = 0.8 if tongue else _PLAIN
            yield Proposal(sentence, rule, category, declared=place, weight=weight)


def _all(world: World) -> Iterator[tuple[str, list[Setting], Setting]]:
    for path, settings in sorted(world.noted.get(_SETTINGS, {}).items()):
        for setting in settings:
            yield path, settings, setting


def _statement(setting: Setting) -> str:
    tool, key, value, _ = setting
    told = f"{key} {value.strip(' ,')}".replace("\t", " ").strip()
    return f"{_SHOWN.get(tool, tool)}: {told}"[:120]


_LENGTHS = range(60, 201)
# What editors keep by themselves is declared and true, and little to talk of.
_PLAIN = 0.1
_CODES: dict[str, tuple[str, dict[str, Any]]] = {
    "AwaitExpression": ("`await`", {"kind": "await_expression"}),
    "ChainExpression": ("`?.`", {"kind": "optional_chain"}),
    "ForInStatement": ("`for … in`", {"kind": "for_in_statement", "has": {"field": "operator", "regex": "^in$"}}),
    "ForOfStatement": ("`for … of`", {"kind": "for_in_statement", "has": {"field": "operator", "regex": "^of$"}}),
    "LabeledStatement": ("labels", {"kind": "labeled_statement"}),
    "WithStatement": ("`with`", {"kind": "with_statement"}),
    "TSEnumDeclaration": ("`enum`", {"kind": "enum_declaration"}),
    "TSEnumDeclaration[const=true]": ("`const enum`", {"kind": "enum_declaration", "regex": r"^const\b"}),
    "ExportDefaultDeclaration": ("`export default`", {"kind": "export_statement", "regex": r"^export\s+default\b"}),
    "ObjectExpression > SpreadElement": ("`{ ...object }`", {"kind": "spread_element", "inside": {"kind": "object"}}),
    "ObjectPattern > RestElement": ("`{ ...rest } =`", {"kind": "rest_pattern", "inside": {"kind": "object_pattern"}}),
}
"""Selectors of `no-restricted-syntax`, what they forbid, and the same as a node of our trees."""

_Made = tuple[str, RuleKind, dict[str, Any], str, PatternCategory]


def _rules(setting: Setting, settings: list[Setting]) -> Iterator[_Made]:
    tool, key, value, _ = setting
    match tool, key:
        case ("line", _) | (_, "line-length"):
            yield from _length(value, "Go" if any(name == "golangci" for name, *_ in settings) else "Python")
        case "checkstyle", "LineLength":
            yield from _length(value, "Java")
        case "eslint", _ if "\t" not in key and key.rpartition("/")[2] == "max-len":
            found = re.search(r"\d+", value)
            for tongue in ("JavaScript", "TypeScript"):
                yield from _length(found.group() if found else "80", tongue)
        case "selector", _ if key in _CODES:
            shown, node = _CODES[key]
            for tongue in ("JavaScript", "TypeScript"):
                if tongue == "TypeScript" or node["kind"] != "enum_declaration":
                    definition = {
                        "applicable": {"kind": "program"},
                        "conforming": {"not": {"has": {**node, "stopBy": "end"}}},
                    }
                    yield (
                        f"source files never use {shown}",
                        RuleKind.AST,
                        definition,
                        tongue,
                        PatternCategory.STRUCTURAL,
                    )
        case "banned", tongue:
            yield from _banned(tongue, value)
        case "uncalled", "Rust":
            yield from _uncalled(setting, settings)
        case "editorconfig", "*\tinsert_final_newline" if value == "true":
            yield _of_all("files end with a line break", r"\n\z", absent=False)
        case "editorconfig", "*\ttrim_trailing_whitespace" if value == "true":
            yield _of_all("lines have no blanks at their ends", r"(?m)[ \t]+\r?$", absent=True)


_MOST_SHOWN = 4


def _uncalled(setting: Setting, settings: list[Setting]) -> Iterator[_Made]:
    """Say in one sentence which functions, and in another which methods, nobody is to call."""
    of_values = setting[2].startswith(".")
    alike = [each for each in settings if each[0] == "uncalled" and each[2].startswith(".") is of_values]
    if alike[0] != setting:
        return
    told = {name: why for name, _, why in (each[2].partition("\t") for each in alike)}
    definition = {
        "applicable": {"kind": "source_file"},
        "conforming": {"not": {"has": {"any": list(_calls(list(told))), "stopBy": "end"}}},
    }
    shown = [f"{name}(…)" if of_values else name for name in told]
    name = with_lines("files never call", shown, _MOST_SHOWN, "method" if of_values else "function")
    instead = {found.group(1) for why in told.values() if (found := _INSTEAD.search(why))}
    if len(told) == len(instead) == 1:
        name += f"; they use `{instead.pop()}`"
    yield name, RuleKind.AST, definition, "Rust", PatternCategory.API


def _calls(names: list[str]) -> Iterator[dict[str, Any]]:
    """Spell calls of functions by the ends of their paths, of methods by their names, and of macros."""
    methods = "|".join(re.escape(name[1:]) for name in names if name.startswith("."))
    macros = "|".join(re.escape(name[:-1]) for name in names if name.endswith("!"))
    functions = "|".join(re.escape(name) for name in names if name.strip(".!") == name)
    if methods:
        yield {"kind": "field_expression", "has": {"field": "field", "regex": f"^({methods})$"}}
    if macros:
        yield {"kind": "macro_invocation", "has": {"field": "macro", "regex": f"(^|::)({macros})$"}}
    if functions:
        shape = f"(^|::)({functions})$"
        yield {"kind": "scoped_identifier", "regex": shape, "inside": {"kind": "call_expression"}}


def _of_all(name: str, shape: str, *, absent: bool) -> _Made:
    """Say something of the text of all files that people write, whatever their language."""
    definition = {"per": "file", "applicable": r"\S", "conforming": shape, **({"absent": True} if absent else {})}
    return name, RuleKind.REGEX, definition, "", PatternCategory.STRUCTURAL


_NARROW = 78


def _length(value: str, tongue: str) -> Iterator[_Made]:
    if value.isdigit() and int(value) in _LENGTHS:
        # The same rule as that of widths that nobody forbids to exceed.
        definition: dict[str, Any] = {"per": "match", "applicable": r"^.{41,}$", "conforming": rf"^.{{1,{value}}}$"}
        if int(value) < _NARROW:
            definition = {"per": "file", "conforming": rf"(?m)^.{{{int(value) + 1},}}$", "absent": True}
        yield f"lines have at most {value} characters", RuleKind.REGEX, definition, tongue, PatternCategory.STRUCTURAL


_INSTEAD = re.compile(r"\b[Uu]se (?:the (?:newer |undici-own )?)?[`'\"]?([\w./:-]+[\w])[`'\"]?")


def _banned(tongue: str, value: str) -> Iterator[_Made]:
    """Say what is taken in place of a banned module, where the reason names it; else that nobody takes it."""
    module, _, why = value.partition("\t")
    found = _INSTEAD.search(why)
    instead = found.group(1) if found else None
    if instead is None or instead == module:
        return
    step = {"Python": ".", "Rust": "::"}.get(tongue, "/")
    applicable, conforming = [module, f"{module}{step}*"], [instead, f"{instead}{step}*"]
    if tongue == "Rust":
        # What is banned is a type; what is taken instead is known by its name alone.
        conforming = [f"*{step}{instead}", *([instead] if step in instead else [])]
    definition = {
        "per": "import",
        "applicable": {"module": [*conforming, *applicable]},
        "conforming": {"module": conforming},
    }
    yield f"files import `{instead}`, not `{module}`", RuleKind.IMPORT, definition, tongue, PatternCategory.DEPENDENCY
    if tongue == "Python" and "." in module and "." in instead:
        # A function is mostly called by way of its module.
        called = {"kind": "call", "has": {"field": "function", "regex": f"^({_ends(module)}|{_ends(instead)})$"}}
        fine = {"not": {"has": {"field": "function", "regex": f"^({_ends(module)})$"}}}
        definition = {"applicable": called, "conforming": fine}
        yield f"source files call `{instead}`, not `{module}`", RuleKind.AST, definition, tongue, PatternCategory.API


def _ends(path: str) -> str:
    """Spell how a function is called by its module, with more of the path before or not."""
    parts = [re.escape(part) for part in path.split(".")]
    return rf"([\w.]+\.)?{parts[-2]}\.{parts[-1]}"


FAMILY = Family(
    "declared",
    votes,
    propose,
    facts=facts,
    languages=None,
    roles=frozenset((FileRole.CONFIG,)),
    least=Least(sites=5, files=3),
    declares=declares,
    claims=claims,
    survey=survey,
    most=20,
    version=17,
)
