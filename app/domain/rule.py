"""A rule: what makes a pattern checkable, as plain data that can be stored, compared, exported and checked."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from app.domain import globs
from app.domain.cases import CASES
from app.domain.errors import Invalid
from app.domain.languages import KNOWN, language_named
from app.domain.recognition import FileRole
from app.domain.words import Word

MOST_BYTES = 20_000
MOST_DEPTH = 24
MOST_PARTS = 600
MOST_GLOBS = 50
MOST_CHOICES = 10
LONGEST_EXPRESSION = 1_000


class RuleKind(Word):
    """How a rule selects its sites."""

    AST = "AST", "An ast-grep rule over syntax trees; can be exported and run without this service."
    IMPORT = "IMPORT", "What a file imports, and in which form."
    PATH = "PATH", "Globs and name shapes over paths."
    REGEX = "REGEX", "A linear-time regular expression over text."
    LLM = "LLM", "Judged by Claude; its adoption cannot be measured."


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a rule speaks: files of these languages, in these places, for these purposes; empty means any."""

    languages: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    roles: tuple[FileRole, ...] = ()

    def holds(self, path: str, language: str | None, role: FileRole) -> bool:
        """Tell whether a file is spoken of."""
        return (
            (not self.languages or language in self.languages)
            and (not self.roles or role in self.roles)
            and (not self.include or globs.matcher(self.include)(path))
            and not (self.exclude and globs.matcher(self.exclude)(path))
        )

    @property
    def include_expression(self) -> str:
        """The included paths as one regular expression, for those who filter in a database."""
        return globs.expression(self.include) if self.include else ".*"

    @property
    def exclude_expression(self) -> str | None:
        """The excluded paths likewise; None where nothing is."""
        return globs.expression(self.exclude) if self.exclude else None


@dataclass(frozen=True, slots=True)
class Rule:
    """`definition` says in the words of its kind which sites it speaks of, and which of them conform."""

    kind: RuleKind
    definition: Mapping[str, Any]
    scope: Scope
    text: str = ""
    """The rule in words."""
    alternative: str | None = None
    """What the sites that do not conform do instead."""

    @property
    def exportable(self) -> bool:
        """Tell whether it runs without this service."""
        return self.kind is RuleKind.AST

    @property
    def fingerprint(self) -> str:
        """Recognize the rule again: the same for the same kind, definition and languages, wherever its files move."""
        # Where a rule speaks is inferred anew by each run: a folder that was renamed makes no other rule of it.
        normal = [self.kind.value, normal_form(self.definition), sorted(self.scope.languages)]
        return sha256(json.dumps(normal, ensure_ascii=False).encode()).hexdigest()[:40]


def stored(rule: Rule) -> dict[str, Any]:
    """Spell a definition as it is stored and shown: with the roles of its scope, which a scope's columns lack."""
    roles = {"roles": [role.value for role in rule.scope.roles]} if rule.scope.roles else {}
    return {**rule.definition, **roles}


def columns_of(rule: Rule) -> dict[str, Any]:
    """Spell a rule as the columns of its pattern."""
    return {
        "rule_kind": rule.kind,
        "rule_definition": stored(rule),
        "rule_text": rule.text,
        "rule_exportable": rule.exportable,
        "rule_alternative": rule.alternative,
        "scope_languages": list(rule.scope.languages),
        "scope_include": list(rule.scope.include),
        "scope_exclude": list(rule.scope.exclude),
        "scope_include_regex": rule.scope.include_expression,
        "scope_exclude_regex": rule.scope.exclude_expression,
    }


def normal_form(value: Any) -> Any:
    """Bring a definition into the one form in which equal ones are equal: keys in order, white space collapsed."""
    if isinstance(value, Mapping):
        return {key: normal_form(value[key]) for key in sorted(value) if value[key] is not None and key != "roles"}
    if isinstance(value, list | tuple):
        return [normal_form(item) for item in value]
    return " ".join(value.split()) if isinstance(value, str) else value


