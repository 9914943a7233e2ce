"""Identifiers: UUIDv7 inside, an opaque prefixed text outside, so that `node(id:)` knows where to look."""

import os
import re
import threading
import time
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from app.domain.errors import Invalid


class Kind(StrEnum):
    """What an id points at; the value is the prefix that clients see."""

    USER = "usr"
    MEMBERSHIP = "mem"
    ORGANIZATION = "org"
    INVITATION = "inv"
    API_KEY = "key"
    AUDIT_ENTRY = "aud"
    REPO = "repo"
    INGESTION_RUN = "run"
    PATTERN = "pat"
    EVIDENCE = "evi"
    PROVENANCE = "pro"
    PATTERN_EVENT = "pev"
    CHECK = "chk"
    VIOLATION = "vio"
    FAILED_JOB = "job"


_PUBLIC = re.compile(r"([a-z]{3,4})_([0-9a-f]{32})")
_KINDS = {kind.value for kind in Kind}
_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """Make a UUIDv7 that sorts after every one this process made before."""
    global _last
    # 48 bits of milliseconds and 12 bits below them: within one process the order of ids is the order of creation,
    # which keyset pages by creation rely on.
    ticks = time.time_ns() * 4096 // 1_000_000
    with _lock:
        _last = ticks = max(ticks, _last + 1)
    milliseconds, fraction = divmod(ticks, 4096)
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)


def public(kind: Kind, identifier: UUID) -> str:
    """Spell an id as clients see it."""
    return f"{kind.value}_{identifier.hex}"


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[Kind, UUID]:
    """Read a public id of any kind, or refuse it; the same few name what people look at, over and over."""
    found = _PUBLIC.fullmatch(text) if len(text) <= 40 else None
    if found is None or found[1] not in _KINDS:
        raise Invalid("This is not an id of this service.", fields={"id": "malformed"})
    return Kind(found[1]), UUID(hex=found[2])


def parse_as(kind: Kind, text: str, *, field: str = "id") -> UUID:
    """Read a public id that must be of one kind, or refuse it and name the field."""
    try:
        found, identifier = parse(text)
    except Invalid:
        raise Invalid("This is not an id of this service.", fields={field: "malformed"}) from None
    if found is not kind:
        raise Invalid("This is the id of another kind of object.", fields={field: f"must begin with {kind.value}_"})
    return identifier
