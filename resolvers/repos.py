"""Connected repositories and their files."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry
from strawberry.types import Info

from app.domain.errors import Invalid
from app.domain.repo import IngestionStatus, SourceKind
from app.reads.listing import ListArguments
from app.reads.repos import REPOS, RepoOrderField, named
from app.reads.roots import ById
from app.reads.shape import Record
from resolvers import lists
from resolvers.context import Context
from resolvers.lists import (
    Connection,
    Node,
    all_of,
    found_or_refused,
    given,
    listed,
    one,
    pages,
    related,
    spelled,
)
from resolvers.patterns import Pattern, pages_of_patterns
from resolvers.runs import IngestionRun
from resolvers.words import OrderDirection

if TYPE_CHECKING:
    from resolvers.people import Organization

field = strawberry.field


@strawberry.type(description="How much of a repository is written in a language.")
class LanguageShare:
    """A language's share."""

    language: str = field(description="The language.")
    files: int = field(description="How many files.")
    bytes: float = field(description="How many bytes.")


@strawberry.type(description="How many patterns of a repository stand where.")
class PatternCounts:
    """Patterns by status."""

    candidate: int = field(description="Waiting for a person.")
    authoritative: int = field(description="Accepted and enforced.")
    rejected: int = field(description="Refused or dismissed.")
    deferred: int = field(description="Put off.")
    deprecated: int = field(description="Retired.")


@strawberry.type(description="One file at the last indexed commit.")
class RepoFile:
    """One file."""

    path: str = field(description="Its path from the top of the repository.")
    language: str | None = field(description="Its language, where it could be told.")
    size_bytes: float = field(description="Its size.")
    token_estimate: int | None = field(description="About how many tokens a model would read.")


@strawberry.input(description="Which repositories are wanted; all conditions must hold.")
class RepoFilter:
    """Conditions on repositories."""

    organization_id: strawberry.ID | None = field(default=strawberry.UNSET, description="Of this organization.")
    ingestion_status: IngestionStatus | None = field(default=strawberry.UNSET, description="Whose ingestion stands so.")
    source: SourceKind | None = field(default=strawberry.UNSET, description="From this kind of source.")
    search: str | None = field(default=strawberry.UNSET, description="Whose full name contains this text.")


@strawberry.input(description="The order of repositories.")
class RepoOrder:
    """An order of repositories."""

    field: RepoOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.DESC, description="Which way; nulls last in both."
    )


RepoFilterArgument = Annotated[RepoFilter | None, strawberry.argument(description="Which are wanted.")]
RepoOrderArgument = Annotated[
    RepoOrder | None, strawberry.argument(description="Their order; newest first if not said.")
]


async def _repos(
    self: Record,
    info: Info[Context, None],
    first: lists.First = strawberry.UNSET,
    after: lists.After = strawberry.UNSET,
    last: lists.Last = strawberry.UNSET,
    before: lists.Before = strawberry.UNSET,
    filter: RepoFilterArgument = strawberry.UNSET,  # noqa: A002 - the contract's word
    order_by: RepoOrderArgument = strawberry.UNSET,
) -> Any:
    arguments = spelled(first, after, last, before, filter, order_by)
    return await listed(info.context, self, info.python_name, "Organization.repos", arguments)


def pages_of_repos(description: str) -> Any:
    """Declare a connection of repositories."""
    return strawberry.field(resolver=_repos, description=description)


async def _files(
    self: Record,
    info: Info[Context, None],
    first: lists.First = strawberry.UNSET,
    after: lists.After = strawberry.UNSET,
    prefix: Annotated[
        str | None, strawberry.argument(description="Whose path begins with this text.")
    ] = strawberry.UNSET,
    search: Annotated[str | None, strawberry.argument(description="Whose path contains this text.")] = strawberry.UNSET,
) -> Any:
    arguments = ListArguments(page=given(first=first, after=after), filters=given(prefix=prefix, search=search))
    return await listed(info.context, self, info.python_name, "Repo.files", arguments)


@strawberry.type(description="A connected repository.")
class Repo(Node):
    """A connected repository."""

    full_name: str = field(description="Its name with its owner's, as octo/hello.")
    source: SourceKind = field(description="Where its objects come from.")
    url: str = field(description="Where it can be cloned from.")
    default_branch: str = field(description="The branch that is read.")
    private: bool = field(description="Whether its source shows it only to some.")
    ingestion_status: IngestionStatus = field(description="How its ingestion stands.")
    last_ingested_at: datetime | None = field(description="When a run last succeeded.")
    last_ingested_commit: str | None = field(description="The commit that run read.")
    last_error: str | None = field(description="What went wrong in the last run, if it failed.")
    file_count: int | None = field(description="How many files the last run indexed.")
    token_count: int | None = field(description="About how many tokens they have.")
    languages: list[LanguageShare] = field(description="Its languages, most bytes first.")
    schedule_cron: str | None = field(description="When it is read again by itself, as cron and in UTC; null if never.")
    schedule_due_at: datetime | None = field(description="When its schedule comes round next.")
    created_at: datetime = field(description="When it was connected.")
    organization: Annotated["Organization", strawberry.lazy("resolvers.people")] = related("Whose it is.")
    current_run: IngestionRun | None = related("The run that is queued or running; null if none is.")
    runs: Connection[IngestionRun] = pages("Its runs, newest first.")
    files: Connection[RepoFile] = strawberry.field(resolver=_files, description="Its files, by path.")
    patterns: Connection[Pattern] = pages_of_patterns("Its patterns.")
    pattern_counts: PatternCounts = related("How many patterns stand where.")


@strawberry.type
class RepoQueries:
    """Where queries about repositories begin."""

    @field(
        description="The repository with an id, or with a full name (and its organization's slug where several match). "
        "Refuses: NOT_FOUND, VALIDATION_ERROR."
    )
    async def repo(
        self,
        info: Info[Context, None],
        id: Annotated[  # noqa: A002 - the contract's word
            strawberry.ID | None, strawberry.argument(description="Its id.")
        ] = strawberry.UNSET,
        organization: Annotated[
            str | None, strawberry.argument(description="The slug of its organization.")
        ] = strawberry.UNSET,
        full_name: Annotated[str | None, strawberry.argument(description="Its full name.")] = strawberry.UNSET,
    ) -> Repo | None:
        """Read one repository."""
        context = info.context
        if id:
            return cast("Repo", await one(context, ById("Repo"), id, "repository"))
        if not full_name:
            raise Invalid("Say which repository: by id or by fullName.", fields={"fullName": "is missing"})
        async with context.read() as session:
            found = await named(session, context.view, full_name, organization or None)
        if len(found) > 1:
            raise Invalid("Several organizations have a repository of this name.", fields={"organization": "is needed"})
        return cast("Repo", found_or_refused(found[0] if found else None, "repository"))

    @field(description="Repositories that the viewer sees.")
    async def repos(
        self,
        info: Info[Context, None],
        first: lists.First = strawberry.UNSET,
        after: lists.After = strawberry.UNSET,
        last: lists.Last = strawberry.UNSET,
        before: lists.Before = strawberry.UNSET,
        filter: RepoFilterArgument = strawberry.UNSET,  # noqa: A002
        order_by: RepoOrderArgument = strawberry.UNSET,
    ) -> Connection[Repo] | None:
        """Read a page of repositories."""
        arguments = spelled(first, after, last, before, filter, order_by)
        return cast("Connection[Repo]", await all_of(info.context, REPOS, "Query.repos", arguments))
