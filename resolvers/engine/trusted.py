"""Trusted documents: a client sends the hash of a document instead of its text, and production may run no others."""

import json
import re
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLSchema, parse, validate

from app.config import Settings
from app.domain.errors import ErrorCode, Fault, Forbidden, Invalid
from resolvers.transport.protocol import GraphQLRequest

MOST_REGISTERED = 500
EXIT_CODE = 2

_HASH = re.compile(r"[0-9a-f]{64}")


class TrustedDocuments:
    """Finds the text of a request, and says whether it may run."""

    def __init__(self, settings: Settings) -> None:
        self._listed = read_list(settings.documents) if settings.documents else {}
        self._only_listed = settings.documents_only
        self._registers = not settings.production
        self._registered: OrderedDict[str, str] = OrderedDict()

    def text(self, request: GraphQLRequest) -> str:
        """Give the text to run; a hash that nobody knows is answered so that clients send the text with it."""
        asked = _hash_of(request)
        if asked is None:
            if not request.query:
                raise Invalid("A request needs a query.", fields={"query": "is missing"})
            if self._only_listed and hashed(request.query) not in self._listed:
                raise Forbidden("Only documents on the list of this installation are run.")
            return request.query
        known = self._listed.get(asked) or self._registered.get(asked)
        if request.query is None:
            if known is None:
                raise GraphQLError("PersistedQueryNotFound", extensions={"code": ErrorCode.VALIDATION_ERROR.value})
            return known
        if hashed(request.query) != asked:
            raise Invalid("The hash is not the query's.", fields={"extensions": "sha256Hash is of another document"})
        if known is None and self._only_listed:
            raise Forbidden("Only documents on the list of this installation are run.")
        if known is None and self._registers:
            self._registered[asked] = request.query
            if len(self._registered) > MOST_REGISTERED:
                self._registered.popitem(last=False)
        return request.query


def hashed(text: str) -> str:
    """Name a document by its hash."""
    return sha256(text.encode()).hexdigest()


def list_of(schema: GraphQLSchema, texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Make the list of documents, each with its name for the error if it does not fit the schema."""
    listed: dict[str, str] = {}
    for name, text in texts:
        try:
            errors = validate(schema, parse(text))
        except GraphQLError as error:
            errors = [error]
        if errors:
            raise Fault(
                f"{name} is no document of this schema: {errors[0].message}",
                remedy="Correct it, or leave it out.",
                exit_code=EXIT_CODE,
            )
        listed[hashed(text)] = text
    return listed


def read_list(path: Path) -> dict[str, str]:
    """Read a list of documents that `tenet documents` wrote; every hash must be its text's."""
    try:
        listed: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Fault(
            f"The list of documents cannot be read: {error}.", remedy="Correct TENET_DOCUMENTS.", exit_code=EXIT_CODE
        ) from None
    except ValueError:
        listed = None
    if not isinstance(listed, dict) or any(
        not isinstance(text, str) or hashed(text) != name for name, text in listed.items()
    ):
        raise Fault(
            f"{path} is no list of documents by their hashes.",
            remedy="Write it anew with: tenet documents FILE... > documents.json",
            exit_code=EXIT_CODE,
        )
    return listed


def _hash_of(request: GraphQLRequest) -> str | None:
    persisted = (request.extensions or {}).get("persistedQuery")
    if persisted is None:
        return None
    asked = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(asked, str) or not _HASH.fullmatch(asked) or persisted.get("version") != 1:
        raise Invalid(
            "extensions.persistedQuery needs version 1 and a sha256Hash.",
            fields={"extensions": "persistedQuery needs version: 1 and sha256Hash: 64 hex digits"},
        )
    return asked
