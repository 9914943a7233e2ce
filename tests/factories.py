"""Rows with sensible defaults, committed, so that everybody else sees them; a missing parent is made as well."""

import os
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.checkers.registry import EDITION
from app.db.models import (
    ApiKey,
    AuditEntry,
    Check,
    Evidence,
    FailedJob,
    Fingerprint,
    Identity,
    IngestionRun,
    Invitation,
    Membership,
    Organization,
    Pattern,
    PatternEvent,
    Provenance,
    PullRequest,
    Repo,
    RepoFile,
    RunEvent,
    RunShard,
    Session,
    Table,
    User,
    Violation,
)
from app.domain.confidence import ConfidenceTier
from app.domain.finding import CheckVerdict
from app.domain.pattern import (
    EvidenceSource,
    PatternCategory,
    PatternEventKind,
    PatternStatus,
    PatternType,
    ProvenanceKind,
)
from app.domain.repo import SourceKind
from app.domain.rule import RuleKind
from app.domain.run import LIVE, IngestionEventKind, IngestionStage, RunStatus, RunTrigger
from app.domain.viewer import Role, Scope

Row = TypeVar("Row", bound=Table)

_numbers = count(1)


async def user(session: AsyncSession, **over: Any) -> User:
    """Make a person."""
    login = f"person-{next(_numbers)}"
    return await _kept(session, User, {"login": login, "email": f"{login}@example.com", "name": "A Person"}, over)


async def identity(session: AsyncSession, of: User | None = None, **over: Any) -> Identity:
    """Make a person known to an outside issuer."""
    of = of or await user(session)
    values = {"user_id": of.id, "issuer": "https://issuer.example.com", "subject": f"subject-{next(_numbers)}"}
    return await _kept(session, Identity, values, over)


async def sign_in(session: AsyncSession, of: User | None = None, **over: Any) -> Session:
    """Make a sign-in that lasts a day."""
    of = of or await user(session)
    values = {"user_id": of.id, "secret_hash": _digest(), "expires_at": _now() + timedelta(days=1)}
    return await _kept(session, Session, values, over)


async def organization(session: AsyncSession, **over: Any) -> Organization:
    """Make an organization without members."""
    return await _kept(session, Organization, {"slug": f"org-{next(_numbers)}", "name": "An Organization"}, over)


async def member(
    session: AsyncSession, of: Organization | None = None, who: User | None = None, **over: Any
) -> Membership:
    """Make a person an owner of an organization."""
    of = of or await organization(session)
    who = who or await user(session)
    return await _kept(session, Membership, {"organization_id": of.id, "user_id": who.id, "role": Role.OWNER}, over)


async def invitation(session: AsyncSession, of: Organization | None = None, **over: Any) -> Invitation:
    """Make an open invitation."""
    of = of or await organization(session)
    values = {
        "organization_id": of.id,
        "email": f"guest-{next(_numbers)}@example.com",
        "role": Role.REVIEWER,
        "token_hash": _digest(),
        "expires_at": _now() + timedelta(days=7),
    }
    return await _kept(session, Invitation, values, over)


async def api_key(
    session: AsyncSession, of: Organization | None = None, creator: User | None = None, **over: Any
) -> ApiKey:
    """Make the row of a key with every scope; its creator, unless given, becomes an owner."""
    of = of or await organization(session)
    creator_id = creator.id if creator else (await member(session, of)).user_id
    values = {
        "organization_id": of.id,
        "user_id": creator_id,
        "name": "A key",
        "prefix": f"{next(_numbers):08}",
        "secret_hash": _digest(),
        "scopes": [scope.value for scope in Scope],
    }
    return await _kept(session, ApiKey, values, over)


async def audit_entry(session: AsyncSession, of: Organization | None = None, **over: Any) -> AuditEntry:
    """Make an entry of an organization's audit log."""
    of = of or await organization(session)
    values = {"organization_id": of.id, "action": "createOrganization", "object": f"org_{of.id.hex}"}
    return await _kept(session, AuditEntry, values, over)


async def repo(session: AsyncSession, of: Organization | None = None, **over: Any) -> Repo:
    """Make a repository that was connected by its clone URL and never ingested."""
    of = of or await organization(session)
    name = f"example/repo-{next(_numbers)}"
    values = {
        "organization_id": of.id,
        "full_name": name,
        "source": SourceKind.GIT,
        "url": f"https://git.example.com/{name}.git",
        "default_branch": "main",
        "private": False,
    }
    return await _kept(session, Repo, values, over)


