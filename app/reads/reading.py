"""The reference way to read shapes: one statement for all parents at once, rows as records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, any_, bindparam, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from app.reads.listing import Listing
from app.reads.page import Slice
from app.reads.roots import SHAPES
from app.reads.shape import Only, Record, Rows, Shape, Tally, Visibility
from app.reads.visible import Sight, View


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    records: list[Record]
    cursors: list[str]
    more: bool
    cut: Slice

    @property
    def has_next(self) -> bool:
        """Tell whether rows follow."""
        return self.cut.before is not None if self.cut.backward else self.more

    @property
    def has_previous(self) -> bool:
        """Tell whether rows stand before; walking forward that is known only from having come from there."""
        return self.more if self.cut.backward else self.cut.after is not None


async def by_ids(
    session: AsyncSession, view: View, shape: Shape, ids: Sequence[UUID], seen_by: Visibility | None = None
) -> dict[UUID, Record | None]:
    """Read rows by id; what the viewer does not see is absent."""
    statement = _by_ids(shape.name, view.sight, seen_by)
    found: dict[UUID, Record | None] = dict.fromkeys(ids)
    for row in (await session.execute(statement, {**view.bound, "ids": list(ids)})).mappings():
        found[row["id"]] = Record(shape, row)
    return found


@lru_cache(maxsize=1_000)
def _by_ids(name: str, sight: Sight, seen_by: Visibility | None) -> Select[Any]:
    # Every decision answers with such a read, and the making of a statement of all columns costs more than its run.
    shape = SHAPES[name]
    rows = shape.rows
    return _records(shape, rows, sight).where(
        rows.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))), (seen_by or shape.seen_by).condition(rows, sight)
    )


async def by_column(session: AsyncSession, view: View, shape: Shape, column: str, value: Any) -> Record | None:
    """Read the row whose unique column has a value."""
    rows = shape.rows
    statement = _records(shape, rows, view.sight).where(
        rows.c[column] == bindparam("value", type_=rows.c[column].type), shape.seen_by.condition(rows, view.sight)
    )
    row = (await session.execute(statement, {**view.bound, "value": value})).mappings().one_or_none()
    return None if row is None else Record(shape, row)


async def only_of(
    session: AsyncSession, view: View, relation: Only, parents: Sequence[UUID]
) -> dict[UUID, Record | None]:
    """Read the one row of each parent that meets the relation's condition."""
    shape = SHAPES[relation.to]
    rows = shape.rows
    statement = _records(shape, rows, view.sight).where(
        rows.c[relation.by] == any_(bindparam("parents", type_=ARRAY(Uuid))),
        relation.where(rows),
        shape.seen_by.condition(rows, view.sight),
    )
    found: dict[UUID, Record | None] = dict.fromkeys(parents)
    for row in (await session.execute(statement, {**view.bound, "parents": list(parents)})).mappings():
        found[row[relation.by]] = Record(shape, row)
    return found


async def pages_of(session: AsyncSession, view: View, listing: Listing, parents: Sequence[UUID]) -> dict[UUID, Page]:
    """Read the same page of the list of each parent."""
    assert listing.many.by is not None
    ids = func.unnest(bindparam("parents", type_=ARRAY(Uuid))).table_valued("id", name="parents").render_derived()
    inner = _listed(listing, ids.c.id).lateral("listed")
    statement = select(ids.c.id.label("parent_"), inner).select_from(ids.join(inner, true()))
    values = {**view.bound, **listing.values, "parents": list(parents)}
    grouped: dict[UUID, list[Any]] = {parent: [] for parent in parents}
    for row in (await session.execute(statement, values)).mappings():
        grouped[row["parent_"]].append(row)
    return {parent: _page(listing, rows) for parent, rows in grouped.items()}


async def page(session: AsyncSession, view: View, listing: Listing) -> Page:
    """Read a page of a list that has no parent."""
    values = {**view.bound, **listing.values}
    result = await session.execute(_listed(listing), values)
    return _page(listing, result.mappings().all())


async def counts_of(session: AsyncSession, view: View, listing: Listing, parents: Sequence[UUID]) -> dict[UUID, int]:
    """Count the list of each parent."""
    assert listing.many.by is not None
    parent = listing.rows.c[listing.many.by]
    statement = (
        select(parent, func.count())
        .where(parent == any_(bindparam("parents", type_=ARRAY(Uuid))), *listing.conditions())
        .group_by(parent)
    )
    counted = dict.fromkeys(parents, 0)
    for owner, number in await session.execute(statement, {**view.bound, **listing.values, "parents": list(parents)}):
        counted[owner] = number
    return counted


async def count(session: AsyncSession, view: View, listing: Listing) -> int:
    """Count a list that has no parent."""
    statement = select(func.count()).select_from(listing.rows).where(*listing.conditions())
    return int((await session.execute(statement, {**view.bound, **listing.values})).scalar_one())


async def tally_of(
    session: AsyncSession, view: View, tally: Tally, parents: Sequence[UUID]
) -> dict[UUID, Mapping[str, int]]:
    """Count the rows of each parent by condition."""
    shape = SHAPES[tally.to]
    rows = shape.rows
    counts = [func.count().filter(condition(rows)).label(name) for name, condition in tally.counts.items()]
    parent = rows.c[tally.by]
    statement = (
        select(parent.label("parent_"), *counts)
        .where(parent == any_(bindparam("parents", type_=ARRAY(Uuid))), shape.seen_by.condition(rows, view.sight))
        .group_by(parent)
    )
    nothing: Mapping[str, int] = dict.fromkeys(tally.counts, 0)
    found: dict[UUID, Any] = dict.fromkeys(parents, nothing)
    for row in (await session.execute(statement, {**view.bound, "parents": list(parents)})).mappings():
        found[row["parent_"]] = row
    return found


def _records(shape: Shape, rows: Rows, sight: Sight) -> Select[Any]:
    return select(*_columns(shape, rows, sight))


def _columns(shape: Shape, rows: Rows, sight: Sight) -> list[ColumnElement[Any]]:
    plain: list[ColumnElement[Any]] = [rows.c[name] for name in shape.columns if name not in shape.computed]
    return [*plain, *(express(rows, sight).label(name) for name, express in shape.computed.items())]


def _listed(listing: Listing, owner: ColumnElement[UUID] | None = None) -> Select[Any]:
    columns = _columns(listing.shape, listing.rows, listing.sight)
    if listing.cut is not None:
        columns.append(func.concat(*listing.cursor()).label("cursor_"))
    return listing.sliced(columns, owner)


def _page(listing: Listing, rows: Sequence[Any]) -> Page:
    if listing.cut is None:
        return Page([Record(listing.shape, row) for row in rows], [], more=False, cut=Slice(0, False, None, None))
    kept = list(rows[: listing.cut.size])
    if listing.cut.backward:
        kept.reverse()
    return Page(
        [Record(listing.shape, row) for row in kept],
        [row["cursor_"] for row in kept],
        more=len(rows) > listing.cut.size,
        cut=listing.cut,
    )
