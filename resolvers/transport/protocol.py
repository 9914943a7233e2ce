"""What transports and engine say to each other: a request as it came, an answer as bytes, and how a no looks."""

import logging
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import orjson
from starlette.types import Scope

from app.domain.errors import ErrorCode, Refusal

log = logging.getLogger(__name__)

Headers = tuple[tuple[bytes, bytes], ...]
OperationKind = Literal["query", "mutation", "subscription"]


# Whoever fills the fields of a frozen class pays for each: these two are made for each request, and changed by nobody.
@dataclass(slots=True)
class GraphQLRequest:
    """One operation as a client sent it, its shape already checked."""

    # None when only the hash of a persisted document was sent. Passwords stand here and below.
    query: str | None = field(repr=False)
    operation_name: str | None
    variables: dict[str, Any] | None = field(repr=False)
    extensions: dict[str, Any] | None


@dataclass(slots=True)
class Answer:
    """The whole JSON of one response."""

    body: bytes
    executed: bool  # False: a request error; the body has no `data`
    status: int | None = None  # set where a refusal has an HTTP status of its own
    headers: Headers = ()
    code: str = "OK"  # of its first error, for those who count


# Takes the body of an answer if its client is ready for it this very moment, and tells whether it was.
Offer = Callable[[bytes], bool]


class Caller(Protocol):
    """Who is calling, as far as a transport must know."""

    @property
    def key(self) -> str:
        """Name the viewer, or a stranger's address, for limits of connections."""

    @property
    def by_cookie(self) -> bool:
        """Tell whether a browser signed this request in by itself, so that a foreign page could have caused it."""

    async def still_valid(self) -> bool:
        """Tell whether the credential still holds."""


C = TypeVar("C", bound=Caller)


class Engine(Protocol[C]):
    """What turns requests into answers."""

    async def caller(self, scope: Scope, init: Mapping[str, Any] | None) -> C:
        """Find out who is calling, by cookie, header or the payload of connection_init; may refuse."""

    async def answer(self, caller: C, request: GraphQLRequest, *, reads_only: bool) -> Answer:
        """Run a query, or a mutation unless only reads are allowed; a subscription is a request error here."""

    def operation_kind(self, request: GraphQLRequest) -> OperationKind | None:
        """Tell what would run; None where that cannot be told, and then `answer` says why."""

    def stream(self, caller: C, request: GraphQLRequest, offer: Offer | None = None) -> AsyncGenerator[Answer, None]:
        """Run a subscription; an answer that was not executed is its first and only one.

        While it is asked for the next answer, the stream may offer answers instead of giving them: what many clients
        are told reaches those who are ready for it without waking up a task for each.
        """


# RFC 9110: what a status means to clients and proxies that know no GraphQL.
_STATUS = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.INTERNAL_ERROR: 500,
    ErrorCode.UPSTREAM_ERROR: 502,
    ErrorCode.UNAVAILABLE: 503,
}


def refused(refusal: Refusal) -> Answer:
    """Say no to a whole request."""
    headers: Headers = ()
    if refusal.code is ErrorCode.UNAUTHENTICATED:
        headers = ((b"www-authenticate", b"Bearer"),)
    elif (seconds := refusal.extensions.get("retryAfter")) is not None:
        headers = ((b"retry-after", b"%d" % max(1, round(seconds))),)
    return Answer(
        errors(refusal.message, refusal.extensions),
        False,
        _STATUS.get(refusal.code),
        headers,
        refusal.code.value,
    )


def broken(error: Exception) -> Answer:
    """Mask what nobody foresaw; the reference leads from the client's report to the log."""
    word = secrets.token_hex(6)
    log.error("request failed, reference %s", word, exc_info=error)
    code = ErrorCode.INTERNAL_ERROR.value
    body = errors(f"Something went wrong on our side; reference {word}.", {"code": code, "reference": word})
    return Answer(body, False, 500, code=code)


async def holds(caller: Caller) -> bool:
    """Check the credential behind a live connection; where that fails, it holds until the next check."""
    try:
        return await caller.still_valid()
    except Exception:
        log.warning("could not check a live connection's credential again", exc_info=True)
        return True


def errors(message: str, extensions: Mapping[str, Any]) -> bytes:
    """Encode a response that has one error and no data."""
    return orjson.dumps({"errors": [{"message": message, "extensions": dict(extensions)}]}, default=str)
