"""Signing in with GitHub, against a GitHub on this host that speaks its wire."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import AuditEntry, Identity, Session, User
from app.domain.errors import Invalid
from app.web.auth import safe_path
from tests import factories as make
from tests.identity.conftest import Install
from tests.identity.fakes import FakeGithub
from tests.identity.installation import Installation

ME = "{viewer{login name email avatarUrl}}"
START, CALLBACK = "/auth/github", "/auth/github/callback"


@pytest.fixture
async def github() -> AsyncIterator[FakeGithub]:
    """GitHub, as far as it signs people in."""
    fake = FakeGithub()
    async with fake.serving() as url:
        fake.url = url
        yield fake


@pytest.fixture
async def befriended(install: Install, github: FakeGithub) -> AsyncIterator[Installation]:
    """An installation that is an OAuth application there."""
    async with install(
        github_client_id=github.client_id,
        github_client_secret=SecretStr(github.client_secret),
        github_url=github.url,
        github_api_url=github.url,
    ) as home:
        yield home


class Browser:
    """Keeps cookies, and follows no redirect unasked."""

    def __init__(self, home: Installation) -> None:
        self.base = f"http://127.0.0.1:{home.service.port}"
        self.client = httpx.AsyncClient(base_url=self.base, trust_env=False, verify=False)

    async def __aenter__(self) -> "Browser":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def set_out(self, return_to: str | None = None) -> str:
        """Begin, agree at GitHub, and give the address that GitHub leads back to."""
        begun = await self.client.get(START, params={"return_to": return_to} if return_to else None)
        assert begun.status_code == 302
        agreed = await self.client.get(begun.headers["location"])
        assert agreed.headers["location"].startswith(self.base + CALLBACK)
        return str(agreed.headers["location"])

    async def viewer(self) -> object:
        """Ask who is signed in here."""
        asked = await self.client.post("/graphql", json={"query": ME})
        return asked.json()["data"]["viewer"]


async def test_a_person_comes_back_signed_in(befriended: Installation, session: AsyncSession) -> None:
    # The same address and the same login belong to others here: GitHub's word on neither is proof.
    await make.user(session, email="ada@example.com", login="octocat")
    logins = set()
    for _ in range(2):
        async with Browser(befriended) as browser:
            back = await browser.client.get(await browser.set_out("/graphql?query=%7Bviewer%7D#top"))
            assert (back.status_code, back.headers["location"]) == (303, "/graphql?query=%7Bviewer%7D#top")
            assert back.headers["cache-control"] == "no-store"
            viewer = await browser.viewer()
            assert isinstance(viewer, dict)
            logins.add(viewer.pop("login"))
            assert viewer == {
                "name": "The Octocat",
                "email": None,
                "avatarUrl": "https://avatars.example.com/u/583231",
            }
    (login,) = logins
    assert login.startswith("octocat-")
    assert await session.scalar(select(func.count()).select_from(User)) == 2
    identity = await session.scalar(select(Identity))
    assert identity is not None
    assert (identity.issuer, identity.subject) == (befriended.settings.github_url, "583231")
    assert (await session.scalars(select(AuditEntry.action))).all() == ["signUp", "signIn", "signIn"]


async def test_a_person_is_their_number_whatever_they_are_called(
    befriended: Installation, github: FakeGithub, session: AsyncSession
) -> None:
    async with Browser(befriended) as browser:
        await browser.client.get(await browser.set_out())
    github.person["login"] = "renamed"
    async with Browser(befriended) as browser:
        await browser.client.get(await browser.set_out())
    github.person |= {"login": "octocat", "id": 7}
    async with Browser(befriended) as browser:
        await browser.client.get(await browser.set_out())
    assert sorted(await session.scalars(select(Identity.subject))) == ["583231", "7"]


async def test_what_it_asks_of_github_names_state_and_challenge(befriended: Installation) -> None:
    async with Browser(befriended) as browser:
        first, second = [await browser.client.get(START) for _ in range(2)]
    asked = parse_qs(urlsplit(first.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["read:user"]
    assert len(asked["state"][0]) > 40
    assert asked["redirect_uri"] == [browser.base + CALLBACK]
    again = parse_qs(urlsplit(second.headers["location"]).query)
    assert asked["state"] != again["state"]
    assert asked["code_challenge"] != again["code_challenge"]
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=600" in cookie


async def test_another_browser_cannot_come_back(befriended: Installation, session: AsyncSession) -> None:
    async with Browser(befriended) as attacker, Browser(befriended) as victim:
        attackers_way_back = await attacker.set_out()
        # With no journey of their own, and with one.
        for _ in range(2):
            refused = await victim.client.get(attackers_way_back)
            assert refused.status_code == 401
            assert "set-cookie" not in refused.headers
            await victim.set_out()
        assert await victim.viewer() is None
    assert await session.scalar(select(func.count()).select_from(Session)) == 0


async def test_a_code_works_once(befriended: Installation, session: AsyncSession) -> None:
    async with Browser(befriended) as browser:
        back = await browser.set_out()
        journey = browser.client.cookies["tenet_github"]
        assert (await browser.client.get(back)).status_code == 303
        browser.client.cookies.clear()
        browser.client.cookies.set("tenet_github", journey)
        replayed = await browser.client.get(back)
        assert (replayed.status_code, replayed.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    assert await session.scalar(select(func.count()).select_from(Session)) == 1


async def test_a_stolen_code_is_worth_nothing_without_its_verifier(befriended: Installation) -> None:
    async with Browser(befriended) as victim, Browser(befriended) as attacker:
        code = parse_qs(urlsplit(await victim.set_out()).query)["code"][0]
        state = parse_qs(urlsplit(await attacker.set_out()).query)["state"][0]
        injected = await attacker.client.get(CALLBACK, params={"code": code, "state": state})
        assert injected.status_code == 401
        assert await attacker.viewer() is None


@pytest.mark.parametrize(
    "change",
    [
        {"state": "forged"},
        {"state": ""},
        {"state": "ÿ"},
        {"code": ""},
        {"code": "x" * 5000},
        {"error": "access_denied", "code": ""},
    ],
    ids=str,
)
async def test_a_forged_return_is_refused(befriended: Installation, change: dict[str, str]) -> None:
    async with Browser(befriended) as browser:
        query = {name: values[0] for name, values in parse_qs(urlsplit(await browser.set_out()).query).items()}
        refused = await browser.client.get(CALLBACK, params={**query, **change})
        assert refused.status_code == 401
        assert await browser.viewer() is None


@pytest.mark.parametrize("tamper", ["", ".", "x.y", "bnVsbA==.00", None])
async def test_a_journey_is_sealed(befriended: Installation, tamper: str | None) -> None:
    async with Browser(befriended) as browser:
        back = await browser.set_out()
        journey = browser.client.cookies["tenet_github"]
        browser.client.cookies.clear()
        browser.client.cookies.set("tenet_github", journey[:-1] + "0" + journey[-1] if tamper is None else tamper)
        assert (await browser.client.get(back)).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%0d%0aset-cookie:x=y\r\nx: y",
        "/\tevil",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/a\\b",
        "/ö",
        "/" + "x" * 1000,
        " /",
        "///evil.example",
        "http:///evil.example",
        "//[",
    ],
)
async def test_it_never_leads_anywhere_else(befriended: Installation, path: str) -> None:
    async with Browser(befriended) as browser:
        refused = await browser.client.get(START, params={"return_to": path})
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"
        assert "location" not in refused.headers


@given(st.text(max_size=60) | st.from_regex(r"[/\\]{0,3}[\w.:@%\\/ ]{0,20}", fullmatch=True))
def test_a_path_that_is_taken_stays_on_this_host(text: str) -> None:
    try:
        path = safe_path(text)
    except Invalid:
        return
    resolved = httpx.URL("https://tenet.example.com/auth/github/callback").join(path)
    assert (resolved.scheme, resolved.host) == ("https", "tenet.example.com")
    assert "\\" not in path


async def test_github_in_trouble_is_said_so(befriended: Installation, github: FakeGithub) -> None:
    for status, person in ((503, github.person), (200, {"login": "x"}), (200, {"id": True}), (200, {"id": "7"})):
        github.status, github.person = status, person
        async with Browser(befriended) as browser:
            refused = await browser.client.get(await browser.set_out())
            assert refused.status_code == 502
            assert refused.json()["errors"][0]["extensions"]["code"] == "UPSTREAM_ERROR"
            assert github.client_secret not in refused.text


async def test_what_github_tells_is_taken_as_far_as_it_fits(
    befriended: Installation, github: FakeGithub, session: AsyncSession
) -> None:
    github.person = {"id": 9, "login": 7, "name": "x\x00" * 500, "avatar_url": "javascript:alert(1)"}
    async with Browser(befriended) as browser:
        assert (await browser.client.get(await browser.set_out())).status_code == 303
        assert await browser.viewer() == {"login": "person", "name": None, "email": None, "avatarUrl": None}


async def test_coming_back_ends_the_session_that_the_browser_had(
    befriended: Installation, session: AsyncSession
) -> None:
    person = await befriended.person(session)
    async with Browser(befriended) as browser:
        back = await browser.set_out()
        browser.client.cookies.set("tenet_session", person.cookie)
        await browser.client.get(back)
    befriended.engine.callers.forget()
    assert (await befriended.ask(ME, cookie=person.cookie)).data == {"viewer": None}


async def test_without_an_application_there_is_no_such_way(home: Installation) -> None:
    async with Browser(home) as browser:
        for path in (START, CALLBACK):
            missing = await browser.client.get(path)
            assert missing.status_code == 404
