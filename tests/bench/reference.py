"""`tenet serve` without plans: what the reference executor costs, everything else alike."""

import asyncio
import sys
from functools import partial
from unittest.mock import patch

import uvloop

from app import main
from app.cli.parts import serve_api
from resolvers.engine.execution import GraphQLEngine


def serve(port: int) -> None:
    """Answer until told to stop."""
    with (
        patch.object(main, "GraphQLEngine", partial(GraphQLEngine, use_plans=False)),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(serve_api(host="127.0.0.1", port=port, fd=None, debug=False))


if __name__ == "__main__":
    serve(int(sys.argv[1]))
