"""What an operator sees: log lines, request ids, metrics and traces; one function for each fact that others tell."""

from app.observe import lean
from app.observe.logs import configure, reference
from app.observe.metrics import (
    EXPOSITION_TYPE,
    exposition,
    job_began,
    job_ended,
    job_tallies,
    operation,
    plan,
    pool,
    queue_depth,
    queue_unknown,
    remembered,
    subscription,
    worker_exposition,
)
from app.observe.redaction import protect, redact_text
from app.observe.requests import REQUEST_ID_HEADER, RequestIds, headers_of, request_id
from app.observe.traces import span, start_traces, stop_traces

__all__ = [
    "EXPOSITION_TYPE",
    "REQUEST_ID_HEADER",
    "RequestIds",
    "configure",
    "exposition",
    "headers_of",
    "job_began",
    "job_ended",
    "job_tallies",
    "lean",
    "operation",
    "plan",
    "pool",
    "protect",
    "queue_depth",
    "queue_unknown",
    "redact_text",
    "reference",
    "remembered",
    "request_id",
    "span",
    "start_traces",
    "stop_traces",
    "subscription",
    "worker_exposition",
]
