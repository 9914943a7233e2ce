"""Documents as front ends send them and as nobody would, generated from the schema over the rows of a world."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)
from hypothesis import strategies as st

from app.domain.viewer import Viewer
from tests.resolvers.documents.values import ABSENT, Draw, Values, Variable, order_of, spelt
from tests.resolvers.world import World

Composite = GraphQLObjectType | GraphQLInterfaceType

DEEPEST = 9
MOST_FIELDS = 40
# How often each root is asked for: what front ends send most, most.
ROOTS = (
    *("patterns", "repo", "viewer", "repos", "patterns", "pattern", "triageQueue", "repos", "patterns", "node") * 4,
    *("ingestionRun", "check", "organization", "nodes", "__typename", "__type", "organization", "check"),
    *("patterns", "repo", "viewer", "pattern", "patterns", "repos", "organization", "patterns", "repos", "node") * 4,
)
# Who asks mostly: those that see most. The others are everybody, strangers too.
USUAL = ("owner", "viewer", "of several", "reviewer", "superadmin", "admin", "key for all reads")


@dataclass(frozen=True)
class Asked:
    """A document, the variables it is sent with again and again, and who sends it."""

    query: str
    operation_name: str | None
    rounds: tuple[dict[str, Any] | None, ...]
    viewers: tuple[str, ...]

    def __repr__(self) -> str:
        rounds = "\n".join(f"  with {json.dumps(variables)}" for variables in self.rounds)
        return f"as {', '.join(self.viewers)}, operation {self.operation_name}:\n{self.query}\n{rounds}"


@st.composite
def documents(draw: Draw, schema: GraphQLSchema, world: World) -> Asked:
    """Write a document for somebody, to be sent a few times."""
    names = USUAL if draw(st.integers(0, 4)) else tuple(world.viewers)
    viewers = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2))
    rounds = draw(st.sampled_from((1, 1, 2, 3)))
    return _Writer(draw, schema, world, world.viewers[viewers[0]], rounds).document(tuple(viewers))


@dataclass
class Scope:
    """What response keys mean already where a selection is merged into others."""

    taken: dict[str, tuple[str, "Scope"]] = field(default_factory=dict)
    # What fragments select may be merged anywhere, so there every field with arguments has an alias of its own.
    anywhere: bool = False

    def beneath(self, key: str, meaning: str) -> "Scope | None":
        """Take a key, and give the scope beneath it; None where it means something else."""
        known, scope = self.taken.setdefault(key, (meaning, Scope(anywhere=self.anywhere)))
        return scope if known == meaning else None


class _Writer(Values):
    """Writes one document."""

    def __init__(self, draw: Draw, schema: GraphQLSchema, world: World, viewer: Viewer | None, rounds: int) -> None:
        super().__init__(draw, world, viewer, rounds)
        self.schema = schema
        self.fragments: dict[str, tuple[str, str]] = {}
        self.written = 0
        self.aliased = 0

    def document(self, viewers: tuple[str, ...]) -> Asked:
        """Write the operation, sometimes another beside it, and their fragments."""
        assert self.schema.query_type is not None
        body = self.block(self.schema.query_type, Scope(), 0)
        name, text = None, body
        other = self.chance(4)
        if self.variables or self.chance(30) or other:
            declared = "".join(self.declared(variable) for variable in self.variables.values())
            title = "Asked" if self.chance(70) or other else ""
            text = f"query {title}{f'({declared})' if declared else ''} {body}"
            name = title or None
        if other:
            text = f"{text}\nquery Other {{ viewer {{ id }} }}"
            name = self.choose(("Asked", "Asked", "Other", "Nothing", None))
        elif name is not None and self.chance(50):
            name = None
        for fragment, (on, selected) in self.fragments.items():
            text += f"\nfragment {fragment} on {on} {selected}"
        rounds = tuple(self.sent(number) for number in range(self.rounds if self.variables else 1))
        return Asked(text, name, rounds, viewers)

    def sent(self, number: int) -> dict[str, Any] | None:
        """Give the variables of a round."""
        values = {name: variable.values[number] for name, variable in self.variables.items()}
        sent = {name: value for name, value in values.items() if value is not ABSENT}
        return sent or ({} if self.chance(50) else None)

    @staticmethod
    def declared(variable: Variable) -> str:
        default = "" if variable.default is None else f" = {variable.default}"
        return f"${variable.name}: {variable.type}{default} "

    def block(self, type_: Composite, scope: Scope, depth: int) -> str:
        """Write a selection set."""
        parts = self.roots(type_, scope) if depth == 0 else self.parts(type_, scope, depth)
        return "{ " + " ".join(parts) + " }"

    def roots(self, type_: Composite, scope: Scope) -> list[str]:
        if self.chance(5):
            return [self.fragment(type_, scope, 0)]
        return [self.field(type_, self.choose(ROOTS), scope, 0) for _ in range(self.choose((1, 1, 1, 1, 2, 2, 3)))]

    def parts(self, type_: Composite, scope: Scope, depth: int) -> list[str]:
        leaves = [name for name, field_ in type_.fields.items() if is_leaf_type(get_named_type(field_.type))]
        others = [name for name in type_.fields if name not in leaves]
        lists = type_.name.endswith(("Connection", "Edge"))
        deeper = depth < DEEPEST and self.written < MOST_FIELDS
        parts: list[str] = []
        if others and deeper and self.chance(95 if lists else 60 - 5 * depth):
            parts += [self.field(type_, name, scope, depth) for name in self.some(others, 2)]
        if deeper and (self.chance(12) or (isinstance(type_, GraphQLInterfaceType) and self.chance(90))):
            parts.append(self.fragment(type_, scope, depth))
        # Connections are mostly asked for their rows, not for their count.
        if not parts or not lists or self.chance(30):
            parts += [self.field(type_, name, scope, depth) for name in self.some(leaves, 1 if lists else 3)]
        if self.chance(10):
            parts.append(self.field(type_, "__typename", scope, depth))
        order: list[str] = self.draw(st.permutations(parts)) if self.chance(20) else parts
        return order

    def fragment(self, type_: Composite, scope: Scope, depth: int) -> str:
        """Write a fragment in its place, or a name for one."""
        on = self.on(type_)
        directive = self.directive()
        if self.chance(40):
            names = [name for name, (known, _) in self.fragments.items() if known == on.name]
            if not names or self.chance(60):
                selected = "{ " + " ".join(self.inside(on, Scope(anywhere=True), depth)) + " }"
                names = [f"F{len(self.fragments)}"]
                self.fragments[names[0]] = (on.name, selected)
            return f"...{self.choose(names)}{directive}"
        condition = "" if on is type_ and self.chance(50) else f" on {on.name}"
        return f"...{condition}{directive} {{ {' '.join(self.inside(on, scope, depth))} }}"

    def inside(self, type_: Composite, scope: Scope, depth: int) -> list[str]:
        return self.roots(type_, scope) if type_ is self.schema.query_type else self.parts(type_, scope, depth + 1)

    def on(self, type_: Composite) -> Composite:
        """Choose what a fragment speaks of, as far as it can apply."""
        if isinstance(type_, GraphQLInterfaceType):
            shown = [self.schema.type_map[name] for name in ("Pattern", "Repo", "Organization", "User", "IngestionRun")]
            every = [*shown, *shown, *self.schema.get_possible_types(type_), type_]
            chosen = self.choose(every)
            assert isinstance(chosen, GraphQLObjectType | GraphQLInterfaceType)
            return chosen
        near: list[Composite] = [type_, type_, *type_.interfaces]
        return self.choose(near)

    def directive(self) -> str:
        if not self.chance(12):
            return ""
        written = ""
        for name in ("include", "skip") if self.chance(15) else (self.choose(("include", "skip")),):
            written += f" @{name}(if: {spelt(self.condition(kept=name == 'include'))})"
        return written

    def condition(self, *, kept: bool) -> Any:
        """Choose what a directive is told; `kept` is what lets its field stand, and mostly it does."""
        if self.chance(60):
            return self.variable("Boolean", ("if", kept), lambda: self.chance(80) is kept, required=True)
        return self.chance(70) is kept

    def field(self, type_: Composite, name: str, scope: Scope, depth: int) -> str:
        """Write a field with its arguments and what is selected of it."""
        self.written += 1
        if name.startswith("__"):
            return self.about_the_schema(name)
        definition = type_.fields[name]
        arguments = self.arguments(type_, name, definition)
        meaning = f"{name}{arguments} {definition.type}"
        key = name
        if self.chance(12) or (arguments and scope.anywhere):
            key = self.alias(scope)
        beneath = scope.beneath(key, meaning)
        if beneath is None:
            key = self.fresh()
            beneath = scope.beneath(key, meaning)
            assert beneath is not None
        named = get_named_type(definition.type)
        below = ""
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            below = " " + self.block(named, beneath, depth + 1)
        return f"{'' if key == name else f'{key}: '}{name}{arguments}{self.directive()}{below}"

    def about_the_schema(self, name: str) -> str:
        match name:
            case "__typename":
                return self.choose(("__typename", f"{self.fresh()}: __typename"))
            case "__type":
                return f'{self.fresh()}: __type(name: "Pattern") {{ name kind fields {{ name }} }}'
            case _:
                raise AssertionError(name)

    def alias(self, scope: Scope) -> str:
        return self.fresh() if scope.anywhere else self.odd_alias()

    def fresh(self) -> str:
        self.aliased += 1
        return f"a{self.aliased}"

    def arguments(self, type_: Composite, name: str, definition: GraphQLField) -> str:
        said: dict[str, Any] = {}
        at = f"{type_.name}.{name}"
        wanted = self.wanted(at, definition.args)
        for argument, details in definition.args.items():
            if argument in wanted and argument not in ("after", "before"):
                said[argument] = self.value(details.type, argument, name)
        order = "deferred" if said.get("deferred") is True else order_of(said.get("orderBy"))
        for argument in ("after", "before"):
            if argument in wanted:
                said[argument] = self.cursor((at, order))
        if not said:
            return ""
        return "(" + ", ".join(f"{key}: {spelt(value)}" for key, value in said.items()) + ")"

    def wanted(self, at: str, arguments: Mapping[str, GraphQLArgument]) -> set[str]:
        """Choose which arguments are said."""
        if at == "Query.repo" and self.chance(90):
            return {"id"} if self.chance(85) else {"fullName", "organization"}
        chances = {"first": 45, "last": 0, "after": 12, "before": 0, "filter": 35, "orderBy": 35}
        if "last" in arguments and self.chance(25):
            # A page from the end, or something odd.
            chances |= {"first": 5, "last": 95, "after": 4, "before": 30}
        return {
            name
            for name, details in arguments.items()
            if is_required_argument(details) or self.chance(chances.get(name, 40))
        }
