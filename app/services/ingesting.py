"""Ingesting: how a run begins, is claimed by a worker, moves on, and ends; every step is an event of its log.

A claim is a fence: its number is the run's attempt, and a worker whose attempt is no longer the run's writes nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import delete, select

from app.db import models
from app.db.tx import Tx
from app.domain import moments
from app.domain.errors import NotFound
from app.domain.events import RunAdvanced, RunQueued
from app.domain.ids import Kind
from app.domain.jobs import Ingest
from app.domain.repo import IngestionStatus
from app.domain.run import (
    LIVE,
    STAGES,
    IngestionEventKind,
    IngestionStage,
    RunStatus,
    RunTrigger,
    StageProgress,
    StageState,
    fraction_of,
    seconds_left,
)
from app.domain.viewer import Permission, Viewer
from app.reads.runs import SNAPSHOT

# A run whose workers die this often kills them: it ends instead of going round for ever.
MOST_ATTEMPTS = 6
# A run's log reaches back so many events: at ten readings a second over a quarter of an hour, which is longer than any
# client is away and comes back to go on, and some ten megabytes. Shortened now and then, it may be longer by a few.
MOST_EVENTS = 10_000
SHORTENED_EVERY = 100


class Superseded(Exception):
    """The run has ended, is gone, or belongs to another attempt: whoever holds this claim must stop."""


class Fence(Protocol):
    """Whoever writes for a run says for which attempt."""

    @property
    def run_id(self) -> UUID:
        """The run."""

    @property
    def attempt(self) -> int:
        """The attempt."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt of one worker at one run."""

    run_id: UUID
    repo_id: UUID
    organization_id: UUID
    attempt: int
    forced: bool
    url: str
    branch: str | None
    last_commit: str | None


@dataclass(slots=True)
class Advance:
    """What a worker tells of its run in one step."""

    stages: Sequence[StageProgress]
    stage: IngestionStage
    kind: IngestionEventKind
    message: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)


async def start(
    tx: Tx, viewer: Viewer | None, repo_id: UUID, trigger: RunTrigger, *, force: bool = False
) -> tuple[models.IngestionRun, bool]:
    """Queue a run, or give the one that lives already; without a viewer it is the service that asks."""
    repo = await _repo(tx, viewer, repo_id)
    if viewer is not None:
        viewer.require(Permission.INGEST, repo.organization_id)
    live = await tx.session.scalar(
        select(models.IngestionRun).where(models.IngestionRun.repo_id == repo_id, models.IngestionRun.status.in_(LIVE))
    )
    if live is not None:
        return live, True
    run = models.IngestionRun(
        repo_id=repo_id,
        organization_id=repo.organization_id,
        trigger=trigger,
        forced=force,
        status_before=repo.ingestion_status,
        stages=[spell(StageProgress(stage)) for stage in STAGES],
    )
    repo.ingestion_status = IngestionStatus.INGESTING
    tx.session.add(run)
    await tx.session.flush()
    if viewer is not None:
        tx.audit(viewer, "startIngestion", Kind.INGESTION_RUN, run.id, run.organization_id)
    tx.enqueue(Ingest(run.id))
    tx.publish(RunQueued(repo_id, 0))
    return run, False


async def begin_anew(tx: Tx, run_id: UUID) -> None:
    """Queue another run in place of one that failed; any other, and one whose repository is gone, stays as it is."""
    run = await tx.session.get(models.IngestionRun, run_id)
    if run is not None and run.status is RunStatus.FAILED:
        await start(tx, None, run.repo_id, run.trigger, force=run.forced)


async def cancel(tx: Tx, viewer: Viewer, run_id: UUID) -> models.IngestionRun:
    """Stop a run: at once while it is queued, else its worker is told; one that has ended stays as it is."""
    run = await _run(tx, viewer, run_id)
    viewer.require(Permission.INGEST, run.organization_id)
    tx.audit(viewer, "cancelIngestion", Kind.INGESTION_RUN, run.id, run.organization_id)
    if run.status is RunStatus.QUEUED:
        await _end(tx, run, RunStatus.CANCELLED, "Cancelled before it began.")
    elif run.status is RunStatus.RUNNING and run.cancel_requested_at is None:
        run.cancel_requested_at = datetime.now(UTC)
    return run


