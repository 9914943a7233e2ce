"""All tables, by noun."""

from app.db.models.checks import Check, Violation
from app.db.models.patterns import Evidence, Fingerprint, Pattern, PatternEvent, Provenance
from app.db.models.people import ApiKey, AuditEntry, Identity, Invitation, Membership, Organization, Session, User
from app.db.models.repos import PullRequest, Repo, RepoFile
from app.db.models.runs import FailedJob, IngestionRun, RunEvent, RunShard
from app.db.types import Table

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Check",
    "Evidence",
    "FailedJob",
    "Fingerprint",
    "Identity",
    "IngestionRun",
    "Invitation",
    "Membership",
    "Organization",
    "Pattern",
    "PatternEvent",
    "Provenance",
    "PullRequest",
    "Repo",
    "RepoFile",
    "RunEvent",
    "RunShard",
    "Session",
    "Table",
    "User",
    "Violation",
]
