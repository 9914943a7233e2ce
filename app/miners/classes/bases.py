"""What all classes of one place extend or implement: errors in `src/errors/`, commands in `commands/`.

Says, for instance: "TypeScript source classes in `src/errors/` extend `AppError`". What a framework asks of such a
place goes without saying.
"""

from collections.abc import Iterable
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind
from app.miners.classes.reading import INTERFACE, LANGUAGES, classes_of, sites_of
from app.miners.core.family import TONGUES, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Node, Source

_MOST_BASES = 4
_BODIES = {
    "Python": ("block",),
    "Java": ("class_body", "interface_body", "enum_body_declarations", "block"),
    "JavaScript": ("class_body", "statement_block"),
    "TypeScript": ("class_body", "statement_block"),
}
_CLASSES = {
    "Python": ("class_definition",),
    "Java": ("class_declaration",),
    "JavaScript": ("class_declaration",),
    "TypeScript": ("class_declaration", "abstract_class_declaration"),
}
# What tools and frameworks ask for, and what says nothing.
_BY_FRAMEWORKS = (
    "ABC AppConfig BaseCommand BaseModel Base Component Enum Exception Migration MigrationInterface Model ModelAdmin "
    "NamedTuple Protocol PureComponent Serializable TestCase TypedDict"
)
_ASKED_FOR = frozenset(_BY_FRAMEWORKS.split())


def facts(source: Source) -> Any:
    """List, for each class that stands for itself, what it extends and implements."""
    bodies = _BODIES[TONGUES.get(source.language, source.language)]
    found = []
    for each in classes_of(source):
        if INTERFACE not in each.kinds and not _within(each.node, bodies):
            kinds = [kind for kind in each.kinds if kind.startswith(("extends ", "implements "))]
            found.append([kind for kind in kinds if kind.partition(" ")[2] not in _ASKED_FOR][:_MOST_BASES])
    return found or None


def _within(node: Node, kinds: tuple[str, ...]) -> bool:
    above = node.parent
    while above is not None:
        if above.type in kinds:
            return True
        above = above.parent
    return False


def votes(_: File, facts: Any, __: World) -> Iterable[Vote]:
    """Let each class vote for what it extends and implements."""
    for kinds in facts or ():
        yield Vote("classes", tuple(kinds))


def propose(finding: Finding) -> Proposal | None:
    """Say what they extend."""
    # It is about one place; what several happen to have in common is no rule of any of them.
    if len(finding.scope.include) != 1 or finding.scope.exclude:
        return None
    tongue = finding.tongue or ""
    word, _, name = finding.form.partition(" ")
    kinds = [{"kind": kind} for kind in _CLASSES[tongue]]
    applicable = {
        "any": kinds,
        "not": {
            "any": [
                {"inside": {"any": [{"kind": body} for body in _BODIES[tongue]], "stopBy": "end"}},
                {"has": {"field": "name", "regex": f"^{name}$"}},
            ]
        },
    }
    conforming = sites_of(tongue, finding.form)
    rule = Rule(RuleKind.AST, {"applicable": applicable, "conforming": conforming}, finding.scope)
    sentence = f"{in_scope(finding, 'Classes')} {word.removesuffix('s')} `{name}`"
    return Proposal(sentence, rule, PatternCategory.STRUCTURAL, weight=0.6)


def prior(_: Finding) -> float:
    """Know that classes side by side rarely have one base without a reason."""
    return 0.15


FAMILY = Family(
    "class-bases",
    votes,
    propose,
    facts=facts,
    languages=LANGUAGES - {"Rust"},
    roles=frozenset((FileRole.SOURCE, FileRole.TEST)),
    prior=prior,
    least=Least(sites=10, files=6, share=0.87, careful=0.72),
    open=True,
    most=3,
)
