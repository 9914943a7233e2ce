"""What an event carries, and how a selection of it becomes bytes: once, for everybody who selects the same.

What stands here is the same for whoever may follow the log at all. A selection that goes further is executed for each
viewer, with that viewer's rights.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from app.domain.ids import Kind, public
from app.reads import runs
from resolvers.live.followers import Delivery
from resolvers.plans.selection import NoPlan, Selections, snake

# So many selections of one event are kept spelt; those beyond are spelt again for each who asks.
MOST_SPELLINGS = 32

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Carried:
    """What the events of one subscription carry: the fields of each type, and where their values are."""

    fields: Mapping[str, frozenset[str]]
    values: Callable[[Event], Event]


def _run_event(event: Event) -> Event:
    # An event that was written before a field was kept lacks it, and that is not the same as null.
    run = {name: event["run"][name] for name in runs.SNAPSHOT}
    run["id"] = public(Kind.INGESTION_RUN, event["run_id"])
    pattern = None
    if event["pattern_id"] is not None:
        tier = event["pattern_tier"]
        pattern = {
            "id": public(Kind.PATTERN, event["pattern_id"]),
            "name": event["pattern_name"],
            "confidence": None if tier is None else {"tier": tier},
        }
    return {**event, "run": run, "pattern": pattern}


def _pattern_change(event: Event) -> Event:
    # Of the pattern itself only what never changes: the rest is told as it is when it is delivered.
    pattern = {"id": public(Kind.PATTERN, event["pattern_id"])}
    step = {
        **event,
        "id": public(Kind.PATTERN_EVENT, event["id"]),
        "from": event["from_status"],
        "to": event["to_status"],
        "pattern": pattern,
    }
    return {"sequence": event["sequence"], "event": step, "pattern": pattern}


CARRIED: Mapping[str, Carried] = {
    "ingestionStatus": Carried(
        {
            "IngestionEvent": frozenset(
                ("sequence", "skipped", "kind", "at", "run", "stage", "progress", "message", "pattern")
            ),
            "StageProgress": frozenset(
                ("stage", "state", "done", "total", "unit", "started_at", "finished_at", "note")
            ),
            "IngestionRun": frozenset(("id", *runs.SNAPSHOT)),
            "Pattern": frozenset(("id", "name", "confidence")),
            "Confidence": frozenset(("tier",)),
        },
        _run_event,
    ),
    "patternChanges": Carried(
        {
            "PatternChange": frozenset(("sequence", "pattern", "event")),
            "PatternEvent": frozenset(("id", "kind", "pattern", "sequence", "from", "to", "message", "at")),
            "Pattern": frozenset(("id",)),
        },
        _pattern_change,
    ),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One field of an object, under the name that the client gave it."""

    key: str
    name: str
    is_required: bool
    type_name: str | None = None
    leaf: GraphQLLeafType | None = None
    inner: tuple["Part", ...] = ()
    is_list: bool = False

    def of(self, source: Event) -> Any:
        """Spell the field of an object as the executor would."""
        if self.type_name is not None:
            return self.type_name
        value = source.get(self.name)
        if value is None:
            if self.is_required:
                raise LookupError(f"An event lacks {self.name}.")
            return None
        if self.leaf is not None:
            return self.leaf.serialize(value)
        if self.is_list:
            return [_spelt(self.inner, element) for element in value]
        return _spelt(self.inner, value)

    def reaches(self, name: str) -> bool:
        """Tell whether a field is selected anywhere in here."""
        return self.name == name or any(part.reaches(name) for part in self.inner)


def _spelt(parts: Sequence[Part], source: Event) -> dict[str, Any]:
    return {part.key: part.of(source) for part in parts}


@dataclass(frozen=True, slots=True)
class Selected:
    """What tells one selection from another: equal ones share their bytes."""

    field: str
    key: str
    cost: int
    parts: tuple[Part, ...]


class Spelling:
    """One selection of what events carry, as the bytes of whole answers."""

    __slots__ = ("__weakref__", "_carried", "selected")

    def __init__(self, selected: Selected) -> None:
        self.selected = selected
        self._carried = CARRIED[selected.field]

    def of(self, delivery: Delivery) -> bytes | None:
        """Give the answer for a delivery; None where only the executor can say what is wrong with it."""
        spelt, key = delivery.entry.spelt, (self, delivery.skipped)
        try:
            return spelt[key]
        except KeyError:
            body = self._spell(delivery)
            if len(spelt) < MOST_SPELLINGS:
                spelt[key] = body
            return body

    def reaches(self, name: str) -> bool:
        """Tell whether a field is selected anywhere."""
        return any(part.reaches(name) for part in self.selected.parts)

    def _spell(self, delivery: Delivery) -> bytes | None:
        selected = self.selected
        try:
            told = _spelt(selected.parts, self._carried.values(delivery.event))
        except (GraphQLError, LookupError):
            return None
        return orjson.dumps({"data": {selected.key: told}, "extensions": {"cost": {"requested": selected.cost}}})


def parts_of(field: str, type_: GraphQLObjectType, nodes: list[FieldNode], selections: Selections) -> tuple[Part, ...]:
    """Read what is selected of a type, or raise NoPlan where that goes further than events carry."""
    known = CARRIED[field].fields.get(type_.name)
    if known is None:
        raise NoPlan(f"{type_.name} is not carried")
    parts: list[Part] = []
    for key, theirs in selections.of(type_, nodes).items():
        name = theirs[0].name.value
        if name == "__typename":
            parts.append(Part(key, name, is_required=True, type_name=type_.name))
        elif snake(name) in known:
            parts.append(_part(field, key, type_.fields[name], theirs, selections))
        else:
            raise NoPlan(f"{type_.name}.{name} is not carried")
    return tuple(parts)


def _part(field: str, key: str, definition: GraphQLField, nodes: list[FieldNode], selections: Selections) -> Part:
    name, named = snake(nodes[0].name.value), get_named_type(definition.type)
    is_required = isinstance(definition.type, GraphQLNonNull)
    if is_leaf_type(named):
        return Part(key, name, is_required, leaf=named)
    assert isinstance(named, GraphQLObjectType)
    is_list = isinstance(get_nullable_type(definition.type), GraphQLList)
    return Part(key, name, is_required, inner=parts_of(field, named, nodes, selections), is_list=is_list)
