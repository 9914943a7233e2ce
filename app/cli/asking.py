"""A client of the service's own API: questions over HTTP, subscriptions over graphql-transport-ws."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Literal, TypeVar

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from app.cli.service import Service
from app.domain.errors import ErrorCode, Fault
from app.embedded.faults import Exit

SECONDS = 60.0
# How long a service may be away before nobody waits for it any longer; what it does meanwhile it does without us.
PATIENCE_SECONDS = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0
# Pages of patterns with all their evidence are long.
LARGEST_MESSAGE = 64 * 1024 * 1024
# Codes of graphql-transport-ws, beyond which trying again cannot help.
NOT_LET_IN = {4400, 4401, 4403, 4406}
PASSING = {ErrorCode.UNAVAILABLE.value, ErrorCode.RATE_LIMITED.value}

Answer = dict[str, Any]
T = TypeVar("T")


class Refused(Fault):
    """The service said no, and by which code."""

    def __init__(self, message: str, code: str, facts: Mapping[str, Any]) -> None:
        super().__init__(message, remedy=_remedy(code, facts), exit_code=Exit.REFUSED)
        self.code = code
        self.facts = facts


class _Lost(Exception):
    """The connection is gone, and asking again makes sense."""


class Asker:
    """Speaks to one service."""

    def __init__(self, service: Service, client: httpx.AsyncClient) -> None:
        self.service = service
        self._client = client

    async def ask(self, document: str, **variables: Any) -> Answer:
        """Ask for what can be asked again, however often it takes until the service is back."""
        return await self.persist(lambda: self.tell(document, **variables))

    async def persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try what may be done twice until the service is there for it."""
        waiting = _Waiting(self.service)
        while True:
            try:
                return await attempt()
            except _Lost as lost:
                await waiting.pause(lost)
            except Refused as refused:
                if refused.code not in PASSING:
                    raise
                await waiting.pause(_Lost(refused.message))

    async def tell(self, document: str, **variables: Any) -> Answer:
        """Send one request."""
        try:
            response = await self._client.post(self.service.url, json={"query": document, "variables": variables})
            answer = response.json()
        except (httpx.TransportError, ValueError) as error:
            raise _Lost(str(error) or type(error).__name__) from error
        if not isinstance(answer, dict) or not ("data" in answer or "errors" in answer):
            raise Fault(
                f"What answers at {self.service.url} is no Tenet (HTTP {response.status_code}).",
                remedy="Check the address in --url or TENET_URL.",
                exit_code=Exit.UNREACHABLE,
            )
        return _data(answer)

    async def follow(self, document: str, field: str, **variables: Any) -> AsyncGenerator[Answer, None]:
        """Give each event of a subscription once: a lost connection is taken up `after` the last one seen."""
        waiting = _Waiting(self.service)
        after: int | None = None
        while True:
            try:
                async with aclosing(self._subscribed(document, {**variables, "after": after})) as events:
                    async for data in events:
                        event = data[field]
                        after = event["sequence"]
                        waiting.over()
                        yield event
                return
            except _Lost as lost:
                await waiting.pause(lost)
            except Refused as refused:
                if refused.code not in PASSING and not self.service.lost:
                    raise
                await waiting.pause(_Lost(refused.message))

    async def _subscribed(self, document: str, variables: Answer) -> AsyncGenerator[Answer, None]:
        # A proxy of the environment is for the world outside.
        proxy: Literal[True] | None = None if self.service.here else True
        try:
            async with connect(
                self.service.socket_url,
                subprotocols=[Subprotocol("graphql-transport-ws")],
                proxy=proxy,
                max_size=LARGEST_MESSAGE,
                close_timeout=2,
            ) as socket:
                authorization = {"authorization": f"Bearer {self.service.token}"} if self.service.token else {}
                await socket.send(json.dumps({"type": "connection_init", "payload": authorization}))
                async for text in socket:
                    message = json.loads(text)
                    match message["type"]:
                        case "connection_ack":
                            payload = {"query": document, "variables": variables}
                            await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
                        case "ping":
                            await socket.send('{"type": "pong"}')
                        case "next":
                            yield _data(message["payload"])
                        case "error":
                            _data({"errors": message["payload"]})
                        case "complete":
                            return
            raise _Lost("the connection was closed")
        except ConnectionClosed as closed:
            raise self._closed(closed) from closed
        except InvalidStatus as error:
            raise _Lost(f"HTTP {error.response.status_code}") from error
        except (OSError, InvalidHandshake, TimeoutError) as error:
            raise _Lost(str(error) or type(error).__name__) from error

    def _closed(self, closed: ConnectionClosed) -> Exception:
        if closed.rcvd is not None and closed.rcvd.code in NOT_LET_IN:
            return Refused(
                closed.rcvd.reason or "The service closed the connection.", ErrorCode.UNAUTHENTICATED.value, {}
            )
        return _Lost(
            "the connection was closed" if closed.rcvd is None else closed.rcvd.reason or str(closed.rcvd.code)
        )


@asynccontextmanager
async def asking(service: Service) -> AsyncIterator[Asker]:
    """Open a client for the time of a block."""
    headers = {"authorization": f"Bearer {service.token}"} if service.token else {}
    async with httpx.AsyncClient(headers=headers, timeout=SECONDS, trust_env=not service.here) as client:
        yield Asker(service, client)


class _Waiting:
    """Pauses between attempts, until patience ends."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._clock = asyncio.get_running_loop().time
        self._since: float | None = None
        self._pause = FIRST_PAUSE

    def over(self) -> None:
        """Begin afresh: it answers."""
        self._since, self._pause = None, FIRST_PAUSE

    async def pause(self, why: Exception) -> None:
        """Wait a moment, or give up."""
        self._since = self._since or self._clock()
        if self._service.lost or self._clock() - self._since > PATIENCE_SECONDS:
            raise _unreachable(self._service, why) from why
        await asyncio.sleep(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)


def _data(answer: Answer) -> Answer:
    """Take the data of an answer; its first error is what went wrong."""
    if errors := answer.get("errors"):
        facts = errors[0].get("extensions") or {}
        said = " ".join([errors[0]["message"], *_of_fields(facts)])
        raise Refused(said, str(facts.get("code", "")), facts)
    data: Answer = answer["data"]
    return data


def _of_fields(facts: Mapping[str, Any]) -> list[str]:
    return [f"{field}: {why}." for field, why in (facts.get("fields") or {}).items()]


def _unreachable(service: Service, why: Exception) -> Fault:
    away = "is gone" if service.lost else "does not answer"
    return Fault(
        f"The service at {service.url} {away}: {why}.",
        remedy="A run that has begun goes on where the service runs; the same command follows it again.",
        exit_code=Exit.UNREACHABLE,
    )


def _remedy(code: str, facts: Mapping[str, Any]) -> str:
    match code:
        case ErrorCode.UNAUTHENTICATED.value:
            return "Set TENET_TOKEN to an API key, or to what `tenet token` prints there."
        case ErrorCode.FORBIDDEN.value:
            return "Ask an admin of the organization for the role, or the API key for the scope."
        case ErrorCode.CONFLICT.value:
            return "Give it another one with --name."
        case ErrorCode.RATE_LIMITED.value:
            return f"Try again in {facts.get('retryAfter', 60):.0f} s."
        case ErrorCode.INTERNAL_ERROR.value | ErrorCode.UNAVAILABLE.value:
            return "Try again; the log of the service says more."
    return "Correct it and try again."
