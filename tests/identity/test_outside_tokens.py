"""Tokens of an outside issuer: which are trusted, and what attackers get for the others."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings, SettingsError
from app.credentials.issuer import FLOOR_SECONDS, FRESH_SECONDS, STALE_SECONDS, Keys, trusted_keys
from app.db.models import AuditEntry, Identity, User
from app.domain.errors import Unauthenticated, Unavailable, UpstreamFailed
from resolvers.callers import PROVEN_SECONDS
from tests import factories as make
from tests.identity.conftest import Install
from tests.identity.fakes import FakeIssuer
from tests.identity.forging import AUDIENCE, ISSUER, Pair, encoded, now, outside_claims, signed
from tests.identity.installation import SECRET, Installation

ME = "{viewer{login name email}}"
SHARED = "a secret that the issuer shares with us alone"

RSA, ELLIPTIC, OTHER = Pair("rsa-1"), Pair("ec-1", "ES256"), Pair("rsa-1")


@pytest.fixture
async def issuer() -> AsyncIterator[tuple[FakeIssuer, str]]:
    """An issuer with a key of each kind."""
    fake = FakeIssuer([RSA, ELLIPTIC])
    async with fake.serving() as url:
        yield fake, url


@pytest.fixture
async def federated(install: Install, issuer: tuple[FakeIssuer, str]) -> AsyncIterator[Installation]:
    """An installation that trusts this issuer's keys."""
    async with install(issuer=ISSUER, issuer_audience=AUDIENCE, issuer_keys_url=issuer[1]) as made:
        yield made


@pytest.mark.parametrize("pair", [RSA, ELLIPTIC], ids=["RS256", "ES256"])
async def test_first_sight_of_a_valid_subject_makes_a_user(
    federated: Installation, session: AsyncSession, pair: Pair
) -> None:
    # Somebody has the same address here already: that proves nothing about who this is.
    await make.user(session, email="ada@example.com")
    claims = outside_claims(
        email="ada@example.com", email_verified=True, preferred_username="Ada L.", name="Ada Lovelace"
    )
    for token in (pair.sign(claims), pair.sign({**claims, "iat": now() - 1})):
        told = (await federated.ask(ME, token=token)).data
        assert told == {"viewer": {"login": "ada-l", "name": "Ada Lovelace", "email": None}}
    assert await session.scalar(select(func.count()).select_from(User)) == 2
    identity = await session.scalar(select(Identity))
    assert identity is not None
    assert (identity.issuer, identity.subject) == (ISSUER, claims["sub"])
    assert (await session.scalars(select(AuditEntry.action))).all() == ["signUp"]


async def test_two_first_requests_at_once_make_one_user(federated: Installation, session: AsyncSession) -> None:
    tokens = [RSA.sign(outside_claims(iat=now() - age)) for age in range(6)]
    replies = await asyncio.gather(*(federated.ask(ME, token=token) for token in tokens))
    assert len({reply.data["viewer"]["login"] for reply in replies}) == 1
    assert await session.scalar(select(func.count()).select_from(User)) == 1


async def test_a_secret_may_be_shared_instead(install: Install) -> None:
    async with install(issuer=ISSUER, issuer_audience=AUDIENCE, issuer_secret=SHARED) as home:
        good = signed({"alg": "HS256", "typ": "JWT"}, outside_claims(aud=["other", AUDIENCE]), SHARED.encode())
        assert (await home.ask(ME, token=good)).data["viewer"] is not None
        for header, secret, digest in (
            ({"alg": "HS256"}, b"", "sha256"),
            ({"alg": "HS256"}, b"guessed", "sha256"),
            ({"alg": "HS256"}, SECRET.encode(), "sha256"),
            ({"alg": "HS512"}, SHARED.encode(), "sha512"),
            ({"alg": "none"}, None, "sha256"),
            ({"alg": "HS256", "crit": ["b64"], "b64": False}, SHARED.encode(), "sha256"),
        ):
            forged = signed(header, outside_claims(), secret, digest)
            assert (await home.ask(ME, token=forged)).code == "UNAUTHENTICATED", header


