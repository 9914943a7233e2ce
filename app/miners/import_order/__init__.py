"""In which order imports stand at the head of a file, and where blank lines part them.

Says, for instance: "Python imports stand in groups with a blank line between: the standard library, packages, own
modules" and "TypeScript imports are sorted by module within their group". What a tool keeps so is said with the file
that asks the tool for it, and stands behind what people keep by themselves.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from operator import itemgetter
from typing import Any
from zlib import crc32

from app.domain.import_order import MOST_UNSORTED, misplaced
from app.domain.listing import Listing
from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import (
    CODE,
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
    spoken_for,
    tongue_of,
)
from app.miners.core.words import in_scope
from app.miners.import_order.tools import CONFIGURATIONS, MADE, asked_in, statement_of, turns_round
from app.syntax import Import, Source, head_of, imports_of, is_sorted, is_standard

_STATIC = {"form": ["static"]}
# What may stand together, by a letter for each, in the words of a rule and of people; Go's own module has a name.
_KINDS: dict[str, dict[str, tuple[dict[str, Any], str]]] = {
    "Python": {
        "S": ({"standard": True}, "the standard library"),
        "P": ({"standard": False, "internal": False}, "packages"),
        "O": ({"standard": False, "internal": True}, "own modules"),
    },
    "TypeScript": {
        "S": ({"standard": True}, "Node's own modules"),
        "P": ({"form": ["package"]}, "packages"),
        "A": ({"form": ["alias"]}, "own modules by alias"),
        "O": ({"form": ["relative"]}, "relative ones"),
    },
    "Go": {
        "S": ({"standard": True}, "the standard library"),
        "P": ({"standard": False}, "other modules"),
        "O": ({"module": []}, "the own module"),
    },
    "Java": {
        "S": ({"standard": True, "not": _STATIC}, "`java` and `javax`"),
        "P": ({"standard": False, "internal": False, "not": _STATIC}, "other packages"),
        "O": ({"standard": False, "internal": True, "not": _STATIC}, "own packages"),
    },
    "Rust": {
        "S": ({"standard": True}, "the standard library"),
        "P": ({"form": ["outside"]}, "other crates"),
        "O": ({"form": ["crate", "super", "self"]}, "the own crate"),
    },
}
_KINDS["JavaScript"] = _KINDS["TypeScript"]
# Where one block is sorted by its text, as tools and editors do it, kinds come in some order by chance.
_BY_TOOLS = 0.99
# Orders that people keep, groups parted by a bar, and how usual each is: apart by blank lines, or only in that order.
_LAYOUTS: dict[str, dict[str, tuple[float, float]]] = {
    "Python": {"S|P|O": (0.45, 0.7), "S|PO": (0.6, 0.85), "SP|O": (0.15, 0.8), "O|P|S": (0.02, 0.02)},
    "TypeScript": {
        "S|P|A|O": (0.05, 0.8),
        "S|P|AO": (0.12, 0.8),
        "SP|AO": (0.25, 0.85),
        "SP|A|O": (0.12, 0.8),
        "S|PAO": (0.15, 0.85),
        "AO|SP": (0.02, 0.05),
    },
    "Go": {"S|P|O": (0.25, _BY_TOOLS), "S|O|P": (0.08, _BY_TOOLS), "S|PO": (0.7, _BY_TOOLS)},
    "Java": {
        "S|PO": (0.25, _BY_TOOLS),
        "PO|S": (0.2, _BY_TOOLS),
        "S|P|O": (0.05, _BY_TOOLS),
        "P|O|S": (0.03, _BY_TOOLS),
        "O|P|S": (0.02, _BY_TOOLS),
    },
    "Rust": {
        "S|P|O": (0.2, _BY_TOOLS),
        "S|PO": (0.25, _BY_TOOLS),
        "O|P|S": (0.03, _BY_TOOLS),
        "SP|O": (0.1, _BY_TOOLS),
    },
}
_LAYOUTS["JavaScript"] = _LAYOUTS["TypeScript"]
_STATICS = {"T|N": (0.25, 0.35), "N|T": (0.35, 0.5)}
_SORTING = {"Python": 0.55, "TypeScript": 0.12, "JavaScript": 0.12, "Java": 0.5}
_HOWS = dict.fromkeys(CODE, ("module",)) | {"Python": ("module", "whole first")}
_MOST_PLACES, _LEAST_OF_A_PART = 2, 60
_KEPT, _REST = "kept", "N"
_NO_TOOL = (0, "", 0, "")
# Of so many files it is told which order to ask for; what few of them import has no place that anybody knows.
_SAMPLE, _MOSTLY, _FIRMLY, _RARE, _FEW = 2_000, 0.6, 0.87, 0.05, 4
_OF, _LOT = "sample of ", itemgetter(0, 1)
_GO_MODULE = re.compile(r"^module\s+(\S+)", re.MULTILINE)


def facts(source: Source) -> Any:
    """Keep the heads of what is imported, by blocks, and which ways of sorting the blocks keep."""
    if CONFIGURATIONS.fullmatch(source.name):
        return _of_configuration(source)
    if source.language not in CODE:
        return None
    blocks: list[list[Import]] = []
    for found, parted in head_of(imports_of(source), source.lines):
        if parted or not blocks:
            blocks.append([])
        blocks[-1].append(found)
    if sum(map(len, blocks)) < 2:
        return None
    hows = [how for how in _HOWS[source.language] if all(is_sorted(block, how) for block in blocks)]
    told: dict[str, Any] = {"heads": [list(_runs(source.language, block)) for block in blocks]}
    if source.language in _SORTING or source.language == "TSX":
        told["sorted"] = hows if any(len(block) >= MOST_UNSORTED for block in blocks) else None
    return told


def _runs(language: str, block: list[Import]) -> Iterator[str]:
    """Give of each import what tells its kind, one for all that follow each other with the same."""
    last = None
    for found in block:
        head = _head(language, found)
        if head != last:
            yield head
        last = head


def _head(language: str, found: Import) -> str:
    if language == "Java" and "static" in found.forms:
        return "T"
    if is_standard(language, found):
        return "S"
    match language:
        case "Python":
            return f"?{'.' if found.module.startswith('.') else found.module.partition('.')[0]}"
        case "Java":
            return f"?{'.'.join(found.module.split('.')[:3])}"
        case "Go":
            return f"?{'/'.join(found.module.split('/')[:4])}"
        case "Rust":
            return "P" if found.forms[0] == "outside" else "O"
    return {"relative": "O", "alias": "A"}.get(found.forms[0], "P")


def _of_configuration(source: Source) -> Any:
    if source.name == "go.mod":
        named = _GO_MODULE.search(source.text)
        return {"module": named.group(1)} if named else None
    tools = asked_in(source.name, source.text)
    return {"tools": tools} if tools else None


def survey(noted: dict[str, Any], file: File, facts: Any) -> None:
    """Note the Go module, who asks tools to keep an order, and what some files begin with."""
    if not facts:
        return
    if "heads" in facts:
        sample = noted.setdefault(f"{_OF}{tongue_of(file)}", [])
        # By lot, and always the same ones: files come in any order.
        sample.append((crc32(file.path.encode()), file.path, facts["heads"], facts.get("sorted")))
        if len(sample) == 2 * _SAMPLE:
            sample[:] = sorted(sample, key=_LOT)[:_SAMPLE]
    if "module" in facts and (file.path.count("/"), file.path) < noted.get("go", ((99, ""), ""))[0]:
        noted["go"] = ((file.path.count("/"), file.path), facts["module"])
    for tool, line, languages in facts.get("tools", ()):
        for language in languages:
            place = (file.path.count("/"), file.path, line, tool)
            noted[language] = min(noted.get(language, place), place)


def settle(world: World) -> None:
    """Choose what is asked of each language, and forget what some files begin with."""
    tongues = sorted(name.removeprefix(_OF) for name in world.noted if name.startswith(_OF))
    world.noted["asked"] = {tongue: _questions(tongue, world) for tongue in tongues}
    for tongue in tongues:
        del world.noted[f"{_OF}{tongue}"]


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let the head of each file vote on the orders that this repository seems to keep."""
    tongue = tongue_of(file) or ""
    if not facts or "heads" not in facts:
        return
    for question, layout, how in world.noted["asked"][tongue]:
        topic = _topic(question, layout, how, tongue, world)
        if question == "sorted":
            if facts.get("sorted") is not None:
                yield Vote(topic, (_KEPT,) if how in facts["sorted"] else ())
        elif (kept := _keeps(_kinds_of(facts["heads"], tongue, world), layout, how)) is not None:
            yield Vote(topic, (_KEPT,) if kept else ())


