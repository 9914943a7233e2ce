"""What was made of rows is remembered, and nobody can tell: not after a write of any kind, not with other eyes."""

import asyncio
import json
import os
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from graphql import OperationDefinitionNode, parse
from hypothesis import HealthCheck, Phase, given, seed, settings
from sqlalchemy import delete, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app import observe
from app.db import models
from app.db.address import plain_url
from app.db.readers import Readers
from app.domain.ids import Kind, public
from app.domain.pattern import PatternStatus
from app.domain.viewer import Credential, CredentialKind, Role, Viewer
from app.embedded import serving
from app.reads.page import Cursors
from app.reads.visible import View
from app.runtime import Runtime
from resolvers.plans.compiler import compile_plan
from resolvers.plans.plan import Plan
from resolvers.plans.remembered import TURN_SECONDS, Remembered
from resolvers.schema import schema
from tests import factories
from tests.ground import Ground
from tests.resolvers.conftest import House, Watched, open_house
from tests.resolvers.documents import Asked, documents
from tests.resolvers.test_same_answer import DOCUMENTS, chosen_seed, compare
from tests.resolvers.test_statements import statements

# As often as it takes: told, named, known, and then remembered.
OFTEN = 4
LISTED = '{ patterns(filter: {repoId: "REPO"}) { nodes { id name version } pageInfo { hasNextPage endCursor } } }'
REMEMBERED = (
    LISTED,
    "{ patterns(last: 2, orderBy: {field: NAME}) { edges { cursor node { id name rationale confidence { tier } } } } }",
    '{ triageQueue(repoId: "REPO", first: 2) { nodes { id name healthSignals { message } owner { login } } } }',
    """{ pattern(id: "PATTERN") { name repo { fullName } owner { login } canonicalEvidence { path }
    evidence(first: 2) { nodes { id path } pageInfo { hasNextPage endCursor } } provenance { url } } }""",
    """{ patterns { nodes { id repo { fullName organization { name } } evidence(first: 1) { edges { cursor node
    { snippet } } } history { nodes { message actor { login } } } } }
    repos { nodes { fullName patterns(last: 2) { edges { cursor node { name } } pageInfo { hasPreviousPage } } } } }""",
)


def hits() -> int:
    """Tell how many answers of this process came from memory."""
    found = re.search(r'^tenet_remembered_total{cache="hit"} (\d+)', observe.exposition().decode(), re.MULTILINE)
    assert found is not None
    return int(found[1])


@pytest.fixture
def plans(runtime: Runtime) -> Watched:
    return Watched(runtime)


@pytest.fixture
def reference(runtime: Runtime) -> Watched:
    return Watched(runtime, use_plans=False)


@pytest.fixture
async def patterns(session: AsyncSession, repo: models.Repo) -> list[models.Pattern]:
    owner = await factories.user(session)
    rows = []
    for number in range(4):
        row = await factories.pattern(session, repo, owner_id=owner.id if number % 2 else None)
        for index in range(3):
            await factories.evidence(session, row, is_canonical=index == 0)
        await factories.provenance(session, row)
        await factories.pattern_event(session, row)
        rows.append(row)
    return rows


@pytest.fixture(params=REMEMBERED, ids=["list", "backward", "queue", "one", "board"])
def document(request: pytest.FixtureRequest, repo: models.Repo, patterns: list[models.Pattern]) -> str:
    asked: str = request.param.replace("REPO", public(Kind.REPO, repo.id))
    return asked.replace("PATTERN", public(Kind.PATTERN, patterns[0].id))


async def remembered(plans: Watched, viewer: Viewer, document: str) -> bytes:
    """Ask until the answer comes from memory."""
    for _ in range(OFTEN):
        before = hits()
        answer = await plans.ask(viewer, document)
    assert b'"errors"' not in answer, answer
    assert hits() > before
    return answer


