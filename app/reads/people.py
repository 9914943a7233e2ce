"""Shapes of people and organizations."""

from sqlalchemy import ColumnElement, and_, case, exists, or_, select, true

from app.db.models import ApiKey, AuditEntry, Invitation, Membership, Organization, User
from app.domain.ids import Kind
from app.domain.viewer import Permission
from app.reads.repos import REPOS_OF_ORGANIZATION
from app.reads.shape import ACTOR, NEWEST_FIRST, Many, One, Rows, Shape, Visibility, in_organization
from app.reads.visible import Sight, me


def _known(rows: Rows, sight: Sight) -> ColumnElement[bool]:
    """People know themselves and those they share an organization with."""
    if sight.everywhere:
        return true()
    theirs = Membership.__table__.alias()
    shared = exists(
        select(theirs.c.id).where(
            theirs.c.user_id == rows.c.id, sight.covers(Permission.READ_ORGANIZATION, theirs.c.organization_id)
        )
    )
    return or_(rows.c.id == me(), shared)


def _open(rows: Rows) -> ColumnElement[bool]:
    """Of invitations those that were neither accepted nor taken back."""
    return and_(rows.c.accepted_at.is_(None), rows.c.revoked_at.is_(None))


USER = Shape(
    "User",
    User,
    Visibility(None, _known),
    Kind.USER,
    relations={"memberships": Many("Membership", by="user_id", paged=False)},
    computed={"email": lambda rows, sight: case((_known(rows, sight), rows.c.email))},
    hidden=frozenset({"password_hash"}),
)

MEMBERSHIP = Shape(
    "Membership",
    Membership,
    in_organization(Permission.READ_ORGANIZATION),
    Kind.MEMBERSHIP,
    relations={
        "organization": One("Organization", by="organization_id"),
        "user": One("User", by="user_id", seen_by=ACTOR),
    },
)

ORGANIZATION = Shape(
    "Organization",
    Organization,
    in_organization(Permission.READ_ORGANIZATION, column="id"),
    Kind.ORGANIZATION,
    relations={
        "members": Many("Membership", by="organization_id"),
        "api_keys": Many("ApiKey", by="organization_id", paged=False),
        "invitations": Many("Invitation", by="organization_id", where=_open),
        "audit_log": Many("AuditEntry", by="organization_id", order=NEWEST_FIRST),
        "repos": REPOS_OF_ORGANIZATION,
    },
)

API_KEY = Shape(
    "ApiKey",
    ApiKey,
    in_organization(Permission.MANAGE_KEYS),
    Kind.API_KEY,
    hidden=frozenset({"secret_hash"}),
)

INVITATION = Shape(
    "Invitation",
    Invitation,
    in_organization(Permission.MANAGE_MEMBERS),
    Kind.INVITATION,
    relations={
        "organization": One("Organization", by="organization_id"),
        "invited_by": One("User", by="invited_by_id", seen_by=ACTOR),
    },
    hidden=frozenset({"token_hash"}),
)

AUDIT_ENTRY = Shape(
    "AuditEntry",
    AuditEntry,
    in_organization(Permission.READ_AUDIT),
    Kind.AUDIT_ENTRY,
    relations={"actor": One("User", by="actor_id", seen_by=ACTOR)},
)
