"""The schema keeps the contract, describes itself, and shows nothing without a rule of who may see it."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    parse,
    validate,
)

from app.db.models import Pattern
from app.domain.errors import ErrorCode
from app.domain.viewer import Credential, CredentialKind, Role, Viewer
from app.reads.page import Cursors
from app.reads.roots import BY_KIND, ROOTS, SHAPES, ById
from app.reads.shape import Shape, Visibility
from app.reads.visible import View
from resolvers.plans.compiler import compile_plan
from resolvers.schema import schema
from tests.resolvers.contract import read_contract, shortcomings
from tests.resolvers.to_come import TO_COME

TOP = Path(__file__).parent.parent.parent
PRINTED = TOP / "schema.graphql"


def test_the_printed_schema_is_what_the_code_says() -> None:
    assert PRINTED.read_text().rstrip() == schema.as_str().rstrip(), "print it again: tenet schema > schema.graphql"


def test_front_ends_find_all_that_the_contract_promises() -> None:
    assert list(shortcomings(build_schema(schema.as_str()), read_contract(), TO_COME)) == []


def test_what_has_come_is_no_longer_to_come() -> None:
    ours, contract = schema.core, read_contract()
    for place in sorted(TO_COME):
        type_name, _, field = place.partition(".")
        promised, found = contract.type_map[type_name], ours.type_map.get(type_name)
        assert isinstance(promised, GraphQLObjectType | GraphQLInputObjectType)
        assert field in promised.fields, f"{place} was never promised"
        if isinstance(found, GraphQLObjectType | GraphQLInputObjectType):
            assert field not in found.fields, f"{place} is here: take it off the list"


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        (("rationale: String ", "rationale: String! "), "Pattern.rationale is String, not String!"),
        (("nodes(ids: [ID!]!)", "nodes(ids: [ID]!)"), "Query.nodes(ids) is [ID!]!, not [ID]!"),
        (("evidence(first: Int = 3,", "evidence(first: Int = 4,"), "Pattern.evidence(first) is 3 by default, not 4"),
        (("INFO }", "INFO HINT }"), "Severity.HINT is missing"),
        (("type Rule {", "type Rule implements Node { id: ID!"), "Rule is no Node"),
        (("input RepoFilter {", "input RepoFilter { private: Boolean"), "RepoFilter(private) is missing"),
    ],
)
def test_a_breach_of_the_contract_is_noticed(
    changed: tuple[str, str], found: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tests.resolvers import contract

    text = contract.PLACE.read_text()
    assert changed[0] in text
    other = tmp_path / "contract.graphql"
    other.write_text(text.replace(*changed, 1))
    monkeypatch.setattr(contract, "PLACE", other)
    assert found in list(shortcomings(build_schema(schema.as_str()), read_contract(), TO_COME))


def undescribed(core: GraphQLSchema) -> Iterator[str]:
    """Name everything that a front-end developer would have to guess at."""
    for type_ in core.type_map.values():
        if type_.name.startswith("__"):
            continue
        if not type_.description:
            yield type_.name
        if isinstance(type_, GraphQLEnumType):
            yield from (f"{type_.name}.{name}" for name, value in type_.values.items() if not value.description)
        if isinstance(type_, GraphQLInputObjectType):
            yield from (f"{type_.name}.{name}" for name, field in type_.fields.items() if not field.description)
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type_.fields.items():
                if not field.description:
                    yield f"{type_.name}.{name}"
                yield from (f"{type_.name}.{name}({key})" for key, arg in field.args.items() if not arg.description)


def test_every_name_is_described() -> None:
    assert list(undescribed(schema.core)) == []


def test_descriptions_are_sentences() -> None:
    for type_ in schema.core.type_map.values():
        if not type_.name.startswith("__"):
            assert type_.description
            assert re.match(r"[A-Z]", type_.description), type_.name


def test_one_refused_mutation_does_not_erase_its_siblings() -> None:
    assert schema.core.mutation_type is not None
    fields = schema.core.mutation_type.fields
    assert [name for name, field in fields.items() if isinstance(field.type, GraphQLNonNull)] == []


def test_every_code_of_an_error_is_in_the_schema() -> None:
    printed = schema.core.type_map["ErrorCode"]
    assert isinstance(printed, GraphQLEnumType)
    assert set(printed.values) == {code.value for code in ErrorCode}


def connections() -> list[GraphQLObjectType]:
    """Find every type of page."""
    return [
        type_
        for type_ in schema.core.type_map.values()
        if isinstance(type_, GraphQLObjectType) and type_.name.endswith("Connection")
    ]


def test_every_list_that_can_grow_is_a_connection_of_the_same_form() -> None:
    assert connections()
    for type_ in connections():
        name = type_.name.removesuffix("Connection")
        assert {key: str(field.type) for key, field in type_.fields.items()} == {
            "edges": f"[{name}Edge!]!",
            "nodes": f"[{name}!]!",
            "pageInfo": "PageInfo!",
            "totalCount": "Int!",
        }
        edge = schema.core.type_map[f"{name}Edge"]
        assert isinstance(edge, GraphQLObjectType)
        assert {key: str(field.type) for key, field in edge.fields.items()} == {"cursor": "String!", "node": f"{name}!"}


def nodes() -> list[GraphQLObjectType]:
    """Find every type whose objects have an id."""
    interface = schema.core.type_map["Node"]
    assert isinstance(interface, GraphQLInterfaceType)
    return list(schema.core.get_possible_types(interface))


@pytest.mark.parametrize("name", sorted(type_.name for type_ in nodes()))
def test_every_node_has_a_rule_of_who_may_see_it(name: str) -> None:
    shape = SHAPES[name]
    assert isinstance(shape.seen_by, Visibility)
    assert shape.kind is not None
    assert BY_KIND[shape.kind] is shape


def test_a_shape_without_a_rule_of_who_may_see_it_does_not_compile() -> None:
    with pytest.raises(TypeError, match="seen_by"):
        Shape("Pattern", Pattern)  # type: ignore[call-arg]


# Rows of these tables belong to no organization, or are organizations.
SEEN_OTHERWISE = {"users": {"me", "where_read_organization"}, "organizations": {"where_read_organization"}}


# What has no name: counts, what depends on who asks, and rows without an id.
UNNAMED = frozenset(("totalCount", "patternCounts", "email", "files", "events"))


@pytest.mark.parametrize("without", [frozenset(), UNNAMED], ids=["told", "remembered"])
@pytest.mark.parametrize("name", sorted(SHAPES))
def test_who_may_see_is_asked_at_every_level_of_a_statement(name: str, without: frozenset[str]) -> None:
    """Read everything that leads from a type, two levels deep, and look at each table that the statements touch."""
    if name not in schema.core.type_map or SHAPES[name].kind is None:
        pytest.skip("cannot be read by id")
    kind = SHAPES[name].kind
    assert kind is not None
    text = f'{{ node(id: "{kind.value}_{"0" * 32}") {{ ... on {name} {{ {everything(name, 2, without)} }} }} }}'
    document = parse(text)
    assert validate(schema.core, document) == []
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    one = UUID(int=1)
    viewer = Viewer(one, {one: Role.OWNER}, Credential(CredentialKind.ACCESS_TOKEN))
    plan = compile_plan(schema.core, operation, {}, {}, View.of(viewer).sight, Cursors("secret"))
    remembering = plan.remembering()
    assert remembering is not None or not without
    owned = {shape.model.__table__.name for shape in SHAPES.values()} - {"users", "organizations", "failed_jobs"}  # type: ignore[attr-defined]
    for statement in (plan.full, *((remembering.names, remembering.with_names) if remembering else ())):
        touched = re.findall(r"(?:FROM|JOIN) (\w+) AS (\w+)", statement.text)
        assert touched
        for table, alias in touched:
            column = {**dict.fromkeys(owned, "organization_id"), "organizations": "id"}.get(table)
            if column is not None:
                asked = rf"\b{alias}\.{column} = (ANY \(ARRAY\[)?\$\d+"
                assert re.search(asked, statement.text), (table, alias)


def everything(name: str, depth: int, without: frozenset[str]) -> str:
    """Select all fields of a type that need no argument, and what they lead to."""
    type_ = schema.core.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    parts = []
    for key, field in type_.fields.items():
        below = get_named_type(field.type)
        # What only admins see, and how a row stood once, have no plan.
        if key in ("apiKeys", "invitations", "auditLog") or any(map(is_required_argument, field.args.values())):
            continue
        if key in without or (name, key) == ("IngestionEvent", "run"):
            continue
        if is_leaf_type(below):
            parts.append(key)
        elif depth > 0:
            step = 0 if below.name.endswith(("Connection", "Edge")) else 1
            parts.append(f"{key} {{ {everything(below.name, depth - step, without)} }}")
    return " ".join(parts) or "__typename"


def test_every_root_of_a_plan_is_a_root_of_the_schema() -> None:
    assert schema.core.query_type is not None
    known = {re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower() for name in schema.core.query_type.fields}
    assert set(ROOTS) <= known
    assert all(root.to in SHAPES for root in ROOTS.values() if isinstance(root, ById))
