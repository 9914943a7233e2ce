"""Work that only tests share out, and a worker process that takes a shard and never ends it."""

import asyncio
import sys
from typing import Any

from tests.installed import settings_for
from workers.ingest import helping
from workers.ingest.sharing import Portion, Shared
from workers.process import work
from workers.registry import WORKS


async def note(portion: Portion) -> dict[str, Any]:
    """Note each item, keyed by what it is, and who it was; wait first for a word where the context says so."""
    redis = portion.runtime.redis
    await redis.rpush("begun", portion.items[0][0])  # type: ignore[misc]
    if portion.context.get("waits"):
        await redis.blpop(["go"])  # type: ignore[misc]
        await redis.rpush("go", "on")  # type: ignore[misc]
    for number, (item,) in enumerate(portion.items):
        await redis.hset("noted", str(item), portion.context.get("word", "yes"))  # type: ignore[misc]
        await redis.sadd("workers", str(portion.runtime.settings.port))  # type: ignore[misc]
        portion.move(number + 1)
    return {"sum": sum(item for (item,) in portion.items)}


NOTE = Shared("note", note)


async def never(portion: Portion) -> dict[str, Any]:
    """Tell that the work has begun, and wait for the end."""
    await portion.runtime.redis.rpush("doomed", portion.items[0][0])  # type: ignore[misc]
    await asyncio.Event().wait()
    raise AssertionError("it never comes to this")


if __name__ == "__main__":
    helping.SHARED["note"] = Shared("note", never)
    asyncio.run(work(settings_for(*sys.argv[1:3]), tuple(one for one in WORKS if one.job.name == "share")))
