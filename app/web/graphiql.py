"""The GraphiQL page, every byte of it from this host."""

import asyncio
import gzip
import hashlib
import importlib.util
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from app.domain.errors import Fault

# A wheel that is nothing but files; its views, which want Django, are never imported.
WHEEL = "graphene_django_graphiql_static"

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# These stand in the variables of a tab until the page knows ids of objects that its visitor may see.
ORGANIZATION_ID = "the id of an organization"
REPO_ID = "the id of a repository"
CANDIDATE_ID = "the id of a candidate"


@dataclass(frozen=True)
class Tab:
    """One operation that is there to be run when the page opens for the first time."""

    query: str
    variables: dict[str, Any] | None = None


@dataclass(frozen=True)
class Example:
    """How the page finds a real value for a placeholder: a query, and the way to the value in its answer."""

    placeholder: str
    query: str
    path: tuple[str | int, ...]


TABS = (
    Tab(
        """\
# Welcome to Tenet. Ctrl-Enter runs an operation,
# Ctrl-Space completes it, and the book on the left
# explains the schema. Unless you are signed in, put
# an API key or an access token into the box above.
query LookAround {
  viewer {
    login
    memberships {
      role
      organization {
        slug
      }
    }
  }
  repos(first: 10) {
    totalCount
    nodes {
      id
      fullName
      ingestionStatus
      lastIngestedAt
      patternCounts {
        candidate
        authoritative
        rejected
      }
    }
  }
}
"""
    ),
    Tab(
        """\
# Connects a repository and begins to read it, which
# can be followed in one of the next tabs.
mutation ConnectRepo(
  $organizationId: ID!
  $url: String!
) {
  connectRepo(
    input: {
      organizationId: $organizationId
      git: { url: $url }
    }
  ) {
    repo {
      id
      fullName
      ingestionStatus
    }
    run {
      id
      status
    }
  }
}
""",
        {"organizationId": ORGANIZATION_ID, "url": "https://github.com/encode/starlette.git"},
    ),
    Tab(
        """\
mutation StartIngestion($repoId: ID!) {
  startIngestion(input: { repoId: $repoId }) {
    alreadyRunning
    run {
      id
      status
      stage
      fraction
    }
  }
}
""",
        {"repoId": REPO_ID},
    ),
    Tab(
        """\
subscription FollowIngestion($repoId: ID!) {
  ingestionStatus(repoId: $repoId, follow: true) {
    sequence
    kind
    at
    stage
    message
    run {
      status
      fraction
      etaSeconds
      patternsFound
    }
  }
}
""",
        {"repoId": REPO_ID},
    ),
    Tab(
        """\
# What waits for a person, the strongest first.
query TriageQueue($repoId: ID!) {
  triageQueue(repoId: $repoId, first: 5) {
    totalCount
    nodes {
      id
      name
      version
      confidence {
        tier
        conforming
        applicable
      }
      similarTo {
        name
      }
      evidence {
        nodes {
          path
          startLine
          snippet
        }
      }
    }
  }
}
""",
        {"repoId": REPO_ID},
    ),
    Tab(
        """\
mutation Promote(
  $patternId: ID!
  $rationale: String
) {
  promotePattern(
    input: {
      patternId: $patternId
      rationale: $rationale
    }
  ) {
    pattern {
      name
      status
      version
      owner {
        login
      }
    }
  }
}
""",
        {"patternId": CANDIDATE_ID, "rationale": "Why this holds, in your words."},
    ),
    Tab(
        """\
subscription FollowPatterns($repoId: ID!) {
  patternChanges(repoId: $repoId) {
    sequence
    event {
      kind
      from
      to
      message
    }
    pattern {
      id
      name
      status
    }
  }
}
""",
        {"repoId": REPO_ID},
    ),
)
EXAMPLES = (
    Example(REPO_ID, "{ repos(first: 1) { nodes { id } } }", ("repos", "nodes", 0, "id")),
    Example(
        CANDIDATE_ID,
        "{ patterns(first: 1, filter: { status: [CANDIDATE] }) { nodes { id } } }",
        ("patterns", "nodes", 0, "id"),
    ),
    Example(
        ORGANIZATION_ID,
        "{ viewer { memberships { organization { id } } } }",
        ("viewer", "memberships", 0, "organization", "id"),
    ),
)


