"""Rules as data: what is refused, and what makes two of them the same."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.domain.errors import Invalid
from app.domain.recognition import FileRole
from app.domain.rule import RuleKind, read_rule, stored

CASE = {"applicable": {"words": "2"}, "conforming": {"case": "snake_case"}}
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"kind": "x"}
    for _ in range(levels):
        value = {"has": value}
    return value


@pytest.mark.parametrize(
    ("kind", "definition", "field"),
    [
        (RuleKind.PATH, None, "definition"),
        (RuleKind.PATH, [], "definition"),
        (RuleKind.PATH, {}, "definition"),
        (RuleKind.PATH, {"conforming": {"case": "Spongecase"}}, "definition.conforming"),
        (RuleKind.PATH, {"conforming": {"places": ["/etc/**"]}}, "definition.conforming"),
        (RuleKind.PATH, {**CASE, "extra": 1}, "definition.extra"),
        (RuleKind.PATH, {**CASE, "roles": ["KING"]}, "definition.roles"),
        (RuleKind.REGEX, {"conforming": "a" * 1001}, "definition.conforming"),
        (RuleKind.REGEX, {"per": "match", "conforming": "a"}, "definition"),
        (RuleKind.REGEX, {"lines": ["a\0"]}, "definition"),
        (RuleKind.IMPORT, {"applicable": {"module": ["a"]}}, "definition"),
        (RuleKind.IMPORT, {"conforming": {"modul": ["a"]}}, "definition.conforming"),
        (RuleKind.IMPORT, {"forbidden": {"target": ["/etc/**"]}}, "definition.forbidden"),
        (RuleKind.IMPORT, {"forbidden": {"any": [{"any": [{"module": ["a"]}]}]}}, "definition.forbidden"),
        (RuleKind.IMPORT, {"forbidden": {"any": []}}, "definition.forbidden"),
        (RuleKind.AST, {"applicable": {"kind": "x"}}, "definition"),
        (RuleKind.AST, {"applicable": deep(30), "conforming": {"kind": "x"}}, "definition"),
        (RuleKind.AST, {"applicable": {"any": [{"kind": "x"}] * 700}, "conforming": {"kind": "x"}}, "definition"),
        (RuleKind.AST, {"applicable": {"regex": "a" * 30_000}, "conforming": {"kind": "x"}}, "definition"),
    ],
)
def test_a_hostile_definition_is_refused_with_the_part_that_is_wrong(
    kind: RuleKind, definition: Any, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read_rule(kind, definition)
    assert list(refused.value.extensions["fields"]) == [field]


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        read_rule(RuleKind.PATH, {"x": 1}, languages=["Pyhton"], include=["/a"], exclude=["b//c"])
    assert set(refused.value.extensions["fields"]) == {
        "scope.languages",
        "scope.include",
        "scope.exclude",
        "definition.x",
    }


@given(some.sampled_from(RuleKind), JSON)
def test_whatever_is_sent_is_read_or_refused(kind: RuleKind, definition: Any) -> None:
    with suppress(Invalid):
        assert read_rule(kind, definition).kind is kind


def test_a_fingerprint_is_the_same_wherever_the_files_move() -> None:
    here = read_rule(RuleKind.PATH, CASE, languages=["Python"], include=["src/**"])
    there = read_rule(
        RuleKind.PATH,
        {"conforming": {"case": "snake_case"}, "applicable": {"words": "2"}, "per": None, "roles": ["TEST"]},
        languages=["python"],
        include=["lib/**"],
        exclude=["lib/old/**"],
    )
    other = read_rule(RuleKind.PATH, {**CASE, "conforming": {"case": "kebab-case"}}, languages=["Python"])
    assert here.fingerprint == there.fingerprint != other.fingerprint
    assert here.fingerprint != read_rule(RuleKind.PATH, CASE, languages=["Go"]).fingerprint


def test_roles_survive_being_stored() -> None:
    rule = read_rule(RuleKind.PATH, {**CASE, "roles": ["TEST", "SOURCE"]})
    again = read_rule(RuleKind.PATH, stored(rule))
    assert again == rule
    assert again.scope.roles == (FileRole.TEST, FileRole.SOURCE)