async def claim(tx: Tx, run_id: UUID, lease: timedelta) -> Claim | None:
    """Take a run up; None if it has ended, is gone, or another worker gives signs of life."""
    run = await tx.session.get(models.IngestionRun, run_id, with_for_update=True)
    now = datetime.now(UTC)
    if run is None or run.status not in LIVE:
        return None
    if run.status is RunStatus.RUNNING and run.leased_until is not None and run.leased_until > now:
        return None
    if run.cancel_requested_at is not None:
        await _end(tx, run, RunStatus.CANCELLED, "Cancelled.")
        return None
    if run.attempt >= MOST_ATTEMPTS:
        await _end(
            tx,
            run,
            RunStatus.FAILED,
            f"Its worker died {run.attempt} times, the last time in {run.stage.value}.",
            code="WORKER_DIED",
        )
        return None
    again = run.attempt > 0
    run.attempt += 1
    run.status = RunStatus.RUNNING
    run.started_at = run.started_at or now
    run.leased_until = now + lease
    if again:
        run.stages = [spell(StageProgress(stage)) for stage in STAGES]
    kind = IngestionEventKind.RETRY if again else IngestionEventKind.LOG
    message = f"Attempt {run.attempt} begins; the worker before it stopped." if again else "A worker took it up."
    _log(tx, run, kind, run.stage, message=message)
    repo = await tx.session.get_one(models.Repo, run.repo_id)
    return Claim(
        run.id,
        run.repo_id,
        run.organization_id,
        run.attempt,
        run.forced,
        repo.url,
        repo.branch,
        # Files that a run changed and did not finish are not those of that commit any more.
        repo.last_ingested_commit if repo.files_commit == repo.last_ingested_commit else None,
    )


async def keep(tx: Tx, held: Claim, lease: timedelta) -> bool:
    """Give a sign of life; True if the run is to be cancelled."""
    run = await _held(tx, held)
    run.leased_until = datetime.now(UTC) + lease
    return run.cancel_requested_at is not None


async def release(tx: Tx, held: Claim) -> None:
    """Let go of a run because the worker stops: the next one may take it up at once."""
    run = await _held(tx, held)
    run.leased_until = datetime.now(UTC)


async def retry(tx: Tx, held: Claim, message: str, lease: timedelta) -> Claim:
    """Begin another attempt after a fault that may pass."""
    run = await _held(tx, held)
    run.attempt += 1
    run.leased_until = datetime.now(UTC) + lease
    run.stages = [spell(StageProgress(stage)) for stage in STAGES]
    _log(tx, run, IngestionEventKind.RETRY, run.stage, message=message)
    return replace(held, attempt=run.attempt)


async def advance(tx: Tx, held: Claim, step: Advance, lease: timedelta) -> bool:
    """Write down where a run is; True if it is to be cancelled."""
    run = await _held(tx, held)
    now = datetime.now(UTC)
    run.stages = [spell(stage) for stage in step.stages]
    run.stage = step.stage
    run.leased_until = now + lease
    # A new attempt begins its stages anew; the bar waits for it instead of running back.
    run.fraction = max(run.fraction, fraction_of(step.stages))
    run.eta_seconds = seconds_left(step.stages, now)
    for name, value in step.changes.items():
        setattr(run, name, value)
    shown = next((stage for stage in step.stages if stage.stage is step.stage), None)
    _log(tx, run, step.kind, step.stage, progress=shown, message=step.message)
    if run.sequence % SHORTENED_EVERY == 0:
        await _shorten(tx, run)
    return run.cancel_requested_at is not None


async def announce(tx: Tx, held: Claim, pattern_ids: Sequence[UUID]) -> None:
    """Tell of each pattern that the run found."""
    run = await _held(tx, held)
    for pattern_id in pattern_ids:
        _log(tx, run, IngestionEventKind.PATTERN, run.stage, pattern_id=pattern_id)


async def hold(tx: Tx, held: Fence) -> None:
    """Make sure of the claim for the rest of a transaction that writes what the run found."""
    # Shared: several workers write of one run at once, and none of them while the run changes hands.
    run = await tx.session.get(models.IngestionRun, held.run_id, with_for_update={"read": True})
    if run is None or run.status is not RunStatus.RUNNING or run.attempt != held.attempt:
        raise Superseded


