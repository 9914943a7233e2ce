"""A list that was asked for, and the statement that gives a slice of it to either executor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, LargeBinary, Select, bindparam, select, true, union_all

from app.reads.page import Cursors, Slice, headed, in_order, slice_of, sliced, starts
from app.reads.roots import SHAPES
from app.reads.shape import BEST_FIRST, Filter, Many, Order, Rows, Shape
from app.reads.visible import Reach, Sight, is_pinned, told_by_owner


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
            is_seen = seen_by.condition(rows, self.sight)
            is_owned = "repo_id" in self.filters or (owner is not None and self.many.by != seen_by.column)
            conditions = [told_by_owner(is_seen) if is_owned else is_seen]
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
        seen_by = self.shape.seen_by
        if not self._walks or seen_by.permission is None or seen_by.column in self.filters:
            return False
        reach = self.sight.reach(seen_by.permission)
        # The ids of all rows are an index of their own.
        return reach is Reach.SEVERAL or (reach is Reach.EVERYWHERE and self.order.keys[0].column != "id")

    @property
    def _walks(self) -> bool:
        """Tell whether an index is walked that has the rows of an organization in order."""
        found = (key for key, chosen in self.filters.items() if chosen.finds and key != self.shape.seen_by.column)
        return self.cut is not None and self.many.by is None and next(found, None) is None

    def sliced(
        self, columns: Sequence[ColumnElement[Any]], owner: ColumnElement[UUID] | None = None, *, more: bool = True
    ) -> Select[Any]:
        """Select columns of the rows of the slice in its order, and with `more` of one row beyond it."""
        if self.cut is None or not self._walks or not (self.spreads or len(self._starts(self.rows)) > 1):
            whole = select(*columns).select_from(self.rows).where(*self.conditions(owner=owner))
            return self._arranged(whole, self.rows, more=more)
        # Nothing but what stands in the index: whole rows are read of the page alone.
        merged = self._heads(more=more)
        page = headed(merged, merged.selected_columns, self.order, self.cut, more=more).subquery("page")
        whole = select(*columns).select_from(page.join(self.rows, self.rows.c.id == page.c.id))
        return headed(whole, page.c, self.order, self.cut, more=more)

    def _heads(self, *, more: bool) -> Select[Any]:
        """Select the keys of the rows with which each part of the list begins that an index has in order."""
        near = self.shape.rows
        keys = [near.c[key.column] for key in self.order.keys]

        def heads(conditions: Sequence[ColumnElement[bool]], *outer: Rows) -> CompoundSelect[Any]:
            some = select(*keys).where(*conditions).correlate(*outer)
            return union_all(*(self._arranged(some, near, more=more, start=start) for start in self._starts(near)))

        if not self.spreads:
            apart = heads(self.conditions(near)).subquery("head")
            return select(*apart.c)
        assert self.shape.seen_by.permission is not None
        theirs = self.sight.organizations(self.shape.seen_by.permission)
        of_each = heads(self.conditions(near, organization=theirs.c.id), theirs).lateral("head")
        return select(*of_each.c).select_from(theirs.join(of_each, true()))

    def _starts(self, rows: Rows) -> list[ColumnElement[bool]]:
        assert self.cut is not None
        return starts(rows, self.order, self.cut, (self.place_names("after"), self.place_names("before")))

    def _arranged(
        self, statement: Select[Any], rows: Rows, *, more: bool, start: ColumnElement[bool] | None = None
    ) -> Select[Any]:
        """Put the rows of a statement in order, and cut the slice out."""
        if self.pin is not None:
            owner = rows.c[self.pin]
            # The direction is that of the walk, so that one index serves both.
            statement = statement.order_by(owner.desc() if self._falls else owner.asc())
        if self.cut is None:
            return statement.order_by(*in_order(rows.c, self.order))
        names = (self.place_names("after"), self.place_names("before"))
        return sliced(statement, rows, self.order, self.cut, names, more=more, start=start)

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
