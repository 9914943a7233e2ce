"""The file that stands for a folder: `index.ts`, `__init__.py`, `mod.rs` or `name.rs`, `package-info.java`, `doc.go`.

Says, for instance: "TypeScript folders in `src/components/` have an `index.ts`", "`index.ts` files only pass on what
others define", "`__init__.py` files are empty" and "Rust modules with parts are `name.rs` beside their folder". Only
folders of at least three modules are asked for such a file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from app.domain import globs
from app.domain.listing import Listing
from app.domain.pattern import PatternCategory, PatternType
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind, Scope
from app.miners.core.family import CODE, Family, File, Finding, Least, Proposal, Vote, World, languages_of, tongue_of
from app.miners.core.words import in_scope, places_in_words
from app.syntax import Source

_LEAST_MODULES = 3
_ROLES = (FileRole.SOURCE,)
# What modules of a folder are called, the files that may stand for it, what is said of them, and how usual one is.
_INDEXES: dict[str, tuple[tuple[str, ...], tuple[str, ...], str, str, float]] = {
    "TypeScript": (("*.ts", "*.tsx"), ("index.ts", "index.tsx"), "Folders", "an `index.ts`", 0.3),
    "JavaScript": (("*.js", "*.jsx", "*.mjs"), ("index.js", "index.jsx", "index.mjs"), "Folders", "an `index.js`", 0.3),
    "Java": (("*.java",), ("package-info.java",), "Packages", "a `package-info.java`", 0.08),
    "Go": (("*.go",), ("doc.go",), "Packages", "a `doc.go`", 0.05),
}
_BARRELS = {"TypeScript": "index.{ts,tsx}", "JavaScript": "index.{js,jsx,mjs}"}
_PASSING = ("import_statement", "comment")
_EMPTY = r"^[ \t]*[^#\s]"
_DEFINITIONS = ("function_definition", "class_definition", "decorated_definition")
# Folders that a framework asks to be packages.
_ASKED_FOR = frozenset(("management", "commands", "migrations", "templatetags", "versions"))


def facts(source: Source) -> Any:
    """Tell what stands in a file that stands for its folder."""
    if source.name == "__init__.py":
        if all(not line.strip() or line.lstrip().startswith("#") for line in source.lines):
            return "empty"
        kinds = {node.type for node in source.root.named_children} if source.root is not None else set()
        return "passing" if "import_from_statement" in kinds and kinds.isdisjoint(_DEFINITIONS) else "other"
    if source.stem == "index" and source.root is not None and source.nodes("export_statement"):
        return "passing" if all(map(_passes, source.root.named_children)) else "defining"
    return None


def _passes(node: Any) -> bool:
    if node.type != "export_statement":
        return node.type in _PASSING
    return node.child_by_field_name("source") is not None or any(
        child.type == "export_clause" for child in node.children
    )


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let the files that stand for folders vote, and folders that could have one by the first of their files."""
    if facts is not None and file.folder.rpartition("/")[2] not in _ASKED_FOR:
        yield Vote("init" if file.name == "__init__.py" else "barrel", (facts,))
    tongue = tongue_of(file)
    if file.path == world.listing.speaker(file.folder, languages_of(tongue), _ROLES):
        yield from _of_folder(file.folder, tongue or "", world.listing)


def _of_folder(folder: str, tongue: str, listing: Listing) -> Iterator[Vote]:
    names = listing.folders[folder]
    if tongue == "Rust":
        beside = f"{folder}.rs" in listing.paths
        if beside or "mod.rs" in names:
            yield Vote("module", ("beside" if beside else "mod",))
    elif tongue in _INDEXES:
        modules, indexes, *_ = _INDEXES[tongue]
        if sum(map(globs.matcher(modules), names)) >= _LEAST_MODULES:
            yield Vote("index", ("has" if any(index in names for index in indexes) else "lacks",))


def propose(finding: Finding) -> Proposal | None:
    """Say what stands for folders."""
    match finding.topic, finding.form:
        case "index", "has":
            return _index(finding)
        case "barrel", "passing":
            return _barrel(finding)
        case "init", ("empty" | "passing"):
            return _init(finding)
        case "module", ("mod" | "beside"):
            return _module(finding)
    return None


def _index(finding: Finding) -> Proposal | None:
    if _is_patchwork(finding.scope):
        return None
    modules, indexes, what, index, _ = _INDEXES[finding.tongue or ""]
    has: dict[str, Any] = {"holds": [indexes[0]]}
    if len(indexes) > 1:
        has = {"any": [{"holds": [each]} for each in indexes]}
    definition = {"per": "folder", "applicable": {"many": list(modules)}, "conforming": has}
    return _structural(f"{in_scope(_silent_of_roles(finding), what)} have {index}", definition, finding)


