"""Run the outside judges: `python -m tests.conformance [URL [SUBSCRIPTION]]`; without a URL, against the toy."""

import asyncio
import shutil
import sys
from pathlib import Path

from app.config import Settings
from app.web.headers import BrowserHeaders
from resolvers.transport.endpoint import Endpoint
from tests.wire.service import listen
from tests.wire.toy import Toy

HERE = Path(__file__).parent


async def main(arguments: list[str]) -> int:
    """Install what package.json names, and point it at a service."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        print("The conformance run needs Node 20 or newer with npm on the PATH.", file=sys.stderr)  # noqa: T201
        return 2
    if await _run(npm, "install", "--silent"):
        return 2
    if arguments:
        return await _run(node, "run.mjs", *arguments)
    settings = Settings(_env_file=None)
    endpoint = Endpoint(Toy(), settings)
    service = await listen(BrowserHeaders(endpoint, settings.origins), settings, endpoint.close)
    try:
        return await _run(node, "run.mjs", service.url, "subscription { ticks }")
    finally:
        await service.stop()


async def _run(*command: str) -> int:
    process = await asyncio.create_subprocess_exec(*command, cwd=HERE)
    return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
