"""Secrets show once, where they are handed out, and nowhere else: all output of a full run is searched for them."""

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.cli.ports import get
from app.config import Settings
from app.credentials.issuer import shared_secret
from app.credentials.tokens import TrustedKey
from resolvers.engine.documents import without_values
from resolvers.people.accounts import SignInInput
from resolvers.schema import schema
from resolvers.transport.protocol import GraphQLRequest
from tests import factories as make
from tests.conftest import TABLES
from tests.identity.fakes import FakeGithub, served
from tests.identity.forging import AUDIENCE, ISSUER, outside_claims, signed
from tests.identity.installation import SECRET
from tests.installed import eventually

PASSWORD, NEW_PASSWORD, WRONG_PASSWORD = "a first secret phrase", "a second secret phrase", "a wrong secret phrase"
SHARED = "what the outside issuer shares with us"

SIGN_UP = "mutation($i:SignUpInput!){signUp(input:$i){accessToken viewer{id}}}"
SIGN_IN = "mutation($i:SignInInput!){signIn(input:$i){accessToken viewer{id}}}"
CHANGE = "mutation($i:ChangePasswordInput!){changePassword(input:$i){viewer{id}}}"
RENEW = "mutation{createAccessToken{accessToken}}"
ORGANIZE = "mutation($i:CreateOrganizationInput!){createOrganization(input:$i){organization{id}}}"
CUT = "mutation($i:CreateApiKeyInput!){createApiKey(input:$i){secret apiKey{id prefix}}}"
INVITE = "mutation($i:InviteMemberInput!){inviteMember(input:$i){token}}"
ACCEPT = "mutation($i:AcceptInvitationInput!){acceptInvitation(input:$i){membership{role}}}"
ORGANIZATION = "slug apiKeys{prefix} invitations{nodes{email}} auditLog{nodes{credential}}"
ME = f"{{viewer{{login memberships{{organization{{{ORGANIZATION}}}}}}}}}"


@dataclass
class Run:
    """A process of the service, and everything that it said."""

    base: str
    log: Path
    client: httpx.AsyncClient
    secrets: set[str] = field(default_factory=set)
    answers: list[str] = field(default_factory=list)

    async def ask(self, query: str, variables: Any = None, **headers: str) -> Any:
        """Ask, and keep the answer; what it hands out is a secret from then on."""
        self.client.cookies.clear()
        sent = dict(headers)
        if "token" in sent:
            sent["authorization"] = f"Bearer {sent.pop('token')}"
        response = await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=sent)
        told = response.json()
        for header in response.headers.get_list("set-cookie"):
            self.secrets.add(header.partition("=")[2].partition(";")[0])
        self.answers.append(_without(told, ("accessToken", "secret", "token"), self.secrets))
        return told


def _without(value: Any, names: tuple[str, ...], secrets: set[str]) -> str:
    """Spell an answer without what it is meant to hand out."""
    if isinstance(value, dict):
        handed_out = {name: inner for name, inner in value.items() if name in names and isinstance(inner, str)}
        secrets.update(handed_out.values())
        rest = {name: _without(inner, names, secrets) for name, inner in value.items() if name not in handed_out}
        return str(rest)
    return str([_without(inner, names, secrets) for inner in value]) if isinstance(value, list) else str(value)


class Collector:
    """Takes what traces are sent."""

    def __init__(self) -> None:
        self.spans = b""

    async def take(self, request: Request) -> Response:
        self.spans += await request.body()
        return Response()


