"""What the hub encodes once for all is to the byte what the executor says to each."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, parse, validate
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import models
from app.domain.ids import Kind, public
from app.domain.run import STAGES, IngestionEventKind, RunStatus, StageProgress, StageState
from app.domain.viewer import Credential, CredentialKind, Role, Scope, Viewer
from app.reads.runs import SNAPSHOT
from app.runtime import Runtime
from app.services.ingesting import spell
from resolvers.callers import Caller
from resolvers.engine.execution import GraphQLEngine
from resolvers.live.carried import CARRIED
from resolvers.live.hub import Hub
from resolvers.schema import schema
from resolvers.transport.protocol import GraphQLRequest
from tests import factories as make
from tests.resolvers.world import TEXTS

NOON = datetime(2026, 1, 31, 12, 0, 0, 450000, tzinfo=UTC)
SUBSCRIPTIONS = int(os.environ.get("SAME_BYTES_SUBSCRIPTIONS", "36"))


class NoHub(Hub):
    """A hub that knows of no broadcast, so that everything is executed for its viewer."""

    def broadcast(self, *_: Any) -> None:
        return None


class Counting(Hub):
    """A hub that counts what it broadcasts."""

    count = 0

    def broadcast(self, *arguments: Any) -> Any:
        found = super().broadcast(*arguments)
        self.count += found is not None
        return found


@dataclass
class Told:
    """A log, and both ways to tell of it."""

    run: models.IngestionRun
    repo: models.Repo
    hub: GraphQLEngine
    executor: GraphQLEngine
    viewer: Viewer

    @property
    def counting(self) -> Counting:
        assert isinstance(self.hub.hub, Counting)
        return self.hub.hub

    async def bodies(
        self, engine: GraphQLEngine, query: str, variables: dict[str, Any], viewer: Viewer | None = None, most: int = 99
    ) -> list[bytes]:
        """Follow a subscription to its end, or to so many answers."""
        caller = Caller(viewer or self.viewer, None, "192.0.2.1", engine.callers)
        heard: list[bytes] = []
        stream = engine.stream(caller, GraphQLRequest(query, None, variables, None))
        async with asyncio.timeout(10), aclosing(stream):
            async for answer in stream:
                heard.append(answer.body)
                if len(heard) == most:
                    break
        return heard


@pytest.fixture
async def told(runtime: Runtime, session: AsyncSession) -> AsyncIterator[Told]:
    """A run that has ended, with a log of everything that logs hold."""
    repo = await make.repo(session)
    pattern = await make.pattern(session, repo, name=TEXTS[2])
    plain = await make.pattern(session, repo, name=TEXTS[1], tier=None, tier_rank=None)
    run = await make.run(session, repo, status=RunStatus.RUNNING)
    stages = [spell(StageProgress(stage, StageState.RUNNING, 3, 7, "files", NOON, None, TEXTS[3])) for stage in STAGES]
    run.stages = stages
    for number, kind in enumerate(kind for kind in IngestionEventKind if kind is not IngestionEventKind.SNAPSHOT):
        kept = {name: getattr(run, name) for name in SNAPSHOT} | {"sequence": number + 1, "fraction": number / 7}
        spelt = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in kept.items()}
        await make.run_event(
            session,
            run,
            kind=kind,
            at=NOON,
            progress=None if number % 3 == 2 else stages[number],
            message=None if number % 2 else TEXTS[number],
            pattern_id=(None, pattern.id, plain.id)[number % 3],
            # The last was written by a version that kept less.
            run={name: value for name, value in spelt.items() if number < 5 or name != "commit_sha"},
        )
        await make.pattern_event(session, pattern, message=TEXTS[number])
    run.status, run.finished_at = RunStatus.SUCCEEDED, NOON
    await session.commit()
    viewer = Viewer(repo.id, {repo.organization_id: Role.VIEWER}, Credential(CredentialKind.ACCESS_TOKEN))
    at_noon = replace(runtime, clock=lambda: NOON)
    engines = (GraphQLEngine(at_noon), GraphQLEngine(at_noon))
    engines[0].hub, engines[1].hub = Counting(schema.core), NoHub(schema.core)
    yield Told(run, repo, *engines, viewer)
    for engine in engines:
        await engine.feeds.close()


Draw = Any


@st.composite
def subscriptions(draw: Draw) -> tuple[str, dict[str, Any], str]:
    """Write a subscription whose selection stays inside what events carry, or goes a little further."""
    field = draw(st.sampled_from(("ingestionStatus", "ingestionStatus", "patternChanges")))
    writer = _Writer(draw, field)
    root = schema.core.subscription_type
    assert root is not None
    event: Any = get_named_type(root.fields[field].type)
    subject = "runId" if field == "ingestionStatus" else "repoId"
    selection = writer.selection(event, 0)
    arguments = draw(st.sampled_from((f"{subject}: $id, after: $after", f"after: 0, {subject}: $id")))
    key = draw(st.sampled_from(("", "told: ", "data: ")))
    body = f"{key}{field}({arguments}) {selection}"
    if draw(st.booleans()):
        writer.fragments.append(f"fragment Root on Subscription {{ {body} }}")
        body = "...Root"
    after = "$after: Int" if "$after" in arguments else "$unused: Int"
    flags = "$on: Boolean = true, $off: Boolean!"
    query = f"subscription S($id: ID!, {after}, {flags}) {{ {body} }}\n" + "\n".join(writer.fragments)
    return query, {"off": False} | ({"after": draw(st.integers(0, 5))} if "$after" in arguments else {}), subject


class _Writer:
    def __init__(self, draw: Draw, field: str) -> None:
        self.draw = draw
        self.carried = CARRIED[field].fields
        self.fragments: list[str] = []

    def directive(self) -> str:
        return str(
            self.draw(
                st.sampled_from(
                    (
                        "",
                        "",
                        "",
                        "",
                        " @include(if: $on)",
                        " @skip(if: $off)",
                        " @include(if: false)",
                        " @skip(if: $on)",
                    )
                )
            )
        )

    def selection(self, type_: GraphQLObjectType, depth: int) -> str:
        chosen = self.draw(st.lists(st.sampled_from(sorted(type_.fields)), min_size=1, max_size=6))
        parts = ["__typename"] if self.draw(st.integers(0, 4)) == 0 else []
        for name in chosen:
            part = self.part(type_, name, depth)
            if part is not None:
                parts.append(part)
        if not parts:
            parts.append("always: __typename")
        return "{ " + " ".join(parts) + " }"

    def part(self, type_: GraphQLObjectType, name: str, depth: int) -> str | None:
        known = self.carried.get(type_.name, frozenset())
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        if snake not in known and (self.draw(st.integers(0, 30)) or depth > 2):
            return None
        field = type_.fields[name]
        if any(argument.default_value is None for argument in field.args.values()):
            return None
        named = get_named_type(field.type)
        alias = self.draw(st.sampled_from(("", "", "", "a: ", "b: ", "sequence: ")))
        text = f"{alias}{name}{self.directive()}"
        if not is_leaf_type(named):
            if not isinstance(named, GraphQLObjectType) or depth > 3:
                return None
            text += " " + self.selection(named, depth + 1)
        match self.draw(st.integers(0, 9)):
            case 0:
                return f"... on {type_.name} {{ {text} }}"
            case 1:
                return f"...{self.directive()} {{ {text} }}"
            case 2:
                label = f"F{len(self.fragments)}"
                self.fragments.append(f"fragment {label} on {type_.name} {{ {text} }}")
                return f"...{label}{self.directive()}"
            case 3 if name == "id" and type_.interfaces:
                return f"... on Node {{ {text} }}"
        return text


async def test_the_hub_s_bytes_are_the_executor_s(told: Told) -> None:
    tally: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    ids = {"runId": public(Kind.INGESTION_RUN, told.run.id), "repoId": public(Kind.REPO, told.repo.id)}

    async def compare(query: str, variables: dict[str, Any]) -> None:
        # A log of a repository's patterns has no end.
        most = 7 - variables.get("after", 0) - ("patternChanges" in query)
        before = told.counting.count
        ours = await told.bodies(told.hub, query, variables, most=most)
        theirs = await told.bodies(told.executor, query, variables, most=most)
        assert ours == theirs, query
        assert len(ours) == most
        tally["broadcast" if told.counting.count > before else "executed"] += 1
        tally["errors"] += b'"errors":' in ours[0]

    @settings(
        max_examples=SUBSCRIPTIONS,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(subscriptions())
    def same(asked: tuple[str, dict[str, Any], str]) -> None:
        query, variables, subject = asked
        assume(not validate(schema.core, parse(query)))
        asyncio.run_coroutine_threadsafe(compare(query, {"id": ids[subject], **variables}), loop).result()

    await asyncio.to_thread(same)
    assert tally["broadcast"] >= SUBSCRIPTIONS // 2, tally
    assert tally["executed"] >= SUBSCRIPTIONS // 30, tally


@pytest.mark.parametrize(
    ("selection", "broadcast"),
    [
        ("sequence skipped run { id fraction stages { done } }", 1),
        ("pattern { id name confidence { tier } }", 1),
        ("run { repo { fullName } }", 0),
        ("run { report { skippedFiles { count } } }", 0),
        ("run { events(first: 1) { nodes { kind } } }", 0),
        ("pattern { id description }", 0),
        ("pattern { confidence { instances } }", 0),
    ],
)
async def test_what_is_broadcast(told: Told, selection: str, broadcast: int) -> None:
    query = f"subscription($id: ID!) {{ ingestionStatus(runId: $id) {{ {selection} }} }}"
    variables = {"id": public(Kind.INGESTION_RUN, told.run.id)}
    (body,) = await told.bodies(told.hub, query, variables)
    assert "errors" not in json.loads(body)
    assert told.counting.count == broadcast


async def test_a_key_that_may_not_read_patterns_is_told_so_of_each(told: Told) -> None:
    query = "subscription($id: ID!) { ingestionStatus(runId: $id, after: 0) { sequence pattern { id } } }"
    variables = {"id": public(Kind.INGESTION_RUN, told.run.id)}
    key = Viewer(
        told.repo.id,
        {told.repo.organization_id: Role.OWNER},
        Credential(CredentialKind.API_KEY, name="a key"),
        scopes=frozenset({Scope.REPOS_READ}),
    )
    heard = [json.loads(body) for body in await told.bodies(told.hub, query, variables, key)]
    assert told.counting.count == 0
    refused = [answer["errors"][0]["extensions"]["code"] for answer in heard if "errors" in answer]
    assert refused == ["FORBIDDEN"] * len(refused)
    assert len(refused) == 4
    assert all(answer["data"]["ingestionStatus"]["pattern"] is None for answer in heard)


async def test_equal_selections_share_their_bytes_however_they_are_written(told: Told) -> None:
    hub = told.counting
    one = "subscription A($id: ID!) { ingestionStatus(runId: $id) { sequence run { id } } }"
    other = """
        subscription B($it: ID!, $yes: Boolean = true) { ...R }
        fragment R on Subscription { ingestionStatus(runId: $it) { ... @include(if: $yes) { sequence } run { ...I } } }
        fragment I on Node { id }
    """
    made = []
    for text, name in ((one, "id"), (other, "it")):
        document = told.hub.documents.get(text)
        operation = document.operation(None)
        variables = told.hub._coerced(operation, {name: "run_0"})
        made.append(hub.broadcast(told.viewer, document, operation, variables, 3))
    assert made[0]._spelling is made[1]._spelling
