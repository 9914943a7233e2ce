"""A worker that is busy for ever: `python -m tests.hands.holder PLACE`."""

import asyncio
import sys

from app.hands.pool import Hands
from tests.hands.crafts import stay

if __name__ == "__main__":
    asyncio.run(Hands(1, 512).do(stay, sys.argv[1], seconds=600))