@asynccontextmanager
async def serving(
    folder: Path, database_url: str, redis_url: str, github: FakeGithub, collector: str
) -> AsyncIterator[Run]:
    log = folder / "output"
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TENET_")},
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "TENET_DATA_DIR": str(folder / "data"),
        "TENET_SECRET": SECRET,
        "TENET_LOG_LEVEL": "debug",
        "TENET_ISSUER": ISSUER,
        "TENET_ISSUER_AUDIENCE": AUDIENCE,
        "TENET_ISSUER_SECRET": SHARED,
        "TENET_GITHUB_CLIENT_ID": github.client_id,
        "TENET_GITHUB_CLIENT_SECRET": github.client_secret,
        "TENET_GITHUB_URL": github.url,
        "TENET_GITHUB_API_URL": github.url,
        "PYTHONASYNCIODEBUG": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
    }
    with log.open("wb") as output, listening:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.cli", "--debug", "serve", "--fd", str(listening.fileno())),
            env=environment,
            stdout=output,
            stderr=output,
            pass_fds=[listening.fileno()],
        )
        try:
            address = f"127.0.0.1:{port}"

            async def lives() -> bool:
                return (await get(address, "/health/live", seconds=1))[0] == 200

            await eventually(lives, patience=30)
            async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
                yield Run(f"http://{address}", log, client)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def test_no_secret_is_in_anything_that_a_full_run_says(
    tmp_path: Path, database_url: str, redis_url: str, session: AsyncSession, broom: "asyncpg.Connection[Any]"
) -> None:
    github, collector = FakeGithub(), Collector()
    route = Route("/v1/traces", collector.take, methods=["POST"])
    async with github.serving() as url, served([route]) as traced:
        github.url = url
        async with serving(tmp_path, database_url, redis_url, github, traced) as run:
            await _everything(run, session, broom)
            metrics = (await run.client.get("/metrics")).text
            stored = str([(await session.execute(text(f"SELECT t::text FROM {table} t"))).all() for table in TABLES])
            async with Redis.from_url(redis_url) as redis:
                kept = str([(key, await redis.type(key)) async for key in redis.scan_iter("*")])
    said = run.log.read_text()
    secrets = run.secrets | github.tokens | {PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, SECRET, SHARED}
    secrets |= {github.client_secret, "hunter22", "$argon2id"} - {""}
    secrets.discard("")
    # The run was a full one, and what it said is there to be searched.
    assert len(secrets) >= 16
    assert "unexpected error" in said
    assert said.count("Traceback") >= 2
    assert len(run.answers) > 20
    traces = collector.spans.decode("utf-8", "replace")
    assert traces.count("POST /graphql") > 20
    places = {"log": said, "answers": "\n".join(run.answers), "metrics": metrics, "Redis": kept, "traces": traces}
    for place, words in places.items():
        assert [secret for secret in secrets if secret in words] == [], place
    # A hash of a password is stored; that is what it is for.
    assert [secret for secret in secrets - {"$argon2id"} if secret in stored] == []


