"""From a request to an answer: the document, its limits, then the compiled plan or the reference executor."""

import json
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from time import perf_counter
from typing import Any

import orjson
import structlog
from graphql import ExecutionResult, GraphQLError, execute, get_variable_values, subscribe
from starlette.types import Scope

from app import observe
from app.domain.errors import ErrorCode, Invalid, Refusal, TooComplex, Unauthenticated, Unavailable
from app.domain.viewer import Viewer
from app.rates import Charge, OverLimit
from app.reads.page import Cursors
from app.reads.visible import Sight, View
from app.runtime import Runtime
from resolvers.callers import Caller, Callers
from resolvers.context import Context
from resolvers.engine.deadlines import Deadlines
from resolvers.engine.decisions import Decisions
from resolvers.engine.documents import Document, Documents, Operation, RequestRefused, refusal_error, wrong_variable
from resolvers.engine.limits import bound_variables
from resolvers.engine.looks import Looks
from resolvers.engine.trusted import TrustedDocuments, hashed
from resolvers.live.feeds import Feeds
from resolvers.live.hub import Hub
from resolvers.plans.arguments import form_of
from resolvers.plans.compiler import compile_plan
from resolvers.plans.plan import Plan
from resolvers.plans.remembered import Remembered
from resolvers.plans.selection import NoPlan
from resolvers.schema import schema
from resolvers.transport.protocol import Answer, GraphQLRequest, Offer, OperationKind, refused

MOST_PLANS = 2_000
# Of a document that was refused, so many characters cost as much as an object that is read.
CHARACTERS_A_POINT = 10
SLOW_SECONDS = 1.0
_UNKNOWN: Any = object()

log = structlog.get_logger(__name__)


