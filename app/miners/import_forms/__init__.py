"""In which form things are imported: relative or absolute, `node:fs` or `fs`, `import typing as t`, with file suffixes.

Says, for instance: "Python modules of `httpx` import each other relatively". Only imports that could have been written
in another form vote.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.rule import Rule, RuleKind, Scope
from app.miners.core.family import SCRIPTS, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope, listed_places
from app.miners.import_forms.reach import is_reach, reached, settle, told, usual
from app.syntax import Source, imports_of

_OWN = "own modules of "
_WAY = "way of "
# That so few files of one part import a module alike is chance.
_LEAST_OF_A_PART = 20
_ALIASES = ("@/", "~/", "#", "~")
_ASSERTIONS = (
    "org.junit.jupiter.api.Assertions",
    "org.junit.Assert",
    "org.assertj.core.api.Assertions",
    "org.mockito.Mockito",
)
_USUAL = {
    ("builtin", "node"): 0.5,
    ("extension", "bare"): 0.95,
    ("extension", "extension"): 0.25,
    ("loading", "import"): 0.55,
    ("loading", "require"): 0.4,
    ("climbing", "alias"): 0.25,
    ("climbing", "relative"): 0.6,
    ("own", "crate"): 0.65,
    ("own", "super"): 0.25,
    ("assertions", "static"): 0.6,
    ("wildcards", "single"): 0.85,
}
# Modules that are imported in more than one way everywhere, and how often in which.
_WAYS = {
    "typing": {"from typing import …": 0.93, "import typing": 0.08},
    "datetime": {"from datetime import …": 0.6, "import datetime": 0.4},
    "collections.abc": {"from collections.abc import …": 0.97},
    "os.path": {"import os.path": 0.5},
    "zod": {"import { … }": 0.75, "import * as": 0.2},
    "react": {"import * as": 0.25, "import default": 0.4, "import { … }": 0.4},
    "lodash": {"import default": 0.5, "import { … }": 0.4},
}
# Names that everybody gives some modules.
_GIVEN_NAMES = frozenset(
    ("np", "npt", "pd", "plt", "mpl", "tf", "sns", "ET", "nn", "F", "sp", "nx", "jnp", "pa", "pl", "xr", "gpd", "st")
)


def facts(source: Source) -> Any:
    """List what is imported and how."""
    return [
        [each.module, list(each.forms), each.alias, each.type_only, each.top] for each in imports_of(source)
    ] or None


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each import vote on the questions that it answers."""
    for module, forms, alias, type_only, top in facts or ():
        if file.language == "Python":
            yield from _python(file, module, forms, alias, world)
        elif file.language in SCRIPTS:
            yield from _script(module, forms, type_only, top)
            yield from reached(file, module, forms, type_only, world)
        elif file.language == "Java":
            if module.startswith(_ASSERTIONS) and module not in _ASSERTIONS[:2]:
                yield Vote("assertions", ("static" if "static" in forms else "plain",))
            if "static" not in forms:
                yield Vote("wildcards", ("wildcard" if "wildcard" in forms else "single",))
        elif file.language == "Rust" and forms[0] in ("crate", "super"):
            yield Vote("own", (forms[0],))


def _python(file: File, module: str, forms: list[str], alias: str | None, world: World) -> Iterable[Vote]:
    if module == "__future__":
        return
    if "star" not in forms:
        package, place = _package_of(file, world)
        if package is not None and (forms[0] == "relative" or module.partition(".")[0] == package):
            yield Vote(f"{_OWN}{place}", (forms[0],))
    if forms[0] == "absolute":
        name = f" as {alias}" if alias and "module" in forms else ""
        yield Vote(f"{_WAY}{module}", (f"import {module}{name}" if "module" in forms else f"from {module} import …",))


def _package_of(file: File, world: World) -> tuple[str | None, str]:
    """Name the topmost package that a module is in, and its folder."""
    place, package = file.folder, None
    while place and place in world.listing.python_folders:
        package, top = place.rpartition("/")[2], place
        place = place.rpartition("/")[0]
    # Below `src` packages may do without `__init__.py`.
    above, _, below = f"/{file.folder}/".partition("/src/")
    name = below.partition("/")[0]
    if name and f"/{place}/".startswith(f"{above}/src/{name}/"):
        package, top = name, f"{above}/src/{name}"[1:]
    return (None, "") if package is None else (package, top)