async def repo_file(session: AsyncSession, of: Repo | None = None, **over: Any) -> RepoFile:
    """Make a Python file of a repository."""
    of = of or await repo(session)
    values = {
        "repo_id": of.id,
        "organization_id": of.organization_id,
        "path": f"src/module_{next(_numbers)}.py",
        "blob_id": _object_name(),
        "language": "Python",
        "size_bytes": 2000,
        "token_estimate": 500,
    }
    return await _kept(session, RepoFile, values, over)


async def pull_request(session: AsyncSession, of: Repo | None = None, **over: Any) -> PullRequest:
    """Make a merged pull request of a repository."""
    of = of or await repo(session)
    values = {
        "repo_id": of.id,
        "organization_id": of.organization_id,
        "reference": f"#{next(_numbers)}",
        "title": "A change",
        "merged_at": _now(),
    }
    return await _kept(session, PullRequest, values, over)


async def run(
    session: AsyncSession, of: Repo | None = None, *, status: RunStatus = RunStatus.SUCCEEDED, **over: Any
) -> IngestionRun:
    """Make a run in a state that is true for its status; by default it has succeeded."""
    of = of or await repo(session)
    values: dict[str, Any] = {
        "repo_id": of.id,
        "organization_id": of.organization_id,
        "status": status,
        "trigger": RunTrigger.MANUAL,
        "stage": IngestionStage.DONE if status is RunStatus.SUCCEEDED else IngestionStage.FETCH,
        "commit_sha": None if status is RunStatus.QUEUED else _object_name(),
        "started_at": None if status is RunStatus.QUEUED else _now(),
        "finished_at": None if status in LIVE else _now(),
        "error_code": "INTERNAL_ERROR" if status is RunStatus.FAILED else None,
    }
    return await _kept(session, IngestionRun, values, over)


async def run_shard(session: AsyncSession, of: IngestionRun | None = None, **over: Any) -> RunShard:
    """Make a shard of a run that nobody has taken."""
    of = of or await run(session)
    values = {
        "run_id": of.id,
        "stage": IngestionStage.INDEX,
        "number": next(_numbers),
        "organization_id": of.organization_id,
        "attempt": 1,
        "items": 100,
    }
    return await _kept(session, RunShard, values, over)


async def run_event(session: AsyncSession, of: IngestionRun | None = None, **over: Any) -> RunEvent:
    """Make the next event of a run."""
    of = of or await run(session)
    following = IngestionRun.sequence + 1
    counted = update(IngestionRun).where(IngestionRun.id == of.id).values(sequence=following)
    values: dict[str, Any] = {
        "run_id": of.id,
        "sequence": await session.scalar(counted.returning(IngestionRun.sequence)),
        "organization_id": of.organization_id,
        "kind": IngestionEventKind.LOG,
        "stage": of.stage,
        "message": "A line for people.",
        "run": {},
    }
    return await _kept(session, RunEvent, values, over)


async def pattern(
    session: AsyncSession, of: Repo | None = None, *, status: PatternStatus = PatternStatus.CANDIDATE, **over: Any
) -> Pattern:
    """Make a measured pattern, 11 of 12 sites conforming; by default a candidate."""
    of = of or await repo(session)
    values = {
        "repo_id": of.id,
        "organization_id": of.organization_id,
        # Nobody has tried a rule of a test's own.
        "rule_edition": None if any(name.startswith(("rule_", "scope_")) for name in over) else EDITION,
        "name": f"Exceptions end in Error ({next(_numbers)})",
        "description": "The name of an exception class ends in Error.",
        "type": PatternType.CODE,
        "category": PatternCategory.NAMING,
        "language": "Python",
        "status": status,
        "deferred_at": _now() if status is PatternStatus.DEFERRED else None,
        "extracted_at": _now(),
        "extracted_by": "naming 1",
        "rule_kind": RuleKind.AST,
        "rule_definition": {
            "applicable": {"pattern": "class $NAME(Exception): $$$BODY"},
            "conforming": {"has": {"field": "name", "regex": "Error$"}},
        },
        "rule_text": "class $NAME(Exception)",
        "scope_languages": ["Python"],
        "scope_include": ["src/**"],
        "scope_exclude": [],
        "tier": ConfidenceTier.MODERATE,
        "instances": 11,
        "applicable": 12,
        "conforming": 11,
        "authors": 2,
    }
    return await _kept(session, Pattern, values, over)


async def fingerprint(session: AsyncSession, of: Pattern | None = None, **over: Any) -> Fingerprint:
    """Make what a run recognizes a pattern by."""
    of = of or await pattern(session)
    values = {"repo_id": of.repo_id, "pattern_id": of.id, "fingerprint": _digest().hex()}
    return await _kept(session, Fingerprint, values, over)


