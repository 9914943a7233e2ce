"""What the tests of workers share."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep structlog from drawing tracebacks, which holds up the loop for longer than a lease of these tests lasts."""
    with capture_logs():
        yield
