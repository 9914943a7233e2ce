"""Fetching: the objects of a repository, and nothing else of it, into a bare cache that later fetches only add to."""

import asyncio
import re
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from app.domain.source import Source, SourceFailed, SourceProblem, SourceRules, Transport, check_branch, read_source
from app.gateways.addresses import Lookup, system_lookup
from app.gateways.git import local
from app.gateways.git.cache import Cache, Caches, is_object_id
from app.gateways.git.local import LocalOffer
from app.gateways.git.process import answer, running, timed_out
from app.gateways.git.remote import Offer, Remotes, SshAccess

_LOOK_SECONDS = 0.1
LEAST_FREE = 256 << 20
"""A fetch that leaves less room than this on the disk is ended: others, PostgreSQL perhaps, live there too."""

_MOST_PACKS = 24
_REBUILDS = {SourceProblem.BROKEN, SourceProblem.OBJECTS_MISSING, SourceProblem.TOO_LARGE}
_PROGRESS = re.compile(r"(?:remote: )?([A-Z][a-z]+) (?:objects|deltas): +\d+% \((\d{1,12})/(\d{1,12})\)")


class FetchPhase(StrEnum):
    """What git does while it fetches, in order; small fetches skip some."""

    COUNTING = "Counting"
    COMPRESSING = "Compressing"
    RECEIVING = "Receiving"
    RESOLVING = "Resolving"


_SHARES = {
    FetchPhase.COUNTING: (0.0, 0.1),
    FetchPhase.COMPRESSING: (0.1, 0.2),
    FetchPhase.RECEIVING: (0.2, 0.8),
    FetchPhase.RESOLVING: (0.8, 1.0),
}
_PHASES = {**{phase.value: phase for phase in FetchPhase}, "Writing": FetchPhase.RECEIVING}


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How far a phase has come, in objects."""

    phase: FetchPhase
    done: int
    total: int

    @property
    def fraction(self) -> float:
        """How much of the whole fetch is done, about; it never goes back."""
        begins, ends = _SHARES[self.phase]
        return begins + (ends - begins) * (self.done / self.total if self.total else 1.0)


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How large a repository's cache may become, and how long a fetch may take."""

    most_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch came to."""

    commit: str
    branch: str
    """The branch, or HEAD where it is detached."""
    previous: str | None
    """The commit that the last fetch of this branch came to."""
    forced: bool
    """Whether history was rewritten: the previous commit is not among the ancestors of this one."""
    shallow: bool
    """Whether the source itself knows only a part of its history."""

    @property
    def unchanged(self) -> bool:
        """Tell whether the branch is where it was."""
        return self.commit == self.previous


class Sources:
    """Fetches repositories and keeps their caches."""

    def __init__(
        self,
        root: Path,
        rules: SourceRules,
        *,
        ssh_key: Path | None = None,
        own_ssh_keys: bool = False,
        lookup: Lookup = system_lookup,
    ) -> None:
        """Keep caches below `root`; without a key of its own, ssh shows none, or those of this process's account."""
        self._rules = rules
        self._caches = Caches(root.absolute())
        access = SshAccess(self._caches.root / "known_hosts", ssh_key, own_ssh_keys)
        self._remotes = Remotes(rules, access, lookup)

    def cache(self, repo_id: UUID) -> Path:
        """Name the bare repository that readers of a repository's objects work on."""
        return self._caches.of(repo_id).path

    async def stored(self) -> list[UUID]:
        """List the repositories that have a cache, so that those nobody knows any more can be removed."""
        return await asyncio.to_thread(self._caches.stored)

    async def remove(self, repo_id: UUID) -> None:
        """Remove the cache of a repository; refused as BUSY while it is being fetched."""
        await asyncio.to_thread(self._caches.remove, repo_id)

    async def fetch(
        self,
        repo_id: UUID,
        url: str,
        branch: str | None,
        limits: FetchLimits,
        on_progress: Callable[[FetchProgress], None] = lambda _: None,
        *,
        authorization: str | None = None,
    ) -> Fetched:
        """Bring the newest objects of a branch, or of the default one; `authorization` is `user:token` for the host."""
        source = read_source(url, self._rules)
        if branch is not None:
            check_branch(branch)
        fetch = _Fetch(self._caches, self._remotes, repo_id, limits, _reporter(on_progress))
        with self._caches.lock(repo_id):
            try:
                async with asyncio.timeout(limits.seconds):
                    return await fetch.run(source, branch, authorization)
            except TimeoutError:
                raise timed_out() from None


