"""What operators see: no secret in any line, an id on every request, and the numbers of what happened."""

import asyncio
import io
import json
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest
import structlog
from starlette.types import Receive, Scope, Send

from app import observe
from app.config import LogFormat, Settings
from app.credentials import secrets
from app.domain.jobs import JobTally
from app.observe import metrics, redaction, traces
from tests.installed import settings_for

PASSWORD = "correct-horse-battery"
SIGNING = "a-signing-secret-of-more-than-32-characters"


@pytest.fixture
def settings() -> Settings:
    """Settings that hold secrets."""
    return settings_for(
        f"postgresql://tenet:{PASSWORD}@db/tenet",
        "redis://:another-password@redis/0",
        log_format=LogFormat.JSON,
        secret=SIGNING,
    )


@pytest.fixture
def told(settings: Settings) -> Iterator[io.StringIO]:
    """The stream that all log lines of the process go to."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    observe.configure(settings, stream)
    yield stream
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    redaction._protected.clear()
    redaction._literal = None


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    """Read what was logged."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "facts",
    [
        {"password": PASSWORD},
        {"headers": {"Authorization": "Bearer abcdefghijklmnopqrstuvwxyz", "Cookie": f"session={PASSWORD}"}},
        {"items": [{"apiKey": PASSWORD}, {"api_key": PASSWORD}, {"refreshToken": PASSWORD}]},
        {"url": f"redis://user:{PASSWORD}@redis:6379/0"},
        {"text": f"authorization: Basic {PASSWORD}\nnext"},
        {"text": f"connect failed with password={PASSWORD} and more"},
        {"text": '{"token": "' + PASSWORD + '"}'},
        {"text": f"whoever wrote {PASSWORD} into a sentence"},
        {"text": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLW9mLWl0"},
        {"error": ValueError(f"bad secret: {PASSWORD}")},
        {"key": f"sk-ant-{PASSWORD}"},
        {"text": f"asked with {secrets.new(secrets.Prefix.API_KEY)[:8]}{PASSWORD}"},
        {"secret_value": SIGNING.encode()},
    ],
)
def test_no_secret_stands_in_a_line(told: io.StringIO, facts: dict[str, Any]) -> None:
    structlog.get_logger("test").info("something happened", **facts)
    (line,) = lines_of(told)
    assert line["message"] == "something happened"
    assert "[redacted]" in told.getvalue()
    for secret in (PASSWORD, SIGNING, "abcdefghijklmnop", "c2lnbmF0dXJl"):
        assert secret not in told.getvalue()


def test_what_is_no_secret_stays(told: io.StringIO) -> None:
    facts = {"input_tokens": 12, "token_count": 3, "path": "src/tokens.py", "author": "A Person", "token_id": "x"}
    structlog.get_logger("test").info("counted", **facts)
    (line,) = lines_of(told)
    assert {name: line[name] for name in facts} == facts


def test_libraries_and_tracebacks_go_the_same_way(told: io.StringIO) -> None:
    try:
        raise ConnectionError(f"postgresql://tenet:{PASSWORD}@db/tenet is away")
    except ConnectionError:
        logging.getLogger("uvicorn.error").exception("a library's line with %s", f"password={PASSWORD}")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"a warning about {PASSWORD}", RuntimeWarning, stacklevel=1)
    library, warning = lines_of(told)
    assert library["level"] == "error"
    assert "ConnectionError" in library["exception"]
    assert warning["logger"] == "py.warnings"
    assert PASSWORD not in told.getvalue()


def test_statements_with_their_values_are_never_logged(told: io.StringIO, settings: Settings) -> None:
    observe.configure(settings.model_copy(update={"log_level": "debug"}), told)
    logging.getLogger("sqlalchemy.engine.Engine").info("INSERT INTO users ... %s", "hash")
    logging.getLogger("websockets.server").debug("< TEXT ...")
    logging.getLogger("arq.worker").info("a job with its arguments")
    assert [line["logger"] for line in lines_of(told)] == ["arq.worker"]


def test_an_unforeseen_error_is_found_by_its_reference(told: io.StringIO) -> None:
    word = observe.reference(KeyError("name"), path="/graphql")
    (line,) = lines_of(told)
    assert re.fullmatch("[0-9a-f]{10}", word)
    assert (line["reference"], line["path"], line["level"]) == (word, "/graphql", "error")
    assert "KeyError: 'name'" in line["exception"]


