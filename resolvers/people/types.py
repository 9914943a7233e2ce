"""What people, organizations and their credentials look like."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from app.domain.viewer import Role
from resolvers.lists import Connection, Node, forward, pages, related
from resolvers.repos import Repo, pages_of_repos

field = strawberry.field


def confidential(description: str) -> Any:
    """Declare a field that no repr shows: what is handed in or out here stands in no log and no traceback."""
    declared = strawberry.field(description=description)
    declared.repr = False
    return declared


@strawberry.type(description="A person.")
class User(Node):
    """A person."""

    login: str = field(description="The name they are known by here; unique.")
    name: str | None = field(description="Their full name.")
    email: str | None = field(description="Their address, for those who share an organization with them.")
    avatar_url: str | None = field(description="Where a picture of them is.")
    created_at: datetime = field(description="When they first came here.")
    memberships: list["Membership"] = related("The organizations they belong to, as far as the viewer sees them.")


@strawberry.type(description="A person's role in an organization.")
class Membership(Node):
    """A person's role in an organization."""

    role: Role = field(description="What they are there.")
    organization: "Organization" = related("The organization.")
    user: User = related("The person.")
    created_at: datetime = field(description="When they joined.")


@strawberry.type(description="A credential for programs; its secret is shown once, when it is made.")
class ApiKey(Node):
    """A credential for programs."""

    name: str = field(description="What people call it.")
    prefix: str = field(description="The first characters of the secret, to recognize it by.")
    scopes: list[str] = field(
        description="What it may do: repos:read, patterns:read, patterns:write, ingest, check, admin."
    )
    created_at: datetime = field(description="When it was made.")
    expires_at: datetime | None = field(description="When it ends by itself.")
    last_used_at: datetime | None = field(description="When it was last used, to the minute.")
    revoked_at: datetime | None = field(description="When it was revoked.")


@strawberry.type(description="An offer of a role; whoever holds its token may accept it once.")
class Invitation(Node):
    """An offer of a role."""

    email: str = field(description="Whom it was meant for.")
    role: Role = field(description="The role it offers.")
    organization: "Organization" = related("The organization it leads to.")
    invited_by: User | None = related("Who made it.")
    created_at: datetime = field(description="When it was made.")
    expires_at: datetime = field(description="When it ends by itself.")


@strawberry.type(description="Who did what to which object, when, from where and with which credential.")
class AuditEntry(Node):
    """One line of the audit log."""

    at: datetime = field(description="When it was done.")
    actor: User | None = related("Who did it; null for jobs.")
    action: str = field(description="The mutation or job.")
    object: str = field(description="The id of what it was done to.")
    address: str | None = field(description="The network address it came from.")
    credential: str | None = field(
        description="The kind of the credential, and of a key its name and prefix; never a secret."
    )


@strawberry.type(description="Owns repos; its members see them.")
class Organization(Node):
    """Owns repos; its members see them."""

    slug: str = field(description="Its name in addresses; unique.")
    name: str = field(description="Its name for people.")
    created_at: datetime = field(description="When it was made.")
    members: Connection[Membership] = pages("Who belongs to it.")
    api_keys: list[ApiKey] | None = related(
        "Its API keys, those that ended as well; for admins, else null and FORBIDDEN."
    )
    invitations: Connection[Invitation] | None = forward(
        "Its invitations that were neither accepted nor revoked; for admins, else null and FORBIDDEN."
    )
    audit_log: Connection[AuditEntry] | None = forward(
        "What changed in it, newest first; for admins, else null and FORBIDDEN."
    )
    repos: Connection[Annotated["Repo", strawberry.lazy("resolvers.repos")]] = pages_of_repos("Its repositories.")
