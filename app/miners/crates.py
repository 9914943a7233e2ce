"""How the crates of a workspace are put together: where their dependencies come from, and how that is spelled.

Says, for instance: "Dependencies of crates come from the workspace: `name.workspace = true`" and "What crates take from
the workspace is written `name = { workspace = true }`". Asked is each dependency with a version or a source of its own;
what only lies beside is a crate of the repository.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import places_in_words
from app.syntax import Source

_MANIFEST = "Cargo.toml"
# The tables of dependencies of one crate; those of the workspace speak for all.
_TABLES = r"(?m)^\[(?:target\.[^\n]*\.)?(?:dev-|build-)?dependencies\][^\n]*\n(?:[^\[\n][^\n]*\n?|\n)*"
_NAMED = r"(?m)^[\w-]+"
# As far as its line goes: what tables hold over several lines are lists of features.
_DEPENDENCY = (
    rf'{_NAMED}(?:\.workspace\s*=\s*true|\s*=\s*(?:"[^"\n]*"|\{{[^}}\n]*\b(?:workspace|version|git)\s*=[^}}\n]*))'
)
_TAKEN = r"\bworkspace\s*=\s*true"
_PLAINLY_TAKEN = rf"{_NAMED}(?:\.workspace\s*=\s*true|\s*=\s*\{{\s*workspace\s*=\s*true\s*\}})"
_DOTTED = r"\.workspace\b"
_FORMS = {"dotted": ("name.workspace = true", 0.5), "braced": ("name = { workspace = true }", 0.4)}
_MANIFESTS = frozenset((FileRole.CONFIG, FileRole.SOURCE))


def facts(source: Source) -> Any:
    """Count the dependencies of a crate that come from the workspace and those that do not, and how that is spelled."""
    if source.name != _MANIFEST:
        return None
    found = {"workspace": 0, "own": 0, "dotted": 0, "braced": 0}
    for table in re.finditer(_TABLES, source.text):
        for dependency in re.findall(_DEPENDENCY, table.group()):
            found["workspace" if re.search(_TAKEN, dependency) else "own"] += 1
        for taken in re.findall(_PLAINLY_TAKEN, table.group()):
            found["dotted" if re.search(_DOTTED, taken) else "braced"] += 1
    return found if any(found.values()) else None


def votes(file: File, facts: Any, _: World) -> Iterable[Vote]:
    """Let each dependency vote, but for those of the crate at the top, which speaks for the workspace."""
    if facts is None or not file.folder:
        return
    yield Vote("source", ("workspace",), facts["workspace"])
    yield Vote("source", (), facts["own"])
    for form in _FORMS:
        yield Vote("spelling", (form,), facts[form])


def propose(finding: Finding) -> Proposal | None:
    """Say where they come from, and how it is written."""
    folders = [glob.partition("**")[0] for glob in finding.scope.include if not glob.startswith("**/")]
    include = tuple(f"{folder}**/{_MANIFEST}" for folder in folders) or (f"*/**/{_MANIFEST}",)
    places = places_in_words(finding.scope, finding.tongue)
    if finding.topic == "source":
        definition: dict[str, Any] = {
            "per": "match",
            "within": _TABLES,
            "applicable": _DEPENDENCY,
            "conforming": _TAKEN,
        }
        name = (
            f"Dependencies of crates{places} come from the workspace (`workspace = true`), with no version of their own"
        )
        other = "a version of its own"
    else:
        dotted = finding.form == "dotted"
        definition = {"per": "match", "within": _TABLES, "applicable": _PLAINLY_TAKEN, "conforming": _DOTTED}
        definition |= {} if dotted else {"absent": True}
        name = f"What crates{places} take from the workspace is written `{_FORMS[finding.form][0]}`"
        other = f"`{_FORMS['braced' if dotted else 'dotted'][0]}`"
    rule = Rule(
        RuleKind.REGEX,
        definition,
        replace(finding.scope, include=include),
        alternative=other if finding.share < 1 else None,
    )
    return Proposal(name, rule, PatternCategory.DEPENDENCY, weight=1.2 if finding.topic == "source" else 0.8)


def prior(finding: Finding) -> float:
    """Know that workspaces which share dependencies do not share all of them."""
    return 0.3 if finding.topic == "source" else _FORMS[finding.form][1]


FAMILY = Family(
    "crates",
    votes,
    propose,
    facts=facts,
    version=2,
    languages=None,
    roles=_MANIFESTS,
    prior=prior,
    least=Least(sites=12, files=4, share=0.85, careful=0.78),
)
