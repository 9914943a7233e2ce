"""Access tokens: our own, and what every token has to say.

A key has one algorithm, and we say which; what a token's header says only has to agree. jose checks the signature,
what a token claims is checked here: jose takes a missing claim for granted, and knows no time but the system's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from jose import jws, jwt
from jose.backends.base import Key
from jose.jwk import construct

from app.domain.errors import Unauthenticated
from app.domain.ids import Kind, new_id, parse_as, public

ISSUER = AUDIENCE = "tenet"
ACCESS = "access"
LIFETIME = timedelta(minutes=15)
LEEWAY = timedelta(seconds=10)
# Ours have about 450 characters. Others put groups and profiles into theirs; nothing longer is worth parsing.
LONGEST = 8192
LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What one of our access tokens says."""

    user_id: UUID
    session_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key with the one algorithm that it is for."""

    key: Key
    algorithm: str


def refused() -> Unauthenticated:
    """Make the one refusal of a token: what was wrong with it is nobody's business."""
    return Unauthenticated("The access token is not valid, or not any more; sign in again.")


def sign(secret: str, user_id: UUID, session_id: UUID, *, now: datetime, expires_at: datetime) -> str:
    """Sign that its bearer is a user who signed in, until a moment or the end of that session."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": public(Kind.USER, user_id),
        "sid": session_id.hex,
        "iat": now,
        "nbf": now,
        "exp": expires_at,
        "jti": new_id().hex,
        "typ": ACCESS,
    }
    own = _own(secret)
    return str(jwt.encode(claims, own.key, algorithm=own.algorithm))


def read(secret: str, token: str, *, now: datetime) -> AccessClaims:
    """Check one of our tokens in every respect, or refuse it without saying which."""
    try:
        claims = verified(token, _own(secret))
        expires_at = check_claims(claims, issuer=ISSUER, audience=AUDIENCE, now=now, required=("iat", "nbf"))
        if claims.get("typ") != ACCESS:
            raise ValueError("a token for another purpose")
        return AccessClaims(parse_as(Kind.USER, claims["sub"], field="sub"), UUID(hex=claims["sid"]), expires_at)
    # Of a malformed token parsers raise whatever they met: KeyError, TypeError, RecursionError and more.
    except Exception as error:
        raise refused() from error


def issuer_of(token: str) -> str | None:
    """Tell who a token claims to come from; nothing is proved by it but whose key it has to fit."""
    try:
        header_of(token)
        issuer = jwt.get_unverified_claims(token).get("iss")
    except Exception:  # as above
        return None
    return issuer if isinstance(issuer, str) else None


def header_of(token: str) -> Mapping[str, Any]:
    """Give the header of what has the form of a token, unproved; raises where it has not."""
    if len(token) > LONGEST or token.count(".") != 2 or not token.isascii():
        raise ValueError("no token")
    header: Mapping[str, Any] = jws.get_unverified_header(token)
    return header


def verified(token: str, trusted: TrustedKey) -> Mapping[str, Any]:
    """Give what a token claims once its signature fits; raises anything where it does not."""
    header = header_of(token)
    if header.get("alg") != trusted.algorithm or "crit" in header:
        raise ValueError("another algorithm than the key's, or a demand we do not know")
    claims = orjson.loads(jws.verify(token, trusted.key, algorithms=[trusted.algorithm]))
    if not isinstance(claims, dict):
        raise TypeError("claims that are no object")
    return claims


def check_claims(
    claims: Mapping[str, Any], *, issuer: str, audience: str, now: datetime, required: tuple[str, ...]
) -> datetime:
    """Check the claims that every token needs, or raise; gives the moment when it expires."""
    subject, audiences = claims["sub"], claims["aud"]
    if claims["iss"] != issuer:
        raise ValueError("another issuer")
    if audience not in (audiences if isinstance(audiences, list) else [audiences]):
        raise ValueError("another audience")
    if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise ValueError("no subject")
    for name in {*required, "nbf", "iat"}:
        if (name in required or name in claims) and _moment(claims[name]) > now + LEEWAY:
            raise ValueError("not valid yet")
    expires_at = _moment(claims["exp"])
    if expires_at + LEEWAY <= now:
        raise ValueError("expired")
    return expires_at


def _moment(value: object) -> datetime:
    # For Python, true is a number too.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no moment")
    return datetime.fromtimestamp(value, UTC)


@lru_cache(maxsize=4)
def _own(secret: str) -> TrustedKey:
    # A key of its own for each purpose of the one secret. Handed a bare text, jose would guess what it is.
    return TrustedKey(construct(sha256(b"access token:" + secret.encode()).hexdigest(), "HS256"), "HS256")
