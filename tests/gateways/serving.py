"""A small web server on this host: git's own CGI program behind it, and all the ways in which a host can misbehave."""

import asyncio
import subprocess
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.gateways.making import ENVIRONMENT

BACKEND = Path(
    subprocess.run(["git", "--exec-path"], capture_output=True, check=True, text=True).stdout.strip(),
    "git-http-backend",
)


@dataclass
class Request:
    """What a client asks."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Request, StreamWriter], Coroutine[Any, Any, None]]


@dataclass
class Server:
    """Answers below `/<name>/`: `repos` by git, other names as they were told to."""

    root: Path
    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a client hung up that was kept waiting."""

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """Spell an address here."""
        return f"http://{host}:{self.port}/{path}"

    async def repos(self, request: Request, writer: StreamWriter) -> None:
        """Let git answer."""
        writer.write(await self.backend(request, "repos"))

    async def backend(self, request: Request, prefix: str) -> bytes:
        """Run git's CGI program, and make an answer of what it says."""
        environment = {
            **ENVIRONMENT,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.path.removeprefix(f"/{prefix}"),
            "QUERY_STRING": request.query,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(request.body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        }
        process = await asyncio.create_subprocess_exec(
            BACKEND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        said, _ = await process.communicate(request.body)
        head, _, body = said.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        status = next((line.removeprefix("Status: ") for line in lines if line.startswith("Status: ")), "200 OK")
        kept = "".join(f"{line}\r\n" for line in lines if not line.startswith("Status: "))
        return f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{kept}\r\n".encode() + body

    async def hang(self, request: Request, writer: StreamWriter) -> None:
        """Say nothing for ever."""
        self.asked.set()
        await asyncio.Event().wait()

    async def meet(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer one client."""
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                name = request.path.split("/")[1]
                answer = asyncio.create_task(self.answers[name](request, writer))
                gone = asyncio.create_task(_gone(reader))
                await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not answer.done():
                    self.left.set()
                for task in (answer, gone):
                    task.cancel()
                await asyncio.wait({answer, gone})
                if not answer.cancelled():
                    answer.result()
                await writer.drain()
                # One question a connection: what is read after it is a client that hangs up.
                break
        except ConnectionError:
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


def told(status: str, body: bytes = b"", **headers: str) -> Answer:
    """Answer always the same."""

    async def answer(request: Request, writer: StreamWriter) -> None:
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode())
        writer.write(body)

    return answer


def moved(to: str) -> Answer:
    """Send elsewhere, with the same rest of the path."""

    async def answer(request: Request, writer: StreamWriter) -> None:
        rest = request.path.split("/", 2)[2]
        await told("301 Moved Permanently", Location=f"{to}{rest}?{request.query}")(request, writer)

    return answer


@asynccontextmanager
async def serving(root: Path) -> AsyncIterator[Server]:
    """Serve for the time of a block."""
    server = Server(root)
    server.answers |= {"repos": server.repos, "hang": server.hang}
    clients: set[asyncio.Task[None]] = set()

    def welcome(reader: StreamReader, writer: StreamWriter) -> None:
        client = asyncio.create_task(server.meet(reader, writer))
        clients.add(client)
        client.add_done_callback(clients.discard)

    listening = await asyncio.start_server(welcome, "127.0.0.1", 0, limit=1 << 24)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def _read(reader: StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    body = b""
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    elif "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    parts = urlsplit(target)
    return Request(method, parts.path, parts.query, headers, body)


async def _gone(reader: StreamReader) -> None:
    while await reader.read(1 << 16):
        pass
