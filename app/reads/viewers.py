"""Who a credential stands for, as it is now."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ColumnElement, DateTime, Text, Uuid, bindparam, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import ApiKey, Identity, Membership, Session, User
from app.db.prepared import Prepared
from app.db.readers import Readers
from app.domain.viewer import Credential, CredentialKind, Role, Scope, Viewer


@dataclass(frozen=True, slots=True)
class BySession:
    """The digest of a session's secret, from a cookie."""

    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ByAccessToken:
    """What one of our access tokens says, its signature checked."""

    session_id: UUID
    user_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ByOutsideToken:
    """Whom a token of an outside issuer names, everything about it checked."""

    issuer: str
    subject: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ByKey:
    """The digest of an API key."""

    digest: bytes = field(repr=False)


_SCOPES = {scope.value: scope for scope in Scope}

# What was shown, as far as it can be proved without looking, and no secret any more.
Proof = BySession | ByAccessToken | ByOutsideToken | ByKey


@dataclass(frozen=True, slots=True)
class Found:
    """A viewer, and when their credential was last seen in use."""

    viewer: Viewer
    used_at: datetime | None = None


def _of_user(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """All memberships in one row, each of two arrays in the same order."""
    theirs = select(column).where(Membership.user_id == User.id).order_by(Membership.id)
    return func.array(theirs.correlate(User).scalar_subquery())


_USER = (
    User.id.label("user_id"),
    User.is_superadmin,
    _of_user(Membership.__table__.c.organization_id).label("organizations"),
    _of_user(cast(Membership.__table__.c.role, Text)).label("roles"),
)
_NOW = bindparam("now", type_=DateTime(timezone=True))
_SESSION = (
    select(Session.id.label("session_id"), Session.expires_at, Session.last_seen_at, *_USER)
    .join(User, User.id == Session.user_id)
    .where(Session.revoked_at.is_(None), Session.expires_at > _NOW)
)
_BY_SECRET = Prepared(
    _SESSION.where(
        Session.secret_hash == bindparam("digest", type_=Session.secret_hash.type),
        Session.last_seen_at > bindparam("idle_since", type_=DateTime(timezone=True)),
    )
)
_BY_TOKEN = Prepared(
    _SESSION.where(
        Session.id == bindparam("session_id", type_=Uuid), Session.user_id == bindparam("owner_id", type_=Uuid)
    )
)
_BY_IDENTITY = Prepared(
    select(*_USER)
    .join(Identity, Identity.user_id == User.id)
    .where(Identity.issuer == bindparam("issuer", type_=Text), Identity.subject == bindparam("subject", type_=Text))
)
# The membership is joined, not looked up beside: without it there is no key.
_BY_KEY = Prepared(
    select(
        ApiKey.id,
        ApiKey.name,
        ApiKey.prefix,
        ApiKey.scopes,
        ApiKey.organization_id,
        ApiKey.user_id,
        ApiKey.expires_at,
        ApiKey.last_used_at,
        cast(Membership.role, Text).label("role"),
    )
    .join(
        Membership,
        (Membership.organization_id == ApiKey.organization_id) & (Membership.user_id == ApiKey.user_id),
    )
    .where(
        ApiKey.secret_hash == bindparam("digest", type_=ApiKey.secret_hash.type),
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > _NOW),
    )
)


async def prove(readers: Readers, proof: Proof, *, now: datetime, idle: timedelta) -> Found | None:
    """Find whom a proof stands for; None where it does not hold, or not any more."""
    match proof:
        case BySession(digest=digest):
            row = await _BY_SECRET.row(readers, digest=digest, now=now, idle_since=now - idle)
            kind = CredentialKind.SESSION
        case ByAccessToken(session_id=session_id, user_id=user_id):
            row = await _BY_TOKEN.row(readers, session_id=session_id, owner_id=user_id, now=now)
            kind = CredentialKind.ACCESS_TOKEN
        case ByOutsideToken(issuer=issuer, subject=subject, expires_at=expires_at):
            row = await _BY_IDENTITY.row(readers, issuer=issuer, subject=subject)
            credential = Credential(CredentialKind.OUTSIDE_TOKEN, name=issuer[:100], expires_at=expires_at)
            return None if row is None else Found(_person(row, credential))
        case ByKey(digest=digest):
            row = await _BY_KEY.row(readers, digest=digest, now=now)
            return None if row is None else Found(_key_holder(row), row["last_used_at"])
    if row is None:
        return None
    expires_at = proof.expires_at if isinstance(proof, ByAccessToken) else row["expires_at"]
    credential = Credential(kind, id=row["session_id"], expires_at=expires_at)
    return Found(_person(row, credential), row["last_seen_at"])


async def find(session: AsyncSession, user_id: UUID, credential: Credential) -> Viewer | None:
    """Read a user with their roles, as after a decision that changed them; None for a user who is gone."""
    assert credential.kind is not CredentialKind.API_KEY, "a key is never more than its scopes and its organization"
    rows = await session.execute(
        select(User.is_superadmin, Membership.organization_id, Membership.role)
        .outerjoin(Membership, Membership.user_id == User.id)
        .where(User.id == user_id)
    )
    found = rows.all()
    if not found:
        return None
    roles = {row.organization_id: row.role for row in found if row.organization_id is not None}
    return Viewer(user_id, roles, credential, superadmin=found[0].is_superadmin)


def _person(row: asyncpg.Record, credential: Credential) -> Viewer:
    roles = dict(zip(row["organizations"], (Role[role] for role in row["roles"]), strict=True))
    return Viewer(row["user_id"], roles, credential, superadmin=row["is_superadmin"])


def _key_holder(row: asyncpg.Record) -> Viewer:
    """A key is its creator inside one organization, as far as its scopes go; never a superadmin."""
    name = f"{row['name']} ({row['prefix']})"
    credential = Credential(CredentialKind.API_KEY, row["id"], name, row["expires_at"])
    scopes = frozenset(_SCOPES[scope] for scope in row["scopes"])
    return Viewer(row["user_id"], {row["organization_id"]: Role[row["role"]]}, credential, scopes=scopes)
