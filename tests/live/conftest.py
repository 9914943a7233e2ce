"""A running installation, and a run that tells of itself when a test says so."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Repo
from tests import factories as make
from tests.identity.conftest import home, install, shared_home
from tests.identity.installation import Installation
from tests.live.telling import Story, begin

__all__ = ["home", "install", "shared_home"]

Tell = Callable[..., Awaitable[Story]]


@pytest.fixture
async def repo(session: AsyncSession, home: Installation) -> Repo:
    """A repository of an organization of its own."""
    return await make.repo(session)


@pytest.fixture
async def story(home: Installation, repo: Repo) -> Story:
    """A run under way."""
    return await begin(home.runtime, repo.id)
