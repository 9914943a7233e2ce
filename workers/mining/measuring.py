"""Measuring rules over a repository: files are dealt into buckets, and of a bucket only what is not known is measured.

What a rule did in a bucket is kept under the rule's own key, for as long as the bucket holds the very same files.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from hashlib import blake2b
from zlib import crc32

from app.checkers import engine
from app.domain.measurement import Measurement, Past
from app.domain.rule import Rule, RuleKind, stored
from app.domain.snapshot import FileFacts
from app.gateways import git
from app.hands.pool import Lost
from app.syntax import MOST_BYTES
from workers.ingest.step import Attempt
from workers.mining.batches import Item
from workers.mining.buckets import Bucket, Partly, Work, measuring, recalling

_FILES_OF_A_BUCKET = 48
_BUCKET_SECONDS, _FILE_SECONDS = 60.0, 5.0


async def measure(
    attempt: Attempt, rules: Sequence[Rule], files: Sequence[FileFacts], pasts: Mapping[str, Past]
) -> list[Measurement]:
    """Run rules over all files."""
    measured = [Measurement() for _ in rules]
    if not rules:
        return measured
    done = len(files)
    dealt = _dealt(files)
    owner = attempt.owner
    place = f"measured/{len(dealt)}"
    paths = [file.path for file in attempt.found.snapshot]
    listed = blake2b("\0".join(sorted(paths)).encode(), digest_size=8).hexdigest()
    prefix = f"{owner.organization_id.hex}/{owner.repo_id.hex}/{place}/"
    work = Work(list(rules), [_key(rule, listed) for rule in rules], paths, str(attempt.storage.root), prefix)
    buckets = [Bucket(number, _digest(held, pasts), len(held)) for number, held in enumerate(dealt) if held]
    waiting: list[Bucket] = []

    def take_in(bucket: Bucket, answer: Partly) -> None:
        nonlocal done
        for number, each in answer.measured.items():
            measured[number].add(each)
        for path, reason in answer.unread.items():
            attempt.found.report.skip(path, reason)
        done += bucket.files
        attempt.progress.move(done)

    hands, party = attempt.runtime.hands, owner.organization_id
    async with aclosing(hands.each(recalling, work, buckets, seconds=_BUCKET_SECONDS, party=party)) as recalled:
        async for bucket, answer in recalled:
            if isinstance(answer, Lost) or answer.missing:
                waiting.append(bucket)
            else:
                take_in(bucket, answer)
    if len(waiting) == len(buckets):
        await attempt.storage.remove(owner.organization_id, owner.repo_id, "measured")
    lost: list[Item] = []
    filled = _filled(attempt, waiting, dealt, pasts)
    async with aclosing(hands.each(measuring, work, filled, seconds=_BUCKET_SECONDS, batch=1, party=party)) as answers:
        async for bucket, answer in answers:
            if isinstance(answer, Lost):
                # Somewhere in the bucket is a file that costs its process; the others are not to pay for it.
                lost += bucket.items
                continue
            take_in(bucket, answer)
            if answer.kept is not None:
                name = f"{place}/{bucket.number}"
                await attempt.storage.put(owner.organization_id, owner.repo_id, name, answer.kept)
    alone = (Bucket(-1, "", 1, [item]) for item in lost)
    async with aclosing(hands.each(measuring, work, alone, seconds=_FILE_SECONDS, batch=10, party=party)) as answers:
        async for bucket, answer in answers:
            if isinstance(answer, Lost):
                attempt.found.report.skip(bucket.items[0].path, answer.fate.value)
            else:
                take_in(bucket, answer)
    return [each.settled() for each in measured]


def _dealt(files: Sequence[FileFacts]) -> list[list[FileFacts]]:
    """Deal files into buckets by their paths; their number changes only when a repository doubles."""
    count = 1
    while count * _FILES_OF_A_BUCKET < len(files):
        count *= 2
    dealt: list[list[FileFacts]] = [[] for _ in range(count)]
    for file in files:
        dealt[crc32(file.path.encode()) % count].append(file)
    return dealt


def _digest(files: Sequence[FileFacts], pasts: Mapping[str, Past]) -> str:
    nothing = Past()
    told = []
    for file in files:
        past = pasts.get(file.path, nothing)
        first = past.first.isoformat() if past.first else None
        told.append([file.path, file.blob_id, file.language, file.role.value, first, past.new, dict(past.authors)])
    return blake2b(json.dumps(told).encode(), digest_size=16).hexdigest()


def _key(rule: Rule, listed: str) -> str:
    """Name what a rule finds in given files; some rules look at the paths of others, too."""
    scope = [rule.scope.languages, rule.scope.include, rule.scope.exclude, [role.value for role in rule.scope.roles]]
    told = [engine.VERSION, rule.kind.value, stored(rule), scope]
    if rule.kind in (RuleKind.PATH, RuleKind.IMPORT):
        told.append(listed)
    return blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=12).hexdigest()


async def _filled(
    attempt: Attempt, buckets: Sequence[Bucket], dealt: Sequence[Sequence[FileFacts]], pasts: Mapping[str, Past]
) -> AsyncIterator[Bucket]:
    """Give buckets with the contents of their files, read as they are needed."""
    wanted = [file for bucket in buckets for file in dealt[bucket.number]]
    async with aclosing(read_items(attempt, wanted, pasts)) as items:
        for bucket in buckets:
            held = [item async for item in _so_many(items, len(dealt[bucket.number]))]
            yield Bucket(
                bucket.number, bucket.digest, bucket.files, [item for item in held if item.content is not None]
            )


async def _so_many(items: AsyncGenerator[Item, None], count: int) -> AsyncIterator[Item]:
    for _ in range(count):
        yield await anext(items)


async def read_items(
    attempt: Attempt, files: Sequence[FileFacts], pasts: Mapping[str, Past]
) -> AsyncGenerator[Item, None]:
    """Read the contents of files, one after the other; one that is missing or too large has none."""
    nothing = Past()
    waiting = iter(files)
    async with aclosing(git.blobs(attempt.cache, (file.blob_id for file in files), largest=MOST_BYTES)) as blobs:
        async for blob in blobs:
            file = next(waiting)
            past = pasts.get(file.path, nothing)
            yield Item(file.path, file.blob_id, file.language, file.role, blob.content, past)
