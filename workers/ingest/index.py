"""INDEX: which files there are, and what each is."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from app.domain.attributes import Attributes
from app.domain.snapshot import FileFacts, facts_of, language_shares
from app.domain.tree import Blob, EntryKind, PathFault, read_path
from app.gateways import git
from app.runtime import Runtime
from app.services import indexing, ingesting
from app.services.indexing import Owner
from workers.ingest.step import Attempt
from workers.progress import Progress

LARGEST_READ = 2 << 20


async def index(attempt: Attempt) -> None:
    """Look at every file of the commit, and write down what each is."""
    runtime, progress, found = attempt.runtime, attempt.progress, attempt.found
    cache, owner = attempt.cache, attempt.owner
    entries: dict[str, tuple[str, int, bool]] = {}
    async with aclosing(git.files(cache, found.commit, most=runtime.settings.repo_files)) as listed:
        async for entry in listed:
            path = read_path(entry.path)
            if isinstance(path, PathFault):
                found.skipped[f"path {path.value}"] += 1
            elif entry.kind is EntryKind.SUBMODULE:
                found.skipped["submodule"] += 1
            else:
                entries[path] = (entry.object_id, entry.size or 0, entry.kind is EntryKind.SYMLINK)
    async with runtime.write() as tx:
        before = await indexing.known_files(tx, owner.repo_id)
    progress.move(0, len(entries))
    attributes = await _attributes(cache, entries)
    facts: list[FileFacts] = []
    paths = sorted(entries)
    # Every blob is read again: its language may hang on attributes that changed elsewhere. Reading costs less than a
    # tenth of what mining it will.
    blobs = git.blobs(cache, (entries[path][0] for path in paths), largest=LARGEST_READ)
    batch: list[FileFacts] = []
    async for path, blob in _paired(paths, blobs):
        object_id, size, symlink = entries[path]
        file = facts_of(path, object_id, blob.size or size, blob.content, marks=attributes.of(path), symlink=symlink)
        if blob.content is None:
            found.skipped["too large" if blob.size else "missing"] += 1
        facts.append(file)
        batch.append(file)
        if len(batch) == indexing.BATCH:
            await _write(runtime, progress, owner, batch)
            batch = []
            progress.move(len(facts))
    await _write(runtime, progress, owner, batch)
    vanished = sorted(set(before) - set(entries))
    async with runtime.write() as tx:
        await ingesting.hold(tx, progress.held)
        await indexing.remove_files(tx, owner, vanished)
    found.snapshot = facts
    found.files, found.tokens = len(facts), sum(file.tokens or 0 for file in facts)
    found.languages = [
        {"language": share.language, "files": share.files, "bytes": share.size} for share in language_shares(facts)
    ]
    progress.note(f"{len(facts)} files, {sum(found.skipped.values())} left out")


async def _write(runtime: Runtime, progress: Progress, owner: Owner, batch: list[FileFacts]) -> None:
    async with runtime.write() as tx:
        await ingesting.hold(tx, progress.held)
        await indexing.write_files(tx, owner, batch)


async def _paired(paths: list[str], blobs: AsyncGenerator[Blob, None]) -> AsyncGenerator[tuple[str, Blob], None]:
    waiting = iter(paths)
    # What is cancelled in between must not leave git waiting for a reader.
    async with aclosing(blobs):
        async for blob in blobs:
            yield next(waiting), blob


async def _attributes(cache: Path, entries: dict[str, tuple[str, int, bool]]) -> Attributes:
    places = [path for path in entries if path == ".gitattributes" or path.endswith("/.gitattributes")]
    files: dict[str, bytes] = {}
    async for path, blob in _paired(places, git.blobs(cache, (entries[path][0] for path in places))):
        if blob.content is not None:
            files[path.removesuffix(".gitattributes").rstrip("/")] = blob.content
    return Attributes.read(files)
