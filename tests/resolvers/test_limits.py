"""What one request may ask for: each limit at its edge, and documents made to hurt."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from graphql import get_introspection_query

from app.config import Environment
from app.db.readers import Readers
from app.domain.viewer import Viewer
from app.runtime import Runtime
from resolvers.engine import documents, execution, limits
from tests.resolvers.conftest import Ask, Watched

TOO_COMPLEX = "QUERY_TOO_COMPLEX"


def bounded(runtime: Runtime, **over: Any) -> Watched:
    """Give an engine with settings of a test's own."""
    return Watched(replace(runtime, settings=runtime.settings.model_copy(update=over)))


async def codes(asked: Watched, viewer: Viewer | None, query: str, **variables: Any) -> list[str]:
    """Ask, and tell the codes of the errors."""
    answer = json.loads(await asked.ask(viewer, query, variables=variables))
    return [error["extensions"]["code"] for error in answer.get("errors", ())]


def nested(levels: int) -> str:
    """Write a document of so many levels."""
    names = ["viewer", *("memberships", "user") * levels][: levels - 1]
    return "{ " + " { ".join([*names, "id"]) + " }" * levels


EDGES: dict[str, tuple[str, int, Callable[[int], str]]] = {
    "tokens": ("limit_tokens", 20, lambda n: "{ viewer { " + "id " * (n - 5) + "} }"),
    "levels": ("limit_depth", 5, nested),
    "levels of fragments": (
        "limit_depth",
        5,
        lambda n: f"{{ ...F }} fragment F on Query {{ ...G }} fragment G on Query {nested(n)}",
    ),
    "aliases": ("limit_aliases", 5, lambda n: "{ viewer { " + " ".join(f"a{i}: id" for i in range(n)) + " } }"),
    "root fields": (
        "limit_root_fields",
        4,
        lambda n: "{ " + " ".join(f"a{i}: viewer {{ id }}" for i in range(n)) + " }",
    ),
    "root fields of fragments": (
        "limit_root_fields",
        4,
        lambda n: "{ ...F } fragment F on Query { " + " ".join(f"a{i}: viewer {{ id }}" for i in range(n)) + " }",
    ),
    "directives": ("limit_directives", 5, lambda n: "{ viewer { id" + " @include(if: true)" * n + " } }"),
    "characters": ("limit_characters", 1000, lambda n: "{ viewer { id } }".ljust(n)),
    "values of a list": (
        "limit_list",
        10,
        lambda n: f"{{ patterns(filter: {{status: [{'CANDIDATE ' * n}]}}) {{ nodes {{ id }} }} }}",
    ),
    # One for the operation, one for the list, one for each of its rows.
    "cost": ("limit_cost", 52, lambda n: f"{{ patterns(first: {n - 2}) {{ nodes {{ id }} }} }}"),
    "cost of ids": ("limit_cost", 21, lambda n: "{ nodes(ids: [" + '"pat_" ' * (n - 1) + "]) { id } }"),
}


@pytest.mark.parametrize("edge", EDGES)
async def test_a_document_at_the_limit_is_answered_and_one_beyond_it_is_refused(
    edge: str, runtime: Runtime, viewer: Viewer
) -> None:
    setting, most, written = EDGES[edge]
    asked = bounded(runtime, **{setting: most})
    assert TOO_COMPLEX not in await codes(asked, viewer, written(most))
    asked = bounded(runtime, **{setting: most - 1})
    assert await codes(asked, viewer, written(most)) == [TOO_COMPLEX]


async def test_directives_count_wherever_they_stand(runtime: Runtime, viewer: Viewer) -> None:
    query = (
        "query @a { ...F @include(if: true) ... @skip(if: false) { __typename } } fragment F on Query @b { __typename }"
    )
    assert await codes(bounded(runtime, limit_directives=3), viewer, query) == [TOO_COMPLEX]
    assert await codes(bounded(runtime, limit_directives=4), viewer, query) == ["GRAPHQL_VALIDATION_FAILED"] * 2


LISTED = "query($status: [PatternStatus!]) { patterns(filter: {status: $status}) { nodes { id } } }"


async def test_lists_in_variables_are_bounded(runtime: Runtime, viewer: Viewer) -> None:
    asked = bounded(runtime, limit_list=10)
    assert await codes(asked, viewer, LISTED, status=["CANDIDATE"] * 10) == []
    assert await codes(asked, viewer, LISTED, status=["CANDIDATE"] * 11) == ["VALIDATION_ERROR"]
    answer = json.loads(await asked.ask(viewer, "{ __typename }", variables={"unused": {"deep": [1, [0] * 11]}}))
    assert answer["errors"][0]["extensions"]["fields"] == {"unused.deep[1]": "has more than 10 values"}


PROMOTE = "mutation($i: PromotePatternInput!) { promotePattern(input: $i) { pattern { id } } }"
LINK = {"kind": "OTHER", "url": "https://example.com"}


