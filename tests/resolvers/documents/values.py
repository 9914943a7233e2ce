"""Values for the arguments of documents: true ones, foreign ones, odd ones, as literals and as variables."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_nullable_type,
    is_required_input_field,
)
from hypothesis import strategies as st

from app.domain.ids import Kind
from app.domain.viewer import Viewer
from tests.resolvers.world import PATHS, TEXTS, World

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]

KINDS = {"repo": Kind.REPO, "pattern": Kind.PATTERN, "ingestionRun": Kind.INGESTION_RUN, "check": Kind.CHECK}
KINDS_OF_ARGUMENTS = {"repoId": Kind.REPO, "organizationId": Kind.ORGANIZATION, "ownerId": Kind.USER}
# What SQL, its compiler, and the statements of plans could take for a word of their own.
ALIASES = (
    *("x", "A1", "_", "select", "user", "order", "at", "listed", "cursor", "element", "value", "parent_", "cursor_"),
    *("anon_1", "anon_2", "patterns_1", "row_1", "row_to_json", "is_last", "root_0", "ordinality", "nodes", "id"),
    *("param_1", "list_1_after_0", "where_read_patterns", "ctid", "x" * 63, "x" * 64),
)
NO_IDS = (
    "",
    " ",
    "pat_",
    "pat_xyz",
    "PAT_" + "0" * 32,
    "pat_" + "F" * 32,
    "1",
    "usr_\N{DIGIT ONE}" + "0" * 31,
    "x" * 99,
)
NO_CURSORS = ("", " ", "0", "zz", "null", "5b5d", "0" * 16, "0" * 16 + "5b6e756c6c5d", "ü", "\0", "f" * 3000)
SIZES = (2, 1, 3, 5, 20, 100)
NO_SIZES = (0, -1, 101, (1 << 31) - 1, 1 << 31, -(1 << 63))
WORDS = (
    *TEXTS,
    *PATHS,
    *("", "exception end", "err", "of_", "100%", "Python", "src/", "src/z.py", "a.md", "\\", "_", "%", "'; --", "\0"),
    *("octo", "& | ! :*", "\N{COMBINING ACUTE ACCENT}", "a" * 5000, "pat_", "repo_x", "\u00a0", "9" * 400),
)


class Name(str):
    """A value that a document spells without quotes."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Given:
    """A place where a variable stands."""

    variable: str


@dataclass(slots=True)
class Variable:
    """A variable, with a value for each round; absent where it is not sent."""

    name: str
    type: str
    purpose: object
    default: str | None
    values: list[Any]


ABSENT = object()


