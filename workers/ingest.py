"""Ingest: one pass over a repository at one commit, stage by stage, by whichever worker holds the run."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from app import observe
from app.config import Settings
from app.domain import jobs
from app.domain.attributes import Attributes
from app.domain.run import IngestionStage
from app.domain.snapshot import FileFacts, facts_of, language_shares
from app.domain.source import SourceFailed, SourceRules
from app.domain.tree import Blob, EntryKind, PathFault, read_path
from app.gateways import git
from app.gateways.storage import Storage
from app.reads import runs
from app.runtime import Runtime
from app.services import indexing, ingesting
from app.services.indexing import Owner
from app.services.ingesting import Claim, Superseded
from workers.progress import Cancelled, Progress

# Faults that may pass are given so many tries, from 1 s to 30 s apart.
TRIES = 3
PAUSE_SECONDS, LONGEST_PAUSE = 1.0, 30.0
DAYS_OF_PULLS = 90
MOST_PULLS = 100
LARGEST_READ = 2 << 20

NOT_YET = "Comes with a later version of Tenet."

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Findings:
    """What the stages of one attempt found."""

    commit: str = ""
    branch: str = ""
    unchanged: bool = False
    files: int = 0
    tokens: int = 0
    languages: list[dict[str, Any]] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


async def ingest(runtime: Runtime, job: jobs.Ingest) -> None:
    """Carry out a run to a true end, whatever happens to it."""
    lease = timedelta(seconds=runtime.settings.worker_lease_seconds)
    async with runtime.write() as tx:
        held = await ingesting.claim(tx, job.run_id, lease)
    if held is None:
        return
    progress = Progress(runtime, held, lease)
    with structlog.contextvars.bound_contextvars(run_id=held.run_id.hex):
        try:
            await _attempts(runtime, progress)
        except Superseded:
            log.info("run belongs to somebody else now")
        except asyncio.CancelledError:
            # The worker stops: whoever takes the job up next need not wait for the lease to end.
            with suppress(Superseded):
                async with runtime.write() as tx:
                    await ingesting.release(tx, progress.held)
            raise


async def _attempts(runtime: Runtime, progress: Progress) -> None:
    for attempt in range(1, TRIES + 1):
        found = Findings()
        try:
            await progress.watched(_stages(runtime, progress, found))
            await _succeed(runtime, progress.held, found)
            return
        except Cancelled:
            async with runtime.write() as tx:
                await ingesting.stop(tx, progress.held)
            return
        except SourceFailed as failed:
            if not failed.passing or attempt == TRIES:
                await _fail(runtime, progress.held, failed.code.value, failed.sentence)
                return
            pause = min(PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311
            await progress.again(f"{failed.sentence} Trying again in {pause:.0f} s.")
            await asyncio.sleep(pause)
        except Superseded:
            raise
        except Exception as error:
            word = observe.reference(error, "ingestion failed")
            await _fail(
                runtime, progress.held, "INTERNAL_ERROR", f"Something went wrong on our side; reference {word}."
            )
            raise


async def _stages(runtime: Runtime, progress: Progress, found: Findings) -> None:
    settings = runtime.settings
    sources = _sources(settings)
    held = progress.held
    cache = sources.cache(held.repo_id)
    owner = Owner(held.repo_id, held.organization_id)
    async with progress.stage(IngestionStage.FETCH, unit="percent", total=100):
        limits = git.FetchLimits(settings.repo_megabytes << 20, settings.fetch_seconds)
        fetched = await sources.fetch(
            held.repo_id,
            held.url,
            held.branch,
            limits,
            lambda told: progress.move(round(100 * told.fraction)),
        )
        found.commit, found.branch = fetched.commit, fetched.branch
        progress.note(f"{fetched.branch} at {fetched.commit[:12]}")
    await progress.log(f"{fetched.branch} is at {fetched.commit}.", commit_sha=fetched.commit)
    if fetched.commit == held.last_commit and not held.forced:
        found.unchanged = True
        for stage in list(IngestionStage)[1:-1]:
            await progress.skip(stage, "Nothing changed since the last run.")
        return
    async with progress.stage(IngestionStage.INDEX, unit="files"):
        await _index(runtime, progress, cache, owner, found)
    storage = Storage(settings.data_dir / "objects")
    async with progress.stage(IngestionStage.HISTORY, unit="commits"):
        await _history(progress, cache, owner, found, storage)
    async with progress.stage(IngestionStage.PULLS, unit="changes"):
        await _pulls(runtime, progress, cache, owner, found, storage)
    for stage in (
        IngestionStage.MINE,
        IngestionStage.EXTRACT,
        IngestionStage.VERIFY,
        IngestionStage.SCORE,
        IngestionStage.BACKTEST,
    ):
        await progress.skip(stage, NOT_YET)


async def _index(runtime: Runtime, progress: Progress, cache: Path, owner: Owner, found: Findings) -> None:
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


async def _history(progress: Progress, cache: Path, owner: Owner, found: Findings, storage: Storage) -> None:
    """Sum up who touched each path, and when first and last, in one walk."""
    paths: dict[str, dict[str, Any]] = {}
    count = 0
    async with aclosing(git.history(cache, found.commit)) as commits:
        async for commit in commits:
            count += 1
            progress.move(count)
            for change in commit.changes:
                path = read_path(change.path)
                if isinstance(path, PathFault):
                    continue
                told = paths.setdefault(path, {"last": commit.committed_at.isoformat(), "authors": Counter()})
                told["first"] = commit.committed_at.isoformat()
                told["authors"][commit.author] += 1
    await storage.put(owner.organization_id, owner.repo_id, f"history/{found.commit}", json.dumps(paths).encode())
    progress.note(f"{count} commits")


async def _pulls(
    runtime: Runtime, progress: Progress, cache: Path, owner: Owner, found: Findings, storage: Storage
) -> None:
    count = 0
    async with aclosing(git.first_parent_changes(cache, found.commit, days=DAYS_OF_PULLS, most=MOST_PULLS)) as landings:
        async for landing in landings:
            key = await storage.put(owner.organization_id, owner.repo_id, f"diffs/{landing.id}", landing.diff)
            async with runtime.write() as tx:
                await ingesting.hold(tx, progress.held)
                await indexing.write_landing(tx, owner, landing, key)
            count += 1
            progress.move(count)
    progress.note(f"{count} merged changes of the last {DAYS_OF_PULLS} days")


async def _succeed(runtime: Runtime, held: Claim, found: Findings) -> None:
    changes: dict[str, Any] = {"default_branch": found.branch}
    message = "Nothing changed since the last run."
    if not found.unchanged:
        changes |= {"file_count": found.files, "token_count": found.tokens, "languages": found.languages}
        message = f"{found.files} files indexed."
    report = {
        "dropped": [],
        "suppressed": [],
        "skipped_files": [
            {"reason": reason, "count": count, "examples": []} for reason, count in found.skipped.most_common()
        ],
        "contradictions": [],
    }
    async with runtime.write() as tx:
        await ingesting.succeed(tx, held, changes, message, report)


async def _fail(runtime: Runtime, held: Claim, code: str, sentence: str) -> None:
    async with runtime.write() as tx:
        await ingesting.fail(tx, held, code, sentence)


def _sources(settings: Settings) -> git.Sources:
    rules = SourceRules(local=settings.allows_local_sources, private=settings.private_addresses)
    return git.Sources(settings.data_dir / "git", rules, ssh_key=settings.ssh_key, own_ssh_keys=not settings.production)


async def forget(runtime: Runtime, job: jobs.Forget) -> None:
    """Remove the cache and the stored objects of a repository that was disconnected."""
    await _sources(runtime.settings).remove(job.repo_id)
    await Storage(runtime.settings.data_dir / "objects").remove(job.organization_id, job.repo_id)


async def revive(runtime: Runtime, _: jobs.Revive) -> None:
    """Ask again for the runs that a crash left without a worker, and for those whose schedule says so."""
    async with runtime.read() as session:
        stranded = await runs.stranded(session, timedelta(seconds=runtime.settings.worker_lease_seconds))
    for run_id in stranded:
        await runtime.queue.put(jobs.Ingest(run_id))