@pytest.mark.parametrize(
    ("said", "places"),
    [
        ({"rationale": "a\0b"}, ["i.rationale"]),
        ({"provenance": [LINK, {**LINK, "title": "\0"}]}, ["i.provenance[1].title"]),
        ({"patternId": "x", "no\0": 1}, ["i.no"]),
        ({"severity": "GRAVE"}, ["i", "i.severity"]),
        ({"patternId": "x", "provenance": [LINK, {**LINK, "url": 5}]}, ["i.provenance[1].url"]),
        ({"patternId": "x", "more": 1}, ["i"]),
        (None, ["i"]),
    ],
)
async def test_a_wrong_variable_names_its_place(said: Any, places: list[str], runtime: Runtime, viewer: Viewer) -> None:
    answer = json.loads(await bounded(runtime).ask(viewer, PROMOTE, variables={"i": said}))
    found = [error["extensions"] for error in answer["errors"]]
    assert {each["code"] for each in found} == {"VALIDATION_ERROR"}
    assert sorted(place for each in found for place in each["fields"]) == places


@pytest.mark.parametrize(
    "query", ['{ organization(slug: "a\\u0000") { id } }', "query($s: String!) { organization(slug: $s) { id } }"]
)
async def test_a_text_that_the_database_cannot_hold_is_a_wrong_input(query: str, ask: Ask) -> None:
    answer = await ask(query, s="a\0")
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["VALIDATION_ERROR"]


async def test_the_cost_is_told_and_counts_page_sizes_times_what_they_hold(runtime: Runtime, viewer: Viewer) -> None:
    asked = bounded(runtime)

    async def cost(query: str, **variables: Any) -> int:
        answer = json.loads(await asked.ask(viewer, query, variables=variables))
        return int(answer["extensions"]["cost"]["requested"])

    assert await cost("{ __typename }") == 1
    assert await cost("{ patterns(first: 10) { nodes { id } } }") == 12
    assert await cost("query($n: Int) { patterns(first: $n) { nodes { id } } }", n=10) == 12
    assert await cost("query($n: Int = 10) { patterns(last: $n) { nodes { id } } }") == 12
    assert await cost("{ patterns(first: 10) { nodes { repo { id } } } }") == 22
    assert (
        await cost("{ patterns(first: 10) { ...F } } fragment F on PatternConnection { nodes { repo { id } } }") == 22
    )
    assert await cost("{ patterns(first: 10) { nodes { evidence(first: 5) { nodes { id } } } } }") == 72
    assert await cost("{ patterns { nodes { id } } }") == 22


async def test_the_same_field_again_and_again_is_refused(runtime: Runtime, viewer: Viewer) -> None:
    asked = bounded(runtime)
    assert await codes(asked, viewer, "{ viewer { " + "id " * limits.MOST_REPEATED + "} }") == []
    for times in (limits.MOST_REPEATED + 1, 500):
        assert await codes(asked, viewer, "{ viewer { " + "id " * times + "} }") == [TOO_COMPLEX]


def chain(length: int, body: str = "...F{}") -> str:
    """Write fragments that each lead to the next."""
    links = (f"fragment F{i} on Query {{ {body.replace('{}', str(i + 1))} }}" for i in range(length))
    return f"{{ ...F0 }} {' '.join(links)} fragment F{length} on Query {{ __typename }}"


HURTING = {
    "deep selections": "{ viewer " * 1000 + "}" * 1000,
    "deep inline fragments": "{ ... " * 1000 + "{ __typename }" + "}" * 1000,
    "deep lists": "{ patterns(filter: " + "[" * 2000 + "]" * 2000 + ") { nodes { id } } }",
    "deep objects": "{ patterns(filter: " + "{a: " * 1000 + "1" + "}" * 1000 + ") { nodes { id } } }",
    "deep types": "query($v: " + "[" * 1000 + "Int" + "]" * 1000 + ") { __typename }",
    "a long chain of fragments": chain(400),
    "a long chain of nested fragments": chain(300, "... { ...F{} }"),
    "a chain that no operation follows": chain(300).replace("{ ...F0 }", "{ __typename }", 1),
    "a circle": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    "a circle of its own": "{ ...A } fragment A on Query { ...A }",
    "a wide circle": chain(300).replace("__typename", "...F0"),
    "a fragment that doubles in place": chain(60, "... { ...F{} } ... { ...F{} }"),
    "fields that double": '{ pattern(id: "x") { ...F0 } } fragment F13 on Pattern { id } '
    + " ".join(
        f"fragment F{i} on Pattern {{ similarTo {{ {link} }} supersededBy {{ {link} }} a: similarTo {{ {link} }} }}"
        for i in range(13)
        for link in [f"...F{i + 1}"]
    ),
    "unknown directives": "{ __typename " + "@a" * 40 + " }",
    "introspection without end": "{ __schema { types { fields { type " + "{ ofType " * 40 + "{ name }" + "}" * 44,
    "not closed": "{" * 1000,
    "an endless name": "{ " + "a" * 50_000 + " }",
    "an endless number": "{ patterns(first: " + "9" * 5000 + ") { nodes { id } } }",
    "an endless text": '{ organization(slug: "' + "a" * 90_000 + '") { id } }',
    "only a comment": "# nothing",
    "half a character": '{ organization(slug: "\\uD83D") { id } }',
}


