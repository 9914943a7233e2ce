"""`tenet doctor`: what is configured how, what answers, what is missing, and what would mend it."""

import json
import os
import platform
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app import __version__
from app.cli.ground import settle
from app.cli.ports import get
from app.config import Settings, SettingsError
from app.db.migrating import Standing, newer, standing
from app.db.reaching import reach
from app.domain.errors import Fault
from app.embedded.directory import DataDirectory, Record
from app.embedded.programs import account_for, find_postgres, find_redis
from app.gateways.queue import Queue
from app.gateways.redis import PASSING, reach_redis
from app.observe.traces import traces_installed, traces_wanted

LEAST_FREE_BYTES = 1_000_000_000


class State(StrEnum):
    """How a part is."""

    OK = "ok"
    IDLE = "idle"
    WARNING = "warning"
    PROBLEM = "problem"


STYLES = {State.OK: "green", State.IDLE: "dim", State.WARNING: "yellow", State.PROBLEM: "bold red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part."""

    part: str
    state: State
    told: str
    remedy: str | None = None

    @property
    def broken(self) -> bool:
        """Tell whether something must be mended."""
        return self.state is State.PROBLEM


async def examine(data_dir: Path | None) -> list[Finding]:
    """Look at every part."""
    findings = [Finding("version", State.OK, f"Tenet {__version__} on Python {platform.python_version()}")]
    try:
        settings = settle(quiet=True, data_dir=data_dir)
    except SettingsError as error:
        wrong = [Finding("settings", State.PROBLEM, fault, "Correct the variable.") for fault in error.faults]
        return [*findings, *wrong]
    given = sorted(settings.model_fields_set)
    told = f"{settings.env.value}; " + (f"set: {', '.join(given)}" if given else "nothing is set, all defaults")
    findings += [Finding("settings", State.OK, told), _secret(settings), _data_directory(settings)]
    running = _published(settings.data_dir)
    findings += await _database(settings, running)
    findings += await _redis(settings, running)
    findings += [await _api(settings), await _worker_port(settings), _traces()]
    return findings


def show(findings: list[Finding], *, as_json: bool) -> None:
    """Print what was found."""
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("Part", "", "Found"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        found = finding.told + (f"\n-> {finding.remedy}" if finding.remedy else "")
        table.add_row(finding.part, Text(finding.state.value, style=STYLES[finding.state]), Text(found))
    Console().print(table)


def _secret(settings: Settings) -> Finding:
    if settings.secret is not None:
        return Finding("secret", State.OK, "TENET_SECRET is set")
    kept = settings.data_dir / "secret"
    return Finding("secret", State.OK, f"kept in {kept}" if kept.exists() else f"will be made in {kept}")


def _data_directory(settings: Settings) -> Finding:
    path = settings.data_dir.absolute()
    if not path.exists():
        # Nothing is made by looking.
        above = next(folder for folder in path.parents if folder.exists())
        if os.access(above, os.W_OK):
            return Finding("data directory", State.IDLE, f"{path} will be made")
        return Finding(
            "data directory",
            State.PROBLEM,
            f"{path} cannot be made: {above} is not writable for this user.",
            "Set TENET_DATA_DIR to a folder that this user may write.",
        )
    try:
        DataDirectory.open(path)
    except Fault as fault:
        return Finding("data directory", State.PROBLEM, fault.message, fault.remedy)
    if not os.access(path, os.W_OK):
        return Finding("data directory", State.PROBLEM, f"{path} is not writable.", "Change its owner or its mode.")
    free = shutil.disk_usage(path).free
    told = f"{path}, {free / 1e9:.1f} GB free"
    if free < LEAST_FREE_BYTES:
        return Finding("data directory", State.WARNING, told, "Free some space, or move it to another disk.")
    return Finding("data directory", State.OK, told)


def _published(data_dir: Path) -> Record | None:
    """Read what a running instance tells; one that was killed left a file that nobody stands behind."""
    try:
        return DataDirectory(data_dir.absolute()).published()
    except (OSError, ValueError, TypeError):
        return None


async def _database(settings: Settings, running: Record | None) -> list[Finding]:
    if settings.database_url is not None:
        url, told = settings.database_url.get_secret_value(), "DATABASE_URL"
    elif running is not None and running.database_url is not None:
        url, told = running.database_url, "embedded"
    else:
        return [_embedded("PostgreSQL", settings)]
    try:
        async with reach(url) as connection:
            found = await standing(connection)
            version = connection.dialect.server_version_info
    except Fault as fault:
        return [Finding("PostgreSQL", State.PROBLEM, f"{told}: {fault.message}", fault.remedy)]
    number = ".".join(map(str, version or ()))
    return [Finding("PostgreSQL", State.OK, f"{told}: version {number}"), _migrations(found)]


def _migrations(found: Standing) -> Finding:
    if found.at_head:
        return Finding("migrations", State.OK, f"at {found.head}")
    if found.ahead:
        fault = newer(found)
        return Finding("migrations", State.PROBLEM, fault.message, fault.remedy)
    told = f"at {found.revision or 'none'}, this version needs {found.head}"
    return Finding("migrations", State.PROBLEM, told, "Run: tenet migrate")


async def _redis(settings: Settings, running: Record | None) -> list[Finding]:
    if settings.redis_url is not None:
        url, told = settings.redis_url.get_secret_value(), "REDIS_URL"
    elif running is not None and running.redis_url is not None:
        url, told = running.redis_url, "embedded"
    else:
        return [_embedded("Redis", settings)]
    try:
        facts = await reach_redis(url)
    except Fault as fault:
        return [Finding("Redis", State.PROBLEM, f"{told}: {fault.message}", fault.remedy)]
    told = f"{told}: version {facts['redis_version']}"
    finding = Finding("Redis", State.OK, told)
    if facts.get("maxmemory_policy", "noeviction") != "noeviction":
        remedy = "Set its maxmemory-policy to noeviction: it holds the queue of jobs."
        finding = Finding("Redis", State.WARNING, f"{told}, and it may evict keys", remedy)
    elif not facts.get("aof_enabled"):
        remedy = "Set its appendonly to yes, or jobs wait for the sweep after its restart."
        finding = Finding("Redis", State.WARNING, f"{told}, and it forgets the queue when it ends", remedy)
    return [finding, await _workers(url)]


async def _workers(url: str) -> Finding:
    async with _queue(url) as queue:
        try:
            depth = await queue.depth()
        except PASSING as error:
            return Finding("workers", State.PROBLEM, f"Redis does not tell: {error}", "Look at its log.")
    told = f"{depth.workers} alive; jobs: {depth.queued} queued, {depth.running} running, {depth.deferred} put off"
    if depth.workers:
        return Finding("workers", State.OK, told)
    return Finding("workers", State.WARNING, told, "Start one: tenet worker")


@asynccontextmanager
async def _queue(url: str) -> AsyncIterator[Queue]:
    queue = Queue(url)
    try:
        yield queue
    finally:
        await queue.close()


def _embedded(part: str, settings: Settings) -> Finding:
    folder = settings.data_dir.absolute() / ("postgres" if part == "PostgreSQL" else "redis")
    try:
        account = account_for(folder)
        program = find_postgres(folder, account) if part == "PostgreSQL" else find_redis(account)
    except Fault as fault:
        return Finding(part, State.PROBLEM, f"embedded: {fault.message}", fault.remedy)
    return Finding(part, State.IDLE, f"embedded ({program}): does not run now", "Start everything: tenet run")


async def _api(settings: Settings) -> Finding:
    address = f"{settings.host}:{settings.port}"
    status, body = await get(address, "/health/ready", seconds=5)
    if status == 200:
        return Finding("API", State.OK, f"ready at {address}")
    if status == 0:
        return Finding("API", State.IDLE, f"nothing answers at {address}", "Start it: tenet serve, or tenet run")
    return _not_ready("API", address, body, "TENET_PORT")


async def _worker_port(settings: Settings) -> Finding:
    if settings.worker_port is None:
        return Finding("worker port", State.IDLE, "off: TENET_WORKER_PORT is not set")
    address = f"{settings.worker_host}:{settings.worker_port}"
    status, body = await get(address, "/health/ready", seconds=5)
    if status == 200:
        return Finding("worker port", State.OK, f"a worker is ready, and shows its metrics at {address}")
    if status == 0:
        return Finding("worker port", State.IDLE, f"nothing answers at {address}", "Start a worker: tenet worker")
    return _not_ready("worker port", address, body, "TENET_WORKER_PORT")


def _not_ready(part: str, address: str, body: str, variable: str) -> Finding:
    try:
        parts = json.loads(body)["parts"]
    except (ValueError, KeyError, TypeError):
        remedy = f"Stop it, or choose another port with {variable}."
        return Finding(part, State.WARNING, f"something else answers at {address}", remedy)
    missing = "; ".join(f"{name}: {found['problem']}" for name, found in parts.items() if not found["ok"])
    return Finding(part, State.PROBLEM, f"not ready at {address}: {missing}", "Mend the parts named here.")


def _traces() -> Finding:
    variable = traces_wanted()
    if variable is None:
        return Finding("traces", State.IDLE, "off: no OpenTelemetry endpoint is set")
    if traces_installed():
        return Finding("traces", State.OK, f"sent as {variable} says")
    remedy = f"Run: {Path(sys.executable).name} -m pip install 'tenet[telemetry]'"
    return Finding("traces", State.WARNING, f"{variable} is set, but the SDK is not installed", remedy)
