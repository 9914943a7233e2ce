"""Administering: what superadmins decide for the whole installation, and how one becomes one."""

from uuid import UUID

from app.db import models
from app.db.tx import Tx
from app.domain import jobs
from app.domain.errors import Conflict, NotFound
from app.domain.ids import Kind
from app.domain.viewer import Viewer
from app.reads import accounts


async def appoint(tx: Tx, user_id: UUID, *, superadmin: bool = True) -> bool:
    """Make a user a superadmin, or no longer one; only the command line does. Tells whether that changed anything."""
    user = await accounts.find(tx.session, user_id, lock=True)
    if user is None:
        raise NotFound("No such user.")
    changed = user.is_superadmin is not superadmin
    if changed:
        user.is_superadmin = superadmin
        tx.revoke(user_id)
        tx.audit(None, "appointSuperadmin" if superadmin else "dismissSuperadmin", Kind.USER, user_id)
    return changed


async def retry_job(tx: Tx, viewer: Viewer, failed_job_id: UUID) -> None:
    """Ask for a job again that was given up."""
    failed = await _locked(tx, viewer, failed_job_id)
    job = jobs.spelt(failed.function, failed.arguments)
    if job is None:
        raise Conflict("This version knows no such job any more; dismiss it.", function=failed.function)
    tx.enqueue(job.again())
    await tx.session.delete(failed)
    tx.audit(viewer, "retryFailedJob", Kind.FAILED_JOB, failed_job_id)


async def dismiss_job(tx: Tx, viewer: Viewer, failed_job_id: UUID) -> None:
    """Forget a job that was given up."""
    failed = await _locked(tx, viewer, failed_job_id)
    await tx.session.delete(failed)
    tx.audit(viewer, "dismissFailedJob", Kind.FAILED_JOB, failed_job_id)


def look(tx: Tx, viewer: Viewer, what: str) -> None:
    """Write down that a superadmin looks further than their own organizations."""
    tx.audit(viewer, what, Kind.USER, viewer.user_id)


async def _locked(tx: Tx, viewer: Viewer, failed_job_id: UUID) -> models.FailedJob:
    viewer.require_superadmin()
    failed = await tx.session.get(models.FailedJob, failed_job_id, with_for_update=True)
    if failed is None:
        raise NotFound("No such failed job.")
    return failed
