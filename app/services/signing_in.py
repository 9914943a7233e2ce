"""Signing in: accounts, the sessions that open with a password or an outside identity, and their end."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.credentials import secrets
from app.credentials.secrets import Prefix
from app.db import models
from app.db.tx import Tx
from app.domain.errors import Conflict, Forbidden, Unauthenticated
from app.domain.ids import Kind, new_id
from app.domain.names import DEVELOPER, login_like, name_told
from app.domain.viewer import Credential, CredentialKind, Viewer

# A sign-in in use is written down so often at most; nobody waits for it.
SEEN_EVERY = timedelta(minutes=1)
LONGEST_PICTURE = 2000
# Against others who would change the row; those who refer to it need not wait.
LOCK = {"key_share": True}


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that just began; its secret is here, in one cookie, and nowhere else."""

    user_id: UUID
    session_id: UUID
    expires_at: datetime
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A person who signs up."""

    email: str
    name: str | None
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outsider:
    """A person whom an outside issuer vouches for; what it tells of them is taken as far as it fits."""

    issuer: str
    subject: str
    login: object = None
    name: object = None
    avatar_url: object = None


@dataclass(frozen=True, slots=True)
class Opening:
    """When and from where a session opens, and for how long."""

    now: datetime
    lifetime: timedelta
    address: str | None = None


async def sign_up(tx: Tx, newcomer: Newcomer, opening: Opening, *, ends: Viewer | None) -> Opened:
    """Make an account and sign its owner in; a session that the same browser had ends."""
    # Whoever takes that address first would be a superadmin when `tenet run` or `tenet token` looks for its owner.
    kept = newcomer.email == DEVELOPER
    user_id = None if kept else await _user(tx, login_like(newcomer.email.partition("@")[0]), newcomer)
    if user_id is None:
        raise Conflict("There is an account with this e-mail address; sign in instead.")
    await _end_of_browser(tx, ends, opening.now)
    return await _open(tx, "signUp", user_id, opening)


async def sign_in(
    tx: Tx, user_id: UUID, proven_hash: str, opening: Opening, *, ends: Viewer | None, rehashed: str | None = None
) -> Opened:
    """Open a session for somebody whose password fitted a hash; one that the same browser had ends."""
    user = await tx.session.get(models.User, user_id, with_for_update=LOCK)
    # The password was checked outside of this transaction, and may have been changed since.
    if user is None or user.password_hash != proven_hash:
        raise Unauthenticated("The e-mail address or the password is wrong.")
    if rehashed is not None:
        user.password_hash = rehashed
    await _end_of_browser(tx, ends, opening.now)
    return await _open(tx, "signIn", user_id, opening)


async def sign_in_outsider(tx: Tx, outsider: Outsider, opening: Opening, *, ends: str | None) -> Opened:
    """Open a session for somebody whom an outside issuer vouches for; one whose secret the browser showed ends."""
    user_id = await admit(tx, outsider, opening.address)
    if ends is not None:
        await _end(tx, models.Session.secret_hash == secrets.digest(ends), opening.now)
    return await _open(tx, "signIn", user_id, opening)


async def admit(tx: Tx, outsider: Outsider, address: str | None) -> UUID:
    """Find the account of an outside identity, or make it at first sight; never by e-mail, which proves nothing."""
    known = select(models.Identity.user_id).where(
        models.Identity.issuer == outsider.issuer, models.Identity.subject == outsider.subject
    )
    user_id: UUID | None = await tx.session.scalar(known)
    if user_id is not None:
        return user_id
    # Two first requests at once: the second waits here for the first, and finds what it made.
    name = f"{outsider.issuer}\n{outsider.subject}"
    await tx.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    user_id = await tx.session.scalar(known)
    if user_id is not None:
        return user_id
    user_id = await _user(tx, login_like(outsider.login), None)
    assert user_id is not None, "without an address nothing is taken"
    told = {"name": name_told(outsider.name), "avatar_url": _picture(outsider.avatar_url)}
    await tx.session.execute(update(models.User).where(models.User.id == user_id).values(told))
    tx.session.add(models.Identity(user_id=user_id, issuer=outsider.issuer, subject=outsider.subject))
    came_by = Credential(CredentialKind.OUTSIDE_TOKEN, name=outsider.issuer[:100])
    tx.audit(Viewer(user_id, {}, came_by, address=address), "signUp", Kind.USER, user_id)
    return user_id


async def sign_out(tx: Tx, viewer: Viewer, now: datetime) -> bool:
    """End the session behind a cookie or an access token; tells whether there was one to end."""
    ended = viewer.credential.id is not None and viewer.scopes is None
    if ended:
        await _end(tx, models.Session.id == viewer.credential.id, now)
        tx.audit(viewer, "signOut", Kind.USER, viewer.user_id)
    return ended


async def renew(tx: Tx, viewer: Viewer, now: datetime) -> models.Session:
    """Let a session go on with a new access token; refuses whoever came in another way."""
    viewer.require_person()
    if viewer.credential.id is None:
        raise Forbidden("This token comes from elsewhere; renew it there.")
    session = await tx.session.get(models.Session, viewer.credential.id, with_for_update=LOCK)
    if session is None or session.revoked_at is not None or session.expires_at <= now:
        raise Unauthenticated("This session has ended; sign in again.")
    session.last_seen_at = now
    tx.audit(viewer, "createAccessToken", Kind.USER, viewer.user_id)
    return session


async def change_password(tx: Tx, viewer: Viewer, proven_hash: str, new_hash: str, opening: Opening) -> Opened | None:
    """Change a password whose old one fitted a hash; all other sessions end, and one of a browser begins anew."""
    viewer.require_person()
    user = await tx.session.get_one(models.User, viewer.user_id, with_for_update=LOCK)
    if user.password_hash != proven_hash:
        raise Conflict("The password was changed a moment ago.")
    user.password_hash = new_hash
    by_cookie = viewer.credential.kind is CredentialKind.SESSION
    # Whoever may have stolen the cookie is out as well; a program keeps its token, it could not be handed a new one.
    spared = None if by_cookie else viewer.credential.id
    theirs = models.Session.user_id == viewer.user_id
    await _end(tx, theirs & models.Session.id.is_distinct_from(spared), opening.now)
    tx.audit(viewer, "changePassword", Kind.USER, viewer.user_id)
    return await _insert(tx, viewer.user_id, opening) if by_cookie else None


async def open_session(tx: Tx, user_id: UUID, opening: Opening) -> Opened:
    """Open a session for the command line, whose operator needs no password."""
    return await _open(tx, "token", user_id, opening)


async def seen(tx: Tx, session_id: UUID, now: datetime) -> None:
    """Write down that a session is in use."""
    stale = models.Session.last_seen_at < now - SEEN_EVERY
    await tx.session.execute(
        update(models.Session).where(models.Session.id == session_id, stale).values(last_seen_at=now)
    )


async def _open(tx: Tx, action: str, user_id: UUID, opening: Opening) -> Opened:
    opened = await _insert(tx, user_id, opening)
    came_by = Credential(CredentialKind.SESSION, opened.session_id)
    tx.audit(Viewer(user_id, {}, came_by, address=opening.address), action, Kind.USER, user_id)
    return opened


async def _insert(tx: Tx, user_id: UUID, opening: Opening) -> Opened:
    secret = secrets.new(Prefix.SESSION)
    session = models.Session(
        id=new_id(),
        user_id=user_id,
        secret_hash=secrets.digest(secret),
        last_seen_at=opening.now,
        expires_at=opening.now + opening.lifetime,
    )
    tx.session.add(session)
    await tx.session.flush()
    return Opened(user_id, session.id, session.expires_at, secret)


async def _end_of_browser(tx: Tx, viewer: Viewer | None, now: datetime) -> None:
    """End the session whose cookie is about to be replaced."""
    if viewer is not None and viewer.credential.kind is CredentialKind.SESSION:
        await _end(tx, models.Session.id == viewer.credential.id, now)


async def _end(tx: Tx, which: ColumnElement[bool], now: datetime) -> None:
    ended = update(models.Session).where(models.Session.revoked_at.is_(None), which).values(revoked_at=now)
    for user_id in await tx.session.scalars(ended.returning(models.Session.user_id)):
        tx.revoke(user_id)


async def _user(tx: Tx, login: str, newcomer: Newcomer | None) -> UUID | None:
    """Make a user under a login like the wished one; None where the e-mail address is taken."""
    theirs = (
        {}
        if newcomer is None
        else {"email": newcomer.email, "name": newcomer.name, "password_hash": newcomer.password_hash}
    )
    for candidate in (login, f"{login}-{new_id().hex[-12:]}"):
        person = insert(models.User).values(id=new_id(), login=candidate, **theirs).on_conflict_do_nothing()
        user_id: UUID | None = await tx.session.scalar(person.returning(models.User.id))
        if user_id is not None:
            return user_id
    return None


def _picture(url: object) -> str | None:
    if isinstance(url, str) and url.startswith("https://") and len(url) <= LONGEST_PICTURE and url.isprintable():
        return url
    return None
