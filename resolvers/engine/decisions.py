"""Mutations that decide about one pattern: the decision, then what the answer tells of it, by a plan."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLObjectType,
    Node,
    VariableNode,
    Visitor,
    get_named_type,
    located_error,
    visit,
)

from app.db.readers import Read
from app.db.tx import Telling
from app.domain.errors import NotFound, Refusal
from app.domain.viewer import Viewer
from app.reads.page import Cursors
from app.reads.visible import Sight, View
from app.runtime import Runtime
from app.services import triaging
from app.services.triaging import Decision
from resolvers.engine.documents import Document, Operation
from resolvers.engine.inputs import input_of
from resolvers.patterns.triage import DECISIONS, decide
from resolvers.plans.arguments import Variables, form_of, sources
from resolvers.plans.compiler import compile_payload
from resolvers.plans.plan import Plan, Values
from resolvers.plans.selection import NoPlan
from resolvers.schema import schema

MOST_PLANS = 1_000
_UNKNOWN: Any = object()


@dataclass(frozen=True, slots=True)
class _Deciding:
    """A mutation of the common form: one field, and the variables on which the form of its answer depends."""

    node: FieldNode
    structural: frozenset[str]

    @property
    def key(self) -> str:
        return (self.node.alias or self.node.name).value


@dataclass(frozen=True, slots=True)
class _Compiled:
    """How the input of a mutation is read, and how its payload is."""

    read: Callable[[Variables], Decision]
    payload: Plan
    telling: Telling | None


class Decisions:
    """Answers mutations of the common form; all others go the reference way."""

    def __init__(self, runtime: Runtime, cursors: Cursors) -> None:
        self._runtime = runtime
        self._cursors = cursors
        self._known: OrderedDict[str, _Deciding | None] = OrderedDict()
        self._plans: OrderedDict[tuple[str, str, tuple[Any, ...]], _Compiled | None] = OrderedDict()

    async def answer(
        self, viewer: Viewer, view: View, document: Document, operation: Operation, variables: Variables
    ) -> list[bytes] | ExecutionResult | None:
        """Decide, and give the member of the answer; or its error; or None, and nothing was done."""
        deciding = self._deciding(document, operation)
        if deciding is None:
            return None
        try:
            plan = self._plan(view.sight, document, operation, deciding, variables)
        except Refusal:
            # Something in the answer is asked for wrongly: the reference way decides all the same, and says so.
            return None
        if plan is None:
            return None
        try:
            decision = plan.read(variables)
            try:
                values = plan.payload.values(variables, {**view.bound, "decided": decision.pattern_id})
            except Refusal:
                return None
            told = plan.payload.told(await self._decided(viewer, decision, plan, values), values)
            if told is None:
                raise NotFound("No such object.")
        except Exception as error:  # as the ordinary executor does: whatever a field raises is its error
            return ExecutionResult({deciding.key: None}, [located_error(error, [deciding.node], [deciding.key])])
        return told

    async def _decided(
        self, viewer: Viewer, decision: Decision, plan: _Compiled, values: Values
    ) -> Sequence[tuple[Any, ...] | Read]:
        """Take a decision, and give the rows of its payload: from the statement that decides where it can tell them."""
        if decision.is_alone and plan.telling is not None:
            async with self._runtime.strike(plan.telling, values) as stroke:
                await triaging.decide(stroke, viewer, decision)
            return [] if stroke.told is None else [(stroke.told,)]
        await decide(self._runtime, viewer, decision)
        told = plan.payload.full
        return await self._runtime.readers.rows(told.text, told.arguments(values))

    def _deciding(self, document: Document, operation: Operation) -> _Deciding | None:
        found: _Deciding | None = self._known.get(operation.key, _UNKNOWN)
        if found is _UNKNOWN:
            found = self._known[operation.key] = _of_common_form(document, operation)
            if len(self._known) > MOST_PLANS:
                self._known.popitem(last=False)
        return found

    def _plan(
        self, sight: Sight, document: Document, operation: Operation, deciding: _Deciding, variables: Variables
    ) -> _Compiled | None:
        # Of what is only part of the input it matters whether it is there at all.
        form = tuple((name, _form(operation, deciding, name, value)) for name, value in variables.items())
        key = (operation.key, sight.word, form)
        plan: _Compiled | None = self._plans.get(key, _UNKNOWN)
        if plan is not _UNKNOWN:
            self._plans.move_to_end(key)
            return plan
        try:
            plan = self._compiled(sight, document, deciding.node, variables)
        except (NoPlan, RecursionError):
            plan = None
        self._plans[key] = plan
        if len(self._plans) > MOST_PLANS:
            self._plans.popitem(last=False)
        return plan

    def _compiled(self, sight: Sight, document: Document, node: FieldNode, variables: Variables) -> _Compiled:
        name = node.name.value
        mutations = schema.core.mutation_type
        assert mutations is not None
        field = mutations.fields[name]
        payload = get_named_type(field.type)
        assert isinstance(payload, GraphQLObjectType)
        given = sources(field, node, variables)["input"]
        mutation = DECISIONS[name]

        def read(variables: Variables) -> Decision:
            return mutation.read(input_of(mutation.input, given(variables)))

        told = compile_payload(schema.core, payload, node, document.fragments, variables, sight, self._cursors)
        return _Compiled(read, *told)


def _form(operation: Operation, deciding: _Deciding, name: str, value: Any) -> Any:
    if name not in deciding.structural:
        return value is None
    return form_of(value), Cursors.form(value) if name in operation.cursor_variables and value else None


class _Names(Visitor):
    """Finds the names of variables."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.found.add(node.name.value)


def _of_common_form(document: Document, operation: Operation) -> _Deciding | None:
    match operation.node.selection_set.selections:
        case [FieldNode() as node] if node.name.value in DECISIONS and not node.directives:
            assert node.selection_set is not None
            names = _Names()
            inside: list[Node] = [node.selection_set, *document.fragments.values()]
            for part in inside:
                visit(part, names)
            return _Deciding(node, frozenset(names.found))
    return None
