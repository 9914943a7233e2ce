"""Connecting: which repositories an organization has, and when they are read again."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from app.db import models
from app.db.tx import Tx
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.ids import Kind, public
from app.domain.jobs import Forget
from app.domain.repo import SourceKind
from app.domain.run import LIVE
from app.domain.schedule import Schedule
from app.domain.source import DETACHED, Source, SourceFailed, Transport, check_branch
from app.domain.viewer import Permission, Viewer

LONGEST_NAME = 300
_NAME = re.compile(r"[\w.-]+(/[\w.-]+)*")


@dataclass(frozen=True, slots=True)
class Disconnected:
    """What was taken away."""

    repo_id: UUID
    organization_id: UUID
    full_name: str


def name_of(source: Source, given: str | None = None) -> str:
    """Name a repository as people will know it: as they said, else by the last parts of its address."""
    if given is not None:
        if not _NAME.fullmatch(given) or len(given) > LONGEST_NAME:
            raise Invalid(
                "This name cannot be used.", fields={"name": "needs letters, digits, dots, dashes and slashes"}
            )
        return given
    parts = [part for part in re.split(r"[/:]+", source.path) if part not in ("", ".", "..", ".git")]
    kept = parts[-1:] if source.transport is Transport.LOCAL else parts[-2:]
    cleaned = (re.sub(r"[^\w.-]+", "-", part.removesuffix(".git")).strip("-.") for part in kept)
    return "/".join(part for part in cleaned if part)[:LONGEST_NAME] or "repository"


async def connect(
    tx: Tx, viewer: Viewer, organization_id: UUID, source: Source, name: str, branch: str | None = None
) -> models.Repo:
    """Connect a repository by its clone URL."""
    viewer.require(Permission.CONNECT, organization_id)
    named = select(models.Repo).where(models.Repo.organization_id == organization_id, models.Repo.full_name == name)
    known = await tx.session.scalar(named)
    if known is not None:
        raise Conflict(
            "The organization has a repository of this name already; give it another name.",
            repoId=public(Kind.REPO, known.id),
        )
    repo = models.Repo(
        organization_id=organization_id,
        full_name=name,
        source=SourceKind.GIT,
        url=source.url,
        branch=_branch(branch),
        default_branch=_branch(branch) or DETACHED,
        private=source.transport is Transport.LOCAL,
    )
    tx.session.add(repo)
    await tx.session.flush()
    tx.audit(viewer, "connectRepo", Kind.REPO, repo.id, organization_id)
    return repo


async def update(
    tx: Tx,
    viewer: Viewer,
    repo_id: UUID,
    now: datetime,
    *,
    branch: str | None,
    schedule: str | None,
    clear_schedule: bool = False,
) -> models.Repo:
    """Read another branch from now on, or read at other times; what is None stays."""
    repo = await _locked(tx, viewer, repo_id)
    if branch is not None:
        repo.branch = _branch(branch)
        repo.default_branch = repo.branch or repo.default_branch
    if schedule is not None:
        _plan(repo, schedule, now)
    elif clear_schedule:
        repo.schedule_cron = repo.schedule_due_at = None
    tx.audit(viewer, "updateRepo", Kind.REPO, repo.id, repo.organization_id)
    return repo


async def disconnect(tx: Tx, viewer: Viewer, repo_id: UUID) -> Disconnected:
    """Take a repository away with everything that was found in it."""
    # Workers lock the run before its repository; in the other order each would wait for the other.
    live = (models.IngestionRun.repo_id == repo_id) & models.IngestionRun.status.in_(LIVE)
    await tx.session.execute(select(models.IngestionRun.id).where(live).with_for_update())
    repo = await _locked(tx, viewer, repo_id)
    gone = Disconnected(repo.id, repo.organization_id, repo.full_name)
    # One statement, and the database cascades: row by row the patterns of a large repository would take minutes.
    await tx.session.execute(delete(models.Repo).where(models.Repo.id == repo_id))
    tx.audit(viewer, "disconnectRepo", Kind.REPO, gone.repo_id, gone.organization_id)
    tx.enqueue(Forget(gone.organization_id, gone.repo_id))
    return gone


async def _locked(tx: Tx, viewer: Viewer, repo_id: UUID) -> models.Repo:
    repo = await tx.session.get(models.Repo, repo_id, with_for_update=True)
    if repo is None or not viewer.sees(repo.organization_id, Permission.READ_REPOS):
        raise NotFound("No such repository.")
    viewer.require(Permission.CONNECT, repo.organization_id)
    return repo


def _plan(repo: models.Repo, schedule: str, now: datetime) -> None:
    due = Schedule.read(schedule).next_after(now)
    if due is None:
        raise Invalid("This is no schedule.", fields={"scheduleCron": "names a day that never comes"})
    text = " ".join(schedule.split())
    # The same schedule said again must not pass over a time that has just come.
    if repo.schedule_cron != text or repo.schedule_due_at is None:
        repo.schedule_cron, repo.schedule_due_at = text, due


def _branch(branch: str | None) -> str | None:
    if branch is None or not branch.strip():
        return None
    try:
        return check_branch(branch.strip())
    except SourceFailed as failed:
        raise Invalid(failed.sentence, fields={"branch": "is no name of a branch"}) from None
