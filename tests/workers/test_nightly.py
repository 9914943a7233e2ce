"""The night: what nobody cared for is dismissed, what belongs to nobody is removed, and twice is as good as once."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Pattern, PatternEvent, Repo, Session
from app.domain.confidence import ConfidenceTier
from app.domain.events import PatternsChanged
from app.domain.jobs import Nightly
from app.domain.pattern import PatternEventKind, PatternStatus
from app.gateways.storage import Storage
from app.runtime import Runtime
from app.services import sweeping
from tests import factories as make
from tests.installed import runtime_for
from tests.workers.crew import working
from workers.nightly import nightly
from workers.registry import WORKS
from workers.settings import crew_of

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=60, seconds=1)
WORK = next(work for work in WORKS if work.job is Nightly)


@pytest.fixture
async def runtime(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with runtime_for(database_url, redis_url, data_dir=tmp_path) as runtime:
        runtime.clock = lambda: NOW
        yield runtime


async def weak(session: AsyncSession, repo: Repo, touched_at: datetime = LONG_AGO, **over: Any) -> Pattern:
    return await make.pattern(session, repo, touched_at=touched_at, **{"tier": ConfidenceTier.WEAK, **over})


async def events(session: AsyncSession) -> list[PatternEvent]:
    await session.rollback()
    return list(await session.scalars(select(PatternEvent).order_by(PatternEvent.repo_id, PatternEvent.sequence)))


async def test_a_weak_candidate_that_nobody_touched_is_dismissed_by_nobody(
    runtime: Runtime, session: AsyncSession
) -> None:
    repo = await make.repo(session)
    pattern = await weak(session, repo)
    async with runtime.bus.listen(PatternsChanged(repo.id, 0).channel) as bell:
        await nightly(runtime, Nightly())
        await bell.wait(10)
    await session.refresh(pattern)
    assert (pattern.status, pattern.version) == (PatternStatus.REJECTED, 2)
    assert pattern.rejection_reason == "Auto-dismissed: insufficient evidence"
    assert (pattern.status_changed_at, pattern.status_changed_by_id) == (NOW, None)
    (event,) = await events(session)
    assert (event.kind, event.from_status, event.to_status) == (PatternEventKind.REJECTED, "CANDIDATE", "REJECTED")
    assert (event.actor_id, event.message, event.sequence) == (None, "Auto-dismissed: insufficient evidence", 1)


async def test_everything_else_stays(runtime: Runtime, session: AsyncSession) -> None:
    repo = await make.repo(session)
    kept = [
        await weak(session, repo, NOW - timedelta(days=60)),
        *[await weak(session, repo, status=status) for status in PatternStatus if status != "CANDIDATE"],
        *[await weak(session, repo, tier=tier) for tier in (None, *ConfidenceTier) if tier != "WEAK"],
    ]
    statuses = [pattern.status for pattern in kept]
    await nightly(runtime, Nightly())
    for pattern in kept:
        await session.refresh(pattern)
    assert [pattern.status for pattern in kept] == statuses
    assert await events(session) == []


async def test_nights_at_once_dismiss_each_candidate_once(
    runtime: Runtime, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several batches a repository, several repositories.
    monkeypatch.setattr(sweeping, "BATCH", 4)
    repos = [await make.repo(session) for _ in range(3)]
    for repo in repos:
        for _ in range(9):
            await weak(session, repo)
    await asyncio.gather(*(nightly(runtime, Nightly()) for _ in range(3)))
    told = await events(session)
    assert [event.sequence for event in told] == [*range(1, 10)] * 3
    assert len({event.pattern_id for event in told}) == 27
    await nightly(runtime, Nightly())
    assert len(await events(session)) == 27


async def test_what_belongs_to_no_repository_is_removed(
    runtime: Runtime, session: AsyncSession, tmp_path: Path
) -> None:
    repo = await make.repo(session)
    storage = Storage(tmp_path / "objects")
    mine = await storage.put(repo.organization_id, repo.id, "diffs/1f3a", b"a diff")
    theirs = (repo.organization_id, uuid4()), (uuid4(), uuid4())
    for organization_id, repo_id in theirs:
        await storage.put(organization_id, repo_id, "diffs/1f3a", b"a diff")
    git = tmp_path / "git"
    for name in (repo.id.hex, theirs[0][1].hex, f"{theirs[1][1].hex}.gone-x"):
        (git / name).mkdir(parents=True)
    folder = tmp_path / "objects" / mine.rpartition("/")[0]
    young, old = folder / ".1f3a.0123456789abcdef", folder / ".1f3b.0123456789abcdef"
    for left in (young, old):
        left.write_bytes(b"half")
    os.utime(old, (0, 0))
    for _ in range(2):
        await nightly(runtime, Nightly())
        assert await storage.stored() == [(repo.organization_id, repo.id)]
        assert await storage.get(mine) == b"a diff"
        assert sorted(entry.name for entry in git.iterdir()) == [repo.id.hex]
        assert (young.exists(), old.exists()) == (True, False)


async def test_a_night_sweeps_what_has_expired(runtime: Runtime, session: AsyncSession) -> None:
    await make.sign_in(session, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    kept = await make.sign_in(session)
    await nightly(runtime, Nightly())
    await session.rollback()
    assert list(await session.scalars(select(Session.id))) == [kept.id]


async def test_the_night_is_at_three_in_utc_and_one_at_a_time(runtime: Runtime, session: AsyncSession) -> None:
    (worker,) = crew_of(runtime, (WORK,))
    (tick,) = worker.cron_jobs
    tick.calculate_next(datetime(2026, 11, 21, 3, 0, 30, tzinfo=UTC))
    assert worker.timezone is UTC
    assert tick.next_run is not None
    assert tick.next_run.replace(microsecond=0) == datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert [await runtime.queue.put(Nightly()) for _ in range(3)] == [True, False, False]
    repo = await make.repo(session)
    await weak(session, repo)
    async with runtime.bus.listen(PatternsChanged(repo.id, 0).channel) as bell, working(runtime, WORK):
        await bell.wait(10)
    assert len(await events(session)) == 1
    await worker.leave(0)
