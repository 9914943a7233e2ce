"""An installation as its clients see it, and people with credentials of every kind."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.credentials import secrets, tokens
from app.credentials.secrets import Prefix
from app.db import models
from app.domain.ids import Kind, public
from app.domain.viewer import Role, Scope
from app.main import Application, create_app
from app.runtime import Runtime
from resolvers.engine.execution import GraphQLEngine
from tests import factories as make
from tests.wire.service import Service, listen

SECRET = "what signs the tokens of these tests"
PASSWORD = "correct horse battery staple"


class Clock:
    """The time, as far as a test lets it pass."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.passed


@dataclass
class Reply:
    """What came back from one request."""

    response: httpx.Response

    @property
    def body(self) -> Any:
        return self.response.json()

    @property
    def data(self) -> Any:
        """The data, of an answer without any error."""
        assert "errors" not in self.body, self.body
        return self.body["data"]

    @property
    def codes(self) -> list[str]:
        """The codes of all errors."""
        return [error["extensions"]["code"] for error in self.body.get("errors", ())]

    @property
    def code(self) -> str:
        """The code of the only error."""
        (code,) = self.codes
        return code

    @property
    def extensions(self) -> dict[str, Any]:
        """What the only error says to programs."""
        (error,) = self.body["errors"]
        found: dict[str, Any] = error["extensions"]
        return found

    @property
    def cookie(self) -> str | None:
        """The value of the session's cookie, where the answer sets one."""
        for header in self.response.headers.get_list("set-cookie"):
            name, _, rest = header.partition("=")
            if name.endswith("tenet_session"):
                return str(rest.partition(";")[0])
        return None


@dataclass
class Installation:
    """A running application."""

    application: Application
    service: Service
    settings: Settings
    clock: Clock = field(default_factory=Clock)

    @property
    def runtime(self) -> Runtime:
        assert self.application.github.runtime is not None
        return self.application.github.runtime

    @property
    def engine(self) -> GraphQLEngine:
        assert isinstance(self.service.engine, GraphQLEngine)
        return self.service.engine

    async def ask(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        cookie: str | None = None,
        address: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one operation by POST."""
        sent = {"content-type": "application/json", **(headers or {})}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        if cookie is not None:
            sent["cookie"] = f"tenet_session={cookie}"
        if address is not None:
            # uvicorn believes a proxy on the loopback address.
            sent["x-forwarded-for"] = address
        # Which cookies are sent is what these tests are about.
        self.service.client.cookies.clear()
        body = json.dumps({"query": query, "variables": variables}).encode()
        return Reply(await self.service.client.post(self.service.url, content=body, headers=sent))

    async def person(self, session: AsyncSession, who: models.User | None = None) -> "Person":
        """Make a person who is signed in."""
        who = who or await make.user(session)
        secret = secrets.new(Prefix.SESSION)
        opened = await make.sign_in(session, who, secret_hash=secrets.digest(secret))
        return Person(who, opened, secret, self.token_of(who, opened))

    def token_of(self, who: models.User, opened: models.Session, *, lifetime: timedelta = tokens.LIFETIME) -> str:
        """Sign an access token of a session."""
        now = self.clock()
        return tokens.sign(SECRET, who.id, opened.id, now=now, expires_at=now + lifetime)

    async def member(self, session: AsyncSession, of: models.Organization, role: Role) -> "Person":
        """Make a signed-in person who belongs to an organization."""
        person = await self.person(session)
        person.membership = await make.member(session, of, person.user, role=role)
        return person


@dataclass
class Person:
    """Somebody with a session: its cookie, and an access token made from it."""

    user: models.User
    session: models.Session
    cookie: str
    token: str
    membership: models.Membership | None = None

    @property
    def id(self) -> str:
        return public(Kind.USER, self.user.id)


async def key_of(
    session: AsyncSession, of: models.Organization, creator: models.User, scopes: Sequence[Scope], **over: Any
) -> str:
    """Make an API key, and give its secret."""
    secret = secrets.new(Prefix.API_KEY)
    values = {"prefix": secrets.prefix_of(secret), "scopes": [scope.value for scope in scopes], **over}
    await make.api_key(session, of, creator, secret_hash=secrets.digest(secret), **values)
    return secret


async def lookup(host: str, port: int) -> list[str]:
    """Find every host of the world at a public address, without asking the world."""
    return ["93.184.215.14"]


@asynccontextmanager
async def installed(database_url: str, redis_url: str, **over: Any) -> AsyncIterator[Installation]:
    """Run an installation on the servers of the tests."""
    settings = Settings(
        _env_file=None,
        **{
            "DATABASE_URL": SecretStr(database_url),
            "REDIS_URL": SecretStr(redis_url),
            "secret": SecretStr(SECRET),
            "drain_seconds": 0,
            **over,
        },
    )
    application = create_app(settings)
    async with application.plain.lifespan_context(application):
        endpoint = application.endpoint
        assert endpoint is not None
        service = await listen(application, settings, endpoint.close)
        service.engine = application.engine
        made = Installation(application, service, settings)
        made.runtime.clock, made.runtime.lookup = made.clock, lookup
        try:
            yield made
        finally:
            await service.stop()
