"""What a page on another site can do with its visitor's cookie: nothing."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.identity.conftest import Install
from tests.identity.installation import Installation

ME = "{viewer{login}}"
SIGN_OUT = "mutation{signOut{signedOut}}"
EVIL = "https://evil.example"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": f"{EVIL}:443"},
        {"origin": EVIL, "x-tenet-csrf": "1"},
        {"origin": EVIL, "sec-fetch-site": "same-origin"},
    ],
    ids=str,
)
async def test_a_post_from_elsewhere_is_refused(
    home: Installation, session: AsyncSession, headers: dict[str, str]
) -> None:
    person = await home.person(session)
    for document in (ME, SIGN_OUT):
        refused = await home.ask(document, cookie=person.cookie, headers=headers)
        assert (refused.response.status_code, refused.code) == (403, "FORBIDDEN")
        assert "access-control-allow-origin" not in refused.response.headers
    assert (await home.ask(ME, cookie=person.cookie)).data["viewer"] is not None


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_what_a_form_can_send_is_no_request(home: Installation, session: AsyncSession, kind: str) -> None:
    person = await home.person(session)
    refused = await home.ask(SIGN_OUT, cookie=person.cookie, headers={"content-type": kind})
    assert refused.response.status_code == 415


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}], ids=str)
async def test_an_image_cannot_read(home: Installation, session: AsyncSession, headers: dict[str, str]) -> None:
    person = await home.person(session)
    cookie = {"cookie": f"tenet_session={person.cookie}"}
    assert (await home.service.get(ME, **cookie, **headers)).status_code == 403
    assert (await home.service.get(ME, **cookie, **headers, x_tenet_csrf="1")).status_code == 200
    assert (await home.service.get(ME, **cookie, sec_fetch_site="same-origin")).status_code == 200
    # A mutation is no link, whoever clicks on it.
    assert (await home.service.get(SIGN_OUT, **cookie, x_tenet_csrf="1")).status_code == 405


async def test_our_own_page_and_known_front_ends_may(install: Install, session: AsyncSession) -> None:
    friend = "https://app.example.com"
    async with install(origins=(friend,), public_url="https://tenet.example.com") as home:
        person = await home.person(session)
        here = f"http://127.0.0.1:{home.service.port}"
        for origin in (friend, here, "https://tenet.example.com"):
            asked = await home.ask(ME, cookie=person.cookie, headers={"origin": origin})
            assert asked.data["viewer"] is not None
        allowed = (await home.ask(ME, cookie=person.cookie, headers={"origin": friend})).response.headers
        assert allowed["access-control-allow-origin"] == friend
        assert allowed["access-control-allow-credentials"] == "true"


async def test_a_token_needs_no_such_care(home: Installation, session: AsyncSession) -> None:
    person = await home.person(session)
    asked = await home.ask(ME, token=person.token, cookie=person.cookie, headers={"origin": EVIL})
    assert asked.data["viewer"] is not None


async def test_a_cookie_that_comes_twice_is_none(home: Installation, session: AsyncSession) -> None:
    person, other = await home.person(session), await home.person(session)
    planted = {"cookie": f"tenet_session={other.cookie}; tenet_session={person.cookie}"}
    assert (await home.ask(ME, headers=planted)).data == {"viewer": None}


@pytest.mark.parametrize(
    "cookie", ["", "tns_", "x" * 60_000, "tns_" + "ÿ" * 51, "tns_" + "0" * 51, '"', "tnt_" + "0" * 51]
)
async def test_a_cookie_of_nonsense_is_nobodys(home: Installation, cookie: str) -> None:
    headers = [(b"cookie", f"a=b; tenet_session={cookie}; c".encode("latin-1"))]
    response = await home.service.client.post(home.service.url, json={"query": ME}, headers=headers)
    assert response.json()["data"] == {"viewer": None}