async def test_who_asks_again_is_answered_by_one_statement_of_versions(
    document: str, plans: Watched, viewer: Viewer, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await plans.ask(viewer, document)
    assert await remembered(plans, viewer, document) == first
    with statements(runtime, monkeypatch) as sent:
        assert await plans.ask(viewer, document) == first
    (statement,) = sent
    assert "xmin" in statement
    assert "description" not in statement
    assert '"name"' not in statement
    assert plans.planned


Write = Callable[[AsyncSession, models.Pattern], Awaitable[Any]]


async def edit(session: AsyncSession, row: models.Pattern, **values: Any) -> None:
    await session.execute(update(models.Pattern).where(models.Pattern.id == row.id).values(**values))


async def twice_in_one_transaction(session: AsyncSession, row: models.Pattern) -> None:
    await edit(session, row, name="Once")
    await edit(session, row, name="Twice")


async def to_a_savepoint(session: AsyncSession, row: models.Pattern) -> None:
    await edit(session, row, name="Before")
    inner = await session.begin_nested()
    await edit(session, row, name="Taken back")
    await inner.rollback()


async def within_savepoints(session: AsyncSession, row: models.Pattern) -> None:
    await edit(session, row, name="Before")
    async with session.begin_nested():
        await edit(session, row, name="Within")
        async with session.begin_nested():
            await edit(session, row, name="Deeper")
    await edit(session, row, name="After")


async def taken_back(session: AsyncSession, row: models.Pattern) -> None:
    await edit(session, row, name="Never was")
    await session.rollback()


async def as_it_was(session: AsyncSession, row: models.Pattern) -> None:
    await session.execute(text("UPDATE patterns SET name = name WHERE id = :id"), {"id": row.id})


async def only_locked(session: AsyncSession, row: models.Pattern) -> None:
    await session.execute(text("SELECT 1 FROM patterns WHERE id = :id FOR UPDATE"), {"id": row.id})


async def removed(session: AsyncSession, row: models.Pattern) -> None:
    await session.execute(delete(models.Pattern).where(models.Pattern.id == row.id))


async def removed_and_made_again(session: AsyncSession, row: models.Pattern) -> None:
    repo = await session.get_one(models.Repo, row.repo_id)
    await removed(session, row)
    session.expunge(row)
    await factories.pattern(session, repo, id=row.id, name="Made again")


async def decided(session: AsyncSession, row: models.Pattern) -> None:
    await edit(session, row, status=PatternStatus.AUTHORITATIVE, version=models.Pattern.version + 1)


async def one_more(session: AsyncSession, row: models.Pattern) -> None:
    await factories.pattern(session, await session.get_one(models.Repo, row.repo_id), name="AAA One more")


async def no_owner(session: AsyncSession, row: models.Pattern) -> None:
    await edit(session, row, owner_id=None)


async def owner_renamed(session: AsyncSession, _: models.Pattern) -> None:
    await session.execute(update(models.User).values(login=models.User.login + "-renamed"))


async def repo_renamed(session: AsyncSession, row: models.Pattern) -> None:
    await session.execute(update(models.Repo).where(models.Repo.id == row.repo_id).values(full_name="octo/renamed"))


async def organization_renamed(session: AsyncSession, row: models.Pattern) -> None:
    await session.execute(update(models.Organization).values(name="Renamed"))


async def evidence_added(session: AsyncSession, row: models.Pattern) -> None:
    await factories.evidence(session, row)


async def evidence_removed(session: AsyncSession, row: models.Pattern) -> None:
    await session.execute(delete(models.Evidence).where(models.Evidence.pattern_id == row.id))


async def evidence_in_another_order(session: AsyncSession, row: models.Pattern) -> None:
    await session.execute(update(models.Evidence).values(rank=100 - models.Evidence.rank))


async def evidence_stale(session: AsyncSession, row: models.Pattern) -> None:
    theirs = models.Evidence.pattern_id == row.id
    await session.execute(update(models.Evidence).where(theirs).values(snippet="moved", path="moved.py"))


async def history_goes_on(session: AsyncSession, row: models.Pattern) -> None:
    await factories.pattern_event(session, row)


WRITES: Sequence[Write] = (
    *(twice_in_one_transaction, to_a_savepoint, within_savepoints, taken_back, as_it_was, only_locked, one_more),
    *(no_owner, owner_renamed, repo_renamed, organization_renamed, evidence_added, evidence_in_another_order),
    *(evidence_stale, history_goes_on, evidence_removed, decided, removed_and_made_again, removed),
)


async def test_after_a_write_of_any_kind_the_answer_is_that_of_the_resolvers(
    document: str,
    plans: Watched,
    reference: Watched,
    viewer: Viewer,
    session: AsyncSession,
    patterns: list[models.Pattern],
) -> None:
    identifier = patterns[0].id
    for write in WRITES:
        await remembered(plans, viewer, document)
        await write(session, await session.get_one(models.Pattern, identifier, populate_existing=True))
        # Not committed yet.
        assert json.loads(await plans.ask(viewer, document)) == json.loads(await reference.ask(viewer, document)), write
        await session.commit()
        ordinary = json.loads(await reference.ask(viewer, document))
        for _ in range(OFTEN):
            assert json.loads(await plans.ask(viewer, document)) == ordinary, write


VACUUMS = ("VACUUM FREEZE patterns", "VACUUM FULL patterns", "CLUSTER patterns USING pk_patterns")


@pytest.mark.parametrize("vacuum", VACUUMS)
async def test_to_move_and_to_freeze_rows_changes_nothing_that_is_told(
    vacuum: str,
    document: str,
    plans: Watched,
    viewer: Viewer,
    session: AsyncSession,
    patterns: list[models.Pattern],
    engine: AsyncEngine,
) -> None:
    before = await remembered(plans, viewer, document)
    await removed(session, await factories.pattern(session, await session.get_one(models.Repo, patterns[0].repo_id)))
    await session.commit()
    async with engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text(vacuum))
    known = hits()
    assert await plans.ask(viewer, document) == before
    assert hits() == known + 1, "and the memory still serves"
    await edit(session, patterns[0], name="After")
    await session.commit()
    assert b"After" in await plans.ask(viewer, LISTED.replace("REPO", public(Kind.REPO, patterns[0].repo_id)))