async def evidence(session: AsyncSession, of: Pattern | None = None, **over: Any) -> Evidence:
    """Make a place that follows a pattern."""
    of = of or await pattern(session)
    values = {
        "pattern_id": of.id,
        "organization_id": of.organization_id,
        "path": f"src/module_{next(_numbers)}.py",
        "start_line": 10,
        "end_line": 11,
        "snippet": "class ReadError(Exception):\n    pass",
        "commit_sha": _object_name(),
        "blob_id": _object_name(),
        "author": "A Person",
        "authored_at": _now(),
        "added_by": EvidenceSource.MINER,
    }
    return await _kept(session, Evidence, values, over)


async def provenance(session: AsyncSession, of: Pattern | None = None, **over: Any) -> Provenance:
    """Make a link that says why a pattern is there."""
    of = of or await pattern(session)
    values = {
        "pattern_id": of.id,
        "organization_id": of.organization_id,
        "kind": ProvenanceKind.ADR,
        "url": f"https://docs.example.com/adr/{next(_numbers)}",
    }
    return await _kept(session, Provenance, values, over)


async def pattern_event(session: AsyncSession, of: Pattern | None = None, **over: Any) -> PatternEvent:
    """Make the next change of a repository, in the history of one of its patterns."""
    of = of or await pattern(session)
    counted = update(Repo).where(Repo.id == of.repo_id).values(change_sequence=Repo.change_sequence + 1)
    values = {
        "pattern_id": of.id,
        "repo_id": of.repo_id,
        "organization_id": of.organization_id,
        "sequence": await session.scalar(counted.returning(Repo.change_sequence)),
        "kind": PatternEventKind.CREATED,
        "to_status": PatternStatus.CANDIDATE,
    }
    return await _kept(session, PatternEvent, values, over)


async def check(session: AsyncSession, of: Repo | None = None, **over: Any) -> Check:
    """Make a check of a diff that found nothing."""
    of = of or await repo(session)
    values = {
        "repo_id": of.id,
        "organization_id": of.organization_id,
        "verdict": CheckVerdict.SUCCESS,
        "patterns_checked": 3,
        "files_checked": 2,
        "duration_ms": 12.5,
    }
    return await _kept(session, Check, values, over)


async def violation(
    session: AsyncSession, of: Check | None = None, against: Pattern | None = None, **over: Any
) -> Violation:
    """Make a violation of an authoritative pattern, found by a check of the same repository."""
    of = of or await check(session)
    against = against or await pattern(
        session, await session.get_one(Repo, of.repo_id), status=PatternStatus.AUTHORITATIVE
    )
    values = {
        "check_id": of.id,
        "pattern_id": against.id,
        "organization_id": of.organization_id,
        "path": f"src/module_{next(_numbers)}.py",
        "start_line": 10,
        "end_line": 10,
        "snippet": "class Missing(Exception):",
        "message": "The name of an exception class ends in Error.",
        "severity": against.severity,
    }
    return await _kept(session, Violation, values, over)


async def failed_job(session: AsyncSession, **over: Any) -> FailedJob:
    """Make a job that is given up."""
    values = {
        "job_id": f"job-{next(_numbers)}",
        "function": "sweep",
        "arguments": {},
        "error": "The network is unreachable.",
        "attempts": 3,
    }
    return await _kept(session, FailedJob, values, over)


Factory = Callable[..., Coroutine[Any, Any, Table]]

FACTORIES: Mapping[str, Factory] = {
    "api_keys": api_key,
    "audit_entries": audit_entry,
    "checks": check,
    "evidence": evidence,
    "failed_jobs": failed_job,
    "fingerprints": fingerprint,
    "identities": identity,
    "ingestion_runs": run,
    "invitations": invitation,
    "memberships": member,
    "organizations": organization,
    "pattern_events": pattern_event,
    "patterns": pattern,
    "provenance": provenance,
    "pull_requests": pull_request,
    "repo_files": repo_file,
    "repos": repo,
    "run_events": run_event,
    "run_shards": run_shard,
    "sessions": sign_in,
    "users": user,
    "violations": violation,
}


async def _kept(session: AsyncSession, model: type[Row], values: Mapping[str, Any], over: Mapping[str, Any]) -> Row:
    row = model(**{**values, **over})
    session.add(row)
    await session.commit()
    return row


def _now() -> datetime:
    return datetime.now(UTC)


def _digest() -> bytes:
    return sha256(os.urandom(32)).digest()


def _object_name() -> str:
    return os.urandom(20).hex()
