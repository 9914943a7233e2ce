"""How scripts reach for modules: a package as a whole or by its parts, other folders from the base or by `../`."""

from collections.abc import Iterable
from dataclasses import replace

from app.domain.pattern import PatternCategory
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import File, Finding, Proposal, Vote, World
from app.miners.core.words import in_scope, listed_places

_PARTS = "parts of "
_BASED = "modules below "
# So many imports of one package are no habit yet.
_LEAST_PARTS = 20
_MOST_FOLDERS = 40
# Packages that people take either way; of others one can hardly tell whether a part could be had from the whole.
_EITHER_WAY = (
    "@fluentui/react @material-ui/core @material-ui/icons @mui/icons-material @mui/joy @mui/lab @mui/material antd "
    "core-js date-fns es-toolkit lodash lodash-es ramda react-bootstrap rxjs"
)
_DIVIDED = frozenset(_EITHER_WAY.split())
_BASE = "src"
_ENDINGS = ("", ".ts", ".tsx", ".js", ".jsx", ".vue", ".svelte")


def reached(file: File, module: str, forms: list[str], type_only: bool, world: World) -> Iterable[Vote]:
    """Vote for how much of a package is taken, and for how a module of another folder is named."""
    climbs = module.startswith("../")
    if not climbs and forms[0] != "package":
        return
    above, found, _ = f"/{file.folder}/".rpartition(f"/{_BASE}/")
    base = f"{above}/{_BASE}"[1:]
    folders = world.noted["bases"].get(base, ()) if found else ()
    if (
        "/" in module
        and folders
        and (climbs or (module.partition("/")[0] in folders and _leads(f"{base}/{module}", world)))
    ):
        yield Vote(f"{_BASED}{base}:{' '.join(folders)}", ("relative" if climbs else "absolute",))
    elif not climbs and not type_only and forms[-1] not in ("dynamic", "export"):
        words = module.split("/")
        package = "/".join(words[: 2 if module.startswith("@") else 1])
        if package in _DIVIDED:
            yield Vote(f"{_PARTS}{package}", ("whole" if module == package else "part",))


def settle(world: World) -> None:
    """Note the folders of sources, and which folders are in each."""
    held = world.listing.folders
    bases = world.noted["bases"] = {}
    for base, names in held.items():
        if base.rpartition("/")[2] == _BASE:
            bases[base] = [name for name in names if f"{base}/{name}" in held][:_MOST_FOLDERS]


def _leads(path: str, world: World) -> bool:
    """Tell whether a path from the base is a module: a package may be called like a folder of the sources."""
    return path in world.listing.folders or any(f"{path}{ending}" in world.listing.paths for ending in _ENDINGS)


def is_reach(finding: Finding) -> bool:
    """Tell whether a finding answers one of these questions."""
    return finding.topic.startswith((_PARTS, _BASED))


def usual(finding: Finding) -> float:
    """Know how many take a package so."""
    if finding.topic.startswith(_PARTS):
        return 0.35 if finding.form == "part" else 0.6
    return 0.25


def told(finding: Finding) -> Proposal | None:
    """Say it where somebody does otherwise, or could."""
    if finding.topic.startswith(_PARTS):
        return _parts(finding)
    return _based(finding)


def _parts(finding: Finding) -> Proposal | None:
    package = finding.topic.removeprefix(_PARTS)
    if finding.applicable < _LEAST_PARTS:
        return None
    part = finding.form == "part"
    how = f"by its parts (`{package}/…`), not as a whole" if part else f"as a whole, not by its parts (`{package}/…`)"
    rule = Rule(
        RuleKind.IMPORT,
        {
            "per": "import",
            "applicable": {
                "module": [package, f"{package}/*"],
                "type_only": False,
                "form": ["default", "named", "namespace", "side-effect", "require"],
            },
            "conforming": {"module": [f"{package}/*" if part else package]},
        },
        finding.scope,
        alternative=(f"`{package}`" if part else f"`{package}/…`") if finding.rivals else None,
    )
    where = listed_places([glob.removesuffix("**") for glob in finding.scope.include])
    return Proposal(f"`{package}`{where} is imported {how}", rule, PatternCategory.DEPENDENCY)


def _based(finding: Finding) -> Proposal | None:
    base, _, names = finding.topic.removeprefix(_BASED).partition(":")
    # Whoever climbs need not know that there is another way.
    if finding.form == "relative":
        return None
    folders = names.split()
    own = [f"{folder}/*" for folder in folders]
    rule = Rule(
        RuleKind.IMPORT,
        {
            "per": "import",
            "applicable": {"module": ["../*", *own]},
            "conforming": {"module": own},
        },
        finding.scope if finding.scope.include else replace(finding.scope, include=(f"{base}/**",)),
        alternative="`../`" if finding.rivals else None,
    )
    says = f"are imported from `{base}/` (`{folders[0]}/…`), not by `../`"
    return Proposal(f"{in_scope(finding, 'Modules of other folders')} {says}", rule, PatternCategory.DEPENDENCY)
