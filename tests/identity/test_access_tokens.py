"""Our own access tokens, and what happens to those that somebody else has made."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials import tokens
from app.domain.errors import Unauthenticated
from app.domain.ids import Kind, public
from tests.identity.forging import encoded, now, signed
from tests.identity.installation import SECRET, Installation

ME = "{viewer{login}}"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = sha256(b"access token:" + SECRET.encode()).hexdigest().encode()


def claims_of(user_id: str, session_id: str, **over: Any) -> dict[str, Any]:
    claims = {
        "iss": "tenet",
        "aud": "tenet",
        "sub": user_id,
        "sid": session_id,
        "iat": now(),
        "nbf": now(),
        "exp": now() + 600,
        "jti": "x",
        "typ": "access",
        **over,
    }
    return {name: value for name, value in claims.items() if value is not None}


HEADER = {"alg": "HS256", "typ": "JWT"}

# What an attacker writes into a token that is signed by the right key: each must be refused for what it claims.
WRONG_CLAIMS: list[dict[str, Any]] = [
    *({name: None} for name in ("iss", "aud", "sub", "sid", "iat", "nbf", "exp", "typ")),
    {"exp": 1},
    {"exp": "9999999999"},
    {"exp": True},
    {"exp": 1e300},
    {"exp": -1},
    {"exp": {}},
    {"nbf": 9_999_999_999},
    {"nbf": "now"},
    {"iat": 9_999_999_999},
    {"iat": [0]},
    {"iss": "https://evil.example"},
    {"iss": ["tenet"]},
    {"aud": "elsewhere"},
    {"aud": []},
    {"aud": {"tenet": 1}},
    {"aud": None},
    {"sub": 7},
    {"sub": ""},
    {"sub": "usr_1"},
    {"sub": public(Kind.ORGANIZATION, UUID(int=7))},
    {"sub": "x" * 300},
    {"sid": "no id"},
    {"sid": 7},
    {"typ": "refresh"},
    {"typ": True},
]


async def test_a_token_that_we_sign_opens_the_door(home: Installation, session: AsyncSession) -> None:
    person = await home.person(session)
    assert (await home.ask(ME, token=person.token)).data == {"viewer": {"login": person.user.login}}
    same = signed(HEADER, claims_of(person.id, person.session.id.hex), KEY)
    assert (await home.ask(ME, token=same)).data == {"viewer": {"login": person.user.login}}


@pytest.mark.parametrize("wrong", WRONG_CLAIMS, ids=str)
async def test_each_claim_is_needed_and_checked(
    home: Installation, session: AsyncSession, wrong: dict[str, Any]
) -> None:
    person = await home.person(session)
    forged = signed(HEADER, claims_of(person.id, person.session.id.hex, **wrong), KEY)
    refused = await home.ask(ME, token=forged)
    assert (refused.response.status_code, refused.code) == (401, "UNAUTHENTICATED")
    assert refused.body["errors"][0]["message"] == tokens.refused().message


@pytest.mark.parametrize(
    ("header", "secret", "digest"),
    [
        ({"alg": "none"}, None, "sha256"),
        ({"alg": "None", "typ": "JWT"}, None, "sha256"),
        ({"alg": "nOnE"}, KEY, "sha256"),
        (HEADER, None, "sha256"),
        (HEADER, b"", "sha256"),
        ({"alg": "HS512"}, KEY, "sha512"),
        ({"alg": "HS384"}, KEY, "sha384"),
        ({"alg": "RS256"}, KEY, "sha256"),
        ({"alg": ""}, KEY, "sha256"),
        ({}, KEY, "sha256"),
        ({"alg": ["HS256"]}, KEY, "sha256"),
        ({"alg": None}, KEY, "sha256"),
        ({**HEADER, "crit": ["exp"]}, KEY, "sha256"),
        (HEADER, SECRET.encode(), "sha256"),
        (HEADER, b"null", "sha256"),
        ({**HEADER, "kid": "../../../../dev/null"}, b"", "sha256"),
        ({**HEADER, "kid": "' UNION SELECT 'key"}, b"key", "sha256"),
        ({**HEADER, "jwk": {"kty": "oct", "k": encoded(b"mine")}}, b"mine", "sha256"),
        ({**HEADER, "jku": "https://evil.example/keys"}, b"mine", "sha256"),
        ({**HEADER, "x5u": "https://evil.example/chain"}, b"mine", "sha256"),
    ],
    ids=str,
)
async def test_the_header_chooses_nothing(
    home: Installation, session: AsyncSession, header: Any, secret: bytes | None, digest: str
) -> None:
    person = await home.person(session)
    forged = signed(header, claims_of(person.id, person.session.id.hex), secret, digest)
    assert (await home.ask(ME, token=forged)).code == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "text",
    [
        "a.b.c",
        "..",
        ".",
        "x",
        "a.b",
        "a.b.c.d.e",  # the form of an encrypted token
        encoded(HEADER) + "." + encoded({}) + ".",
        encoded([1]) + "." + encoded([1]) + ".x",
        encoded(b"[" * 3000) + "." + encoded({}) + ".x",
        encoded(HEADER) + "." + encoded(b'{"a":' * 1500) + ".x",
        "x" * 8193,
        "x" * 500_000,
        encoded(HEADER) + "." + encoded({"pad": "x" * 20_000}) + ".x",
        "tnt_" + "0" * 51,
        "tnt_",
        "tns_" + "0" * 51,
        "ÿ.ÿ.ÿ",
    ],
    ids=lambda text: text[:20],
)
async def test_what_is_no_token_is_refused_as_one(home: Installation, text: str) -> None:
    sent = [(b"authorization", f"Bearer {text}".encode("latin-1")), (b"content-type", b"application/json")]
    refused = await home.service.client.post(home.service.url, json={"query": ME}, headers=sent)
    # A header of 500 kB is refused by the server itself, before anybody reads it.
    assert refused.status_code == (431 if len(text) > 65_536 else 401)


@pytest.mark.parametrize("header", ["", "Bearer", "Basic dXNlcjpwYXNz", "tnt_x", "bearer\tx y"])
async def test_another_form_of_authorization_is_refused(home: Installation, header: str) -> None:
    refused = await home.ask(ME, headers={"authorization": header})
    assert (refused.response.status_code, refused.code) == (401, "UNAUTHENTICATED")


async def test_two_authorization_headers_are_none(home: Installation, session: AsyncSession) -> None:
    person = await home.person(session)
    request = home.service.client.build_request(
        "POST", home.service.url, json={"query": ME}, headers=[("authorization", f"Bearer {person.token}")] * 2
    )
    assert (await home.service.client.send(request)).status_code == 401


async def test_a_token_holds_only_with_its_own_session(home: Installation, session: AsyncSession) -> None:
    ada, bob = await home.person(session), await home.person(session)
    for user, opened in ((ada.id, bob.session.id.hex), (ada.id, uuid4().hex)):
        assert (await home.ask(ME, token=signed(HEADER, claims_of(user, opened), KEY))).code == "UNAUTHENTICATED"


def test_a_little_leeway_is_given_and_no_more() -> None:
    user_id, session_id = uuid4(), uuid4()
    token = tokens.sign(SECRET, user_id, session_id, now=NOW, expires_at=NOW + tokens.LIFETIME)
    for early_or_late in (timedelta(seconds=-9), timedelta(), tokens.LIFETIME + timedelta(seconds=9)):
        assert tokens.read(SECRET, token, now=NOW + early_or_late).session_id == session_id
    for too_early_or_late in (timedelta(seconds=-11), tokens.LIFETIME + timedelta(seconds=11)):
        with pytest.raises(Unauthenticated):
            tokens.read(SECRET, token, now=NOW + too_early_or_late)
    with pytest.raises(Unauthenticated):
        tokens.read("another secret of another installation", token, now=NOW)


@given(st.text(max_size=400) | st.from_regex(r"[\w-]{1,80}\.[\w-]{1,200}\.[\w-]{0,80}", fullmatch=True))
def test_no_text_breaks_the_reader(text: str) -> None:
    tokens.issuer_of(text)
    with pytest.raises(Unauthenticated):
        tokens.read(SECRET, text, now=NOW)


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_not_one_bit_may_change(position: int, bit: int) -> None:
    token = tokens.sign(SECRET, uuid4(), uuid4(), now=NOW, expires_at=NOW + tokens.LIFETIME)
    position %= len(token)
    flipped = token[:position] + chr(ord(token[position]) ^ (1 << bit)) + token[position + 1 :]
    try:
        read = tokens.read(SECRET, flipped, now=NOW)
    except Unauthenticated:
        return
    # The last character of each part has bits that stand for nothing.
    assert read == tokens.read(SECRET, token, now=NOW)
