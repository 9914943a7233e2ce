"""The address to listen on, and a look at whether somebody answers there."""

import asyncio
import errno
import socket
from contextlib import suppress

from app.domain.errors import Fault
from app.embedded.faults import Exit

BACKLOG = 2048
PORTS_TRIED = 50


def bind(host: str, port: int, *, chosen_by: str = "--port or TENET_PORT") -> socket.socket:
    """Take an address and listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio takes the wait out of TCP (Nagle's, 40 ms for an answer in two pieces) only where the protocol is named.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        # The third is what a name that no resolver knows raises.
        taken = error.errno == errno.EADDRINUSE
        raise Fault(
            f"Port {port} of {host} is in use." if taken else f"{host}:{port} cannot be listened on: {error.strerror}.",
            remedy=f"Stop what listens there, or choose another with {chosen_by}.",
            exit_code=Exit.PORT_IN_USE,
        ) from error
    return listening


def bind_near(host: str, port: int) -> socket.socket:
    """Take an address, or the next free port after it."""
    for candidate in range(port, min(port + PORTS_TRIED, 65535)):
        with suppress(Fault):
            return bind(host, candidate)
    return bind(host, port)


def address_of(listening: socket.socket) -> str:
    """Say how to reach a listening socket from this machine."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - it is read, not bound
        host = "127.0.0.1" if listening.family == socket.AF_INET else "::1"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def get(address: str, path: str, *, seconds: float = 5) -> tuple[int, str]:
    """Ask by HTTP, without loading a client for it; 0 stands for no answer."""
    host, _, port = address.rpartition(":")
    with suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n".encode())
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
        return int(head.split(b" ")[1]), body.decode()
    return 0, ""
