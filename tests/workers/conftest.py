"""What the tests of workers share."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from structlog.testing import capture_logs

from app.hands.pool import Hands
from app.runtime import Runtime
from tests.installed import settings_for

Lend = Callable[[Runtime], AbstractContextManager[Runtime]]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep structlog from drawing tracebacks, which holds up the loop for longer than a lease of these tests lasts."""
    with capture_logs():
        yield


@pytest.fixture(scope="session")
async def hands() -> AsyncIterator[Hands]:
    """Child processes for all tests that do nothing to them: each takes half a second of a processor to begin."""
    hands = Hands(2, settings_for().child_megabytes)
    yield hands
    await hands.close()


@pytest.fixture
def lend(hands: Hands) -> Lend:
    """Let a runtime work with those, instead of with ones of its own."""

    @contextmanager
    def lent(runtime: Runtime) -> Iterator[Runtime]:
        own, runtime.hands = runtime.hands, hands
        try:
            yield runtime
        finally:
            runtime.hands = own

    return lent
