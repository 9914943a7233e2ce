"""Names that go with a type or a call: what parameters of it are called, functions that return it, what it gives.

Says, for instance: "Go parameters of type `Writer` are called `out`", "Rust parameters of type `Context` are called
`cx`", "Go functions that return `Command` are named `new…Cmd`" and "Rust values of `current!` are
called `(view, doc)`". A name that only says the type again
(`request: HttpRequest`) is no choice, nor is one that a language or its tools give (`ctx`, `monkeypatch`).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from app.domain.pattern import PatternCategory
from app.domain.rule import Rule, RuleKind
from app.miners.core.family import CODE, TONGUES, Family, File, Finding, Least, Proposal, Vote, World
from app.miners.core.words import in_scope
from app.syntax import Node, Source, text_of

_MOST, _LONGEST = 100, 160
_LEAST_FILES, _LEAST_FUNCTIONS = 10, 10
# Where most of what has the name is elsewhere, some folder has it by chance.
_LEAST_GATHERED = 0.6
# A type as it is written, without what says how it is passed; only names with a capital are types of somebody.
_TYPE = (
    r"(?:&\s*)?(?:'\w+\s+)?(?:mut\s+)?(?:dyn\s+|impl\s+)?[*'\"]?(?:\w+(?:\.|::))*{type}"
    r"(?:<[^=]*>|\[[^=\]][^=]*\])?['\"]?(?:\s*\|\s*(?:None|null|undefined))?"
)
_ANY_TYPE, _ANY_NAME = r"([A-Z]\w{2,})", r"([a-z]\w*)"
_MARKED = r"(?:(?:private|public|protected|readonly|override)\s+)*"
_DEFAULT = r"(?:\s*=[^=].*)?"
_PARAMETERS: dict[str, tuple[tuple[str, ...], str]] = {
    "Python": (("typed_parameter", "typed_default_parameter"), rf"^_?{{name}}\s*:\s*{_TYPE}{_DEFAULT}$"),
    "TypeScript": (("required_parameter", "optional_parameter"), rf"^{_MARKED}_?{{name}}\??\s*:\s*{_TYPE}{_DEFAULT}$"),
    "Go": (("parameter_declaration",), rf"^_?{{name}}\s+{_TYPE}$"),
    "Java": (("formal_parameter",), rf"^(?:(?:final|@\w+)\s+)*{_TYPE}\s+{{name}}$"),
    "Rust": (("parameter",), rf"^(?:mut\s+)?_?{{name}}\s*:\s*{_TYPE}$"),
}
_RETURNING: dict[str, tuple[str, str, str]] = {
    "Go": ("function_declaration", "result", rf"^{_TYPE}$"),
    "Python": ("function_definition", "return_type", rf"^{_TYPE}$"),
    "Rust": ("function_item", "return_type", rf"^{_TYPE}$"),
}
_RECEIVER: Any = {"inside": {"kind": "parameter_list", "inside": {"kind": "method_declaration", "field": "receiver"}}}
_OVERRIDING: Any = {"kind": "method_declaration", "has": {"kind": "modifiers", "regex": "@Override"}}
_ASIDE = {"Go": _RECEIVER, "Java": {"inside": {"kind": "formal_parameters", "inside": _OVERRIDING}}}
_OF_TRAIT = {"kind": "impl_item", "has": {"field": "trait", "regex": "."}}
_SHAPES = {
    tongue: re.compile(shape.format(name=_ANY_NAME, type=_ANY_TYPE)) for tongue, (_, shape) in _PARAMETERS.items()
}
_RETURNED = re.compile(rf"^{_TYPE.format(type=_ANY_TYPE)}$")
# What holds others, or anything; what it is called says what it holds.
_HOLDING_NAMES = (
    "Any Arc Array ArrayList AsyncIterator Awaitable Boolean Box Callable Cell Class Collection Coroutine Cow "
    "Date Dict Double Duration Error Exception Function Generator HashMap HashSet Instant Integer Iterable "
    "Iterator List Long Map Mapping MutableMapping Mutex MutexGuard None Number Object Omit Option Optional "
    "Partial Path PathBuf Pick Pin Poll Promise Rc Readonly Record Ref RefCell RefMut Result RwLock Self Sequence "
    "Set String Supplier Time Tuple Type Union Unit Vec Void Weak"
)
_HOLDING = frozenset(_HOLDING_NAMES.split())
# Names that a language or its tools give.
_GIVEN_NAMES = (
    "args caplog capfd capsys cls ctx err error exc fmt formatter kwargs mocker monkeypatch recwarn req request res "
    "resp response self this tmp_path tmp_path_factory tmpdir tmpdir_factory value"
)
_GIVEN = frozenset(_GIVEN_NAMES.split())
_MAKING = frozenset(
    ("new", "get", "create", "make", "build", "parse", "to", "from", "load", "find", "set", "is", "has")
)
_LONGEST_NAME = 40
# What macros of the language make may be called anything.
_HOLDING_MACROS = frozenset(("format", "vec", "include_str", "include_bytes", "env", "concat", "json", "matches"))
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def facts(source: Source) -> Any:
    """Count the parameters of each type by their names, and the functions that return it."""
    tongue = TONGUES.get(source.language, source.language)
    if tongue not in _PARAMETERS:
        return None
    counted = Counter([*_parameters(source, tongue), *_functions(source, tongue)])
    values = Counter(_values(source) if tongue == "Rust" else ())
    told = [*sorted(counted.items())[:_MOST], *sorted(values.items())[:_MOST]]
    return [[*what, times] for what, times in told] or None


def _parameters(source: Source, tongue: str) -> Iterator[tuple[str, str, str]]:
    shape = _SHAPES[tongue]
    for node in source.nodes(*_PARAMETERS[tongue][0]):
        if node.end_byte - node.start_byte > _LONGEST or (found := shape.match(text_of(node))) is None:
            continue
        if (tongue == "Go" and _receives(node)) or (tongue == "Java" and _overrides(node)):
            continue
        one, other = found.groups()
        kind, name = (one, other) if tongue == "Java" else (other, one)
        if kind not in _HOLDING:
            yield "parameter", kind, name


def _receives(node: Node) -> bool:
    above = node.parent
    method = above.parent if above is not None else None
    return method is not None and method.child_by_field_name("receiver") == above


def _overrides(node: Node) -> bool:
    """Tell whether a parameter is of a method whose base has named it."""
    above = node.parent
    method = above.parent if above is not None else None
    first = method.named_children[0] if method is not None and method.named_children else None
    return first is not None and first.type == "modifiers" and "@Override" in text_of(first)


def _functions(source: Source, tongue: str) -> Iterator[tuple[str, str, str]]:
    if tongue not in _RETURNING:
        return
    node_kind, field, _ = _RETURNING[tongue]
    for node in source.nodes(node_kind):
        result = node.child_by_field_name(field)
        if result is None or result.end_byte - result.start_byte > _LONGEST:
            continue
        if tongue == "Rust" and _implements(node):
            continue
        found = _RETURNED.match(text_of(result))
        if found is not None and found.group(1) not in _HOLDING:
            yield "function", found.group(1), text_of(node.child_by_field_name("name"))


def _implements(node: Node) -> bool:
    """Tell whether a function of Rust is one that a trait has named."""
    above = node.parent.parent if node.parent is not None else None
    return above is not None and above.type == "impl_item" and above.child_by_field_name("trait") is not None


def _values(source: Source) -> Iterator[tuple[str, str, str]]:
    for node in source.nodes("let_declaration"):
        pattern, value = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        if value is None or pattern is None or pattern.end_byte - pattern.start_byte > _LONGEST_NAME:
            continue
        if value.type == "macro_invocation":
            macro = text_of(value.child_by_field_name("macro")).rpartition("::")[2]
            yield "value", macro, " ".join(text_of(pattern).split())


def survey(noted: dict[str, Any], file: File, facts: Any) -> None:
    """Note in how many files a type has a name that does not say it again, and functions with an affix."""
    tongue = TONGUES.get(str(file.language), str(file.language))
    seen = noted.setdefault("seen", Counter())
    for what, kind, name, times in facts or ():
        if what == "function":
            seen.update({(tongue, what, kind, affix): times for affix in _affixes(name)})
        elif not _says(name, kind):
            seen[tongue, what, kind, name] += 1


def settle(world: World) -> None:
    """Settle on one answer for each type that has any; what was counted is not needed any more."""
    best: dict[str, tuple[int, str]] = {}
    for (tongue, what, kind, answer), count in sorted(world.noted.pop("seen", {}).items()):
        if count >= (_LEAST_FUNCTIONS if what == "function" else _LEAST_FILES):
            # Of affixes of the same functions the longest says most.
            question, weight = f"{tongue} {what} {kind}", count + len(answer) / _LONGEST
            best[question] = max(best.get(question, (0, "")), (weight, answer))
    world.noted["answers"] = {question: answer for question, (_, answer) in best.items()}


def votes(file: File, facts: Any, world: World) -> Iterable[Vote]:
    """Let parameters and functions of the types that have an answer vote."""
    tongue = TONGUES.get(str(file.language), str(file.language))
    for what, kind, name, times in facts or ():
        answer = world.noted["answers"].get(f"{tongue} {what} {kind}")
        if answer is None:
            continue
        if what == "function":
            yield Vote(f"{what} {kind}", (answer,) if re.match(_affix(answer), name) else (), times)
        else:
            yield Vote(f"{what} {kind}", (name,), times)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _says(name: str, kind: str) -> bool:
    """Tell whether a name says its type again, or nothing at all."""
    if name.startswith("("):
        return all(_says(each.strip(), kind) for each in name.strip("()").split(","))
    return len(name) < 2 or name in _GIVEN or set(_words(name)) <= set(_words(kind)) or name == kind.lower()


def _affixes(name: str) -> Iterator[str]:
    """Give what a name of several words begins and ends with, each and both: `new…Cmd`, `With…`."""
    words = name.split("_") if "_" in name.strip("_") else _WORDS.findall(name)
    joint = "_" if "_" in name.strip("_") else ""
    if len(words) < 2 or "" in words:
        return
    # What makes it is told from others that are made by the word behind.
    begin = words[:1] if words[0].lower() not in _MAKING else words[:2]
    if len(words) > len(begin):
        yield f"{joint.join(begin)}{joint}…"
    yield f"…{joint}{words[-1]}"
    if len(words) > 2:
        yield f"{words[0]}{joint}…{joint}{words[-1]}"


def _affix(answer: str) -> str:
    begin, _, end = answer.partition("…")
    # What is in between begins a word of its own.
    return rf"^{begin}{'[A-Z0-9]' if begin and not begin.endswith('_') else ''}\w*{end}$"


def propose(finding: Finding) -> Proposal | None:
    """Say the name."""
    # What files of one name have in common, their name says.
    if any(glob.startswith("**/") and "*" not in glob[3:] for glob in finding.scope.include):
        return None
    what, _, kind = finding.topic.partition(" ")
    tongue = str(finding.tongue)
    if what == "function":
        return _proposed_function(finding, kind, tongue)
    if what == "value":
        return _proposed_value(finding, kind)
    if _says(finding.form, kind) or finding.gathered < _LEAST_GATHERED:
        return None
    kinds, shape = _PARAMETERS[tongue]
    sites: dict[str, Any] = {"regex": shape.format(name="[a-z]\\w*", type=kind)}
    sites |= {"kind": kinds[0]} if len(kinds) == 1 else {"any": [{"kind": each} for each in kinds]}
    if tongue in _ASIDE:
        sites["not"] = _ASIDE[tongue]
    rule = Rule(
        RuleKind.AST,
        {"applicable": sites, "conforming": {"regex": shape.format(name=finding.form, type=kind)}},
        finding.scope,
        alternative=f"`{finding.alternative}`" if finding.alternative else None,
    )
    subject = in_scope(finding, f"Parameters of type `{kind}`")
    return Proposal(f"{subject} are called `{finding.form}`", rule, PatternCategory.NAMING, weight=0.7)


def _proposed_function(finding: Finding, kind: str, tongue: str) -> Proposal | None:
    # That what makes a thing has its name goes without saying, but not which word it begins with.
    if finding.form.startswith("…") and set(_words(finding.form)) - _MAKING <= set(_words(kind)):
        return None
    node_kind, field, shape = _RETURNING[tongue]
    sites: dict[str, Any] = {"kind": node_kind, "has": {"field": field, "regex": shape.format(type=kind)}}
    if tongue == "Rust":
        sites["not"] = {"inside": {"kind": "declaration_list", "inside": _OF_TRAIT}}
    rule = Rule(
        RuleKind.AST,
        {"applicable": sites, "conforming": {"has": {"field": "name", "regex": _affix(finding.form)}}},
        finding.scope,
    )
    subject = in_scope(finding, f"Functions that return `{kind}`")
    return Proposal(f"{subject} are named `{finding.form}`", rule, PatternCategory.NAMING)


def _proposed_value(finding: Finding, macro: str) -> Proposal | None:
    if _says(finding.form, macro) or finding.gathered < _LEAST_GATHERED or macro in _HOLDING_MACROS:
        return None
    call = {"kind": "macro_invocation", "has": {"field": "macro", "regex": rf"(^|::){macro}$"}}
    name = re.escape(finding.form).replace(r"\ ", r"\s+")
    rule = Rule(
        RuleKind.AST,
        {
            "applicable": {"kind": "let_declaration", "has": {"field": "value", **call}},
            "conforming": {"has": {"field": "pattern", "regex": f"^{name}$"}},
        },
        finding.scope,
        alternative=f"`{finding.alternative}`" if finding.alternative else None,
    )
    subject = in_scope(finding, f"Values of `{macro}!`")
    return Proposal(f"{subject} are called `{finding.form}`", rule, PatternCategory.NAMING, weight=0.7)


def prior(finding: Finding) -> float:
    """Know how often a name is the first that comes to mind: a short form of the type."""
    what, _, kind = finding.topic.partition(" ")
    if what == "function":
        return 0.2
    return 0.8 if _shortens(finding.form.replace("_", "").lower(), kind) else 0.3


def _shortens(name: str, kind: str) -> bool:
    """Tell whether a name is made of letters of a type's words, in their order, beginning with that of one of them."""
    words = _words(kind)
    return any(_within(name, "".join(words[at:])) for at in range(len(words)))


def _within(name: str, word: str) -> bool:
    letters = iter(word)
    return name[0] == word[0] and all(letter in letters for letter in name)


FAMILY = Family(
    "typed-names",
    votes,
    propose,
    facts=facts,
    version=4,
    languages=CODE - {"JavaScript"},
    prior=prior,
    least=Least(sites=15, files=_LEAST_FILES, share=0.9),
    survey=survey,
    settle=settle,
    most=6,
    most_of_an_answer=1,
)
