"""Looking at files as the product does, but for some that kill whoever looks at them."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from workers.crafts.looking import Ground, Listed, Looked
from workers.crafts.looking import looking as really_looking


@contextmanager
def looking(ground: Ground) -> Iterator[Callable[[Sequence[Listed]], Iterator[Looked]]]:
    """Look, and die of poison."""
    with really_looking(ground) as look:

        def dare(files: Sequence[Listed]) -> Iterator[Looked]:
            for file, looked in zip(files, look(files), strict=True):
                if "poison" in file.path:
                    os.abort()
                yield looked

        yield dare
