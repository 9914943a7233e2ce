"""OpenTelemetry traces: sent where an endpoint is set and the extra `telemetry` is installed; else for free."""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from typing import Any

import structlog

from app import __version__
from app.observe.redaction import redact_text

# A path is a stranger's words.
LONGEST_NAME = 200
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

log = structlog.get_logger(__name__)

_provider: Any = None
_nothing: AbstractContextManager[None] = nullcontext()


def traces_wanted() -> str | None:
    """Name the variable that asks for traces."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    return next((variable for variable in ENDPOINTS if os.environ.get(variable)), None)


def traces_installed() -> bool:
    """Tell whether the extra `telemetry` is there."""
    try:
        return find_spec("opentelemetry.sdk") is not None and find_spec("opentelemetry.exporter.otlp") is not None
    except ModuleNotFoundError:
        return False


def start_traces(service: str) -> bool:
    """Begin to send traces if the environment asks for them."""
    global _provider
    wanted = traces_wanted()
    if wanted is None or _provider is not None:
        return _provider is not None
    if not traces_installed():
        # Such variables are often set for a whole cluster, so their presence alone must not keep the service down.
        log.warning("traces are asked for but cannot be sent", variable=wanted, remedy="install tenet[telemetry]")
        return False
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    names = {"service.name": os.environ.get("OTEL_SERVICE_NAME") or service, "service.version": __version__}
    _provider = TracerProvider(resource=Resource.create(names), shutdown_on_exit=False)
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return True


def stop_traces() -> None:
    """Send what has not been sent, and stop."""
    global _provider
    provider, _provider = _provider, None
    if provider is not None:
        provider.shutdown()


def tracing() -> bool:
    """Tell whether traces are sent: whoever is asked often spares itself what a span is told."""
    return _provider is not None


def span(
    name: str, *, headers: Iterable[tuple[bytes, bytes]] = (), **attributes: str | int | float | bool
) -> AbstractContextManager[None]:
    """Put the time of a block into the trace, under the caller's trace where its headers name one."""
    return _nothing if _provider is None else _recorded(name, headers, attributes)


@contextmanager
def _recorded(name: str, headers: Iterable[tuple[bytes, bytes]], attributes: dict[str, Any]) -> Iterator[None]:
    from opentelemetry.trace import SpanKind, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {key.decode("latin-1"): value.decode("latin-1") for key, value in headers}
    context = TraceContextTextMapPropagator().extract(carrier) if carrier else None
    kind = SpanKind.SERVER if carrier else SpanKind.INTERNAL
    with _provider.get_tracer("tenet").start_as_current_span(
        redact_text(name)[:LONGEST_NAME],
        context=context,
        kind=kind,
        attributes=attributes,
        # By itself it would send the words of an error, which the log does not show before they were redacted.
        record_exception=False,
        set_status_on_exception=False,
    ) as recording:
        try:
            yield
        except BaseException as error:
            recording.set_status(StatusCode.ERROR, type(error).__name__)
            raise
