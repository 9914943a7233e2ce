"""The bounded way out of one WebSocket."""

import asyncio
from collections import deque
from collections.abc import Callable

from starlette.types import Send

# One frame may be larger; this bounds what waits behind it.
WAITING_BYTES = 262_144

# Writes a text frame at once and tells so, or does nothing where the socket is not ready for it.
Write = Callable[[bytes], bool]


class Outbox:
    """Frames on their way to one client.

    A frame is bytes, made once; whoever sends the same to many clients offers the same bytes to each outbox. `offer` is
    for those who must not wait and know what to do about a slow client, `put` for those who can.
    """

    def __init__(self, send: Send, write: Write | None, lost: Callable[[], None]) -> None:
        self._send = send
        self._write = write
        self._lost = lost
        self._frames: deque[bytes] = deque()
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._room = asyncio.Event()
        self._flush: asyncio.Task[None] | None = None
        self._clock = asyncio.get_running_loop().time
        self._since = 0.0
        self._closed = False

    def offer(self, frame: bytes) -> bool:
        """Send a frame, or keep it while the client is slow; tell whether there was room."""
        if self._closed:
            return True
        if not self._frames and self._write is not None and self._write(frame):
            return True
        if self._frames and self._waiting + len(frame) > WAITING_BYTES:
            return False
        self._frames.append(frame)
        self._waiting += len(frame)
        if self._flush is None:
            self._since = self._clock()
            self._flush = asyncio.create_task(self._flushed())
        return True

    def send(self, frame: bytes) -> bool:
        """Send a frame if it can go out at once, and tell whether it did."""
        return not self._frames and self._write is not None and self._write(frame)

    async def emptied(self) -> None:
        """Wait until nothing waits here any more."""
        while self._frames:
            self._room.clear()
            await self._room.wait()

    async def put(self, frame: bytes) -> None:
        """Send a frame, as fast as the client reads."""
        if not self._turn.locked() and self.offer(frame):
            return
        # In turn, so that small frames cannot keep a large one waiting for ever.
        async with self._turn:
            while not self.offer(frame):
                self._room.clear()
                await self._room.wait()

    def stuck(self) -> float:
        """Tell for how many seconds the frame in front has been waiting."""
        return self._clock() - self._since if self._frames else 0.0

    async def close(self) -> None:
        """Forget what waits, and whatever comes from now on."""
        self._closed = True
        self._frames.clear()
        self._room.set()
        if self._flush is not None:
            self._flush.cancel()
            await asyncio.gather(self._flush, return_exceptions=True)

    async def _flushed(self) -> None:
        try:
            while self._frames:
                await self._send({"type": "websocket.send", "text": self._frames[0].decode()})
                self._waiting -= len(self._frames.popleft())
                self._since = self._clock()
                self._room.set()
        except Exception:  # whatever this server raises when the client is gone
            self._lost()
        finally:
            self._flush = None
