"""How test files are called, and where they stand to what they test.

Says, for instance: "TypeScript test files are named `*.test.*`" and "Python tests mirror what they test:
`src/shop/a/b.py` is tested by `tests/a/test_b.py`". What a language's own tools demand is no news.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from app.domain import globs
from app.domain.pattern import PatternCategory, PatternType
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind, Scope
from app.domain.twins import stem_of, subject_of
from app.miners.core.family import TONGUES, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import places_in_words

_LANGUAGES = frozenset(("Python", "JavaScript", "TypeScript", "TSX", "Java"))
# The marks of test files; a name that fits several counts for the first.
_MARKS: Mapping[str, Mapping[str, float]] = {
    "Python": {"test_*.py": 0.93, "*_test.py": 0.06, "tests_*.py": 0.02},
    "JavaScript": {
        "*.test.*": 0.6,
        "*.spec.*": 0.4,
        "*.e2e-spec.*": 0.05,
        "*.tests.*": 0.05,
        "*-test.*": 0.05,
        "*_test.*": 0.05,
    },
    "Java": {"*Tests.java": 0.25, "*Test.java": 0.7, "*IT.java": 0.1, "Test*.java": 0.1, "*TestCase.java": 0.05},
}
_FOLDERS = ("__tests__", "__test__", "tests", "test", "spec", "specs", "e2e", "integration-tests")
_USUAL_FOLDERS = {
    ("Python", "tests/**"): 0.6,
    ("Java", "**/src/test/**"): 0.97,
    ("Java", "src/test/**"): 0.97,
    ("Java", "**/test/**"): 0.95,
}
_SUFFIXES = {"JavaScript": (".js", ".jsx", ".mjs", ".cjs"), "TypeScript": (".ts", ".tsx", ".js")}
_MOST_NAMESAKES = 20
_LEAST_OF_A_PLACE = 15
_MOSTLY_TESTS = 0.6


def votes(file: File, _: Any, world: World) -> Iterable[Vote]:
    """Let each test file vote for its mark, its place, and where what it tests is found from there."""
    marks = _marks_of(file.language)
    mark = next((mark for mark in marks if globs.fits(mark, file.name)), None)
    if file.role is not FileRole.TEST or mark is None:
        return
    yield Vote("mark", (mark,))
    yield Vote("place", (_place(file, world),))
    if stem_of(file.path) != subject_of(file.path) or ".test." in file.name or ".spec." in file.name:
        yield Vote("tested", tuple(dict.fromkeys(_ways(file, world))))


def _marks_of(language: str | None) -> Mapping[str, float]:
    tongue = TONGUES.get(language or "", language or "")
    return _MARKS["JavaScript" if tongue == "TypeScript" else tongue]


def survey(noted: dict[str, Any], file: File, _: Any) -> None:
    """Note what the folders at the top hold: tests, and source files."""
    if file.role in (FileRole.TEST, FileRole.SOURCE):
        held = noted.setdefault("tops", {}).setdefault(file.path.partition("/")[0], [0, 0])
        held[file.role is FileRole.SOURCE] += 1


def settle(world: World) -> None:
    """Say which folders at the top are of tests: those that hold tests and what they need, whatever they are called."""
    tops = world.noted.pop("tops", {})
    most = max((sources for _, sources in tops.values()), default=0)
    world.noted["of tests"] = {
        top for top, (tests, sources) in tops.items() if sources < _MOSTLY_TESTS * tests and sources < most
    }


def _place(file: File, world: World) -> str:
    """Name the kind of place: a folder at the top, one of that name anywhere, or beside the source."""
    parts = file.folder.split("/")
    if parts[0] in world.noted["of tests"]:
        return f"{parts[0]}/**"
    for number, part in enumerate(parts):
        if part in _FOLDERS:
            if file.language == "Java" and number and parts[number - 1] == "src":
                return "**/src/test/**" if number > 1 else "src/test/**"
            return f"{part}/**" if number == 0 else f"**/{part}/**"
    return "beside"


def _ways(file: File, world: World) -> Iterator[str]:
    """Give the shapes of twins that lead from a test to files that are called as what it tests."""
    index = world.noted.get("sources")
    if index is None:
        index = world.noted["sources"] = _sources(world)
    suffix = f".{file.name.rpartition('.')[2]}"
    for source in index.get(subject_of(file.path), ())[:_MOST_NAMESAKES]:
        if source != file.path and source.endswith(_SUFFIXES.get(file.language or "", suffix)):
            yield from _shapes(file.folder, source)


def _sources(world: World) -> dict[str, list[str]]:
    """List by stem all files that are called as no test is."""
    found = defaultdict(list)
    for path in sorted(world.listing.paths):
        stem = stem_of(path)
        if stem == subject_of(path) and ".test." not in path and ".spec." not in path:
            found[stem].append(path)
    return found


def _shapes(folder: str, source: str) -> Iterator[str]:
    place, _, name = source.rpartition("/")
    ending = f"{{tested}}{name[len(stem_of(name)) :]}"
    if place == folder:
        yield f"{{folder}}/{ending}"
        return
    if folder.startswith(f"{place}/" if place else "") and folder.count("/") - place.count("/") < 3:
        up = "/.." * len([part for part in folder[len(place) :].split("/") if part])
        yield f"{{folder}}{up}/{ending}"
        return
    # A mirror: what follows the first parts of both is the same.
    mine, theirs = folder.split("/"), place.split("/")
    for dropped in range(1, min(len(mine), 9) + 1):
        below = mine[dropped:]
        if theirs[len(theirs) - len(below) :] == below and mine != theirs:
            root = "/".join(theirs[: len(theirs) - len(below)])
            yield f"{root}/{{below:{dropped}}}/{ending}"
            return


def propose(finding: Finding) -> Proposal | None:
    """Say the mark, the place, or the way."""
    marks = list(_marks_of(finding.tongue))
    tests: dict[str, Any] = {"names": marks}
    scope = finding.scope
    if finding.topic == "mark":
        if finding.form not in marks or (scope.include and finding.applicable < _LEAST_OF_A_PLACE):
            return None
        name = f"{_tests(finding)} files{places_in_words(finding.scope)} are named `{finding.form}`"
        conforming: dict[str, Any] = {"names": [finding.form]}
        category = PatternCategory.FILE_NAMING
    elif finding.topic == "place":
        if finding.form == "beside":
            return None
        # A place that is named by itself would hold in itself, whatever is found elsewhere.
        if any(globs.fits(finding.form, glob) for glob in scope.include):
            scope = replace(scope, include=(), exclude=())
        name = f"{_tests(finding)} files{places_in_words(scope)} live{places_in_words(Scope(include=(finding.form,)))}"
        conforming, category = {"places": [finding.form]}, PatternCategory.FILE_STRUCTURE
    else:
        name = f"{_tests(finding)}s{places_in_words(finding.scope)} {_tested(finding)}"
        conforming, category = {"twin": _twins(finding)}, PatternCategory.FILE_STRUCTURE
    rule = Rule(
        RuleKind.PATH,
        {"applicable": tests, "conforming": conforming},
        scope,
        alternative=finding.alternative if finding.topic == "mark" else None,
    )
    return Proposal(name, rule, category, PatternType.FILESYSTEM)


def _tests(finding: Finding) -> str:
    return f"{finding.tongue} test"


def _tested(finding: Finding) -> str:
    """Say where what a test is called after is found from it."""
    root, mirrored, _ = finding.form.partition("{below:")
    if mirrored:
        return f"mirror the files they test in `{root}`" if root else "mirror the files they test"
    if finding.form.startswith("{folder}/{tested}"):
        return "stand beside the files they test"
    return "stand in a folder below the files they test"


def _twins(finding: Finding) -> list[str]:
    suffixes = _SUFFIXES.get(finding.tongue or "", ())
    stem, mark, _ = finding.form.partition("{tested}")
    return [f"{stem}{mark}{suffix}" for suffix in suffixes] or [finding.form]


def prior(finding: Finding) -> float:
    """Know what most repositories do."""
    tongue = finding.tongue or ""
    if finding.topic == "mark":
        return _marks_of(tongue).get(finding.form, 0.1)
    if finding.topic == "place":
        return _USUAL_FOLDERS.get((tongue, finding.form), 0.35)
    return 0.93 if tongue == "Java" else 0.3


FAMILY = Family(
    "test-files",
    votes,
    propose,
    languages=_LANGUAGES,
    roles=frozenset((FileRole.TEST,)),
    survey=survey,
    settle=settle,
    prior=prior,
    least=Least(sites=8, files=8, share=0.87, careful=0.78),
    most=4,
)
