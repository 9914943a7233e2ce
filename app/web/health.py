"""Health and metrics: for load balancers, supervisors and Prometheus."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app import observe
from app.runtime import Runtime
from app.web.answers import NEVER_STORED


class Health:
    """What this process tells about itself and the installation; it needs a runtime before its first answer."""

    def __init__(self) -> None:
        self.runtime: Runtime | None = None
        self.draining = False

    async def live(self, _: Request) -> Response:
        """Tell that this process turns its loop; whoever hears nothing should start a new one."""
        return JSONResponse({"status": "live"}, headers=NEVER_STORED)

    async def ready(self, _: Request) -> Response:
        """Tell whether requests should come here, and if not, which part is missing."""
        condition = await self._runtime.condition()
        parts = {
            part: {"ok": problem is None} | ({"problem": problem} if problem else {})
            for part, problem in condition.items()
        }
        fit = not self.draining and not any(condition.values())
        status = "ready" if fit else "draining" if self.draining else "not ready"
        return JSONResponse({"status": status, "parts": parts}, 200 if fit else 503, NEVER_STORED)

    async def metrics(self, _: Request) -> Response:
        """Print the metrics, those of the whole installation read afresh."""
        for name, (used, size) in self._runtime.pools().items():
            observe.pool(name, used=used, size=size)
        if (work := await self._runtime.work()) is None:
            # Without Redis the numbers of this process are all the more wanted.
            observe.queue_unknown()
        else:
            depth, tallies = work
            observe.queue_depth(
                queued=depth.queued, running=depth.running, deferred=depth.deferred, workers=depth.workers
            )
            observe.job_tallies(tallies)
        return Response(observe.exposition(), headers={**NEVER_STORED, "content-type": observe.EXPOSITION_TYPE})

    @property
    def _runtime(self) -> Runtime:
        assert self.runtime is not None, "the lifespan has begun before any request"
        return self.runtime