async def test_who_may_not_see_is_told_nothing_that_others_were_told(
    document: str, plans: Watched, reference: Watched, viewer: Viewer, repo: models.Repo, session: AsyncSession
) -> None:
    """The second viewer's sight has the same form, so that they share plans and the memory."""
    token = Credential(CredentialKind.ACCESS_TOKEN)
    elsewhere = await factories.repo(session)
    stranger = Viewer(elsewhere.id, {elsewhere.organization_id: Role.VIEWER}, token)
    both = Viewer(repo.id, {repo.organization_id: Role.VIEWER, elsewhere.organization_id: Role.VIEWER}, token)
    for _ in range(OFTEN):
        for asking in (viewer, stranger, both, Viewer(repo.id, {}, token), Viewer(repo.id, {}, token, superadmin=True)):
            told, ordinary = await plans.ask(asking, document), await reference.ask(asking, document)
            assert json.loads(told) == json.loads(ordinary)
    assert public(Kind.PATTERN, repo.id)[4:] not in (await plans.ask(stranger, document)).decode()


async def test_pages_are_walked_in_any_order_from_memory(
    plans: Watched, reference: Watched, viewer: Viewer, patterns: list[models.Pattern]
) -> None:
    """Cursors are sealed for their list and order, though what is made of the rows is else the same."""
    query = """query($first: Int, $last: Int, $after: String, $before: String) {
        patterns(first: $first, last: $last, after: $after, before: $before, orderBy: {field: NAME, direction: WAY}) {
            edges { cursor node { id evidence(first: 1) { edges { cursor node { id } } } } }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        }
    }"""
    for _ in range(OFTEN):
        for way in ("ASC", "DESC"):
            for size, end, place in (("first", "after", "endCursor"), ("last", "before", "startCursor")):
                variables: dict[str, Any] = {size: 3}
                while True:
                    asked = query.replace("WAY", way)
                    told = json.loads(await plans.ask(viewer, asked, variables=variables))
                    assert told == json.loads(await reference.ask(viewer, asked, variables=variables))
                    page = told["data"]["patterns"]
                    if not page["edges"]:
                        break
                    variables = {size: 3, end: page["pageInfo"][place]}


async def test_an_empty_queue_and_one_that_is_absent_are_told_apart_from_memory_too(
    plans: Watched, reference: Watched, viewer: Viewer, repo: models.Repo, session: AsyncSession
) -> None:
    other = await factories.repo(session)
    for identifier in (repo.id, other.id):
        query = REMEMBERED[2].replace("REPO", public(Kind.REPO, identifier))
        for _ in range(OFTEN):
            assert json.loads(await plans.ask(viewer, query)) == json.loads(await reference.ask(viewer, query))


def plan_of(document: str) -> Plan:
    operation = parse(document).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    one = UUID(int=1)
    viewer = Viewer(one, {one: Role.OWNER}, Credential(CredentialKind.ACCESS_TOKEN))
    return compile_plan(schema.core, operation, {}, {}, View.of(viewer).sight, Cursors("secret"))


