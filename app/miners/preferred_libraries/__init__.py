"""Which of several libraries for the same purpose is used: `require` and not `assert`, pathlib and not os.path.

Says, for instance: "Go tests assert with `github.com/stretchr/testify/require`, not with `…/assert`". The sets of
competitors are a list below; a repository that uses none of a set says nothing.
"""

from collections.abc import Iterable
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import SCRIPTS, TONGUES, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope, is_scattered
from app.miners.preferred_libraries.competitors import ASIDE, COMPETITORS, STEPS, USUAL
from app.syntax import Source, imports_of

_NODE = "node:"
_OF_NODE = ("JavaScript", "TypeScript")
_TYPED = ("Python", *_OF_NODE)
_PREFIXED = ("test",)
_BUILTINS = ("assert", "assert/strict", "fs", "fs/promises", "path", "test")
_LEAST_ALONE, _COMMON, _NEARLY = 12, 0.75, 0.85
# Purposes of Go's: by parts of libraries, and by libraries.
_PARTED = ("assert with", "are tested with")
# What a repository may make for itself, by the names that it then has.
_OWN = {("Java", "mark nullness with"): ("Nullable",)}


def facts(source: Source) -> Any:
    """List the competitors that a file imports, by purpose."""
    found: dict[str, list[str]] = {}
    # Whoever takes no more than types does nothing with a library.
    imports = [(each.module.removeprefix(_NODE), each.names) for each in imports_of(source) if not each.type_only]
    language = TONGUES.get(source.language, source.language)
    for purpose, libraries in COMPETITORS.get(language, {}).items():
        aside = ASIDE.get((language, purpose), {"module": [], "names": []})
        modules = {
            module for module, names in imports if module not in aside["module"] or {*names}.isdisjoint(aside["names"])
        }
        own = _OWN.get((language, purpose), ())
        taken = {_library(language, each, libraries) or _made(each, own) for each in modules} - {None}
        if taken:
            found[purpose] = sorted(map(str, taken))
    return found or None


def _library(language: str, module: str, libraries: tuple[str, ...]) -> str | None:
    """Name the most exact competitor that a module is, or is below."""
    fitting = [
        library
        for library in libraries
        if module == library or ((step := _step(language, library)) and module.startswith(library + step))
    ]
    return max(fitting, key=len, default=None)


def _made(module: str, own: tuple[str, ...]) -> str | None:
    return module if module.rpartition(".")[2] in own else None


def _step(language: str, library: str) -> str | None:
    if language == "Go":
        return "/" if "." in library.partition("/")[0] else None
    return STEPS.get(language)


def survey(noted: dict[str, Any], _: File, facts: Any) -> None:
    """Note how many files take which part of a library whose parts are competitors too."""
    counted = noted.setdefault("parts", {})
    for library in (facts or {}).get(_PARTED[0], ()):
        counted[library] = counted.get(library, 0) + 1


def settle(world: World) -> None:
    """Tell whether one of the parts is taken nearly everywhere: then it is said, and not the whole."""
    counted = world.noted.pop("parts", {})
    world.noted["whole"] = max(counted.values(), default=0) < _NEARLY * sum(counted.values())


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let each file vote for what it takes; that a library uses itself was never chosen."""
    for purpose, libraries in (facts or {}).items():
        if (file.language, purpose) == ("Go", _PARTED[1]) and not world.noted["whole"]:
            continue
        for library in libraries:
            if not _is_own(file, library, world):
                yield Vote(purpose, (library,))


def _is_own(file: File, library: str, world: World) -> bool:
    """Tell whether a library is the repository's own, and not made to be taken in place of one."""
    if file.language == "Java" and any(_made(library, names) for names in _OWN.values()):
        return False
    if file.language == "Rust":
        # The crates of a repository are mostly called after the one that they make.
        return any(name == library or name.startswith(f"{library}_") for name in world.listing.crates)
    if file.language in SCRIPTS:
        return library.rpartition("/")[2] in world.listing.script_packages
    # What Go's paths end in may be a folder here by chance.
    return file.language != "Go" and world.listing.internal(file.language, library)


def propose(finding: Finding) -> Proposal | None:
    """Say which one it is, and which it is not."""
    language = finding.tongue or ""
    libraries = COMPETITORS[language].get(finding.topic, ())
    if len(libraries) < 2 or is_scattered(finding.scope):
        return None
    # Where nobody takes another one, few files cannot tell a choice from the only one that comes to mind.
    if not finding.rivals and (finding.applicable < _LEAST_ALONE or prior(finding) > _COMMON):
        return None
    aside = ASIDE.get((language, finding.topic))
    own = [f"*.{name}" for name in _OWN.get((language, finding.topic), ())]
    rule = Rule(
        RuleKind.IMPORT,
        {
            "per": "import",
            "applicable": {
                "module": [*_globs(language, libraries), *own],
                **({"type_only": False} if language in _TYPED else {}),
                **({"not": aside} if aside else {}),
            },
            "conforming": {"module": _globs(language, (finding.form,))},
        },
        finding.scope,
        alternative=f"`{finding.alternative}`" if finding.alternative else None,
    )
    against = ""
    if finding.alternative and " with" in finding.topic:
        against = f", not with {_shown(language, finding.alternative)}"
    name = f"{in_scope(finding, 'Files')} {finding.topic} {_shown(language, finding.form)}{against}"
    # Without anybody who does otherwise it is worth less: perhaps there was never a choice.
    return Proposal(name, rule, PatternCategory.DEPENDENCY, weight=1.0 if finding.rivals else 0.7)


def _shown(language: str, library: str) -> str:
    if language not in _OF_NODE or library not in _BUILTINS:
        return f"`{library}`"
    # With `node:` before it or without is another question, but where there is no choice.
    return f"`{_NODE}{library}`" if library in _PREFIXED else f"Node's `{library}`"


def _globs(language: str, libraries: Iterable[str]) -> list[str]:
    named = []
    for library in libraries:
        step = _step(language, library)
        named += [library, f"{library}{step}*"] if step else [library]
    return [
        *named,
        *(f"{_NODE}{glob}" for glob in named if language in _OF_NODE and glob.partition("/")[0] in _BUILTINS),
    ]


def prior(finding: Finding) -> float:
    """Know what nearly everybody takes."""
    return USUAL.get((finding.tongue or "", finding.form), 0.35)


FAMILY = Family(
    "preferred-libraries",
    votes,
    propose,
    facts=facts,
    prior=prior,
    least=Least(sites=6, files=5, share=0.87),
    version=6,
    survey=survey,
    settle=settle,
)
