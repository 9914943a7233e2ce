"""Connecting over the wire: which addresses are taken, what is told of the others, and when a repository is due."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Organization, Repo
from app.domain.ids import Kind, public
from app.domain.schedule import Schedule
from app.domain.viewer import Role
from app.gateways import addresses
from tests import factories as make
from tests.identity.installation import Installation, Person, Reply, installed
from tests.installed import PATIENCE

CONNECT = "mutation($i:ConnectRepoInput!){connectRepo(input:$i){repo{url} run{status}}}"
UPDATE = "mutation($i:UpdateRepoInput!){updateRepo(input:$i){repo{scheduleCron scheduleDueAt}}}"


@pytest.fixture
async def home(database_url: str, redis_url: str) -> AsyncIterator[Installation]:
    async with installed(database_url, redis_url, local_sources=False) as home:
        yield home


@pytest.fixture
async def organization(session: AsyncSession) -> Organization:
    return await make.organization(session)


@pytest.fixture
async def admin(home: Installation, session: AsyncSession, organization: Organization) -> Person:
    return await home.member(session, organization, Role.ADMIN)


@pytest.fixture
def connect(home: Installation, organization: Organization, admin: Person) -> Callable[[str], Any]:
    async def ask(url: str, person: Person = admin) -> Reply:
        wanted = {"organizationId": public(Kind.ORGANIZATION, organization.id), "git": {"url": url}}
        return await home.ask(CONNECT, {"i": wanted}, token=person.token)

    return ask


def finding(*found: str) -> addresses.Lookup:
    async def lookup(host: str, port: int) -> list[str]:
        return list(found)

    return lookup


async def repos(session: AsyncSession) -> int | None:
    return await session.scalar(select(func.count()).select_from(Repo))


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/a/b",
        "https://2130706433/a/b",
        "https://0x7f000001/a/b",
        "https://0177.0.0.1/a/b",
        "https://127.1/a/b",
        "https://[::1]/a/b",
        "https://[::ffff:127.0.0.1]/a/b",
        "https://[::ffff:7f00:1]/a/b",
        "https://[64:ff9b::10.0.0.1]/a/b",
        "https://[2002:7f00:1::]/a/b",
        "https://[fe80::1]/a/b",
        "https://[fd00::1]/a/b",
        "https://10.1.2.3/a/b",
        "https://172.16.0.1/a/b",
        "https://192.168.1.1/a/b",
        "https://100.64.0.1/a/b",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/a/b",
        "https://localhost/a/b",
        "https://a.localhost/a/b",
        "ssh://git@10.0.0.1/a/b",
        "git@192.168.0.1:a/b",
        "http://example.com/a/b",
        "file:///etc",
        "/etc",
        "ext::sh -c touch% canary",
        "git://example.com/a",
        "--upload-pack=touch canary",
        "https://example.com/a\n--upload-pack=x",
    ],
)
async def test_an_address_that_leads_inside_or_to_a_program_is_refused_at_once(
    url: str, session: AsyncSession, connect: Callable[[str], Any]
) -> None:
    refused = await connect(url)
    assert refused.code == "VALIDATION_ERROR"
    assert refused.extensions["fields"].keys() == {"url"}
    assert await repos(session) == 0


@pytest.mark.parametrize(
    "found",
    [
        *(
            ["10.0.0.1"],
            ["127.0.0.1"],
            ["169.254.169.254"],
            ["::1"],
            ["fe80::1%eth0"],
            ["fd12::1"],
            ["::ffff:10.0.0.1"],
        ),
        *(["93.184.215.14", "192.168.0.7"], ["0.0.0.0"], ["64:ff9b::7f00:1"]),
    ],
)
async def test_a_name_that_leads_inside_is_refused_before_anything_is_written(
    found: list[str], home: Installation, session: AsyncSession, connect: Callable[[str], Any]
) -> None:
    home.runtime.lookup = finding(*found)
    for url in ("https://git.example.com/a/b", "git@git.example.com:a/b"):
        refused = await connect(url)
        assert (refused.code, refused.extensions["fields"]) == ("VALIDATION_ERROR", {"url": "HOST_NOT_ALLOWED"})
        assert not any(address in refused.response.text for address in found), "what a name leads to is not told"
    assert await repos(session) == 0


async def test_a_name_that_does_not_exist_is_told_and_one_that_cannot_be_looked_up_is_for_later(
    home: Installation, session: AsyncSession, connect: Callable[[str], Any]
) -> None:
    for error, code in ((socket.EAI_NONAME, "VALIDATION_ERROR"), (socket.EAI_AGAIN, "UNAVAILABLE")):

        async def fail(host: str, port: int, error: int = error) -> list[str]:
            raise socket.gaierror(error, "no")

        home.runtime.lookup = fail
        assert (await connect("https://git.example.com/a/b")).code == code
    assert await repos(session) == 0


async def test_names_are_looked_up_only_for_those_who_may_connect(
    home: Installation, session: AsyncSession, organization: Organization, connect: Callable[..., Any]
) -> None:
    async def never(host: str, port: int) -> list[str]:
        raise AssertionError("a name was looked up")

    home.runtime.lookup = never
    reviewer, stranger = await home.member(session, organization, Role.REVIEWER), await home.person(session)
    assert (await connect("https://git.example.com/a/b", reviewer)).code == "FORBIDDEN"
    assert (await connect("https://git.example.com/a/b", stranger)).code == "NOT_FOUND"


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:hunter2hunter2@git.example.com/a/b",
        "https://ghp_hunter2hunter2@git.example.com/a/b",
        "ssh://git:hunter2hunter2@git.example.com/a/b",
        "https://git.example.com/a/b?token=hunter2hunter2",
    ],
)
async def test_a_secret_in_an_address_is_refused_and_never_said_again(
    url: str, session: AsyncSession, connect: Callable[[str], Any]
) -> None:
    refused = await connect(url)
    assert refused.code == "VALIDATION_ERROR"
    assert "hunter2" not in refused.response.text
    assert await repos(session) == 0


async def test_slow_name_servers_hold_up_nobody_else(
    home: Installation, admin: Person, connect: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's own resolver stands still, for more questions than there are places."""
    over, asked = threading.Event(), threading.Semaphore(0)

    def stand_still(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.release()
        over.wait(PATIENCE)
        raise socket.gaierror(socket.EAI_AGAIN, "at last")

    monkeypatch.setattr(socket, "getaddrinfo", stand_still)
    monkeypatch.setattr(addresses, "LOOKUP_SECONDS", 0.2)
    monkeypatch.setattr(addresses, "_places", threading.BoundedSemaphore(3))
    home.runtime.lookup = addresses.system_lookup
    try:
        connecting = [asyncio.create_task(connect(f"https://slow-{number}.example.com/a/b")) for number in range(6)]
        assert (await home.ask("{viewer{login}}", token=admin.token)).data["viewer"]["login"] == admin.user.login
        assert {(await reply).code for reply in connecting} == {"UNAVAILABLE"}
        assert not over.is_set(), "nobody waited for the resolver"
        assert [asked.acquire(blocking=False) for _ in range(4)] == [True, True, True, False]
    finally:
        over.set()


async def test_a_name_may_be_looked_up_again_once_a_place_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_places", threading.BoundedSemaphore(1))
    for _ in range(3):
        assert "127.0.0.1" in await addresses.system_lookup("localhost", 80)
        with suppress(ValueError):
            # The thread gives its place back before it answers.
            addresses._places.release()
            raise AssertionError("the place is still taken")


async def test_a_repository_is_put_down_for_its_next_time(
    home: Installation, session: AsyncSession, organization: Organization, admin: Person
) -> None:
    repo = await make.repo(session, organization)

    async def update(schedule: str | None) -> Reply:
        wanted = {"repoId": public(Kind.REPO, repo.id), "scheduleCron": schedule}
        return await home.ask(UPDATE, {"i": wanted}, token=home.token_of(admin.user, admin.session))

    now = home.clock()
    due = Schedule.read("*/10 * * * *").next_after(now)
    assert due is not None
    planned = {"scheduleCron": "*/10 * * * *", "scheduleDueAt": due.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    assert (await update(" */10  * * * * ")).data["updateRepo"]["repo"] == planned
    home.clock.passed = due - now + timedelta(seconds=10)
    again = (await update("*/10 * * * *")).data["updateRepo"]["repo"]
    assert again == planned, "a time that has just come is not passed over"
    for wrong in ("", "every day", "0 3 31 2 *", "* * * * * *"):
        refused = await update(wrong)
        assert (refused.code, refused.extensions["fields"].keys()) == ("VALIDATION_ERROR", {"scheduleCron"})
    await session.refresh(repo)
    assert repo.schedule_cron == "*/10 * * * *"
    assert (await update(None)).data["updateRepo"]["repo"] == {"scheduleCron": None, "scheduleDueAt": None}
