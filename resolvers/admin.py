"""The installation as a whole, for superadmins."""

from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from strawberry.types import Info

from app.domain.errors import Unavailable
from app.domain.ids import Kind, parse_as
from app.reads.admin import FAILED_JOBS, ORGANIZATIONS, USERS
from app.reads.listing import ListArguments, Listing
from app.reads.reading import count
from app.reads.shape import Many
from app.services import administering
from resolvers.context import Context
from resolvers.lists import After, Connection, First, Node, all_of, given, shown
from resolvers.people import Organization, User

field = strawberry.field


@strawberry.type(description="A job that is not tried again by itself.")
class FailedJob(Node):
    """A job that was given up."""

    function: str = field(description="What it was to do.")
    error: str = field(description="Why it failed the last time.")
    attempts: int = field(description="How often it was tried.")
    failed_at: datetime = field(description="When it was given up.")


@strawberry.type(description="How much work waits, runs and has failed.")
class QueueStats:
    """The queue in numbers."""

    queued: int = field(description="Jobs that wait for a worker.")
    running: int = field(description="Jobs under way.")
    deferred: int = field(description="Jobs put off to a later moment.")
    failed: int = field(description="Jobs that were given up.")
    workers: int = field(description="Workers that give a sign of life.")


async def _list(info: Info[Context, None], many: Many, first: Any, after: Any) -> Any:
    raw = info._raw_info  # noqa: SLF001 - Strawberry's Info does not tell the parent's type
    name = f"{raw.parent_type.name}.{raw.field_name}"
    return await all_of(info.context, many, name, ListArguments(page=given(first=first, after=after)))


@strawberry.type(description="The installation as a whole, for superadmins.")
class Admin:
    """The installation as a whole."""

    @field(description="All organizations, newest first.")
    async def organizations(
        self, info: Info[Context, None], first: First = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> Connection[Organization]:
        """List the organizations."""
        return cast("Connection[Organization]", await _list(info, ORGANIZATIONS, first, after))

    @field(description="All people, newest first.")
    async def users(
        self, info: Info[Context, None], first: First = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> Connection[User]:
        """List the people."""
        return cast("Connection[User]", await _list(info, USERS, first, after))

    @field(description="How much work waits, runs and has failed.")
    async def queue(self, info: Info[Context, None]) -> QueueStats:
        """Count the jobs."""
        context = info.context
        work = await context.runtime.work()
        if work is None:
            raise Unavailable("The queue does not answer just now; try again.")
        async with context.read() as session:
            listing = Listing.of(FAILED_JOBS, "Admin.failedJobs", ListArguments(), context.cursors, context.view.sight)
            failed = await count(session, context.view, listing)
        depth, _ = work
        return QueueStats(
            queued=depth.queued, running=depth.running, deferred=depth.deferred, failed=failed, workers=depth.workers
        )

    @field(description="Jobs that were given up, newest first.")
    async def failed_jobs(
        self, info: Info[Context, None], first: First = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> Connection[FailedJob]:
        """List the failed jobs."""
        return cast("Connection[FailedJob]", await _list(info, FAILED_JOBS, first, after))


@strawberry.input(description="Which failed job is meant.")
class FailedJobInput:
    """A failed job."""

    id: strawberry.ID = field(description="The failed job's id.")


@strawberry.type(description="What became of a failed job.")
class FailedJobPayload:
    """A failed job as it was."""

    failed_job: FailedJob = field(description="The job as it was; it is no longer among the failed ones.")


JobInput = Annotated[FailedJobInput, strawberry.argument(description="Which job.")]


@strawberry.type
class AdminQueries:
    """Where queries about the installation begin."""

    @field(
        description="The installation as a whole, for superadmins; each use is in the audit log. "
        "Refuses: UNAUTHENTICATED, FORBIDDEN."
    )
    async def admin(self, info: Info[Context, None]) -> Admin | None:
        """Let superadmins in."""
        context = info.context
        context.viewer.require_superadmin()
        async with context.write() as tx:
            administering.look(tx, context.viewer, "admin")
        return Admin()


@strawberry.type
class AdminMutations:
    """What superadmins decide."""

    @strawberry.mutation(
        description="Try a failed job again. Refuses: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR, "
        "CONFLICT (no such job is known any more)."
    )
    async def retry_failed_job(self, info: Info[Context, None], input: JobInput) -> FailedJobPayload | None:  # noqa: A002
        """Retry a job."""
        return await _decided(info.context, input.id, administering.retry_job)

    @strawberry.mutation(
        description="Forget a failed job. Refuses: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR."
    )
    async def dismiss_failed_job(self, info: Info[Context, None], input: JobInput) -> FailedJobPayload | None:  # noqa: A002
        """Dismiss a job."""
        return await _decided(info.context, input.id, administering.dismiss_job)


async def _decided(context: Context, public_id: str, decide: Any) -> FailedJobPayload:
    context.viewer.require_superadmin()
    identifier = parse_as(Kind.FAILED_JOB, public_id)
    # Read before the decision, after which it is gone.
    failed_job = await shown(context, "FailedJob", identifier)
    async with context.write() as tx:
        await decide(tx, context.viewer, identifier)
    return FailedJobPayload(failed_job=failed_job)
