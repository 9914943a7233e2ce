"""What a child process is asked when somebody tries a rule: what it does in some files."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from app.domain.listing import Listing
from app.domain.measurement import Measurement
from app.domain.rule import Rule
from workers.mining.batches import Item, Sight


@contextmanager
def trying(
    context: tuple[Rule, Sequence[str]],
) -> Iterator[Callable[[Sequence[Sequence[Item]]], Iterable[Measurement]]]:
    """Run one rule over files, some at a time."""
    rule, paths = context
    sight = Sight([rule], Listing(paths))

    def work(chunks: Sequence[Sequence[Item]]) -> Iterable[Measurement]:
        for chunk in chunks:
            (measured,), _ = sight.measure(chunk)
            yield measured

    yield work
