"""Quoting: the text of places that a rule found, cut out of their blobs."""

from collections.abc import Iterable
from contextlib import aclosing
from pathlib import Path

from app.domain.evidence import quote
from app.domain.measurement import Place
from app.gateways import git
from app.syntax import MOST_BYTES


async def quoted(cache: Path, places: Iterable[Place]) -> dict[Place, tuple[int, str]]:
    """Give the last line and the text of each place that has lines which can be quoted."""
    by_blob: dict[str, list[tuple[Place, int]]] = {}
    for place in places:
        if place.start is not None:
            by_blob.setdefault(place.blob_id, []).append((place, place.start))
    found: dict[Place, tuple[int, str]] = {}
    # Whoever asked may have no more time in the middle of it; git is not left waiting then.
    async with aclosing(git.blobs(cache, by_blob, largest=MOST_BYTES)) as blobs:
        async for blob in blobs:
            if blob.content is None:
                continue
            for place, start in by_blob[blob.object_id]:
                if (cut := quote(blob.content, start, place.end or start)) is not None:
                    found[place] = cut
    return found
