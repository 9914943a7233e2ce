"""How long an operation may take: one clock for all of them, since a timer for each costs more than most reads."""

import asyncio
from types import TracebackType

# How late a limit may be noticed, as a part of it.
LATEST = 0.05


class Deadlines:
    """Ends what a task does in a `with` block of it for too long, by TimeoutError, as asyncio.timeout does."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # When each began: the oldest first, because the limit is the same for all.
        self._running: dict[asyncio.Task[object], float] = {}
        self._late: dict[asyncio.Task[object], int] = {}
        self._clock: asyncio.TimerHandle | None = None
        # To find it anew asks the kernel for this process each time, and there is but one.
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> None:
        """Begin; a task is in one block at a time."""
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        assert task not in self._running, "the limit of a task is already running"
        self._running[task] = loop.time()
        if self._clock is None:
            self._clock = loop.call_later(self._seconds * LATEST, self._look)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """End; what was cancelled for being late raises TimeoutError."""
        task = asyncio.current_task(self._loop)
        assert task is not None
        self._running.pop(task, None)
        if not self._late or (before := self._late.pop(task, None)) is None:
            return
        # Whoever else cancelled the task meanwhile has the last word.
        if task.uncancel() <= before and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise TimeoutError from error

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        latest = loop.time() - self._seconds
        for task, began in tuple(self._running.items()):
            if began > latest:
                break
            del self._running[task]
            self._late[task] = task.cancelling()
            task.cancel()
        # It stops where nothing runs, and begins again with the next operation.
        self._clock = loop.call_later(self._seconds * LATEST, self._look) if self._running else None