def _is_patchwork(scope: Scope) -> bool:
    # Files that are chosen by their names are the very files that are asked for; many folders less others are chance.
    return not all(glob.endswith("**") for glob in scope.include) or (len(scope.include) > 1 and bool(scope.exclude))


def _module(finding: Finding) -> Proposal | None:
    if _is_patchwork(finding.scope):
        return None
    beside, mod = {"twin": ["{folder}/../{parent}.rs"]}, {"holds": ["mod.rs"]}
    is_beside = finding.form == "beside"
    definition = {"per": "folder", "applicable": {"any": [mod, beside]}, "conforming": beside if is_beside else mod}
    shown = (
        "`name.rs` beside their folder, not `name/mod.rs`" if is_beside else "`name/mod.rs`, not `name.rs` beside it"
    )
    sentence = f"{in_scope(_silent_of_roles(finding), 'Modules that have parts')} are {shown}"
    return _structural(sentence, definition, finding, "`name/mod.rs`" if is_beside else "`name.rs`")


def _structural(sentence: str, definition: dict[str, Any], finding: Finding, other: str | None = None) -> Proposal:
    alternative = other if finding.rivals else None
    rule = Rule(RuleKind.PATH, definition, finding.scope, alternative=alternative)
    return Proposal(sentence, rule, PatternCategory.FILE_STRUCTURE, PatternType.FILESYSTEM)


def _barrel(finding: Finding) -> Proposal:
    passing: Any = {
        "any": [
            *({"kind": kind} for kind in _PASSING),
            {"kind": "export_statement", "has": {"field": "source", "regex": "."}},
            {"kind": "export_statement", "has": {"kind": "export_clause"}},
        ]
    }
    definition: Any = {
        "applicable": {"kind": "program", "has": {"kind": "export_statement"}},
        "conforming": {"not": {"has": {"not": passing}}},
    }
    rule = Rule(RuleKind.AST, definition, _only(finding.scope, _BARRELS[finding.tongue or ""]))
    index = _INDEXES[finding.tongue or ""][1][0]
    sentence = f"`{index}` files{places_in_words(finding.scope)} only pass on what other modules define"
    return Proposal(sentence, rule, PatternCategory.STRUCTURAL)


def _init(finding: Finding) -> Proposal:
    scope = _only(finding.scope, "__init__.py")
    scope = replace(scope, exclude=(*scope.exclude, *(f"**/{name}/__init__.py" for name in sorted(_ASKED_FOR))))
    what = f"`__init__.py` files{places_in_words(finding.scope)}"
    if finding.form == "empty":
        rule = Rule(RuleKind.REGEX, {"per": "file", "conforming": _EMPTY, "absent": True}, scope)
        return Proposal(f"{what} are empty", rule, PatternCategory.STRUCTURAL)
    definition: Any = {
        "applicable": {"kind": "module"},
        "conforming": {
            "has": {"kind": "import_from_statement"},
            "not": {"has": {"any": [{"kind": kind} for kind in _DEFINITIONS]}},
        },
    }
    sentence = f"{what} pass on what their modules define, and define nothing themselves"
    return Proposal(sentence, Rule(RuleKind.AST, definition, scope), PatternCategory.STRUCTURAL)


def _only(scope: Scope, name: str) -> Scope:
    """Narrow a scope to the files of one name."""
    include = tuple(f"{glob}/{name}" if glob.endswith("**") else glob for glob in scope.include or ("**",))
    return replace(scope, include=include)


def _silent_of_roles(finding: Finding) -> Finding:
    # That sources are meant goes without saying.
    return replace(finding, scope=replace(finding.scope, roles=()))


def prior(finding: Finding) -> float:
    """Know what is usual."""
    match finding.topic, finding.form:
        case "index", "has":
            return _INDEXES[finding.tongue or ""][4]
        case "barrel", _:
            return 0.55
        case "init", form:
            return {"empty": 0.45, "passing": 0.4}.get(form, 0.9)
    return 0.5


FAMILY = Family(
    "index-files",
    votes,
    propose,
    facts=facts,
    languages=CODE,
    roles=frozenset(_ROLES),
    prior=prior,
    least=Least(sites=8, files=8, share=0.87, careful=0.74, bits=0.4),
)