async def _everything(run: Run, session: AsyncSession, broom: "asyncpg.Connection[Any]") -> None:
    """Come in by every way, decide what can be decided, and break what can be broken."""
    account = {"email": "ada@example.com", "password": PASSWORD}
    token = (await run.ask(SIGN_UP, {"i": account}))["data"]["signUp"]["accessToken"]
    await run.ask(SIGN_UP, {"i": account})
    await run.ask(SIGN_UP, {"i": {**account, "password": "hunter22"[:7]}})
    for wrong in ({**account, "password": WRONG_PASSWORD}, {"password": "hunter22"}, "hunter22", {**account, "x": 1}):
        await run.ask(SIGN_IN, {"i": wrong})
    await run.ask(f'mutation{{signIn(input:{{password:"{WRONG_PASSWORD}"}}){{accessToken}}}}')
    await run.ask(SIGN_IN, {"i": {**account, "password": ["hunter22"]}})
    await run.ask(RENEW, token=token)
    slug = {"slug": "acme", "name": "Acme"}
    here = (await run.ask(ORGANIZE, {"i": slug}, token=token))["data"]["createOrganization"]["organization"]["id"]
    key = {"organizationId": here, "name": "k", "scopes": ["check"]}
    cut = (await run.ask(CUT, {"i": key}, token=token))["data"]["createApiKey"]
    invite = {"organizationId": here, "email": "eve@example.com", "role": "VIEWER"}
    invitation = (await run.ask(INVITE, {"i": invite}, token=token))["data"]["inviteMember"]["token"]
    for way in (token, cut["secret"], cut["secret"] + "x", token + "x", invitation, "eyJhbGciOiJub25lIn0.e30."):
        await run.ask(ME, token=way)
    outside = signed({"alg": "HS256"}, outside_claims(), SHARED.encode())
    run.secrets.add(outside)
    await run.ask(ME, token=outside)
    await run.ask(ACCEPT, {"i": {"token": invitation}}, token=outside)
    await run.ask(ACCEPT, {"i": {"token": [invitation]}}, token=outside)
    await _through_github(run)
    await run.ask(CHANGE, {"i": {"current": WRONG_PASSWORD, "new": NEW_PASSWORD}}, token=token)
    await run.ask(CHANGE, {"i": {"current": PASSWORD, "new": NEW_PASSWORD}}, token=token)
    # Faults of ours, with statements that have a password's hash or a key's digest among their values.
    await broom.execute("ALTER TABLE users ADD CONSTRAINT broken CHECK (email <> 'bob@example.com')")
    await broom.execute("ALTER TABLE api_keys RENAME TO elsewhere")
    try:
        for document, given in ((SIGN_UP, {**account, "email": "bob@example.com"}), (CUT, key)):
            told = await run.ask(document, {"i": given}, token=token)
            assert told["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR", told
        await run.ask(ME, token=cut["secret"])
    finally:
        await broom.execute("ALTER TABLE elsewhere RENAME TO api_keys")
        await broom.execute("ALTER TABLE users DROP CONSTRAINT broken")
    for path in ("/graphql?query={viewer{login}}", f"/{token}", f"/auth/github/callback?code={invitation}&state=x"):
        await run.client.get(path, headers={"authorization": f"Bearer {token}", "cookie": f"tenet_session={token}"})


async def _through_github(run: Run) -> None:
    begun = await run.client.get("/auth/github")
    agreed = await run.client.get(begun.headers["location"])
    back = await run.client.get(agreed.headers["location"])
    assert back.status_code == 303
    for response in (begun, back):
        for header in response.headers.get_list("set-cookie"):
            run.secrets.add(header.partition("=")[2].partition(";")[0])


def test_what_holds_secrets_does_not_show_them() -> None:
    settings = Settings(
        _env_file=None,
        secret=SECRET,
        issuer=ISSUER,
        issuer_audience=AUDIENCE,
        issuer_secret=SHARED,
        github_client_id="id",
        github_client_secret="the secret of the application",
    )
    trusted: TrustedKey = shared_secret(SHARED)
    for shown in (repr(settings), str(settings), repr(trusted), str(vars(settings))):
        assert [secret for secret in (SECRET, SHARED, "the secret of the application") if secret in shown] == []


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("String cannot represent a non string value: 'hunter22'", "String cannot represent a non string value"),
        ("Int cannot represent non-integer value: 1.5", "Int cannot represent non-integer value"),
        (
            "Expected value of type 'A' to be an object, found: {'b': 'hunter22'}.",
            "Expected value of type 'A' to be an object",
        ),
        ("Cannot query field 'value: x' on type 'Query'.", "Cannot query field 'value: x' on type 'Query'."),
        ("DateTime needs the form of RFC 3339, as 2026.", "DateTime needs the form of RFC 3339, as 2026."),
    ],
)
def test_a_message_says_what_is_wrong_without_the_value(message: str, kept: str) -> None:
    assert without_values(message) == kept


def test_what_carries_secrets_to_and_from_clients_does_not_show_them() -> None:
    secretive = re.compile(r"(password|secret|token)$|^(current|new)$")
    shown = [
        (name, declared.python_name, declared.repr)
        for name in schema.core.type_map
        for declared in getattr(schema.get_type_by_name(name), "fields", ())
        if name != "Mutation" and secretive.search(declared.python_name)
    ]
    assert sorted(shown) == [
        ("AcceptInvitationInput", "token", False),
        ("ChangePasswordInput", "current", False),
        ("ChangePasswordInput", "new", False),
        ("CreateApiKeyPayload", "secret", False),
        ("InviteMemberPayload", "token", False),
        ("SignInInput", "password", False),
        ("SignInPayload", "access_token", False),
        ("SignUpInput", "password", False),
    ]
    assert PASSWORD not in repr(SignInInput(email="ada@example.com", password=PASSWORD))
    request = GraphQLRequest(f'{{signIn(input:{{password:"{PASSWORD}"}})}}', None, {"password": PASSWORD}, None)
    assert PASSWORD not in repr(request)


async def test_a_user_row_is_not_spelt_out(session: AsyncSession) -> None:
    user = await make.user(session, password_hash="$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g")
    assert "argon2" not in repr(user)
