"""Measure: run one rule over a repository as it was read last, and tell what it does there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from app.domain import jobs
from app.domain.categories import category_of
from app.domain.errors import Invalid, Unavailable
from app.domain.material import minable
from app.domain.measurement import Measurement, Place
from app.domain.moments import spell
from app.domain.rule import Rule, RuleKind, read_rule
from app.domain.snapshot import FileFacts
from app.gateways import git
from app.hands.pool import Lost
from app.runtime import Runtime
from app.syntax import MOST_BYTES
from workers.answering import Reading
from workers.mining.batches import Item
from workers.mining.prospects import places_to_show
from workers.mining.quoting import quoted
from workers.mining.trying import trying

# Whoever asked waits ten seconds.
SECONDS = 9.0
_BLAME_SECONDS = 2.0
_CHUNK_SECONDS = 5.0
_CHUNK_FILES, _CHUNK_BYTES = 80, 400_000
_BLAMED = 3


async def measure(runtime: Runtime, job: jobs.Measure) -> dict[str, Any]:
    """Run the rule over every file that it may speak of."""
    rule = read_rule(
        RuleKind[job.kind], job.definition, languages=job.languages, include=job.include, exclude=job.exclude
    )
    reading = await Reading.of(runtime, job)
    try:
        async with asyncio.timeout(SECONDS - _BLAME_SECONDS):
            measured = await _measured(runtime, rule, reading)
            shown, breaking = places_to_show(measured, {})
            texts = await quoted(reading.cache, [*shown, *breaking])
    except TimeoutError:
        raise Unavailable("The rule takes too long over this repository; narrow its scope.") from None
    if measured.broken:
        reason = next(iter(measured.broken))
        raise Invalid("The rule cannot be run.", fields={"definition": reason})
    blamed = await _blamed(reading, shown[:_BLAMED])
    return {
        "commit": reading.commit,
        "applicable": measured.applicable,
        "conforming": measured.conforming,
        "categories": {category.value: count for category, count in measured.categories.items()},
        "alternative": max(measured.rivals, key=lambda form: (measured.rivals[form], form), default=None),
        "places": [
            {
                "path": place.path,
                "blob_id": place.blob_id,
                "start_line": None if place not in texts else place.start,
                "end_line": None if place not in texts else texts[place][0],
                "snippet": None if place not in texts else texts[place][1],
                "is_counterexample": number >= len(shown),
                "code_category": _category(reading.files[place.path]),
                **blamed.get((place.path, place.start or 1), {}),
            }
            for number, place in enumerate([*shown, *breaking])
        ],
    }


async def _measured(runtime: Runtime, rule: Rule, reading: Reading) -> Measurement:
    wanted = [file for file in minable(reading.files.values()) if rule.scope.holds(file.path, file.language, file.role)]
    measured = Measurement()
    items = _chunks(reading, wanted)
    each = runtime.hands.each(
        trying,
        (rule, sorted(reading.files)),
        items,
        seconds=_CHUNK_SECONDS,
        batch=2,
        party=reading.owner.organization_id,
    )
    async with aclosing(each) as answers:
        async for _, answer in answers:
            if isinstance(answer, Lost):
                raise Unavailable(f"The rule cannot be run over this repository: a part of it {answer.fate.value}.")
            measured.add(answer)
    return measured.settled()


async def _chunks(reading: Reading, files: Sequence[FileFacts]) -> AsyncIterator[list[Item]]:
    chunk: list[Item] = []
    size = 0
    waiting = iter(files)
    async with aclosing(git.blobs(reading.cache, (file.blob_id for file in files), largest=MOST_BYTES)) as blobs:
        async for blob in blobs:
            file = next(waiting)
            if blob.content is None:
                continue
            chunk.append(Item(file.path, file.blob_id, file.language, file.role, blob.content))
            size += len(blob.content)
            if len(chunk) >= _CHUNK_FILES or size >= _CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
    if chunk:
        yield chunk


async def _blamed(reading: Reading, places: Sequence[Place]) -> dict[tuple[str, int], dict[str, str]]:
    """Find who wrote what is shown first, as far as the time allows."""
    found: dict[tuple[str, int], dict[str, str]] = {}
    try:
        async with asyncio.timeout(_BLAME_SECONDS):
            for place in places:
                blame = await git.blame_line(reading.cache, reading.commit, place.path, place.start or 1)
                if blame is not None and blame.author:
                    found[place.path, place.start or 1] = {
                        "author": blame.author[:200],
                        "authored_at": spell(blame.authored_at),
                    }
    except TimeoutError:
        pass
    return found


def _category(file: FileFacts) -> str:
    return category_of(file.path, file.language, file.role).value