def read_rule(
    kind: RuleKind,
    definition: Any,
    *,
    languages: Sequence[str] = (),
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    text: str = "",
    alternative: str | None = None,
) -> Rule:
    """Read a rule that somebody wrote, or refuse it with a reason for each part that is wrong."""
    wrong: dict[str, str] = {}
    for name, patterns in (("scope.include", include), ("scope.exclude", exclude)):
        if fault := _globs(list(patterns)):
            wrong[name] = fault
    if unknown := [name for name in languages if language_named(name) is None]:
        wrong["scope.languages"] = f"No such language: {unknown[0][:50]}."
    if fault := _bounded(definition):
        raise Invalid("The rule cannot be read.", fields={**wrong, "definition": fault})
    roles = definition.get("roles", [])
    fields = {"roles": _roles, **FIELDS[kind]}
    for key, value in definition.items():
        if key not in fields:
            wrong[f"definition.{key}"] = f"A rule of kind {kind.value} has no such part."
        elif value is not None and (fault := fields[key](value)):
            wrong[f"definition.{key}"] = fault
    if fault := None if wrong else LACKS[kind](definition):
        wrong["definition"] = fault
    if wrong:
        raise Invalid("The rule cannot be read.", fields=wrong)
    named = tuple(dict.fromkeys(KNOWN[str(language_named(name)).lower()] for name in languages))
    scope = Scope(named, tuple(include), tuple(exclude), tuple(FileRole[role] for role in roles))
    bare = {key: value for key, value in definition.items() if key != "roles" and value is not None}
    return Rule(kind, bare, scope, text, alternative)


def _bounded(value: Any) -> str | None:
    """Refuse what is no JSON object, or one so large or deep that reading it would be the attack."""
    if not isinstance(value, Mapping):
        return "A definition is a JSON object."
    waiting: list[tuple[Any, int]] = [(value, 1)]
    parts = size = 0
    while waiting:
        part, depth = waiting.pop()
        parts += 1
        if depth > MOST_DEPTH or parts > MOST_PARTS or size > MOST_BYTES:
            return f"A definition has at most {MOST_PARTS} parts, {MOST_DEPTH} levels and {MOST_BYTES} characters."
        if isinstance(part, Mapping):
            if not all(isinstance(key, str) for key in part):
                return "Keys are texts."
            size += sum(map(len, part))
            waiting += [(item, depth + 1) for item in part.values()]
        elif isinstance(part, list | tuple):
            waiting += [(item, depth + 1) for item in part]
        elif isinstance(part, str):
            size += len(part)
            if "\0" in part:
                return "A text has no NUL."
        elif not isinstance(part, bool | int | float) and part is not None:
            return "A definition holds only what JSON can."
    return None if size <= MOST_BYTES else f"A definition has at most {MOST_BYTES} characters."


Check = Callable[[Any], str | None]


def _roles(value: Any) -> str | None:
    known = {role.value for role in FileRole}
    return (
        None if isinstance(value, list) and set(map(str, value)) <= known else f"Roles are {', '.join(sorted(known))}."
    )


def _object(value: Any) -> str | None:
    return None if isinstance(value, Mapping) and value else "This is an object with at least one part."


def _globs(value: Any) -> str | None:
    if not isinstance(value, list) or len(value) > MOST_GLOBS or not all(isinstance(item, str) for item in value):
        return f"These are at most {MOST_GLOBS} globs."
    for glob in value:
        try:
            globs.check(glob)
        except globs.BadGlob as bad:
            return f"{glob[:80]!r}: {bad}"
    return None


def _texts(most: int, longest: int) -> Check:
    def check(value: Any) -> str | None:
        fine = isinstance(value, list) and 0 < len(value) <= most
        if fine and all(isinstance(item, str) and 0 < len(item) <= longest for item in value):
            return None
        return f"These are 1 to {most} texts of at most {longest} characters."

    return check


def _word(*words: str) -> Check:
    return lambda value: None if value in words else f"This is one of {', '.join(words)}."


