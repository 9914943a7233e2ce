"""The plain addresses: health, metrics, and a no in JSON."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.main import Application, create_app
from app.runtime import Runtime
from tests.installed import settings_for


@dataclass
class House:
    """The application with its lifespan begun, and a client inside the process."""

    application: Application
    client: httpx.AsyncClient

    @property
    def runtime(self) -> Runtime:
        assert self.application.health.runtime is not None
        return self.application.health.runtime


@pytest.fixture
async def house(database_url: str, redis_url: str) -> AsyncIterator[House]:
    """The application on real servers, without a worker."""
    application = create_app(settings_for(database_url, redis_url))
    transport = httpx.ASGITransport(app=application)
    async with (
        application.plain.lifespan_context(application),
        httpx.AsyncClient(transport=transport, base_url="http://tenet") as client,
    ):
        yield House(application, client)


async def test_a_process_that_turns_its_loop_is_live(house: House) -> None:
    response = await house.client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "live"})
    assert response.headers["cache-control"] == "no-store"


async def test_ready_needs_every_part(house: House) -> None:
    alone = await house.client.get("/health/ready")
    await house.runtime.queue.live("a worker")
    complete = await house.client.get("/health/ready")
    assert alone.status_code == 503
    assert alone.json() == {
        "status": "not ready",
        "parts": {
            "database": {"ok": True},
            "migrations": {"ok": True},
            "redis": {"ok": True},
            "worker": {"ok": False, "problem": "No worker gives a sign of life."},
        },
    }
    assert (complete.status_code, complete.json()["status"]) == (200, "ready")


async def test_a_database_at_another_revision_is_not_ready(house: House, session: AsyncSession) -> None:
    await house.runtime.queue.live("a worker")
    known = await session.scalar(text("SELECT version_num FROM alembic_version"))
    await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await session.commit()
    try:
        response = await house.client.get("/health/ready")
    finally:
        await session.execute(text("UPDATE alembic_version SET version_num = :known"), {"known": known})
        await session.commit()
    assert response.status_code == 503
    assert "9999" in response.json()["parts"]["migrations"]["problem"]


async def test_a_leaving_process_is_not_ready_but_still_answers(house: House) -> None:
    await house.runtime.queue.live("a worker")
    await house.application.drain()
    ready, live = await house.client.get("/health/ready"), await house.client.get("/health/live")
    assert (ready.status_code, ready.json()["status"]) == (503, "draining")
    assert live.status_code == 200


async def test_metrics_tell_of_the_whole_installation(house: House) -> None:
    await house.runtime.queue.live("a worker")
    await house.runtime.queue.tally("sweep", "done", 0.3)
    response = await house.client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = response.text.splitlines()
    for line in (
        "tenet_workers 1.0",
        'tenet_queue_jobs{state="queued"} 0.0',
        'tenet_job_seconds_bucket{job="sweep",le="0.1",state="done"} 0.0',
        'tenet_job_seconds_bucket{job="sweep",le="0.5",state="done"} 1.0',
        'tenet_job_seconds_count{job="sweep",state="done"} 1.0',
        'tenet_pool_size{pool="read"} 4.0',
    ):
        assert line in lines
    for family in ("tenet_requests", "tenet_request_seconds", "tenet_plans", "tenet_subscriptions_open"):
        assert any(line.startswith(f"# TYPE {family}") for line in lines)


async def test_metrics_without_redis_are_those_of_the_process(database_url: str) -> None:
    application = create_app(settings_for(database_url, "unix:///nowhere/redis.sock"))
    transport = httpx.ASGITransport(app=application)
    async with (
        application.plain.lifespan_context(application),
        httpx.AsyncClient(transport=transport, base_url="http://tenet") as client,
    ):
        response = await client.get("/metrics")
    assert response.status_code == 200
    assert "tenet_workers NaN" in response.text


async def test_browsers_are_led_to_the_page_and_programs_are_told(house: House) -> None:
    browser = await house.client.get("/", headers={"accept": "text/html,application/xhtml+xml"})
    program = await house.client.get("/")
    assert (browser.status_code, browser.headers["location"]) == (303, "/graphql")
    assert program.json()["graphql"] == "/graphql"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("GET", "/graphql/", 404, "NOT_FOUND"),
        ("POST", "/health/live", 405, "VALIDATION_ERROR"),
        ("DELETE", "/", 405, "VALIDATION_ERROR"),
    ],
)
async def test_a_no_is_json_with_a_code(house: House, method: str, path: str, status: int, code: str) -> None:
    response = await house.client.request(method, path, headers={"x-request-id": "asked-for-1"})
    assert response.status_code == status
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": code, "requestId": "asked-for-1"}
    assert response.headers["x-request-id"] == "asked-for-1"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_what_nobody_foresaw_is_masked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_off(_: Runtime) -> None:
        raise KeyError("a secret of the inside")

    monkeypatch.setattr(Runtime, "condition", break_off)
    response = await house.client.get("/health/ready")
    assert response.status_code == 500
    assert "inside" not in response.text
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_ERROR"
    assert "reference" in error["message"]


async def test_graphql_and_its_page_are_there(house: House) -> None:
    answer = await house.client.post("/graphql", json={"query": "{ __typename }"})
    page = await house.client.get("/graphql", headers={"accept": "text/html"})
    assert answer.json()["data"] == {"__typename": "Query"}
    assert "<title>" in page.text
    script = page.text.partition('src="')[2].partition('"')[0]
    assert (await house.client.get(f"/{script}")).status_code == 200
