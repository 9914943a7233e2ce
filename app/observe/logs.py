"""Log lines: JSON for machines, readable in a terminal, and everything of this process in one stream."""

import logging
import secrets
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from app.config import LogFormat, Settings
from app.observe.redaction import protect, redact
from app.observe.requests import add_request_id

log = structlog.get_logger(__name__)

# What these say at `info` (every connection, every job with its arguments, every migration) we say ourselves, or nobody
# needs; what arq says of a failed job stands in our own line with a reference.
_QUIET = {
    "uvicorn": logging.WARNING,
    "arq": logging.CRITICAL,
    "alembic": logging.WARNING,
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "asyncio": logging.WARNING,
    "opentelemetry": logging.WARNING,
}
# At `info` these print statements with their values, or frames with their content, so no setting lets them.
_MUTE = {"sqlalchemy": logging.WARNING, "websockets": logging.WARNING, "hishel": logging.WARNING}

_USUAL = ("timestamp", "level", "message", "logger", "request_id")


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Route every log line of this process, ours and those of libraries, to one stream in one form."""
    protect(settings)
    stream = stream or sys.stderr
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_request_id,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(allow=())],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                *_rendering(settings, stream),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet in _QUIET.items():
        _hand_over(name, logging.INFO if level == logging.DEBUG else max(level, quiet))
    for name, mute in _MUTE.items():
        _hand_over(name, max(level, mute))
    logging.captureWarnings(capture=True)


def reference(error: BaseException, message: str = "unexpected error", **facts: Any) -> str:
    """Log an unexpected error with its traceback, and give the short word by which it is found again."""
    word = secrets.token_hex(5)
    log.error(message, reference=word, exc_info=error, **facts)
    return word


def _rendering(settings: Settings, stream: TextIO) -> list[structlog.typing.Processor]:
    chosen = settings.log_format
    if chosen is LogFormat.AUTO:
        chosen = LogFormat.CONSOLE if stream.isatty() and not settings.production else LogFormat.JSON
    if chosen is LogFormat.JSON:
        return [
            structlog.processors.EventRenamer("message"),
            _usual_first,
            structlog.processors.JSONRenderer(default=str),
        ]
    # The traceback is a text by now: a pretty one would show local variables, and with them secrets.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain, pad_event_to=28)]


def _usual_first(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What every line has comes first, for those who read JSON with their eyes."""
    return {name: event[name] for name in _USUAL if name in event} | dict(event)


def _hand_over(name: str, level: int) -> None:
    logger = logging.getLogger(name)
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(level)
