"""The schema: every noun's types, and where queries begin."""

from collections.abc import Mapping
from typing import Any

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from app.domain.errors import ErrorCode
from app.reads.shape import Record
from resolvers.admin import AdminMutations, AdminQueries, FailedJob
from resolvers.checks import Check, CheckQueries, Violation
from resolvers.ingestion import IngestionMutations
from resolvers.nodes import NodeQueries
from resolvers.patterns import (
    Evidence,
    Pattern,
    PatternEvent,
    PatternMutations,
    PatternQueries,
    PatternSubscriptions,
    Provenance,
)
from resolvers.people import (
    ApiKey,
    AuditEntry,
    Invitation,
    Membership,
    Organization,
    PeopleMutations,
    PeopleQueries,
    User,
)
from resolvers.rates import RateQueries
from resolvers.repos import Repo, RepoQueries
from resolvers.runs import IngestionRun, RunQueries, RunSubscriptions
from resolvers.words import SCALARS


@strawberry.type(description="Everything that can be read.")
class Query(
    NodeQueries, PeopleQueries, RepoQueries, PatternQueries, RunQueries, CheckQueries, RateQueries, AdminQueries
):
    """Everything that can be read."""


@strawberry.type(description="Everything that can be decided.")
class Mutation(PeopleMutations, IngestionMutations, PatternMutations, AdminMutations):
    """Everything that can be decided."""


@strawberry.type(description="Everything that can be followed.")
class Subscription(RunSubscriptions, PatternSubscriptions):
    """Everything that can be followed."""


def value_of(source: Any, name: str) -> Any:
    """Give a field's value: records are mappings, and parts of them are made of their columns."""
    name = name.rstrip("_")
    if isinstance(source, Record):
        part = source.shape.parts.get(name)
        if part is not None:
            if part.given is not None and source[part.given] is None:
                return None
            return {key: source[column] for key, column in part.columns.items()}
        return source[source.shape.column(name)]
    if isinstance(source, Mapping):
        # JSON columns leave out what is null.
        return source.get(name)
    return getattr(source, name)


class Schema(strawberry.Schema):
    """Strawberry makes the schema of the types; what executes documents is our own."""

    @property
    def core(self) -> GraphQLSchema:
        """Give the schema as graphql-core knows it; Strawberry has no public word for it."""
        return self._schema


schema = Schema(
    Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[
        ApiKey,
        AuditEntry,
        Check,
        ErrorCode,
        Evidence,
        FailedJob,
        IngestionRun,
        Invitation,
        Membership,
        Organization,
        Pattern,
        PatternEvent,
        Provenance,
        Repo,
        User,
        Violation,
    ],
    config=StrawberryConfig(default_resolver=value_of, scalar_map=SCALARS),
)