def _topic(question: str, layout: str, how: str, tongue: str, world: World) -> str:
    _, path, line, tool = world.noted.get(tongue, _NO_TOOL)
    return "\n".join((question, layout, how, _own(tongue, world), path, str(line), tool))


def claims(world: World) -> Iterator[Claim]:
    """Claim that imports are in the order that a tool is asked to keep, where it is known which one it makes."""
    for tongue, asked in world.noted["asked"].items():
        _, path, line, tool = world.noted.get(tongue, _NO_TOOL)
        for question, layout, how in asked if tool in MADE else ():
            if question == "order":
                topic = _topic(question, layout, how, tongue, world)
                declared = Declared(path, line, statement_of(tool))
                yield Claim(FAMILY.name, topic, _KEPT, (tongue,), declared, spoken_for(path))


def _questions(tongue: str, world: World) -> list[tuple[str, str, str]]:
    """Give what is worth asking: of each kind the finest order that nearly all of a sample keep, or else most."""
    sample = sorted(world.noted[f"{_OF}{tongue}"], key=_LOT)[:_SAMPLE]
    heads = [_kinds_of(head, tongue, world) for *_, head, _ in sample]
    found = []
    for question, layouts in (
        ("static", _STATICS if tongue == "Java" else {}),
        ("order", _reduced(tongue, _usual(heads))),
    ):
        choices = []
        made = MADE.get(world.noted.get(tongue, _NO_TOOL)[3], "")
        for layout in layouts:
            if turns_round(layout, made):
                continue
            for how in ("apart", "order"):
                kept = [each for head in heads if (each := _keeps(head, layout, how)) is not None]
                if len(kept) >= _FEW and sum(kept) >= _MOSTLY * len(kept):
                    share = sum(kept) / len(kept)
                    choices.append((share >= _FIRMLY, how == "apart", layout.count("|"), share, layout, how))
        if choices:
            *_, layout, how = max(choices)
            found.append((question, layout, how))
        elif question == "order" and (layout := _declared(tongue, layouts, world)):
            found.append((question, layout, "apart"))
    if tongue in _SORTING:
        ways = [way for *_, ways in sample for way in ways or ()]
        found.append(("sorted", "", max(_HOWS[tongue], key=ways.count)))
    return found


