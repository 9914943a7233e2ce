"""Refusals a client can act on, and faults an operator can mend: the two ways this product says no."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar


class ErrorCode(Enum):
    """What stands in `extensions.code` of an error."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    CONFLICT = "CONFLICT"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    RATE_LIMITED = "RATE_LIMITED"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    UPSTREAM_ERROR = "UPSTREAM_ERROR"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"


class Refusal(Exception):
    """A refusal carries its own code and the facts a client needs to act on it."""

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL_ERROR

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extensions: dict[str, Any] = {"code": self.code.value, **facts}


class Unauthenticated(Refusal):
    """Nobody is signed in, or the credential does not hold."""

    code = ErrorCode.UNAUTHENTICATED


class Forbidden(Refusal):
    """The viewer sees the object but may not do this with it."""

    code = ErrorCode.FORBIDDEN


class NotFound(Refusal):
    """There is no such object for this viewer."""

    code = ErrorCode.NOT_FOUND


class Invalid(Refusal):
    """The input is wrong; `fields` says which part and why."""

    code = ErrorCode.VALIDATION_ERROR

    def __init__(self, message: str, *, fields: dict[str, str] | None = None, **facts: Any) -> None:
        super().__init__(message, fields=fields or {}, **facts)


class Conflict(Refusal):
    """Somebody else was faster; the facts show the present state."""

    code = ErrorCode.CONFLICT


class InvalidTransition(Refusal):
    """The object's status does not allow this move."""

    code = ErrorCode.INVALID_TRANSITION


class RateLimited(Refusal):
    """Too much in too short a time; `retryAfter` says how many seconds to wait."""

    code = ErrorCode.RATE_LIMITED

    def __init__(self, message: str, *, retry_after: float, **facts: Any) -> None:
        super().__init__(message, retryAfter=retry_after, **facts)


class TooComplex(Refusal):
    """The document asks for more than one request may."""

    code = ErrorCode.QUERY_TOO_COMPLEX


class UpstreamFailed(Refusal):
    """GitHub or Anthropic did not answer as they should."""

    code = ErrorCode.UPSTREAM_ERROR


class Unavailable(Refusal):
    """A part of this installation does not answer just now; trying again is right."""

    code = ErrorCode.UNAVAILABLE


def spell(refusal: Refusal) -> dict[str, Any]:
    """Spell a refusal for another process."""
    return {"message": refusal.message, "extensions": refusal.extensions}


def read(spelt: Mapping[str, Any]) -> Refusal:
    """Give the refusal that another process spelt."""
    kinds = {kind.code.value: kind for kind in Refusal.__subclasses__()}
    kind = kinds[spelt["extensions"]["code"]]
    refusal = kind.__new__(kind)
    # Each kind has a signature of its own; what all of them come to is the same.
    Refusal.__init__(refusal, spelt["message"], **{k: v for k, v in spelt["extensions"].items() if k != "code"})
    return refusal


class Fault(Exception):
    """What keeps this installation from working: one sentence, its remedy, and the exit code of the command line."""

    def __init__(self, message: str, *, remedy: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.exit_code = exit_code