async def succeed(tx: Tx, held: Claim, repo_changes: dict[str, Any], message: str, report: dict[str, Any]) -> None:
    """End a run well, and show in the repository what it found."""
    run = await _held(tx, held)
    repo = await tx.session.get_one(models.Repo, run.repo_id, with_for_update=True)
    run.report = report
    repo.ingestion_status = IngestionStatus.INGESTED
    repo.last_ingested_at = datetime.now(UTC)
    repo.last_ingested_commit = run.commit_sha
    repo.last_error = None
    for name, value in repo_changes.items():
        setattr(repo, name, value)
    await _end(tx, run, RunStatus.SUCCEEDED, message)


async def fail(tx: Tx, held: Claim, code: str, message: str) -> None:
    """End a run with an error; what earlier runs found stays."""
    run = await _held(tx, held)
    await _end(tx, run, RunStatus.FAILED, message, code=code)


async def stop(tx: Tx, held: Claim) -> None:
    """End a run that a person cancelled."""
    run = await _held(tx, held)
    await _end(tx, run, RunStatus.CANCELLED, "Cancelled.")


def spell(stage: StageProgress) -> dict[str, Any]:
    """Spell a stage as JSON."""
    return {name: _plain(value) for name, value in asdict(stage).items()}


def _plain(value: Any) -> Any:
    return moments.spell(value) if isinstance(value, datetime) else value


def _log(
    tx: Tx,
    run: models.IngestionRun,
    kind: IngestionEventKind,
    stage: IngestionStage,
    *,
    progress: StageProgress | None = None,
    message: str | None = None,
    pattern_id: UUID | None = None,
) -> None:
    run.sequence += 1
    tx.session.add(
        models.RunEvent(
            run_id=run.id,
            sequence=run.sequence,
            organization_id=run.organization_id,
            kind=kind,
            stage=stage,
            progress=None if progress is None else spell(progress),
            message=message,
            pattern_id=pattern_id,
            run={name: _plain(getattr(run, name)) for name in SNAPSHOT},
        )
    )
    tx.publish(RunAdvanced(run.id, run.sequence))


async def _shorten(tx: Tx, run: models.IngestionRun) -> None:
    event = models.RunEvent
    old = (event.run_id == run.id) & (event.sequence <= run.sequence - MOST_EVENTS)
    await tx.session.execute(delete(event).where(old).execution_options(synchronize_session=False))


async def _end(tx: Tx, run: models.IngestionRun, status: RunStatus, message: str, *, code: str | None = None) -> None:
    # Read first: a run that is half ended must not be flushed on the way.
    repo = await tx.session.get_one(models.Repo, run.repo_id, with_for_update=True)
    now = datetime.now(UTC)
    run.status = status
    run.finished_at = now
    run.leased_until = None
    run.eta_seconds = None
    if status is RunStatus.SUCCEEDED:
        run.stage, run.fraction = IngestionStage.DONE, 1.0
    else:
        ended = {
            "state": StageState.FAILED if status is RunStatus.FAILED else StageState.CANCELLED,
            "finished_at": moments.spell(now),
        }
        run.stages = [stage if stage["state"] != StageState.RUNNING else {**stage, **ended} for stage in run.stages]
    if status is RunStatus.FAILED:
        run.error_code, run.error_message = code, message
        repo.ingestion_status, repo.last_error = IngestionStatus.FAILED, message
    elif status is RunStatus.CANCELLED:
        repo.ingestion_status = run.status_before
    _log(tx, run, IngestionEventKind.FINISHED, run.stage, message=message)


async def _held(tx: Tx, held: Claim) -> models.IngestionRun:
    run = await tx.session.get(models.IngestionRun, held.run_id, with_for_update=True)
    if run is None or run.status is not RunStatus.RUNNING or run.attempt != held.attempt:
        raise Superseded
    return run


async def _repo(tx: Tx, viewer: Viewer | None, repo_id: UUID) -> models.Repo:
    repo = await tx.session.get(models.Repo, repo_id, with_for_update=True)
    if repo is None or (viewer is not None and not viewer.sees(repo.organization_id, Permission.READ_REPOS)):
        raise NotFound("No such repository.")
    return repo


async def _run(tx: Tx, viewer: Viewer, run_id: UUID) -> models.IngestionRun:
    run = await tx.session.get(models.IngestionRun, run_id, with_for_update=True)
    if run is None or not viewer.sees(run.organization_id, Permission.READ_REPOS):
        raise NotFound("No such run.")
    return run
