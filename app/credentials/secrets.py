"""Secrets made at random: those of API keys, sessions and invitations; what is kept is their digest alone."""

import secrets
from enum import StrEnum
from hashlib import sha256

# 256 bits nobody guesses, so that one fast hash is enough to keep, and finding the row by it tells nothing by its time.
_BYTES = 32
_SHOWN = 8


class Prefix(StrEnum):
    """What a secret is for; whoever finds one in a log or a commit, people or scanners, knows what to revoke."""

    API_KEY = "tnt"
    SESSION = "tns"
    INVITATION = "tni"


def new(prefix: Prefix) -> str:
    """Make a secret."""
    return f"{prefix}_{secrets.token_hex(_SHOWN // 2)}{secrets.token_urlsafe(_BYTES)}"


def prefix_of(secret: str) -> str:
    """Give the part of a secret by which people may recognize it."""
    return secret[: len(Prefix.API_KEY) + 1 + _SHOWN]


def looks_like(prefix: Prefix, text: str) -> bool:
    """Tell whether a text claims to be a secret of a kind; only the database knows whether it is one."""
    return text.startswith(f"{prefix}_") and len(text) == 4 + _SHOWN + 43 and text.isascii()


def digest(secret: str) -> bytes:
    """Digest a secret, as it is kept."""
    return sha256(secret.encode()).digest()
