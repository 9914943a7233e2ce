"""The measuring: contestants take turns within each operation, so that what disturbs one disturbs all."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.db.address import plain_url
from tests.bench.contestants import Running
from tests.bench.dataset import DataSet
from tests.bench.load import Failed, Load, Task
from tests.bench.meters import Meter, resident_megabytes
from tests.bench.operations import Operation, plain, spelt

PATIENCE = 60.0
MOST_COMPARED = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """One turn of one contestant: milliseconds of time and of CPU a request, megabytes of memory."""

    operation: str
    contestant: str
    rate: float
    app: float
    database: float | None
    p50: float
    p99: float
    megabytes: float
    load: float

    @property
    def cpu(self) -> float:
        """Add up what a request costs; a database that runs elsewhere cannot be looked at."""
        return self.app + (self.database or 0.0)


@dataclass(frozen=True, slots=True)
class Measuring:
    """Everything a measurement needs."""

    data: DataSet
    meter: Meter
    load: Load
    contestants: Sequence[Running]
    seconds: float
    rounds: int

    async def samples(self, operation: Operation) -> AsyncIterator[Sample]:
        """Have everybody answer once and compare; let everybody get warm; then measure in turns."""
        requests = await self._agreed(operation)
        for measured in (False, *[True] * self.rounds):
            for running in self.contestants:
                sample = await self._sample(operation, running, requests[running.contestant.name])
                if measured:
                    yield sample

    async def _agreed(self, operation: Operation) -> Mapping[str, list[bytes]]:
        """Spell the requests of each contestant, and make sure that all say the same."""
        requests: dict[str, list[bytes]] = {}
        agreed: list[Any] | None = None
        for running in self.contestants:
            asked = [
                spelt(variables, opaque=not running.contestant.is_peer) for variables in operation.variables(self.data)
            ]
            answers = await self._answers(operation, running, asked[:MOST_COMPARED])
            if operation.pages:
                asked += [
                    {**variables, "after": answer["pageInfo"]["endCursor"]}
                    for variables, answer in zip(asked, answers, strict=True)
                ]
                answers = await self._answers(operation, running, asked)
            said = [plain(answer) for answer in answers]
            if agreed is None:
                agreed = said
            for variables, ours, theirs in zip(asked, agreed, said, strict=False):
                if ours != theirs:
                    first = self.contestants[0].contestant.title
                    raise Failed(
                        f"{running.contestant.title} does not answer {operation.name} with {variables} as {first} does:"
                        f"\n{theirs}\n{ours}"
                    )
            requests[running.contestant.name] = [
                operation.request(running.contestant.speech, variables, running.token) for variables in asked
            ]
        return requests

    async def _answers(self, operation: Operation, running: Running, asked: Sequence[Mapping[str, Any]]) -> list[Any]:
        speech = running.contestant.speech
        requests = [operation.request(speech, variables, running.token) for variables in asked]
        outcome = await self.load.outcome(Task(running.port, requests, PATIENCE, once=True, keep=True))
        if operation.changes:
            await self._put_back()
        return [operation.answer(speech, body) for body in outcome.bodies]

    async def _sample(self, operation: Operation, running: Running, requests: list[bytes]) -> Sample:
        before = self.meter.spent(running.pid)
        outcome = await self.load.outcome(Task(running.port, requests, self.seconds, once=operation.changes))
        spent = self.meter.spent(running.pid).since(before)
        if operation.changes:
            await self._put_back()
        return Sample(
            operation=operation.name,
            contestant=running.contestant.name,
            rate=outcome.requests / outcome.seconds,
            app=spent.server / outcome.requests * 1000,
            database=None if spent.database is None else spent.database / outcome.requests * 1000,
            p50=outcome.p50 * 1000,
            p99=outcome.p99 * 1000,
            megabytes=resident_megabytes(running.pid),
            load=outcome.cpu / outcome.requests * 1000,
        )

    async def _put_back(self) -> None:
        """Make candidates of what was promoted."""
        connection = await asyncpg.connect(plain_url(self.data.database_url))
        try:
            await connection.execute(
                "UPDATE patterns SET status = 'CANDIDATE', version = 1 WHERE id = ANY ($1) AND status <> 'CANDIDATE'",
                self.data.candidates,
            )
            await connection.execute("VACUUM patterns")
        finally:
            await connection.close()
