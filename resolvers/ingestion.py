"""Ingestion: connecting repositories, and starting and cancelling their runs."""

from typing import Annotated

import strawberry
from strawberry.types import Info

from app.domain.errors import Invalid, Unavailable
from app.domain.ids import Kind, parse_as
from app.domain.run import RunTrigger
from app.domain.source import Source, SourceFailed, read_source
from app.domain.viewer import Permission
from app.services import connecting, ingesting
from resolvers.context import Context
from resolvers.lists import or_none, shown
from resolvers.people import Organization
from resolvers.repos import Repo
from resolvers.runs import IngestionRun

field = strawberry.field


@strawberry.input(description="A repository reached through a GitHub App installation.")
class GithubSourceInput:
    """A repository of GitHub."""

    owner: str = field(description="Who owns it.")
    name: str = field(description="What it is called.")
    installation_id: int = field(description="The installation that may read it.")
    branch: str | None = field(default=strawberry.UNSET, description="The branch to read; the default one if not said.")


@strawberry.input(description="A repository reached by a clone URL.")
class GitSourceInput:
    """A repository of any git host."""

    url: str = field(
        description="https://host/owner/name.git, git@host:owner/name.git, or a path where that is allowed."
    )
    branch: str | None = field(default=strawberry.UNSET, description="The branch to read; the default one if not said.")
    name: str | None = field(
        default=strawberry.UNSET, description="What to call it; owner/name of the URL if not said."
    )


@strawberry.input(description="A repository to connect; exactly one source.")
class ConnectRepoInput:
    """A repository to connect."""

    organization_id: strawberry.ID = field(description="Whose it will be.")
    github: GithubSourceInput | None = field(default=strawberry.UNSET, description="From GitHub.")
    git: GitSourceInput | None = field(default=strawberry.UNSET, description="From any git host.")
    ingest: bool | None = field(default=True, description="Whether to start a run at once.")


@strawberry.input(description="What changes of a repository; what is left out stays.")
class UpdateRepoInput:
    """What changes of a repository."""

    repo_id: strawberry.ID = field(description="The repository.")
    branch: str | None = field(default=strawberry.UNSET, description="The branch to read from now on.")
    schedule_cron: str | None = field(
        default=strawberry.UNSET,
        description="When to read it again by itself: the five fields of cron (minute, hour, day of month, month, day "
        "of week), in UTC all year round, so that no hour is skipped or comes twice where clocks change. Times that "
        "pass while nothing works are made up for by one run. Null ends the schedule; at first there is none.",
    )


@strawberry.input(description="A repository to disconnect.")
class DisconnectRepoInput:
    """A repository to disconnect."""

    repo_id: strawberry.ID = field(description="The repository.")


@strawberry.input(description="A repository to read.")
class StartIngestionInput:
    """A repository to read."""

    repo_id: strawberry.ID = field(description="The repository.")
    force: bool | None = field(default=False, description="Whether to read it even if nothing changed.")


@strawberry.input(description="A run to stop.")
class CancelIngestionInput:
    """A run to stop."""

    run_id: strawberry.ID = field(description="The run.")


@strawberry.type(description="A repository that was connected.")
class ConnectRepoPayload:
    """A repository that was connected."""

    repo: Repo = field(description="The repository.")
    run: IngestionRun | None = field(description="Its first run, if one was asked for.")


@strawberry.type(description="A repository that changed.")
class UpdateRepoPayload:
    """A repository that changed."""

    repo: Repo = field(description="The repository.")


@strawberry.type(description="A repository that was disconnected, with all that was found in it.")
class DisconnectRepoPayload:
    """A repository that was disconnected."""

    repo_id: strawberry.ID = field(description="The id it had.")
    organization: Organization = field(description="Whose it was.")
    full_name: str = field(description="What it was called.")


@strawberry.type(description="The run that reads a repository.")
class StartIngestionPayload:
    """The run that reads a repository."""

    run: IngestionRun = field(description="The run.")
    already_running: bool = field(description="Whether it had been asked for before.")


@strawberry.type(description="A run that was told to stop.")
class CancelIngestionPayload:
    """A run that was told to stop."""

    run: IngestionRun = field(description="The run; one that a worker is at ends within two seconds.")


