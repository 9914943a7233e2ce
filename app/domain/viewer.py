"""Who asks, and what they may do: one table of grants for roles, one for the scopes of API keys."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from app.domain.errors import Forbidden, NotFound
from app.domain.words import Word


class Role(Word):
    """What a person is in an organization."""

    OWNER = "OWNER", "May do everything, and delete the organization or change its owners."
    ADMIN = "ADMIN", "Connects repositories, manages members and API keys."
    REVIEWER = "REVIEWER", "Triages, edits, checks diffs and starts runs."
    VIEWER = "VIEWER", "Reads."


class Permission(Enum):
    """One thing that can be allowed inside an organization."""

    READ_ORGANIZATION = "read organization"
    READ_REPOS = "read repos"
    READ_PATTERNS = "read patterns"
    TRIAGE = "triage patterns"
    CHECK = "check diffs"
    INGEST = "run ingestions"
    CONNECT = "connect repos"
    MANAGE_MEMBERS = "manage members"
    MANAGE_KEYS = "manage API keys"
    READ_AUDIT = "read the audit log"
    MANAGE_ORGANIZATION = "change the organization"
    CHANGE_OWNERS = "change owners"
    DELETE_ORGANIZATION = "delete the organization"


class Scope(Word):
    """What an API key may be used for; the creator's role bounds it further."""

    REPOS_READ = "repos:read", "Read repositories, files and runs."
    PATTERNS_READ = "patterns:read", "Read patterns, evidence and checks."
    PATTERNS_WRITE = "patterns:write", "Triage and edit patterns."
    INGEST = "ingest", "Start and cancel runs."
    CHECK = "check", "Check diffs."
    ADMIN = "admin", "Connect repositories and change the organization."


_READ = frozenset({Permission.READ_ORGANIZATION, Permission.READ_REPOS, Permission.READ_PATTERNS})
_REVIEW = _READ | {Permission.TRIAGE, Permission.CHECK, Permission.INGEST}
_ADMIN = _REVIEW | {
    Permission.CONNECT,
    Permission.MANAGE_MEMBERS,
    Permission.MANAGE_KEYS,
    Permission.READ_AUDIT,
    Permission.MANAGE_ORGANIZATION,
}

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: _READ,
    Role.REVIEWER: _REVIEW,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _ADMIN | {Permission.CHANGE_OWNERS, Permission.DELETE_ORGANIZATION},
}

# No scope grants MANAGE_MEMBERS, MANAGE_KEYS, CHANGE_OWNERS or DELETE_ORGANIZATION: a leaked key must not be able to
# make itself permanent.
SCOPE_GRANTS: Mapping[Scope, frozenset[Permission]] = {
    Scope.REPOS_READ: frozenset({Permission.READ_ORGANIZATION, Permission.READ_REPOS}),
    Scope.PATTERNS_READ: frozenset({Permission.READ_ORGANIZATION, Permission.READ_PATTERNS}),
    Scope.PATTERNS_WRITE: frozenset({Permission.READ_ORGANIZATION, Permission.READ_PATTERNS, Permission.TRIAGE}),
    Scope.INGEST: frozenset({Permission.READ_ORGANIZATION, Permission.READ_REPOS, Permission.INGEST}),
    Scope.CHECK: frozenset({Permission.READ_ORGANIZATION, Permission.READ_REPOS, Permission.CHECK}),
    Scope.ADMIN: frozenset(
        {
            Permission.READ_ORGANIZATION,
            Permission.READ_REPOS,
            Permission.CONNECT,
            Permission.READ_AUDIT,
            Permission.MANAGE_ORGANIZATION,
        }
    ),
}


class CredentialKind(Enum):
    """How a request says who it is."""

    SESSION = "session"
    ACCESS_TOKEN = "access token"  # noqa: S105 - the name of a kind
    OUTSIDE_TOKEN = "outside token"  # noqa: S105
    API_KEY = "API key"


@dataclass(frozen=True, slots=True)
class Credential:
    """What was shown to get in; never the secret itself."""

    kind: CredentialKind
    id: UUID | None = None
    name: str | None = None
    expires_at: datetime | None = None

    def __str__(self) -> str:
        """Spell it for the audit log."""
        return self.kind.value if self.name is None else f"{self.kind.value} {self.name}"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person behind a request, what they are in each organization, and by which credential they came."""

    user_id: UUID
    roles: Mapping[UUID, Role]
    credential: Credential
    superadmin: bool = False
    scopes: frozenset[Scope] | None = None
    address: str | None = field(default=None, compare=False)

    @property
    def standing(self) -> Hashable:
        """Give all that decides what this viewer sees and may do, to remember by what was worked out of it."""
        return self.user_id, self.superadmin, self.scopes, tuple(self.roles.items())

    def may(self, permission: Permission, organization_id: UUID) -> bool:
        """Tell whether this viewer may do something in an organization."""
        role = self.roles.get(organization_id)
        return role is not None and permission in GRANTS[role] and self._in_scope(permission)

    def require(self, permission: Permission, organization_id: UUID) -> None:
        """Refuse what this viewer may not do: as absent where they cannot look, as forbidden where they can."""
        if self.may(permission, organization_id):
            return
        if not self.sees(organization_id):
            raise NotFound("No such organization.")
        raise Forbidden(f"You may not {permission.value} in this organization.")

    def require_person(self) -> None:
        """Refuse to an API key what only a person decides: a leaked key must not make itself permanent."""
        if self.scopes is not None:
            raise Forbidden("An API key may not do this; sign in yourself.")

    def require_superadmin(self) -> None:
        """Refuse everybody but the superadmins of this installation."""
        if not self.sees_everything:
            raise Forbidden("Only superadmins may do this.")

    def sees(self, organization_id: UUID, permission: Permission = Permission.READ_ORGANIZATION) -> bool:
        """Tell whether the organization, or what a permission shows of it, exists for this viewer."""
        return self.sees_everything or self.may(permission, organization_id)

    @property
    def sees_everything(self) -> bool:
        """A superadmin reads every organization, though decides in none without a role there."""
        return self.superadmin and self.scopes is None

    def organizations_with(self, permission: Permission) -> list[UUID] | None:
        """List where this viewer has a permission to read; None stands for everywhere."""
        if self.sees_everything:
            return None
        return [organization_id for organization_id in self.roles if self.may(permission, organization_id)]

    def _in_scope(self, permission: Permission) -> bool:
        return self.scopes is None or any(permission in SCOPE_GRANTS[scope] for scope in self.scopes)
