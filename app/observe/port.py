"""A port of a process that serves nobody but its operator: a few fixed addresses over HTTP, and no web framework."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from app.observe.logs import reference

# Whoever asks is a probe or Prometheus: their requests are short, and come at once.
LONGEST_HEAD = 16_384
SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer."""

    body: bytes
    type: str = "application/json"
    status: HTTPStatus = HTTPStatus.OK


Look = Callable[[], Awaitable[Shown]]


@asynccontextmanager
async def showing(listening: socket.socket, looks: Mapping[str, Look]) -> AsyncIterator[None]:
    """Answer what is asked at some paths for the time of a block."""
    server = await asyncio.start_server(partial(_serve, looks), sock=listening, limit=LONGEST_HEAD)
    try:
        yield
    finally:
        server.close()


async def _serve(looks: Mapping[str, Look], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                method, path = _asked(head)
                shown = await _look(looks, method, path)
                lines = (
                    f"HTTP/1.1 {shown.status.value} {shown.status.phrase}",
                    f"content-type: {shown.type}",
                    f"content-length: {len(shown.body)}",
                    "cache-control: no-store",
                    "connection: close",
                )
                writer.write("\r\n".join((*lines, "", "")).encode() + (b"" if method == "HEAD" else shown.body))
                await writer.drain()
    finally:
        writer.close()


def _asked(head: bytes) -> tuple[str, str]:
    method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    return method, rest.partition(" ")[0].partition("?")[0]


async def _look(looks: Mapping[str, Look], method: str, path: str) -> Shown:
    if (look := looks.get(path)) is None:
        return Shown(b'{"error": "There is nothing here."}', status=HTTPStatus.NOT_FOUND)
    if method not in ("GET", "HEAD"):
        return Shown(b'{"error": "Only GET is possible here."}', status=HTTPStatus.METHOD_NOT_ALLOWED)
    try:
        return await look()
    except Exception as error:
        word = reference(error, path=path)
        return Shown(f'{{"error": "reference {word}"}}'.encode(), status=HTTPStatus.INTERNAL_SERVER_ERROR)
