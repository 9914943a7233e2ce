"""Who is measured: Tenet with its memory and without, its reference executor, and the peers, all on one database."""

import asyncio
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from jose import jwt
from sqlalchemy import make_url

from app.children import Child, Launch, Supervisor
from tests.bench.dataset import EMAIL, DataSet
from tests.bench.load import CONNECTIONS, Failed
from tests.bench.operations import Speech

PEERS = Path(__file__).parent / "peers"
SECRET = "a-secret-of-the-bench-that-signs-nothing-else"
LIFETIME = timedelta(hours=1)
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to answer."""

    name: str
    title: str
    speech: Speech
    is_peer: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    """What it is set up with, besides what all are."""


TENET = Contestant("tenet", "Tenet", Speech.GRAPHQL)
# The bench asks again for what was asked before, and peers remember nothing: this one does not either.
FRESH = Contestant("fresh", "Tenet, nothing remembered", Speech.GRAPHQL, settings={"TENET_ROWS_REMEMBERED_MB": "0"})
REFERENCE = Contestant("reference", "Tenet, ordinary executor", Speech.GRAPHQL)
MERCURIUS = Contestant("mercurius", "Fastify + Mercurius, jit", Speech.GRAPHQL, is_peer=True)
TRPC = Contestant("trpc", "Hono + tRPC + Drizzle", Speech.TRPC, is_peer=True)
CONTESTANTS = (TENET, FRESH, REFERENCE, MERCURIUS, TRPC)


@dataclass(frozen=True, slots=True)
class Running:
    """A contestant that answers."""

    contestant: Contestant
    port: int
    pid: int
    token: str


@asynccontextmanager
async def running(
    contestants: Sequence[Contestant], data: DataSet, redis_url: str, folder: Path
) -> AsyncIterator[list[Running]]:
    """Have contestants run for the time of the block."""
    environment = environment_of(data.database_url, redis_url, folder)
    peer_environment = _peer_environment(data.database_url, redis_url)
    token = await _tenet_token(environment) if any(not contestant.is_peer for contestant in contestants) else ""
    their_token = peer_token(data.user_id)
    async with Supervisor() as supervisor:
        answering = []
        for contestant in contestants:
            name, port = contestant.name, free_port()
            theirs = {**peer_environment, "PORT": str(port)} if contestant.is_peer else environment
            launch = Launch(command_of(contestant, port), environment={**theirs, **contestant.settings})
            await supervisor.start(child_of(name, port, launch, log_of(contestant, folder)))
            answering.append(
                Running(contestant, port, supervisor.pids[name], their_token if contestant.is_peer else token)
            )
        yield answering


def log_of(contestant: Contestant, folder: Path) -> Path:
    """Name the file that holds what a contestant said."""
    return folder / f"{contestant.name}.log"


async def install_peers() -> str | None:
    """Install what the peers need, once; tell what stands in the way, if anything does."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "Node with npm is not on the PATH"
    wanted = json.loads((PEERS / "package.json").read_text())["dependencies"]
    if all(_installed(name) == version for name, version in wanted.items()):
        return None
    process = await asyncio.create_subprocess_exec(
        npm, "install", "--silent", cwd=PEERS, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return f"npm could not install them: {said.decode(errors='replace')[-500:]}" if process.returncode else None


def _installed(name: str) -> str | None:
    with suppress(OSError):
        version: str = json.loads((PEERS / "node_modules" / name / "package.json").read_text())["version"]
        return version
    return None


def child_of(name: str, port: int, launch: Launch, log: Path) -> Child:
    """Describe the process of a contestant, which is ready once it listens."""

    async def launched() -> Launch:
        return launch

    async def listens() -> bool:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, port)
            writer.close()
            return True
        return False

    return Child(name, launched, listens, log=log, grace=5)


def command_of(contestant: Contestant, port: int) -> list[str | Path]:
    """Tell how a contestant is started."""
    if contestant.is_peer:
        return [shutil.which("node") or "node", PEERS / f"{contestant.name}.mjs"]
    if contestant is REFERENCE:
        return [sys.executable, "-m", "tests.bench.reference", str(port)]
    return [sys.executable, "-m", "app.cli", "serve", "--host", HOST, "--port", str(port)]


def environment_of(database_url: str, redis_url: str, folder: Path) -> Mapping[str, str]:
    """Set Tenet up as an installation would; nothing that the caller has set for another one leaks in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TENET_")}
    return {
        **kept,
        "TENET_ENV": "production",
        "TENET_ORIGINS": "https://bench.example.com",
        "TENET_SECRET": SECRET,
        "TENET_DATA_DIR": str(folder),
        "TENET_DATABASE_CONNECTIONS": str(CONNECTIONS),
        "TENET_DRAIN_SECONDS": "0",
        # One viewer asks more here than any budget allows; the peers have none.
        "TENET_READS_PER_MINUTE": "0",
        "TENET_WRITES_PER_MINUTE": "0",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
    }


def _peer_environment(database_url: str, redis_url: str) -> Mapping[str, str]:
    url = make_url(database_url)
    parts = {
        "PGHOST": str(url.query.get("host") or url.host or "localhost"),
        "PGPORT": str(url.query.get("port") or url.port or 5432),
        "PGUSER": url.username or "",
        "PGPASSWORD": str(url.password or ""),
        "PGDATABASE": url.database or "",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {
        **kept,
        **{name: value for name, value in parts.items() if value},
        "NODE_ENV": "production",
        "REDIS": redis_url.removeprefix("unix://").partition("?")[0],
        "SECRET": SECRET,
        "CONNECTIONS": str(CONNECTIONS),
    }


async def _tenet_token(environment: Mapping[str, str]) -> str:
    """Have Tenet itself sign a token."""
    command = (sys.executable, "-m", "app.cli", "token", "--production", "--email", EMAIL)
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    if process.returncode:
        raise Failed("Tenet signed no token.")
    return said.decode().strip()


def peer_token(user_id: UUID) -> str:
    """Sign the same for the peers; only the user is named as the database does."""
    now = datetime.now(UTC)
    claims = {"iss": "tenet", "aud": "tenet", "sub": str(user_id), "iat": now, "exp": now + LIFETIME, "jti": "bench"}
    token: str = jwt.encode(claims, SECRET, algorithm="HS256")
    return token


def free_port() -> int:
    """Find a port that nobody uses."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