class GraphQLEngine:
    """Answers GraphQL requests."""

    def __init__(self, runtime: Runtime, *, use_plans: bool = True) -> None:
        self.runtime = runtime
        self.settings = runtime.settings
        self.documents = Documents(schema.core, runtime.settings)
        self.trusted = TrustedDocuments(runtime.settings)
        self.cursors = Cursors(runtime.settings.signing_secret())
        self.callers = Callers(runtime)
        self.feeds = Feeds(runtime, self.callers.forget)
        self.hub = Hub(schema.core)
        self.looks = Looks(runtime)
        self.decisions = Decisions(runtime, self.cursors)
        self.use_plans = use_plans
        self._deadlines = Deadlines(runtime.settings.operation_seconds)
        self._remembered = Remembered(runtime.settings.rows_remembered_mb << 20)
        self._plans: OrderedDict[tuple[Any, ...], Plan | None] = OrderedDict()

    async def __aenter__(self) -> "GraphQLEngine":
        """Begin to hear of revocations."""
        await self.callers.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Finish what goes on beside the requests."""
        await self.feeds.close()
        await self.callers.__aexit__(*error)

    async def caller(self, scope: Scope, init: Mapping[str, Any] | None) -> Caller:
        """Find out who is calling; may refuse."""
        caller = await self.callers.of(scope, init)
        if caller.live:
            await self.runtime.rates.connect(caller.key)
        return caller

    def operation_kind(self, request: GraphQLRequest) -> OperationKind | None:
        """Tell what would run; None where that cannot be told."""
        try:
            return self._operation(request)[1].node.operation.value
        except RequestRefused:
            return None

    async def answer(self, caller: Caller, request: GraphQLRequest, *, reads_only: bool) -> Answer:
        """Run a query, or a mutation unless only reads are allowed."""
        started = perf_counter()
        kind = "unknown"
        try:
            with self._deadlines:
                # On a live connection the credential was shown long ago; else in this very request.
                if caller.live:
                    caller = await caller.now()
                document, operation = self._operation(request)
                kind = operation.kind
                answer = await self._answered(caller, document, operation, request, reads_only=reads_only)
        except RequestRefused as refusal:
            answer = await self._fined(caller, request, refusal)
        except OverLimit as refusal:
            answer = _over_limit(refusal)
        except TimeoutError:
            late = Unavailable("The operation took too long; ask for less, or try again.")
            answer = replace(_refused_request(RequestRefused(refusal_error(late))), status=503)
        seconds = perf_counter() - started
        observe.operation(kind, request.operation_name, answer.code, seconds)
        if seconds > SLOW_SECONDS:
            log.warning("slow operation", kind=kind, document=hashed(request.query or ""), seconds=round(seconds, 3))
        return answer

    async def stream(
        self, caller: Caller, request: GraphQLRequest, offer: Offer | None = None
    ) -> AsyncGenerator[Answer, None]:
        """Run a subscription."""
        try:
            caller = await caller.now()
            document, operation = self._operation(request)
            variables, cost = self._measured(document, operation, request)
            if not caller.live:
                await self.runtime.rates.connect(caller.key)
            charge = await self._charged(caller, operation, cost)
            await self._looked(caller, document, operation, request)
            context = self._context(caller, charge)
            broadcast = self.hub.broadcast(caller.viewer, document, operation, variables, cost)
            if broadcast is not None:
                answers = self._broadcast(context, document, request, cost, broadcast.told(context, offer))
            else:
                answers = self._followed(await self._source(context, document, request), cost)
        except RequestRefused as refusal:
            yield await self._fined(caller, request, refusal)
            return
        except Refusal as refusal:
            yield _refused_request(RequestRefused(refusal_error(refusal)))
            return
        try:
            with observe.subscription():
                async with aclosing(answers):
                    async for answer in answers:
                        yield answer
        except Refusal as refusal:
            # What may be followed may change while it is followed; the last word says why the stream ends.
            yield Answer(_encode({"data": None, "errors": [_spell(refusal_error(refusal))]}), executed=True)

    async def _source(
        self, context: Context, document: Document, request: GraphQLRequest
    ) -> AsyncGenerator[ExecutionResult, None]:
        source: Any = subscribe(
            schema.core,
            document.node,
            context_value=context,
            variable_values=request.variables,
            operation_name=request.operation_name,
        )
        if not isinstance(source, AsyncIterator | ExecutionResult):
            source = await source
        if isinstance(source, ExecutionResult):
            raise RequestRefused(*(source.errors or ()))
        results: AsyncGenerator[ExecutionResult, None] = source
        return results

    async def _followed(self, source: AsyncGenerator[ExecutionResult, None], cost: int) -> AsyncGenerator[Answer, None]:
        async with aclosing(source):
            async for result in source:
                yield self._told(result, cost)

    async def _broadcast(
        self,
        context: Context,
        document: Document,
        request: GraphQLRequest,
        cost: int,
        told: AsyncGenerator[tuple[bytes | None, Any], None],
    ) -> AsyncGenerator[Answer, None]:
        async with aclosing(told):
            async for body, event in told:
                if body is None:
                    yield self._told(await self._referred(context, document, request, event), cost)
                else:
                    yield Answer(body, executed=True)

    def _operation(self, request: GraphQLRequest) -> tuple[Document, Operation]:
        try:
            document = self.documents.get(self.trusted.text(request))
        except GraphQLError as error:
            raise RequestRefused(error) from None
        except Refusal as refusal:
            raise RequestRefused(refusal_error(refusal)) from None
        return document, document.operation(request.operation_name)

    async def _answered(
        self, caller: Caller, document: Document, operation: Operation, request: GraphQLRequest, *, reads_only: bool
    ) -> Answer:
        if operation.kind == "subscription" or (reads_only and operation.kind != "query"):
            raise RequestRefused(refusal_error(Invalid(f"A {operation.kind} cannot be sent this way.")))
        if document.introspects and self.settings.production and caller.viewer is None:
            raise RequestRefused(refusal_error(Unauthenticated("Sign in to explore the schema.")))
        variables, cost = self._measured(document, operation, request)
        charge = await self._charged(caller, operation, cost)
        headers = charge.headers if charge else ()
        if operation.beyond:
            await self._looked(caller, document, operation, request)
        told: Any = None
        if caller.viewer is not None and self.use_plans:
            view = caller.view or View.of(caller.viewer)
            asked = (view, document, operation, variables)
            if operation.kind == "query":
                told = await self._planned(*asked)
            else:
                told = await self.decisions.answer(caller.viewer, *asked)
        if isinstance(told, list):
            # Joined once, at the end: a page is large enough that each copy of it is felt.
            body = b"".join((b'{"data":{', *told, b'},"extensions":{"cost":{"requested":%d}}}' % cost))
            return Answer(body, executed=True, headers=headers)
        context = self._context(caller, charge)
        answer = self._told(told or await self._referred(context, document, request), cost)
        return replace(answer, headers=(*headers, *context.headers))

    async def _charged(self, caller: Caller, operation: Operation, cost: int) -> Charge | None:
        """Charge an operation before it runs: its reads by their cost, and of mutations each."""
        charge = await self.runtime.rates.read(caller.key, cost)
        if operation.kind == "mutation":
            charge = await self.runtime.rates.write(caller.key, len(operation.roots))
        return charge

    async def _fined(self, caller: Caller, request: GraphQLRequest, refusal: RequestRefused) -> Answer:
        """Charge a refused request for what it cost to find out, or nonsense would be the one thing without a limit."""
        try:
            charge = await self.runtime.rates.read(caller.key, 1 + len(request.query or "") // CHARACTERS_A_POINT)
        except OverLimit as over:
            return _over_limit(over)
        return replace(_refused_request(refusal), headers=charge.headers if charge else ())

    async def _looked(self, caller: Caller, document: Document, operation: Operation, request: GraphQLRequest) -> None:
        """Have it written down when a superadmin's eyes reach further than their own organizations."""
        viewer = caller.viewer
        if viewer is not None and operation.beyond and viewer.sees_everything:
            name = operation.node.name.value if operation.node.name else "unnamed"
            await self.looks.note(viewer, name, document.hash, request.variables)

    def _measured(
        self, document: Document, operation: Operation, request: GraphQLRequest
    ) -> tuple[dict[str, Any], int]:
        """Coerce the variables and count the cost, before anything is read."""
        try:
            variables = self._coerced(operation, request.variables or {})
            cost = document.cost.of(operation.node, variables)
            if cost > self.settings.limit_cost:
                raise TooComplex(
                    f"The operation may come to {cost} objects; at most {self.settings.limit_cost} are allowed.",
                    cost=cost,
                )
        except Refusal as refusal:
            raise RequestRefused(refusal_error(refusal)) from None
        return variables, cost

    def _coerced(self, operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
        variables = operation.plain_variables.read(given)
        if variables is not None:
            return variables
        bound_variables(given, self.settings)
        coerced = get_variable_values(
            schema.core,
            operation.node.variable_definitions or (),
            given,
            max_errors=20,
            hide_suggestions=self.settings.production,
        )
        if isinstance(coerced, list):
            raise RequestRefused(*map(wrong_variable, coerced))
        return coerced.coerced

    async def _planned(
        self, view: View, document: Document, operation: Operation, variables: dict[str, Any]
    ) -> list[bytes] | None:
        """Answer by the plan, member by member; or give None, and the reference way says what is wrong."""
        try:
            plan = self._plan(view.sight, document, operation, variables)
            if plan is None:
                return None
            values = plan.values(variables, view.bound)
        except Refusal:
            return None
        return await self._remembered.told(self.runtime.readers, plan, variables, values)

    def _plan(self, sight: Sight, document: Document, operation: Operation, variables: dict[str, Any]) -> Plan | None:
        forms = [form_of(value) for value in variables.values()]
        if operation.cursor_variables:
            forms += [Cursors.form(variables.get(name) or "") for name in operation.cursor_variables]
        key = (operation.key, sight.word, tuple(variables), tuple(forms))
        plan: Plan | None = self._plans.get(key, _UNKNOWN)
        observe.plan(cached=plan is not _UNKNOWN)
        if plan is not _UNKNOWN:
            self._plans.move_to_end(key)
            return plan
        try:
            plan = compile_plan(schema.core, operation.node, document.fragments, variables, sight, self.cursors)
        except (NoPlan, RecursionError):
            plan = None
        self._plans[key] = plan
        if len(self._plans) > MOST_PLANS:
            self._plans.popitem(last=False)
        return plan

    async def _referred(
        self, context: Context, document: Document, request: GraphQLRequest, root: Any = None
    ) -> ExecutionResult:
        result = execute(
            schema.core,
            document.node,
            root,
            context_value=context,
            variable_values=request.variables,
            operation_name=request.operation_name,
            hide_suggestions=self.settings.production,
        )
        return result if isinstance(result, ExecutionResult) else await result

    def _context(self, caller: Caller, charge: Charge | None) -> Context:
        async def look_again() -> Viewer | None:
            return (await caller.now()).viewer

        return Context(
            self.runtime,
            self.cursors,
            caller.viewer,
            self.feeds,
            look_again,
            self.callers,
            caller.address,
            cookies=caller.cookies,
            charge=charge,
        )

    def _told(self, result: ExecutionResult, cost: int) -> Answer:
        payload: dict[str, Any] = {"data": result.data}
        code = "OK"
        if result.errors:
            payload["errors"] = [_spell(error) for error in result.errors]
            code = payload["errors"][0]["extensions"]["code"]
        payload["extensions"] = {"cost": {"requested": cost}}
        return Answer(_encode(payload), executed=True, code=code)


def _over_limit(refusal: OverLimit) -> Answer:
    answer = refused(refusal)
    return replace(answer, headers=(*answer.headers, *refusal.charge.headers))


def _refused_request(refusal: RequestRefused) -> Answer:
    spelt = [_spell(error) for error in refusal.errors]
    code = spelt[0]["extensions"]["code"] if spelt else ErrorCode.INTERNAL_ERROR.value
    return Answer(_encode({"errors": spelt}), executed=False, code=code)


def _encode(payload: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(payload)
    except TypeError:
        # A rule's definition is any JSON: its integers may be larger than orjson spells.
        return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _spell(error: GraphQLError) -> dict[str, Any]:
    """Spell an error with its code; what nobody foresaw is masked, and its reference stands in the log."""
    spelt: dict[str, Any] = {"message": error.message}
    if error.locations:
        spelt["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        spelt["path"] = error.path
    original = error.original_error
    while isinstance(original, GraphQLError):
        original = original.original_error
    if isinstance(original, Refusal):
        spelt["message"] = original.message
        spelt["extensions"] = original.extensions
    elif original is not None:
        reference = observe.reference(original)
        spelt["message"] = f"Something went wrong on our side; reference {reference}."
        spelt["extensions"] = {"code": ErrorCode.INTERNAL_ERROR.value, "reference": reference}
    else:
        spelt["extensions"] = {"code": ErrorCode.VALIDATION_ERROR.value, **(error.extensions or {})}
    return spelt
