"""Browsers in which somebody has signed in: known again after the session ended, though that alone opens nothing.

Whoever tries wrong passwords from a thousand addresses makes everybody wait who is new; this tells who is not.
"""

import hmac
from hashlib import sha256
from secrets import token_urlsafe

LIFETIME_SECONDS = 400 * 24 * 3600  # browsers keep nothing for longer
_LONGEST = 200


def vouch(secret: str, account: str) -> str:
    """Say for a browser that somebody has signed in there; nothing about it is kept here."""
    nonce = token_urlsafe(16)
    return f"{nonce}.{_mac(secret, account, nonce)}"


def vouches(secret: str, account: str, value: str | None) -> bool:
    """Tell whether a browser's word is ours, and about this account."""
    if value is None or len(value) > _LONGEST or not value.isascii():
        return False
    nonce, _, mac = value.partition(".")
    return hmac.compare_digest(mac, _mac(secret, account, nonce))


def _mac(secret: str, account: str, nonce: str) -> str:
    key = sha256(b"browser:" + secret.encode()).digest()
    return hmac.digest(key, f"{nonce}\n{account}".encode(), "sha256").hex()