@strawberry.type
class IngestionMutations:
    """What is decided about repositories and their runs."""

    @strawberry.mutation(
        description="Connect a repository and, unless told otherwise, start to read it; for admins. Refuses: "
        "UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR, CONFLICT (the name is taken), UNAVAILABLE (the "
        "host could not be looked up just now)."
    )
    async def connect_repo(
        self,
        info: Info[Context, None],
        input: Annotated[ConnectRepoInput, strawberry.argument(description="The repository.")],  # noqa: A002
    ) -> ConnectRepoPayload | None:
        """Connect a repository."""
        context = info.context
        viewer = context.viewer
        organization_id = parse_as(Kind.ORGANIZATION, input.organization_id, field="organizationId")
        if bool(input.github) == bool(input.git):
            raise Invalid("Name one source.", fields={"git": "give exactly one of git and github"})
        if not input.git:
            raise Invalid("GitHub is not connected to this installation.", fields={"github": "is not available"})
        # Asked here as well: names are looked up only for those who may connect.
        viewer.require(Permission.CONNECT, organization_id)
        source = await _source(context, input.git.url)
        name = connecting.name_of(source, input.git.name or None)
        async with context.write() as tx:
            repo = await connecting.connect(tx, viewer, organization_id, source, name, input.git.branch or None)
            run_id = None
            if input.ingest:
                run, _ = await ingesting.start(tx, viewer, repo.id, RunTrigger.CONNECT)
                run_id = run.id
        return ConnectRepoPayload(
            repo=await shown(context, "Repo", repo.id),
            run=None if run_id is None else await shown(context, "IngestionRun", run_id),
        )

    @strawberry.mutation(
        description="Read another branch of a repository, or read it at set times; for admins. Refuses: "
        "UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR."
    )
    async def update_repo(
        self,
        info: Info[Context, None],
        input: Annotated[UpdateRepoInput, strawberry.argument(description="What changes.")],  # noqa: A002
    ) -> UpdateRepoPayload | None:
        """Change a repository."""
        context = info.context
        repo_id = parse_as(Kind.REPO, input.repo_id, field="repoId")
        if input.branch is None:
            raise Invalid("A repository has a branch.", fields={"branch": "cannot be cleared"})
        async with context.write() as tx:
            await connecting.update(
                tx,
                context.viewer,
                repo_id,
                context.runtime.clock(),
                branch=or_none(input.branch),
                schedule=or_none(input.schedule_cron),
                clear_schedule=input.schedule_cron is None,
            )
        return UpdateRepoPayload(repo=await shown(context, "Repo", repo_id))

    @strawberry.mutation(
        description="Take a repository away with everything that was found in it; for admins. Refuses: "
        "UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR."
    )
    async def disconnect_repo(
        self,
        info: Info[Context, None],
        input: Annotated[DisconnectRepoInput, strawberry.argument(description="The repository.")],  # noqa: A002
    ) -> DisconnectRepoPayload | None:
        """Disconnect a repository."""
        context = info.context
        async with context.write() as tx:
            gone = await connecting.disconnect(tx, context.viewer, parse_as(Kind.REPO, input.repo_id, field="repoId"))
        return DisconnectRepoPayload(
            repo_id=input.repo_id,
            organization=await shown(context, "Organization", gone.organization_id),
            full_name=gone.full_name,
        )

    @strawberry.mutation(
        description="Read a repository; where a run is live already, that one is given. For reviewers. Refuses: "
        "UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR."
    )
    async def start_ingestion(
        self,
        info: Info[Context, None],
        input: Annotated[StartIngestionInput, strawberry.argument(description="The repository.")],  # noqa: A002
    ) -> StartIngestionPayload | None:
        """Start a run."""
        context = info.context
        repo_id = parse_as(Kind.REPO, input.repo_id, field="repoId")
        async with context.write() as tx:
            run, already = await ingesting.start(
                tx, context.viewer, repo_id, RunTrigger.MANUAL, force=bool(input.force)
            )
        return StartIngestionPayload(run=await shown(context, "IngestionRun", run.id), already_running=already)

    @strawberry.mutation(
        description="Stop a run, queued or running; one that has ended stays as it is. For reviewers. Refuses: "
        "UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VALIDATION_ERROR."
    )
    async def cancel_ingestion(
        self,
        info: Info[Context, None],
        input: Annotated[CancelIngestionInput, strawberry.argument(description="The run.")],  # noqa: A002
    ) -> CancelIngestionPayload | None:
        """Cancel a run."""
        context = info.context
        run_id = parse_as(Kind.INGESTION_RUN, input.run_id, field="runId")
        async with context.write() as tx:
            await ingesting.cancel(tx, context.viewer, run_id)
        return CancelIngestionPayload(run=await shown(context, "IngestionRun", run_id))


async def _source(context: Context, url: str) -> Source:
    """Read an address and look its host up, outside of any transaction."""
    try:
        source = read_source(url, context.runtime.source_rules)
        await context.runtime.inspect(source)
    except SourceFailed as failed:
        if failed.passing:
            raise Unavailable(failed.sentence) from None
        raise Invalid(failed.sentence, fields={"url": failed.code.value}) from None
    return source
