"""Keying: the API keys of an organization, which act as whoever made them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update

from app.credentials import secrets
from app.credentials.secrets import Prefix
from app.db import models
from app.db.tx import Tx
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.ids import Kind, new_id
from app.domain.viewer import Permission, Scope, Viewer
from app.reads import organizations

# So many live keys an organization has at most; they come as one list.
MOST_KEYS = 100
USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Cut:
    """A key that was just made; its secret is shown once."""

    key_id: UUID
    secret: str = field(repr=False)


async def create(
    tx: Tx,
    viewer: Viewer,
    organization_id: UUID,
    name: str,
    scopes: Sequence[Scope],
    *,
    expires_at: datetime | None,
    now: datetime,
) -> Cut:
    """Make a key; it can never do more than its maker, nor make another."""
    viewer.require_person()
    _, viewer = await organizations.lock(tx.session, viewer, organization_id)
    viewer.require(Permission.MANAGE_KEYS, organization_id)
    if expires_at is not None and expires_at <= now:
        raise Invalid("This key would have expired already.", fields={"expiresAt": "is not in the future"})
    if await _count(tx, organization_id, now) >= MOST_KEYS:
        raise Conflict(f"An organization has at most {MOST_KEYS} live keys; revoke one first.", limit=MOST_KEYS)
    secret = secrets.new(Prefix.API_KEY)
    key = models.ApiKey(
        id=new_id(),
        organization_id=organization_id,
        user_id=viewer.user_id,
        name=name,
        prefix=secrets.prefix_of(secret),
        secret_hash=secrets.digest(secret),
        scopes=[scope.value for scope in dict.fromkeys(scopes)],
        expires_at=expires_at,
    )
    tx.session.add(key)
    tx.audit(viewer, "createApiKey", Kind.API_KEY, key.id, organization_id)
    return Cut(key.id, secret)


async def revoke(tx: Tx, viewer: Viewer, key_id: UUID, now: datetime) -> None:
    """End a key, whoever made it; one that has ended stays as it is."""
    key = await tx.session.get(models.ApiKey, key_id)
    if key is None or not viewer.sees(key.organization_id, Permission.MANAGE_KEYS):
        raise NotFound("No such API key.")
    # The organization first, as everywhere, or this and a removal would wait for each other.
    _, viewer = await organizations.lock(tx.session, viewer, key.organization_id)
    viewer.require(Permission.MANAGE_KEYS, key.organization_id)
    await tx.session.refresh(key)
    if key.revoked_at is None:
        key.revoked_at = now
        tx.revoke(key.user_id)
        tx.audit(viewer, "revokeApiKey", Kind.API_KEY, key_id, key.organization_id)


async def used(tx: Tx, key_id: UUID, now: datetime) -> None:
    """Write down that a key is in use, once a minute at most over all processes."""
    stale = or_(models.ApiKey.last_used_at.is_(None), models.ApiKey.last_used_at < now - USED_EVERY)
    await tx.session.execute(update(models.ApiKey).where(models.ApiKey.id == key_id, stale).values(last_used_at=now))


async def _count(tx: Tx, organization_id: UUID, now: datetime) -> int:
    live = select(func.count()).select_from(models.ApiKey)
    live = live.where(
        models.ApiKey.organization_id == organization_id,
        models.ApiKey.revoked_at.is_(None),
        or_(models.ApiKey.expires_at.is_(None), models.ApiKey.expires_at > now),
    )
    return int((await tx.session.execute(live)).scalar_one())
