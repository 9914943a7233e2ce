"""Tokens as attackers make them, without the help of a library that would refuse to."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jose import jwt

ISSUER = "https://id.example.com/auth/v1"
AUDIENCE = "authenticated"


def encoded(value: Any) -> str:
    """Encode a part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: Any, claims: Any, secret: bytes | None, digest: str = "sha256") -> str:
    """Make a token signed by HMAC, or not signed at all."""
    head = f"{encoded(header)}.{encoded(claims)}"
    return f"{head}.{encoded(hmac.digest(secret, head.encode(), digest)) if secret is not None else ''}"


def now() -> int:
    """Tell the time as tokens do."""
    return int(datetime.now(UTC).timestamp())


def outside_claims(**over: Any) -> dict[str, Any]:
    """Claim what a good token of the outside issuer claims; a None takes a claim out."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "5f3b9a0e-0000-4000-8000-000000000001",
        "nbf": now(),
        "iat": now(),
        "exp": now() + 3600,
        **over,
    }
    return {name: value for name, value in claims.items() if value is not None}


class Pair:
    """A pair of keys of an issuer."""

    def __init__(self, key_id: str, algorithm: str = "RS256", *, bits: int = 2048) -> None:
        self.key_id = key_id
        self.algorithm = algorithm
        self.private: Any = (
            rsa.generate_private_key(65537, bits) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())
        )

    @property
    def pem(self) -> bytes:
        """The public key, as an attacker may find it."""
        return bytes(self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    @property
    def der(self) -> bytes:
        """The same in binary."""
        return bytes(self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key, as its issuer publishes it."""
        numbers = self.private.public_key().public_numbers()
        if self.algorithm == "RS256":
            parts: Mapping[str, int] = {"n": numbers.n, "e": numbers.e}
            told = {"kty": "RSA", **{name: _number(value) for name, value in parts.items()}}
        else:
            told = {"kty": "EC", "crv": "P-256", "x": _number(numbers.x, 32), "y": _number(numbers.y, 32)}
        return {**told, "kid": self.key_id, "use": "sig", "alg": self.algorithm}

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        """Sign as the issuer does."""
        headers = {"kid": self.key_id, **header}
        private = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return str(jwt.encode(dict(claims), private.decode(), algorithm=self.algorithm, headers=headers))


def _number(value: int, length: int | None = None) -> str:
    return encoded(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))
