"""WebSockets and event streams: the same ways in, checked again at each operation and while they last."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import ApiKey, Organization
from app.domain.ids import Kind, public
from app.domain.viewer import Role, Scope
from tests import factories as make
from tests.identity.conftest import Install
from tests.identity.forging import AUDIENCE, ISSUER, outside_claims, signed
from tests.identity.installation import Installation, Person, key_of
from tests.wire.service import Talk

ME = "{viewer{login}}"
CHANGES = "subscription($r:ID!){patternChanges(repoId:$r){sequence}}"
SIGN_OUT = "mutation{signOut{signedOut}}"
CLOSED = (4403, "The credential does not hold any more")


@pytest.fixture
async def quick(install: Install) -> AsyncIterator[Installation]:
    """An installation that looks at live connections all the time."""
    async with install(recheck_seconds=0.05, heartbeat_seconds=0.05) as home:
        yield home


async def let_in(home: Installation, payload: dict[str, Any] | None = None, **options: Any) -> Talk:
    talk = await home.service.connect(**options)
    await talk.say(type="connection_init", payload=payload)
    assert await talk.hear() == {"type": "connection_ack"}
    return talk


async def ways(home: Installation, session: AsyncSession) -> tuple[Person, Organization, dict[str, dict[str, Any]]]:
    """Make somebody, and every way that they may open a socket."""
    organization = await make.organization(session)
    person = await home.member(session, organization, Role.OWNER)
    key = await key_of(session, organization, person.user, list(Scope))
    cookie = {"additional_headers": {"cookie": f"tenet_session={person.cookie}"}}
    return (
        person,
        organization,
        {
            "token": {"payload": {"authorization": f"Bearer {person.token}"}},
            "Token": {"payload": {"Authorization": f"bearer {person.token}"}},
            "header": {"additional_headers": {"authorization": f"Bearer {person.token}"}},
            "key": {"payload": {"authorization": f"Bearer {key}"}},
            "cookie": cookie,
            "cookie of our own page": {**cookie, "origin": f"http://127.0.0.1:{home.service.port}"},
        },
    )


async def test_every_way_in_opens_a_socket(home: Installation, session: AsyncSession) -> None:
    person, _, all_ways = await ways(home, session)
    for way in all_ways.values():
        talk = await let_in(home, **way)
        await talk.subscribe("1", ME)
        assert await talk.result("1") == {"viewer": {"login": person.user.login}}
    stranger = await let_in(home)
    await stranger.subscribe("1", ME)
    assert await stranger.result("1") == {"viewer": None}


@pytest.mark.parametrize("authorization", ["Bearer x.y.z", "Bearer tnt_nonsense", "nonsense", ""])
async def test_a_wrong_credential_is_never_acknowledged(home: Installation, authorization: str) -> None:
    talk = await home.service.connect()
    await talk.say(type="connection_init", payload={"authorization": authorization})
    code, _ = await talk.closed()
    assert code == 4403


async def test_a_foreign_page_opens_no_socket_with_its_visitors_cookie(
    home: Installation, session: AsyncSession
) -> None:
    person = await home.person(session)
    headers = {"cookie": f"tenet_session={person.cookie}"}
    with pytest.raises(Exception, match="403"):
        await home.service.connect(origin="https://evil.example", additional_headers=headers)


async def test_each_operation_looks_again(install: Install, session: AsyncSession) -> None:
    # Nothing is looked at between the operations here.
    async with install(recheck_seconds=28) as home:
        person, _, all_ways = await ways(home, session)
        talks = [await let_in(home, **all_ways[name]) for name in ("token", "cookie")]
        for talk in talks:
            await talk.subscribe("1", ME)
            assert await talk.result("1") == {"viewer": {"login": person.user.login}}
            assert await talk.hear() == {"type": "complete", "id": "1"}
        await home.ask(SIGN_OUT, token=person.token)
        home.engine.callers.forget()
        for talk in talks:
            await talk.subscribe("2", ME)
            refused = await talk.hear()
            assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")


async def test_a_role_that_changes_counts_from_the_next_operation_on(home: Installation, session: AsyncSession) -> None:
    organization = await make.organization(session)
    owner = await home.member(session, organization, Role.OWNER)
    member = await home.member(session, organization, Role.VIEWER)
    talk = await let_in(home, {"authorization": f"Bearer {member.token}"})
    document = f'{{organization(slug:"{organization.slug}"){{slug}}}}'
    await talk.subscribe("1", document)
    assert await talk.result("1") == {"organization": {"slug": organization.slug}}
    await talk.hear()
    remove = "mutation($i:RemoveMemberInput!){removeMember(input:$i){organization{slug}}}"
    out = {"organizationId": public(Kind.ORGANIZATION, organization.id), "userId": member.id}
    assert (await home.ask(remove, {"i": out}, token=owner.token)).codes == []
    home.engine.callers.forget()
    await talk.subscribe("2", document)
    assert await talk.result("2") == {"organization": None}


@pytest.mark.parametrize("way", ["token", "cookie", "key"])
async def test_a_revoked_credential_closes_its_sockets(quick: Installation, session: AsyncSession, way: str) -> None:
    person, organization, all_ways = await ways(quick, session)
    other = await quick.person(session)
    spared = await let_in(quick, {"authorization": f"Bearer {other.token}"})
    talk = await let_in(quick, **all_ways[way])
    repo = await make.repo(session, organization)
    await talk.subscribe("1", CHANGES, variables={"r": public(Kind.REPO, repo.id)})
    if way == "key":
        key = (await session.scalars(select(ApiKey.id))).one()
        revoke = "mutation($i:RevokeApiKeyInput!){revokeApiKey(input:$i){apiKey{id}}}"
        assert (await quick.ask(revoke, {"i": {"id": public(Kind.API_KEY, key)}}, token=person.token)).codes == []
    else:
        assert (await quick.ask(SIGN_OUT, token=person.token)).data == {"signOut": {"signedOut": True}}
    assert await talk.closed() == CLOSED
    await spared.subscribe("1", ME)
    assert await spared.result("1") == {"viewer": {"login": other.user.login}}


async def test_an_expired_token_closes_its_socket(quick: Installation, session: AsyncSession) -> None:
    person = await quick.person(session)
    talk = await let_in(quick, {"authorization": f"Bearer {person.token}"})
    quick.clock.passed = timedelta(minutes=15, seconds=11)
    assert await talk.closed() == CLOSED


async def test_an_expired_key_and_an_expired_outside_token_close_theirs(
    install: Install, session: AsyncSession
) -> None:
    shared = "a secret that the issuer shares with us alone"
    trusting = {"issuer": ISSUER, "issuer_audience": AUDIENCE, "issuer_secret": shared}
    async with install(recheck_seconds=0.05, heartbeat_seconds=0.05, **trusting) as home:
        organization = await make.organization(session)
        owner = await home.member(session, organization, Role.OWNER)
        soon = home.clock() + timedelta(minutes=5)
        key = await key_of(session, organization, owner.user, list(Scope), expires_at=soon)
        token = signed({"alg": "HS256"}, outside_claims(exp=int(soon.timestamp())), shared.encode())
        talks = [await let_in(home, {"authorization": f"Bearer {way}"}) for way in (key, token)]
        for talk in talks:
            await talk.subscribe("1", ME)
            assert (await talk.result("1"))["viewer"] is not None
            assert await talk.hear() == {"type": "complete", "id": "1"}
        home.clock.passed = timedelta(minutes=5, seconds=11)
        for talk in talks:
            assert await talk.closed() == CLOSED


async def test_by_default_a_connection_is_looked_at_well_within_half_a_minute(home: Installation) -> None:
    # The socket's watch adds a second, and what is known of a credential may be as old again.
    assert home.settings.recheck_seconds + 2 < 30
    assert type(home.settings).model_fields["recheck_seconds"].metadata[1].le == 28


@pytest.mark.parametrize("by_cookie", [True, False])
async def test_an_event_stream_ends_with_its_credential(
    quick: Installation, session: AsyncSession, by_cookie: bool
) -> None:
    person, organization, _ = await ways(quick, session)
    repo = await make.repo(session, organization)
    body = {"query": CHANGES, "variables": {"r": public(Kind.REPO, repo.id)}}
    cookie = {"cookie": f"tenet_session={person.cookie}", "x-tenet-csrf": "1"}
    headers = cookie if by_cookie else {"authorization": f"Bearer {person.token}"}
    headers |= {"accept": "text/event-stream"}
    stream = quick.service.client.stream("POST", quick.service.url, json=body, headers=headers)
    async with asyncio.timeout(10), stream as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        # A sign of life: whoever came in is let in.
        assert await anext(lines) == ":"
        assert (await quick.ask(SIGN_OUT, token=person.token)).data == {"signOut": {"signedOut": True}}
        told = [line async for line in lines if line.startswith("data:")]
    assert '"UNAUTHENTICATED"' in told[0]


async def test_a_foreign_page_starts_no_event_stream(home: Installation, session: AsyncSession) -> None:
    person = await home.person(session)
    cookie = {"cookie": f"tenet_session={person.cookie}", "accept": "text/event-stream"}
    for headers in ({}, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        response: httpx.Response = await home.service.get(ME, **{**cookie, **headers})
        assert response.status_code == 403


async def test_signing_in_over_a_socket_gives_a_token(home: Installation) -> None:
    talk = await let_in(home)
    query = "mutation($i:SignUpInput!){signUp(input:$i){accessToken}}"
    account = {"email": "ada@example.com", "password": "correct horse battery staple"}
    await talk.subscribe("1", query, variables={"i": account})
    token = (await talk.result("1"))["signUp"]["accessToken"]
    assert (await home.ask(ME, token=token)).data == {"viewer": {"login": "ada"}}
