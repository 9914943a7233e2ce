"""Measuring rules over a repository: files are dealt into buckets, and of each only what is not known is looked at."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from zlib import crc32

from app.checkers import engine
from app.domain.listing import Listing
from app.domain.measurement import Measurement, Past
from app.domain.rule import Rule
from app.domain.snapshot import FileFacts
from app.hands.pool import Lost
from app.syntax import MOST_BYTES
from workers.ingest.step import Attempt
from workers.mining.buckets import Bucket, Held, Partly, Work, measuring
from workers.mining.keys import keys_of

_FILES_OF_A_BUCKET, _MOST_BUCKETS = 48, 4096
_BUCKET_SECONDS, _FILE_SECONDS = 60.0, 5.0


async def measure(
    attempt: Attempt, rules: Sequence[Rule], files: Sequence[FileFacts], pasts: Mapping[str, Past]
) -> list[Measurement]:
    """Run rules over all files."""
    measured = [Measurement() for _ in rules]
    if not rules:
        return measured
    dealt = _dealt(files)
    owner, hands, report = attempt.owner, attempt.runtime.hands, attempt.found.report
    place = f"measured/{len(dealt)}"
    listing = Listing([file.path for file in attempt.found.snapshot])
    work = Work(
        list(rules),
        keys_of(rules, listing),
        list(listing.paths),
        str(attempt.cache),
        str(attempt.storage.root),
        f"{owner.organization_id.hex}/{owner.repo_id.hex}/{place}/",
        f"engine {engine.VERSION}",
        # Whoever forces a run wants to know whether it goes better this time.
        again=attempt.progress.held.forced,
    )
    buckets = [Bucket(number, _held(held, pasts)) for number, held in enumerate(dealt) if held]
    done = len(files)

    def take_in(answer: Partly, files: int) -> None:
        nonlocal done
        for number, each in answer.measured.items():
            measured[number].add(each)
        for path, reason in answer.unread.items():
            report.skip(path, reason)
        done += files
        attempt.progress.move(done // 2)

    async def keep(bucket: Bucket, answer: Partly) -> None:
        if answer.kept is not None:
            name = f"{place}/{bucket.number}"
            await attempt.storage.put(
                *(owner.organization_id, owner.repo_id, name, answer.kept), compressed=True, lasting=False
            )

    def each(
        buckets: Iterable[Bucket], seconds: float, batch: int
    ) -> AbstractAsyncContextManager[AsyncGenerator[tuple[Bucket, Partly | Lost], None]]:
        return aclosing(hands.each(measuring, work, buckets, seconds=seconds, batch=batch, party=owner.organization_id))

    await drop_others(attempt, "measured", len(dealt))
    unsure: list[Bucket] = []
    async with each(buckets, _BUCKET_SECONDS, 1) as answers:
        async for bucket, answer in answers:
            if isinstance(answer, Lost):
                # Somewhere in the bucket is a file that costs its process; the others are not to pay for it.
                unsure.append(bucket)
                continue
            take_in(answer, len(bucket.files))
            await keep(bucket, answer)
    lost: dict[str, str] = {}
    alone = (Bucket(None, [file]) for bucket in unsure for file in bucket.files)
    async with each(alone, _FILE_SECONDS, 10) as answers:
        async for bucket, answer in answers:
            if isinstance(answer, Lost):
                lost[bucket.files[0].path] = answer.fate.value
                report.skip(bucket.files[0].path, answer.fate.value)
            else:
                take_in(answer, 1)
    # Once more without those files, so that the next run need not find out which they are.
    known = (Bucket(bucket.number, bucket.files, _among(lost, bucket.files)) for bucket in unsure)
    async with each(known, _BUCKET_SECONDS, 1) as answers:
        async for bucket, answer in answers:
            if not isinstance(answer, Lost):
                await keep(bucket, answer)
    return [one.settled() for one in measured]


def _held(files: Sequence[FileFacts], pasts: Mapping[str, Past]) -> list[Held]:
    nothing = Past()
    return [
        Held(file.path, file.blob_id, file.language, file.role, pasts.get(file.path, nothing))
        for file in files
        # What is too large to be read has no sites, not even by its name.
        if file.size <= MOST_BYTES
    ]


def _among(lost: Mapping[str, str], files: Sequence[Held]) -> dict[str, str]:
    return {file.path: lost[file.path] for file in files if file.path in lost}


async def drop_others(attempt: Attempt, what: str, count: int) -> None:
    """Remove what was kept in another number of parts."""
    owner = attempt.owner
    for other in (1 << power for power in range(_MOST_BUCKETS.bit_length())):
        if other != count:
            await attempt.storage.remove(owner.organization_id, owner.repo_id, f"{what}/{other}")


def _dealt(files: Sequence[FileFacts]) -> list[list[FileFacts]]:
    """Deal files into buckets by their paths; their number changes only when a repository doubles."""
    count = 1
    while count * _FILES_OF_A_BUCKET < len(files) and count < _MOST_BUCKETS:
        count *= 2
    dealt: list[list[FileFacts]] = [[] for _ in range(count)]
    for file in files:
        dealt[crc32(file.path.encode()) % count].append(file)
    return dealt
