"""Where a repository is cloned from, as people write it down."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.domain.errors import Invalid

LONGEST_URL = 2000
_SCP = re.compile(r"(?:(?P<user>[\w.-]+)@)?(?P<host>[A-Za-z0-9.-]+):(?P<path>(?!//)[^\s:]+)")
_NAME = re.compile(r"[\w.-]+(/[\w.-]+)*")


@dataclass(frozen=True, slots=True)
class Source:
    """A clone URL that was understood: `host` is None for a local path."""

    url: str
    host: str | None
    name: str


def read_source(url: str, *, local_allowed: bool, name: str | None = None) -> Source:
    """Understand a clone URL, or refuse it and say what would do."""
    url = url.strip()
    if not url or len(url) > LONGEST_URL or not url.isprintable() or url.startswith("-"):
        raise _refused("needs the form https://host/owner/name.git or git@host:owner/name.git")
    if "::" in url:
        raise _refused("names a transport of its own, which is not allowed")
    scheme, separator, _ = url.partition("://")
    if separator:
        found = _by_url(url, scheme.lower(), local_allowed=local_allowed)
    elif (scp := _SCP.fullmatch(url)) and not url.startswith((".", "/", "~")):
        found = Source(url, scp["host"].lower(), _name(scp["path"]))
    elif local_allowed:
        found = Source(url, None, _name(url, parts=1))
    else:
        raise _refused("is a local path, which this installation does not allow")
    if name is None:
        return found
    if not _NAME.fullmatch(name) or len(name) > 300:
        raise Invalid("This name cannot be used.", fields={"name": "needs letters, digits, dots, dashes and slashes"})
    return Source(found.url, found.host, name)


def _by_url(url: str, scheme: str, *, local_allowed: bool) -> Source:
    if scheme == "file" and local_allowed:
        return Source(url, None, _name(urlsplit(url).path, parts=1))
    if scheme not in ("https", "ssh"):
        raise _refused("must begin with https:// or ssh://")
    try:
        parts = urlsplit(url)
        host, path, _ = parts.hostname, parts.path, parts.port
    except ValueError:
        raise _refused("is no URL") from None
    if not host or host.startswith("-") or len(path) < 2:
        raise _refused("needs a host and a path")
    if parts.password is not None or (scheme == "https" and parts.username is not None):
        # A URL is shown to everybody who sees the repository.
        raise _refused("must not carry a user name or password")
    return Source(url, host.lower(), _name(path))


def _name(path: str, parts: int = 2) -> str:
    segments = [segment for segment in re.split(r"[\\/]+", path) if segment not in ("", ".", "..")]
    if segments and segments[-1] == ".git":
        segments.pop()
    cleaned = [re.sub(r"[^\w.-]+", "-", segment.removesuffix(".git")).strip("-") for segment in segments[-parts:]]
    return "/".join(segment for segment in cleaned if segment)[:300] or "repository"


def _refused(why: str) -> Invalid:
    return Invalid("This repository cannot be connected.", fields={"url": why})