@pytest.mark.parametrize(
    "document",
    [
        "{ patterns { totalCount } }",
        "{ patterns { nodes { evidence { totalCount } } } }",
        "{ patterns { nodes { owner { email } } } }",
        "{ patterns { nodes { repo { patternCounts { candidate } } } } }",
        '{ patterns(filter: {search: "words"}) { nodes { id } } }',
        "{ viewer { memberships { user { email } } } }",
        "{ patterns { pageInfo { hasNextPage } } }",
    ],
)
def test_what_comes_from_more_than_versions_of_rows_is_worked_out_each_time(document: str) -> None:
    assert plan_of(document).remembering() is None


async def test_of_several_roots_those_are_remembered_that_can_be(
    plans: Watched, viewer: Viewer, session: AsyncSession, patterns: list[models.Pattern]
) -> None:
    query = "{ patterns(first: 2) { totalCount nodes { name } } repos { nodes { patternCounts { candidate } } } }"
    before = json.loads(await remembered(plans, viewer, query))
    await factories.pattern(session, await session.get_one(models.Repo, patterns[0].repo_id), name="Newest of all")
    after = json.loads(await plans.ask(viewer, query))
    assert after["data"]["patterns"]["totalCount"] == before["data"]["patterns"]["totalCount"] + 1
    assert after["data"]["patterns"]["nodes"][0]["name"] == "Newest of all"