WRONG: list[dict[str, Any]] = [
    *({name: None} for name in ("sub", "aud", "exp", "nbf")),
    {"aud": "other"},
    {"aud": ["other", "else"]},
    {"aud": 7},
    {"sub": ""},
    {"sub": 7},
    {"sub": "x" * 256},
    {"sub": "nul\x00"},
    {"exp": 1},
    {"exp": "soon"},
    {"exp": True},
    {"nbf": 9_999_999_999},
    {"nbf": "now"},
    {"iat": 9_999_999_999},
    {"iss": ISSUER + "/"},
    {"iss": None},
    {"iss": [ISSUER]},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
async def test_each_claim_is_needed_and_checked(
    federated: Installation, session: AsyncSession, wrong: dict[str, Any]
) -> None:
    assert (await federated.ask(ME, token=RSA.sign(outside_claims(**wrong)))).code == "UNAUTHENTICATED"
    assert await session.scalar(select(func.count()).select_from(User)) == 0


async def test_an_issuer_that_says_no_nbf_must_be_known_for_it(
    install: Install, issuer: tuple[FakeIssuer, str]
) -> None:
    known = {"issuer": ISSUER, "issuer_audience": AUDIENCE, "issuer_keys_url": issuer[1]}
    async with install(**known, issuer_requires_nbf=False) as home:
        assert (await home.ask(ME, token=RSA.sign(outside_claims(nbf=None)))).codes == []
        assert (await home.ask(ME, token=RSA.sign(outside_claims(nbf=9_999_999_999)))).code == "UNAUTHENTICATED"


def confused(key: bytes, key_id: str = "rsa-1", algorithm: str = "HS256") -> str:
    return signed({"alg": algorithm, "kid": key_id}, outside_claims(), key)


@pytest.mark.parametrize(
    ("attack", "token"),
    [
        ("no signature", signed({"alg": "none", "kid": "rsa-1"}, outside_claims(), None)),
        ("an empty secret", confused(b"")),
        ("the public key in PEM as a secret", confused(RSA.pem)),
        ("the public key in PEM, trimmed", confused(RSA.pem.strip())),
        ("the public key in DER as a secret", confused(RSA.der)),
        ("the elliptic key in DER as a secret", confused(ELLIPTIC.der, "ec-1")),
        ("the modulus as a secret", confused(RSA.jwk["n"].encode())),
        ("RS256 said, HMAC done", confused(RSA.pem, algorithm="RS256")),
        ("another key under a known id", OTHER.sign(outside_claims())),
        ("an elliptic signature under an RSA id", ELLIPTIC.sign(outside_claims(), kid="rsa-1")),
        ("an RSA signature under an elliptic id", RSA.sign(outside_claims(), kid="ec-1")),
        ("an unknown key id", RSA.sign(outside_claims(), kid="rsa-2")),
        ("a key id that is a path", RSA.sign(outside_claims(), kid="../../etc/passwd")),
        ("a key id that is a list", signed({"alg": "RS256", "kid": ["rsa-1"]}, outside_claims(), b"x")),
        ("a long key id", RSA.sign(outside_claims(), kid="k" * 2000)),
        ("no key id", signed({"alg": "RS256"}, outside_claims(), b"x")),
        ("a key of its own", OTHER.sign(outside_claims(), kid="mine", jwk=OTHER.jwk)),
        ("an address of keys of its own", OTHER.sign(outside_claims(), kid="mine", jku="https://evil.example/keys")),
        ("our own issuer, their key", RSA.sign(outside_claims(iss="tenet", aud="tenet"))),
        ("a demand we do not know", RSA.sign(outside_claims(), crit=["exp"])),
        ("a huge token", RSA.sign(outside_claims(pad="x" * 9000))),
        ("claims that are a list", signed({"alg": "RS256", "kid": "rsa-1"}, [1], b"x")),
        ("five parts", ".".join(["x"] * 5)),
    ],
    ids=lambda value: value if " " in value else "",
)
async def test_attacks(federated: Installation, session: AsyncSession, attack: str, token: str) -> None:
    refused = await federated.ask(ME, token=token)
    assert (refused.response.status_code, refused.code) == (401, "UNAUTHENTICATED"), attack
    assert await session.scalar(select(func.count()).select_from(User)) == 0


async def test_a_token_that_expires_is_refused_from_then_on(federated: Installation) -> None:
    token = RSA.sign(outside_claims(exp=now() + 5))
    assert (await federated.ask(ME, token=token)).codes == []
    federated.clock.passed = timedelta(seconds=16)
    assert (await federated.ask(ME, token=token)).code == "UNAUTHENTICATED"


async def test_a_token_of_a_key_that_was_withdrawn_is_not_trusted_for_having_been_seen(
    federated: Installation, issuer: tuple[FakeIssuer, str]
) -> None:
    ticks = [0.0]
    outside, callers = federated.runtime.issuer, federated.engine.callers
    assert outside is not None
    assert isinstance(outside.keys, Keys)
    outside.keys._ticks = callers._ticks = lambda: ticks[0]
    token = RSA.sign(outside_claims())
    assert (await federated.ask(ME, token=token)).codes == []
    issuer[0].pairs.remove(RSA)
    ticks[0] = PROVEN_SECONDS - 1
    assert (await federated.ask(ME, token=token)).codes == []
    ticks[0] = PROVEN_SECONDS
    assert (await federated.ask(ME, token=token)).code == "UNAUTHENTICATED"
    assert PROVEN_SECONDS <= FRESH_SECONDS


async def test_outside_tokens_are_renewed_outside(federated: Installation) -> None:
    token = RSA.sign(outside_claims())
    renewed = await federated.ask("mutation{createAccessToken{accessToken}}", token=token)
    assert renewed.code == "FORBIDDEN"
    out = await federated.ask("mutation{signOut{signedOut}}", token=token)
    assert out.data == {"signOut": {"signedOut": False}}


async def test_keys_are_asked_for_once_and_again_for_an_unknown_one_but_not_often() -> None:
    ticks, asked, published = [0.0], [0], [RSA]

    async def fetch() -> bytes:
        asked[0] += 1
        return document(*published)

    keys = Keys(fetch, ticks=lambda: ticks[0])
    await asyncio.gather(*(keys.get("rsa-1") for _ in range(20)))
    assert asked == [1]
    fresh = Pair("rsa-9")
    for _ in range(20):
        with pytest.raises(Unauthenticated):
            await keys.get("rsa-9")
    assert asked == [1], "an unknown id asks again, but not within a minute of the last time"
    published.append(fresh)
    ticks[0] = FLOOR_SECONDS
    assert (await keys.get("rsa-9")).algorithm == "RS256"
    assert asked == [2]
    ticks[0] += FRESH_SECONDS
    published.remove(RSA)
    with pytest.raises(Unauthenticated):
        await keys.get("rsa-1")
    assert asked == [3], "a key that was withdrawn is not trusted when the ten minutes are over"


async def test_an_issuer_that_is_away_is_asked_seldom_and_trusted_for_an_hour() -> None:
    ticks, asked, away = [0.0], [0], [True]

    async def fetch() -> bytes:
        asked[0] += 1
        if away[0]:
            raise UpstreamFailed("away")
        return document(RSA)

    keys = Keys(fetch, ticks=lambda: ticks[0])
    for _ in range(5):
        with pytest.raises(Unavailable):
            await keys.get("rsa-1")
    assert asked == [1]
    ticks[0], away[0] = FLOOR_SECONDS, False
    assert (await keys.get("rsa-1")).algorithm == "RS256"
    away[0] = True
    ticks[0] += STALE_SECONDS - 1
    assert (await keys.get("rsa-1")).algorithm == "RS256"
    ticks[0] += 2
    with pytest.raises(Unavailable):
        await keys.get("rsa-1")


@pytest.mark.parametrize("answer", [{}, {"keys": 1}, [], "keys", {"keys": [1, None, {"kty": "RSA"}]}, None])
async def test_nonsense_from_the_issuer_trusts_nobody(
    install: Install, issuer: tuple[FakeIssuer, str], answer: Any
) -> None:
    issuer[0].answer = answer
    issuer[0].status = 500 if answer is None else 200
    async with install(issuer=ISSUER, issuer_audience=AUDIENCE, issuer_keys_url=issuer[1]) as home:
        refused = await home.ask(ME, token=RSA.sign(outside_claims()))
        assert refused.code in ("UNAVAILABLE", "UNAUTHENTICATED")
        assert issuer[0].asked == 1


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"alg": "RS512"},
        {"alg": "HS256"},
        {"kty": "oct", "k": encoded(b"secret")},
        {"kid": None},
        {"kid": 7},
        {"n": "AQAB"},
        {"n": None},
        {"crv": "P-256"},
    ],
    ids=str,
)
def test_keys_for_anything_else_are_left_out(change: dict[str, Any]) -> None:
    jwk = {name: value for name, value in {**RSA.jwk, **change}.items() if value is not None}
    assert trusted_keys(document_of(jwk)) == {}
    assert list(trusted_keys(document_of(jwk, ELLIPTIC.jwk))) == ["ec-1"]


def test_weak_keys_are_left_out() -> None:
    assert trusted_keys(document(Pair("weak", bits=1024))) == {}


def test_settings_say_what_is_missing() -> None:
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"issuer": ISSUER}, "TENET_ISSUER_AUDIENCE"),
        ({"issuer": "tenet", "issuer_audience": "a"}, "TENET_ISSUER"),
        ({"issuer": "supabase", "issuer_audience": "a"}, "TENET_ISSUER_KEYS_URL"),
        ({"issuer": ISSUER, "issuer_audience": "a", "issuer_secret": SHARED, "issuer_keys_url": ISSUER}, "TENET_ISS"),
        ({"github_client_id": "x"}, "TENET_GITHUB_CLIENT_ID"),
    )
    for wrong, variable in cases:
        with pytest.raises(SettingsError, match=variable):
            Settings(_env_file=None, **wrong)
    with pytest.raises(ValueError, match="at least 32 characters"):
        Settings(_env_file=None, issuer=ISSUER, issuer_audience="a", issuer_secret="short")


def document(*pairs: Pair) -> bytes:
    return document_of(*(pair.jwk for pair in pairs))


def document_of(*keys: dict[str, Any]) -> bytes:
    return orjson.dumps({"keys": list(keys)})
