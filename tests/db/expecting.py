"""What tests of the database expect."""

from collections.abc import Awaitable

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession


async def refused(session: AsyncSession, made: Awaitable[object], constraint: str) -> None:
    """Expect that a named constraint refuses what is being made, and let the session go on."""
    with pytest.raises(IntegrityError) as caught:
        await made
    assert f'"{constraint}"' in str(caught.value.orig)
    await session.rollback()
    for row in session:
        await session.refresh(row)