def test_a_terminal_gets_no_json_and_no_secret_either(settings: Settings, told: io.StringIO) -> None:
    observe.configure(settings.model_copy(update={"log_format": LogFormat.CONSOLE}), told)
    observe.reference(ValueError(f"token={PASSWORD}"), "broke")
    assert "broke" in told.getvalue()
    assert "ValueError" in told.getvalue()
    assert PASSWORD not in told.getvalue()


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that logs, and answers with the id it sees."""
    structlog.get_logger("test").info("inside")
    await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": (observe.request_id() or "").encode()})


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        (None, False),
        ("trace-1234.abc:X_", True),
        ("short", False),
        ("with space inside", False),
        ('"quoted"-and-long', False),
        ("x" * 65, False),
    ],
)
async def test_a_request_has_one_id_everywhere(told: io.StringIO, sent: str | None, taken: bool) -> None:
    transport = httpx.ASGITransport(app=observe.RequestIds(answer))
    async with httpx.AsyncClient(transport=transport, base_url="http://tenet") as client:
        response = await client.get("/", headers={"x-request-id": sent} if sent else {})
    identifier = response.headers["x-request-id"]
    assert (identifier == sent) is taken
    assert response.text == identifier
    assert [line["request_id"] for line in lines_of(told)] == [identifier]
    assert observe.request_id() is None


async def test_requests_at_the_same_time_keep_their_ids_apart(told: io.StringIO) -> None:
    transport = httpx.ASGITransport(app=observe.RequestIds(answer))
    async with httpx.AsyncClient(transport=transport, base_url="http://tenet") as client:
        wanted = [f"request-{number}" for number in range(20)]
        responses = await asyncio.gather(*(client.get("/", headers={"x-request-id": one}) for one in wanted))
    assert [response.text for response in responses] == wanted


def sample(name: str, **labels: str) -> float | None:
    """Read a metric."""
    return metrics.REGISTRY.get_sample_value(name, labels)


def test_facts_become_numbers() -> None:
    before = sample("tenet_requests_total", kind="query", operation="Patterns", code="OK") or 0
    observe.operation("query", "Patterns", "OK", 0.02)
    assert sample("tenet_requests_total", kind="query", operation="Patterns", code="OK") == before + 1
    with observe.subscription():
        assert sample("tenet_subscriptions_open") == 1
    assert sample("tenet_subscriptions_open") == 0
    observe.plan(cached=True)
    observe.pool("read", used=3, size=10)
    observe.queue_depth(queued=1, running=2, deferred=3, workers=4)
    observe.job_tallies([JobTally("sweep", "done", {0.1: 1, 60.0: 2, float("inf"): 2}, 3.5)])
    printed = observe.exposition().decode()
    assert 'tenet_pool_used{pool="read"} 3.0' in printed
    assert 'tenet_queue_jobs{state="deferred"} 3.0' in printed
    assert 'tenet_job_seconds_bucket{job="sweep",le="60.0",state="done"} 2.0' in printed
    assert 'tenet_job_seconds_count{job="sweep",state="done"} 2.0' in printed
    observe.queue_unknown()
    assert 'tenet_queue_jobs{state="deferred"} NaN' in observe.exposition().decode()
    observe.job_tallies([])


def test_clients_cannot_make_series_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_names", set())
    for number in range(metrics.NAMES_KEPT + 50):
        observe.operation("query", f"Made{number}", "OK")
    assert sample("tenet_requests_total", kind="query", operation="other", code="OK") == 50
    assert sample("tenet_requests_total", kind="query", operation="Made249", code="OK") is None


def test_without_an_endpoint_there_are_no_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in traces.ENDPOINTS:
        monkeypatch.delenv(variable, raising=False)
    assert not observe.start_traces("tenet-test")
    assert observe.span("anything") is observe.span("else")


def test_an_endpoint_without_the_extra_is_a_warning(monkeypatch: pytest.MonkeyPatch, told: io.StringIO) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(traces, "find_spec", lambda _: None)
    assert not observe.start_traces("tenet-test")
    (line,) = lines_of(told)
    assert "telemetry" in line["remedy"]


async def test_traces_are_sent_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Be silent."""

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        assert observe.start_traces("tenet-test")
        transport = httpx.ASGITransport(app=observe.RequestIds(answer))
        trace = "0af7651916cd43dd8448eb211c80319c"
        async with httpx.AsyncClient(transport=transport, base_url="http://tenet") as client:
            await client.get("/somewhere", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
            await client.get(
                "/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2VjcmV0", headers={"authorization": "Bearer secret"}
            )
            await client.get("/" + "x" * 5000)
        with suppress(LookupError), observe.span("job broken"):
            raise LookupError("no such secret")
        await asyncio.to_thread(observe.stop_traces)
        server.shutdown()
    ((path, body),) = received
    assert path == "/v1/traces"
    assert b"GET /somewhere" in body
    assert b"tenet-test" in body
    assert bytes.fromhex(trace) in body
    assert b"LookupError" in body
    assert b"GET /[redacted]" in body
    assert [secret for secret in (b"eyJ", b"c2VjcmV0", b"secret") if secret in body] == []
    assert len(body) < 3000
