"""A running installation for the tests of identity."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

import pytest

from tests.identity.installation import Installation, installed

Install = Callable[..., AbstractAsyncContextManager[Installation]]


@pytest.fixture
def install(database_url: str, redis_url: str) -> Install:
    """Run installations with settings of a test's own."""
    return partial(installed, database_url, redis_url)


@pytest.fixture(scope="session")
async def shared_home(database_url: str, redis_url: str) -> AsyncIterator[Installation]:
    """One installation with ordinary settings, for all tests that change nothing about it."""
    async with installed(database_url, redis_url) as made:
        yield made


@pytest.fixture
def home(shared_home: Installation, database_url: str, redis_url: str) -> Installation:
    """The shared installation; what a test leaves in its servers is swept away."""
    return shared_home
