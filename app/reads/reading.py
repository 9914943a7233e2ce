"""The reference way to read shapes: one statement for all parents at once, rows as records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, LargeBinary, Select, Uuid, any_, bindparam, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from app.reads.page import Cursors, Slice, headed, in_order, slice_of, sliced
from app.reads.roots import SHAPES
from app.reads.shape import BEST_FIRST, Filter, Many, Only, Order, Record, Rows, Shape, Tally, Visibility
from app.reads.visible import Reach, Sight, View, is_pinned


@dataclass(frozen=True, slots=True)
class ListArguments:
    """What a field that lists rows was asked, in the words of shapes."""

    page: Mapping[str, Any] = field(default_factory=dict)
    filters: Mapping[str, Any] = field(default_factory=dict)
    order_field: str | None = None
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that was asked for: which rows, in which order, which slice of them."""

    many: Many
    shape: Shape
    rows: Rows
    order: Order
    # The filters that ask for anything, and what they ask for.
    filters: Mapping[str, Filter]
    asked: Mapping[str, Any]
    cut: Slice | None
    name: str
    cursors: Cursors
    sight: Sight
    prefix: str
    # The filter whose best matches come first.
    ranking: str | None = None

    @classmethod
    def of(
        cls, many: Many, name: str, arguments: ListArguments, cursors: Cursors, sight: Sight, prefix: str = ""
    ) -> "Listing":
        """Validate the arguments of a list.

        `name` tells its cursors from those of all others, `prefix` its values from those of others in one statement.
        """
        shape = SHAPES[many.to]
        rows = shape.rows
        order = many.order
        if arguments.order_field is not None:
            order = many.orders[arguments.order_field]
            order = order.turned() if arguments.descending else order
        owned = many.by == "repo_id" or arguments.filters.get("repo_id") is not None
        filters = {
            key: many.filters[key].fitting(value, order, owned=owned)
            for key, value in arguments.filters.items()
            if many.filters[key].asks(value)
        }
        asked = {key: chosen.value(arguments.filters[key]) for key, chosen in filters.items()}
        ranking = next((key for key, chosen in filters.items() if chosen.rank is not None), None)
        if ranking is not None and arguments.order_field is None:
            rank, value = filters[ranking].rank, _asked(prefix, ranking, filters[ranking])
            assert rank is not None
            rows, order = shape.ranked(lambda rows: rank(rows, value)), BEST_FIRST
        else:
            ranking = None
        told = cls(many, shape, rows, order, filters, asked, None, name, cursors, sight, prefix, ranking)
        if not many.paged:
            return told
        return replace(told, cut=slice_of(arguments.page, cursors, rows, order, told.sealed_as, many.size))

    @property
    def sealed_as(self) -> str:
        """Name the list as its cursors are sealed: a place among the best of one search is none among another's."""
        return self.name if self.ranking is None else f"{self.name}?{self.asked[self.ranking]}"

    def asked_again(self, asked: Mapping[str, Any]) -> "Listing":
        """Give the same list with other values in its filters."""
        return replace(self, asked=asked)

    def conditions(
        self,
        rows: Rows | None = None,
        owner: ColumnElement[UUID] | None = None,
        organization: ColumnElement[UUID] | None = None,
    ) -> list[ColumnElement[bool]]:
        """Say which rows belong to the list, the slice aside: the owner's that are visible and pass the filters.

        `organization` where those of one that the viewer sees are asked for, instead of those of all.
        """
        rows = self.rows if rows is None else rows
        seen_by, pin = self.shape.seen_by, self.pin
        if organization is not None and seen_by.column is not None:
            theirs = rows.c[seen_by.column]
            conditions = [is_pinned(theirs, organization) if pin is not None else theirs == organization]
        elif pin is None or seen_by.permission is None:
            conditions = [seen_by.condition(rows, self.sight)]
        else:
            conditions = [self.sight.covers(seen_by.permission, rows.c[pin], pinned=True)]
        if owner is not None and self.many.by is not None:
            belongs = rows.c[self.many.by]
            conditions.append(is_pinned(belongs, owner) if self.many.by == pin else belongs == owner)
        if self.many.where is not None:
            conditions.append(self.many.where(rows))
        for key, chosen in self.filters.items():
            value = _asked(self.prefix, key, chosen)
            conditions.append(is_pinned(rows.c[key], value) if key == pin else chosen.condition(rows, value))
        return conditions

    @property
    def pin(self) -> str | None:
        """Name the column of the organization whose rows these are, where they go by their ids; see `is_pinned`."""
        seen_by = self.shape.seen_by
        if self.order.keys[0].column != "id" or seen_by.permission is None:
            return None
        if self.many.by is not None:
            return seen_by.column if self.many.by == seen_by.column else None
        if "repo_id" in self.filters:
            return None
        is_one = seen_by.column in self.filters or self.sight.reach(seen_by.permission) is Reach.ONE
        return seen_by.column if is_one or self.spreads else None

    @property
    def spreads(self) -> bool:
        """Tell whether the rows are those of several organizations, and only their order tells which come first.

        An index has the rows of each organization in every order, but none those of several: the head of each one's,
        put together, is all that has to be looked at.
        """
        permission = self.shape.seen_by.permission
        if self.cut is None or self.many.by is not None or permission is None:
            return False
        if any(chosen.finds for chosen in self.filters.values()):
            return False
        reach = self.sight.reach(permission)
        # The ids of all rows are an index of their own.
        return reach is Reach.SEVERAL or (reach is Reach.EVERYWHERE and self.order.keys[0].column != "id")

    def sliced(
        self, columns: Sequence[ColumnElement[Any]], owner: ColumnElement[UUID] | None = None, *, more: bool = True
    ) -> Select[Any]:
        """Select columns of the rows of the slice in its order, and with `more` of one row beyond it."""
        if not self.spreads:
            whole = select(*columns).select_from(self.rows).where(*self.conditions(owner=owner))
            return self._arranged(whole, self.rows, more=more)
        assert self.cut is not None
        assert self.shape.seen_by.permission is not None
        near, theirs = self.shape.rows, self.sight.organizations(self.shape.seen_by.permission)
        keys = [near.c[key.column] for key in self.order.keys]
        # Nothing but what stands in the index: whole rows are read of the page alone.
        heads = select(*keys).where(*self.conditions(near, organization=theirs.c.id)).correlate(theirs)
        head = self._arranged(heads, near, more=more).lateral("head")
        merged = select(*head.c).select_from(theirs.join(head, true()))
        page = headed(merged, head.c, self.order, self.cut, more=more).subquery("page")
        whole = select(*columns).select_from(page.join(self.rows, self.rows.c.id == page.c.id))
        return headed(whole, page.c, self.order, self.cut, more=more)

    def _arranged(self, statement: Select[Any], rows: Rows, *, more: bool) -> Select[Any]:
        """Put the rows of a statement in order, and cut the slice out."""
        if self.pin is not None:
            owner = rows.c[self.pin]
            # The direction is that of the walk, so that one index serves both.
            statement = statement.order_by(owner.desc() if self._falls else owner.asc())
        if self.cut is None:
            return statement.order_by(*in_order(rows.c, self.order))
        names = (self.place_names("after"), self.place_names("before"))
        return sliced(statement, rows, self.order, self.cut, names, more=more)

    @property
    def _falls(self) -> bool:
        backward = self.cut is not None and self.cut.backward
        return self.order.keys[0].descending is not backward

    @property
    def keys(self) -> list[ColumnElement[Any]]:
        """Give the columns that the order goes by."""
        return [self.rows.c[key.column] for key in self.order.keys]

    def cursor(
        self, keys: Sequence[ColumnElement[Any]] | None = None
    ) -> tuple[str | ColumnElement[str], ColumnElement[str]]:
        """Spell the cursor of each row, or of the one that has these keys, in two pieces."""
        seal_key = bindparam(self.seal_name, type_=LargeBinary)
        return self.cursors.pieces(self.keys if keys is None else keys, self.order, seal_key)

    @property
    def sent(self) -> list[ColumnElement[bytes]]:
        """Give what the cursor of each row is made of."""
        return self.cursors.sent(self.keys, self.order)

    def places(self, cursor: str, end: str) -> dict[str, Any]:
        """Give the values that one end of the slice binds."""
        values = self.cursors.read(cursor, self.rows, self.order, self.sealed_as, end)
        return dict(zip(self.place_names(end), values, strict=True))

    @property
    def seal(self) -> dict[str, bytes]:
        """Give the key that the list's cursors are sealed with."""
        return {self.seal_name: self.cursors.seal_key(self.sealed_as, self.order)}

    @property
    def seal_name(self) -> str:
        """Name the value that is that key."""
        return f"{self.prefix}seal_key"

    def place_names(self, end: str) -> list[str]:
        """Name the values that one end of the slice binds."""
        return [f"{self.prefix}{end}_{index}" for index in range(len(self.order.keys))]

    def filter_name(self, key: str) -> str:
        """Name the value that a filter binds."""
        return _filter_name(self.prefix, key)

    @property
    def values(self) -> dict[str, Any]:
        """Give the values that the conditions and the slice bind."""
        bound = {self.filter_name(key): value for key, value in self.asked.items()}
        if self.cut is not None:
            bound |= self.seal
            for end, values in (("after", self.cut.after), ("before", self.cut.before)):
                bound |= zip(self.place_names(end), values or (), strict=False)
        return bound


def _filter_name(prefix: str, key: str) -> str:
    return f"{prefix}filter_{key}"


def _asked(prefix: str, key: str, chosen: Filter) -> ColumnElement[Any]:
    """Stand for what a filter was given."""
    return bindparam(_filter_name(prefix, key), type_=chosen.type)


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
