"""Under which name things are imported: `metav1 "k8s.io/…/meta/v1"`, `from django… import gettext_lazy as _`.

Says, for instance: "Go package `go.etcd.io/etcd/client/v3` is imported as `clientv3`" and "Rust files import `Error` of
`error` as `StdError`". That a package is called by a
part of its path says nothing, for tools write that. Modules of Python as wholes (`import typing as t`) are asked about
with the ways in which they are imported.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Source, imports_of, text_of

_MOST = 120
_LEAST_FILES = 4
_PLAIN = ""
_Named = tuple[tuple[str, str], str]
# What stands around the name of a package in its path.
_AROUND = re.compile(r"^(go|lib)[-.]|[-.](go|golang|lib)$|\.v\d+$")


def facts(source: Source) -> Any:
    """List what is imported from outside of the language, with the name that it gets here."""
    found = dict(_READERS[source.language](source))
    return [[*what, name] for what, name in sorted(found.items())[:_MOST]] or None


def _go(source: Source) -> Iterator[_Named]:
    for each in imports_of(source):
        if "plain" in each.forms or "alias" in each.forms:
            named = each.alias if each.alias and not _is_part(each.alias, each.module) else _PLAIN
            if named or "outside" in each.forms:
                yield (each.module, ""), named


def _python(source: Source) -> Iterator[_Named]:
    for each in imports_of(source):
        if "names" in each.forms and each.forms[0] == "absolute" and each.module != "__future__":
            # Who says that a name is passed on gives it its own once more.
            renamed = {name: alias for name, alias in each.renamed if alias != name}
            for name in each.names:
                # Classes hardly ever get another name; to keep them all would be dear.
                if name in renamed or name.islower():
                    yield (each.module, name), renamed.get(name, _PLAIN)


def _rust(source: Source) -> Iterator[_Named]:
    """Give what is imported by a path of its own: what stands in a list has the last part of its path alone."""
    for node in source.nodes("use_as_clause", "scoped_identifier"):
        above, path, alias = node.parent, node, _PLAIN
        if node.type == "use_as_clause":
            path, alias = node.child_by_field_name("path") or node, text_of(node.child_by_field_name("alias"))
        elif above is None or above.type not in ("use_declaration", "use_list"):
            continue
        module, _, name = text_of(path).rpartition("::")
        if module:
            yield (module.rpartition("::")[2], name), alias


_READERS = {"Go": _go, "Python": _python, "Rust": _rust}


def _is_part(alias: str, path: str) -> bool:
    segments = [_AROUND.sub("", part).lower() for part in path.split("/")]
    words = {word for segment in segments for word in (re.sub(r"[-_.]", "", segment), *re.split(r"[-_.]", segment))}
    return alias.replace("_", "").lower() in words


def survey(noted: dict[str, Any], _: File, facts: Any) -> None:
    """Note in how many files something gets a name of its own."""
    renamed = noted.setdefault("renamed", Counter())
    renamed.update((module, name) for module, name, alias in facts or () if alias)


def votes(_: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each import of what often gets a name of its own vote for the name that it gets here."""
    for module, name, alias in facts or ():
        if world.noted["renamed"][module, name] >= _LEAST_FILES:
            yield Vote(json.dumps([module, name]), (alias or "plain",))


def propose(finding: Finding) -> Proposal | None:
    """Say the name."""
    if finding.form == "plain":
        return None
    module, name = json.loads(finding.topic)
    if finding.tongue == "Rust":
        return _of_rust(finding, module, name)
    applicable: dict[str, Any] = {"module": [module], **({"names": [name]} if name else {"form": ["plain", "alias"]})}
    rule = Rule(
        RuleKind.IMPORT,
        {"per": "import", "applicable": applicable, "conforming": {"alias": [finding.form]}},
        finding.scope,
        alternative=_shown(finding.alternative, name) if finding.alternative else None,
    )
    what = f"`{name}` of `{module}`" if name else f"`{module}`"
    return Proposal(
        f"{in_scope(finding, 'Files')} import {what} as `{finding.form}`", rule, PatternCategory.NAMING, weight=0.7
    )


def _of_rust(finding: Finding, module: str, name: str) -> Proposal:
    shape = rf"(^|::){module}::{name}$"
    renamed = {"kind": "use_as_clause", "has": {"field": "path", "regex": shape}}
    plain = {"kind": "scoped_identifier", "regex": shape}
    inside = {"inside": {"any": [{"kind": "use_declaration"}, {"kind": "use_list"}]}}
    rule = Rule(
        RuleKind.AST,
        {
            "applicable": {"any": [renamed, {**plain, **inside}]},
            "conforming": {"has": {"field": "alias", "regex": f"^{finding.form}$"}},
        },
        finding.scope,
        alternative=_shown(finding.alternative, name) if finding.alternative else None,
    )
    sentence = f"{in_scope(finding, 'Files')} import `{module}::{name}` as `{finding.form}`"
    return Proposal(sentence, rule, PatternCategory.NAMING, weight=0.7)


def _shown(form: str, name: str) -> str:
    if form != "plain":
        return f"`{form}`"
    return f"`{name}`" if name else "the package's own name"


def prior(_: Finding) -> float:
    """Know that most of what is imported keeps its name."""
    return 0.1


FAMILY = Family(
    "import-aliases",
    votes,
    propose,
    facts=facts,
    version=2,
    languages=frozenset(_READERS),
    prior=prior,
    least=Least(sites=8, files=5, share=0.87),
    survey=survey,
    most=6,
    most_of_a_place=1,
)
