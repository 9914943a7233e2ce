"""Reads of accounts that decisions and commands need; what front ends see of people stands in `people`."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import models
from app.domain.names import address_told


async def find(session: AsyncSession, user_id: UUID, *, lock: bool = False) -> models.User | None:
    """Find a user by id."""
    return await session.get(models.User, user_id, with_for_update=lock)


async def find_by_email(session: AsyncSession, email: str) -> models.User | None:
    """Find a user by e-mail; what cannot be an address is nobody's."""
    spelt = address_told(email)
    # Compared with nothing, the column would be asked for its nulls: that is everybody whom an outside issuer sent.
    if spelt is None:
        return None
    user: models.User | None = await session.scalar(select(models.User).where(models.User.email == spelt))
    return user
