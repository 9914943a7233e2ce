"""What types of Go with one ending have, though no interface demands it: a field, a method, a constructor.

Says, for instance: "Go types `…Options` have a method `AddFlags`", "Go types `…Controller` embed `baseController`" and
"Go types `…Handler` are made by `New…Handler`".
Go has no classes to extend; what types are called is what they have in common.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Node, Source, text_of

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_MADE, _EMBEDDED, _FIELD = "made", "embed ", "field "
_MOST, _MOST_FIELDS, _LONGEST, _LEAST_WORD, _MOST_SHOWN = 60, 20, 60, 4, 3
_RECEIVED = re.compile(r"\*?(\w+)(?:\[[^\]]*\])?\s*\)$")
# What the language's own interfaces ask for is done by all kinds of types.
_GIVEN_NAMES = "Close Error Len Less Read Reset ServeHTTP String Swap Unwrap Write"
_GIVEN = frozenset(_GIVEN_NAMES.split())


def facts(source: Source) -> Any:
    """List the types of a file with what they have in it, and what its interfaces demand."""
    has: dict[str, set[str]] = {}
    demanded: set[str] = set()
    for spec in source.nodes("type_spec"):
        kind = spec.child_by_field_name("type")
        if kind is not None and kind.type == "struct_type":
            has[text_of(spec.child_by_field_name("name"))] = set(_parts(kind))
        elif kind is not None and kind.type == "interface_type":
            demanded.update(
                text_of(each.child_by_field_name("name")) for each in kind.named_children if each.type == "method_elem"
            )
    if has:
        for method in source.nodes("method_declaration"):
            found = _RECEIVED.search(text_of(method.child_by_field_name("receiver")))
            if found is not None and found.group(1) in has:
                has[found.group(1)].add(text_of(method.child_by_field_name("name")))
        made = {text_of(each.child_by_field_name("name"))[3:] for each in source.nodes("function_declaration")}
        for name in has:
            if name[:1].upper() + name[1:] in made:
                has[name].add(_MADE)
    types = [[name, sorted(own)] for name, own in has.items() if _ending(name)][:_MOST]
    return [types, sorted(demanded)] if types or demanded else None


def _parts(struct: Node) -> Iterator[str]:
    """Give what a struct embeds, and its fields."""
    fields = (each for listed in struct.named_children for each in listed.named_children)
    for field in islice((each for each in fields if each.type == "field_declaration"), _MOST_FIELDS):
        kind = field.child_by_field_name("type")
        if kind is None or field.end_byte - field.start_byte > _LONGEST:
            continue
        named = field.child_by_field_name("name")
        if named is not None:
            yield f"{_FIELD}{text_of(named)} {text_of(kind)}"
        else:
            yield f"{_EMBEDDED}{text_of(field).partition('`')[0].strip()}"


def _ending(name: str) -> str | None:
    words = _WORDS.findall(name)
    return words[-1] if len(words) > 1 and len(words[-1]) >= _LEAST_WORD else None


def survey(noted: dict[str, Any], _: File, facts: Any) -> None:
    """Note what interfaces demand."""
    noted.setdefault("demanded", set()).update(facts[1] if facts else ())


def votes(_: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each type vote for what it has."""
    for name, own in facts[0] if facts else ():
        free = (each for each in own if each not in world.noted["demanded"] and each not in _GIVEN)
        yield Vote(f"…{_ending(name)}", tuple(free))


def propose(finding: Finding) -> Proposal | None:
    """Say what they have."""
    ending = finding.topic.removeprefix("…")
    named = {"has": {"field": "name", "regex": f"[a-zA-Z0-9]{ending}$"}}
    told = [_told(form, ending) for form in sorted(finding.together or (finding.form,))[:_MOST_SHOWN]]
    fits = [shape for _, shape in told]
    rule = Rule(
        RuleKind.AST,
        {
            "applicable": {"kind": "type_spec", "all": [named, {"has": {"field": "type", "kind": "struct_type"}}]},
            "conforming": fits[0] if len(fits) == 1 else {"all": fits},
        },
        finding.scope,
    )
    says = " and ".join(says for says, _ in told)
    return Proposal(f"{in_scope(finding, f'Types `…{ending}`')} {says}", rule, PatternCategory.STRUCTURAL)


def _told(form: str, ending: str) -> tuple[str, dict[str, Any]]:
    """Give the words and the shape of what such a type has."""
    word, _, inner = form.partition(" ")
    if inner:
        shape = r"\s+".join(map(re.escape, inner.split(" ", 1)))
        field = {"kind": "field_declaration", "regex": rf"^{shape}(\s+`|$)"}
        says = f"embed `{inner}`" if word in _EMBEDDED else f"have a field `{inner}`"
        return says, {"has": {"field": "type", "has": {"kind": "field_declaration_list", "has": field}}}
    if form == _MADE:
        made = {"kind": "function_declaration", "has": {"field": "name", "regex": rf"^[nN]ew\w*{ending}$"}}
        return f"are made by `New…{ending}`", _beside(made)
    method = {
        "kind": "method_declaration",
        "all": [
            {"has": {"field": "name", "regex": f"^{form}$"}},
            {"has": {"field": "receiver", "regex": rf"{ending}(\[.*\])?\s*\)$"}},
        ],
    }
    return f"have a method `{form}`", _beside(method)


def _beside(shape: dict[str, Any]) -> dict[str, Any]:
    return {"inside": {"kind": "source_file", "has": shape, "stopBy": "end"}}


def prior(finding: Finding) -> float:
    """Know that types are often made by a function."""
    return 0.4 if finding.form == _MADE else 0.15


FAMILY = Family(
    "go-types",
    votes,
    propose,
    facts=facts,
    version=2,
    languages=frozenset(("Go",)),
    roles=frozenset((FileRole.SOURCE,)),
    prior=prior,
    least=Least(sites=10, files=6, share=0.88, rising=False),
    survey=survey,
    open=True,
    joins=True,
    most=4,
)