def _expression(value: Any) -> str | None:
    if isinstance(value, str) and 0 < len(value) <= LONGEST_EXPRESSION:
        return None
    return f"This is a regular expression of at most {LONGEST_EXPRESSION} characters."


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "This is true or false."


def _parts(**fields: Check) -> Check:
    def check(value: Any) -> str | None:
        if (fault := _object(value)) is not None:
            return fault
        for key, item in value.items():
            if key not in fields:
                return f"There is no part {key[:50]!r}; there are {', '.join(fields)}."
            if fault := fields[key](item):
                return f"{key}: {fault}"
        return None

    return check


def _each(check: Check) -> Check:
    def checked(value: Any) -> str | None:
        if not isinstance(value, list) or not 0 < len(value) <= MOST_CHOICES:
            return f"These are 1 to {MOST_CHOICES} objects."
        return next((fault for item in value if (fault := check(item)) is not None), None)

    return checked


_IMPORT: dict[str, Check] = {
    "module": _texts(50, 300),
    "names": _texts(50, 100),
    "form": _texts(20, 40),
    "alias": _texts(20, 100),
    "target": lambda value: _globs(value) if value else "These are globs.",
    "internal": _flag,
    "top": _flag,
    "type_only": _flag,
    "standard": _flag,
    "optional": _flag,
    "types": _texts(3, 10),
}
_IMPORTS = _parts(**_IMPORT, any=_each(_parts(**_IMPORT)), **{"not": _parts(**_IMPORT)})
_NAMES = _texts(50, 200)


def _groups(value: Any) -> str | None:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_CHOICES:
        return f"These are 1 to {MOST_CHOICES} lists of selectors."
    return next((fault for group in value if (fault := _each(_IMPORTS)(group)) is not None), None)


_PATH: dict[str, Check] = {
    "case": _word(*CASES),
    "names": _NAMES,
    "except": _NAMES,
    "words": _word("1", "2"),
    "places": _globs,
    "folders": _globs,
    "twin": _NAMES,
    "holds": _NAMES,
    "many": _NAMES,
}

FIELDS: dict[RuleKind, dict[str, Check]] = {
    RuleKind.AST: {"applicable": _object, "conforming": _object, "files": _globs},
    RuleKind.IMPORT: {
        "per": _word("import", "file"),
        "applicable": _IMPORTS,
        "conforming": _IMPORTS,
        "forbidden": _IMPORTS,
        "order": _groups,
        "apart": _flag,
        "sorted": _word("module", "whole first"),
    },
    RuleKind.PATH: {
        "per": _word("file", "folder"),
        "applicable": _parts(**_PATH, any=_each(_parts(**_PATH))),
        "conforming": _parts(**_PATH, any=_each(_parts(**_PATH))),
    },
    RuleKind.REGEX: {
        "per": _word("file", "match"),
        "applicable": _expression,
        "conforming": _expression,
        "within": _expression,
        "lines": _texts(40, 300),
        "names": _texts(40, 120),
        "absent": _flag,
    },
    RuleKind.LLM: {"question": _expression, "applicable": _expression, "conforming": _expression},
}
"""What a definition of each kind may have; the file of its checker explains every part."""


def _either(*names: str) -> Callable[[Mapping[str, Any]], str | None]:
    return lambda definition: None if any(definition.get(name) for name in names) else f"It needs {' or '.join(names)}."


def _ast_lacks(definition: Mapping[str, Any]) -> str | None:
    return _either("applicable")(definition) or _either("conforming", "files")(definition)


def _regex_lacks(definition: Mapping[str, Any]) -> str | None:
    if definition.get("per", "file") == "match":
        return _either("applicable")(definition) or _either("conforming")(definition)
    return _either("conforming", "lines", "names")(definition)


LACKS: dict[RuleKind, Callable[[Mapping[str, Any]], str | None]] = {
    RuleKind.AST: _ast_lacks,
    RuleKind.IMPORT: _either("conforming", "forbidden", "order", "sorted"),
    RuleKind.PATH: _either("conforming"),
    RuleKind.REGEX: _regex_lacks,
    RuleKind.LLM: lambda _: None,
}
