"""Signing up, in and out: over HTTP, by cookie and by access token."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials import passwords
from app.db.models import AuditEntry, Session, User
from app.domain.viewer import Role
from app.services import founding
from tests import factories as make
from tests.identity.conftest import Install
from tests.identity.installation import PASSWORD, Installation, Reply

SIGN_UP = "mutation($i:SignUpInput!){signUp(input:$i){accessToken expiresAt viewer{id login email name}}}"
SIGN_IN = "mutation($i:SignInInput!){signIn(input:$i){accessToken viewer{id email}}}"
SIGN_OUT = "mutation{signOut{signedOut}}"
RENEW = "mutation{createAccessToken{accessToken expiresAt viewer{login}}}"
CHANGE = "mutation($i:ChangePasswordInput!){changePassword(input:$i){viewer{login}}}"
ME = "{viewer{login email}}"
NOBODY = {"viewer": None}


async def sign_up(home: Installation, email: str = "ada@example.com", password: str = PASSWORD, **way: Any) -> Reply:
    return await home.ask(SIGN_UP, {"i": {"email": email, "password": password, "name": "Ada Lovelace"}}, **way)


async def sign_in(home: Installation, email: str = "ada@example.com", password: str = PASSWORD, **way: Any) -> Reply:
    return await home.ask(SIGN_IN, {"i": {"email": email, "password": password}}, **way)


async def test_signing_up_signs_in_by_cookie_and_by_token(home: Installation) -> None:
    made = await sign_up(home, "Ada@Example.com")
    told = made.data["signUp"]
    assert told["viewer"]["email"] == "ada@example.com"
    assert (told["viewer"]["login"], told["viewer"]["name"]) == ("ada", "Ada Lovelace")
    (header, _) = made.response.headers.get_list("set-cookie")
    assert {part.strip() for part in header.split(";")[1:]} == {"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=7776000"}
    for way in ({"token": told["accessToken"]}, {"cookie": made.cookie}):
        assert (await home.ask(ME, **way)).data == {"viewer": {"login": "ada", "email": "ada@example.com"}}


async def test_outside_development_the_cookie_is_for_this_host_over_tls_alone(install: Install) -> None:
    async with install(env="production", origins=("https://app.example.com",)) as home:
        made = await sign_up(home)
        (header, _) = made.response.headers.get_list("set-cookie")
        assert header.startswith("__Host-tenet_session=tns_")
        assert "; Secure" in header
        named = {"cookie": f"__Host-tenet_session={made.cookie}"}
        assert (await home.ask(ME, headers=named)).data["viewer"]["login"] == "ada"
        assert (await home.ask(ME, cookie=made.cookie)).data == NOBODY


async def test_of_two_who_sign_up_with_one_address_at_once_one_does(home: Installation, session: AsyncSession) -> None:
    replies = await asyncio.gather(*(sign_up(home, email) for email in ("ada@example.com", "ADA@example.com ")))
    assert sorted(reply.codes for reply in replies) == [[], ["CONFLICT"]]
    assert await session.scalar(select(func.count()).select_from(User)) == 1
    assert await session.scalar(select(func.count()).select_from(Session)) == 1


async def test_nobody_signs_up_as_who_begins_in_development(home: Installation, session: AsyncSession) -> None:
    assert (await sign_up(home, "Developer@Tenet.localhost")).code == "CONFLICT"
    async with home.runtime.write() as tx:
        founded = await founding.found(tx)
    user = await session.get_one(User, founded.user_id)
    assert (user.is_superadmin, user.password_hash) == (True, None)


async def test_a_login_that_is_taken_gets_a_longer_one(home: Installation) -> None:
    await sign_up(home)
    second = (await sign_up(home, "ada@elsewhere.example")).data["signUp"]["viewer"]["login"]
    assert second.startswith("ada-")
    assert len(second) > len("ada-")


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("no address", PASSWORD, "email"),
        ("a@b", PASSWORD, "email"),
        ("аda@example.com", PASSWORD, "email"),  # the first letter is Cyrillic
        ("ada@exаmple.com", PASSWORD, "email"),
        ("a" * 65 + "@example.com", PASSWORD, "email"),
        ("ada@example.com", "short", "password"),
        ("ada@example.com", "x" * 10_000, "password"),
        ("ada@example.com", "password123", "password"),
        ("ada@example.com", "P@ssw0rd!", "password"),
        ("ada@example.com", "ada@example.com", "password"),
        ("ada@example.com", "aaaaaaaaaaaa", "password"),
    ],
)
async def test_what_is_no_address_or_no_password_makes_no_account(
    home: Installation, session: AsyncSession, email: str, password: str, field: str
) -> None:
    refused = await sign_up(home, email, password)
    assert refused.code == "VALIDATION_ERROR"
    assert list(refused.extensions["fields"]) == [field]
    assert refused.cookie is None
    assert await session.scalar(select(func.count()).select_from(User)) == 0


async def test_look_alikes_that_mean_the_same_are_the_same_address(home: Installation) -> None:
    await sign_up(home, "ada@example.com")
    full_width = "ａｄａ@example.com"
    assert (await sign_up(home, full_width)).code == "CONFLICT"
    assert (await sign_in(home, full_width)).data["signIn"]["viewer"]["email"] == "ada@example.com"


@pytest.mark.parametrize("enter", [sign_in, lambda home, **way: sign_up(home, "bob@example.com", **way)])
async def test_coming_in_ends_the_session_that_the_browser_had(home: Installation, enter: Any) -> None:
    first = (await sign_up(home)).cookie
    assert first is not None
    second = await enter(home, cookie=first)
    assert second.cookie not in (None, first)
    assert (await home.ask(ME, cookie=first)).data == NOBODY
    assert (await home.ask(ME, cookie=second.cookie)).data != NOBODY


async def test_a_stale_cookie_does_not_keep_anybody_from_signing_in(home: Installation) -> None:
    old = (await sign_up(home)).cookie
    await home.ask(SIGN_OUT, cookie=old)
    assert old is not None
    assert (await sign_in(home, cookie=old)).cookie is not None


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "another long enough password"),
        ("nobody@example.com", PASSWORD),
        ("no address at all", PASSWORD),
        ("ada@example.com", "x" * 10_000),
        ("github@example.com", PASSWORD),
        ("", ""),
    ],
)
async def test_whoever_is_unknown_is_refused_like_a_wrong_password(
    home: Installation, session: AsyncSession, monkeypatch: pytest.MonkeyPatch, email: str, password: str
) -> None:
    await sign_up(home)
    await make.user(session, email="github@example.com", password_hash=None)
    verified: list[str] = []
    original = passwords._verified

    def watched(kept: str, spelt: str) -> bool:
        verified.append(kept)
        return original(kept, spelt)

    monkeypatch.setattr(passwords, "_verified", watched)
    refused = await sign_in(home, email, password)
    (error,) = refused.body["errors"]
    assert error["message"] == "The e-mail address or the password is wrong."
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert (refused.response.status_code, refused.cookie) == (200, None)
    # One hash was checked, and it was as hard as any: that is what makes the time the same.
    (kept,) = verified
    assert kept.split("$")[:4] == (await passwords.hashed("any")).split("$")[:4]


async def test_who_has_no_address_is_not_found_by_what_is_none(home: Installation, session: AsyncSession) -> None:
    # As all people of an outside issuer; with a password, so that being found would show.
    await make.user(session, email=None, password_hash=await passwords.hashed(PASSWORD))
    for nonsense in ("", "no address at all", "@", "null"):
        assert (await sign_in(home, nonsense)).code == "UNAUTHENTICATED"
    assert await session.scalar(select(func.count()).select_from(Session)) == 0


async def test_a_password_that_was_hashed_in_an_old_way_is_hashed_anew(
    home: Installation, session: AsyncSession
) -> None:
    old = "$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    assert weak.startswith(old[:25])
    user = await make.user(session, email="old@example.com", password_hash=weak)
    assert (await sign_in(home, "old@example.com")).codes == []
    await session.refresh(user)
    assert user.password_hash != weak
    assert (await sign_in(home, "old@example.com")).codes == []


async def test_signing_out_ends_the_session_and_its_tokens_everywhere(home: Installation) -> None:
    made = await sign_up(home)
    token, cookie = made.data["signUp"]["accessToken"], made.cookie
    out = await home.ask(SIGN_OUT, cookie=cookie)
    assert out.data == {"signOut": {"signedOut": True}}
    assert out.cookie == ""
    home.engine.callers.forget()
    assert (await home.ask(ME, cookie=cookie)).data == NOBODY
    assert (await home.ask(ME, token=token)).code == "UNAUTHENTICATED"


async def test_signing_out_without_a_session_says_so(home: Installation) -> None:
    out = await home.ask(SIGN_OUT)
    assert (out.data, out.cookie) == ({"signOut": {"signedOut": False}}, "")


async def test_a_session_ends_when_it_idles_and_when_it_is_old(install: Install) -> None:
    async with install(session_days=30, session_idle_days=10) as home:
        cookie = (await sign_up(home)).cookie
        callers = home.engine.callers
        for day in range(9, 28, 9):
            home.clock.passed = timedelta(days=day)
            callers.forget()
            assert (await home.ask(ME, cookie=cookie)).data != NOBODY, day
            await callers.settle()
        home.clock.passed = timedelta(days=31)
        callers.forget()
        assert (await home.ask(ME, cookie=cookie)).data == NOBODY
        home.clock.passed = timedelta()
        cookie = (await sign_in(home)).cookie
        home.clock.passed = timedelta(days=11)
        callers.forget()
        assert (await home.ask(ME, cookie=cookie)).data == NOBODY


async def test_a_use_is_written_down_once_a_minute(home: Installation, session: AsyncSession) -> None:
    person = await home.person(session)
    home.clock.passed = timedelta(seconds=59)
    await home.ask(ME, cookie=person.cookie)
    await home.engine.callers.settle()
    first = person.session.last_seen_at
    before = await session.scalar(select(Session.last_seen_at))
    home.clock.passed = timedelta(seconds=62)
    home.engine.callers.forget()
    await home.ask(ME, cookie=person.cookie)
    await home.engine.callers.settle()
    await session.rollback()
    after = await session.scalar(select(Session.last_seen_at))
    home.clock.passed = timedelta()
    assert before is not None
    assert after is not None
    assert before == first
    assert timedelta(seconds=60) < after - before < timedelta(seconds=75)


async def test_an_access_token_is_renewed_until_the_session_ends(install: Install) -> None:
    async with install(session_days=30) as home:
        made = await sign_up(home)
        by_cookie = await home.ask(RENEW, cookie=made.cookie)
        by_token = await home.ask(RENEW, token=made.data["signUp"]["accessToken"])
        for renewed in (by_cookie, by_token):
            token = renewed.data["createAccessToken"]["accessToken"]
            assert (await home.ask(ME, token=token)).data["viewer"]["login"] == "ada"
        assert (await home.ask(RENEW)).code == "UNAUTHENTICATED"
        home.clock.passed = timedelta(minutes=15, seconds=11)
        assert (await home.ask(ME, token=token)).code == "UNAUTHENTICATED"
        for late in (timedelta(minutes=16), timedelta(days=13), timedelta(days=26), timedelta(days=30, minutes=-1)):
            home.clock.passed = late
            home.engine.callers.forget()
            last = (await home.ask(RENEW, cookie=made.cookie)).data["createAccessToken"]
            assert (await home.ask(ME, token=last["accessToken"])).data["viewer"]["login"] == "ada"
        # The last one ends with its session, and no other comes after it.
        left = datetime.fromisoformat(last["expiresAt"]) - home.clock()
        assert timedelta() < left <= timedelta(minutes=1)
        home.clock.passed = timedelta(days=30, seconds=11)
        home.engine.callers.forget()
        for way in ({"cookie": made.cookie}, {"token": last["accessToken"]}):
            assert (await home.ask(RENEW, **way)).code == "UNAUTHENTICATED"


async def test_no_token_outlives_its_session(install: Install) -> None:
    async with install(session_days=0.005) as home:
        told = (await sign_up(home)).data["signUp"]
        home.clock.passed = timedelta(days=0.005)
        home.engine.callers.forget()
        assert (await home.ask(ME, token=told["accessToken"])).code == "UNAUTHENTICATED"


async def test_a_new_password_ends_all_other_sessions(home: Installation) -> None:
    made = await sign_up(home)
    browser = await sign_in(home)
    program = (await sign_in(home)).data["signIn"]["accessToken"]
    new = "another long enough password"
    changed = await home.ask(CHANGE, {"i": {"current": PASSWORD, "new": new}}, cookie=browser.cookie)
    assert changed.data == {"changePassword": {"viewer": {"login": "ada"}}}
    home.engine.callers.forget()
    assert changed.cookie not in (None, browser.cookie)
    assert (await home.ask(ME, cookie=changed.cookie)).data != NOBODY
    for gone in (made.cookie, browser.cookie):
        assert (await home.ask(ME, cookie=gone)).data == NOBODY
    assert (await home.ask(ME, token=program)).code == "UNAUTHENTICATED"
    assert (await sign_in(home)).code == "UNAUTHENTICATED"
    assert (await sign_in(home, password=new)).codes == []


async def test_a_program_that_changes_the_password_keeps_its_token(home: Installation) -> None:
    browser = await sign_up(home)
    token = (await sign_in(home)).data["signIn"]["accessToken"]
    new = "another long enough password"
    changed = await home.ask(CHANGE, {"i": {"current": PASSWORD, "new": new}}, token=token)
    assert (changed.codes, changed.cookie) == ([], None)
    home.engine.callers.forget()
    assert (await home.ask(ME, token=token)).data != NOBODY
    assert (await home.ask(ME, cookie=browser.cookie)).data == NOBODY


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [("not the password", "another long enough password", "current"), (PASSWORD, "password1", "new")],
)
async def test_a_password_does_not_change_for_the_wrong_one_nor_to_a_bad_one(
    home: Installation, current: str, new: str, field: str
) -> None:
    cookie = (await sign_up(home)).cookie
    refused = await home.ask(CHANGE, {"i": {"current": current, "new": new}}, cookie=cookie)
    assert (refused.code, list(refused.extensions["fields"])) == ("VALIDATION_ERROR", [field])
    assert (await sign_in(home)).codes == []


async def test_who_has_no_password_changes_none(home: Installation, session: AsyncSession) -> None:
    person = await home.person(session)
    changed = await home.ask(CHANGE, {"i": {"current": PASSWORD, "new": PASSWORD + "!"}}, token=person.token)
    assert changed.code == "FORBIDDEN"


async def test_a_password_that_changed_meanwhile_opens_no_session(
    home: Installation, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_up(home)
    original = passwords.matches

    async def slow(password: str, kept: str | None) -> bool:
        fits = await original(password, kept)
        user = await session.scalar(select(User))
        assert user is not None
        user.password_hash = await passwords.hashed("what somebody else has set")
        await session.commit()
        return fits

    monkeypatch.setattr(passwords, "matches", slow)
    assert (await sign_in(home)).code == "UNAUTHENTICATED"
    assert await session.scalar(select(func.count()).select_from(Session)) == 1


async def test_several_mutations_of_one_request_see_each_others_work(home: Installation) -> None:
    both = (
        f'mutation{{signUp(input:{{email:"bob@example.com",password:"{PASSWORD}"}})'
        "{viewer{login memberships{role}}}"
        'createOrganization(input:{slug:"bobs",name:"Bob’s"}){organization{slug members{totalCount nodes{role}}}}'
        'a:updateOrganization(input:{id:"org_00000000000000000000000000000000",name:"x"}){organization{name}}}'
    )
    reply = await home.ask(both)
    assert reply.body["data"]["signUp"] == {"viewer": {"login": "bob", "memberships": []}}
    made = {"slug": "bobs", "members": {"totalCount": 1, "nodes": [{"role": Role.OWNER.value}]}}
    assert reply.body["data"]["createOrganization"] == {"organization": made}
    # One that is refused does not erase its siblings.
    assert (reply.body["data"]["a"], reply.codes) == (None, ["NOT_FOUND"])


async def test_accounts_are_audited(home: Installation, session: AsyncSession) -> None:
    cookie = (await sign_up(home)).cookie
    await home.ask(RENEW, cookie=cookie)
    await home.ask(CHANGE, {"i": {"current": PASSWORD, "new": PASSWORD + "!"}}, cookie=cookie)
    await sign_in(home, password=PASSWORD + "!")
    query = select(AuditEntry.action, AuditEntry.credential, AuditEntry.address).order_by(AuditEntry.id)
    written = [tuple(row) for row in await session.execute(query)]
    actions = ["signUp", "createAccessToken", "changePassword", "signIn"]
    assert written == [(action, "session", "127.0.0.1") for action in actions]
