"""Which form of answer a client asked for."""

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache


class Media(Enum):
    """The forms an answer can have."""

    RESPONSE = "application/graphql-response+json"
    JSON = "application/json"
    EVENTS = "text/event-stream"
    HTML = "text/html"


_NAMED = {media.value.encode(): media for media in Media}
_WILD = (b"*/*", b"application/*")


def negotiate(accept: bytes | None, offers: tuple[Media, ...]) -> Media | None:
    """Choose the first acceptable of the best quality, in the client's order; None where nothing fits.

    The order decides between equals, though RFC 9110 gives it no meaning: urql and others list text/event-stream after
    JSON on every request, and mean JSON.
    """
    if not accept:
        return Media.JSON
    if len(accept) > 512:
        return _choose(accept, offers)
    return _remembered(accept, offers)


def accepts_gzip(accept_encoding: bytes | None) -> bool:
    """Tell whether the client can unpack gzip."""
    return accept_encoding is not None and b"gzip" in accept_encoding and _gzip(accept_encoding[:256])


def _choose(accept: bytes, offers: tuple[Media, ...]) -> Media | None:
    ranges = _ranges(accept)
    unwanted = {_NAMED.get(name) for quality, name in ranges if quality == 0}
    for quality, name in ranges:
        if quality == 0:
            continue
        # For a client that takes anything, plain JSON surprises least.
        wished: Sequence[Media | None] = (Media.JSON, Media.RESPONSE) if name in _WILD else (_NAMED.get(name),)
        for media in wished:
            if media in offers and media not in unwanted:
                return media
    return None


_remembered = lru_cache(maxsize=256)(_choose)


@lru_cache(maxsize=64)
def _gzip(accept_encoding: bytes) -> bool:
    return any(quality > 0 for quality, name in _ranges(accept_encoding) if name in (b"gzip", b"x-gzip"))


def _ranges(header: bytes) -> list[tuple[float, bytes]]:
    found = []
    for part in header.lower().split(b","):
        name, *parameters = part.split(b";")
        found.append((_quality(parameters), name.strip()))
    return sorted(found, key=lambda pair: -pair[0])


def _quality(parameters: list[bytes]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
