"""Measure: run one rule over a repository as it was read last, and tell what it does there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from app.domain import jobs
from app.domain.attributes import Attributes
from app.domain.categories import category_of
from app.domain.errors import Invalid, Unavailable
from app.domain.evidence import quote
from app.domain.measurement import Measurement, Place
from app.domain.moments import spell
from app.domain.recognition import FileRole
from app.domain.rule import Rule, RuleKind, read_rule
from app.domain.snapshot import facts_of
from app.gateways import git
from app.hands.pool import Lost
from app.reads.repos import IndexedFile
from app.runtime import Runtime
from app.syntax import MOST_BYTES
from workers.answering import Reading
from workers.mining.batches import Item
from workers.mining.prospects import places_to_show
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
            texts = await _texts(reading, [*shown, *breaking])
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
                "code_category": _category(reading, place.path),
                **blamed.get((place.path, place.start or 1), {}),
            }
            for number, place in enumerate([*shown, *breaking])
        ],
    }


async def _measured(runtime: Runtime, rule: Rule, reading: Reading) -> Measurement:
    # What a file is for is known only with its content; where the rule speaks tells most of those that need no look.
    anywhere = replace(rule.scope, roles=())
    wanted = [file for file in reading.files.values() if anywhere.holds(file.path, file.language, FileRole.SOURCE)]
    measured = Measurement()
    items = _chunks(reading, await _attributes(reading), wanted)
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


async def _attributes(reading: Reading) -> Attributes:
    places = {file.blob_id: path for path, file in reading.files.items() if path.split("/")[-1] == ".gitattributes"}
    files: dict[str, bytes] = {}
    async for blob in git.blobs(reading.cache, places):
        if blob.content is not None:
            files[places[blob.object_id].removesuffix(".gitattributes").rstrip("/")] = blob.content
    return Attributes.read(files)


async def _chunks(reading: Reading, attributes: Attributes, files: Sequence[IndexedFile]) -> AsyncIterator[list[Item]]:
    chunk: list[Item] = []
    size = 0
    waiting = iter(files)
    async with aclosing(git.blobs(reading.cache, (file.blob_id for file in files), largest=MOST_BYTES)) as blobs:
        async for blob in blobs:
            file = next(waiting)
            facts = facts_of(file.path, file.blob_id, blob.size or 0, blob.content, marks=attributes.of(file.path))
            if blob.content is None or not facts.minable:
                continue
            chunk.append(Item(file.path, file.blob_id, facts.language, facts.role, blob.content))
            size += len(blob.content)
            if len(chunk) >= _CHUNK_FILES or size >= _CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
    if chunk:
        yield chunk


async def _texts(reading: Reading, places: Sequence[Place]) -> dict[Place, tuple[int, str]]:
    by_blob: dict[str, list[Place]] = {}
    for place in places:
        if place.start is not None:
            by_blob.setdefault(place.blob_id, []).append(place)
    texts: dict[Place, tuple[int, str]] = {}
    async for blob in git.blobs(reading.cache, by_blob, largest=MOST_BYTES):
        for place in by_blob[blob.object_id]:
            cut = None if blob.content is None else quote(blob.content, place.start or 1, place.end or 1)
            if cut is not None:
                texts[place] = cut
    return texts


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


def _category(reading: Reading, path: str) -> str:
    language = reading.files[path].language
    return category_of(path, language, facts_of(path, "", 0, None).role).value
