"""Discovering: what holds in a repository by the votes of its files; only folders that changed vote again."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from app.domain.measurement import Past
from app.domain.snapshot import FileFacts
from app.gateways.storage import TooLarge
from app.hands.pool import HandFailed
from app.miners.core.mining import Mined
from workers.ingest.step import Attempt
from workers.mining import crafts
from workers.mining.keeping import Kept, key_of
from workers.mining.measuring import drop_others
from workers.mining.shelf import groups_for

_DISCOVER_SECONDS = 600.0
# With so many files it takes longer than a process needs to come to life.
_MANY_FILES = 3_000


async def make_ready(attempt: Attempt) -> None:
    """Have a child process load the miners, while nobody needs it yet."""
    with suppress(HandFailed):
        await attempt.runtime.hands.do(crafts.ready, seconds=crafts.FACTS_SECONDS, party=attempt.owner.organization_id)


async def _second_made_ready(attempt: Attempt, files: int) -> None:
    """Have the next process come to life beside the first: measuring comes soon, and takes all that there may be."""
    if files >= _MANY_FILES:
        hands = attempt.runtime.hands
        hands.expect(hands.most)
        await make_ready(attempt)


def key_of_file(file: FileFacts) -> str:
    """Name the facts of a file."""
    return key_of(file.blob_id, file.path.rpartition("/")[2], file.language)


async def discover(attempt: Attempt, kept: Kept, files: Sequence[FileFacts], pasts: Mapping[str, Past]) -> Mined:
    """Find the conventions, and keep what files voted for the next run."""
    owner, storage = attempt.owner, attempt.storage
    known = [
        crafts.Known(key, file.path, file.language, file.role, file.path in pasts and pasts[file.path].new)
        for file in files
        if (key := key_of_file(file)) not in kept.lost
    ]
    place = f"votes/{groups_for(len(files))}"
    discovering = attempt.runtime.hands.do(
        crafts.discover,
        str(storage.root),
        kept.places,
        known,
        [file.path for file in attempt.found.snapshot],
        f"{owner.organization_id.hex}/{owner.repo_id.hex}/{place}/",
        seconds=_DISCOVER_SECONDS,
        party=owner.organization_id,
    )
    found, _ = await asyncio.gather(discovering, _second_made_ready(attempt, len(files)))
    await drop_others(attempt, "votes", groups_for(len(files)))
    for name, content in found.votes.items():
        try:
            await storage.put(
                *(owner.organization_id, owner.repo_id, f"{place}/{name}", content), compressed=True, lasting=False
            )
        except TooLarge:
            # Folders as large as that are counted by every run.
            continue
    return found.mined
