"""Who follows gets what their own role allows, for as long as it does."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Membership, Organization, Repo
from app.domain.ids import Kind, public
from app.domain.viewer import Role, Scope
from tests import factories as make
from tests.identity.installation import Installation, Person, key_of
from tests.live.telling import Story
from tests.wire.service import Talk

KEYS = "subscription($r:ID!){ingestionStatus(runId:$r){sequence run{repo{organization{apiKeys{name}}}}}}"
PLAIN = "subscription($r:ID!){ingestionStatus(runId:$r){sequence kind message}}"
FURTHER = "subscription($r:ID!){ingestionStatus(runId:$r){sequence kind message run{repo{fullName}}}}"
CHANGES = "subscription($r:ID!){patternChanges(repoId:$r){sequence event{kind}}}"
NOT_FOUND = "NOT_FOUND"


async def joined(home: Installation, token: str) -> Talk:
    """Open a socket as somebody."""
    talk = await home.service.connect()
    await talk.say(type="connection_init", payload={"authorization": f"Bearer {token}"})
    assert await talk.hear() == {"type": "connection_ack"}
    return talk


async def follows(home: Installation, token: str, query: str, subject: str) -> Talk:
    talk = await joined(home, token)
    await talk.subscribe("1", query, variables={"r": subject})
    return talk


async def hears(talk: Talk) -> dict[str, Any]:
    """Hear the next event, with whatever errors came beside it."""
    message = await talk.hear()
    assert message["type"] == "next", message
    payload: dict[str, Any] = message["payload"]
    return payload


async def is_turned_away(talk: Talk, code: str) -> None:
    """Hear nothing more but why the stream ends."""
    last = await hears(talk)
    assert last["data"] is None, "an event was told to somebody who may not see it"
    assert [error["extensions"]["code"] for error in last["errors"]] == [code]
    assert (await talk.hear())["type"] == "complete"


@pytest.fixture
async def organization(session: AsyncSession, repo: Repo) -> Organization:
    found = await session.get(Organization, repo.organization_id)
    assert found is not None
    return found


async def test_the_same_subscription_tells_owner_and_viewer_what_each_may_see(
    home: Installation, session: AsyncSession, organization: Organization, story: Story
) -> None:
    owner = await home.member(session, organization, Role.OWNER)
    viewer = await home.member(session, organization, Role.VIEWER)
    await key_of(session, organization, owner.user, [Scope.REPOS_READ], name="of the build")
    await session.commit()
    seen = await follows(home, owner.token, KEYS, story.id)
    refused = await follows(home, viewer.token, KEYS, story.id)
    for number in range(3):
        told, hidden = await hears(seen), await hears(refused)
        names = told["data"]["ingestionStatus"]["run"]["repo"]["organization"]["apiKeys"]
        assert names == [{"name": "of the build"}]
        assert "errors" not in told
        assert hidden["data"]["ingestionStatus"]["run"]["repo"]["organization"]["apiKeys"] is None
        assert [error["extensions"]["code"] for error in hidden["errors"]] == ["FORBIDDEN"]
        assert (
            told["data"]["ingestionStatus"]["sequence"] == hidden["data"]["ingestionStatus"]["sequence"] == number + 1
        )
        await story.line(f"line {number}")


@pytest.mark.parametrize("query", [PLAIN, FURTHER], ids=["plain", "further"])
async def test_who_is_removed_hears_nothing_more(
    home: Installation, session: AsyncSession, organization: Organization, story: Story, query: str
) -> None:
    owner = await home.member(session, organization, Role.OWNER)
    leaver = await home.member(session, organization, Role.REVIEWER)
    stays, leaves = [await follows(home, who.token, query, story.id) for who in (owner, leaver)]
    for talk in (stays, leaves):
        await hears(talk)
    await removed(home, organization, owner, leaver)
    # At once, and though nothing happens in the run.
    async with asyncio.timeout(0.9):
        await is_turned_away(leaves, NOT_FOUND)
    await story.line("not for everybody")
    assert (await hears(stays))["data"]["ingestionStatus"]["message"] == "not for everybody"


@pytest.mark.parametrize("query", [PLAIN, FURTHER, CHANGES], ids=["plain", "further", "changes"])
async def test_a_removal_that_no_bell_told_of_is_seen_all_the_same(
    home: Installation,
    session: AsyncSession,
    organization: Organization,
    story: Story,
    query: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("resolvers.live.feeds.RIGHTS_SECONDS", 1)
    leaver = await home.member(session, organization, Role.VIEWER)
    talk = await follows(home, leaver.token, query, story.repo_id if query is CHANGES else story.id)
    if query is not CHANGES:
        await hears(talk)
    await session.execute(delete(Membership).where(Membership.user_id == leaver.user.id))
    await session.commit()
    # What is known of a credential lasts less than a second.
    async with asyncio.timeout(4):
        await is_turned_away(talk, NOT_FOUND)


async def test_a_key_that_may_not_read_patterns_follows_no_changes(
    home: Installation, session: AsyncSession, organization: Organization, story: Story
) -> None:
    owner = await home.member(session, organization, Role.OWNER)
    key = await key_of(session, organization, owner.user, [Scope.REPOS_READ])
    await session.commit()
    await is_turned_away(await follows(home, key, CHANGES, story.repo_id), "FORBIDDEN")


@pytest.mark.parametrize("query", [PLAIN, FURTHER, CHANGES], ids=["plain", "further", "changes"])
async def test_whoever_follows_a_repository_that_goes_is_told(
    home: Installation, session: AsyncSession, organization: Organization, story: Story, query: str
) -> None:
    owner = await home.member(session, organization, Role.OWNER)
    talk = await follows(home, owner.token, query, story.repo_id if query is CHANGES else story.id)
    if query is not CHANGES:
        await hears(talk)
    disconnect = "mutation($i:DisconnectRepoInput!){disconnectRepo(input:$i){repoId}}"
    reply = await home.ask(disconnect, {"i": {"repoId": story.repo_id}}, token=owner.token)
    assert reply.codes == [], reply.body
    await is_turned_away(talk, NOT_FOUND)


async def test_strangers_and_outsiders_follow_nothing(home: Installation, session: AsyncSession, story: Story) -> None:
    outsider = await home.member(session, await make.organization(session), Role.OWNER)
    for query, subject in ((PLAIN, story.id), (FURTHER, story.id), (CHANGES, story.repo_id)):
        await is_turned_away(await follows(home, outsider.token, query, subject), NOT_FOUND)
        stranger = await home.service.connect()
        await stranger.say(type="connection_init")
        assert await stranger.hear() == {"type": "connection_ack"}
        await stranger.subscribe("1", query, variables={"r": subject})
        await is_turned_away(stranger, "UNAUTHENTICATED")


async def removed(home: Installation, organization: Organization, owner: Person, leaver: Person) -> None:
    remove = "mutation($i:RemoveMemberInput!){removeMember(input:$i){organization{slug}}}"
    out = {"organizationId": public(Kind.ORGANIZATION, organization.id), "userId": leaver.id}
    assert (await home.ask(remove, {"i": out}, token=owner.token)).codes == []
