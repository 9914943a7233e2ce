"""No test reaches another host."""

import ipaddress
import os
import sys
from typing import Any

LOOKING_UP = {"socket.getaddrinfo", "socket.gethostbyname"}
REACHING = {"socket.connect", "socket.sendto", "socket.sendmsg"}


class AnotherHost(RuntimeError):
    """A test reached for another host; this is no OSError, so that no handler of network trouble swallows it."""


def stay_here() -> None:
    """Refuse all that would leave this host, in whatever library of this process, from now on."""
    # A proxy on this host would lead away from it.
    for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[variable]
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in LOOKING_UP:
        host = arguments[0]
        if not _is_here(host) and _address(host) is None:
            raise AnotherHost(f"A test looks up the host {host}.")
    elif event in REACHING and isinstance(arguments[1], tuple) and not _is_here(arguments[1][0]):
        raise AnotherHost(f"A test reaches for the host {arguments[1][0]}.")


def _is_here(host: str | bytes | None) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _address(host: str | bytes | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host))
    except ValueError:
        return None
