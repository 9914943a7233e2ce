"""What stands behind the root fields: every kind of object by its id, and every field for a higher role."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.ids import Kind
from resolvers.engine.looks import HIGHER
from tests.identity.matrix import ANONYMOUS, BOSS, CALLERS, DEAD, KEYS, MEMBERS, NO_ENTRY, OK, OLD_COOKIE, make_world
from tests.identity.rows import ADMIN_KEY, ADMINS, PATTERN_KEYS, REPO_KEYS
from tests.identity.test_matrix import Houses, houses, leaks, outcome

__all__ = ["houses"]

# Who finds an object of a kind by its id; for everybody else it does not exist.
FOUND: dict[str, tuple[str, ...]] = {
    "organization": (*MEMBERS, *KEYS),
    "membership": (*MEMBERS, *KEYS),
    "member": (*MEMBERS, *KEYS),
    "repo": (*MEMBERS, *REPO_KEYS),
    "run": (*MEMBERS, *REPO_KEYS),
    "pattern": (*MEMBERS, *PATTERN_KEYS),
    "evidence": (*MEMBERS, *PATTERN_KEYS),
    "provenance": (*MEMBERS, *PATTERN_KEYS),
    "event": (*MEMBERS, *PATTERN_KEYS),
    "check": (*MEMBERS, *PATTERN_KEYS),
    "violation": (*MEMBERS, *PATTERN_KEYS),
    "key": ADMINS,
    "invitation": ADMINS,
    "entry": (*ADMINS, ADMIN_KEY),
    "job": (),
}
# Who reads a field of the organization; the other members and keys are told that they may not.
READ: dict[str, tuple[str, tuple[str, ...]]] = {
    "apiKeys": ("apiKeys{id name prefix scopes}", ADMINS),
    "invitations": ("invitations{totalCount nodes{id email invitedBy{login}}}", ADMINS),
    "auditLog": ("auditLog{totalCount nodes{id action}}", (*ADMINS, ADMIN_KEY)),
}


def expected(caller: str, allowed: tuple[str, ...], otherwise: str) -> str:
    if caller in DEAD:
        return NO_ENTRY
    if caller in (ANONYMOUS, OLD_COOKIE):
        return "UNAUTHENTICATED"
    return OK if caller in (*allowed, BOSS) else otherwise


async def test_an_id_opens_nothing_that_its_holder_may_not_see(houses: Houses, session: AsyncSession) -> None:
    world = await make_world(houses.plans, session)
    for executor, home in houses.of("Query").items():
        for caller in CALLERS:
            way: dict[str, Any] = world.ways[caller]
            for name, allowed in FOUND.items():
                reply = await home.ask("query($i:ID!){node(id:$i){id}}", {"i": world.home.id(name)}, **way)
                wanted = expected(caller, allowed, "NOT_FOUND")
                assert outcome(reply, "node") == wanted, f"{name} as {caller} by {executor}: {reply.response.text}"


async def test_a_field_for_a_higher_role_is_null_and_forbidden_for_others(
    houses: Houses, session: AsyncSession
) -> None:
    world = await make_world(houses.plans, session)
    asked = {"s": world.home.rows["organization"].slug}
    for executor, home in houses.of("Query").items():
        for caller in CALLERS:
            way: dict[str, Any] = world.ways[caller]
            for name, (selection, allowed) in READ.items():
                document = f"query($s:String!){{organization(slug:$s){{slug {selection}}}}}"
                reply = await home.ask(document, asked, **way)
                wanted = expected(caller, allowed, "FORBIDDEN" if caller in (*MEMBERS, *KEYS) else "NOT_FOUND")
                where = f"{name} as {caller} by {executor}: {reply.response.text}"
                if wanted == "FORBIDDEN":
                    # The rest of the answer is there.
                    assert reply.codes == ["FORBIDDEN"], where
                    assert reply.body["data"]["organization"] == {"slug": asked["s"], name: None}, where
                else:
                    assert outcome(reply, "organization") == wanted, where
                assert leaks(reply, world.foreign) == [], where


def test_every_kind_and_every_such_field_is_here() -> None:
    kinds: dict[str, Any] = {"member": Kind.USER, "run": Kind.INGESTION_RUN, "event": Kind.PATTERN_EVENT}
    kinds |= {"key": Kind.API_KEY, "entry": Kind.AUDIT_ENTRY, "job": Kind.FAILED_JOB}
    assert {kinds.get(name) or Kind[name.upper()] for name in FOUND} == set(Kind)
    assert set(READ) == HIGHER
