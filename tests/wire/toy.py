"""A small schema and engine that stand in for the real ones, so that these tests speak of the wire alone."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, NoReturn

import orjson
from graphql import (
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    build_schema,
    execute,
    get_operation_ast,
    parse,
    subscribe,
    validate,
)
from starlette.types import Scope

from app.domain.errors import ErrorCode, Invalid, NotFound, Unauthenticated, Unavailable
from resolvers.transport.protocol import Answer, GraphQLRequest, Offer, OperationKind, refused

TOKEN = "good-token"
COOKIE = "session=good-cookie"

SCHEMA = build_schema(
    """
    type Query {
      "Who is calling."
      me: String
      echo(text: String!): String
      big(kilobytes: Int!): String
      "There from some moment on."
      arrived: String
      "Never there."
      missing: String
      "Breaks where nobody foresaw it."
      broken: String
    }
    type Mutation {
      add(by: Int! = 1): Int
      slowly: Int
    }
    type Subscription {
      count(to: Int!): Int!
      "Ticks until it is stopped."
      ticks: Int!
      "Sends as fast as the client reads."
      flood(kilobytes: Int! = 16): String!
      "Breaks after the first."
      breaks: Int!
      "Is refused before it starts."
      forbidden: Int!
    }
    """
)


@dataclass(eq=False)
class ToyCaller:
    key: str
    by_cookie: bool = False
    valid: bool = True
    checks: int = 0

    async def still_valid(self) -> bool:
        self.checks += 1
        return self.valid


@dataclass(eq=False)
class Toy:
    """An engine that counts what it does, and waits where a test says so."""

    callers: list[ToyCaller] = field(default_factory=list)
    total: int = 0
    open_streams: int = 0
    produced: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    mutation_may_end: asyncio.Event = field(default_factory=asyncio.Event)
    down: bool = False
    arrived: str | None = None

    async def caller(self, scope: Scope, init: Mapping[str, Any] | None) -> ToyCaller:
        headers = dict(scope["headers"])
        if self.down:
            raise Unavailable("The database does not answer.", retryAfter=2)
        given = (init or {}).get("authorization") or headers.get(b"authorization", b"").decode()
        if given and given != f"Bearer {TOKEN}":
            raise Unauthenticated("This token is not valid.")
        by_cookie = not given and headers.get(b"cookie") == COOKIE.encode()
        caller = ToyCaller("viewer" if given or by_cookie else "stranger", by_cookie)
        self.callers.append(caller)
        return caller

    def operation_kind(self, request: GraphQLRequest) -> OperationKind | None:
        try:
            operation = get_operation_ast(parse(request.query or ""), request.operation_name)
        except GraphQLError:
            return None
        return operation.operation.value if isinstance(operation, OperationDefinitionNode) else None

    async def answer(self, caller: ToyCaller, request: GraphQLRequest, *, reads_only: bool) -> Answer:
        if request.query is None:
            return refused(NotFound("No such document."))
        kind = self.operation_kind(request)
        try:
            document = parse(request.query)
        except GraphQLError as error:
            return _failed([error], ErrorCode.GRAPHQL_PARSE_FAILED)
        if faults := validate(SCHEMA, document):
            return _failed(faults, ErrorCode.GRAPHQL_VALIDATION_FAILED)
        if kind == "subscription":
            return refused(Invalid("Subscribe over WebSocket or server-sent events."))
        assert not (reads_only and kind == "mutation")
        result = execute(SCHEMA, document, _Root(self, caller), None, request.variables, request.operation_name)
        if not isinstance(result, ExecutionResult):
            result = await result
        if result.data is None and result.errors and not result.errors[0].path:
            return _failed(result.errors, ErrorCode.VALIDATION_ERROR)
        return _executed(result)

    async def stream(
        self, caller: ToyCaller, request: GraphQLRequest, offer: Offer | None = None
    ) -> AsyncGenerator[Answer, None]:
        document = parse(request.query or "")
        if faults := validate(SCHEMA, document):
            yield _failed(faults, ErrorCode.GRAPHQL_VALIDATION_FAILED)
            return
        root = _Root(self, caller)
        source: Any = subscribe(SCHEMA, document, root, None, request.variables, request.operation_name)
        if isawaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            yield _failed(source.errors or [], ErrorCode.VALIDATION_ERROR)
            return
        await self.change(open_streams=1)
        try:
            async for result in source:
                yield _executed(result)
                await self.change(produced=1)
        finally:
            await source.aclose()
            await self.change(open_streams=-1)

    async def change(self, **by: int) -> None:
        async with self.changed:
            for name, amount in by.items():
                setattr(self, name, getattr(self, name) + amount)
            self.changed.notify_all()

    async def until(self, **values: int) -> None:
        """Wait until the counters have these values."""
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: all(getattr(self, name) == value for name, value in values.items()))


class _Root:
    """What the fields read."""

    def __init__(self, toy: Toy, caller: ToyCaller) -> None:
        self.toy = toy
        self._caller = caller

    def me(self, info: Any) -> str:
        return self._caller.key

    def echo(self, info: Any, text: str) -> str:
        return text

    def big(self, info: Any, kilobytes: int) -> str:
        return "x" * 1024 * kilobytes

    def arrived(self, info: Any) -> str | None:
        return self.toy.arrived

    def missing(self, info: Any) -> str:
        raise GraphQLError("No such thing.", extensions={"code": "NOT_FOUND"})

    def broken(self, info: Any) -> str:
        raise SystemError("secret detail")

    async def add(self, info: Any, by: int) -> int:
        await self.toy.change(total=by)
        return self.toy.total

    async def slowly(self, info: Any) -> int:
        await self.toy.change(produced=1)
        await self.toy.mutation_may_end.wait()
        await self.toy.change(total=1)
        return self.toy.total

    async def count(self, info: Any, to: int) -> AsyncIterator[dict[str, Any]]:
        for number in range(1, to + 1):
            yield {"count": number}

    async def ticks(self, info: Any) -> AsyncIterator[dict[str, Any]]:
        number = 0
        while True:
            number += 1
            yield {"ticks": number}
            await asyncio.sleep(0.02)

    async def flood(self, info: Any, kilobytes: int) -> AsyncIterator[dict[str, Any]]:
        while True:
            yield {"flood": "x" * 1024 * kilobytes}
            await asyncio.sleep(0)

    async def breaks(self, info: Any) -> AsyncIterator[dict[str, Any]]:
        yield {"breaks": 1}
        raise SystemError("secret detail")

    async def forbidden(self, info: Any) -> NoReturn:
        raise GraphQLError("You may not.", extensions={"code": "FORBIDDEN"})


def _executed(result: ExecutionResult) -> Answer:
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    return Answer(orjson.dumps(body), True)


def _failed(errors: Any, code: ErrorCode) -> Answer:
    extensions = [{"code": code.value, **(error.extensions or {})} for error in errors]
    formatted = [{**error.formatted, "extensions": more} for error, more in zip(errors, extensions, strict=True)]
    return Answer(orjson.dumps({"errors": formatted}), False)
