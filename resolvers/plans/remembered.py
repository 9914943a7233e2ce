"""What was made of rows is remembered by their versions, and made again only where those have changed.

To make the text of a row costs PostgreSQL more than to find the row. So who asks again is answered by a statement of
the same rows in the same order, seen by the same eyes, that gives nothing but their names (see `versions`); the answer
is what was made of these very versions before. None is ever too old: what was written since has another name.
"""

from sys import getsizeof
from time import monotonic
from typing import Any

from app import observe
from app.db.readers import Readers
from resolvers.plans.arguments import Variables
from resolvers.plans.plan import Branches, Plan, Remembering, Values

# PostgreSQL numbers transactions with 32 bits and then begins anew; in that time it never comes around.
TURN_SECONDS = 600.0
# What an entry takes besides what is kept in it.
ENTRY_BYTES = 300

Key = tuple[Any, ...]


class _Generation:
    """What was asked for since a turn."""

    def __init__(self) -> None:
        self.answers: dict[Key, bytes] = {}
        # Whether what was asked for in one place was known the last time.
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

    async def told(self, readers: Readers, plan: Plan, variables: Variables, values: Values) -> list[bytes] | None:
        """Tell the members of a plan's answer; None where the reference way has to say what is absent."""
        full = plan.full
        if not self._most:
            return plan.told(await readers.rows(full.text, full.arguments(values)), values)
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
            return plan.told(await readers.rows(full.text, full.arguments(values)), values)
        if is_known:
            rows, life = await readers.read(of.names.text, of.names.arguments(values))
            answer = self._recalled(_key(of, life, of.names.sorted(rows), names_alone=True))
            observe.remembered(hit=answer is not None)
            if answer is not None:
                return [answer]
        rows, life = await readers.read(of.with_names.text, of.with_names.arguments(values))
        branches = of.with_names.sorted(rows)
        told = plan.tell(branches, values)
        if told is not None:
            key = _key(of, life, branches, names_alone=False)
            self._young.places[place] = self._recalled(key) is not None
            self._keep(key, b"".join(told))
        return told

    def _recalled(self, key: Key) -> bytes | None:
        answer = self._young.answers.get(key)
        if answer is None:
            answer = self._old.answers.get(key)
            if answer is not None:
                self._keep(key, answer)
        return answer

    def _keep(self, key: Key, answer: bytes) -> None:
        if key not in self._young.answers:
            self._young.answers[key] = answer
            self._young.bytes += ENTRY_BYTES + len(answer) + sum(map(_size, key))

    def _turn_if_due(self) -> None:
        now = monotonic()
        passed = now - self._turned
        if passed > TURN_SECONDS or self._young.bytes > self._most:
            # After so long that even the younger is old, both go.
            self._old = self._young if passed < 2 * TURN_SECONDS else _Generation()
            self._young = _Generation()
            self._turned = now


def _key(of: Remembering, life: str, branches: Branches, *, names_alone: bool) -> Key:
    """Name all that an answer comes from."""
    key: list[Any] = [of.mark, life]
    for branch, is_named in zip(branches, of.named, strict=True):
        if not is_named:
            key.append(tuple(map(tuple, branch)))
        elif names_alone:
            key.append(branch[0][0])
        else:
            key.append(b"".join([row[-1] or b"" for row in branch]) if branch else None)
    return tuple(key)


def _size(part: Any) -> int:
    return sum(map(_size, part)) + ENTRY_BYTES if isinstance(part, tuple) else getsizeof(part)


def _place(plan: Plan, variables: Variables) -> int:
    """Tell what a request asks for from what others do; where two are taken for one, nothing is wrong but the guess."""
    try:
        return hash((id(plan), *variables.values()))
    except TypeError:
        return hash((id(plan), repr(variables)))