@dataclass(frozen=True, slots=True)
class _Fetch:
    caches: Caches
    remotes: Remotes
    repo_id: UUID
    limits: FetchLimits
    heard: Callable[[str], None]

    async def run(self, source: Source, branch: str | None, authorization: str | None) -> Fetched:
        """Look what there is, and bring what is missing."""
        offer: Offer | LocalOffer
        if source.transport is Transport.LOCAL:
            offer = await asyncio.to_thread(local.look, Path(source.path), branch)
        else:
            offer = await self.remotes.look(source, branch, authorization)
        cache = self.caches.of(self.repo_id)
        kept = cache.kept(offer.branch) if cache.exists else None
        previous = None if kept is None else await _commit(cache, kept)
        if previous is not None and kept == offer.commit and _fits(cache, offer):
            return Fetched(previous, offer.branch, previous, forced=False, shallow=bool(cache.shallow()))
        found = await self._bring(cache, offer)
        commit = await _commit(cache, found)
        if commit is None:
            raise SourceFailed(SourceProblem.UNSUPPORTED, "The branch does not lead to a commit.")
        forced = previous is not None and not await _follows(cache, previous, commit)
        return Fetched(commit, offer.branch, previous, forced, shallow=bool(cache.shallow()))

    async def _bring(self, cache: Cache, offer: Offer | LocalOffer) -> str:
        """Add to the cache, or make it anew where there is none, or none that can be added to."""
        if cache.exists and _fits(cache, offer):
            try:
                await asyncio.to_thread(cache.tidy)
                await self._pack_up(cache)
                return await self._within_limits(cache, self._transfer(cache, offer))
            except SourceFailed as failed:
                # A cache can be spoilt by a crash, or full of what the source threw away; a new one tells.
                if failed.code not in _REBUILDS:
                    raise
        fresh = await asyncio.to_thread(self.caches.fresh, self.repo_id)
        try:
            fresh.make(digits=len(offer.commit))
            found = await self._within_limits(fresh, self._transfer(fresh, offer))
            await asyncio.to_thread(self.caches.replace, self.repo_id, fresh)
        finally:
            await asyncio.to_thread(self.caches.fresh, self.repo_id)
        return found

    async def _transfer(self, cache: Cache, offer: Offer | LocalOffer) -> str:
        most = self.limits.most_bytes
        if isinstance(offer, Offer):
            return await self.remotes.fetch(offer, cache, most_bytes=most, heard=self.heard)
        if offer.shallow:
            (cache.path / "shallow").write_text("".join(f"{commit}\n" for commit in sorted(offer.shallow)))
        kept = cache.kept(offer.branch)
        have = f"^{kept}\n" if kept is not None and await _commit(cache, kept) is not None else ""
        async with running(
            # Whatever the source lacks (a partial clone) is missing here too. Deltas are taken over, none are looked
            # for: that takes far longer than it saves.
            *("pack-objects", "--revs", "--missing=allow-any", "--window=0", "--delta-base-offset", "--progress"),
            str(cache.objects / "pack" / "pack"),
            repository=cache.path,
            environment={"GIT_ALTERNATE_OBJECT_DIRECTORIES": local.alternates(offer.objects)},
            talks=True,
            largest_file=most,
            heard=self.heard,
        ) as git:
            await git.tell(f"{offer.commit}\n{have}".encode())
            git.hang_up()
            await git.must_end_well()
        cache.keep(offer.branch, offer.commit)
        return offer.commit

    async def _pack_up(self, cache: Cache) -> None:
        """Merge packs once there are many of them, by size, so that each object is written a few times at most."""
        if cache.packs() < _MOST_PACKS:
            return
        async with running("repack", "--geometric=2", "-d", "-q", repository=cache.path) as git:
            await git.must_end_well()

    async def _within_limits(self, cache: Cache, work: Coroutine[Any, Any, str]) -> str:
        """Do the work while somebody watches the cache grow."""
        working = asyncio.create_task(work)
        watching = asyncio.create_task(self._watch(cache))
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
            found = await working
            await self._look(cache)
            return found
        finally:
            for task in (working, watching):
                task.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def _watch(self, cache: Cache) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self._look(cache)

    async def _look(self, cache: Cache) -> None:
        size, free = await asyncio.to_thread(lambda: (cache.size(), shutil.disk_usage(cache.path).free))
        if size > self.limits.most_bytes:
            raise SourceFailed(
                SourceProblem.TOO_LARGE,
                f"The repository is larger than the {self.limits.most_bytes >> 20} MB that this installation allows.",
            )
        if free < LEAST_FREE:
            raise SourceFailed(SourceProblem.DISK_FULL, "The disk of this installation is full.")


def _fits(cache: Cache, offer: Offer | LocalOffer) -> bool:
    """Tell whether objects of the source can be added to a cache: the same hash, and the same end of history."""
    marker = cache.path / "config"
    digits = 64 if "sha256" in marker.read_text() else 40
    if digits != len(offer.commit):
        return False
    return isinstance(offer, Offer) or cache.shallow() == offer.shallow


async def _commit(cache: Cache, name: str) -> str | None:
    """Find the commit that an object is or leads to; None where it is not in the cache."""
    try:
        told = await answer("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", repository=cache.path)
    except SourceFailed:
        return None
    text = told.decode().strip()
    return text if is_object_id(text) else None


async def _follows(cache: Cache, previous: str, commit: str) -> bool:
    """Tell whether a commit has another among its ancestors."""
    async with running("merge-base", "--is-ancestor", previous, commit, repository=cache.path) as git:
        status = await git.end()
    # 1 says no; another answer says that the previous commit is not there any more.
    return status == 0


def _reporter(on_progress: Callable[[FetchProgress], None]) -> Callable[[str], None]:
    def hear(line: str) -> None:
        found = _PROGRESS.match(line)
        if found is not None and (phase := _PHASES.get(found[1])) is not None:
            on_progress(FetchProgress(phase, int(found[2]), int(found[3])))

    return hear
