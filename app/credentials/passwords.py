"""Passwords: which are taken, and how they are kept; hashing runs in threads, a few at a time."""

import asyncio
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.domain.errors import Invalid, Unavailable

T = TypeVar("T")

SHORTEST = 8
LONGEST = 256

# The second choice of OWASP: 19 MiB and two passes, about 30 ms. Each hash in flight holds that memory and a core, so
# that only a few may be; the others wait, and beyond a bound they are told to come back.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_AT_ONCE = 2
_MOST_WAITING = 64
_threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")
_waiting = 0

# A hash in every respect, of nothing that anybody could type: whoever is unknown is checked against it, and takes as
# long as whoever is known.
_NOBODY = (
    f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    f"${b64encode(bytes(16)).decode().rstrip('=')}${b64encode(bytes(32)).decode().rstrip('=')}"
)

_SPELLINGS = str.maketrans("@013457$", "aoieasts")
# So many digits and signs around a common word, as a year with an exclamation mark, do not make it uncommon.
_DECORATION = 5


def check(password: str, *, email: str | None = None, field: str = "password") -> None:
    """Refuse a password that is too short, too long, among the commonest, or the person's own address."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise _refused(field, f"needs {SHORTEST} to {LONGEST} characters")
    spelt = _spelt(password).casefold()
    if email is not None and spelt in (email, email.partition("@")[0]):
        raise _refused(field, "is a part of the e-mail address")
    if _is_common(spelt):
        raise _refused(field, "is among the commonest, or one of them with a little around it")


async def hashed(password: str) -> str:
    """Hash a password to be kept."""
    return await _threaded(lambda: _HASHER.hash(_spelt(password)))


async def matches(password: str, kept: str | None) -> bool:
    """Tell whether a password is the one that is kept; for a person who has none that takes as long."""
    if len(password) > LONGEST:
        password, kept = "", None
    return await _threaded(lambda: _verified(kept or _NOBODY, _spelt(password)))


def outdated(kept: str) -> bool:
    """Tell whether a hash was made in another way than one would be today."""
    return _HASHER.check_needs_rehash(kept)


async def _threaded(work: Callable[[], T]) -> T:
    global _waiting
    if _waiting >= _MOST_WAITING:
        raise Unavailable("Too many people are signing in; try again.", retryAfter=1)
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work)
    finally:
        _waiting -= 1


def _verified(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def _spelt(password: str) -> str:
    """Two keyboards may type the same characters differently (NIST 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _is_common(spelt: str) -> bool:
    if len(set(spelt)) < 4:
        return True
    signless, core = (re.sub(f"^[^{kept}]+|[^{kept}]+$", "", spelt) for kept in ("a-z0-9", "a-z"))
    found = {spelt, signless, core, core.translate(_SPELLINGS)} & _common()
    return any(len(spelt) - len(word) <= _DECORATION for word in found)


@cache
def _common() -> frozenset[str]:
    """Read the top of the leaked lists; nothing below four letters or the shortest password has a place there."""
    return frozenset(files(__package__).joinpath("common.txt").read_text("utf-8").split())


def _refused(field: str, why: str) -> Invalid:
    return Invalid("This password cannot be used.", fields={field: why})
