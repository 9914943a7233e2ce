"""INDEX: which files there are, and what each is; only those that changed are looked into, and written."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from app.domain.run import IngestionStage
from app.domain.snapshot import FACTS_VERSION
from app.domain.tree import Entry, EntryKind, PathFault, read_path
from app.gateways import git
from app.hands.pool import Lost
from app.reads import files
from app.reads.files import Stored
from app.services import indexing, ingesting
from workers.crafts.looking import Ground, Listed, Looked, by_name, looking
from workers.ingest.sharing import Portion, Shared, portion_of, share_out
from workers.ingest.step import Attempt

# What one file may take of a processor's time.
SECONDS = 5.0
ATTRIBUTES = ".gitattributes"
# A repository in which more folders have attributes of their own is none that people made.
MOST_ATTRIBUTES = 1_000
_PAGE = 5_000


async def index(attempt: Attempt) -> None:
    """Bring what is stored of the files up to the commit, and add it up."""
    runtime, progress, owner, found = attempt.runtime, attempt.progress, attempt.owner, attempt.found
    async with runtime.write() as tx:
        await ingesting.hold(tx, progress.held)
        await indexing.begin_files(tx, owner)
    changes = await _changes(attempt)
    context = {"attributes": changes.attributes}

    def told(done: int) -> None:
        progress.move(changes.unchanged + done, changes.total)

    async with aclosing(changes.files()) as changed:
        results = await share_out(attempt, IngestionStage.INDEX, FILES, context, changed, told=told)
    # Only now: until all that they speak of was looked at again, the attributes of before are the truth.
    results.append(await look_at(portion_of(attempt, context, changes.last, lambda _: None)))
    async with runtime.write() as tx:
        await ingesting.hold(tx, progress.held)
        await indexing.remove_files(tx, owner, changes.gone_last)
        await indexing.end_files(tx, owner, found.commit)
    async with runtime.read() as session:
        totals = await files.totals(session, owner.repo_id)
        found.snapshot = await files.snapshot(session, owner.repo_id)
    found.files, found.tokens, found.languages = totals.files, totals.tokens, totals.languages
    for skipped in (changes.skipped, *(result["skipped"] for result in results)):
        found.skipped.update(skipped)
    read, left_out = changes.total - changes.unchanged, found.skipped.total()
    progress.note(f"{totals.files} files, {read} of them new or changed, {left_out} left out")


async def look_at(portion: Portion) -> dict[str, Any]:
    """Look at files in child processes, and write down what each is; the same file gives the same row."""
    skipped: Counter[str] = Counter()
    rows: list[Looked] = []
    done = 0
    looked = portion.runtime.hands.each(
        looking,
        Ground(str(portion.cache), portion.context["attributes"]),
        (Listed(*item) for item in portion.items),
        seconds=SECONDS,
        party=portion.owner.organization_id,
    )
    async with aclosing(looked):
        async for file, answer in looked:
            if isinstance(answer, Lost):
                skipped[answer.fate.value] += 1
                # Found by an older version than any: so the next run tries again.
                await _write(portion, [by_name(file)], version=0)
            else:
                rows.append(answer)
            done += 1
            if len(rows) == indexing.BATCH:
                await _write(portion, rows)
                rows = []
                portion.move(done)
    await _write(portion, rows)
    portion.move(done)
    return {"skipped": skipped}


FILES = Shared("files", look_at)


async def _write(portion: Portion, rows: Sequence[Looked], *, version: int = FACTS_VERSION) -> None:
    async with portion.runtime.write() as tx:
        await ingesting.hold(tx, portion)
        await indexing.write_files(tx, portion.owner, rows, version=version)


async def _changes(attempt: Attempt) -> "_Changes":
    """Find out which attributes hold in the commit, and where they are not those of before."""
    async with attempt.runtime.read() as session:
        before = await files.named(session, attempt.owner.repo_id, ATTRIBUTES)
    attributes: dict[str, str] = {}
    async with aclosing(git.files_named(attempt.cache, attempt.found.commit, ATTRIBUTES)) as listed:
        async for entry in listed:
            path = read_path(entry.path)
            if isinstance(path, str) and entry.kind in (EntryKind.FILE, EntryKind.EXECUTABLE):
                attributes[path.removesuffix(ATTRIBUTES).rstrip("/")] = entry.object_id
    changed = {folder for folder, _ in attributes.items() ^ before.items()}
    return _Changes(attempt, dict(islice(attributes.items(), MOST_ATTRIBUTES)), changed)


@dataclass(slots=True)
class _Changes:
    """The difference between a commit and what is stored: both come in the order of paths, so neither is all held."""

    attempt: Attempt
    attributes: dict[str, str]
    unsure: set[str]
    """Folders below which files are looked at again, because attributes have changed."""
    total: int = 0
    unchanged: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    last: list[Listed] = field(default_factory=list)
    """Files with attributes that have changed: these are looked at last."""
    gone_last: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    async def files(self) -> AsyncGenerator[Listed, None]:
        """Give the files that have to be looked at, and remove those that are no more."""
        known = aiter(self._stored())
        before = await anext(known, None)
        async with aclosing(self._listed()) as listed:
            async for file in listed:
                self.total += 1
                while before is not None and before.path < file.path:
                    await self._remove(before.path)
                    before = await anext(known, None)
                same = before is not None and before.path == file.path and self._is_known(file, before)
                if before is not None and before.path == file.path:
                    before = await anext(known, None)
                if same:
                    self.unchanged += 1
                elif file.path.endswith(ATTRIBUTES):
                    self.last.append(file)
                else:
                    yield file
        while before is not None:
            await self._remove(before.path)
            before = await anext(known, None)
        await self._flush()
        self.attempt.progress.move(self.unchanged, self.total)

    def _is_known(self, file: Listed, before: Stored) -> bool:
        """Tell whether what is stored of a file still holds."""
        if (before.blob_id, before.symlink, before.version) != (file.blob_id, file.symlink, FACTS_VERSION):
            return False
        if not self.unsure:
            return True
        folders = file.path.split("/")[:-1]
        return self.unsure.isdisjoint("/".join(folders[:depth]) for depth in range(len(folders) + 1))

    async def _listed(self) -> AsyncGenerator[Listed, None]:
        """List the files of the commit whose paths may be shown, in order."""
        most, last = self.attempt.runtime.settings.repo_files, ""
        async with aclosing(git.files(self.attempt.cache, self.attempt.found.commit, most=most)) as entries:
            async for entry in entries:
                path = self._path(entry)
                if path is None:
                    continue
                # No git makes such a tree, but trees can be made without git.
                if path <= last:
                    self.skipped["path out of order"] += 1
                    continue
                last = path
                file = Listed(path, entry.object_id, entry.size, entry.kind is EntryKind.SYMLINK)
                if not file.readable:
                    self.skipped["missing" if file.size is None else "too large"] += 1
                yield file

    def _path(self, entry: Entry) -> str | None:
        path = read_path(entry.path)
        if isinstance(path, PathFault):
            self.skipped[f"path {path.value}"] += 1
            return None
        if entry.kind is EntryKind.SUBMODULE:
            self.skipped["submodule"] += 1
            return None
        return path

    async def _stored(self) -> AsyncIterator[Stored]:
        after = ""
        while True:
            async with self.attempt.runtime.read() as session:
                page = await files.stored(session, self.attempt.owner.repo_id, after, _PAGE)
            for file in page:
                yield file
            if len(page) < _PAGE:
                return
            after = page[-1].path

    async def _remove(self, path: str) -> None:
        if path.endswith(ATTRIBUTES):
            self.gone_last.append(path)
            return
        self.gone.append(path)
        if len(self.gone) == indexing.BATCH:
            await self._flush()

    async def _flush(self) -> None:
        gone, self.gone = self.gone, []
        if gone:
            async with self.attempt.runtime.write() as tx:
                await ingesting.hold(tx, self.attempt.progress.held)
                await indexing.remove_files(tx, self.attempt.owner, gone)
