"""How long lines are at most: what a formatter or an editor is told, or the usual width that nearly all files keep.

Says, for instance: "Python lines have at most 88 characters". That a linter forbids longer ones is read by the family
of declared rules; a formatter leaves some of them, so that it is news only where the code keeps to it. Of a width that
somebody asked for each line is asked that is no short one, of others each file.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import CODE, Declared, Family, File, Finding, Least, Proposal, Vote, World, tongue_of
from app.miners.core.words import in_scope
from app.syntax import Source

_KEPT = "kept"
# Widths that people agree on, and how many repositories keep to each, told or not.
_USUAL = {79: 0.25, 80: 0.3, 88: 0.4, 100: 0.55, 120: 0.75}
# What a formatter sees to unless it is told otherwise.
_FORMATTED = {"Rust": (100, 0.8)}
_PLAUSIBLE = range(60, 201)
_LEAST_FILES, _NEARLY_ALL, _MOST = 40, 0.97, 400
_SHORT, _LONG, _MOST_LONG = 40, 78, 400
# So deep may a configuration lie that speaks of a part.
_DEEPEST = 2
# Of a place: the path, the line and what it says; a folder comes behind them.
_ALL_PARTS = 3
_SCRIPTS = ("JavaScript", "TypeScript")
# The names of configurations, what they call a width, and for which languages.
_ASKED: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (r"pyproject\.toml|\.?ruff\.toml", r"(?m)^\s*line-length\s*=\s*(\d+)", "line-length", ("Python",)),
    (r"setup\.cfg|tox\.ini|\.flake8", r"(?m)^\s*max[-_]line[-_]length\s*=\s*(\d+)", "max-line-length", ("Python",)),
    (r"\.?rustfmt\.toml", r"(?m)^\s*max_width\s*=\s*(\d+)", "max_width", ("Rust",)),
    (r"\.prettierrc(\.\w+)?|prettier\.config\.\w+", r"""printWidth["']?\s*:\s*(\d+)""", "printWidth", _SCRIPTS),
    (r"package\.json", r'"printWidth"\s*:\s*(\d+)', "printWidth", _SCRIPTS),
    (r"biome\.jsonc?", r'"lineWidth"\s*:\s*(\d+)', "lineWidth", _SCRIPTS),
    (r"\.golangci\.ya?ml", r"(?m)^\s*line-length:\s*(\d+)", "lll", ("Go",)),
    (r"\.golangci\.ya?ml", r"(?m)^\s*-\s*lll()\s*$", "lll", ("Go",)),
    (r"\.editorconfig", r"(?m)^\s*max_line_length\s*=\s*(\d+)", "max_line_length", ()),
)
_NAMES = re.compile("|".join(f"(?:{names})" for names, *_ in _ASKED))
_OF_LLL = 120
_SECTION = re.compile(r"(?m)^\[([^\]\n]+)\]")
_SUFFIXES = {"py": "Python", "js": "JavaScript", "ts": "TypeScript", "go": "Go", "java": "Java", "rs": "Rust"}


def facts(source: Source) -> Any:
    """Measure the longest line of code; of a configuration, keep the widths that it asks for."""
    if source.language in CODE:
        lengths = [length for length in map(len, source.lines) if length > _SHORT]
        longest = max(lengths, default=max(map(len, source.lines), default=0))
        return {
            "longest": min(longest, _MOST),
            "lines": len(lengths),
            "long": [min(length, _MOST) for length in lengths if length > _LONG][:_MOST_LONG],
        }
    if not _NAMES.fullmatch(source.name):
        return None
    return list(_widths(source.name, source.text)) or None


def _widths(name: str, text: str) -> Iterator[list[Any]]:
    told = set()
    for names, shape, word, tongues in _ASKED:
        for found in re.finditer(shape, text) if re.fullmatch(names, name) else ():
            # What a linter has unless it is told counts where it is told nothing.
            if not found.group(1) and word in told:
                continue
            told.add(word)
            width = int(found.group(1) or _OF_LLL)
            spoken = tongues or _spoken_of(text[: found.start()])
            if width in _PLAUSIBLE and spoken:
                yield [width, text.count("\n", 0, found.start(1)) + 1, f"{word} {width}", list(spoken)]


def _spoken_of(above: str) -> tuple[str, ...]:
    """Tell of which languages the last section above speaks."""
    section = ["", *_SECTION.findall(above)][-1]
    if section == "*":
        return tuple(_SUFFIXES.values())
    return tuple(tongue for suffix, tongue in _SUFFIXES.items() if re.search(rf"\b{suffix}\b", section))


