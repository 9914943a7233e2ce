"""Accounts: signing up, in and out, and the password."""

from datetime import datetime, timedelta
from typing import Annotated

import strawberry
from strawberry.types import Info

from app.credentials import browsers, passwords
from app.domain import names
from app.domain.errors import Forbidden, Invalid, Unauthenticated
from app.domain.viewer import Credential, CredentialKind
from app.reads import accounts
from app.services import signing_in
from app.services.signing_in import Newcomer, Opened, Opening
from resolvers.context import Context
from resolvers.lists import shown
from resolvers.people.types import User, confidential

field = strawberry.field


@strawberry.input(description="A new account.")
class SignUpInput:
    """A new account."""

    email: str = field(description="The e-mail address to sign in with.")
    password: str = confidential("8 to 256 characters, and none of the commonest passwords.")
    name: str | None = field(default=strawberry.UNSET, description="The person's full name.")


@strawberry.input(description="Who signs in.")
class SignInInput:
    """Who signs in."""

    email: str = field(description="The account's e-mail address.")
    password: str = confidential("The account's password.")


@strawberry.input(description="An old password and the new one.")
class ChangePasswordInput:
    """An old password and the new one."""

    current: str = confidential("The password as it is.")
    new: str = confidential("The password to be: 8 to 256 characters, and none of the commonest.")


@strawberry.type(description="Somebody who signed in; over HTTP the answer also sets the session's cookie.")
class SignInPayload:
    """Somebody who signed in."""

    viewer: User = field(description="Who signed in.")
    access_token: str = confidential("To be sent as `authorization: Bearer <token>`; renew it before it expires.")
    expires_at: datetime = field(description="When the access token expires; the session goes on.")


@strawberry.type(description="The end of a session.")
class SignOutPayload:
    """The end of a session."""

    signed_out: bool = field(description="Whether there was a session to end.")


@strawberry.type(description="Somebody whose password has changed.")
class ChangePasswordPayload:
    """Somebody whose password has changed."""

    viewer: User = field(description="Whose password it is.")


