"""How many statements a document takes: one as a plan, else one a level, and never more for more rows."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import models
from app.domain.ids import Kind, public
from app.domain.viewer import Credential, CredentialKind, Role, Viewer
from app.runtime import Runtime
from tests import factories
from tests.resolvers.conftest import Ask, Watched


@contextmanager
def statements(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect the SQL that reads and decisions send, whichever way they go."""
    sent: list[str] = []
    engines = (runtime.reading_engine.sync_engine, runtime.engine.sync_engine)

    def counting(run: Callable[[str, Sequence[Any]], Awaitable[Any]]) -> Callable[[str, Sequence[Any]], Awaitable[Any]]:
        async def counted(statement: str, arguments: Sequence[Any]) -> Any:
            sent.append(statement)
            return await run(statement, arguments)

        return counted

    def heard(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    monkeypatch.setattr(runtime.readers, "read", counting(runtime.readers.read))
    monkeypatch.setattr(runtime.writers, "row", counting(runtime.writers.row))
    for engine in engines:
        event.listen(engine, "before_cursor_execute", heard)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", heard)
        monkeypatch.undo()


async def test_rows_are_counted_only_if_somebody_asks(
    ask: Ask, repo: models.Repo, session: AsyncSession, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await factories.pattern(session, repo)
    with statements(runtime, monkeypatch) as sent:
        await ask("{ patterns(first: 2) { nodes { id } pageInfo { endCursor } } }")
    assert not [statement for statement in sent if "count(" in statement]
    with statements(runtime, monkeypatch) as sent:
        answer = await ask("{ patterns(first: 2) { totalCount nodes { id } } }")
    assert "".join(sent).count("count(") == 1
    assert answer["data"]["patterns"]["totalCount"] == 3


# Each of these with the number of statements that the ordinary resolvers take; a plan takes one. The first ten are
# what front ends ask most: lists, boards, one pattern, queues, a search, a history, counts, counter-examples, who am I.
DOCUMENTS = {
    '{ patterns(first: 50, filter: {repoId: "REPO", status: [CANDIDATE]}) { nodes { id name } '
    "pageInfo { endCursor } } }": 1,
    '{ patterns(filter: {repoId: "REPO"}, orderBy: {field: TIER}) { nodes { repo { fullName } '
    "evidence { nodes { path } } } } }": 3,
    '{ pattern(id: "PATTERN") { name rule { text } owner { login } canonicalEvidence { id } '
    "evidence { nodes { path } } } }": 4,
    '{ triageQueue(repoId: "REPO") { nodes { name confidence { tier } backtest { violations } '
    "similarTo { name } } } }": 3,
    '{ triageQueue(repoId: "REPO", deferred: true) { nodes { name deferCount deferredAt } pageInfo '
    "{ hasNextPage } } }": 2,
    '{ patterns(filter: {search: "error", path: "src/a.py"}) { nodes { name rationale } totalCount } }': 2,
    '{ pattern(id: "PATTERN") { history { nodes { kind message actor { login } } } provenance { url '
    "addedBy { login } } } }": 4,
    '{ repo(id: "REPO") { fullName patternCounts { candidate } currentRun { id } runs { nodes { status } } } }': 4,
    "{ patterns { nodes { name counterexamples { nodes { path snippet } totalCount } supersededBy { name } } } }": 4,
    "{ viewer { login memberships { role organization { name repos { nodes { fullName } } } } } }": 4,
    "{ patterns { nodes { id name repo { fullName organization { slug } } owner { login } } } }": 4,
    "{ patterns { nodes { id evidence { nodes { path } totalCount } provenance { url } similarTo { id } } } }": 5,
    "{ repos { nodes { id patternCounts { candidate } currentRun { id } patterns { edges { cursor } } } } }": 4,
    "{ viewer { memberships { organization { members { nodes { user { memberships { id } } } } } } } }": 6,
}


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_how_many_statements_a_document_takes_does_not_depend_on_the_rows(
    document: str,
    engine_of: Watched,
    session: AsyncSession,
    repo: models.Repo,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    organization = await session.get_one(models.Organization, repo.organization_id)
    member = await factories.member(session, organization)
    viewer = Viewer(member.user_id, {repo.organization_id: Role.OWNER}, Credential(CredentialKind.ACCESS_TOKEN))
    taken = []
    for _ in range(2):
        for _ in range(6):
            row = await factories.pattern(session, repo, owner_id=member.user_id)
            await factories.pattern(session, repo, similar_to_id=row.id, superseded_by_id=row.id)
            await factories.evidence(session, row)
            await factories.member(session, organization)
            await factories.provenance(session, row, added_by_id=member.user_id)
            await factories.pattern_event(session, row, actor_id=member.user_id)
            await factories.evidence(session, row, is_counterexample=True)
        asked = document.replace("REPO", public(Kind.REPO, repo.id)).replace("PATTERN", public(Kind.PATTERN, row.id))
        with statements(runtime, monkeypatch) as sent:
            answer = json.loads(await engine_of.ask(viewer, asked))
        assert "errors" not in answer, answer
        assert not [statement for statement in sent if "OFFSET" in statement]
        taken.append(len(sent))
    assert engine_of.planned is engine_of.use_plans
    assert taken == [1 if engine_of.planned else DOCUMENTS[document]] * 2


# Of each mutation how many statements it takes for one pattern, as a plan and by the resolvers: one that writes all and
# tells how the pattern is then. A history is read after that; a rule that nobody has tried is looked at in between.
DECIDED = {
    'promotePattern(input: {patternId: PATTERN, rationale: "Why."}) { pattern { id status } }': (1, 2),
    "promotePattern(input: {patternId: UNTRIED}) { pattern { id status } }": (3, 4),
    "rejectPattern(input: {patternId: PATTERN}) { pattern { status history { nodes { kind } } } }": (2, 3),
    "deferPattern(input: {patternId: UNTRIED}) { pattern { deferCount statusChangedBy { login } } }": (1, 3),
}


@pytest.mark.parametrize("mutation", DECIDED)
async def test_a_decision_takes_one_statement_that_writes_and_tells(
    mutation: str,
    engine_of: Watched,
    session: AsyncSession,
    repo: models.Repo,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    organization = await session.get_one(models.Organization, repo.organization_id)
    member = await factories.member(session, organization, role=Role.REVIEWER)
    viewer = Viewer(member.user_id, {repo.organization_id: Role.REVIEWER}, Credential(CredentialKind.ACCESS_TOKEN))
    tried, untried = await factories.pattern(session, repo), await factories.pattern(session, repo, rule_edition=None)
    ids = {"PATTERN": tried.id, "UNTRIED": untried.id}
    asked = re.sub(
        "PATTERN|UNTRIED", lambda word: f'"{public(Kind.PATTERN, ids[word[0]])}"', f"mutation {{ {mutation} }}"
    )
    with statements(runtime, monkeypatch) as sent:
        answer = json.loads(await engine_of.ask(viewer, asked))
    assert "errors" not in answer, answer
    assert len(sent) == DECIDED[mutation][0 if engine_of.use_plans else 1], sent
    assert any("UPDATE patterns" in statement for statement in sent)


async def test_a_hundred_decisions_take_no_more_statements_than_their_kinds(
    session: AsyncSession, repo: models.Repo, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = await session.get_one(models.Organization, repo.organization_id)
    member = await factories.member(session, organization, role=Role.REVIEWER)
    viewer = Viewer(member.user_id, {repo.organization_id: Role.REVIEWER}, Credential(CredentialKind.ACCESS_TOKEN))
    taken = []
    for count in (10, 100):
        rows = [await factories.pattern(session, repo) for _ in range(count)]
        said = ", ".join(f'{{patternId: "{public(Kind.PATTERN, row.id)}", to: REJECTED}}' for row in rows)
        asked = f"mutation {{ triagePatterns(input: {{decisions: [{said}]}}) {{ results {{ errorCode }} }} }}"
        with statements(runtime, monkeypatch) as sent:
            answer = json.loads(await Watched(runtime).ask(viewer, asked))
        assert "errors" not in answer, answer
        taken.append(len(sent))
    assert taken[0] == taken[1] <= 6