@pytest.mark.parametrize("document", HURTING)
async def test_a_document_that_is_made_to_hurt_is_refused_at_once(
    document: str, runtime: Runtime, viewer: Viewer
) -> None:
    asked = bounded(runtime)
    found = await codes(asked, viewer, HURTING[document])
    assert found
    assert set(found) <= {TOO_COMPLEX, "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "NOT_FOUND"}, found


async def test_fragments_that_are_spread_again_and_again_cost_nothing(runtime: Runtime, viewer: Viewer) -> None:
    asked = bounded(runtime)
    query = chain(60, "...F{} ...F{}").replace("__typename", "viewer { login }")
    for name in ("plans", "resolvers"):
        asked.use_plans = name == "plans"
        assert await codes(asked, None, query) == []


async def test_the_deepest_document_that_is_allowed_is_answered(runtime: Runtime, viewer: Viewer) -> None:
    inner = "__typename"
    for _ in range(limits.MOST_NESTED - 2):
        inner = f"... {{ {inner} }}"
    assert await codes(bounded(runtime), viewer, f"{{ {inner} }}") == []


async def test_introspection_tells_tools_everything_in_development(runtime: Runtime) -> None:
    asked = bounded(runtime)
    answer = json.loads(await asked.ask(None, get_introspection_query(input_value_deprecation=True)))
    assert "errors" not in answer, answer["errors"]
    assert {"Pattern", "Repo"} <= {type_["name"] for type_ in answer["data"]["__schema"]["types"]}


@pytest.mark.parametrize("query", ["{ __schema { queryType { name } } }", '{ a: __type(name: "Pattern") { name } }'])
async def test_in_production_the_schema_is_for_those_who_are_signed_in(
    query: str, runtime: Runtime, viewer: Viewer
) -> None:
    asked = bounded(runtime, env=Environment.PRODUCTION)
    assert await codes(asked, None, query) == ["UNAUTHENTICATED"]
    assert await codes(asked, viewer, query) == []
    assert await codes(asked, None, "{ __typename }") == []


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ viewr { id } }", {}),
        ("{ viewer { logn } }", {}),
        ("{ patterns(frst: 1) { nodes { id } } }", {}),
        ("{ patterns(orderBy: {field: NAM}) { nodes { id } } }", {}),
        ("{ ... on Patern { id } }", {}),
        ("{ viewer }", {}),
        (LISTED, {"status": ["CANDIDAT"]}),
        ("query($f: PatternFilter) { patterns(filter: $f) { nodes { id } } }", {"f": {"statuss": []}}),
    ],
)
async def test_in_production_a_wrong_name_finds_no_right_one(
    query: str, variables: dict[str, Any], runtime: Runtime, viewer: Viewer
) -> None:
    told = await bounded(runtime, env=Environment.PRODUCTION).ask(viewer, query, variables=variables)
    assert b'"errors"' in told
    assert b"Did you mean" not in told


async def test_plans_are_bounded_in_number(runtime: Runtime, viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "MOST_PLANS", 3)
    asked = bounded(runtime)
    for size in range(1, 8):
        await asked.ask(viewer, "query($n: Int) { patterns(first: $n) { nodes { id } } }", variables={"n": size})
        assert asked.planned
    assert len(asked._plans) == 3


async def test_documents_are_bounded_in_number_and_length(
    runtime: Runtime, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MOST_DOCUMENTS", 3)
    asked = bounded(runtime)
    for number in range(6):
        # The faulty ones are remembered as well.
        await asked.ask(viewer, f"{{ a{number}: {'viewer { id }' if number % 2 else 'nothing'} }}")
    assert len(asked.documents._known) == 3
    monkeypatch.setattr(documents, "MOST_CHARACTERS", 100)
    await asked.ask(viewer, "{ viewer { id } }".ljust(90))
    await asked.ask(viewer, "{ viewer { id } }".ljust(91))
    assert [len(known) for known in asked.documents._known] == [91]


async def test_costs_are_bounded_in_number(runtime: Runtime, viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_COSTS", 3)
    asked = bounded(runtime)
    query = "query($n: Int) { patterns(first: $n) { nodes { id } } }"
    for size in range(1, 12):
        await asked.ask(viewer, query, variables={"n": size})
    assert len(asked.documents.get(query).cost._known) <= 3


async def test_prepared_statements_are_bounded_in_number(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.db.readers.STATEMENTS_PER_CONNECTION", 3)
    readers = Readers(database_url, size=1, statement_seconds=5)
    for number in range(9):
        await readers.row(f"SELECT {number}", [])
    kept = await readers.row("SELECT count(*)::int FROM pg_prepared_statements", [])
    assert kept is not None
    assert kept[0] <= 3 + 1
    await readers.close()
