"""An outside issuer: whose tokens are trusted besides our own, and by which keys."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog
from jose.exceptions import JOSEError
from jose.jwk import construct

from app.credentials.tokens import TrustedKey, check_claims, header_of, refused, verified
from app.domain.errors import Unavailable, UpstreamFailed

FRESH_SECONDS = 600.0
# How often strangers with made-up key ids can make us ask, and how often we ask an issuer that does not answer.
FLOOR_SECONDS = 60.0
# A key that its issuer withdrew is not trusted for longer than this, whatever keeps us from hearing of it.
STALE_SECONDS = 3600.0
MOST_KEYS = 32
SMALLEST_RSA_BITS = 2048

Fetch = Callable[[], Awaitable[bytes]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OutsideClaims:
    """Whom a token of an outside issuer names, until when, and what it tells of them."""

    issuer: str
    subject: str
    expires_at: datetime
    login: object
    name: object
    avatar_url: object


class Keys:
    """The public keys of an issuer: kept for a while, fetched again when a token names one that is not among them."""

    def __init__(self, fetch: Fetch, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._ticks = ticks
        self._keys: Mapping[str, TrustedKey] = {}
        self._fetched = self._tried = -STALE_SECONDS
        self._fetching = asyncio.Lock()

    async def get(self, key_id: str) -> TrustedKey:
        """Give the key with an id, or refuse."""
        if key_id not in self._keys or self._ticks() - self._fetched >= FRESH_SECONDS:
            await self._refresh(key_id)
        if self._ticks() - self._fetched >= STALE_SECONDS:
            raise Unavailable("The issuer of this token does not answer just now; try again.", retryAfter=5)
        if key_id not in self._keys:
            raise refused()
        return self._keys[key_id]

    async def _refresh(self, key_id: str) -> None:
        async with self._fetching:
            now = self._ticks()
            # While this one waited, another may have brought it.
            fresh = now - self._fetched < FRESH_SECONDS
            if (fresh and key_id in self._keys) or now - self._tried < FLOOR_SECONDS:
                return
            self._tried = now
            try:
                self._keys = trusted_keys(await self._fetch())
                self._fetched = self._ticks()
            except (UpstreamFailed, ValueError) as error:
                log.warning("the keys of the outside issuer could not be fetched", error=str(error))


@dataclass(frozen=True, slots=True)
class OutsideIssuer:
    """What makes a token of an outside issuer good: its key, our audience, and the claims it must have."""

    name: str
    audience: str
    keys: Keys | TrustedKey
    requires_nbf: bool = True

    async def read(self, token: str, *, now: datetime) -> OutsideClaims:
        """Check a token in every respect, or refuse it without saying which."""
        try:
            key = self.keys if isinstance(self.keys, TrustedKey) else await self.keys.get(_key_id(token))
            claims = verified(token, key)
            required = ("nbf",) if self.requires_nbf else ()
            expires_at = check_claims(claims, issuer=self.name, audience=self.audience, now=now, required=required)
        except Unavailable:
            raise
        # Of a malformed token parsers raise whatever they met.
        except Exception as error:
            raise refused() from error
        login = claims.get("preferred_username") or claims.get("nickname")
        return OutsideClaims(self.name, claims["sub"], expires_at, login, claims.get("name"), claims.get("picture"))


def shared_secret(secret: str) -> TrustedKey:
    """Trust a secret that we share with an issuer."""
    return TrustedKey(construct(secret.encode(), "HS256"), "HS256")


def trusted_keys(document: bytes) -> Mapping[str, TrustedKey]:
    """Read a set of keys; those of other kinds or uses, and weak ones, are left out."""
    told = orjson.loads(document)
    if not isinstance(told, dict) or not isinstance(told.get("keys"), list):
        raise ValueError("this is no set of keys")
    found = {}
    for key in told["keys"][:MOST_KEYS]:
        trusted = _trusted(key)
        if trusted is not None:
            found[key["kid"]] = trusted
    return found


def _trusted(key: Any) -> TrustedKey | None:
    if not isinstance(key, dict) or not isinstance(key.get("kid"), str) or key.get("use", "sig") != "sig":
        return None
    kind = (key.get("kty"), key.get("crv"))
    algorithm = "RS256" if kind == ("RSA", None) else "ES256" if kind == ("EC", "P-256") else None
    if algorithm is None or key.get("alg", algorithm) != algorithm:
        return None
    try:
        # A private part has no business here, and jose would take it.
        public_part = {name: key[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in key}
        built = construct(public_part, algorithm)
        if algorithm == "RS256" and built.prepared_key.key_size < SMALLEST_RSA_BITS:
            return None
    except (JOSEError, ValueError, TypeError, KeyError):
        return None
    return TrustedKey(built, algorithm)


def _key_id(token: str) -> str:
    key_id = header_of(token)["kid"]
    if not isinstance(key_id, str) or len(key_id) > 255:
        raise ValueError("no key id")
    return key_id
