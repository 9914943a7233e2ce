"""What was made of rows is remembered by their versions, and asked for again only where those have changed.

To make the text of a row costs PostgreSQL more than to find the row. So who asks again is answered by a statement of
the same rows in the same order, seen by the same eyes, that gives nothing but their names (see `versions`); the texts
are what these very versions were told as before. None is ever too old: what was written since has another name.
"""

from collections.abc import Sequence
from sys import getsizeof
from time import monotonic

from app import observe
from app.db.readers import Readers
from resolvers.plans.arguments import Variables
from resolvers.plans.plan import Branches, Plan, Remembering, Row, Values

# PostgreSQL numbers transactions with 32 bits and then begins anew; in that time it never comes around.
TURN_SECONDS = 600.0
# What an entry takes besides what is kept in it.
ENTRY_BYTES = 200


class _Generation:
    """What was asked for since a turn."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[bytes, Row]] = {}
        # Whether all that was asked for in one place was known the last time.
        self.places: dict[int, bool] = {}
        self.bytes = 0


class Remembered:
    """The memory of one process, in two generations: when the younger is full the older goes.

    A name means something in one life of one server only: where it crashed, or another took over, transactions that
    were seen already may be lost and their numbers be given again.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes // 2
        self._young, self._old = _Generation(), _Generation()
        self._turned = monotonic()

    async def read(self, readers: Readers, plan: Plan, variables: Variables, values: Values) -> Branches:
        """Give the rows of a plan."""
        full = plan.full
        if not self._most:
            return full.sorted(await readers.rows(full.text, full.arguments(values)))
        self._turn_if_due()
        place = _place(plan, variables)
        is_known = self._young.places.get(place)
        if is_known is None:
            is_known = self._old.places.get(place)
            self._young.places[place] = bool(is_known)
            self._young.bytes += ENTRY_BYTES
        # To name rows costs something as well: what was never asked for before is only told.
        of = None if is_known is None else plan.remembering()
        if of is None:
            return full.sorted(await readers.rows(full.text, full.arguments(values)))
        if is_known:
            rows, life = await readers.read(of.names.text, of.names.arguments(values))
            recalled = self._recalled(of, life, of.names.sorted(rows))
            observe.remembered(hit=recalled is not None)
            if recalled is not None:
                return recalled
        rows, life = await readers.read(of.with_names.text, of.with_names.arguments(values))
        branches = of.with_names.sorted(rows)
        self._young.places[place] = self._kept(of, life, branches)
        return branches

    def _recalled(self, of: Remembering, life: str, branches: Branches) -> Branches | None:
        """Put the rows that are meant in the place of their names, if all are known."""
        told = list(branches)
        for at, text in of.texts.items():
            names = [row[0] for row in branches[at]]
            known = self._young.rows.get((life, text), {})
            try:
                told[at] = [known[name] for name in names]
            except KeyError:
                rows = self._searched(life, text, names)
                if rows is None:
                    return None
                told[at] = rows
        return told

    def _searched(self, life: str, text: str, names: Sequence[bytes | None]) -> list[Row] | None:
        """Look further: for what only the older generation has, and for an object without rows, whose row is empty."""
        young, old = self._shelves(life, text)
        found: list[Row] = []
        for name in names:
            if name is None:
                found.append((None,))
                continue
            row = young.get(name)
            if row is None:
                row = old.get(name)
                if row is None:
                    return None
                self._keep(young, name, row)
            found.append(row)
        return found

    def _kept(self, of: Remembering, life: str, branches: Branches) -> bool:
        """Remember rows that came with their names, and tell whether all were known before."""
        all_known = True
        for at, text in of.texts.items():
            young, old = self._shelves(life, text)
            for row in branches[at]:
                name = row[-1]
                if name is not None and name not in young:
                    all_known = all_known and name in old
                    self._keep(young, name, row)
        return all_known

    def _shelves(self, life: str, text: str) -> tuple[dict[bytes, Row], dict[bytes, Row]]:
        young = self._young.rows.get((life, text))
        if young is None:
            young = self._young.rows[life, text] = {}
            self._young.bytes += ENTRY_BYTES + getsizeof(text)
        return young, self._old.rows.get((life, text), {})

    def _keep(self, young: dict[bytes, Row], name: bytes, row: Row) -> None:
        young[name] = row
        self._young.bytes += ENTRY_BYTES + sum(map(getsizeof, row))

    def _turn_if_due(self) -> None:
        now = monotonic()
        passed = now - self._turned
        if passed > TURN_SECONDS or self._young.bytes > self._most:
            # After so long that even the younger is old, both go.
            self._old = self._young if passed < 2 * TURN_SECONDS else _Generation()
            self._young = _Generation()
            self._turned = now


def _place(plan: Plan, variables: Variables) -> int:
    """Tell what a request asks for from what others do; where two are taken for one, nothing is wrong but the guess."""
    try:
        return hash((id(plan), *variables.values()))
    except TypeError:
        return hash((id(plan), repr(variables)))
