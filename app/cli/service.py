"""Which service a command speaks to: one that was named, or the one that runs with its data directory."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from app.cli.ports import get
from app.config import Settings
from app.domain.errors import Fault
from app.embedded.directory import DataDirectory, write_atomically
from app.embedded.faults import Exit

# Beside what the embedded servers tell, and like it for the eyes of their owner alone: it holds a token.
FILE = "service.json"


@dataclass(frozen=True, slots=True)
class Service:
    """Where a service is, as whom to speak to it, for which organization, and the process that keeps it here."""

    url: str
    token: str | None
    organization_id: str | None = None
    pid: int | None = None

    @property
    def socket_url(self) -> str:
        """Say where it is followed live."""
        return f"ws{self.url.removeprefix('http')}"

    @property
    def here(self) -> bool:
        """Tell whether it is reached without leaving this machine."""
        return (urlsplit(self.url).hostname or "") in ("localhost", "127.0.0.1", "::1")

    @property
    def lost(self) -> bool:
        """Tell whether it is known to be gone for good."""
        return self.pid is not None and not _lives(self.pid)


@contextmanager
def published(data_dir: Path, service: Service) -> Iterator[None]:
    """Let commands with the same data directory find a service for the time of a block."""
    place = data_dir / FILE
    write_atomically(place, json.dumps(asdict(service)))
    try:
        yield
    finally:
        place.unlink(missing_ok=True)


def named(settings: Settings) -> Service | None:
    """Give the service that the settings name, if they do."""
    if settings.url is None:
        return None
    if settings.token is None:
        raise Fault(
            f"{settings.url} must know who asks.",
            remedy="Set TENET_TOKEN to an API key, or to what `tenet token` prints there.",
            exit_code=Exit.USAGE,
        )
    parts = urlsplit(settings.url)
    url = settings.url if parts.path.rstrip("/") else f"{settings.url.rstrip('/')}/graphql"
    return Service(url, settings.token.get_secret_value())


async def running(settings: Settings) -> Service | None:
    """Find the service that runs with this data directory."""
    directory = DataDirectory(settings.data_dir.absolute())
    try:
        service = Service(**json.loads((directory.path / FILE).read_text()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
    except OSError as error:
        raise Fault(
            f"{error.filename} cannot be read: {error.strerror}.",
            remedy="Run this as the user who runs Tenet, or name the service with --url and TENET_TOKEN.",
            exit_code=Exit.DATA_DIRECTORY,
        ) from error
    # One that was killed left its file; at its port may now listen somebody who must not get its token.
    if service.lost or directory.holding() != service.pid:
        return None
    status, _ = await get(urlsplit(service.url).netloc, "/health/live", seconds=2)
    return service if status == 200 else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
