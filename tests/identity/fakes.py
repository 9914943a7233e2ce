"""Outside systems as this service meets them: an issuer's keys, and GitHub's OAuth and user API."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.cli.ports import bind
from tests.identity.forging import Pair
from tests.wire.service import PATIENCE, QuietServer

Endpoint = Callable[[Request], Awaitable[Response]]


@asynccontextmanager
async def served(routes: list[Route]) -> AsyncIterator[str]:
    """Serve some addresses on this host, and give where."""

    async def closing() -> None:
        pass

    listener = bind("127.0.0.1", 0)
    config = uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = QuietServer(config, closing)
    stopped = asyncio.create_task(server.serve([listener]))
    await asyncio.wait_for(server.up.wait(), PATIENCE)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await stopped


@dataclass
class FakeIssuer:
    """Publishes keys, and counts how often it is asked."""

    pairs: list[Pair]
    asked: int = 0
    answer: Any = None
    status: int = 200

    async def keys(self, _: Request) -> Response:
        self.asked += 1
        document = {"keys": [pair.jwk for pair in self.pairs]} if self.answer is None else self.answer
        return JSONResponse(document, self.status)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve the keys, and give their address."""
        async with served([Route("/keys", self.keys)]) as url:
            yield f"{url}/keys"


@dataclass
class FakeGithub:
    """Speaks GitHub's wire: consent, the trade of a code for a token, and /user."""

    client_id: str = "Iv1.example"
    client_secret: str = "the secret of the OAuth application"
    person: dict[str, Any] = field(
        default_factory=lambda: {
            "login": "octocat",
            "id": 583231,
            "name": "The Octocat",
            "avatar_url": "https://avatars.example.com/u/583231",
            "email": "ada@example.com",
        }
    )
    grants: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    status: int = 200
    url: str = ""

    async def authorize(self, request: Request) -> Response:
        """Let the person agree at once, and send them back with a code."""
        asked = dict(request.query_params)
        assert asked["client_id"] == self.client_id
        assert asked["code_challenge_method"] == "S256"
        code = token_hex(10)
        self.grants[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def trade(self, request: Request) -> Response:
        """Give a token for a code, once, and only to whoever set out for it."""
        if self.status != 200:
            return Response("unicorn!", self.status)
        form = dict(parse_qsl((await request.body()).decode()))
        asked = self.grants.pop(form["code"], None)
        verifier = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if (
            asked is None
            or form["client_secret"] != self.client_secret
            or form["redirect_uri"] != asked["redirect_uri"]
            or verifier != asked["code_challenge"]
        ):
            # GitHub says no with a 200.
            return JSONResponse({"error": "bad_verification_code", "error_description": "The code is incorrect."})
        assert request.headers["accept"] == "application/json"
        token = f"gho_{token_hex(18)}"
        self.tokens.add(token)
        return JSONResponse({"access_token": token, "scope": asked["scope"], "token_type": "bearer"})

    async def user(self, request: Request) -> Response:
        """Tell who the bearer is."""
        if request.headers["authorization"].removeprefix("Bearer ") not in self.tokens:
            return JSONResponse({"message": "Bad credentials"}, 401)
        return JSONResponse(self.person)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve GitHub and its API."""
        routes = [
            Route("/login/oauth/authorize", self.authorize),
            Route("/login/oauth/access_token", self.trade, methods=["POST"]),
            Route("/user", self.user),
        ]
        async with served(routes) as url:
            yield url
