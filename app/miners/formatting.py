"""How code looks where a language leaves it open: indentation, quotes, semicolons, where `else` stands.

Says, for instance: "TypeScript files are indented by 2 spaces" and "JavaScript statements end without semicolons". A
formatter may see to it; then this is what it is told to do.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import SCRIPTS, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Source, text_of

# What a script is asked by are lines that need no tree: statements of one line, and the modules that lines name.
_STATEMENT = r"""(?m)^(?:import [^\n]*['"]|[ \t]*(?:return|const|let|var|throw) [^\n({\[`]*[\w'")\]]);?$"""
_MODULE = r"""(?m)(?:^|\s)(?:from |import |require\()(?:'[^'\n]*'|"[^"\n]*")"""
_STATEMENTS = re.compile(_STATEMENT)
# The same as the rule, by the letters that it begins with: whatever stands before is looked at afterwards.
_MODULES = re.compile(r"""(?:from |import |require\()(?:'[^'\n]*'|"[^"\n]*")""")
_AFTER_BRACE = r"(?m)^[ \t]*\}[ \t]*\n?[ \t]*(?:else|catch|finally)\b"
_AFTER_BRACES = re.compile(_AFTER_BRACE)
_ATTRIBUTE = r"""[ \t][a-zA-Z][\w-]*=(?:'[^'"\n]*'|"[^'"\n]*")"""
# The same by the sign that it has in any case: the name before it is looked at afterwards.
_ATTRIBUTES = re.compile(r"""=(?:'[^'"\n]*'|"[^'"\n]*")""")
_ATTRIBUTE_NAME = re.compile(r"[ \t][a-zA-Z][\w-]*$")
_HEAD_OF_TYPE = (
    r"(?m)^[ \t]*(?:(?:public|protected|private|abstract|static|final|sealed) )*"
    r"(?:class|interface|enum|record) [^;{}\n]*\{[ \t]*\n[ \t]*(?:\n|[^\s}])"
)
_HEADS_OF_TYPES = re.compile(_HEAD_OF_TYPE)
_EMPTY_LINE = r"\n[ \t]*\n$"
_PLAIN = r"""^('[^'"\n]*'|"[^'"\n]*")$"""
_ARGUMENTS = re.compile(_PLAIN)
_INDENTED = re.compile(r"(?m)^([ \t]+)[^\s*]")
_MOST, _MOST_STEPS, _ENOUGH = 200, 2_000, 6_000
_LONGEST_NAME = 60
_USUAL = {
    "Python": {"'": 0.4, '"': 0.6},
    "Rust": {"4 spaces": 0.99, "2 spaces": 0.04, "tabs": 0.05},
    "Java": {"4 spaces": 0.7, "2 spaces": 0.25, "tabs": 0.1},
    "JavaScript": {"2 spaces": 0.75, "4 spaces": 0.2, "tabs": 0.1, "'": 0.6, '"': 0.35, ";": 0.72, "none": 0.28},
    "TypeScript": {"2 spaces": 0.75, "4 spaces": 0.2, "tabs": 0.1, "'": 0.6, '"': 0.4, ";": 0.78, "none": 0.22},
}


def facts(source: Source) -> Any:
    """Tell the indentation, and count quotes and ends of statements."""
    found: dict[str, Any] = {}
    if source.language == "Python":
        found["quotes"] = _counted(
            text_of(node)[0]
            for node in source.nodes("string")[:_MOST]
            if _ARGUMENTS.match(text_of(node)) and node.parent is not None and node.parent.type == "argument_list"
        )
        return found
    if source.language == "Rust":
        # Its formatter has indented all of a file alike.
        return {"indent": _indent(source.text[:_ENOUGH])}
    found["indent"] = _indent(source.text)
    found["else"] = _counted("own" if "\n" in each.strip() else "same" for each in _first(_AFTER_BRACES, source))
    if source.language == "Java":
        found["head"] = _counted("empty" if each.endswith("\n") else "" for each in _first(_HEADS_OF_TYPES, source))
    if source.language in SCRIPTS:
        found["quotes"] = _counted(islice(_quotes(source.text), _MOST))
        if source.language == "TSX":
            found["attributes"] = _counted(islice(_attributes(source.text), _MOST))
        found["ends"] = _counted(";" if each.endswith(";") else "none" for each in _first(_STATEMENTS, source))
    return found


def _first(shape: "re.Pattern[str]", source: Source) -> Iterator[str]:
    return (found.group() for found in islice(shape.finditer(source.text), _MOST))


def _quotes(text: str) -> Iterator[str]:
    for found in _MODULES.finditer(text):
        if not text[max(0, found.start() - 1) : found.start()].strip():
            yield found.group()[-1]


def _attributes(text: str) -> Iterator[str]:
    for found in _ATTRIBUTES.finditer(text):
        if _ATTRIBUTE_NAME.search(text[max(0, found.start() - _LONGEST_NAME) : found.start()]):
            yield found.group()[-1]


def _counted(forms: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for form in forms:
        counts[form] = counts.get(form, 0) + 1
    return counts


def _indent(text: str) -> str | None:
    """Name the smallest step of a file; continued lines and comments have their own."""
    steps = [found.group(1) for found in islice(_INDENTED.finditer(text), _MOST_STEPS)]
    if len(steps) < 3:
        return None
    tabs = sum(step[0] == "\t" for step in steps)
    if tabs * 2 > len(steps):
        return "tabs"
    widths = {len(step) for step in steps if "\t" not in step}
    return "2 spaces" if 2 in widths else "4 spaces" if 4 in widths else None


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each file vote for its indentation, and each text and statement for its form."""
    told = facts or {}
    if told.get("indent"):
        yield Vote("indent", (told["indent"],))
    for topic in ("quotes", "attributes", "ends", "else", "head"):
        for form, times in (told.get(topic) or {}).items():
            yield Vote(topic, (form,) if form else (), times)


_INDENTS: dict[str, dict[str, Any]] = {
    "2 spaces": {"conforming": r"(?m)^ {2}[^\s*]"},
    "4 spaces": {"conforming": r"(?m)^(?: {2}|\t)[^\s*]", "absent": True},
    "tabs": {"conforming": r"(?m)^\t+[^\s*]"},
}
_LITERALS: Any = {"kind": "string", "regex": _PLAIN, "inside": {"kind": "argument_list"}}


def propose(finding: Finding) -> Proposal | None:
    """Say the form."""
    kind, alternative, scope = RuleKind.REGEX, finding.alternative, finding.scope
    definition: dict[str, Any]
    if finding.topic == "indent":
        definition = {"per": "file", "applicable": r"(?m)^(?: {2,}|\t)[^\s*]", **_INDENTS[finding.form]}
        what = "with tabs" if finding.form == "tabs" else f"by {finding.form}"
        said = f"{in_scope(finding, 'Files')} are indented {what}"
    elif finding.topic == "quotes":
        word, other = ("single", "double") if finding.form == "'" else ("double", "single")
        alternative = f"{other} quotes" if finding.rivals else None
        if finding.tongue == "Python":
            kind = RuleKind.AST
            definition = {"applicable": _LITERALS, "conforming": {"regex": f"^{finding.form}"}}
        else:
            definition = {"per": "match", "applicable": _MODULE, "conforming": f"{finding.form}$"}
        said = f"{in_scope(finding, 'Texts')} stand in {word} quotes"
    elif finding.topic == "attributes":
        word, other = ("single", "double") if finding.form == "'" else ("double", "single")
        alternative = f"{other} quotes" if finding.rivals else None
        definition = {"per": "match", "applicable": _ATTRIBUTE, "conforming": f"{finding.form}$"}
        scope = replace(scope, languages=("TSX",))
        said = f"{in_scope(finding, 'Texts of attributes in JSX')} stand in {word} quotes"
    elif finding.topic == "head":
        definition = {"per": "match", "applicable": _HEAD_OF_TYPE, "conforming": _EMPTY_LINE}
        alternative = "no empty line" if finding.share < 1 else None
        said = f"{in_scope(finding, 'Bodies of types')} begin with an empty line"
    elif finding.topic == "else":
        own = finding.form == "own"
        definition = {"per": "match", "applicable": _AFTER_BRACE, "conforming": r"\}[ \t]*\n", **_turned(not own)}
        where = "on a line of their own" if own else "on the line of the brace before them"
        alternative = ("`} else {`" if own else "a line of its own") if finding.rivals else None
        said = f"{in_scope(finding, '`else`, `catch` and `finally`')} stand {where}"
    else:
        bare = finding.form == "none"
        alternative = ("a semicolon" if bare else "no semicolon") if finding.rivals else None
        definition = {
            "per": "match",
            "applicable": _STATEMENT,
            "conforming": ";$",
            **_turned(bare),
        }
        said = f"{in_scope(finding, 'Statements')} end {'without semicolons' if bare else 'with a semicolon'}"
    rule = Rule(kind, definition, scope, alternative=alternative)
    return Proposal(said, rule, PatternCategory.STRUCTURAL, weight=0.4 if finding.topic == "attributes" else 0.7)


def _turned(other: bool) -> dict[str, Any]:
    """Ask of the same places that they do not do it."""
    return {"absent": True} if other else {}


def prior(finding: Finding) -> float:
    """Know what formatters and editors do unasked."""
    if finding.topic == "attributes":
        return 0.08 if finding.form == "'" else 0.95
    if finding.topic == "head":
        return 0.3
    if finding.topic == "else":
        return 0.05 if finding.form == "own" else 0.95
    return _USUAL.get(finding.tongue or "", {}).get(finding.form, 0.05)


FAMILY = Family(
    "formatting",
    votes,
    propose,
    facts=facts,
    version=5,
    languages=frozenset(("Python", "Java", "Rust", *SCRIPTS)),
    prior=prior,
    least=Least(sites=10, files=6, share=0.9, careful=0.85),
)
