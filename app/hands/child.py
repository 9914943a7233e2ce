"""A hand: a process that works for its worker item by item, within limits, and does not outlive it.

It imports little, so that it starts in a moment: what a craft needs is imported with the craft.
"""

import ctypes
import os
import pickle
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Any

Work = Callable[[Sequence[Any]], Iterable[Any]]
"""What a craft comes to: it gives one answer for each item, in order."""

HEAD = 8
"""So many bytes before each message say how long it is."""

# Answers are sent together, but none waits for longer, or for more.
_FLUSH_SECONDS = 0.05
_FLUSH_BYTES = 1 << 18
# What a craft needs has to be imported first.
_OPENING_SECONDS = 30.0
# Time is counted as the processor spends it, so that a busy machine condemns nobody; one that only waits gets more.
_PATIENCE = 10
_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Request:
    """What a hand is asked to do."""

    stream: int
    opening: bytes | None
    """The craft and its context, the first time that this hand works for the stream."""
    items: Sequence[Any]
    """None at all say that the stream will not come to this hand again."""
    seconds: float
    """How long one answer may take."""
    careful: bool
    """Whether each answer is sent at once, so that it is known at which item a hand died."""


@dataclass(slots=True)
class _Benches:
    """What was prepared for each stream."""

    ready: dict[int, tuple[ExitStack, Work]] = field(default_factory=dict)

    def take(self, request: Request) -> Work:
        """Give what does the work of a stream, prepared once."""
        if request.opening is not None:
            craft, context = pickle.loads(request.opening)  # noqa: S301 - from our own parent
            stack = ExitStack()
            self.ready[request.stream] = stack, stack.enter_context(craft(context))
        return self.ready[request.stream][1]

    def clear(self, stream: int) -> None:
        """Put away what was prepared for a stream."""
        if stream in self.ready:
            self.ready.pop(stream)[0].close()


def main(parent: int, memory: int) -> None:
    """Work until the parent has no more to ask."""
    _die_with(parent)
    for kind, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, memory)):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    # What anybody prints must not look like an answer.
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    silence = os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, 0)
    os.close(silence)
    os.dup2(2, 1)
    benches = _Benches()
    while head := inbox.read(HEAD):
        request: Request = pickle.loads(inbox.read(int.from_bytes(head)))  # noqa: S301 - from our own parent
        if not request.items:
            benches.clear(request.stream)
            continue
        problem = _carry_out(benches, request, outbox)
        _send(outbox, problem)
        if problem is not None and problem[1] == MemoryError.__name__:
            # What is left of a process that ran out of memory is not worth keeping.
            sys.exit(1)


def _carry_out(benches: _Benches, request: Request, outbox: IO[bytes]) -> tuple[str, str, str] | None:
    """Send the answers; what was raised on the way is told as where, what and its words."""
    answers: list[bytes] = []
    where, problem = "craft", None
    try:
        _limit(max(request.seconds, _OPENING_SECONDS))
        work = benches.take(request)
        _send(outbox, answers)
        _limit(request.seconds)
        where, begun, size = "item", time.monotonic(), 0
        for answer in work(request.items):
            answers.append(pickle.dumps(answer, protocol=5))
            size += len(answers[-1])
            if request.careful or size > _FLUSH_BYTES or time.monotonic() - begun > _FLUSH_SECONDS:
                # That the parent is slow to read is not the item's fault.
                _limit(0)
                _send(outbox, answers)
                answers, begun, size = [], time.monotonic(), 0
            _limit(request.seconds)
    except BaseException as error:  # a panic of Rust code is no Exception
        problem = where, type(error).__name__, str(error)[:500]
    _limit(0)
    _send(outbox, answers)
    return problem


def _limit(seconds: float) -> None:
    """Let the kernel end this process after some seconds, whatever it does then; 0 takes the limit away."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * _PATIENCE)


def _send(outbox: IO[bytes], message: Sequence[bytes] | tuple[str, str, str] | None) -> None:
    body = pickle.dumps(message, protocol=5)
    rest = memoryview(len(body).to_bytes(HEAD) + body)
    while rest:
        rest = rest[outbox.write(rest) or 0 :]


def _die_with(parent: int) -> None:
    """End when the parent does, even if it is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PDEATHSIG, int(signal.SIGKILL))
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        sys.exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)