def _script(module: str, forms: list[str], type_only: bool, top: bool) -> Iterable[Vote]:
    if forms[0] in ("node", "builtin"):
        yield Vote("builtin", (forms[0],))
    elif forms[0] == "relative":
        yield Vote("extension", (forms[1],))
    if module.startswith("../"):
        yield Vote("climbing", ("relative",))
    elif module.startswith(_ALIASES):
        yield Vote("climbing", ("alias",))
    if top and not type_only and "dynamic" not in forms and "export" not in forms:
        yield Vote("loading", ("require" if "require" in forms else "import",))
    if forms[0] in ("package", "node", "builtin") and not type_only:
        for form, way in (("namespace", "import * as"), ("default", "import default"), ("named", "import { … }")):
            if form in forms:
                yield Vote(f"{_WAY}{module}", (way,))
                break


def propose(finding: Finding) -> Proposal | None:
    """Say the form, and which imports it is about."""
    if is_reach(finding):
        return told(finding)
    if finding.topic.startswith(_OWN):
        return _own(finding)
    if finding.topic.startswith(_WAY):
        return _way(finding)
    said = _SAYINGS.get((finding.topic, finding.form))
    # Who has no alias at all had no choice.
    if said is None or ((finding.topic, finding.form) == ("climbing", "relative") and not finding.rivals):
        return None
    subject, sentence, applicable, conforming, alternative = said
    rule = Rule(
        RuleKind.IMPORT,
        {"per": "import", "applicable": applicable, "conforming": conforming},
        finding.scope,
        alternative=alternative if finding.rivals else None,
    )
    return Proposal(f"{in_scope(finding, subject)} {sentence}", rule, PatternCategory.DEPENDENCY)


_RELATIVE = {"module": ["./*", "../*"]}
_CLIMBING = {"module": ["../*", *(f"{alias}*" for alias in _ALIASES)]}
_LOADED: dict[str, Any] = {
    "top": True,
    "type_only": False,
    "form": ["require", "default", "named", "namespace", "side-effect"],
}
_SAYINGS: dict[tuple[str, str], tuple[str, str, dict[str, Any], dict[str, Any], str]] = {
    ("builtin", "node"): (
        "Imports of Node's own modules",
        "begin with `node:`",
        {"form": ["node", "builtin"]},
        {"form": ["node"]},
        "the bare name",
    ),
    ("builtin", "builtin"): (
        "Imports of Node's own modules",
        "use the bare name, without `node:`",
        {"form": ["node", "builtin"]},
        {"form": ["builtin"]},
        "`node:`",
    ),
    ("extension", "extension"): (
        "Relative imports",
        "name the file with its extension",
        _RELATIVE,
        {"form": ["extension"]},
        "no extension",
    ),
    ("extension", "bare"): (
        "Relative imports",
        "leave the extension out",
        _RELATIVE,
        {"form": ["bare"]},
        "with extension",
    ),
    ("climbing", "alias"): (
        "Imports from other folders",
        "go through an alias such as `@/`, not through `../`",
        _CLIMBING,
        {"form": ["alias"]},
        "`../`",
    ),
    ("climbing", "relative"): (
        "Imports from other folders",
        "are relative (`../`), not through an alias",
        _CLIMBING,
        {"form": ["relative"]},
        "an alias",
    ),
    ("loading", "import"): (
        "Modules",
        "are loaded by `import`, not by `require`",
        _LOADED,
        {"form": ["default", "named", "namespace", "side-effect"]},
        "`require`",
    ),
    ("loading", "require"): (
        "Modules",
        "are loaded by `require`, not by `import`",
        _LOADED,
        {"form": ["require"]},
        "`import`",
    ),
    ("own", "crate"): (
        "Modules of the same crate",
        "are imported from `crate::`, not from `super::`",
        {"form": ["crate", "super"]},
        {"form": ["crate"]},
        "`super::`",
    ),
    ("own", "super"): (
        "Modules of the same crate",
        "are imported from `super::`, not from `crate::`",
        {"form": ["crate", "super"]},
        {"form": ["super"]},
        "`crate::`",
    ),
    ("assertions", "static"): (
        "Assertions and mocks",
        "are imported statically",
        {"module": [f"{module}*" for module in _ASSERTIONS]},
        {"form": ["static"]},
        "the class",
    ),
    ("wildcards", "single"): (
        "Imports",
        "name each class; there are no wildcards",
        {"form": ["single", "wildcard"]},
        {"form": ["single"]},
        "`.*`",
    ),
}


