"""Answers of the plain addresses: JSON in the form GraphQL clients know, whatever happens."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import __version__, observe
from app.domain.errors import ErrorCode

NEVER_STORED = {"cache-control": "no-store"}

_CODES = {401: ErrorCode.UNAUTHENTICATED, 403: ErrorCode.FORBIDDEN, 404: ErrorCode.NOT_FOUND}


def error(status: int, message: str, code: ErrorCode, headers: Mapping[str, str] | None = None) -> Response:
    """Say no in the form of a GraphQL error."""
    body = {"errors": [{"message": message, "extensions": {"code": code.value, "requestId": observe.request_id()}}]}
    return JSONResponse(body, status, {**NEVER_STORED, **(headers or {})})


def refused(scope: Scope, refusal: HTTPException) -> Response:
    """Answer what the routing refuses, as an unknown path or method."""
    message = refusal.detail
    if refusal.status_code == 404:
        message = f"There is nothing at {scope['path']}."
    elif refusal.status_code == 405:
        message = f"{scope['method']} is not possible here."
    code = _CODES.get(refusal.status_code, ErrorCode.VALIDATION_ERROR)
    return error(refusal.status_code, message, code, refusal.headers)


async def root(request: Request) -> Response:
    """Lead people to the page where they can ask, and tell programs where to."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/graphql", 303)
    return JSONResponse({"name": "tenet", "version": __version__, "graphql": "/graphql", "health": "/health/ready"})


class Masked:
    """Turns refusals of the routing into JSON, and what nobody foresaw into a reference that stands in the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
            return
        except HTTPException as refusal:
            answer = refused(scope, refusal)
        except Exception as unforeseen:
            reference = observe.reference(unforeseen, path=scope["path"])
            answer = error(500, f"Something went wrong on our side; reference {reference}.", ErrorCode.INTERNAL_ERROR)
        if scope["type"] == "http" and not begun:
            await answer(scope, receive, send)
