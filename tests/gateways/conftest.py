"""What tests of gateways share: a place for caches, and somebody who fetches into it."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from app.domain.ids import new_id
from app.domain.source import SourceFailed, SourceRules
from app.gateways.git import Fetched, FetchLimits, Sources
from tests.gateways.making import Made
from tests.gateways.serving import Server, serving

LIMITS = FetchLimits(most_bytes=64 << 20, seconds=30)


class Fetcher:
    """Fetches one repository, again and again."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.repo_id: UUID = new_id()

    @property
    def cache(self) -> Path:
        """The bare repository that was fetched."""
        return self.sources.cache(self.repo_id)

    async def __call__(self, url: str | Path, branch: str | None = None, limits: FetchLimits = LIMITS) -> Fetched:
        """Fetch."""
        return await self.sources.fetch(self.repo_id, str(url), branch, limits)


@pytest.fixture
def caches(tmp_path: Path) -> Path:
    """The folder of all caches."""
    return tmp_path / "data" / "git"


@pytest.fixture
def fetch(caches: Path) -> Fetcher:
    """Somebody who may fetch from everywhere, and looks hosts up in a table."""
    return Fetcher(Sources(caches, SourceRules(local=True, private=True), lookup=lookup))


async def problem(
    fetch: Fetcher, url: str | Path, branch: str | None = None, limits: FetchLimits = LIMITS
) -> SourceFailed:
    """Fetch what must be refused."""
    with pytest.raises(SourceFailed) as refused:
        await fetch(url, branch, limits)
    return refused.value


async def lookup(host: str, port: int) -> list[str]:
    """Find every host here."""
    return ["127.0.0.1"]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A repository with one commit."""
    repo = Made(tmp_path / "source")
    repo.commit({"README.md": "# One\n", "src/one.py": "ONE = 1\n"}, "First")
    return repo


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A web server for all repositories of this test."""
    async with serving(tmp_path) as server:
        yield server
