"""Which addresses a host has, and whether this installation may connect to them."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

from app.domain.addresses import refused_address
from app.domain.source import SourceFailed, SourceProblem

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Asks for all addresses of a host, the best first."""

_NO_SUCH_HOST = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


async def addresses_of(host: str, port: int, *, private: bool, lookup: Lookup) -> tuple[str, ...]:
    """Look a host up, and refuse it if any of its addresses is out of bounds; connect to these and to no others."""
    try:
        found = tuple(dict.fromkeys(await lookup(host, port)))
    except socket.gaierror as error:
        if error.errno in _NO_SUCH_HOST:
            raise SourceFailed(SourceProblem.UNKNOWN_HOST, f"The host {host} has no address.") from error
        raise SourceFailed(
            SourceProblem.LOOKUP_FAILED, f"The address of {host} could not be looked up just now.", detail=str(error)
        ) from error
    except UnicodeError as error:
        raise SourceFailed(SourceProblem.UNKNOWN_HOST, f"The host {host} has no address.") from error
    if not found:
        raise SourceFailed(SourceProblem.UNKNOWN_HOST, f"The host {host} has no address.")
    # One that is out of bounds spoils all: no honest host of the public network has an address in ours.
    if any(refused_address(address, private=private) for address in found):
        raise SourceFailed(
            SourceProblem.HOST_NOT_ALLOWED, f"This installation does not fetch from the network of {host}."
        )
    return found


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """Ask the resolver of this system."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
