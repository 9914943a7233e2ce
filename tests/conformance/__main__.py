"""Run the outside judges: `python -m tests.conformance [URL [SUBSCRIPTION]]`; without a URL, against `tenet run`.

TENET_TOKEN is the credential for a URL that is named.
"""

import asyncio
import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.gateways.making import Made
from tests.running import Running, running, tenet

HERE = Path(__file__).parent
RUNS = "{ repos { nodes { runs { nodes { id } } } } }"


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
    with TemporaryDirectory(prefix="tenet-conformance-") as folder:
        source = Made(Path(folder, "source"))
        source.commit({"a.py": "1\n"})
        async with running(Path(folder, "data")) as life:
            await life.ready()
            await asyncio.to_thread(tenet, life.data_dir, "ingest", str(source.folder))
            follows = (
                f'subscription {{ ingestionStatus(runId: "{await _run_of(life)}", after: 0) {{ kind sequence }} }}'
            )
            return await _run(node, "run.mjs", life.told["graphql"], follows, TENET_TOKEN=life.told["token"])


async def _run_of(life: Running) -> str:
    """Find the run that there is; each of its events can be followed again."""
    headers = {"authorization": f"Bearer {life.told['token']}"}
    async with httpx.AsyncClient(trust_env=False) as client:
        told = (await client.post(life.told["graphql"], json={"query": RUNS}, headers=headers)).json()
    found: str = told["data"]["repos"]["nodes"][0]["runs"]["nodes"][0]["id"]
    return found


async def _run(*command: str, **environment: str) -> int:
    process = await asyncio.create_subprocess_exec(*command, cwd=HERE, env={**os.environ, **environment})
    return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
