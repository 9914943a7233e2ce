"""A cursor brings back exactly the place it was made for, and nothing else passes for one."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import LargeBinary, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.errors import Invalid
from app.reads.page import Cursors
from app.reads.patterns import DEFERRED, PATTERN, PATTERNS, TRIAGE
from app.reads.repos import REPO, REPOS
from app.reads.shape import Order, Shape

LIST = "Query.things"
CURSORS = Cursors("a secret")
AN_ID, LAST_ID = UUID("01977420-dd2d-7005-889e-732c69cdc6ea"), UUID(int=(1 << 128) - 1)
BEFORE_COUNTING, LATE = datetime(1, 1, 2, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
ROWS: dict[str, list[tuple[Any, ...]]] = {
    "id": [(AN_ID,), (UUID(int=0),), (LAST_ID,)],
    "updated_at": [(BEFORE_COUNTING, AN_ID), (LATE, AN_ID)],
    "name": [("x", AN_ID), ("", AN_ID), ("Ünï\n\\'\"🐍", AN_ID), ("a" * 200, LAST_ID)],
    "adoption": [(0.1, AN_ID), (1.0, AN_ID), (0.0, AN_ID), (None, AN_ID)],
    "tier_rank": [(5, AN_ID), (-1, AN_ID), (None, AN_ID)],
    "last_ingested_at": [(LATE, AN_ID), (None, AN_ID)],
    "triage": [(5, 0, AN_ID), (None, (1 << 31) - 1, AN_ID), (1, -(1 << 31), AN_ID)],
    "deferred_at": [(LATE, AN_ID)],
}
ORDERS: dict[str, tuple[Shape, Order]] = {
    **{order.keys[0].column: (PATTERN, order) for order in PATTERNS.orders.values()},
    "last_ingested_at": (REPO, next(o for o in REPOS.orders.values() if o.keys[0].column == "last_ingested_at")),
    "triage": (PATTERN, TRIAGE.order),
    "deferred_at": (PATTERN, DEFERRED.order),
}


async def made(session: AsyncSession, name: str, row: tuple[Any, ...]) -> str:
    """Have PostgreSQL make a cursor."""
    shape, order = ORDERS[name]
    values = [literal(value, shape.rows.c[key.column].type) for key, value in zip(order.keys, row, strict=True)]
    seal_key = literal(CURSORS.seal_key(LIST, order), LargeBinary)
    return str(await session.scalar(select(func.concat(*CURSORS.pieces(values, order, seal_key)))))


async def sealed(session: AsyncSession, name: str, row: tuple[Any, ...]) -> str:
    """Have PostgreSQL send what the cursor is made of, and seal it here."""
    shape, order = ORDERS[name]
    values = [literal(value, shape.rows.c[key.column].type) for key, value in zip(order.keys, row, strict=True)]
    sent = (await session.execute(select(*CURSORS.sent(values, order)))).one()
    return CURSORS.sealed(sent, CURSORS.seal_key(LIST, order)).decode()


def read(name: str, cursor: str, list_name: str = LIST) -> tuple[Any, ...]:
    shape, order = ORDERS[name]
    return CURSORS.read(cursor, shape.rows, order, list_name, "after")


@pytest.mark.parametrize("name", ORDERS)
async def test_a_cursor_brings_back_the_place_it_was_made_for(name: str, session: AsyncSession) -> None:
    for row in ROWS[name]:
        assert read(name, await made(session, name, row)) == row


@pytest.mark.parametrize("name", ORDERS)
async def test_a_place_has_one_cursor_wherever_it_is_sealed(name: str, session: AsyncSession) -> None:
    for row in ROWS[name]:
        assert await sealed(session, name, row) == await made(session, name, row)


@pytest.mark.parametrize("name", ORDERS)
async def test_nothing_else_passes_for_a_cursor(name: str, session: AsyncSession) -> None:
    true = [await made(session, name, row) for row in ROWS[name]]
    elsewhere = [await made(session, other, row) for other in ORDERS if other != name for row in ROWS[other]]

    @given(
        st.one_of(
            st.sampled_from(elsewhere),
            st.text(),
            st.text("0123456789abcdef"),
            st.builds(_changed, st.sampled_from(true), st.integers(0), st.text(max_size=3), st.integers(0, 3)),
        )
    )
    def refused(cursor: str) -> None:
        if cursor not in true:
            with pytest.raises(Invalid, match="does not belong to this list"):
                read(name, cursor)

    refused()
    for cursor in true:
        with pytest.raises(Invalid):
            read(name, cursor, "Query.others")


def _changed(cursor: str, place: int, put: str, dropped: int) -> str:
    place %= len(cursor) + 1
    return cursor[:place] + put + cursor[place + dropped :]