def _declared(tongue: str, layouts: Collection[str], world: World) -> str:
    """Give the order that a tool is asked to make, as far as there is something to be ordered."""
    made = MADE.get(world.noted.get(tongue, _NO_TOOL)[3], "")
    kinds = set().union(*layouts)
    groups = ["".join(kind for kind in group if kind in kinds) for group in made.split("|")]
    left = "|".join(group for group in groups if group)
    return left if left in layouts else ""


def _usual(heads: list[list[tuple[str, bool]]]) -> frozenset[str]:
    """Give the kinds that are imported here at all: of others nobody knows where they stand."""
    files = Counter(kind for head in heads for kind in {kind for kind, _ in head})
    return frozenset(kind for kind, count in files.items() if count >= max(_FEW, _RARE * len(heads)))


def _keeps(head: list[tuple[str, bool]], layout: str, how: str) -> bool | None:
    """Tell whether a head keeps an order; None where it has imports of one group at most."""
    ranks = {kind: rank for rank, group in enumerate(layout.split("|")) for kind in group}
    ranked = [(rank, parted) for kind, parted in head if (rank := ranks.get(kind, ranks.get(_REST))) is not None]
    if len({rank for rank, _ in ranked}) < 2:
        return None
    return misplaced(ranked, apart=how == "apart") is None


def _kinds_of(blocks: list[list[str]], tongue: str, world: World) -> list[tuple[str, bool]]:
    own = _own(tongue, world)
    return [
        (_kind(head, tongue, own, world.listing), number == 0) for block in blocks for number, head in enumerate(block)
    ]


def _own(tongue: str, world: World) -> str:
    return world.noted.get("go", (None, ""))[1] if tongue == "Go" else ""


def _kind(head: str, tongue: str, own: str, listing: Listing) -> str:
    if head[0] != "?":
        return head
    if tongue == "Go":
        return "O" if own and f"{head[1:]}/".startswith(f"{own}/") else "P"
    return "O" if listing.internal(tongue, head[1:]) else "P"


