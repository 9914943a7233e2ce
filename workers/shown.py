"""What a worker shows of itself at a port of its own: whether it lives, whether it is fit, and its metrics."""

import json
from http import HTTPStatus
from time import time

from app import observe
from app.observe.port import Look, Shown
from app.runtime import Runtime
from workers.settings import LeaseWorker

# Signs of life come every second; after a silence of this length a poll of the queue hangs or has ended.
SILENCE_SECONDS = 10.0


def looks_at(runtime: Runtime, crew: list[LeaseWorker]) -> dict[str, Look]:
    """Give what is shown at each path."""

    async def live() -> Shown:
        return Shown(b'{"status": "live"}')

    async def ready() -> Shown:
        problems = await runtime.condition()
        leaving = any(worker.leaving for worker in crew)
        silent = [worker.queue_name for worker in crew if time() - worker.lived_at > SILENCE_SECONDS]
        problems["worker"] = f"Nobody takes jobs from {', '.join(silent)}." if silent else None
        parts = {
            part: {"ok": problem is None} | ({"problem": problem} if problem else {})
            for part, problem in problems.items()
        }
        fit = not leaving and not any(problems.values())
        told = {"status": "ready" if fit else "draining" if leaving else "not ready", "parts": parts}
        status = HTTPStatus.OK if fit else HTTPStatus.SERVICE_UNAVAILABLE
        return Shown(json.dumps(told).encode(), status=status)

    async def metrics() -> Shown:
        for name, (used, size) in runtime.pools().items():
            observe.pool(name, used=used, size=size)
        return Shown(observe.worker_exposition(), observe.EXPOSITION_TYPE)

    return {"/health/live": live, "/health/ready": ready, "/metrics": metrics}