def survey(noted: dict[str, Any], file: File, facts: Any) -> None:
    """Note the widths that are asked for, and how long lines of each language are."""
    if isinstance(facts, list) and file.folder:
        # An editor is told of a folder what it is told of all.
        if file.folder.count("/") < _DEEPEST and not file.name.startswith(".editor"):
            for width, line, statement, tongues in facts:
                for tongue in tongues:
                    below = noted.setdefault(f"below {tongue}", {})
                    below[file.folder] = (width, file.path, line, statement, file.folder)
    elif isinstance(facts, list):
        for width, line, statement, tongues in facts:
            for tongue in tongues:
                # What a tool of the language is told says more than what editors are told of all.
                if not file.name.startswith(".editor") or tongue not in noted:
                    noted[tongue] = (width, file.path, line, statement)
    elif isinstance(facts, dict):
        lengths = noted.setdefault(f"lengths {tongue_of(file)}", {})
        lengths[facts["longest"]] = lengths.get(facts["longest"], 0) + 1


def settle(world: World) -> None:
    """Say for each language which width is asked for."""
    noted = world.noted
    for name in [name for name in noted if name.startswith("lengths ")]:
        tongue = name.removeprefix("lengths ")
        noted[f"topic {tongue}"] = _topic(tongue, noted)
        del noted[name]
    for name in [name for name in noted if name.startswith("below ")]:
        del noted[name]


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each file vote on the width that is asked for, or else on the smallest usual one that nearly all keep."""
    topic = world.noted.get(f"topic {tongue_of(file) or ''}")
    if not isinstance(facts, dict) or not topic:
        return
    width, *place = topic.split("\n")
    if _folder(place) and not f"{file.folder}/".startswith(f"{_folder(place)}/"):
        return
    if not _by_line(int(width), place):
        yield Vote(topic, (_KEPT,) if facts["longest"] <= int(width) else ())
    elif facts["lines"]:
        long = sum(length > int(width) for length in facts["long"])
        yield Vote(topic, (_KEPT,), facts["lines"] - long)
        if long:
            yield Vote(topic, (), long)


def _folder(place: list[str]) -> str:
    """Name the folder that a width is asked of; empty for all."""
    return place[3] if len(place) > _ALL_PARTS else ""


def _by_line(width: int, place: list[str]) -> bool:
    """Tell whether lines are asked and not files: nobody who asks for a width gets it in each file."""
    return bool(place) and width >= _LONG


def _topic(tongue: str, noted: dict[str, Any]) -> str:
    if tongue in noted:
        return "\n".join(map(str, noted[tongue]))
    below = noted.get(f"below {tongue}", {})
    if len(below) == 1:
        return "\n".join(map(str, *below.values()))
    lengths = noted.get(f"lengths {tongue}", {})
    total = sum(lengths.values())
    for width in _USUAL if total >= _LEAST_FILES else ():
        if sum(count for length, count in lengths.items() if length <= width) >= _NEARLY_ALL * total:
            return str(width)
    return ""


def propose(finding: Finding) -> Proposal | None:
    """Say the width; of some folder that nobody asks it of it would be chance."""
    width, *place = finding.topic.split("\n")
    asked = (f"{_folder(place)}/**",) if _folder(place) else ()
    if finding.scope.include not in ((), asked):
        return None
    finding = replace(finding, scope=replace(finding.scope, include=asked))
    definition: dict[str, Any]
    if _by_line(int(width), place):
        detail = f"Lines of at most {_SHORT} are not counted."
        definition = {"per": "match", "applicable": rf"^.{{{_SHORT + 1},}}$", "conforming": rf"^.{{1,{width}}}$"}
    else:
        detail = ""
        definition = {"per": "file", "conforming": rf"(?m)^.{{{int(width) + 1},}}$", "absent": True}
    rule = Rule(RuleKind.REGEX, definition, finding.scope)
    name = f"{in_scope(finding, 'Lines')} have at most {width} characters"
    declared = Declared(place[0], int(place[1]), place[2]) if place else None
    return Proposal(name, rule, PatternCategory.STRUCTURAL, detail=detail, declared=declared, weight=0.6)


def prior(finding: Finding) -> float:
    """Know which widths most code keeps."""
    width = int(finding.topic.partition("\n")[0])
    formatted, usual = _FORMATTED.get(finding.tongue or "", (0, 0.0))
    return max(_USUAL.get(width, 0.5), usual if width >= formatted else 0.0)


FAMILY = Family(
    "line-lengths",
    votes,
    propose,
    facts=facts,
    version=2,
    languages=None,
    prior=prior,
    least=Least(sites=20, files=10, share=0.9, careful=0.88),
    survey=survey,
    settle=settle,
)
