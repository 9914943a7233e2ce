"""Comparing: a run flags the candidates that say what was decided already, and takes flags back."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Pattern, Repo
from app.domain.pattern import PatternStatus
from app.runtime import Runtime
from app.services import comparing
from tests import factories as make
from tests.installed import runtime_for


@pytest.fixture
async def runtime(database_url: str, redis_url: str) -> AsyncIterator[Runtime]:
    async with runtime_for(database_url, redis_url) as runtime:
        yield runtime


async def ruled(session: AsyncSession, repo: Repo, word: str, **over: object) -> Pattern:
    """Make a pattern with a rule, a name and places of its own."""
    values = {
        "name": f"Names of {word}{word}",
        "description": f"Whatever {word} is {word}{word}{word}",
        "rule_definition": {"applicable": {"pattern": f"class {word}: $$$"}},
        **over,
    }
    row = await make.pattern(session, repo, **values)  # type: ignore[arg-type]
    for line in range(1, 5):
        await make.evidence(session, row, path=f"{word}.py", start_line=line, end_line=line)
    return row


async def compared(runtime: Runtime, repo: Repo) -> int:
    async with runtime.write() as tx:
        return await comparing.compare(tx, repo.id)


async def test_candidates_are_flagged_and_nothing_else_changes(runtime: Runtime, session: AsyncSession) -> None:
    repo = await make.repo(session)
    force = await ruled(session, repo, "a", status=PatternStatus.AUTHORITATIVE)
    refused = await ruled(session, repo, "b", status=PatternStatus.REJECTED)
    spaced = {"applicable": {"pattern": "class  a:\n$$$"}, "roles": ["SOURCE"]}
    same_rule = await ruled(session, repo, "c", rule_definition=spaced)
    same_words = await ruled(
        session, repo, "d", status=PatternStatus.DEFERRED, name=refused.name, description=refused.description
    )
    new = await ruled(session, repo, "e", similar_to_id=force.id)
    elsewhere = await ruled(session, await make.repo(session), "a")
    versions = [row.version for row in (same_rule, same_words, new)]
    assert await compared(runtime, repo) == 2
    for row in (force, refused, same_rule, same_words, new, elsewhere):
        await session.refresh(row)
    assert (same_rule.similar_to_id, same_words.similar_to_id) == (force.id, refused.id)
    assert (new.similar_to_id, elsewhere.similar_to_id, force.similar_to_id) == (None, None, None)
    assert [row.version for row in (same_rule, same_words, new)] == versions


async def test_places_count_without_those_that_do_not_conform(runtime: Runtime, session: AsyncSession) -> None:
    repo = await make.repo(session)
    force = await ruled(session, repo, "a", status=PatternStatus.AUTHORITATIVE)
    alike, other = await ruled(session, repo, "b"), await ruled(session, repo, "c")
    for row in (alike, other):
        for line in range(1, 30):
            over = {"is_counterexample": row is other, "path": "a.py", "start_line": line, "end_line": line}
            await make.evidence(session, row, **over)
    for line in range(5, 30):
        await make.evidence(session, force, path="a.py", start_line=line, end_line=line)
    assert await compared(runtime, repo) == 1
    await session.refresh(alike)
    assert alike.similar_to_id == force.id


async def test_comparing_twice_writes_nothing_more(runtime: Runtime, session: AsyncSession) -> None:
    repo = await make.repo(session)
    await ruled(session, repo, "a", status=PatternStatus.AUTHORITATIVE)
    for word in "bcdef":
        await ruled(session, repo, word, rule_definition={"applicable": {"pattern": "class a: $$$"}})
    sent: list[str] = []
    engine = runtime.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *heard: sent.append(heard[2]))
    for writes in (5, 0):
        sent.clear()
        assert await compared(runtime, repo) == 5
        assert sum(statement.startswith("UPDATE") for statement in sent) == writes