def _reduced(tongue: str, kinds: Collection[str]) -> dict[str, tuple[float, float]]:
    """Give the layouts with only some kinds in them, and how usual they are."""
    found: dict[str, tuple[float, float]] = {}
    for layout, (apart, order) in _LAYOUTS[tongue].items():
        groups = ["".join(kind for kind in group if kind in kinds) for group in layout.split("|")]
        left = "|".join(group for group in groups if group)
        if "|" in left:
            known = found.get(left, (0.0, 0.0))
            found[left] = (max(apart, known[0]), max(order, known[1]))
    return found


def propose(finding: Finding) -> Proposal | None:
    """Say the order, and who keeps it."""
    question, layout, how, own, path, line, tool = finding.topic.split("\n")
    # How a head looks is a matter of the repository or of a large part of it; small parts are alike by chance.
    if len(finding.scope.include) > _MOST_PLACES or (finding.scope.include and finding.applicable < _LEAST_OF_A_PART):
        return None
    sentence, definition, weight = {"sorted": _sorted, "static": _statics, "order": _ordered}[question](
        finding, layout, how, own
    )
    rule = Rule(RuleKind.IMPORT, {"per": "file", **definition}, finding.scope)
    proposal = Proposal(sentence, rule, PatternCategory.DEPENDENCY, weight=weight)
    folder = spoken_for(path)
    if not path or (folder and not all(f"{glob}/".startswith(f"{folder}/") for glob in finding.scope.include or ("",))):
        return proposal
    declared = Declared(path, int(line), statement_of(tool))
    return replace(proposal, declared=declared, detail=f"{tool} keeps it so: `{path}`.", weight=weight / 2)


Said = tuple[str, dict[str, Any], float]


def _sorted(finding: Finding, _: str, how: str, __: str) -> Said:
    shown = "are sorted by module within their group"
    if how != "module":
        shown = "are sorted within their group: `import …` before `from … import`, both by module"
    return f"{in_scope(finding, 'Imports')} {shown}", {"sorted": how}, 0.8


def _statics(finding: Finding, layout: str, how: str, _: str) -> Said:
    first = layout.startswith("T")
    groups = [[_STATIC], [{"not": _STATIC}]]
    parted = ", with a blank line between" if how == "apart" else ""
    sentence = f"{in_scope(finding, 'Static imports')} stand {'before' if first else 'after'} all others{parted}"
    return sentence, {"order": groups if first else groups[::-1], "apart": how == "apart"}, 0.8


def _ordered(finding: Finding, layout: str, how: str, own: str) -> Said:
    kinds = dict(_KINDS[finding.tongue or ""])
    if finding.tongue == "Go":
        module = {"module": [own or "-", f"{own or '-'}/*"]}
        kinds["O"] = (module, f"`{own}`")
        kinds["P"] = ({"standard": False, "not": module}, kinds["P"][1])
    groups = layout.split("|")
    shown = [" and ".join(kinds[kind][1] for kind in group) for group in groups]
    if len(groups[-1]) > 1:
        shown[-1] = "all others"
    words = "stand in groups with a blank line between" if how == "apart" else "stand in this order"
    sentence = f"{in_scope(finding, 'Imports')} {words}: {', '.join(shown)}"
    order = [[kinds[kind][0] for kind in group] for group in groups]
    return sentence, {"order": order, "apart": how == "apart"}, 1.0 if how == "apart" else 0.8


def prior(finding: Finding) -> float:
    """Know which orders are usual."""
    question, layout, how, *_ = finding.topic.split("\n")
    if question == "sorted":
        return _SORTING.get(finding.tongue or "", 0.9)
    layouts = _STATICS if question == "static" else _reduced(finding.tongue or "", frozenset(layout))
    return layouts[layout][0 if how == "apart" else 1]


FAMILY = Family(
    "import-order",
    votes,
    propose,
    facts=facts,
    version=3,
    languages=None,
    roles=WRITTEN | {FileRole.DOCS, FileRole.ASSET},
    prior=prior,
    least=Least(sites=10, files=8, share=0.87, careful=0.8, bits=0.35),
    most=6,
    survey=survey,
    settle=settle,
    claims=claims,
)