class GraphiQL:
    """An ASGI application: the page itself, and below `static/` the files it is made of."""

    def __init__(self, *, tabs: Iterable[Tab] = TABS, examples: Iterable[Example] = EXAMPLES) -> None:
        spec = importlib.util.find_spec(WHEEL)
        if spec is None or not spec.submodule_search_locations:
            raise Fault("The files of GraphiQL are missing.", remedy=f"Install the package {WHEEL.replace('_', '-')}.")
        wheel = Path(spec.submodule_search_locations[0]) / "static" / WHEEL
        own = Path(__file__).parent / "static"
        self._files = [
            *(_File(wheel / name) for name in ("graphiql.min.css", "react.production.min.js")),
            *(_File(wheel / name) for name in ("react-dom.production.min.js", "graphiql.min.js", "graphql-ws.min.js")),
            *(_File(own / name) for name in ("page.css", "page.js", "tenet.svg")),
        ]
        self._settings = {"tabs": [asdict(tab) for tab in tabs], "examples": [asdict(example) for example in examples]}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the page or one of its files."""
        _, below, name = scope["path"].rpartition("/static/")
        if not below:
            answer: Response = self._page
        elif file := next((file for file in self._files if file.address == name), None):
            answer = await file.answer(dict(scope["headers"]))
        else:
            answer = PlainTextResponse("There is no such file.", 404)
        await answer(scope, receive, send)

    @cached_property
    def _page(self) -> Response:
        named = {file.name: f"graphql/static/{file.address}" for file in self._files}
        # Inside of a script element nothing else could end it.
        settings = json.dumps(self._settings).replace("<", "\\u003c")
        styles = "\n".join(f'<link rel="stylesheet" href="{at}">' for name, at in named.items() if name.endswith("css"))
        scripts = "\n".join(f'<script defer src="{at}"></script>' for name, at in named.items() if name.endswith("js"))
        page = _PAGE.format(styles=styles, scripts=scripts, icon=named["tenet.svg"], settings=settings)
        headers = {
            "content-security-policy": _POLICY,
            "cache-control": "no-cache",
            "vary": "accept",
            "cross-origin-opener-policy": "same-origin",
        }
        return Response(page, headers=headers, media_type="text/html")


class _File:
    """A file under an address that changes with its content, so that browsers may keep it for ever."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path

    @cached_property
    def _content(self) -> bytes:
        return self._path.read_bytes()

    @cached_property
    def _packed(self) -> bytes:
        return gzip.compress(self._content, mtime=0)

    @cached_property
    def address(self) -> str:
        return f"{hashlib.sha256(self._content).hexdigest()[:16]}/{self.name}"

    async def answer(self, headers: dict[bytes, bytes]) -> Response:
        tag = f'"{self.address.partition("/")[0]}"'
        sent = {"etag": tag, "cache-control": _FOREVER, "vary": "accept-encoding"}
        if tag.encode() in headers.get(b"if-none-match", b""):
            return Response(status_code=304, headers=sent)
        if b"gzip" in headers.get(b"accept-encoding", b""):
            body = await asyncio.to_thread(lambda: self._packed)
            sent["content-encoding"] = "gzip"
        else:
            body = self._content
        return Response(body, headers=sent, media_type=_TYPES[self._path.suffix])


_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Tenet GraphQL</title>
<link rel="icon" href="{icon}">
{styles}
{scripts}
<script type="application/json" id="settings">{settings}</script>
</head>
<body>
<header class="bar">
<img class="bar-mark" src="{icon}" alt="" width="22" height="22">
<h1 class="bar-name">Tenet <span>GraphQL</span></h1>
<p class="bar-state" id="state" role="status" data-state="idle">Not connected</p>
<form class="bar-token" id="token-form" autocomplete="off">
<label for="token">Token</label>
<input id="token" type="password" placeholder="API key or access token" spellcheck="false" autocomplete="off">
<button type="submit">Use</button>
</form>
</header>
<main id="graphiql"><p class="loading">Loading GraphiQL ...</p></main>
</body>
</html>
"""
