"""What is asked: five operations that front ends send, in the words of each kind of contestant."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import quote
from uuid import UUID

from app.domain.ids import Kind, public
from tests.bench.dataset import DataSet

_SUMMARY = "id name description type category language status version severity rationale createdAt updatedAt"
_PAGE = "pageInfo { hasNextPage endCursor }"
_LIST = """
query Patterns($repoId: ID!, $status: [PatternStatus!], $after: String) {
  patterns(first: 50, after: $after, filter: {repoId: $repoId, status: $status}) {
    edges { cursor node { %s } } %s
  }
}
"""

LIST = _LIST % (_SUMMARY, _PAGE)
BOARD = _LIST % (
    f"{_SUMMARY} repo {{ id fullName }} evidence(first: 3) {{ nodes {{ id path startLine endLine snippet }} }}",
    _PAGE,
)
ONE = f"""
query Pattern($id: ID!) {{
  pattern(id: $id) {{
    {_SUMMARY} repo {{ id fullName }}
    evidence(first: 10) {{ nodes {{ id path startLine endLine snippet author authoredAt isCanonical }} }}
  }}
}}
"""
QUEUE = f"""
query Queue($repoId: ID!, $after: String) {{
  triageQueue(repoId: $repoId, first: 20, after: $after) {{
    nodes {{
      id name description category severity createdAt
      confidence {{ tier instances adoption }} backtest {{ violations pullRequests }}
    }} {_PAGE}
  }}
}}
"""
PROMOTE = """
mutation Promote($id: ID!, $rationale: String) {
  promotePattern(input: {patternId: $id, rationale: $rationale}) {
    pattern { id name status version severity rationale }
  }
}
"""


class Speech(Enum):
    """How a contestant is spoken to."""

    GRAPHQL = "GraphQL over HTTP"
    TRPC = "tRPC"


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation: its document and its tRPC procedure, and the variables that its requests take turns with."""

    name: str
    title: str
    document: str
    root: str
    procedure: str
    variables: Callable[[DataSet], list[dict[str, Any]]]
    extra_input: Mapping[str, Any]
    pages: bool = True
    changes: bool = False
    goal: tuple[float, float] = (2.0, 0.7)
    """How many times the best peer's rate is wanted, and at most how much of its CPU."""

    def request(self, speech: Speech, variables: Mapping[str, Any], token: str) -> bytes:
        """Spell a request as it goes over the wire."""
        lines = ["host: 127.0.0.1", "accept: application/json", f"authorization: Bearer {token}"]
        body = b""
        said = {**self.extra_input, **variables}
        if speech is Speech.GRAPHQL:
            line = "POST /graphql"
            body = json.dumps({"query": self.document, "variables": dict(variables)}).encode()
        elif self.changes:
            line = f"POST /trpc/{self.procedure}"
            body = json.dumps(said).encode()
        else:
            line = f"GET /trpc/{self.procedure}?input={quote(json.dumps(said, separators=(',', ':')))}"
        if body:
            lines += ["content-type: application/json", f"content-length: {len(body)}"]
        return "\r\n".join([f"{line} HTTP/1.1", *lines, "", ""]).encode() + body

    def answer(self, speech: Speech, body: bytes) -> Any:
        """Take what was asked for out of an answer."""
        told = json.loads(body)
        if speech is Speech.TRPC:
            found = told.get("result", {}).get("data")
        else:
            found = None if told.get("errors") else told["data"][self.root]
        if found is None:
            raise ValueError(f"{self.name} was answered with {body[:500]!r}")
        return found


def _lists(data: DataSet) -> list[dict[str, Any]]:
    return [{"repoId": repo, "status": [status]} for repo in data.repos for status in ("AUTHORITATIVE", "CANDIDATE")]


def _patterns(data: DataSet) -> list[dict[str, Any]]:
    return [{"id": pattern} for pattern in data.patterns[:: len(data.patterns) // 200]]


def _queues(data: DataSet) -> list[dict[str, Any]]:
    return [{"repoId": repo} for repo in data.repos]


def _promotions(data: DataSet) -> list[dict[str, Any]]:
    # Each repository numbers its changes under a lock: neighbours in the list belong to different ones.
    each = len(data.candidates) // len(data.repos)
    spread = [candidate for first in range(each) for candidate in data.candidates[first::each]]
    return [{"id": candidate, "rationale": "Agreed in the review of the week."} for candidate in spread]


OPERATIONS = (
    Operation("list", "list of 50 patterns, 12 fields", LIST, "patterns", "list", _lists, {"first": 50}),
    Operation("board", "the same with 3 evidence each and the repo", BOARD, "patterns", "board", _lists, {"first": 50}),
    Operation("one", "one pattern with 10 evidence", ONE, "pattern", "one", _patterns, {}, pages=False),
    Operation("queue", "triage queue of 20", QUEUE, "triageQueue", "queue", _queues, {"first": 20}),
    Operation(
        "promote",
        "promotion of a candidate",
        PROMOTE,
        "promotePattern",
        "promote",
        _promotions,
        {},
        pages=False,
        changes=True,
        # To cost no more is enough where both wait for the same commit.
        goal=(0.0, 1.0),
    ),
)

_KINDS = {"repoId": Kind.REPO, "id": Kind.PATTERN}


def spelt(variables: Mapping[str, Any], *, opaque: bool) -> dict[str, Any]:
    """Spell ids as a contestant knows them: as Tenet's opaque ones, or as they stand in the database."""
    return {
        name: (public(_KINDS[name], value) if opaque else str(value)) if isinstance(value, UUID) else value
        for name, value in variables.items()
    }


_ID = re.compile(r"(?:[a-z]{3,4}_)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def plain(value: Any) -> Any:
    """Reduce an answer to what it says: every contestant has its own spelling of ids, cursors and moments."""
    if isinstance(value, dict):
        if value.keys() == {"nodes"}:
            return plain(value["nodes"])
        return {name: "a cursor" if name in ("cursor", "endCursor") else plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, str):
        if found := _ID.fullmatch(value):
            return "-".join(found.groups())
        if _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value)
    return value
