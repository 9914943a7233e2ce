"""Organizations: how they begin, what they are called, and how they end."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import ApiKey, AuditEntry, Membership, Organization, Repo
from app.domain import names
from app.domain.errors import Invalid
from app.domain.ids import Kind, public
from app.domain.viewer import Role
from tests import factories as make
from tests.identity.installation import Installation

CREATE = "mutation($i:CreateOrganizationInput!){createOrganization(input:$i){organization{id slug name}}}"
UPDATE = "mutation($i:UpdateOrganizationInput!){updateOrganization(input:$i){organization{slug name}}}"
DELETE = "mutation($i:DeleteOrganizationInput!){deleteOrganization(input:$i){slug}}"


async def test_whoever_makes_it_owns_it(home: Installation, session: AsyncSession) -> None:
    person = await home.person(session)
    made = (await home.ask(CREATE, {"i": {"slug": "acme", "name": " Acme  Inc. "}}, token=person.token)).data
    assert made["createOrganization"]["organization"]["name"] == "Acme  Inc."
    membership = await session.scalar(select(Membership))
    assert membership is not None
    assert (membership.user_id, membership.role) == (person.user.id, Role.OWNER)
    # At once, whatever this process knew of them a moment ago.
    seen = await home.ask('{organization(slug:"acme"){members{nodes{user{login}}}}}', token=person.token)
    assert seen.data["organization"]["members"]["nodes"] == [{"user": {"login": person.user.login}}]


@pytest.mark.parametrize("slug", ["a", "Acme", "ac_me", "-acme", "acme-", "ac--me", "аcme", "a" * 41, "", "a b", "api"])
async def test_a_slug_has_a_form_and_some_are_reserved(home: Installation, session: AsyncSession, slug: str) -> None:
    person = await home.person(session)
    refused = await home.ask(CREATE, {"i": {"slug": slug, "name": "Acme"}}, token=person.token)
    assert (refused.code, list(refused.extensions["fields"])) == ("VALIDATION_ERROR", ["slug"])


async def test_of_two_who_want_a_slug_at_once_one_gets_it(home: Installation, session: AsyncSession) -> None:
    people = [await home.person(session) for _ in range(3)]
    wanted = {"i": {"slug": "acme", "name": "Acme"}}
    replies = await asyncio.gather(*(home.ask(CREATE, wanted, token=person.token) for person in people))
    assert sorted(reply.codes for reply in replies) == [[], ["CONFLICT"], ["CONFLICT"]]
    organizations = [await make.organization(session) for _ in range(2)]
    owners = [await home.member(session, organization, Role.OWNER) for organization in organizations]
    renamed = await asyncio.gather(
        *(
            home.ask(UPDATE, {"i": {"id": public(Kind.ORGANIZATION, of.id), "slug": "new-one"}}, token=owner.token)
            for of, owner in zip(organizations, owners, strict=True)
        )
    )
    assert sorted(reply.codes for reply in renamed) == [[], ["CONFLICT"]]


@pytest.mark.parametrize(
    ("change", "becomes"),
    [
        ({"name": "Other"}, {"name": "Other"}),
        ({"slug": "other"}, {"slug": "other"}),
        ({"name": "Other", "slug": "other"}, {"name": "Other", "slug": "other"}),
        ({}, {}),
    ],
    ids=str,
)
async def test_what_is_omitted_stays(
    home: Installation, session: AsyncSession, change: dict[str, Any], becomes: dict[str, Any]
) -> None:
    organization = await make.organization(session, slug="acme", name="Acme")
    admin = await home.member(session, organization, Role.ADMIN)
    wanted = {"i": {"id": public(Kind.ORGANIZATION, organization.id), **change}}
    told = (await home.ask(UPDATE, wanted, token=admin.token)).data["updateOrganization"]["organization"]
    assert told == {"slug": "acme", "name": "Acme", **becomes}


@pytest.mark.parametrize(
    "change", [{"name": None}, {"slug": None}, {"name": ""}, {"slug": ""}, {"name": "x" * 201}, {"name": "a\nb"}]
)
async def test_null_and_nonsense_are_no_names(
    home: Installation, session: AsyncSession, change: dict[str, Any]
) -> None:
    organization = await make.organization(session, slug="acme", name="Acme")
    owner = await home.member(session, organization, Role.OWNER)
    wanted = {"i": {"id": public(Kind.ORGANIZATION, organization.id), **change}}
    refused = await home.ask(UPDATE, wanted, token=owner.token)
    assert (refused.code, list(refused.extensions["fields"])) == ("VALIDATION_ERROR", list(change))
    await session.refresh(organization)
    assert (organization.slug, organization.name) == ("acme", "Acme")


async def test_an_owner_deletes_it_with_everything_in_it(home: Installation, session: AsyncSession) -> None:
    organization = await make.organization(session)
    spared = await make.repo(session)
    owner = await home.member(session, organization, Role.OWNER)
    await make.pattern(session, await make.repo(session, organization))
    await make.api_key(session, organization, owner.user)
    wanted = {"id": public(Kind.ORGANIZATION, organization.id), "confirmSlug": organization.slug}
    wrong = await home.ask(DELETE, {"i": {**wanted, "confirmSlug": "another"}}, token=owner.token)
    assert (wrong.code, list(wrong.extensions["fields"])) == ("VALIDATION_ERROR", ["confirmSlug"])
    deleted = await home.ask(DELETE, {"i": wanted}, token=owner.token)
    assert deleted.data == {"deleteOrganization": {"slug": organization.slug}}
    assert (await session.scalars(select(Repo.id))).all() == [spared.id]
    for model in (ApiKey, Membership):
        assert await session.scalar(select(func.count()).select_from(model)) == 0
    again = await home.ask(DELETE, {"i": wanted}, token=owner.token)
    assert again.code == "NOT_FOUND"
    # Who did it stays known when nothing else does.
    entry = (await session.scalars(select(AuditEntry))).one()
    assert (entry.action, entry.object, entry.actor_id) == ("deleteOrganization", wanted["id"], owner.user.id)
    assert await session.scalar(select(func.count()).select_from(Organization)) == 1


async def test_its_repositories_are_forgotten_on_disk_too(home: Installation, session: AsyncSession) -> None:
    organization = await make.organization(session)
    repos = [await make.repo(session, organization) for _ in range(2)]
    owner = await home.member(session, organization, Role.OWNER)
    wanted = {"id": public(Kind.ORGANIZATION, organization.id), "confirmSlug": organization.slug}
    before = await home.runtime.queue.depth()
    assert (await home.ask(DELETE, {"i": wanted}, token=owner.token)).codes == []
    after = await home.runtime.queue.depth()
    assert after.queued - before.queued == len(repos)


@given(st.text(max_size=50))
def test_a_slug_that_is_taken_is_one_the_database_takes(text: str) -> None:
    try:
        slug = names.slug(text)
    except Invalid:
        return
    assert slug == text
    assert slug.isascii()
    assert 2 <= len(slug) <= 40
    assert not {slug} & names.RESERVED_SLUGS
