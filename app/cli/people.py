"""`tenet token`, and the person who may begin in development."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from app.cli.ground import grounded, settle
from app.config import Settings
from app.credentials import tokens
from app.db import models
from app.db.tx import Tx
from app.domain.errors import Fault
from app.domain.ids import Kind, public
from app.reads.accounts import find_by_email
from app.runtime import open_runtime
from app.services import administering, founding, signing_in

USAGE = 2
DEVELOPER_DAYS = 30


@dataclass(frozen=True, slots=True)
class Developer:
    """What the first person of a development installation needs to begin."""

    token: str
    organization_id: str


async def make_developer(settings: Settings) -> Developer:
    """Make the first user and organization, or find them, and sign them in."""
    async with open_runtime(settings) as runtime, runtime.write() as tx:
        founded = await founding.found(tx)
        token = await _signed_in(tx, settings, founded.user_id, DEVELOPER_DAYS)
    return Developer(token, public(Kind.ORGANIZATION, founded.organization_id))


async def make_token(*, email: str | None, days: int, production: bool, data_dir: Path | None) -> str:
    """Sign a user in, and give the token that says so."""
    settings = settle(quiet=True, data_dir=data_dir)
    if settings.production and not (production and email):
        raise Fault(
            "In production a token is made only when it is asked for.",
            remedy="Say so, and whose: tenet token --production --email somebody@example.com",
            exit_code=USAGE,
        )
    async with grounded(settings) as settings, open_runtime(settings) as runtime, runtime.write() as tx:
        return await _signed_in(tx, settings, await _user(tx, email), days)


async def appoint_superadmin(*, email: str, dismiss: bool, data_dir: Path | None) -> str:
    """Make a user a superadmin or no longer one, and say who it is: an address proves nothing about its owner."""
    settings = settle(quiet=True, data_dir=data_dir)
    async with grounded(settings) as settings, open_runtime(settings) as runtime, runtime.write() as tx:
        user_id = await _user(tx, email)
        user = await tx.session.get_one(models.User, user_id)
        changed = await administering.appoint(tx, user_id, superadmin=not dismiss)
    standing = "is no longer a superadmin" if dismiss else "is a superadmin now"
    if not changed:
        standing = "was no superadmin" if dismiss else "was a superadmin already"
    return f"{user.login} ({public(Kind.USER, user_id)}, here since {user.created_at:%Y-%m-%d}) {standing}."


async def _user(tx: Tx, email: str | None) -> UUID:
    if email is None:
        return (await founding.found(tx)).user_id
    user = await find_by_email(tx.session, email)
    if user is None:
        raise Fault(f"There is no user with the e-mail {email}.", remedy="Check its spelling, or let them sign up.")
    return user.id


async def _signed_in(tx: Tx, settings: Settings, user_id: UUID, days: int) -> str:
    """Open a session, so that this token can be revoked like any other sign-in."""
    now = datetime.now(UTC)
    opened = await signing_in.open_session(tx, user_id, signing_in.Opening(now, timedelta(days=days)))
    secret = settings.signing_secret()
    return tokens.sign(secret, user_id, opened.session_id, now=now, expires_at=opened.expires_at)