@strawberry.type
class AccountMutations:
    """What people decide about their accounts."""

    @strawberry.mutation(
        description="Make an account and sign in. Refuses: VALIDATION_ERROR (no e-mail address, a password too short, "
        "too long or too common), CONFLICT (an account with this address), RATE_LIMITED."
    )
    async def sign_up(
        self,
        info: Info[Context, None],
        input: Annotated[SignUpInput, strawberry.argument(description="The account.")],  # noqa: A002
    ) -> SignInPayload | None:
        """Sign up."""
        context = info.context
        email = names.email_address(input.email)
        name = names.name(input.name) if input.name else None
        passwords.check(input.password, email=email)
        rates = context.runtime.rates
        await rates.sign_up(context.address)
        newcomer = Newcomer(email, name, await passwords.hashed(input.password))
        async with context.write() as tx:
            opened = await signing_in.sign_up(tx, newcomer, _opening(context), ends=context.someone)
        await rates.remember(email, context.address)
        return await _signed_in(context, opened, email)

    @strawberry.mutation(
        description="Sign in with a password; a session that this browser had ends. Refuses: UNAUTHENTICATED (the "
        "address or the password is wrong, it is not said which), RATE_LIMITED (attempts follow too fast)."
    )
    async def sign_in(
        self,
        info: Info[Context, None],
        input: Annotated[SignInInput, strawberry.argument(description="Who signs in.")],  # noqa: A002
    ) -> SignInPayload | None:
        """Sign in."""
        context = info.context
        async with context.read() as session:
            account = await accounts.find_by_email(session, input.email)
        kept = None if account is None else account.password_hash
        email = names.address_told(input.email) or ""
        async with context.runtime.rates.attempt(email, context.address, browser=_browser_of(context, email)):
            # Checked in any case: that somebody is unknown must not show, not even by the time it takes.
            if not await passwords.matches(input.password, kept) or account is None or kept is None:
                raise Unauthenticated("The e-mail address or the password is wrong.")
        rehashed = await passwords.hashed(input.password) if passwords.outdated(kept) else None
        async with context.write() as tx:
            opened = await signing_in.sign_in(
                tx, account.id, kept, _opening(context), ends=context.someone, rehashed=rehashed
            )
        return await _signed_in(context, opened, email)

    @strawberry.mutation(
        description="End the session behind the cookie or the access token, and all access tokens made from it. "
        "Refuses nothing: without a session signedOut is false."
    )
    async def sign_out(self, info: Info[Context, None]) -> SignOutPayload | None:
        """Sign out."""
        context = info.context
        signed_out = False
        if context.someone is not None:
            async with context.write() as tx:
                signed_out = await signing_in.sign_out(tx, context.viewer, context.now)
        context.headers.append(context.callers.cookie.clear())
        if signed_out:
            context.stand_as_nobody()
        return SignOutPayload(signed_out=signed_out)

    @strawberry.mutation(
        description="Make a new access token of the session behind the cookie or a token that is still valid. Refuses: "
        "UNAUTHENTICATED, FORBIDDEN (API keys and tokens of an outside issuer)."
    )
    async def create_access_token(self, info: Info[Context, None]) -> SignInPayload | None:
        """Renew the access token."""
        context = info.context
        async with context.write() as tx:
            session = await signing_in.renew(tx, context.viewer, context.now)
        token, expires_at = context.callers.access_token(session.user_id, session.id, session.expires_at)
        viewer = await shown(context, "User", session.user_id)
        return SignInPayload(viewer=viewer, access_token=token, expires_at=expires_at)

    @strawberry.mutation(
        description="Change the viewer's password; all their other sessions end. Refuses: UNAUTHENTICATED, FORBIDDEN "
        "(API keys), VALIDATION_ERROR (the current password is wrong, the new one too short, too long or too common), "
        "CONFLICT (it was changed at the same moment), RATE_LIMITED."
    )
    async def change_password(
        self,
        info: Info[Context, None],
        input: Annotated[ChangePasswordInput, strawberry.argument(description="The passwords.")],  # noqa: A002
    ) -> ChangePasswordPayload | None:
        """Change the password."""
        context = info.context
        viewer = context.viewer
        viewer.require_person()
        async with context.read() as session:
            account = await accounts.find(session, viewer.user_id)
        kept = None if account is None else account.password_hash
        if account is None or kept is None:
            raise Forbidden("This account has no password; it signs in elsewhere.")
        passwords.check(input.new, email=account.email, field="new")
        async with context.runtime.rates.attempt(viewer.user_id.hex, context.address):
            if not await passwords.matches(input.current, kept):
                raise Invalid("This is not the current password.", fields={"current": "is wrong"})
        hashed = await passwords.hashed(input.new)
        async with context.write() as tx:
            opened = await signing_in.change_password(tx, viewer, kept, hashed, _opening(context))
        if opened is not None:
            await _enter(context, opened)
        return ChangePasswordPayload(viewer=await shown(context, "User", viewer.user_id))


def _opening(context: Context) -> Opening:
    return Opening(context.now, timedelta(days=context.runtime.settings.session_days), context.address)


def _browser_of(context: Context, email: str) -> str | None:
    """Give what a browser shows for its owner having signed in there before."""
    told = context.callers.browser.find(context.cookies)
    return told if browsers.vouches(context.runtime.settings.signing_secret(), email, told) else None


async def _signed_in(context: Context, opened: Opened, email: str) -> SignInPayload:
    await _enter(context, opened)
    if _browser_of(context, email) is None:
        vouched = browsers.vouch(context.runtime.settings.signing_secret(), email)
        context.headers.append(context.callers.browser.set(vouched, seconds=browsers.LIFETIME_SECONDS))
    token, expires_at = context.callers.access_token(opened.user_id, opened.session_id, opened.expires_at)
    viewer = await shown(context, "User", opened.user_id)
    return SignInPayload(viewer=viewer, access_token=token, expires_at=expires_at)


async def _enter(context: Context, opened: Opened) -> None:
    """Go on as whoever has just signed in, and let their browser keep the session."""
    seconds = round((opened.expires_at - context.now).total_seconds())
    context.headers.append(context.callers.cookie.set(opened.secret, seconds=seconds))
    credential = Credential(CredentialKind.SESSION, opened.session_id, expires_at=opened.expires_at)
    await context.stand_as(opened.user_id, credential)
