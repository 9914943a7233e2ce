"""True cursors, told by the service itself."""

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
)

from app.domain.ids import Kind
from tests.resolvers.world import World


async def harvest(world: World, schema: GraphQLSchema, ask: Callable[[str], Any]) -> None:
    """Collect true cursors of every list in each of its orders, as a superadmin is told them."""
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType):
            continue
        kind = next((kind for kind in Kind if kind.name.title().replace("_", "") == type_.name), None)
        for name, definition in type_.fields.items():
            if "after" not in definition.args or (kind is None and type_ is not schema.query_type):
                continue
            for key, arguments in _orders(definition).items():
                found = world.cursors.setdefault((f"{type_.name}.{name}", key), [])
                owners = list(world.everywhere(kind))[:8] if kind else [""]
                if name == "triageQueue":
                    owners = list(world.everywhere(Kind.REPO))[:3]
                for owner in owners:
                    if name == "triageQueue":
                        text = f'{{ page: {name}(repoId: "{owner}", {arguments}) {{ edges {{ cursor }} }} }}'
                    elif kind is None:
                        text = f"{{ page: {name}({arguments}) {{ edges {{ cursor }} }} }}"
                    else:
                        page = f"page: {name}({arguments}) {{ edges {{ cursor }} }}"
                        text = f'{{ node(id: "{owner}") {{ ... on {type_.name} {{ {page} }} }} }}'
                    data = await ask(text)
                    owning = data if kind is None else data["node"]
                    found += [edge["cursor"] for edge in ((owning or {}).get("page") or {"edges": []})["edges"]]


def _orders(definition: GraphQLField) -> dict[str, str]:
    """Spell the arguments that choose each order of a list."""
    orders = {"": "first: 100"}
    if "orderBy" in definition.args:
        input_type = get_nullable_type(definition.args["orderBy"].type)
        assert isinstance(input_type, GraphQLInputObjectType)
        words = get_named_type(input_type.fields["field"].type)
        assert isinstance(words, GraphQLEnumType)
        for word in words.values:
            for direction in ("ASC", "DESC"):
                order = f"orderBy: {{field: {word}, direction: {direction}}}"
                orders[f"{word} {direction}"] = f"first: 100, {order}"
    if "deferred" in definition.args:
        orders["deferred"] = "first: 100, deferred: true"
    return orders
