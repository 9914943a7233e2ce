"""Which addresses a host has, and whether this installation may connect to them."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from threading import BoundedSemaphore, Thread

from app.domain.addresses import refused_address
from app.domain.source import SourceFailed, SourceProblem

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Asks for all addresses of a host, the best first."""

LOOKUP_SECONDS = 5.0
MOST_LOOKUPS = 32

_places = BoundedSemaphore(MOST_LOOKUPS)
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
    """Ask the resolver of this system, for so long and no longer.

    A resolver that waits for a dead name server cannot be called off. The threads that a loop keeps for everybody's
    files and passwords must not wait with it, nor must the end of this process: so each question has its own thread.
    """
    places = _places
    if not places.acquire(blocking=False):
        raise socket.gaierror(socket.EAI_AGAIN, "too many lookups at once")
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def settle(answer: list[str] | BaseException) -> None:
        if found.done():
            return
        if isinstance(answer, BaseException):
            found.set_exception(answer)
        else:
            found.set_result(answer)

    def ask() -> None:
        answer: list[str] | BaseException
        try:
            answer = [str(address[0]) for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except Exception as error:  # whatever it is, whoever waits shall hear it
            answer = error
        finally:
            places.release()
        # The loop may have ended meanwhile.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, answer)

    Thread(target=ask, name=f"lookup of {host}", daemon=True).start()
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            return await found
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, f"no answer within {LOOKUP_SECONDS:g} s") from None
