"""A connected repository: where it comes from and how its ingestion stands."""

from dataclasses import dataclass
from uuid import UUID

from app.domain.words import Word


@dataclass(frozen=True, slots=True)
class Owner:
    """The repository that rows and stored objects belong to, and its organization."""

    repo_id: UUID
    organization_id: UUID


class SourceKind(Word):
    """Where a repository's objects come from."""

    GITHUB = "GITHUB", "Through a GitHub App installation."
    GIT = "GIT", "From any clone URL, or a local path where the installation allows it."


class IngestionStatus(Word):
    """How the ingestion of a repository stands."""

    PENDING = "PENDING", "Connected; no run has succeeded or failed yet."
    INGESTING = "INGESTING", "A run is live."
    INGESTED = "INGESTED", "The last finished run succeeded."
    FAILED = "FAILED", "The last finished run failed; what earlier runs found is kept."
