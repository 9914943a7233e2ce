"""The operations that run side by side on one WebSocket; what becomes of one never touches another."""

import asyncio
import logging
from contextlib import aclosing
from typing import Any

import orjson

from app.domain.errors import RateLimited, Refusal
from resolvers.transport.outbox import Outbox
from resolvers.transport.protocol import Answer, Engine, GraphQLRequest, broken, refused

# How long a cancelled operation may take to end before its socket gives up on it.
TIDY_SECONDS = 5

log = logging.getLogger(__name__)


class Operations:
    """What one client has asked for and not got to the end of yet, by the client's own ids."""

    def __init__(self, engine: Engine[Any], outbox: Outbox, limit: int) -> None:
        self._engine = engine
        self._outbox = outbox
        self._limit = limit
        self._wanted: dict[str, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._finishing: set[asyncio.Task[None]] = set()

    def __contains__(self, operation_id: str) -> bool:
        return operation_id in self._wanted

    async def start(self, caller: Any, operation_id: str, request: GraphQLRequest) -> None:
        """Run an operation, or refuse it alone where too many run."""
        if len(self._running) >= self._limit:
            refusal = RateLimited(
                f"Too many operations on one connection: {self._limit} at once are allowed.",
                retry_after=1,
                limit=self._limit,
            )
            await self._outbox.put(Frames(operation_id).error(refused(refusal)))
            return
        task = asyncio.create_task(self._run(caller, operation_id, request))
        self._wanted[operation_id] = task
        self._running.add(task)
        task.add_done_callback(self._done)

    def complete(self, operation_id: str) -> None:
        """Stop an operation that its client no longer wants."""
        task = self._wanted.pop(operation_id, None)
        # A mutation under way goes on to its end, as it would over HTTP: only nobody hears of it.
        if task is not None and task not in self._finishing:
            task.cancel()

    async def close(self) -> None:
        """Stop everything, and wait until it has stopped."""
        self._wanted.clear()
        if stopping := self._running - self._finishing:
            for task in stopping:
                task.cancel()
            _, late = await asyncio.wait(stopping, timeout=TIDY_SECONDS)
            if late:
                log.error("%d operations of a closed WebSocket do not end", len(late))
        if self._finishing:
            await asyncio.wait(self._finishing)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._finishing.discard(task)

    async def _run(self, caller: Any, operation_id: str, request: GraphQLRequest) -> None:
        frames = Frames(operation_id)
        try:
            kind = self._engine.operation_kind(request)
            if kind == "mutation" and (task := asyncio.current_task()):
                self._finishing.add(task)
            if kind == "subscription":
                last = await self._follow(caller, frames, request)
            else:
                last = await self._answer(caller, frames, request)
        except Refusal as refusal:
            last = frames.error(refused(refusal))
        except Exception as error:  # the others on this socket must not suffer
            last = frames.error(broken(error))
        if self._is_wanted(operation_id):
            # From its last frame on the id is free again.
            del self._wanted[operation_id]
            await self._outbox.put(last)

    async def _answer(self, caller: Any, frames: "Frames", request: GraphQLRequest) -> bytes:
        answer = await self._engine.answer(caller, request, reads_only=False)
        if not answer.executed:
            return frames.error(answer)
        if self._is_wanted(frames.operation_id):
            await self._outbox.put(frames.next(answer.body))
        return frames.complete()

    async def _follow(self, caller: Any, frames: "Frames", request: GraphQLRequest) -> bytes:
        def offer(body: bytes) -> bool:
            return self._outbox.send(frames.next(body))

        async with aclosing(self._engine.stream(caller, request, offer)) as answers:
            async for answer in answers:
                if not answer.executed:
                    return frames.error(answer)
                await self._outbox.put(frames.next(answer.body))
                # The stream may leave out what a slow client comes too late for; what waits here it cannot.
                await self._outbox.emptied()
        return frames.complete()

    def _is_wanted(self, operation_id: str) -> bool:
        # The client may have taken leave of this operation, and even used its id for another one since.
        return self._wanted.get(operation_id) is asyncio.current_task()


class Frames:
    """The frames of one operation: its id, encoded once, around the bytes of its answers."""

    def __init__(self, operation_id: str) -> None:
        self.operation_id = operation_id
        self._opening = b'{"id":' + orjson.dumps(operation_id)
        self._next = self._opening + b',"type":"next","payload":'

    def next(self, body: bytes) -> bytes:
        """Carry one result."""
        return self._next + body + b"}"

    def error(self, answer: Answer) -> bytes:
        """Carry the errors of a request that was not executed, and end the operation."""
        return self._opening + b',"type":"error","payload":' + orjson.dumps(orjson.loads(answer.body)["errors"]) + b"}"

    def complete(self) -> bytes:
        """End the operation."""
        return self._opening + b',"type":"complete"}'