def _own(finding: Finding) -> Proposal:
    place = finding.topic.removeprefix(_OWN)
    package = place.rpartition("/")[2]
    relative = finding.form == "relative"
    scope = finding.scope if finding.scope.include else replace(finding.scope, include=(f"{place}/**",))
    rule = Rule(
        RuleKind.IMPORT,
        {
            "per": "import",
            "applicable": {"module": [".*", package, f"{package}.*"]},
            "conforming": {"form": [finding.form]},
        },
        scope,
        alternative=(f"`from {package}. …`" if relative else "`from . …`") if finding.rivals else None,
    )
    how = "relatively" if relative else f"absolutely, from `{package}`"
    where = _places(scope, place)
    return Proposal(f"Python modules of `{package}`{where} import each other {how}", rule, PatternCategory.DEPENDENCY)


def _places(scope: Scope, place: str) -> str:
    return listed_places([glob.removesuffix("**") for glob in scope.include if glob != f"{place}/**"])


def _way(finding: Finding) -> Proposal | None:
    module = finding.topic.removeprefix(_WAY)
    # How a module is imported is news only where there are two ways that people take, or where it gets a name.
    single = not finding.rivals and not finding.form.startswith(f"import {module} as ")
    if module not in _WAYS and (single or finding.form == f"import {module}"):
        return None
    if finding.scope.include and finding.applicable < _LEAST_OF_A_PART:
        return None
    conforming: dict[str, Any]
    if finding.tongue == "Python":
        if finding.form.startswith("from "):
            conforming = {"form": ["names"]}
            shown = f"names are imported from it (`{finding.form}`)"
        else:
            alias = finding.form.partition(" as ")[2]
            conforming = {"form": ["module"], **({"alias": [alias]} if alias else {})}
            shown = f"is imported as a whole: `{finding.form}`"
        if finding.form.startswith("from "):
            name = f"From `{module}` names are imported, not the module: `{finding.form}`"
        else:
            name = f"`{module}` {shown}"
        applicable: dict[str, Any] = {"module": [module], "form": ["absolute"]}
    else:
        form = {"import * as": "namespace", "import default": "default", "import { … }": "named"}[finding.form]
        applicable = {"module": [module], "type_only": False, "form": ["namespace", "default", "named"]}
        conforming = {"form": [form]}
        name = f"`{module}` is imported by `{finding.form.replace('default', 'name')}`"
    rule = Rule(
        RuleKind.IMPORT,
        {"per": "import", "applicable": applicable, "conforming": conforming},
        finding.scope,
        alternative=f"`{finding.alternative}`" if finding.alternative else None,
    )
    return Proposal(f"{name}{_where(finding)}", rule, PatternCategory.DEPENDENCY, weight=0.8)


def _where(finding: Finding) -> str:
    return listed_places([glob.removesuffix("**") for glob in finding.scope.include])


def prior(finding: Finding) -> float:
    """Know which forms most people write."""
    if finding.topic.startswith(_OWN):
        return 0.45 if finding.form == "relative" else 0.6
    if finding.topic.startswith(_WAY):
        return _usual_way(finding)
    if is_reach(finding):
        return usual(finding)
    if finding.topic == "loading" and finding.tongue == "TypeScript":
        return 0.97
    # What bundlers find without an extension the runtime of JavaScript does not.
    if (finding.topic, finding.form, finding.tongue) == ("extension", "bare", "TypeScript"):
        return 0.85
    return _USUAL.get((finding.topic, finding.form), 0.5)


def _usual_way(finding: Finding) -> float:
    module, form = finding.topic.removeprefix(_WAY), finding.form
    if module in _WAYS:
        return _WAYS[module].get(form, 0.05)
    # A module that is taken whole by most and by default or in parts by some leaves the choice.
    if form == "import * as" and finding.rivals:
        return 0.7
    name = form.partition(" as ")[2]
    return 0.92 if not name else 0.97 if name in _GIVEN_NAMES else 0.1


FAMILY = Family(
    "import-forms",
    votes,
    propose,
    facts=facts,
    version=2,
    prior=prior,
    least=Least(sites=8, files=4, share=0.87),
    settle=settle,
)
