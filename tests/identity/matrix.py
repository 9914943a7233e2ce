"""The matrix: who may do what. Every root field has a row here, and every row an outcome for every caller."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials import secrets
from app.credentials.secrets import Prefix
from app.domain.ids import Kind, public
from app.domain.pattern import PatternStatus
from app.domain.viewer import Role, Scope
from tests import factories as make
from tests.identity.installation import PASSWORD, Installation, key_of

# What a cell of the matrix holds besides the code of an error.
OK, NOTHING, NO_ENTRY = "ok", "nothing", "no entry"

OWNER, ADMIN, REVIEWER, VIEWER, COOKIE = "owner", "admin", "reviewer", "viewer", "owner by cookie"
FOREIGN, STRANGER, BOSS, ANONYMOUS, OLD_COOKIE = "foreign owner", "stranger", "superadmin", "anonymous", "old cookie"
KEYS = tuple(f"key {scope.value}" for scope in Scope)
FOREIGN_KEY = "foreign key"
DEAD = (
    "garbage",
    "revoked token",
    "expired token",
    "token of an ended session",
    "revoked key",
    "expired key",
    "key without its membership",
)
MEMBERS = (OWNER, COOKIE, ADMIN, REVIEWER, VIEWER)
OUTSIDERS = (FOREIGN, STRANGER, FOREIGN_KEY)
CALLERS = (*MEMBERS, *KEYS, *OUTSIDERS, BOSS, ANONYMOUS, OLD_COOKIE, *DEAD)
PERSONS = (*MEMBERS, FOREIGN, STRANGER, BOSS)

Expectation = dict[str, str]


def everybody(outcome: str, **over: Any) -> dict[str, str]:
    """Expect one outcome for all whose credential holds, and no entry for the others."""
    found = dict.fromkeys(CALLERS, outcome) | dict.fromkeys(DEAD, NO_ENTRY)
    return found | {name: told for told, names in over.items() for name in names}


def signed_in(outcome: str) -> dict[str, str]:
    """Expect one outcome for all who are somebody."""
    return everybody(outcome) | dict.fromkeys((ANONYMOUS, OLD_COOKIE), "UNAUTHENTICATED")


def seen(*keys: str, otherwise: str = "NOT_FOUND") -> Expectation:
    """Expect that members, superadmins and some keys read, and that for all others there is nothing."""
    return signed_in(otherwise) | dict.fromkeys((*MEMBERS, BOSS, *keys), OK)


def decided(*allowed: str, unseen: tuple[str, ...] = ()) -> Expectation:
    """Expect that some decide, that members and superadmins may not, and that outsiders find nothing.

    `unseen` are those inside for whom the object itself does not exist.
    """
    found = signed_in("FORBIDDEN") | dict.fromkeys((*OUTSIDERS, *unseen), "NOT_FOUND")
    return found | dict.fromkeys(allowed, OK)


def by_persons(outcome: str = OK) -> Expectation:
    """Expect that every person may, and no key."""
    return signed_in("FORBIDDEN") | dict.fromkeys(PERSONS, outcome)


@dataclass
class Side:
    """One organization of the world: its objects by kind, and what must not be seen from outside."""

    rows: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    canaries: set[str] = field(default_factory=set)

    def id(self, name: str) -> str:
        """Give the public id of an object."""
        kinds = {"owner": Kind.USER, "member": Kind.USER, "run": Kind.INGESTION_RUN, "event": Kind.PATTERN_EVENT}
        kinds |= {"key": Kind.API_KEY, "entry": Kind.AUDIT_ENTRY, "job": Kind.FAILED_JOB, "second_owner": Kind.USER}
        kinds |= dict.fromkeys(("deferred", "authoritative", "deprecated"), Kind.PATTERN)
        return public(kinds.get(name) or Kind[name.upper()], self.rows[name].id)


@dataclass
class World:
    """Two organizations that must not know of each other, and everybody who may call."""

    home: Side
    foreign: Side
    ways: dict[str, dict[str, str]] = field(default_factory=dict)


Arguments = Callable[[Side], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """One root field: how it is asked, and what each caller gets."""

    arguments: Arguments
    selection: str
    expect: Expectation
    # What a filter that names an invisible object gives: a page without anything on it.
    foreign: str = "NOT_FOUND"
    audited: bool = True


async def make_world(home: Installation, session: AsyncSession) -> World:
    """Make everything, fresh."""
    world = World(await _side(home, session, "home"), await _side(home, session, "foreign"))
    organization = world.home.rows["organization"]
    people = {
        OWNER: await home.person(session, world.home.rows["owner"]),
        **{name.lower(): await home.member(session, organization, Role[name.upper()]) for name in MEMBERS[2:]},
        FOREIGN: await home.person(session, world.foreign.rows["owner"]),
        STRANGER: await home.person(session),
        BOSS: await home.person(session, await make.user(session, is_superadmin=True)),
    }
    for name, person in people.items():
        world.ways[name] = {"token": person.token}
        if name in MEMBERS:
            world.home.canaries |= {person.user.email or "", person.user.login}
    owner = people[OWNER]
    world.ways[COOKIE] = {"cookie": owner.cookie}
    world.ways[ANONYMOUS] = {}
    used = {"last_used_at": datetime.now(UTC)}
    for name, scope in zip(KEYS, Scope, strict=True):
        world.ways[name] = {"token": await key_of(session, organization, owner.user, [scope], **used)}
    elsewhere = world.foreign.rows["organization"]
    world.ways[FOREIGN_KEY] = {"token": await key_of(session, elsewhere, people[FOREIGN].user, list(Scope), **used)}
    await _add_the_dead(home, session, world, owner.user, organization)
    return world


async def _add_the_dead(home: Installation, session: AsyncSession, world: World, owner: Any, organization: Any) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    gone, ended = await home.person(session, owner), await home.person(session, owner)
    gone.session.revoked_at, ended.session.expires_at = past, past
    ghost = await make.user(session)
    ways = {
        "garbage": "not.a.token",
        "revoked token": gone.token,
        "expired token": home.token_of(owner, (await home.person(session, owner)).session, lifetime=-timedelta(1)),
        "token of an ended session": ended.token,
        "revoked key": await key_of(session, organization, owner, list(Scope), revoked_at=past),
        "expired key": await key_of(session, organization, owner, list(Scope), expires_at=past),
        "key without its membership": await key_of(session, organization, ghost, list(Scope)),
    }
    world.ways |= {name: {"token": token} for name, token in ways.items()} | {OLD_COOKIE: {"cookie": gone.cookie}}
    await session.commit()


async def _side(home: Installation, session: AsyncSession, name: str) -> Side:
    side = Side()
    mark = f"canary-{name}"
    rows = side.rows
    rows["organization"] = organization = await make.organization(session, name=f"{mark} organization")
    rows["owner"] = owner = await make.user(session, name=f"{mark} owner")
    rows["second_owner"] = await make.user(session, name=f"{mark} second")
    rows["member"] = member = await make.user(session, name=f"{mark} member")
    await make.member(session, organization, owner)
    await make.member(session, organization, rows["second_owner"])
    rows["membership"] = await make.member(session, organization, member, role=Role.VIEWER)
    rows["repo"] = repo = await make.repo(session, organization, full_name=f"{mark}/repo")
    rows["run"] = await make.run(session, repo)
    rows["pattern"] = pattern = await make.pattern(session, repo, name=f"{mark} pattern", owner_id=owner.id)
    for status in (PatternStatus.DEFERRED, PatternStatus.AUTHORITATIVE, PatternStatus.DEPRECATED):
        rows[status.value.lower()] = await make.pattern(session, repo, status=status, name=f"{mark} {status.value}")
    rows["evidence"] = await make.evidence(session, pattern, snippet=f"{mark} snippet")
    rows["provenance"] = await make.provenance(session, pattern, url=f"https://example.com/{mark}")
    rows["event"] = await make.pattern_event(session, pattern, message=f"{mark} event")
    rows["check"] = check = await make.check(session, repo)
    rows["violation"] = await make.violation(session, check, message=f"{mark} violation")
    rows["key"] = await make.api_key(session, organization, owner, name=f"{mark} key")
    token = side.tokens["invitation"] = secrets.new(Prefix.INVITATION)
    rows["invitation"] = await make.invitation(
        session,
        organization,
        email=f"{mark}@example.com",
        token_hash=secrets.digest(token),
        invited_by_id=owner.id,
    )
    rows["entry"] = await make.audit_entry(session, organization, action=f"{mark} action")
    rows["job"] = await make.failed_job(session, error=f"{mark} error", arguments={})
    side.canaries = {mark, organization.slug, owner.email or "", member.login}
    return side


def account(email: str) -> dict[str, Any]:
    """Spell what signs somebody in."""
    return {"input": {"email": email, "password": PASSWORD}}
