"""Redaction: what a log line may not show, whoever wrote the line."""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from itertools import pairwise
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

HIDDEN = "[redacted]"
LONGEST_TEXT = 20_000

_SECRET_WORDS = {
    *("password", "passwd", "passphrase", "secret", "token", "jwt", "bearer"),
    *("authorization", "cookie", "apikey", "privatekey", "dsn"),
}
_HARMLESS_ENDINGS = {"count", "estimate", "id", "kind", "seconds"}
_WORD_ENDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")

# The order matters: a whole header goes before the pair of words inside it.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?im)((?:set-)?cookie|authorization)([\"']?\s*:\s*)[^\n\r]+"), rf"\1\2{HIDDEN}"),
    (re.compile(r"(://)[^/?#\s@\"']+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{16,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"), HIDDEN),
    # Of Anthropic, of GitHub, and our own.
    (re.compile(r"\b(?:sk-[\w-]{16,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|tn[tsi]_[\w-]{16,})"), HIDDEN),
    (re.compile(r"\$argon2\w*\$[\w=,$+/.-]+"), HIDDEN),
    (
        re.compile(
            r"(?i)((?:password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key)[\"']?\s*[:=]\s*)"
            r"(?!\[redacted\])(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s,;&)}\]]+)"
        ),
        rf"\1{HIDDEN}",
    ),
)

_protected: set[str] = set()
_literal: re.Pattern[str] | None = None


def protect(settings: BaseModel) -> None:
    """Learn the secrets of this installation, so that they are hidden wherever they turn up."""
    global _literal
    for value in dict(settings).values():
        if isinstance(value, SecretStr):
            _protected.update(_secrets_in(value.get_secret_value()))
    longest_first = sorted(_protected, key=len, reverse=True)
    _literal = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def redact_text(text: str) -> str:
    """Hide what looks like a secret, or is one of ours, in a text."""
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]} [{len(text) - LONGEST_TEXT} characters more]"
    if _literal is not None:
        text = _literal.sub(HIDDEN, text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets in a log event, by the name of a value or by its look; a step of structlog."""
    for name, value in event.items():
        if not name.startswith("_"):
            event[name] = _redacted(name, value)
    return event


def _redacted(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if _is_secret(name):
        return HIDDEN
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {str(key): _redacted(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(name, inner) for inner in value]
    if isinstance(value, BaseException):
        return redact_text(f"{type(value).__name__}: {value}")
    return redact_text(str(value))


def _is_secret(name: str) -> bool:
    words = [word.lower() for word in _WORD_ENDS.split(name) if word]
    if not words or words[-1] in _HARMLESS_ENDINGS:
        return False
    pairs = {first + second for first, second in pairwise(words)}
    return not _SECRET_WORDS.isdisjoint({*words, *pairs})


def _secrets_in(value: str) -> Iterable[str]:
    """Of a URL the password alone, as it is written and as it is meant; of anything else the whole."""
    if "://" not in value:
        return {value}
    password = urlsplit(value).password
    # Short or common words would blacken half of the log, and hide nothing by it.
    return {spelling for spelling in (password, unquote(password or "")) if spelling and len(spelling) >= 6}
