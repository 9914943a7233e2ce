"""VERIFY: every place that is claimed is looked up again, and what does not stand there byte for byte is dropped."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from app.domain.evidence import Claim, Verified
from app.domain.evidence import verify as compare
from app.gateways import git
from app.syntax import MOST_BYTES
from workers.ingest.step import Attempt


async def verify(attempt: Attempt) -> None:
    """Keep what stands; a convention of which nothing is left to show is dropped, whoever proposed it."""
    found = attempt.found
    claims = [claim for prospect in found.prospects for claim in prospect.claims]
    claims += [claim for standing in found.standing.values() for claim in standing.claims]
    attempt.progress.move(0, len(claims))
    paths = {file.path: file.blob_id for file in found.snapshot}
    verified = await _verified(attempt, claims, paths)
    kept = []
    for prospect in found.prospects:
        places = _standing(attempt, prospect.claims, verified)
        if any(not place.counterexample for place in places):
            kept.append(replace(prospect, verified=places))
        else:
            found.report.patterns_dropped += 1
            found.report.add("dropped", "nothing left to show", prospect.measured.candidate.proposal.name)
    found.prospects = kept
    found.standing = {
        pattern_id: replace(each, verified=_standing(attempt, each.claims, verified))
        for pattern_id, each in found.standing.items()
    }
    attempt.progress.note(f"{len(claims)} places, {sum(isinstance(each, str) for each in verified.values())} dropped")


async def _verified(attempt: Attempt, claims: Sequence[Claim], paths: dict[str, str]) -> dict[Claim, Verified | str]:
    by_blob: dict[str, list[Claim]] = {}
    for claim in claims:
        by_blob.setdefault(claim.blob_id, []).append(claim)
    verified: dict[Claim, Verified | str] = {}
    async with aclosing(git.blobs(attempt.cache, by_blob, largest=MOST_BYTES)) as blobs:
        async for blob in blobs:
            for claim in by_blob[blob.object_id]:
                verified[claim] = compare(claim, paths.get(claim.path), blob.content)
            attempt.progress.move(len(verified))
    return verified


def _standing(attempt: Attempt, claims: Sequence[Claim], verified: dict[Claim, Verified | str]) -> list[Verified]:
    places = []
    for claim in claims:
        place = verified.get(claim, "blob is missing")
        if isinstance(place, str):
            attempt.found.report.add("dropped", place, claim.path)
        else:
            places.append(place)
    return places