class Server:
    """Stands for readers: gives rows of a size, by names that a test chooses."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.life, self.version = "1", 1

    async def read(self, statement: str, arguments: Sequence[Any]) -> tuple[list[Any], str]:
        kind = "names" if "description" not in statement else "named" if "xmin" in statement else "full"
        self.asked.append(kind)
        name = b"%d %d" % (arguments[0].int, self.version)
        told = b"x" * 1000 + b"%d" % self.version
        return [{"names": (name,), "named": (told, name), "full": (told,)}[kind]], self.life

    async def rows(self, statement: str, arguments: Sequence[Any]) -> list[Any]:
        return (await self.read(statement, arguments))[0]


class Asking:
    """A plan of one pattern by its id, asked through a memory of its own."""

    def __init__(self, most_bytes: int) -> None:
        query = "query($id: ID!) { pattern(id: $id) { description } }"
        operation = parse(query).definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        one = UUID(int=1)
        viewer = Viewer(one, {one: Role.OWNER}, Credential(CredentialKind.ACCESS_TOKEN))
        self.view = View.of(viewer)
        variables = {"id": public(Kind.PATTERN, UUID(int=0))}
        self.plan = compile_plan(schema.core, operation, {}, variables, self.view.sight, Cursors("secret"))
        self.memory, self.server = Remembered(most_bytes), Server()

    async def ask(self, number: int) -> str:
        """Ask for a pattern, and tell what it took."""
        variables = {"id": public(Kind.PATTERN, UUID(int=number))}
        values = self.plan.values(variables, self.view.bound)
        self.server.asked.clear()
        readers: Any = self.server
        told = await self.memory.told(readers, self.plan, variables, values)
        assert told is not None
        assert b"".join(told).endswith(b"x%d" % self.server.version)
        return " ".join(self.server.asked)


async def test_what_is_asked_once_costs_nothing_and_what_changes_is_proved_anew() -> None:
    asking = Asking(1 << 20)
    assert [await asking.ask(1) for _ in range(5)] == ["full", "named", "named", "names", "names"]
    assert await asking.ask(2) == "full"
    asking.server.version = 2
    assert [await asking.ask(1) for _ in range(3)] == ["names named", "named", "names"]


async def test_another_life_of_the_server_knows_nothing_of_what_was_before() -> None:
    asking = Asking(1 << 20)
    assert [await asking.ask(1) for _ in range(4)][-1] == "names"
    asking.server.life = "2"
    assert [await asking.ask(1) for _ in range(3)] == ["names named", "named", "names"]


async def test_the_memory_is_bounded_and_keeps_what_is_asked_for() -> None:
    asking = Asking(40_000)
    for _ in range(OFTEN):
        await asking.ask(0)
    for number in range(1, 200):
        await asking.ask(number)
        await asking.ask(number)
        assert await asking.ask(0) == "names", "often enough to stay"
    kept = [generation.answers for generation in (asking.memory._young, asking.memory._old)]
    assert 2 <= sum(map(len, kept)) < 40
    assert await asking.ask(1) == "full", "forgotten, and that it was asked for"


async def test_a_memory_of_no_bytes_is_none() -> None:
    asking = Asking(0)
    assert {await asking.ask(1) for _ in range(5)} == {"full"}


async def test_what_nobody_asked_for_in_long_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("resolvers.plans.remembered.monotonic", lambda: now)
    asking = Asking(1 << 20)
    for _ in range(OFTEN):
        await asking.ask(1)
    for _ in range(3):
        now += TURN_SECONDS * 0.9
        assert await asking.ask(1) == "names"
    now += TURN_SECONDS * 2.1
    assert await asking.ask(1) == "full"


async def test_a_server_that_crashed_begins_another_life(tmp_path: Path) -> None:
    async with serving(tmp_path, postgres=True, redis=False, own=True) as servers:
        assert servers.database_url is not None
        readers = Readers(servers.database_url, size=2, statement_seconds=10)
        (row,), before = await readers.read("SELECT pg_backend_pid()", [])
        assert await readers.read("SELECT pg_backend_pid()", []) == ([row], before)
        connection = await asyncpg.connect(plain_url(servers.database_url))
        process = connection.get_server_pid()
        same = await connection.fetchval("SELECT pg_postmaster_start_time()")
        os.kill(process, signal.SIGKILL)
        after = before
        while after == before:
            async with asyncio.timeout(30):
                try:
                    _, after = await readers.read("SELECT 1", [])
                except Exception:
                    await asyncio.sleep(0.05)
        assert (await readers.rows("SELECT pg_postmaster_start_time()", []))[0][0] == same
        connection.terminate()
        await readers.close()


@pytest.fixture(scope="module")
async def restless(ground: Ground, worker_number: int) -> AsyncIterator[House]:
    """Both executors over a world that changes."""
    async with open_house(ground, f"restless_{worker_number}") as house:
        yield house


CHANGES = (
    "UPDATE patterns SET name = name || '.', version = version + 1 WHERE id = ANY($1)",
    "UPDATE patterns SET status = CASE status WHEN 'CANDIDATE' THEN 'REJECTED' ELSE 'CANDIDATE' END WHERE id = ANY($1)",
    "UPDATE patterns SET owner_id = validated_by_id, validated_by_id = owner_id WHERE id = ANY($1)",
    "UPDATE patterns SET rationale = rationale WHERE id = ANY($1)",
    "UPDATE evidence SET path = path || 'x', rank = 1000 - rank WHERE pattern_id = ANY($1)",
    "UPDATE evidence SET is_counterexample = NOT is_counterexample, is_canonical = false WHERE pattern_id = ANY($1)",
    "UPDATE provenance SET url = url || '?' WHERE pattern_id = ANY($1)",
    "UPDATE repos SET default_branch = default_branch || '.'",
    "UPDATE users SET name = coalesce(name, '') || '.'",
    "UPDATE organizations SET name = left(name, 50) || '.'",
    "UPDATE ingestion_runs SET sequence = sequence + 1",
    "DELETE FROM evidence WHERE pattern_id = ANY($1) AND NOT is_canonical",
)


async def test_both_executors_give_the_same_answer_while_rows_change(restless: House) -> None:
    tally: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    chosen = chosen_seed()
    chance = Random(chosen)
    connection = await asyncpg.connect(plain_url(restless.plans.settings.database_url.get_secret_value()))  # type: ignore[union-attr]
    patterns = [row["id"] for row in await connection.fetch("SELECT id FROM patterns ORDER BY id")]
    before = hits()

    async def change() -> None:
        async with connection.transaction():
            for _ in range(chance.randint(1, 3)):
                some = chance.sample(patterns, chance.randint(1, 8))
                statement = chance.choice(CHANGES)
                inner = connection.transaction()
                await inner.start()
                await connection.execute(statement, *([some] if "$1" in statement else []))
                await (inner.commit if chance.random() < 0.8 else inner.rollback)()

    async def compared(asked: Asked) -> None:
        await compare(restless, asked, tally)
        await change()
        await compare(restless, asked, tally)

    @seed(chosen)
    @settings(
        max_examples=max(DOCUMENTS // 6, 1),
        database=None,
        deadline=None,
        print_blob=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents(schema.core, restless.world))
    def same(asked: Asked) -> None:
        asyncio.run_coroutine_threadsafe(compared(asked), loop).result()

    try:
        await asyncio.to_thread(same)
    except BaseException as failure:
        failure.add_note(f"Again: SAME_ANSWER_SEED={chosen} SAME_ANSWER_DOCUMENTS={DOCUMENTS}")
        raise
    finally:
        await connection.close()
    assert hits() - before >= 0.3 * tally["planned without an error"], tally