class Values:
    """Chooses, and remembers the variables that it made."""

    def __init__(self, draw: Draw, world: World, viewer: Viewer | None, rounds: int) -> None:
        self.draw, self.world, self.viewer, self.rounds = draw, world, viewer, rounds
        seen = set(world.seen(Kind.ORGANIZATION, viewer))
        self.seen_slugs = [slug for slug, organization in world.slugs.items() if organization in seen]
        self.variables: dict[str, Variable] = {}

    def chance(self, percent: int) -> bool:
        """Say yes so often."""
        chosen: int = self.draw(st.integers(0, 99))
        return chosen >= 100 - percent

    def choose(self, options: Sequence[T]) -> T:
        """Choose one."""
        chosen: T = options[self.draw(st.integers(0, len(options) - 1))]
        return chosen

    def some(self, options: Sequence[T], most: int) -> list[T]:
        """Choose a few, perhaps one of them again."""
        return [self.choose(options) for _ in range(self.draw(st.integers(1, most)))] if options else []

    def cursor(self, place: tuple[str, str]) -> Any:
        """Choose a cursor: two of three belong to the list."""
        known = self.world.cursors.get(place, [])

        def made() -> Any:
            if known and self.chance(67):
                return self.choose(known)
            elsewhere = self.choose([cursors for cursors in self.world.cursors.values() if cursors])
            true = self.choose(known or elsewhere)
            return self.choose((*NO_CURSORS, *elsewhere, true[:-1], true.upper(), _changed(true), true + " ", None))

        if self.chance(55):
            return self.variable("String", place, made)
        return made()

    def odd_alias(self) -> str:
        """Choose an alias that something else could take for its own."""
        return self.choose(ALIASES)

    def value(self, type_: GraphQLInputType, name: str, at: str, *, literal: bool = False) -> Any:
        """Choose a value for a place, or a variable that brings it."""
        if not literal and self.chance(35):
            return self.variable(
                str(get_nullable_type(type_)),
                (name, at if name == "id" else ""),
                lambda: self.value(type_, name, at, literal=True),
                required=isinstance(type_, GraphQLNonNull),
            )
        nullable = get_nullable_type(type_)
        if nullable is type_ and self.chance(4):
            return None
        if isinstance(nullable, GraphQLList):
            if self.chance(10):
                return self.value(nullable.of_type, name, at, literal=literal)
            count = self.draw(st.integers(0, 3))
            return [self.value(nullable.of_type, name, at, literal=literal) for _ in range(count)]
        if isinstance(nullable, GraphQLInputObjectType):
            return {
                key: self.value(details.type, key, at, literal=literal)
                for key, details in nullable.fields.items()
                if is_required_input_field(details) or self.chance(50 if key == "direction" else 14)
            }
        if isinstance(nullable, GraphQLEnumType):
            return Name(self.choose(tuple(nullable.values)))
        return self.scalar(nullable.name, name, at)

    def scalar(self, type_name: str, name: str, at: str) -> Any:
        """Choose what an argument of this name could be sent."""
        match type_name:
            case "Int":
                return self.choose(SIZES) if self.chance(98) else self.choose(NO_SIZES)
            case "Boolean":
                return self.chance(35)
            case "ID":
                return self.identifier(KINDS_OF_ARGUMENTS.get(name) or KINDS.get(at))
        match name:
            case "slug" | "organization" if self.chance(80):
                return self.choose(self.seen_slugs or tuple(self.world.slugs)) if self.chance(80) else "initech"
            case "fullName" if self.chance(80):
                return self.choose(self.world.full_names)
        return self.choose(WORDS)

    def identifier(self, kind: Kind | None) -> Any:
        """Choose an id: two of three belong to objects that the first viewer sees."""
        if kind is None:
            kind = self.choose((Kind.PATTERN, Kind.REPO, *Kind))
        seen = self.world.seen(kind, self.viewer)
        if seen and self.chance(67):
            return self.choose(seen)
        other = self.world.everywhere(self.choose(tuple(Kind)))
        return self.choose((*self.world.everywhere(kind), self.choose(other), *NO_IDS, 7))

    def variable(self, type_name: str, purpose: object, made: Callable[[], Any], *, required: bool = False) -> Given:
        """Name a variable, one that is there already where it fits."""
        base = type_name.rstrip("!")
        fitting = [
            variable.name
            for variable in self.variables.values()
            if variable.type.rstrip("!") == base
            and (variable.purpose == purpose or self.chance(8))
            and (not required or variable.type.endswith("!") or variable.default is not None)
        ]
        if fitting and self.chance(40):
            return Given(self.choose(fitting))
        default = None
        if self.chance(25):
            value = made()
            default = None if value is None and required else spelt(value)
        strict = default is None and (required or self.chance(15))
        values: list[Any] = []
        for _ in range(self.rounds):
            value = made()
            if not strict and self.chance(20):
                value = ABSENT
            elif not strict and self.chance(6 if not required else 3):
                value = None
            values.append(value if value is ABSENT else plain(value))
        name = f"v{len(self.variables)}"
        self.variables[name] = Variable(name, base + ("!" if strict else ""), purpose, default, values)
        return Given(name)


def spelt(value: Any) -> str:
    """Spell a value as a document does."""
    match value:
        case Given(variable=name):
            return f"${name}"
        case Name():
            return str(value)
        case dict():
            return "{" + ", ".join(f"{key}: {spelt(part)}" for key, part in value.items()) + "}"
        case list():
            return "[" + ", ".join(spelt(part) for part in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def plain(value: Any) -> Any:
    """Spell a value as the JSON of variables does."""
    match value:
        case Name():
            return str(value)
        case dict():
            return {key: plain(part) for key, part in value.items()}
        case list():
            return [plain(part) for part in value]
        case _:
            return value


def order_of(value: Any) -> str:
    """Name an order as the harvest does; one that a variable brings cannot be known."""
    if not isinstance(value, dict) or any(isinstance(part, Given) for part in value.values()):
        return ""
    return f"{value.get('field')} {value.get('direction') or 'DESC'}"


def _changed(cursor: str) -> str:
    middle = len(cursor) // 2
    return cursor[:middle] + ("0" if cursor[middle] != "0" else "1") + cursor[middle + 1 :]
